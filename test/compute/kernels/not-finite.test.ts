/** Numbers that are not finite stay visible: what plain CPU makes NaN or infinite, no kernel on WASM turns into a number. */
import {
  add,
  concat,
  div,
  engine,
  erf,
  exp,
  fused,
  gather,
  grads,
  matMul,
  maximum,
  minimum,
  mul,
  reshape,
  sigmoid,
  split,
  square,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tanh,
  tensor,
  tensor1d,
  tidy,
  transpose,
  unsortedSegmentSum,
} from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { type AttentionParams, attention } from '../../../src/nn/attention';
import { bprMax } from '../../../src/nn/bpr-max';
import { crossEntropy } from '../../../src/nn/cross-entropy';
import { dropout } from '../../../src/nn/dropout';
import { gelu } from '../../../src/nn/gelu';
import { layerNorm } from '../../../src/nn/layer-norm';
import { adagradUpdate, adamUpdate } from '../../../src/nn/updates';
import { slice } from '../../soak-slice';
import { backends, start } from '../backends/start';
import { closeTo, floatsOf, randomTensor } from './random';
import { onPlainCpu } from './reference';

const NOT_FINITE = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
/** Two rows of every remainder by four, and by eight; every remainder by four in `npm test`. */
const WIDTHS = slice([1, 2, 3, 4, 5, 8, 11, 13], (width) => [2, 3, 8, 13].includes(width));

/** Numbers of which one is `bad`. */
const spoilt = (shape: number[], seed: number, bad: number, at: number): Tensor => {
  const values = floatsOf(
    shape.reduce((a, b) => a * b, 1),
    seed,
  );
  values[at % values.length] = bad;
  return tensor(values, shape);
};
const flat = (tensors: readonly Tensor[]): Tensor => concat(tensors.map((x) => reshape(x, [-1])));

/** Value and slope by the first input, which has the bad number. */
const withSlope = (f: (x: Tensor) => Tensor, x: Tensor): Tensor => {
  const y = f(x);
  return flat([y, ...grads((z) => sum(mul(f(z!), randomTensor(y.shape, 9))))([x])]);
};

type Work = (width: number, bad: number, at: number) => Tensor;
const rowsOf =
  (f: (x: Tensor2D) => Tensor): Work =>
  (d, bad, at) =>
    withSlope((x) => f(x as Tensor2D), spoilt([3, d], 1, bad, at));

const WORKS: Readonly<Record<string, Work>> = {
  exp: rowsOf(exp),
  tanh: rowsOf(tanh),
  sigmoid: rowsOf(sigmoid),
  erf: rowsOf(erf),
  gelu: rowsOf(gelu),
  dropout: rowsOf((x) => dropout(x, 0.4, 5)),
  add: rowsOf((x) => add(x, 1)),
  sub: rowsOf((x) => sub(1, x)),
  mul: rowsOf((x) => mul(x, randomTensor(x.shape, 2))),
  div: rowsOf((x) => div(x, 3)),
  maximum: (d, bad, at) => maximum(spoilt([3, d], 1, bad, at), 0),
  minimum: (d, bad, at) => minimum(spoilt([3, d], 1, bad, at), 0),
  'sum over rows': rowsOf((x) => sum(x, 0)),
  concat: rowsOf((x) => concat([x, randomTensor(x.shape, 2)], 1)),
  split: (d, bad, at) => flat(split(spoilt([3, d], 1, bad, at), [1, 2])),
  transpose: rowsOf((x) => transpose(x)),
  gather: rowsOf((x) => gather(x, tensor1d([2, 0, 1, 1], 'int32'))),
  product: rowsOf((x) => matMul(x, randomTensor([x.shape[1]!, 9], 2))),
  'transposed product': rowsOf((x) => matMul(x, randomTensor([9, 3], 2), true, true)),
  'product with bias': (d, bad, at) =>
    fused.matMul({
      a: spoilt([5, d], 1, bad, at) as Tensor2D,
      b: randomTensor([d, 9], 2) as Tensor2D,
      bias: randomTensor([9], 3),
      activation: 'relu',
    }),
  'layer norm': rowsOf((x) =>
    layerNorm(x, randomTensor([x.shape[1]!], 2) as Tensor1D, randomTensor([x.shape[1]!], 3) as Tensor1D, 0.01),
  ),
  'cross-entropy': rowsOf((x) => crossEntropy(x, tensor1d([0, 0, 0], 'int32'))),
  'BPR-max': rowsOf((x) =>
    bprMax(concat([x, randomTensor([3, 1], 4)], 1) as Tensor2D, tensor1d([0, 0, 1], 'int32'), 1),
  ),
  attention: (d, bad, at) =>
    withSlope(
      (x) => {
        const layer = (seed: number) => ({ w: randomTensor([4, 4], seed), b: randomTensor([4], seed + 9) });
        const params = { query: layer(2), key: layer(3), value: layer(4), output: layer(5) };
        return attention(params as unknown as AttentionParams, x as Tensor2D, x as Tensor2D, { batch: 1, heads: 2 });
      },
      spoilt([d, 4], 1, bad, at),
    ),
  adagrad: (d, bad, at) => {
    const [param, accumulator, velocity] = [
      randomTensor([3, d], 1),
      square(randomTensor([3, d], 2)),
      randomTensor([3, d], 3),
    ];
    const gradient = spoilt([3, d], 4, bad, at);
    adagradUpdate({ param, accumulator, velocity, gradient }, { learningRate: 0.1, momentum: 0.5, epsilon: 1e-6 });
    return flat([param, accumulator, velocity]);
  },
  adam: (d, bad, at) => {
    const [param, m, v] = [randomTensor([3, d], 1), randomTensor([3, d], 2), square(randomTensor([3, d], 3))];
    const options = { learningRate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, step: 3, weightDecay: 0.1 };
    adamUpdate({ param, m, v, gradient: spoilt([3, d], 4, bad, at) }, { ...options, decay: 'coupled' });
    return flat([param, m, v]);
  },
};

