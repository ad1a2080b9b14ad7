import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rankerAround, rankOf, UNRANKED } from '../../src/ranking/rank';
import { topK } from '../../src/ranking/top-k';
import { metricsOf } from '../../src/train/metrics';

/** Few distinct values, so that ties are the rule. */
const tied = fc
  .array(fc.constantFrom(-1.5, -0, 0, 0.25, 1, 3), { minLength: 1, maxLength: 40 })
  .map((values) => Float32Array.from(values));
const spread = fc
  .array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 40 })
  .map((values) => Float32Array.from(values));
const rows = fc.oneof(tied, spread);

/** Item indices, best first, equal scores by ascending index: the definition, by sorting. */
const sorted = (scores: Float32Array, exclude: ReadonlySet<number>) =>
  Array.from(scores, (score, i) => ({ index: i + 1, score }))
    .filter(({ index }) => !exclude.has(index))
    .sort((a, b) => b.score - a.score || a.index - b.index);

const NOT_FINITE = expect.objectContaining({ code: 'not-finite' });

describe('rankOf', () => {
  test('tells the three tie modes apart on the worked example', () => {
    const scores = Float32Array.of(0.9, 0.5, 0.5, 0.5, 0.1);
    for (const target of [2, 3, 4]) {
      expect(rankOf(scores, target)).toEqual({ standard: 2, conservative: 4, median: 3 });
    }
  });

  test('ranks a target first only by winning ties where a model scores everything 0', () => {
    expect(rankOf(new Float32Array(100), 17)).toEqual({ standard: 1, conservative: 100, median: 50.5 });
  });

  test('counts what sorting would find', () => {
    fc.assert(
      fc.property(rows, fc.nat(), fc.uniqueArray(fc.integer({ min: 1, max: 45 })), (scores, pick, excluded) => {
        const target = 1 + (pick % scores.length);
        const exclude = new Set(excluded.filter((item) => item !== target));
        const order = sorted(scores, exclude).map(({ score }) => score);
        const score = scores[target - 1]!;
        const first = 1 + order.indexOf(score);
        const last = 1 + order.lastIndexOf(score);
        const expected = { standard: first, conservative: last, median: (first + last) / 2 };
        expect(rankOf(scores, target, exclude)).toEqual(expected);
      }),
      { seed: 3, numRuns: 500 },
    );
  });

  test('ranks a target that is no candidate beyond every cut-off, however few candidates there are', () => {
    const scores = Float32Array.of(3, 2, 1, 0);
    const unranked = { standard: UNRANKED, conservative: UNRANKED, median: UNRANKED };
    for (const exclude of [[1], [0, 1, 4, 5], [1, 2, 3, 4]]) {
      expect(rankOf(scores, 1, new Set(exclude))).toEqual(unranked);
      expect(rankerAround(scores)(scores, Int32Array.of(), 1, new Set(exclude))).toEqual(unranked);
    }
    const [stored] = Int32Array.of(UNRANKED);
    expect(Object.values(metricsOf([stored!], [1, 20, 1e9]))).toEqual(Array(9).fill(0));
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('refuses %d anywhere', (value) => {
    for (const at of [0, 2, 4]) {
      const scores = Float32Array.of(5, 4, 3, 2, 1);
      scores[at] = value;
      expect(() => rankOf(scores, 3)).toThrow(NOT_FINITE);
      expect(() => rankOf(scores, 3, new Set([3]))).toThrow(NOT_FINITE);
      expect(() => topK(scores, 2)).toThrow(NOT_FINITE);
      expect(() => topK(scores, 2, new Set([at + 1]))).toThrow(NOT_FINITE);
    }
  });

  test.each([0, 4, -1, Number.NaN])('refuses the target %d among 3 items', (target) => {
    expect(() => rankOf(new Float32Array(3), target)).toThrow(RangeError);
  });
});

describe('rankerAround', () => {
  test('counts what rankOf counts, from the base row and the columns that changed', () => {
    const written = fc.array(fc.tuple(fc.nat(), fc.constantFrom(-1.5, 0, 0.25, 1, 3, 7)), { maxLength: 12 });
    const excluded = fc.option(fc.uniqueArray(fc.integer({ min: 1, max: 45 })));
    fc.assert(
      fc.property(rows, written, excluded, (base, writes, drop) => {
        const scores = base.slice();
        for (const [at, score] of writes) scores[at % base.length] = score;
        const changed = Int32Array.from(new Set(writes.map(([at]) => at % base.length)));
        const exclude = drop ? new Set(drop) : undefined;
        const rank = rankerAround(base);
        for (let target = 1; target <= base.length; target++) {
          expect(rank(scores, changed, target, exclude)).toEqual(rankOf(scores, target, exclude));
        }
      }),
      { seed: 11 },
    );
  });

  test('refuses a row with a score that is no number', () => {
    const scores = Float32Array.of(0, Number.NaN, 1);
    expect(() => rankerAround(new Float32Array(3))(scores, Int32Array.of(1), 3)).toThrow(NOT_FINITE);
  });
});

describe('topK', () => {
  test('answers as sorting would, equal scores by ascending index', () => {
    const excluded = fc.uniqueArray(fc.integer({ min: 1, max: 45 }));
    fc.assert(
      fc.property(rows, fc.integer({ min: 0, max: 45 }), excluded, (scores, k, items) => {
        const exclude = new Set(items);
        expect(topK(scores, k, exclude)).toEqual(sorted(scores, exclude).slice(0, k));
      }),
      { seed: 5, numRuns: 500 },
    );
  });

  test('gives fewer where there are fewer', () => {
    expect(topK(Float32Array.of(1, 2), 20)).toEqual([
      { index: 2, score: 2 },
      { index: 1, score: 1 },
    ]);
    expect(topK(Float32Array.of(1, 2), 20, new Set([1, 2]))).toEqual([]);
    expect(topK(new Float32Array(0), 3)).toEqual([]);
  });

  test.each([-1, 1.5, Number.NaN])('refuses k = %d', (k) => {
    expect(() => topK(Float32Array.of(1), k)).toThrow(RangeError);
  });
});
