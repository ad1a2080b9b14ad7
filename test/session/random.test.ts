import { describe, expect, test } from 'vitest';
import { deriveSeed, random } from '../../src/session/random';

const DRAWS = 100_000;

/** Pearson's statistic against equal shares. */
function chiSquare(counts: readonly number[], draws: number): number {
  const expected = draws / counts.length;
  return counts.reduce((total, count) => total + (count - expected) ** 2 / expected, 0);
}

/** Of 99 degrees of freedom exceeded once in ten thousand seeds; the seeds here are fixed. */
const LIMIT_99 = 160;

describe('a stream', () => {
  test('repeats itself for the same name and differs for any other', () => {
    const first = (...name: Parameters<typeof random>) => {
      const { uniform } = random(...name);
      return [uniform(), uniform(), uniform(), uniform()];
    };
    expect(first(1, 'order', 2)).toEqual(first(1, 'order', 2));
    const names: Parameters<typeof random>[] = [
      [1],
      [2],
      [-1],
      [1, 'order'],
      [1, 'order', 2],
      [1, 'order', 3],
      [1, 'order2'],
      [1, 2, 'order'],
      [1, 'negatives', 2],
      [1, 'o', 'rder'],
      [1, 2 ** 32],
      [1, 0],
    ];
    expect(new Set(names.map((name) => first(...name).join())).size).toBe(names.length);
  });

  test.each([[1], [2, 'negatives', 0], [2, 'negatives', 1]] as Parameters<typeof random>[])(
    'is uniform: %j %j %j',
    (...name) => {
      const { uniform, integer } = random(...name);
      const bins = Array<number>(100).fill(0);
      const sides = Array<number>(100).fill(0);
      let outside = 0;
      for (let i = 0; i < DRAWS; i++) {
        const u = uniform();
        if (!(u >= 0 && u < 1)) outside++;
        bins[Math.floor(u * 100)]!++;
        sides[integer(100)]!++;
      }
      expect(outside).toBe(0);
      expect(chiSquare(bins, DRAWS)).toBeLessThan(LIMIT_99);
      expect(chiSquare(sides, DRAWS)).toBeLessThan(LIMIT_99);
    },
  );

  test('has no memory: pairs of draws fall evenly over the square', () => {
    const { integer } = random(7, 'pairs');
    const cells = Array<number>(100).fill(0);
    let last = integer(10);
    for (let i = 0; i < DRAWS; i++) {
      const next = integer(10);
      cells[10 * last + next]!++;
      last = next;
    }
    expect(chiSquare(cells, DRAWS)).toBeLessThan(LIMIT_99);
  });

  test('of one step says nothing about the stream of the next', () => {
    const cells = Array<number>(100).fill(0);
    for (let step = 0; step < DRAWS; step++) {
      const at = (s: number) => Math.floor(random(3, 'negatives', s).uniform() * 10);
      cells[10 * at(step) + at(step + 1)]!++;
    }
    expect(chiSquare(cells, DRAWS)).toBeLessThan(LIMIT_99);
  });

  test('draws normal numbers: mean 0, deviation 1, the usual share beyond 1 and 2', () => {
    const { normal } = random(5, 'normal');
    const values = Array.from({ length: DRAWS }, normal);
    const mean = values.reduce((a, x) => a + x, 0) / DRAWS;
    const deviation = Math.sqrt(values.reduce((a, x) => a + (x - mean) ** 2, 0) / DRAWS);
    const beyond = (k: number) => values.filter((x) => Math.abs(x) > k).length / DRAWS;
    expect(Math.abs(mean)).toBeLessThan(0.015);
    expect(Math.abs(deviation - 1)).toBeLessThan(0.01);
    expect(Math.abs(beyond(1) - 0.3173)).toBeLessThan(0.006);
    expect(Math.abs(beyond(2) - 0.0455)).toBeLessThan(0.003);
  });

  test('shuffles every order equally often, in place', () => {
    const { shuffle } = random(9, 'shuffle');
    const counts = new Map<string, number>();
    for (let i = 0; i < 24_000; i++) {
      const values = [1, 2, 3, 4];
      expect(shuffle(values)).toBe(values);
      counts.set(values.join(''), (counts.get(values.join('')) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    // Of 23 degrees of freedom exceeded once in ten thousand seeds.
    expect(chiSquare([...counts.values()], 24_000)).toBeLessThan(55);
  });
});

test('derived seeds are whole 32-bit numbers that hardly ever meet', () => {
  const seeds = new Set<number>();
  for (let step = 0; step < 1000; step++) {
    for (let call = 0; call < 4; call++) seeds.add(deriveSeed(1, 'dropout', step, call));
  }
  expect([...seeds].every((seed) => Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32)).toBe(true);
  expect(seeds.size).toBe(4000);
});
