import { gather, grad, mul, sub, sum, type Tensor, tensor1d, tensor2d, tidy } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { OptimiserSpec } from '../../src/models/training';
import { inputItems, outputItems } from '../../src/objectives/batch';
import { clip, learningRateAt, Optimiser } from '../../src/train/optimiser';
import { RowFinder } from '../../src/train/row-finder';
import { backends, expectNoTensorsLeft, start } from '../compute/backends/start';
import { bitsOf } from './helpers';

const adagrad = (momentum: number): OptimiserSpec => ({
  kind: 'adagrad',
  learningRate: 0.1,
  momentum,
  epsilon: 1e-6,
  touchedRows: true,
});

describe.each(backends)('%s', (backend) => {
  beforeAll(() => start(backend));

  expectNoTensorsLeft();

  /** Values of parameter and slots after each gradient. */
  function walk(
    momentum: number,
    gradients: readonly number[],
  ): { p: number; accumulator: number; velocity?: number }[] {
    const param = tensor1d([1]);
    const optimiser = new Optimiser(adagrad(momentum), { w: param });
    const { accumulator, velocity } = {
      accumulator: optimiser.slots['w.accumulator']!,
      velocity: optimiser.slots['w.velocity'],
    };
    const seen = gradients.map((g, i) => {
      const gradient = tensor1d([g]);
      optimiser.update('w', param, gradient, undefined, 0.1, i + 1);
      gradient.dispose();
      const read = (t: Tensor) => t.dataSync()[0]!;
      return { p: read(param), accumulator: read(accumulator), ...(velocity && { velocity: read(velocity) }) };
    });
    optimiser.dispose();
    param.dispose();
    return seen;
  }

  test('Adagrad with momentum makes the worked steps', () => {
    const steps = walk(0.5, [2, -1, 0.5]);
    const near = (values: (number | undefined)[], expected: number[]) =>
      expected.forEach((x, i) => {
        expect(values[i]).toBeCloseTo(x, 5);
      });
    near(
      steps.map(({ accumulator }) => accumulator),
      [4, 5, 5.25],
    );
    near(
      steps.map(({ velocity }) => velocity),
      [-0.1, -0.005279, -0.024461],
    );
    near(
      steps.map(({ p }) => p),
      [0.9, 0.894721, 0.87026],
    );
  });

  test('Adagrad starts its accumulator at 0 and keeps no velocity without momentum', () => {
    const [step] = walk(0, [1]);
    expect(step!.p).toBeCloseTo(0.9, 6); // 0.904654 had it started at 0.1
    expect(step).not.toHaveProperty('velocity');
  });

  test('rows that a step does not touch stay bit for bit, also while their velocity is not zero', () => {
    const param = tensor2d([
      [1, -2],
      [0.1, 0.2],
      [3, 4],
    ]);
    const optimiser = new Optimiser(adagrad(0.9), { table: param });
    const update = (rows: number[], values: number[][], step: number) => {
      const [gradient, index] = [tensor2d(values), tensor1d(rows, 'int32')];
      optimiser.update('table', param, gradient, index, 0.1, step);
      gradient.dispose();
      index.dispose();
    };
    const bits = () => {
      const all: Record<string, Tensor> = { table: param, ...optimiser.slots };
      const arrays = Object.entries(all).map(([name, value]) => {
        return [name, { data: value.dataSync() as Float32Array, shape: value.shape }] as const;
      });
      return bitsOf(Object.fromEntries(arrays));
    };
    update(
      [0, 1, 2],
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      1,
    );
    const before = bits();
    update([2], [[-1, 0.5]], 2);
    const after = bits();
    for (const [name, values] of Object.entries(after)) {
      expect(values.slice(0, 4), name).toEqual(before[name]!.slice(0, 4));
      expect(values.slice(4), name).not.toEqual(before[name]!.slice(4));
    }
    expect(before['table.velocity']!.slice(0, 4).every((x) => x !== 0)).toBe(true);
    optimiser.dispose();
    param.dispose();
  });

  test('gradients of an item that is input and target are summed before the one update of its row', () => {
    const param = tensor2d([[1], [1], [1]]);
    const optimiser = new Optimiser(adagrad(0), { table: param });
    const found = new RowFinder(3, true).touch({
      read: inputItems(Int32Array.of(2)),
      scored: outputItems(Int32Array.of(2)),
    });
    tidy(() => {
      const rows = tensor1d(found.rows.both, 'int32');
      const total = (table: Tensor, ids: ArrayLike<number>) => sum(gather(table, tensor1d(Array.from(ids), 'int32')));
      const { read, scored } = found.batch;
      const slope = grad((table) => sub(mul(2, total(table, read.data)), total(table, scored.data)));
      optimiser.update('table', param, slope(gather(param, rows)), rows, 0.1, 1);
    });
    // Applied one after the other the result were about 0.9447.
    [1, 1, 0.9].forEach((w, row) => {
      expect(param.dataSync()[row]).toBeCloseTo(w, 6);
    });
    optimiser.dispose();
    param.dispose();
  });

  test('goes on from saved slots without writing to the arrays that it was given', () => {
    const param = tensor1d([1]);
    const saved = {
      'w.accumulator': { data: Float32Array.of(4), shape: [1] },
      'w.velocity': { data: Float32Array.of(-0.1), shape: [1] },
    };
    const optimiser = new Optimiser(adagrad(0.5), { w: param }, saved);
    const gradient = tensor1d([-1]);
    optimiser.update('w', param, gradient, undefined, 0.1, 2);
    expect(param.dataSync()[0]).toBeCloseTo(1 - 0.005279, 5);
    expect(saved['w.accumulator'].data[0]).toBe(4);
    for (const value of [gradient, param]) value.dispose();
    optimiser.dispose();
  });
});

describe('schedules', () => {
  const at = (step: number, epoch = 0) => ({ step, totalSteps: 10, epoch });

  test('constant: the same rate throughout', () => {
    expect([0, 5, 9].map((step) => learningRateAt({ kind: 'constant' }, 0.05, at(step, step)))).toEqual([
      0.05, 0.05, 0.05,
    ]);
  });

  test('linear: from the full rate at the first step towards 0 after the last, never below', () => {
    const rates = [0, 5, 9, 10, 12].map((step) => learningRateAt({ kind: 'linear' }, 1, at(step)));
    [1, 0.5, 0.1, 0, 0].forEach((rate, i) => {
      expect(rates[i]).toBeCloseTo(rate, 12);
    });
  });

  test('step: times the factor every so many epochs', () => {
    const rates = [0, 2, 3, 5, 6].map((epoch) =>
      learningRateAt({ kind: 'step', every: 3, factor: 0.1 }, 1, at(0, epoch)),
    );
    [1, 1, 0.1, 0.1, 0.01].forEach((rate, i) => {
      expect(rates[i]).toBeCloseTo(rate, 12);
    });
  });
});

test('gradients whose norm, taken over all of them, is too large are scaled down together; others stay', () => {
  const clipped = (most: number) =>
    tidy(() => {
      const { a, b } = clip({ a: tensor1d([3, 0]), b: tensor1d([4]) }, most);
      return [...a!.dataSync(), ...b!.dataSync()];
    });
  expect(clipped(10)).toEqual([3, 0, 4]);
  clipped(1).forEach((value, i) => {
    expect(value).toBeCloseTo([0.6, 0, 0.8][i]!, 5);
  });
});
