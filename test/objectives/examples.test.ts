import { describe, expect, test } from 'vitest';
import { caser } from '../../src/models/caser';
import { caserTraining } from '../../src/models/caser-training';
import { configure } from '../../src/models/configuration';
import { type Example, prefixes, sequenceBatch, sequences } from '../../src/objectives/examples';
import { streamsOf } from '../../src/train/step';
import type { SessionInput, Sessions } from '../../src/types';
import { listsOf, logOf, randomLog } from '../train/helpers';

const trainingLog = (sessions: Sessions) => ({ sessions, catalogue: { items: 20 }, first: 0 });

/** The items that an example shows, and those that it predicts. */
const shown = ({ from, firstTarget, end }: Example, { items }: Sessions) => ({
  seen: Array.from(items.subarray(from, firstTarget)),
  targets: Array.from(items.subarray(firstTarget, end)),
});

const sorted = (values: object[]) => values.map((value) => JSON.stringify(value)).sort();

describe('sequences', () => {
  const log = randomLog(50, 4);

  /** What each target of a batch is predicted from: the clicks of its session before it. */
  function predictions(examples: readonly Example[], sessions: Sessions) {
    const { targets } = sequenceBatch(
      examples,
      sessions,
      (inputs) => ({
        items: {
          data: Int32Array.from(inputs.flatMap(({ items }) => Array.from(items))),
          shape: [1, inputs.reduce((sum, { items }) => sum + items.length, 0)],
        },
      }),
      (t) => t,
      undefined,
    );
    return Array.from(targets.items, (target, m) => ({
      seen: Array.from(targets.sessions[targets.row[m]!]!.items).slice(0, targets.before[m]!),
      target,
    }));
  }

  test('predict every click but the first, each after the clicks before it', () => {
    const expected = listsOf(log).flatMap((session) =>
      session.slice(1).map((target, t) => ({ seen: session.slice(0, t + 1), target })),
    );
    expect(sorted(predictions(sequences(trainingLog(log), 10), log))).toEqual(sorted(expected));
  });

  test('keep the newest clicks of a long session, with their times', () => {
    const long = logOf([[1, 2, 3, 4, 5, 6]]);
    const examples = sequences(trainingLog(long), 3);
    expect(predictions(examples, long)).toEqual([
      { seen: [3], target: 4 },
      { seen: [3, 4], target: 5 },
      { seen: [3, 4, 5], target: 6 },
    ]);
    let inputs: readonly SessionInput[] = [];
    sequenceBatch(
      examples,
      long,
      (sessions) => {
        inputs = sessions;
        return { items: { data: Int32Array.of(3, 4, 5), shape: [1, 3] } };
      },
      (t) => t,
      undefined,
    );
    expect(Array.from(inputs[0]!.times!)).toEqual([2, 3, 4]);
  });

  test('leave out sessions of one click, and name the session of the log that each is', () => {
    expect(sequences(trainingLog(logOf([[1], [2]])), 3)).toEqual([]);
    expect(sequences(trainingLog(logOf([[1], [2, 3]])), 3).map(({ source }) => source)).toEqual([1]);
    for (const example of sequences(trainingLog(log), 10)) {
      const { seen, targets } = shown(example, log);
      expect([...seen, ...targets]).toEqual(listsOf(log)[example.source]);
    }
  });

  test('read each target at the column of the click before it, in whichever bucket its session stands', () => {
    const lengths = Array.from({ length: 60 }, (_, s) => (s % 12 === 0 ? 40 : 3));
    const sessions = logOf(lengths.map((length, s) => Array.from({ length }, (_, t) => 1 + s + t)));
    const prepare = (inputs: readonly SessionInput[]) => {
      const width = Math.max(...inputs.map(({ items }) => items.length));
      const data = new Int32Array(inputs.length * width);
      inputs.forEach(({ items }, b) => {
        data.set(Int32Array.from(items), b * width + width - items.length); // padded on the left
      });
      return { items: { data, shape: [inputs.length, width] } };
    };
    const examples = sequences(trainingLog(sessions), 50);
    const { batch } = sequenceBatch(examples, sessions, prepare, (t, n, width) => width - n + t, 50);
    expect(batch.inputs).toHaveLength(2);
    const cells = batch.inputs.flatMap(({ items }) => Array.from(items!.data));
    const read = Array.from(batch.positions.data, (cell) => cells[cell]!);
    expect(read).toEqual(Array.from(batch.targets.data, (target) => target - 1));
  });
});

test('prefixes are every prefix of every session, at most so long, with the click after it', () => {
  const log = randomLog(30, 6);
  const expected = listsOf(log).flatMap((session) =>
    session.slice(1).map((target, t) => ({ seen: session.slice(0, t + 1).slice(-3), targets: [target] })),
  );
  expect(sorted(prefixes(trainingLog(log), 3).map((example) => shown(example, log)))).toEqual(sorted(expected));
});

