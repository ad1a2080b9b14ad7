import {
  grads,
  memory,
  mul,
  type Scalar,
  square,
  sum,
  type Tensor1D,
  type Tensor2D,
  tensor1d,
  tensor2d,
  tidy,
} from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { startBackend } from '../../src/compute/backends/start';
import { registerTraining } from '../../src/compute/training';
import { layerNorm } from '../../src/nn/layer-norm';

beforeAll(async () => {
  await startBackend('cpu');
  await registerTraining();
});

const X = [
  [1, -2, 0.5, 3],
  [0.1, 0.2, -0.3, 0.05],
  [100, 101, 99, 104],
];
const GAIN = [1.5, -0.5, 2, 1];
const BIAS = [0.1, 0.2, -0.3, 0];

function reference(x: number[][], gain: number[], bias: number[], epsilon: number): number[][] {
  return x.map((row) => {
    const mean = row.reduce((a, b) => a + b, 0) / row.length;
    const variance = row.reduce((total, value) => total + (value - mean) ** 2, 0) / row.length;
    return row.map((value, j) => ((value - mean) / Math.sqrt(variance + epsilon)) * gain[j]! + bias[j]!);
  });
}

test.each([1e-8, 1e-5, 0.03])('normalises each row with epsilon %d inside the root', (epsilon) => {
  tidy(() => {
    const y = layerNorm(tensor2d(X), tensor1d(GAIN), tensor1d(BIAS), epsilon).arraySync();
    reference(X, GAIN, BIAS, epsilon).forEach((row, i) => {
      row.forEach((value, j) => {
        expect(y[i]![j]!).toBeCloseTo(value, 4);
      });
    });
  });
});

test('turns a row of equal values into the bias', () => {
  tidy(() => {
    const y = layerNorm(tensor2d([[0, 0, 0, 0]]), tensor1d(GAIN), tensor1d(BIAS), 1e-8);
    Array.from(y.dataSync()).forEach((value, j) => {
      expect(value).toBeCloseTo(BIAS[j]!, 6);
    });
  });
});

test('has the gradients of finite differences for input, gain and bias', () => {
  const odd = [
    [0.3, -1, 0.7, 0.2],
    [1, 0.5, -0.4, 0.9],
    [-0.6, 0.1, 0.8, 1.1],
  ];
  const lossOf = (x: number[][], gain: number[], bias: number[]) =>
    reference(x, gain, bias, 1e-3)
      .flat()
      .reduce((total, y, i) => total + y * y * odd.flat()[i]!, 0);
  tidy(() => {
    const ours = grads(
      (x, gain, bias): Scalar =>
        sum(mul(square(layerNorm(x as Tensor2D, gain as Tensor1D, bias as Tensor1D, 1e-3)), tensor2d(odd))),
    )([tensor2d(X), tensor1d(GAIN), tensor1d(BIAS)]);
    const values = [structuredClone(X), [[...GAIN]], [[...BIAS]]];
    values.forEach((block, b) => {
      const gradient = ours[b]!.dataSync();
      block.forEach((row, i) => {
        row.forEach((value, j) => {
          const at = (shifted: number) => {
            row[j] = shifted;
            const loss = lossOf(values[0]!, values[1]![0]!, values[2]![0]!);
            row[j] = value;
            return loss;
          };
          const difference = (at(value + 1e-5) - at(value - 1e-5)) / 2e-5;
          expect(Math.abs(gradient[i * row.length + j]! - difference)).toBeLessThan(
            1e-3 * Math.max(1, Math.abs(difference)),
          );
        });
      });
    });
  });
});

test('leaves no tensors behind', () => {
  const before = memory().numTensors;
  tidy(() => {
    grads((x) => sum(layerNorm(x as Tensor2D, tensor1d(GAIN), tensor1d(BIAS), 1e-8)))([tensor2d(X)]);
  });
  expect(memory().numTensors).toBe(before);
});
