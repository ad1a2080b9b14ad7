/** Weights in 64 bits beside the same ones in 32, and gradients of a 64-bit loss by finite differences. */
import type { Tensor } from '@tensorflow/tfjs';
import { expect } from 'vitest';
import { initialise } from '../../src/models/initialise';
import type { SessionModel } from '../../src/models/model';
import type { Catalogue, NdArray } from '../../src/types';
import { finiteDifferences } from './finite-differences';

export type Weights = Record<string, { readonly shape: readonly number[]; readonly data: Float64Array }>;

export type Vector = number[];
export type Matrix = number[][];

/** Row-major rows of a weight. */
export const matrix = ({ shape, data }: Weights[string]): Matrix =>
  Array.from({ length: shape[0]! }, (_, i) => Array.from(data.subarray(i * shape[1]!, (i + 1) * shape[1]!)));

export const dot = (a: Vector, b: Vector): number => a.reduce((total, x, i) => total + x * b[i]!, 0);
export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
export const softplus = (s: number): number => Math.max(s, 0) + Math.log1p(Math.exp(-Math.abs(s)));

export function softmax(scores: Vector): Vector {
  const highest = Math.max(...scores);
  const e = scores.map((s) => Math.exp(s - highest));
  const total = e.reduce((a, b) => a + b, 0);
  return e.map((value) => value / total);
}

/** erf by its Taylor series, exact to 1e-15 where weights are small: |x| < 4. */
function erf(x: number): number {
  let term = x;
  let total = x;
  for (let n = 1; n < 120 && Math.abs(term) > 1e-18; n++) {
    term *= (-x * x) / n;
    total += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * total;
}
/** x Φ(x). */
export const gelu = (x: number): number => 0.5 * x * (1 + erf(x / Math.SQRT2));

/** Random weights everywhere, biases too, so that none can be forgotten; those in 64 bits are exact copies. */
export function drawWeights<C>(
  model: SessionModel<C>,
  config: C,
  catalogue: Catalogue,
  std = 0.6,
): { readonly params: Record<string, NdArray<Float32Array>>; readonly reference: Weights } {
  const specs = Object.entries(model.parameters(config, catalogue));
  const normal = { kind: 'normal', std } as const;
  const params = initialise(Object.fromEntries(specs.map(([name, spec]) => [name, { ...spec, init: normal }])), 11);
  const reference = Object.entries(params).map(([name, { data, shape }]) => [
    name,
    { data: Float64Array.from(data), shape },
  ]);
  return { params, reference: Object.fromEntries(reference) };
}

export const far = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((worst, x, i) => Math.max(worst, Math.abs(x - b[i]!)), 0);
};

/**
 * Finite differences of a loss by every weight.
 *
 * @param loss Of the weights, which are moved while it is asked.
 * @param fixed Names of tables whose row 0 is no weight.
 */
export function differencesByWeight(
  weights: Weights,
  loss: () => number,
  fixed: readonly string[] = [],
): Record<string, Float64Array> {
  const entries = Object.entries(weights).map(([name, { data, shape }]) => {
    const first = fixed.includes(name) ? data.length / shape[0]! : 0;
    const differences = new Float64Array(data.length);
    differences.set(finiteDifferences(data.subarray(first), loss), first);
    return [name, differences] as const;
  });
  return Object.fromEntries(entries);
}

/** Holds every gradient against the finite differences, and every weight to taking part. */
export function expectGradients(
  expected: Readonly<Record<string, Float64Array>>,
  gradients: Readonly<Record<string, Tensor>>,
): void {
  for (const [name, differences] of Object.entries(expected)) {
    const largest = Math.max(...differences.map(Math.abs));
    expect(largest, `${name} takes part`).toBeGreaterThan(1e-5);
    expect(gradients[name], name).toBeDefined();
    expect(far(gradients[name]!.dataSync(), differences) / Math.max(1e-2, largest), name).toBeLessThan(1e-4);
  }
}
