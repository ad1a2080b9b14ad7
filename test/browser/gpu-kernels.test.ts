import {
  addN,
  argMax,
  clone,
  engine,
  gather,
  grad,
  matMul,
  memory,
  mul,
  oneHot,
  ones,
  reshape,
  slice,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tensor,
  tensor1d,
  tidy,
  transpose,
  unsortedSegmentSum,
  zeros,
} from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { missingKernels } from '../../src/compute/backends/registry';
import { startBackend } from '../../src/compute/backends/start';
import { inferenceKernels, trainingKernels } from '../../src/compute/kernels/shared/names';
import * as webgl from '../../src/compute/kernels/webgl/inference';
import * as webglTraining from '../../src/compute/kernels/webgl/training';
import * as webgpu from '../../src/compute/kernels/webgpu/inference';
import * as webgpuTraining from '../../src/compute/kernels/webgpu/training';
import { registerTraining } from '../../src/compute/training';
import type { BackendName } from '../../src/compute/types';
import { bprMax } from '../../src/nn/bpr-max';
import { crossEntropy } from '../../src/nn/cross-entropy';
import { dropout } from '../../src/nn/dropout';
import { maskEqual } from '../../src/nn/masked';
import { type AdagradOptions, adagradUpdate, adamUpdate } from '../../src/nn/updates';
import { closeTo, floatsOf, indicesOf } from '../compute/kernels/random';

const GPUS = ['webgl', 'webgpu'] as const satisfies readonly BackendName[];

async function start(name: BackendName): Promise<void> {
  await startBackend(name);
  await registerTraining();
}

const volume = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const make = (seed: number, ...shape: number[]) => tensor(floatsOf(volume(shape), seed), shape);
const ids = (...values: number[]) => tensor1d(values, 'int32');

interface Case {
  readonly name: string;
  /** Makes what to compare; may write in place what it made. */
  readonly run: () => Tensor | readonly Tensor[];
  readonly tolerance?: number;
}

const STEP: AdagradOptions = { learningRate: 0.05, momentum: 0, epsilon: 1e-6 };

const adagrad = (momentum: number, rows: number[] | undefined, shape: number[]) => (): readonly Tensor[] => {
  const param = make(1, ...shape);
  const accumulator = mul(make(2, ...shape), make(2, ...shape));
  const velocity = make(3, ...shape);
  for (const step of [1, 2]) {
    const gradient = make(10 + step, ...(rows ? [rows.length, ...shape.slice(1)] : shape));
    adagradUpdate(
      { param, accumulator, velocity, gradient, rows: rows && ids(...rows) },
      { learningRate: 0.05, momentum, epsilon: 1e-6 },
    );
  }
  return [param, accumulator, velocity];
};

const adam = (decay: 'coupled' | 'decoupled', rows: number[] | undefined) => (): readonly Tensor[] => {
  const [param, m, v] = [make(1, 7, 5), make(2, 7, 5), mul(make(3, 7, 5), make(3, 7, 5))] as const;
  for (const step of [1, 2, 3]) {
    const gradient = make(10 + step, rows ? rows.length : 7, 5);
    adamUpdate(
      { param, m, v, gradient, rows: rows && ids(...rows) },
      { learningRate: 0.01, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, step, weightDecay: 0.1, decay },
    );
  }
  return [param, m, v];
};

const entropy =
  (rows: number, columns: number, scale: number, smoothing = 0, guard = 0) =>
  (): readonly Tensor[] => {
    const scores = mul(make(rows, rows, columns), scale) as Tensor2D;
    const positive = tensor1d(indicesOf(rows, columns, 5), 'int32');
    const weights = make(6, rows);
    const slope = grad((s) => sum(mul(crossEntropy(s as Tensor2D, positive, smoothing, guard), weights)))(scores);
    return [crossEntropy(scores, positive, smoothing, guard), slope];
  };

