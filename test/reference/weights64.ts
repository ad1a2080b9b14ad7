/** Weights in 64 bits beside the same ones in 32, and gradients of a 64-bit loss by finite differences. */
import type { Tensor } from '@tensorflow/tfjs';
import { expect } from 'vitest';
import { initialise } from '../../src/models/initialise';
import type { SessionModel } from '../../src/models/model';
import type { Catalogue, NdArray } from '../../src/types';

export type Weights = Record<string, { readonly shape: readonly number[]; readonly data: Float64Array }>;

/** Row-major rows of a weight. */
export const matrix = ({ shape, data }: Weights[string]): number[][] =>
  Array.from({ length: shape[0]! }, (_, i) => Array.from(data.subarray(i * shape[1]!, (i + 1) * shape[1]!)));

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
export function finiteDifferences(
  weights: Weights,
  loss: () => number,
  fixed: readonly string[] = [],
): Record<string, Float64Array> {
  const entries = Object.entries(weights).map(([name, { data, shape }]) => {
    const first = fixed.includes(name) ? data.length / shape[0]! : 0;
    const differences = Float64Array.from(data, (value, k) => {
      if (k < first) return 0;
      const step = 1e-6;
      data[k] = value + step;
      const above = loss();
      data[k] = value - step;
      const below = loss();
      data[k] = value;
      return (above - below) / (2 * step);
    });
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
