import { describe, expect, test } from 'vitest';
import { combined, rescale } from '../../src/ranking/combine';
import { random } from '../../src/session/random';
import { evaluate } from '../../src/train/evaluate';
import { mixWeights } from '../../src/train/mix-weights';
import type { Scorer, Sessions } from '../../src/types';

const N = 30;
const SEED = 7;

/** Scores that follow from the last click, from a table. */
const scorer = (table: readonly (readonly number[])[]): Scorer => ({
  items: table[0]!.length,
  async score(sessions) {
    return Float32Array.from(sessions.flatMap(({ items }) => table[items[items.length - 1]! - 1]!));
  },
  dispose() {},
});

const draws = random(SEED, 'scores');
const tableOf = (of: () => number) => Array.from({ length: N }, () => Array.from({ length: N }, of));
const logits = { scorer: scorer(tableOf(() => 4 * draws.uniform() - 2)), isCounted: false, scale: 1 };
const counts = { scorer: scorer(tableOf(() => Math.floor(4 * draws.uniform()))), isCounted: true };
const clicks = Int32Array.from({ length: 60 }, () => 1 + Math.floor(N * draws.uniform()));
const sessions: Sessions = {
  items: clicks,
  times: new Float64Array(60),
  offsets: Int32Array.from({ length: 13 }, (_, s) => 5 * s),
};
const support = new Int32Array(N + 1).fill(1);