describe('windows', () => {
  const rows = (sessions: Sessions, given: object) =>
    [...caserTraining.rows(trainingLog(sessions), configure(caser, { ...given }), streamsOf(1, 0))].flat();
  const instances = (sessions: number[][], L: number, T: number, windows = 'full') =>
    rows(logOf(sessions), { L, T, windows })
      .map((example) => shown(example, logOf(sessions)))
      .sort((x, y) => x.seen.length - y.seen.length);
  /** What the filters see of them. */
  const latest = (sessions: number[][], L: number, T: number) =>
    instances(sessions, L, T).map(({ seen, targets }) => ({ seen: seen.slice(-L), targets }));

  test('slide over a session from its end, step 1', () => {
    expect(latest([[1, 2, 3, 4, 5, 6]], 3, 2)).toEqual([
      { seen: [1, 2, 3], targets: [4, 5] },
      { seen: [2, 3, 4], targets: [5, 6] },
    ]);
  });

  test('are one where the session is shorter, with its newest clicks as targets', () => {
    expect(latest([[1, 2, 3, 4]], 3, 2)).toEqual([{ seen: [1, 2], targets: [3, 4] }]);
    expect(latest([[1, 2, 3]], 5, 2)).toEqual([{ seen: [1], targets: [2, 3] }]);
    expect(latest([[1, 2, 3, 4, 5]], 3, 2)).toEqual([{ seen: [1, 2, 3], targets: [4, 5] }]);
  });

  test('of a session that has no more clicks than targets predict them all, from nothing', () => {
    expect(latest([[1, 2]], 3, 3)).toEqual([{ seen: [], targets: [1, 2] }]);
    expect(latest([[1, 2, 3]], 3, 3)).toEqual([{ seen: [], targets: [1, 2, 3] }]);
    expect(latest([[1, 2]], 3, 1)).toEqual([{ seen: [1], targets: [2] }]);
  });

  test('show the whole session before the first target, for the profile, and none of the targets', () => {
    expect(instances([[1, 2, 3, 4, 5]], 2, 1).at(-1)).toEqual({ seen: [1, 2, 3, 4], targets: [5] });
    for (const { seen, targets } of instances([[1, 2, 3, 4, 5, 6, 7]], 2, 2)) {
      expect(Math.max(...seen)).toBe(Math.min(...targets) - 1);
    }
  });

  test('slide over the start of a session too where they are partial, down to one click', () => {
    const made = (session: number[]) => instances([session], 3, 2, 'all');
    expect(made([1, 2, 3, 4])).toEqual([
      { seen: [1], targets: [2, 3] },
      { seen: [1, 2], targets: [3, 4] },
    ]);
    expect(made([1, 2])).toEqual([{ seen: [1], targets: [2] }]);
    expect(made([1, 2, 3])).toEqual([{ seen: [1], targets: [2, 3] }]);
    expect(made([1, 2, 3, 4, 5, 6]).at(-1)).toEqual({ seen: [1, 2, 3, 4], targets: [5, 6] });
  });

  describe('of a log that names users', () => {
    const log = {
      ...logOf([
        [1, 2],
        [3, 4],
        [5, 6],
        [7, 8],
        [9, 10],
      ]),
      users: Int32Array.of(0, 1, 0, 0, 1),
      visitors: Int32Array.of(0, 1, 0, 0, 1),
    };
    /** The clicks that the profile of each window is a mean of, by the window's own click. */
    const profiles = (profile: string, sessions: Sessions = log) => {
      const config = configure(caser, { L: 2, T: 1, profile });
      const examples = rows(sessions, { L: 2, T: 1 }).sort((x, y) => x.source - y.source);
      const { inputs } = caserTraining.batch(examples, trainingLog(sessions), config, streamsOf(1, 0));
      const { data, shape } = inputs.clicks!;
      return examples.map((_, b) => Array.from(data.subarray(b * shape[1]!, (b + 1) * shape[1]!)).filter(Boolean));
    };

    test('show the profile of a device the sessions of its visitor before', () => {
      expect(profiles('session')).toEqual([[1], [3], [5], [7], [9]]);
      expect(profiles('device')).toEqual([[1], [3], [1, 2, 5], [1, 2, 5, 6, 7], [3, 4, 9]]);
    });

    test('leave out a session that had not ended: its clicks would tell of the future', () => {
      const times = log.times.slice();
      times[1] = 5; // the first session ends in the middle of the third
      expect(profiles('device', { ...log, times }).slice(2, 4)).toEqual([[5], [1, 2, 5, 6, 7]]); // biome-ignore format: one line
    });

    test('show nothing else where nobody is named', () => {
      const { users: _, visitors: __, ...nobody } = log;
      expect(profiles('device', nobody)).toEqual([[1], [3], [5], [7], [9]]);
    });

    test('say who, for the profile of a user', () => {
      const config = caser.complete!(configure(caser, { L: 2, T: 1, profile: 'user' }), log);
      const examples = rows(log, { L: 2, T: 1 }).sort((x, y) => x.source - y.source);
      const { inputs } = caserTraining.batch(examples, trainingLog(log), config, streamsOf(1, 0));
      expect(Array.from(inputs.user!.data)).toEqual([0, 1, 0, 0, 1]);
    });
  });
});
