import { type Tensor, tensor, util } from '@tensorflow/tfjs';
import fc from 'fast-check';
import { expect } from 'vitest';

/** Deterministic numbers around zero, a few of them exactly zero. */
export function floatsOf(length: number, seed: number): Float32Array {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % 17 === 0 ? 0 : (state / 2 ** 32 - 0.5) * 6;
  });
}

/** A tensor of such numbers. */
export const randomTensor = <T extends Tensor = Tensor>(shape: readonly number[], seed: number, scale = 1): T =>
  tensor(
    floatsOf(util.sizeFromShape([...shape]), seed).map((x) => x * scale),
    [...shape],
  ) as T;

/** Integers 0…limit−1. */
export function indicesOf(length: number, limit: number, seed: number): Int32Array {
  return Int32Array.from(floatsOf(length, seed), (x) => Math.min(limit - 1, Math.floor((x / 6 + 0.5) * limit)));
}

/** Compares element by element, with a tolerance relative to the larger of 1 and the expected value. */
export function closeTo(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i]!, expected[i]!];
    if (Object.is(a, e) || a === e || Math.abs(a - e) <= tolerance * Math.max(1, Math.abs(e))) continue;
    expect.fail(`element ${i} is ${a}, expected ${e} within ${tolerance}`);
  }
}

/** Compares element by element, with an absolute tolerance. */
export function expectClose(got: ArrayLike<number>, expected: readonly number[], limit = 1e-5): void {
  expect(got.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(Math.abs(got[i]! - value), `value ${i}: ${got[i]} for ${value}`).toBeLessThanOrEqual(limit);
  });
}

/** A property over random cases with a fixed seed, which fast-check prints with the smallest failing case. */
export async function property<T>(
  cases: fc.Arbitrary<T>,
  holds: (example: T) => Promise<void>,
  runs = 40,
): Promise<void> {
  await fc.assert(fc.asyncProperty(cases, holds), { seed: 20_240_611, numRuns: runs });
}
