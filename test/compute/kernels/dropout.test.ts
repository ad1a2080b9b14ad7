import { grad, memory, ones, sum, tensor, tidy } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { dropout } from '../../../src/nn/dropout';
import { backends, start } from '../backends/start';

const mask = (size: number, rate: number, seed: number) =>
  tidy(() => [...dropout(ones([size]), rate, seed).dataSync()]);

test('the same numbers stay on every backend', async () => {
  const masks = [];
  for (const name of backends) {
    await start(name);
    masks.push(mask(1000, 0.3, 7));
  }
  expect(masks[1]).toEqual(masks[0]);
});

describe.each(backends)('dropout on %s', (name) => {
  beforeAll(() => start(name));

  test('drops its share, scales the rest, and depends on the seed', () => {
    for (const rate of [0.05, 0.5, 0.9]) {
      const values = mask(100_000, rate, 3);
      const dropped = values.filter((x) => x === 0).length / values.length;
      expect(Math.abs(dropped - rate)).toBeLessThan(4 * Math.sqrt((rate * (1 - rate)) / values.length));
      expect(Math.abs(Math.max(...new Set(values)) - 1 / (1 - rate))).toBeLessThan(1e-5);
    }
    expect(mask(64, 0.5, 3)).not.toEqual(mask(64, 0.5, 4));
    expect(mask(64, 0.5, 3)).not.toEqual(mask(64, 0.5, 3 + 2 ** 32));
    expect(mask(64, 0.5, 3)).toEqual(mask(64, 0.5, 3));
  });

  test('neighbouring numbers, and equal numbers under neighbouring seeds, stay independently', () => {
    const [a, b] = [mask(50_000, 0.5, 10), mask(50_000, 0.5, 11)];
    const both = (other: (i: number) => number) => a.filter((x, i) => x !== 0 && other(i) !== 0).length / a.length;
    expect(Math.abs(both((i) => b[i]!) - 0.25)).toBeLessThan(0.01);
    expect(Math.abs(both((i) => a[i + 1] ?? 0) - 0.25)).toBeLessThan(0.01);
    expect(Math.abs(both((i) => a[i + 64] ?? 0) - 0.25)).toBeLessThan(0.01);
  });

  test('the gradient passes where the number stayed', async () => {
    const x = tensor([1, 2, 3, 4, 5, 6, 7, 8], [2, 4]);
    const slope = grad((t) => sum(dropout(t, 0.5, 5)))(x);
    expect([...(await slope.data())]).toEqual(mask(8, 0.5, 5));
  });

  test('rate 0 is the identity; an empty tensor stays empty; nothing leaks', () => {
    const x = tensor([], [0, 3]);
    expect(dropout(x, 0, 1)).toBe(x);
    const before = memory().numTensors;
    expect(dropout(x, 0.5, 1).shape).toEqual([0, 3]);
    expect(memory().numTensors).toBe(before + 1);
  });

  test('refuses a rate or seed out of range', () => {
    expect(() => dropout(ones([2]), 1, 1)).toThrow(RangeError);
    expect(() => dropout(ones([2]), -0.1, 1)).toThrow(RangeError);
    expect(() => dropout(ones([2]), 0.5, 0.5)).toThrow(RangeError);
  });
});
