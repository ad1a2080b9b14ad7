import { describe, expect, test } from 'vitest';
import { logUniform, logUniformChances } from '../../src/objectives/log-uniform';
import { random } from '../../src/session/random';

describe('log-uniform negatives', () => {
  // Item 3 is clicked most, then 1, then 2 and 4, which rank by index.
  const support = [0, 5, 1, 9, 1];

  test('are drawn by popularity rank, each at most once', () => {
    const generator = random(6);
    const counts = [0, 0, 0, 0, 0];
    const draws = 20_000;
    for (let round = 0; round < draws; round++) counts[logUniform(support, 1, generator)[0]!]!++;
    [3, 1, 2, 4].forEach((item, r) => {
      const expected = Math.log((r + 2) / (r + 1)) / Math.log(5);
      expect(Math.abs(counts[item]! / draws - expected)).toBeLessThan(0.015);
    });
    expect(Array.from(logUniform(support, 30, generator)).toSorted()).toEqual([1, 2, 3, 4]);
  });

  test('are corrected by what the library takes for their chances', () => {
    // The first of 90 items in its order, over 28 draws; golden/t4r-sampled-softmax holds these two.
    const chances = logUniformChances(
      Array.from({ length: 91 }, (_, i) => 91 - i),
      28,
    );
    expect(chances[1]).toBeCloseTo(0.98172736, 6);
    expect(chances[2]).toBeCloseTo(0.91018993, 6);
    expect(chances[0]).toBe(0);
  });
});