const kind = (x: number): string => (Number.isFinite(x) ? 'finite' : String(x));

describe.each(NOT_FINITE)('%d', (bad) => {
  test.each(Object.entries(WORKS))('stays what it is on plain CPU: %s', async (_, work) => {
    for (const width of WIDTHS) {
      for (const at of slice([0, width - 1, 2 * width + 1], (place) => place > 0)) {
        const expected = (await onPlainCpu(() => work(width, bad, at))).values;
        await start('wasm');
        const result = tidy(() => work(width, bad, at));
        const actual = [...(await result.data())];
        result.dispose();
        expect({ width, at, kinds: actual.map(kind) }).toEqual({ width, at, kinds: expected.map(kind) });
        closeTo(
          actual.map((x) => (Number.isFinite(x) ? x : 0)),
          expected.map((x) => (Number.isFinite(x) ? x : 0)),
          2e-4,
        );
      }
    }
  });
});

describe('the loss and slope of one pass', () => {
  beforeAll(() => start('wasm'));

  test.each(NOT_FINITE)("of a row with %d are NaN where plain CPU's are, and leave other rows alone", async (bad) => {
    for (const columns of WIDTHS) {
      const values = floatsOf(2 * columns, columns);
      values[columns - 1] = bad;
      const run = (kernel: string, attrs: object, more: object = {}) => {
        const inputs = { scores: tensor(values.slice(), [2, columns]), positive: tensor1d([0, 0], 'int32'), ...more };
        return engine().runKernel(kernel, inputs, attrs as never) as unknown as Tensor[];
      };
      await start('cpu');
      const expected = [
        ...(await (run('AisleCrossEntropy', { smoothing: 0 }) as unknown as Tensor).data()),
        ...(await (
          run('AisleCrossEntropyGrad', { smoothing: 0 }, { dy: tensor1d([1, 1]) }) as unknown as Tensor
        ).data()),
      ];
      await start('wasm');
      const made = run('AisleCrossEntropyWithSlope', { smoothing: 0 });
      const actual = [...(await made[0]!.data()), ...(await made[1]!.data())];
      expect(actual.map(kind)).toEqual(expected.map(kind));
    }
  });

  test('of scores that are all -Infinity are NaN', async () => {
    const scores = tensor([-Infinity, -Infinity, -Infinity], [1, 3]);
    const inputs = { scores, positive: tensor1d([0], 'int32') };
    const made = engine().runKernel('AisleCrossEntropyWithSlope', inputs, { smoothing: 0 }) as unknown as Tensor[];
    expect([...(await made[0]!.data()), ...(await made[1]!.data())]).toEqual([NaN, NaN, NaN, NaN]);
  });
});

test.each(NOT_FINITE)('%d stays in the segment that it is summed into', async (bad) => {
  // TensorFlow.js' plain CPU kernel multiplies by a mask, and so spoils every segment.
  for (const name of backends) {
    await start(name);
    const x = tensor([1, 2, bad, 3], [2, 2]) as Tensor2D;
    expect([...(await unsortedSegmentSum(x, tensor1d([1, 0], 'int32'), 2).data())]).toEqual([bad, 3, 1, 2]);
  }
});