describe('scores', () => {
  test('of a network become the softmax of its logits, of counting their share, however large they are', () => {
    const row = Float32Array.of(1000, 1000 + Math.log(3), 0);
    const halved = row.map((score) => 2 * score);
    rescale(row, 3, { isCounted: false, scale: 1 }, 'probabilities');
    rescale(halved, 3, { isCounted: false, scale: 0.5 }, 'probabilities');
    for (const probabilities of [row, halved]) {
      expect([...probabilities].map((p) => Number(p.toFixed(4)))).toEqual([0.25, 0.75, 0]);
    }
    const counted = Float32Array.of(2, 0, 6);
    rescale(counted, 3, { isCounted: true }, 'probabilities');
    expect([...counted]).toEqual([0.25, 0, 0.75]);
  });

  test('of a network whose scale nobody knows become no probabilities', () => {
    const row = Float32Array.of(1, 2, 3);
    expect(() => rescale(row, 3, { isCounted: false }, 'probabilities')).toThrow('no scale');
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'of a network with a score of %s become none',
    (wrong) => {
      const row = Float32Array.of(1, wrong, 2);
      rescale(row, 3, { isCounted: false, scale: 1 }, 'probabilities');
      expect([...row]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    },
  );

  test('of counting that are negative have no share', () => {
    const rows = Float32Array.of(6, -4, 2, -1, 0, -3);
    rescale(rows, 3, { isCounted: true }, 'probabilities');
    expect([...rows]).toEqual([0.75, 0, 0.25, 0, 0, 0]);
  });

  test('of a row that says nothing become 0', () => {
    const nothing = new Float32Array(3);
    rescale(nothing, 3, { isCounted: true }, 'probabilities');
    const constant = Float32Array.of(5, 5, 5);
    rescale(constant, 3, { isCounted: false }, 'standard');
    expect([...nothing, ...constant]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test('become standard ones row by row', () => {
    const rows = Float32Array.of(1, 3, -10, 10);
    rescale(rows, 2, { isCounted: false }, 'standard');
    expect([...rows]).toEqual([-1, 1, -1, 1]);
  });

  test.each(['probabilities', 'standard'] as const)('that are no numbers stay so: %s', (scale) => {
    for (const isCounted of [true, false]) {
      const row = Float32Array.of(1, Number.NaN, 2);
      rescale(row, 3, { isCounted, scale: 1 }, scale);
      expect(row.every(Number.isFinite)).toBe(false);
    }
  });
});

describe('a mean of scorers', () => {
  test('of one is that one, ranks and all', async () => {
    const one = await evaluate(logits.scorer, sessions, { protocol: 'events', support });
    const alone = await evaluate(combined([{ ...logits, weight: 1 }], 'probabilities'), sessions, {
      protocol: 'events',
      support,
    });
    expect(alone.metrics).toEqual(one.metrics);
  });

  test('refuses another catalogue', () => {
    const other = { scorer: scorer([[1, 2]]), isCounted: false };
    expect(() =>
      combined(
        [logits, other].map((member) => ({ ...member, weight: 0.5 })),
        'standard',
      ),
    ).toThrow('one scorer has 30 items, another 2');
  });

  test.each([
    ['events', 'keep'],
    ['events', 'drop'],
    ['leave-one-out', 'drop'],
  ] as const)('reaches what the pass over all weights says: %s, %s', async (protocol, seen) => {
    const weights = [0, 0.2, 0.7, 1];
    const few = new Set(
      Array.from({ length: N }, (_, k) => 1 + k).filter((item) => item % 3 > 0 && !clicks.includes(item)),
    );
    expect(few.size).toBeGreaterThan(0);
    for (const [scale, excluded] of [
      ['probabilities', undefined],
      ['standard', undefined],
      ['probabilities', few],
    ] as const) {
      const options = { protocol, seen, support, ...(excluded && { excluded }) };
      const all = await mixWeights(logits, counts, weights, scale, sessions, options);
      for (const { weight, metrics } of all) {
        const parts = [
          { ...logits, weight: 1 - weight },
          { ...counts, weight },
        ];
        const { metrics: each } = await evaluate(combined(parts, scale), sessions, options);
        expect(metrics, `weight ${weight}, ${scale}, seed ${SEED}`).toEqual(each.conservative);
      }
    }
  });

  test('knows as much of a visitor’s past as one weight does: nothing of what is held out, and what was before the log', async () => {
    const visited = { ...sessions, visitors: Int32Array.from({ length: 12 }, (_, s) => s % 3) };
    const past = { ...visited, items: clicks.toReversed() };
    const weighed = tableOf(() => 3 * draws.uniform());
    const reading: Scorer = {
      ...logits.scorer,
      earlier: 20,
      async score(asked) {
        const known = asked.map(({ earlier = [] }) => earlier.flatMap(({ items }) => Array.from(items)));
        return Float32Array.from(
          known.flatMap((all) => weighed.map((row) => all.reduce((sum, i) => sum + row[i - 1]!, 0))),
        );
      },
    };
    for (const options of [{ target: 'valid' }, { past }, { target: 'valid', past }] as const) {
      const given = { protocol: 'leave-one-out', support, ...options } as const;
      const [one] = await mixWeights({ scorer: reading, isCounted: true }, counts, [0.3], 'standard', visited, given);
      const parts = [
        { scorer: reading, isCounted: true, weight: 0.7 },
        { ...counts, weight: 0.3 },
      ];
      const { metrics } = await evaluate(combined(parts, 'standard'), visited, given);
      expect(one!.metrics).toEqual(metrics.conservative);
    }
  });

  test('finds no target where no item is a candidate', async () => {
    const excluded = new Set(Array.from({ length: N }, (_, k) => 1 + k));
    const options = { protocol: 'events', support, excluded } as const;
    const [{ metrics } = {}] = await mixWeights(logits, counts, [0.5], 'standard', sessions, options);
    expect(Object.values(metrics!)).toEqual(Array(12).fill(0));
  });

  test('tells numbers that are none', async () => {
    const broken = { scorer: scorer(tableOf(() => Number.NaN)), isCounted: false, scale: 1 };
    await expect(
      mixWeights(broken, counts, [0.5], 'probabilities', sessions, { protocol: 'events', support }),
    ).rejects.toMatchObject({ code: 'not-finite' });
  });
});
