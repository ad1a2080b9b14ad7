import { describe, expect, test } from 'vitest';
import { sessionParallel } from '../../src/objectives/session-parallel';
import type { Sessions } from '../../src/types';
import { logOf, randomLog } from '../train/helpers';

const [a, b, c, d, e, f, g, h, i, j, k] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] as const;
const worked = logOf([
  [a, b, c],
  [d, e],
  [f, g, h, i],
  [j, k],
]);

/** The clicks of each step, those after them, and the rows whose state is carried on. */
const steps = (sessions: Sessions, batchSize = 2, fewest = 1) =>
  [...sessionParallel(sessions, batchSize, fewest, 0)].map((rows) => ({
    in: rows.map(({ at }) => sessions.items[at]!),
    target: rows.map(({ at }) => sessions.items[at + 1]!),
    from: rows.map(({ carriedFrom }) => carriedFrom),
  }));

const transitionsOf = ({ items, offsets }: Sessions): string[] => {
  const pairs: string[] = [];
  for (let s = 0; s + 1 < offsets.length; s++) {
    for (let e = offsets[s]! + 1; e < offsets[s + 1]!; e++) pairs.push(`${items[e - 1]}→${items[e]}`);
  }
  return pairs.sort();
};

describe('session-parallel batches', () => {
  test('run as in the worked example: a row is reset when its session changes, and only then', () => {
    expect(steps(worked)).toEqual([
      { in: [a, d], target: [b, e], from: [-1, -1] },
      { in: [b, f], target: [c, g], from: [0, -1] },
      { in: [j, g], target: [k, h], from: [-1, 1] },
      { in: [h], target: [i], from: [1] },
    ]);
  });

  test('know where the session of each row starts', () => {
    const starts = [...sessionParallel(worked, 2, 1, 0)].map((rows) => rows.map(({ start }) => worked.items[start]));
    expect(starts).toEqual([[a, d], [a, f], [j, f], [f]]); // biome-ignore format: one line
  });

  test('stop early where the other rows are the only negatives', () => {
    expect(steps(worked, 2, 2)).toEqual(steps(worked).slice(0, 3));
  });

  test('hand a row on at once where a session has one event', () => {
    expect(steps(logOf([[a], [b, c], [d], [e, f], [g], [h]]))).toEqual([
      { in: [e, b], target: [f, c], from: [-1, -1] },
    ]);
    expect(steps(logOf([[a], [b]]))).toEqual([]);
  });

  test('are as wide as the log has sessions, where the batch size is larger', () => {
    const log = logOf([
      [a, b],
      [c, d],
    ]);
    expect(steps(log, 50)).toEqual([{ in: [a, c], target: [b, d], from: [-1, -1] }]);
  });

  test.each([1, 2, 5, 16, 64])('hold every transition once, states carried inside a session, batch size %i', (size) => {
    const log = randomLog(60, size);
    const all = steps(log, size);
    expect(all.flatMap((step) => step.in.map((item, row) => `${item}→${step.target[row]}`)).sort()).toEqual(
      transitionsOf(log),
    );
    all.forEach((step, t) => {
      const before = all[t - 1];
      step.from.forEach((from, row) => {
        // A state that goes on was left by the click whose target is this click.
        if (from >= 0) expect(before!.target[from]).toBe(step.in[row]);
      });
      expect(new Set(step.from.filter((from) => from >= 0)).size).toBe(step.from.filter((from) => from >= 0).length);
    });
    const starts = all.flatMap((step) => step.from).filter((from) => from < 0).length;
    const sessions = Array.from(log.offsets.slice(1), (end, s) => end - log.offsets[s]!);
    expect(starts).toBe(sessions.filter((length) => length > 1).length);
  });
});
