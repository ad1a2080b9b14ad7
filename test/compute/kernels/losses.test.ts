import {
  add,
  cast,
  equal,
  expandDims,
  grad,
  grads,
  log,
  logSoftmax,
  matMul,
  memory,
  mul,
  neg,
  oneHot,
  sigmoid,
  softmax,
  square,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tensor,
  tensor1d,
  tidy,
  where,
} from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { bprMax } from '../../../src/nn/bpr-max';
import { crossEntropy, productCrossEntropy } from '../../../src/nn/cross-entropy';
import { MASKED, maskEqual } from '../../../src/nn/masked';
import { backends, start } from '../backends/start';
import { closeTo, floatsOf, indicesOf, property } from './random';

const matrix = (rows: number, columns: number, seed: number): Tensor2D =>
  tensor(floatsOf(rows * columns, seed), [rows, columns]) as Tensor2D;
const numbers = async (x: Tensor): Promise<number[]> => [...(await x.data())];

/** −log p, with the mass of label smoothing spread as the formula says, in plain ops. */
function plainCrossEntropy(scores: Tensor2D, positive: Tensor1D, smoothing: number): Tensor1D {
  const columns = scores.shape[1];
  const spread = smoothing / (columns - 1);
  const nats = neg(logSoftmax(scores));
  const own = sum(mul(oneHot(positive, columns), nats), 1);
  return add(mul(1 - columns * spread, own), mul(spread, sum(nats, 1)));
}

describe.each(backends)('cross-entropy with label smoothing on %s', (name) => {
  beforeAll(() => start(name));

  test('equals its formula in plain ops, value and gradient', () =>
    property(
      fc.record({
        rows: fc.integer({ min: 1, max: 5 }),
        columns: fc.integer({ min: 2, max: 30 }),
        smoothing: fc.constantFrom(0.05, 0.5, 1),
        seed: fc.nat(),
      }),
      async ({ rows, columns, smoothing, seed }) => {
        const scores = matrix(rows, columns, seed);
        const positive = tensor1d(indicesOf(rows, columns, seed + 1), 'int32');
        const weights = tensor1d(floatsOf(rows, seed + 2));
        const results = await Promise.all(
          [crossEntropy, plainCrossEntropy].map(async (loss) => [
            ...(await numbers(loss(scores, positive, smoothing))),
            ...(await numbers(grad((s) => sum(mul(loss(s as Tensor2D, positive, smoothing), weights)))(scores))),
          ]),
        );
        closeTo(results[0]!, results[1]!, 1e-5);
      },
    ));
});

describe.each(backends)('the cross-entropy of products on %s', (name) => {
  beforeAll(() => start(name));

  test('is the sum over rows and has its gradients, with or without a bias, however it is cut into blocks', () =>
    property(
      fc.record({
        rows: fc.integer({ min: 1, max: 9 }),
        columns: fc.integer({ min: 2, max: 12 }),
        width: fc.integer({ min: 1, max: 6 }),
        block: fc.integer({ min: 1, max: 10 }),
        hasBias: fc.boolean(),
        smoothing: fc.constantFrom(0, 0.1),
        seed: fc.nat(),
      }),
      async ({ rows, columns, width, block, hasBias, smoothing, seed }) => {
        const positive = tensor1d(indicesOf(rows, columns, seed + 1), 'int32');
        const given: Tensor[] = [matrix(rows, width, seed), matrix(columns, width, seed + 2)];
        if (hasBias) given.push(tensor1d(floatsOf(columns, seed + 3)));
        const blocked = (c: Tensor, e: Tensor, b?: Tensor) =>
          productCrossEntropy(
            c as Tensor2D,
            e as Tensor2D,
            b as Tensor1D | undefined,
            positive,
            smoothing,
            undefined,
            block,
          );
        const whole = (c: Tensor, e: Tensor, b?: Tensor) => {
          const scores = matMul(c, e, false, true) as Tensor2D;
          return sum(crossEntropy(b ? add(scores, b) : scores, positive, smoothing));
        };
        const results: number[][] = [];
        for (const loss of [blocked, whole]) {
          const f = (...x: Tensor[]) => mul(loss(...(x as [Tensor, Tensor, Tensor?])), 0.25);
          const slopes = grads(f)(given);
          const parts = await Promise.all([f(...given), ...slopes].map(numbers));
          results.push(parts.flat());
        }
        closeTo(results[0]!, results[1]!, 2e-5);
      },
      20,
    ));

  test('keeps no scores for the gradient and leaks nothing', () => {
    const [rows, columns, width] = [64, 500, 4];
    const positive = tensor1d(indicesOf(rows, columns, 5), 'int32');
    const given = [matrix(rows, width, 1), matrix(columns, width, 2)];
    const { numTensors, numBytes } = memory();
    let peak = 0;
    tidy(() => {
      grads((c, e) => {
        const loss = productCrossEntropy(c as Tensor2D, e as Tensor2D, undefined, positive, 0, undefined, 8);
        peak = memory().numBytes - numBytes; // what the gradients keep
        return loss;
      })(given);
    });
    expect(peak).toBeLessThan(rows * columns * 4);
    expect(memory().numTensors).toBe(numTensors);
  });
});