const CASES: readonly Case[] = [
  { name: 'dropout of a matrix', run: () => dropout(ones([37, 29]), 0.3, 7), tolerance: 1e-6 },
  {
    name: 'dropout under a large seed',
    run: () => dropout(ones([2, 3, 4, 50]), 0.5, 2 ** 52 + 12345),
    tolerance: 1e-6,
  },
  { name: 'dropout under a negative seed', run: () => dropout(make(3, 1000), 0.9, -3), tolerance: 1e-6 },
  { name: 'dropout of nothing', run: () => dropout(tensor([], [0, 3]), 0.5, 1) },
  {
    name: "dropout's gradient",
    run: () => grad((x) => sum(mul(dropout(x, 0.4, 9), make(5, 6, 7))))(make(4, 6, 7)),
  },
  { name: 'Adagrad of a whole table', run: adagrad(0, undefined, [6, 5]) },
  { name: 'Adagrad of a vector with momentum', run: adagrad(0.4, undefined, [9]) },
  { name: 'Adagrad of a filter', run: adagrad(0, undefined, [2, 3, 2, 4]) },
  { name: 'Adagrad by rows', run: adagrad(0, [4, 0, 2], [6, 5]) },
  { name: 'Adagrad by rows with momentum', run: adagrad(0.4, [5, 1], [6, 3]) },
  { name: 'Adagrad by entries of a vector', run: adagrad(0.4, [5, 1], [6]) },
  { name: 'Adagrad by no rows', run: adagrad(0.4, [], [6, 3]) },
  { name: 'Adam with coupled decay', run: adam('coupled', undefined) },
  { name: 'AdamW by rows', run: adam('decoupled', [6, 3]) },
  { name: 'cross-entropy of a few columns', run: entropy(5, 4, 1) },
  { name: 'cross-entropy of many columns, far apart', run: entropy(3, 700, 20), tolerance: 2e-5 },
  { name: 'cross-entropy of one row', run: entropy(1, 65, 1) },
  { name: 'cross-entropy with label smoothing', run: entropy(5, 70, 1, 0.2) },
  { name: 'cross-entropy with a guard', run: entropy(5, 70, 1, 0, 1e-24) },
  { name: 'cross-entropy with both', run: entropy(5, 70, 1, 0.2, 1e-24) },
  {
    name: 'BPR-max and its gradient',
    run: () => {
      const r = make(3, 6, 70) as Tensor2D;
      const positive = tensor1d(indicesOf(6, 70, 5), 'int32');
      const slope = grad((s) => sum(mul(bprMax(s as Tensor2D, positive, 0.7), make(6, 6))))(r);
      return [bprMax(r, positive, 0.7), slope];
    },
  },
  {
    name: 'equal ids masked, and the gradient',
    run: () => {
      const [x, rows, columns] = [make(3, 4, 6) as Tensor2D, ids(3, 1, 7, 3), ids(1, 2, 3, 3, 9, 1)];
      const slope = grad((s) => sum(mul(maskEqual(s as Tensor2D, rows, columns), make(4, 4, 6))))(x);
      return [maskEqual(x, rows, columns), slope];
    },
  },
  {
    name: 'cross-entropy of no rows',
    run: () => crossEntropy(tensor([], [0, 3]) as Tensor2D, ids()),
  },
  {
    name: 'a segment sum, ids that repeat or are absent',
    run: () => unsortedSegmentSum(make(1, 9, 5) as Tensor2D, ids(0, 3, 3, 0, 1, 6, 0, 5, 5), 8),
  },
  { name: 'a segment sum of nothing', run: () => unsortedSegmentSum(tensor([], [0, 5]) as Tensor2D, ids(), 3) },
  {
    name: 'the gradient of gather',
    run: () => grad((x) => sum(mul(gather(x, ids(2, 0, 2, 7)), make(2, 4, 6))))(make(1, 9, 6)),
  },
  {
    name: 'transposes of whole numbers, and what follows from them',
    run: () => {
      const best = oneHot(argMax(make(1, 2, 4, 16), 1) as Tensor1D, 4); // [2, 16, 4]
      const columns = oneHot(argMax(make(2, 5, 300), 1) as Tensor1D, 300); // [5, 300]
      return [transpose(best, [0, 2, 1]), mul(make(1, 2, 4, 16), transpose(best, [0, 2, 1])), transpose(columns)];
    },
  },
  {
    name: 'products of long sums, either side transposed or not',
    run: () =>
      [false, true].flatMap((turnA) =>
        [false, true].map((turnB) => {
          // Of sums as large as the numbers elsewhere: rounding grows with what is added up, not with what comes out.
          const a = mul(make(1, ...(turnA ? [2048, 12] : [12, 2048])), 1 / Math.sqrt(2048));
          return matMul(a, make(2, ...(turnB ? [16, 2048] : [2048, 16])), turnA, turnB);
        }),
      ),
    tolerance: 1e-4,
  },
  {
    name: 'sums of more tensors than a device binds at once',
    run: () =>
      [2, 7, 8, 9, 24, 60].map((terms) => addN(Array.from({ length: terms }, (_, i) => make(terms + i, 3, 5)))),
    tolerance: 2e-5,
  },
  {
    name: 'slices that begin inside, of every rank',
    run: () => [
      slice(make(1, 610), [1], [609]),
      slice(make(2, 1000), [990], [10]),
      slice(make(3, 9, 5), [2, 1], [4, 3]),
      slice(make(4, 3, 7, 6), [1, 2, 0], [2, 4, 6]),
      slice(make(5, 2, 3, 7, 6), [0, 1, 2, 3], [2, 2, 3, 3]),
      slice(mul(make(6, 700), 2), [5], [3]),
    ],
  },
  {
    name: 'a slice of what an update then writes',
    run: () => {
      const param = mul(make(1, 40, 8), 1);
      const before = slice(param, [3, 0], [30, 8]);
      adagradUpdate({ param, accumulator: zeros([40, 8]), gradient: make(2, 1, 8), rows: ids(4) }, STEP);
      return [param, before, slice(param, [3, 0], [30, 8])];
    },
  },
];

