import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rankAmong } from '../../src/ranking/rank-among';
import { topShown } from '../../src/ranking/shown-items';

const NETWORK = {};
const COUNTER = { isEvidence: (score: number) => score !== 0 };
const scores = Float32Array.of(0, 0.5, 0, -0.2, 1, 0, 0);
const popularity = Float32Array.of(3, 1, 9, 8, 2, 0, 9);

describe('the list of a counting model', () => {
  test('is what was counted, then what is popular, and last what was counted against', () => {
    expect(topShown(COUNTER, scores, popularity, 10)).toEqual([
      { index: 5, score: 1, isPopular: false },
      { index: 2, score: 0.5, isPopular: false },
      { index: 3, score: 0, isPopular: true },
      { index: 7, score: 0, isPopular: true },
      { index: 1, score: 0, isPopular: true },
      { index: 4, score: expect.closeTo(-0.2), isPopular: false },
    ]);
  });

  test('holds nothing that was neither counted nor ever clicked', () => {
    expect(topShown(COUNTER, new Float32Array(3), Float32Array.of(0, 2, 0), 3)).toEqual([
      { index: 2, score: 0, isPopular: true },
    ]);
  });

  test('keeps the order of a model whose scores are popularity themselves, and says so', () => {
    const recent = Float32Array.of(0.5, 0.75, 0, 1.5);
    const list = topShown({ isEvidence: (score) => score >= 1 }, recent, Float32Array.of(9, 1, 4, 2), 4);
    expect(list.map(({ index, isPopular }) => [index, isPopular])).toEqual([
      [4, false],
      [2, true],
      [1, true],
      [3, true],
    ]);
  });
});

test('a network scores every item, 0 and below too', () => {
  const list = topShown(NETWORK, scores, popularity, 10);
  expect(list.map(({ index }) => index)).toEqual([5, 2, 1, 3, 6, 7, 4]);
  expect(list.every(({ isPopular }) => !isPopular)).toBe(true);
});

test('a score that is no number is refused, whatever the model', () => {
  for (const scorer of [NETWORK, COUNTER]) {
    expect(() => topShown(scorer, Float32Array.of(0, Number.NaN), popularity, 1)).toThrow(
      expect.objectContaining({ code: 'not-finite' }),
    );
  }
});

test('is the beginning of the whole ranking, in which every item has its place', () => {
  const row = fc.array(fc.constantFrom(-1, -0.5, -0, 0, 0.25, 2), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(row, fc.array(fc.nat(3)), fc.nat(35), fc.array(fc.integer({ min: 1, max: 35 })), (...drawn) => {
      const [values, events, k, excluded] = drawn;
      const [given, clicks] = [Float32Array.from(values), Float32Array.from(values, (_, i) => 1 + (events[i] ?? 0))];
      const exclude = new Set(excluded);
      for (const scorer of [NETWORK, COUNTER]) {
        const whole = topShown(scorer, given, clicks, given.length, exclude).map(({ index }) => index);
        expect(topShown(scorer, given, clicks, k, exclude).map(({ index }) => index)).toEqual(whole.slice(0, k));
        for (const [place, index] of whole.entries()) {
          expect(rankAmong(scorer, given, clicks, index - 1, exclude)).toBe(place + 1);
        }
      }
    }),
    { seed: 9, numRuns: 300 },
  );
});
