import { grad, memory, sum, tensor1d, tidy } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { activate } from '../../src/nn/activation';
import { backends, start } from '../compute/backends/start';
import { finiteDifferences } from '../reference/finite-differences';

/** erf by its series, which needs no constant to be trusted. */
function erf(x: number): number {
  let term = x;
  let total = x;
  for (let n = 1; n < 200; n++) {
    term *= (-x * x) / n;
    total += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * total;
}
const exactGelu = (x: number): number => 0.5 * x * (1 + erf(x / Math.SQRT2));
const byTanh = (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
const silu = (x: number) => x / (1 + Math.exp(-x));
const X = [-4, -1.5, -0.7, -0.01, 0, 0.3, 1, 2.5, 4];

describe.each(backends)('gelu on %s', (backend) => {
  beforeAll(() => start(backend));

  test('is the exact form, not that of tanh', () => {
    const got = tidy(() => activate(tensor1d(X), { kind: 'gelu' }).dataSync());
    X.forEach((x, i) => {
      expect(Math.abs(got[i]! - exactGelu(x))).toBeLessThan(2e-6);
    });
    expect(Math.max(...X.map((x, i) => Math.abs(got[i]! - byTanh(x))))).toBeGreaterThan(1e-4);
  });
});

describe.each(backends)('on %s', (backend) => {
  beforeAll(() => start(backend));

  test.each([
    ['gelu', exactGelu],
    ['gelu_new', byTanh],
    ['silu', silu],
  ] as const)('%s is what its formula says and has its slope, and leaves no tensor behind', (kind, formula) => {
    const before = memory().numTensors;
    const got = tidy(() => activate(tensor1d(X), { kind }).dataSync());
    const slopes = tidy(() => grad((x) => sum(activate(x, { kind })))(tensor1d(X)).dataSync());
    expect(memory().numTensors).toBe(before);
    const values = Float64Array.from(X);
    const expected = finiteDifferences(values, () => values.reduce((total, x) => total + formula(x), 0), 1e-5);
    expected.forEach((slope, i) => {
      expect(Math.abs(got[i]! - formula(X[i]!))).toBeLessThan(2e-6);
      expect(Math.abs(slopes[i]! - slope)).toBeLessThan(5e-6);
    });
  });
});