async function results(name: BackendName, run: Case['run']) {
  await start(name);
  const made = tidy(() => [run()].flat() as Tensor[]);
  const read = [];
  for (const value of made) read.push({ shape: value.shape, values: [...(await value.data())] });
  for (const value of made) value.dispose();
  return read;
}

test.each([
  ['webgl', webgl.kernels, webglTraining.kernels],
  ['webgpu', webgpu.kernels, webgpuTraining.kernels],
])('learning replaces no kernel of a model that answers on %s', (_, scoring, training) => {
  const names = new Set(scoring.map(({ kernelName }) => kernelName));
  expect(training.filter(({ kernelName }) => names.has(kernelName))).toEqual([]);
});

describe.each(GPUS)('%s', (name) => {
  test('has every kernel on the lists', async () => {
    await start(name);
    expect(engine().backendName).toBe(name);
    expect(missingKernels(name, [...inferenceKernels, ...trainingKernels])).toEqual([]);
  });

  test.each(CASES)('computes as plain CPU: $name', async ({ run, tolerance = 1e-5 }) => {
    const expected = await results('cpu', run);
    const got = await results(name, run);
    expect(got.map(({ shape }) => shape)).toEqual(expected.map(({ shape }) => shape));
    for (const [i, { values }] of expected.entries()) closeTo(got[i]!.values, values, tolerance);
  });

  test('an update is seen through every read, also after an earlier one', async () => {
    await start(name);
    const param = mul(tensor([1, 2, 3, 4], [2, 2]), 1);
    expect([...(await param.data())]).toEqual([1, 2, 3, 4]);
    const late = param.data();
    const gradient = tensor([-1, -1], [1, 2]);
    adagradUpdate({ param, accumulator: zeros([2, 2]), gradient, rows: ids(1) }, { ...STEP, learningRate: 5 });
    await late;
    closeTo([...(await param.data())], [1, 2, 8, 9], 1e-5);
    closeTo([...(await mul(param, 2).data())], [2, 4, 16, 18], 1e-5);
  });

  test('rows out of range write nothing, an alias is refused', async () => {
    await start(name);
    const param = mul(tensor([1, 2, 3, 4], [2, 2]), 1);
    const accumulator = mul(ones([2, 2]), 1);
    const step = (...rows: number[]) =>
      adagradUpdate({ param, accumulator, gradient: ones([rows.length, 2]), rows: ids(...rows) }, STEP);
    step(2, -1);
    expect([...(await param.data())]).toEqual([1, 2, 3, 4]);
    expect([...(await accumulator.data())]).toEqual([1, 1, 1, 1]);
    for (const alias of [clone(param), reshape(param, [4])]) {
      expect(() => step(0)).toThrow('a clone or reshape of param is alive');
      alias.dispose();
    }
  });

  test('a synchronous read is refused, and no update leaves a tensor or byte behind', async () => {
    await start(name);
    const param = mul(make(1, 30, 40), 1);
    expect(() => param.dataSync()).toThrow('await tensor.data()');
    const accumulator = zeros([30, 40]);
    const step = () =>
      tidy(() => {
        adagradUpdate({ param, accumulator, gradient: make(2, 2, 40), rows: ids(3, 5) }, STEP);
        grad((x) => sum(crossEntropy(dropout(x, 0.5, 1) as Tensor2D, tensor1d(indicesOf(30, 4, 1), 'int32'))))(param);
      });
    const settled = async () => {
      await param.data();
      const { numTensors, numBytes, numDataBuffers, numBytesInGPU } = memory() as ReturnType<typeof memory> & {
        numBytesInGPU: number;
      };
      return { numTensors, numBytes, numDataBuffers, numBytesInGPU };
    };
    step();
    const before = await settled();
    for (let i = 0; i < 20; i++) step();
    expect(await settled()).toEqual(before);
    param.dispose();
    accumulator.dispose();
  });
});
