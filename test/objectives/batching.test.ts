import { describe, expect, test } from 'vitest';
import { sameLength, shuffled } from '../../src/objectives/batching';
import { random } from '../../src/session/random';

const numbers = Array.from({ length: 80 }, (_, i) => i);

describe('shuffled batches', () => {
  const batches = (seed: number) => [...shuffled(numbers, 9, random(seed))];

  test('hold every example once, the last one what is left', () => {
    expect(batches(1).map(({ length }) => length)).toEqual([9, 9, 9, 9, 9, 9, 9, 9, 8]);
    expect(
      batches(1)
        .flat()
        .sort((a, b) => a - b),
    ).toEqual(numbers);
  });

  test('are alike for the same stream, and in another order for another', () => {
    expect(batches(1)).toEqual(batches(1));
    expect(batches(1)).not.toEqual(batches(2));
    expect(batches(1).flat()).not.toEqual(numbers);
  });
});

describe('batches of one length', () => {
  /** Examples 0…79 of lengths 1…4. */
  const lengthOf = (example: number) => 1 + ((example * 7) % 4);
  const batches = (clicks: number, seed = 1) => [...sameLength(numbers, lengthOf, clicks, random(seed))];

  test('hold as many examples of that length as the clicks asked for', () => {
    const lengths = batches(10).map((batch) => batch.map(lengthOf));
    expect(new Set(lengths.flat())).toEqual(new Set([1, 2, 3, 4]));
    for (const [first, ...rest] of lengths) {
      expect(rest.every((length) => length === first)).toBe(true);
      expect(rest.length + 1).toBeLessThanOrEqual(Math.floor(10 / first!));
    }
    // Only the last batch of a length may be smaller.
    for (const length of [1, 2, 3, 4]) {
      const sizes = lengths.filter(([first]) => first === length).map((batch) => batch.length);
      expect(sizes.filter((size) => size < Math.floor(10 / length)).length).toBeLessThanOrEqual(1);
    }
  });

  test('hold at least one example, however few clicks are asked for', () => {
    expect(batches(1).every(({ length }) => length === 1)).toBe(true);
  });

  test('come in any order, every example once, and alike for the same stream', () => {
    expect(
      batches(10)
        .flat()
        .sort((a, b) => a - b),
    ).toEqual(numbers);
    expect(batches(10)).toEqual(batches(10));
    expect(batches(10, 2)).not.toEqual(batches(10));
    const lengths = batches(10).map(([first]) => lengthOf(first!));
    expect(lengths).not.toEqual([...lengths].sort());
    expect(lengths).not.toEqual([...lengths].sort().reverse());
  });
});
