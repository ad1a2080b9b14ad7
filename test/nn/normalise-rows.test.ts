import { grad, memory, mul, sum, type Tensor2D, tensor2d, tidy } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { normaliseRows } from '../../src/nn/normalise-rows';
import { backends, start } from '../compute/backends/start';
import { finiteDifferences } from '../reference/finite-differences';

const X = [
  [3, -4, 0],
  [0.02, 0.01, -0.03],
  [100, 50, 70],
];
const ODD = [
  [0.3, -1, 0.7],
  [1, 0.5, -0.4],
  [-0.6, 0.1, 0.8],
];

describe.each(backends)('%s', (backend) => {
  beforeAll(() => start(backend));

  test('gives every row length 1 and keeps its direction; a row of zeros stays', () => {
    const rows = tidy(() => normaliseRows(tensor2d([...X, [0, 0, 0]])).arraySync());
    X.forEach((x, i) => {
      const length = Math.hypot(...x);
      x.forEach((value, j) => {
        expect(rows[i]![j]!).toBeCloseTo(value / length, 4);
      });
    });
    expect(rows.at(-1)).toEqual([0, 0, 0]);
  });

  test('has the gradient of finite differences, finite for zeros, and leaves no tensor behind', () => {
    const before = memory().numTensors;
    const [ours, ofZeros] = tidy(() =>
      [X, [[0, 0, 0]]].map((x) => {
        const odd = tensor2d(ODD.slice(0, x.length));
        return Array.from(grad((t) => sum(mul(normaliseRows(t as Tensor2D), odd)))(tensor2d(x)).dataSync());
      }),
    );
    expect(memory().numTensors).toBe(before);
    expect(ofZeros!.every(Number.isFinite)).toBe(true);
    X.forEach((row, i) => {
      const values = Float64Array.from(row);
      const loss = () => {
        const length = Math.sqrt(values.reduce((total, x) => total + x * x, 1e-7));
        return values.reduce((total, x, j) => total + (ODD[i]![j]! * x) / length, 0);
      };
      const expected = finiteDifferences(values, loss);
      const largest = Math.max(...Array.from(expected, Math.abs));
      expected.forEach((slope, j) => {
        expect(Math.abs(ours![i * 3 + j]! - slope)).toBeLessThan(1e-4 * largest);
      });
    });
  });
});
