import { engine, memory, type Tensor, tensor, tensor1d } from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { adagradUpdate, adamUpdate } from '../../../src/nn/updates';
import { backends, start } from '../backends/start';
import { closeTo, floatsOf, property } from './random';

const vector = (...values: number[]) => tensor1d(values);

describe.each(backends)('in-place updates on %s', (name) => {
  beforeAll(() => start(name));

  test('Adagrad with momentum follows the worked example', async () => {
    const [param, accumulator, velocity] = [vector(1), vector(0), vector(0)];
    const seen: number[][] = [];
    for (const g of [2, -1, 0.5]) {
      const gradient = vector(g);
      adagradUpdate({ param, accumulator, velocity, gradient }, { learningRate: 0.1, momentum: 0.5, epsilon: 1e-6 });
      seen.push([(await accumulator.data())[0]!, (await velocity.data())[0]!, (await param.data())[0]!]);
    }
    closeTo(seen.flat(), [4, -0.1, 0.9, 5, -0.005279, 0.894721, 5.25, -0.024461, 0.87026], 1e-6);
  });

  test('rows that a step does not touch keep every bit, velocity and all', async () => {
    const param = tensor([1, 2, 3, 4, 5, 6], [3, 2]);
    const accumulator = tensor([0, 0, 1, 1, 0, 0], [3, 2]);
    const velocity = tensor([9, 9, 9, 9, 9, 9], [3, 2]);
    const rows = tensor1d([2, 0], 'int32');
    const gradient = tensor([1, 1, 1, 1], [2, 2]);
    adagradUpdate(
      { param, accumulator, velocity, gradient, rows },
      { learningRate: 0.1, momentum: 0.5, epsilon: 1e-6 },
    );
    expect(((await param.array()) as number[][])[1]).toEqual([3, 4]);
    expect(((await accumulator.array()) as number[][])[1]).toEqual([1, 1]);
    expect(((await velocity.array()) as number[][])[1]).toEqual([9, 9]);
    closeTo([...(await param.data())], [5.4, 6.4, 3, 4, 9.4, 10.4], 1e-5);
  });

  test('duplicates summed first give the value of the specification', async () => {
    const [param, accumulator] = [tensor([1], [1, 1]), tensor([0], [1, 1])];
    adagradUpdate(
      { param, accumulator, gradient: tensor([2 - 1], [1, 1]), rows: tensor1d([0], 'int32') },
      { learningRate: 0.1, momentum: 0, epsilon: 1e-6 },
    );
    closeTo([...(await param.data())], [0.9], 1e-6);
  });

  test('Adagrad equals a 64-bit loop', () =>
    property(
      fc.record({
        rows: fc.integer({ min: 0, max: 6 }),
        width: fc.integer({ min: 0, max: 70 }),
        momentum: fc.constantFrom(0, 0.4),
        seed: fc.nat(),
      }),
      async ({ rows, width, momentum, seed }) => {
        const n = rows + 2;
        const p0 = floatsOf(n * width, seed);
        const a0 = floatsOf(n * width, seed + 1).map(Math.abs);
        const v0 = floatsOf(n * width, seed + 2);
        const g = floatsOf(rows * width, seed + 3);
        const ids = Int32Array.from({ length: rows }, (_, i) => n - 1 - i);
        const made = [p0, a0, v0].map((values) => tensor(values.slice(), [n, width])) as [Tensor, Tensor, Tensor];
        const [param, accumulator, velocity] = made;
        const gradient = tensor(g.slice(), [rows, width]);
        const index = tensor1d(ids, 'int32');
        const before = { ...memory() };
        adagradUpdate(
          { param, accumulator, velocity, gradient, rows: index },
          { learningRate: 0.05, momentum, epsilon: 1e-6 },
        );
        expect(memory().numTensors).toBe(before.numTensors);
        expect(memory().numBytes).toBe(before.numBytes);
        const p = Float64Array.from(p0);
        ids.forEach((row, r) => {
          for (let j = 0; j < width; j++) {
            const at = row * width + j;
            const slope = g[r * width + j]!;
            const step = (0.05 * slope) / Math.sqrt(a0[at]! + slope * slope + 1e-6);
            p[at]! += momentum > 0 ? momentum * v0[at]! - step : -step;
          }
        });
        closeTo([...(await param.data())], [...p], 1e-6);
        for (const t of [...made, gradient, index]) t.dispose();
      },
    ));

  test.each(['coupled', 'decoupled'] as const)(
    'Adam with %s decay equals a 64-bit loop over three steps',
    async (decay) => {
      const size = 90;
      const param = tensor(floatsOf(size, 1), [size]);
      const [m, v] = [tensor(new Float32Array(size), [size]), tensor(new Float32Array(size), [size])];
      const p = Float64Array.from(floatsOf(size, 1));
      const [mean, square] = [new Float64Array(size), new Float64Array(size)];
      const options = { learningRate: 0.01, beta1: 0.9, beta2: 0.98, epsilon: 1e-2, weightDecay: 0.1, decay };
      for (let step = 1; step <= 3; step++) {
        const g = floatsOf(size, 10 + step);
        adamUpdate({ param, m, v, gradient: tensor(g.slice(), [size]) }, { ...options, step });
        for (let i = 0; i < size; i++) {
          if (decay === 'decoupled') p[i]! *= 1 - 0.01 * 0.1;
          const slope = g[i]! + (decay === 'coupled' ? 0.1 * p[i]! : 0);
          mean[i] = 0.9 * mean[i]! + 0.1 * slope;
          square[i] = 0.98 * square[i]! + 0.02 * slope * slope;
          const corrected = Math.sqrt(square[i]! / (1 - 0.98 ** step)) + options.epsilon;
          p[i]! -= (0.01 * (mean[i]! / (1 - 0.9 ** step))) / corrected;
        }
      }
      closeTo([...(await param.data())], [...p], 1e-5);
    },
  );

  test('Adam by rows touches those rows alone', async () => {
    const param = tensor([1, 2, 3, 4], [2, 2]);
    const [m, v] = [tensor([0, 0, 0, 0], [2, 2]), tensor([0, 0, 0, 0], [2, 2])];
    adamUpdate(
      { param, m, v, gradient: tensor([1, -1], [1, 2]), rows: tensor1d([1], 'int32') },
      { learningRate: 0.5, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, step: 1, weightDecay: 0, decay: 'coupled' },
    );
    closeTo([...(await param.data())], [1, 2, 2.5, 4.5], 1e-5);
  });

  test('refuses what would write in the wrong place, and writes nothing', async () => {
    const param = tensor([1, 2, 3, 4], [2, 2]);
    const accumulator = tensor([0, 0, 0, 0], [2, 2]);
    const gradient = tensor([1, 1], [1, 2]);
    const options = { learningRate: 1, momentum: 0, epsilon: 1e-6 };
    const step = (rows: number[]) => () =>
      adagradUpdate({ param, accumulator, gradient, rows: tensor1d(rows, 'int32') }, options);
    expect(step([2])).toThrow('row 2 is not in [0, 1]');
    expect(step([-1])).toThrow('row -1 is not in [0, 1]');
    expect(step([0, 1])).toThrow('expected values float32 [2,2]');
    expect(() => adagradUpdate({ param, accumulator, gradient }, { ...options, momentum: 0.5 })).toThrow(RangeError);
    const alias = param.clone();
    expect(step([0])).toThrow('a clone or reshape of param is alive');
    alias.dispose();
    expect([...(await param.data())]).toEqual([1, 2, 3, 4]);
    step([0])();
    closeTo([...(await param.data())], [0, 1, 3, 4], 1e-5);
    expect(engine().backendName).toBe(name);
  });
});