describe.each(backends)('BPR-max on %s', (name) => {
  beforeAll(() => start(name));

  function plain(r: Tensor2D, positive: Tensor1D, bpreg: number): Tensor1D {
    const mask = oneHot(positive, r.shape[1]);
    const w = softmax(where(cast(mask, 'bool'), MASKED, r) as Tensor2D);
    const target = sum(mul(r, mask), 1, true);
    const ranking = neg(log(add(sum(mul(w, sigmoid(sub(target, r))), 1), 1e-24)));
    return add(ranking, mul(bpreg, sum(mul(w, square(r)), 1)));
  }

  test('equals its formula in plain ops, value and gradient', () =>
    property(
      fc.record({
        rows: fc.integer({ min: 1, max: 5 }),
        columns: fc.integer({ min: 2, max: 40 }),
        scale: fc.constantFrom(0.3, 1, 6),
        bpreg: fc.constantFrom(0, 1.95),
        seed: fc.nat(),
      }),
      async ({ rows, columns, scale, bpreg, seed }) => {
        const r = mul(matrix(rows, columns, seed), scale) as Tensor2D;
        const positive = tensor1d(indicesOf(rows, columns, seed + 1), 'int32');
        const weights = tensor1d(floatsOf(rows, seed + 2));
        const results = await Promise.all(
          [bprMax, plain].map(async (loss) => [
            ...(await numbers(loss(r, positive, bpreg))),
            ...(await numbers(grad((x) => sum(mul(loss(x as Tensor2D, positive, bpreg), weights)))(r))),
          ]),
        );
        closeTo(results[0]!, results[1]!, 2e-4);
      },
    ));

  test('stays finite and right where the target is far above or below all others', async () => {
    const r = tensor([200, 0, 1, -200, 0, 1], [2, 3]) as Tensor2D;
    const positive = tensor1d([0, 0], 'int32');
    const e = Math.E;
    const squares = e / (1 + e); // w of score 1, times 1²
    closeTo(await numbers(bprMax(r, positive, 1)), [squares, 24 * Math.log(10) + squares], 1e-5);
    const slope = await numbers(grad((x) => sum(bprMax(x as Tensor2D, positive, 1)))(r));
    const w = [1 / (1 + e), e / (1 + e)];
    const regularisation = [w[0]! * (0 - squares), w[1]! * (1 - squares + 2)];
    closeTo(slope, [0, ...regularisation, 0, ...regularisation], 1e-5);
  });

  test('refuses columns out of range and leaks nothing', () => {
    const r = matrix(2, 3, 1);
    const [bad, good] = [tensor1d([0, 3], 'int32'), tensor1d([0, 2], 'int32')];
    const before = { ...memory() };
    expect(() => bprMax(r, bad, 0)).toThrow('column 3 is not in [0, 2]');
    tidy(() => void grad((x) => sum(bprMax(x as Tensor2D, good, 1)))(r));
    expect({ ...memory() }).toEqual(before);
  });
});

describe.each(backends)('masking equal ids on %s', (name) => {
  beforeAll(() => start(name));

  test('masks where row and column carry the same id, in value and gradient', () =>
    property(
      fc.record({
        rows: fc.integer({ min: 1, max: 6 }),
        columns: fc.integer({ min: 1, max: 8 }),
        ids: fc.integer({ min: 1, max: 6 }),
        seed: fc.nat(),
      }),
      async ({ rows, columns, ids, seed }) => {
        const scores = matrix(rows, columns, seed);
        const rowIds = tensor1d(indicesOf(rows, ids, seed + 1), 'int32');
        const columnIds = tensor1d(indicesOf(columns, ids, seed + 2), 'int32');
        const weights = matrix(rows, columns, seed + 3);
        const isHit = equal(expandDims(rowIds, 1), expandDims(columnIds, 0));
        closeTo(await numbers(maskEqual(scores, rowIds, columnIds)), await numbers(where(isHit, MASKED, scores)), 0);
        closeTo(
          await numbers(grad((x) => sum(mul(maskEqual(x as Tensor2D, rowIds, columnIds), weights)))(scores)),
          await numbers(where(isHit, 0, weights)),
          0,
        );
      },
    ));

  test('takes no rows and no columns', () => {
    const [none, ids] = [tensor1d([], 'int32'), tensor1d([1, 2], 'int32')];
    expect(maskEqual(matrix(0, 2, 1), none, ids).shape).toEqual([0, 2]);
    expect(maskEqual(matrix(2, 0, 1), ids, none).shape).toEqual([2, 0]);
  });

  test('refuses ids that do not fit', () => {
    const ids = tensor1d([1, 2], 'int32');
    expect(() => maskEqual(matrix(2, 3, 1), ids, ids)).toThrow('do not fit scores [2,3]');
  });
});
