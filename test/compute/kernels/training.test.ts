import {
  engine,
  gather,
  grad,
  logSoftmax,
  mean,
  memory,
  mul,
  neg,
  oneHot,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tensor,
  tensor1d,
  tidy,
  unsortedSegmentSum,
} from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { crossEntropy } from '../../../src/nn/cross-entropy';
import { backends, start } from '../backends/start';
import { closeTo, floatsOf, indicesOf, property, randomTensor } from './random';
import { agrees } from './reference';

const volume = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

describe('unsortedSegmentSum', () => {
  test('agrees with plain CPU, ids that repeat, are absent or out of range, and empty rows', () =>
    property(
      fc.record({
        rows: fc.nat(12),
        rest: fc.array(fc.nat(5), { maxLength: 2 }),
        segments: fc.integer({ min: 1, max: 6 }),
        seed: fc.nat(),
      }),
      ({ rows, rest, segments, seed }) =>
        agrees(() => {
          const ids = indicesOf(rows, segments + 2, seed + 1).map((id) => id - 1);
          return unsortedSegmentSum(randomTensor([rows, ...rest], seed) as Tensor2D, tensor1d(ids, 'int32'), segments);
        }),
    ));
});

describe('the gradient of gather', () => {
  test('agrees with plain CPU', () =>
    property(
      fc.record({ size: fc.integer({ min: 1, max: 8 }), width: fc.nat(6), count: fc.nat(12), seed: fc.nat() }),
      (c) =>
        agrees(() => {
          const indices = tensor1d(indicesOf(c.count, c.size, c.seed), 'int32');
          return grad((x) => sum(mul(gather(x, indices), randomTensor([c.count, c.width], c.seed + 1))))(
            randomTensor([c.size, c.width], 3),
          );
        }),
    ));
});

describe('the gradients of sum and mean', () => {
  test('repeat the slope along the reduced axes', () =>
    property(
      fc.record({
        shape: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3 }),
        axis: fc.nat(2),
        keep: fc.boolean(),
        seed: fc.nat(),
      }),
      async ({ shape, axis, keep, seed }) => {
        const along = axis % shape.length;
        const rest = shape.map((size, i) => (i === along ? 1 : size));
        const weights = floatsOf(volume(rest), seed);
        for (const name of backends) {
          await start(name);
          for (const [reduce, share] of [
            [sum, 1],
            [mean, shape[along]!],
          ] as const) {
            const scaled = keep ? rest : rest.filter((_, i) => i !== along);
            const slope = grad((x) => sum(mul(reduce(x, along, keep), tensor(weights.slice(), scaled))))(
              randomTensor(shape, seed),
            );
            const inner = volume(shape.slice(along + 1));
            const expected = Array.from({ length: volume(shape) }, (_, at) => {
              const outer = Math.floor(at / (inner * shape[along]!));
              return weights[outer * inner + (at % inner)]! / share;
            });
            closeTo([...(await slope.data())], expected, 1e-6);
          }
        }
      },
      20,
    ));
});

describe.each(backends)('softmax cross-entropy on %s', (name) => {
  beforeAll(() => start(name));

  const plain = (scores: Tensor, positive: Tensor) =>
    neg(sum(mul(oneHot(positive, scores.shape[1]!), logSoftmax(scores as Tensor2D)), 1));

  test('equals the log-softmax in plain ops, value and gradient', () =>
    property(
      fc.record({
        rows: fc.integer({ min: 1, max: 6 }),
        columns: fc.integer({ min: 2, max: 40 }),
        scale: fc.constantFrom(1, 20),
        seed: fc.nat(),
      }),
      async (c) => {
        const scores = mul(randomTensor([c.rows, c.columns], c.seed), c.scale) as Tensor2D;
        const positive = tensor1d(indicesOf(c.rows, c.columns, c.seed + 1), 'int32');
        const weights = randomTensor([c.rows], c.seed + 2);
        closeTo([...(await crossEntropy(scores, positive).data())], [...(await plain(scores, positive).data())], 1e-5);
        const slope = (loss: (s: Tensor2D, p: Tensor1D) => Tensor) =>
          grad((s) => sum(mul(loss(s as Tensor2D, positive), weights)))(scores);
        closeTo([...(await slope(crossEntropy).data())], [...(await slope(plain).data())], 1e-5);
      },
    ));

  test('is exact for scores that are masked or far apart', async () => {
    const scores = tensor([0, -1e9, 0, 100, -100, 0], [2, 3]) as Tensor2D;
    closeTo([...(await crossEntropy(scores, tensor1d([0, 1], 'int32')).data())], [Math.log(2), 200], 1e-5);
  });

  test('follows the worked example', async () => {
    const scores = tensor([2, -0.5, 0.3, -1.2, 0.1, 1, -0.4, 0.7], [2, 4]) as Tensor2D;
    const rows = await crossEntropy(scores, tensor1d([0, 1], 'int32')).data();
    closeTo([...rows], [0.26661, 0.872959], 1e-5);
  });

  test('takes no rows, refuses columns out of range, leaks nothing', () => {
    const scores = tensor([1, 2], [1, 2]) as Tensor2D;
    const [bad, good] = [tensor1d([2], 'int32'), tensor1d([1], 'int32')];
    const none = [tensor([], [0, 2]) as Tensor2D, tensor1d([], 'int32')] as const;
    const before = { ...memory() };
    expect(() => crossEntropy(scores, bad)).toThrow('column 2 is not in [0, 1]');
    tidy(() => {
      expect(crossEntropy(...none).shape).toEqual([0]);
      grad((s) => sum(crossEntropy(s as Tensor2D, good)))(scores);
    });
    expect(memory().numTensors).toBe(before.numTensors);
    expect(memory().numBytes).toBe(before.numBytes);
    expect(memory().numDataBuffers).toBe(before.numDataBuffers);
    expect(engine().backendName).toBe(name);
  });
});
