import {
  concat,
  fused,
  grads,
  matMul,
  memory,
  mul,
  reshape,
  slice,
  square,
  sum,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  tensor,
  tensor1d,
  tidy,
} from '@tensorflow/tfjs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { stopBackend } from '../../../src/compute/running';
import { adagradUpdate } from '../../../src/nn/updates';
import { backends, start } from '../backends/start';
import { closeTo, floatsOf, property, randomTensor } from './random';
import { agrees, useOnWasm } from './reference';

const size = fc.integer({ min: 0, max: 40 });

/** Shapes of a product: batches that broadcast, either side transposed, empty sides included. */
const products = fc.record({
  m: size,
  k: size,
  n: size,
  transposeA: fc.boolean(),
  transposeB: fc.boolean(),
  batches: fc.constantFrom<[number[], number[]]>(
    [[], []],
    [[3], [3]],
    [
      [2, 3],
      [2, 3],
    ],
    [[3], [1]],
    [[1], [3]],
    [[2, 3], [3]],
    [[0], [0]],
    [[4], []],
    [[], [2]],
  ),
  seed: fc.nat(),
});

describe.each([
  ['with SIMD', () => {}],
  ['without SIMD', useOnWasm],
])('matMul %s', (_, use) => {
  beforeAll(async () => {
    await start('wasm');
    use();
  });
  afterAll(() => stopBackend('wasm'));

  test('agrees with plain CPU over random shapes, transposed, batched, broadcast and empty', () =>
    property(
      products,
      ({ m, k, n, transposeA, transposeB, batches: [left, right], seed }) =>
        agrees(() => {
          const a = randomTensor([...left, ...(transposeA ? [k, m] : [m, k])], seed);
          const b = randomTensor([...right, ...(transposeB ? [n, k] : [k, n])], seed + 1);
          return matMul(a, b, transposeA, transposeB);
        }, 1e-4),
      60,
    ));

  test('agrees at sizes of one row, of one column, and of many', async () => {
    for (const [m, k, n] of [
      [64, 100, 300],
      [300, 20, 16],
      [1, 64, 700],
      [700, 64, 1],
    ] as const) {
      for (const [transposeA, transposeB] of [
        [false, true],
        [true, false],
        [true, true],
      ] as const) {
        await agrees(
          () =>
            matMul(
              randomTensor(transposeA ? [k, m] : [m, k], 1),
              randomTensor(transposeB ? [n, k] : [k, n], 2),
              transposeA,
              transposeB,
            ),
          1e-4,
        );
      }
    }
  });

  test('has the gradients of plain CPU', () =>
    property(
      products.filter(({ m, k, n, batches: [a, b] }) => m * k * n > 0 && `${a}` === `${b}` && a[0] !== 0),
      (shape) => {
        const {
          m,
          k,
          n,
          transposeA,
          transposeB,
          batches: [batch],
          seed,
        } = shape;
        return agrees(() => {
          const a = randomTensor([...batch, ...(transposeA ? [k, m] : [m, k])], seed);
          const b = randomTensor([...batch, ...(transposeB ? [n, k] : [k, n])], seed + 1);
          const [da, db] = grads((x: Tensor, y: Tensor) => sum(square(matMul(x, y, transposeA, transposeB))))([a, b]);
          return mul(concat([reshape(da!, [-1]), reshape(db!, [-1])]), 0.01);
        }, 1e-3);
      },
      15,
    ));
});

test('matMul on WASM broadcasts batches in both directions', async () => {
  // TensorFlow.js' plain CPU kernel does not, so each entry is compared with a product of its own.
  await start('wasm');
  const [a, b] = [randomTensor([2, 1, 4, 5], 1), randomTensor([1, 3, 5, 6], 2)];
  const all = matMul(a, b);
  expect(all.shape).toEqual([2, 3, 4, 6]);
  const values = [...(await all.data())];
  for (let i = 0; i < 2; i++) {
    for (let j = 0; j < 3; j++) {
      const one = matMul(
        reshape(slice(a, [i, 0, 0, 0], [1, 1, 4, 5]), [4, 5]),
        reshape(slice(b, [0, j, 0, 0], [1, 1, 5, 6]), [5, 6]),
      );
      closeTo(values.slice((i * 3 + j) * 24, (i * 3 + j + 1) * 24), [...(await one.data())], 1e-5);
    }
  }
});

describe('fused matMul', () => {
  test('agrees with plain CPU', () =>
    property(
      fc.record({
        m: size,
        k: size,
        n: size,
        seed: fc.nat(),
        bias: fc.boolean(),
        activation: fc.constantFrom('linear' as const, 'relu' as const),
      }),
      ({ m, k, n, seed, bias, activation }) =>
        agrees(
          () =>
            fused.matMul({
              a: randomTensor([m, k], seed) as Tensor3D,
              b: randomTensor([k, n], seed + 1) as Tensor3D,
              ...(bias ? { bias: randomTensor([n], seed + 2) } : {}),
              activation,
            }),
          1e-4,
        ),
    ));

  test.each([
    ['with SIMD', () => {}],
    ['without SIMD', useOnWasm],
  ])('refuses an activation that no model has on WASM, %s', async (_, use) => {
    await start('wasm');
    onTestFinished(() => stopBackend('wasm'));
    use();
    const [a, b] = [randomTensor([2, 3], 1), randomTensor([3, 2], 2)] as Tensor2D[];
    expect(() => fused.matMul({ a: a!, b: b!, activation: 'elu' })).toThrow('the activation "elu" is not supported');
  });
});

describe.each(backends)('a matrix on %s that is written to', (name) => {
  beforeAll(() => start(name));

  test('is seen with its new numbers by the next product', async () => {
    const x = tensor([1, 1], [1, 2]);
    const weights = tensor([1, 2, 3, 4], [2, 2]);
    const bias = tensor([10, 20], [2]);
    const outputs = async () => [
      ...(await matMul(x, weights).data()),
      ...(await fused.matMul({ a: x as never, b: weights as never, bias }).data()),
    ];
    closeTo(await outputs(), [4, 6, 14, 26], 1e-6);
    adagradUpdate(
      {
        param: weights,
        accumulator: tensor([0, 0, 0, 0], [2, 2]),
        gradient: tensor([-1, -1], [1, 2]),
        rows: tensor1d([0], 'int32'),
      },
      { learningRate: 4, momentum: 0, epsilon: 0 },
    );
    closeTo(await outputs(), [8, 10, 18, 30], 1e-6);
    const accumulator = tensor([0, 0, 0, 0], [2, 2]);
    adagradUpdate(
      { param: weights, accumulator, gradient: tensor([1, 1, 1, 1], [2, 2]) },
      { learningRate: 1, momentum: 0, epsilon: 0 },
    );
    closeTo(await outputs(), [6, 8, 16, 28], 1e-6);
    adagradUpdate(
      { param: bias, accumulator: tensor([0, 0], [2]), gradient: tensor([1], [1]), rows: tensor1d([1], 'int32') },
      { learningRate: 20, momentum: 0, epsilon: 0 },
    );
    closeTo(await outputs(), [6, 8, 16, 8], 1e-6);
  });

  test('serves products under several shapes', async () => {
    const values = floatsOf(24, 5);
    const wide = tensor(values.slice(), [2, 12]);
    const tall = reshape(wide, [12, 2]);
    const square = reshape(wide, [4, 6]);
    for (let round = 0; round < 2; round++) {
      for (const right of [wide, tall, square]) {
        const [k, n] = right.shape as [number, number];
        const left = floatsOf(3 * k, 6);
        const expected = Array.from({ length: 3 * n }, (_, at) => {
          let total = 0;
          for (let j = 0; j < k; j++) total += left[Math.floor(at / n) * k + j]! * values[j * n + (at % n)]!;
          return total;
        });
        closeTo([...(await matMul(tensor(left.slice(), [3, k]), right).data())], expected, 1e-4);
      }
    }
  });

  test('leaves no tensor, byte or scratch behind', () => {
    const [a, b] = [randomTensor([3, 20, 30], 1), randomTensor([3, 40, 30], 2)];
    const before = { ...memory() };
    for (let i = 0; i < 50; i++) tidy(() => void matMul(a, b, false, true));
    expect(memory().numTensors).toBe(before.numTensors);
    expect(memory().numBytes).toBe(before.numBytes);
    expect(memory().numDataBuffers).toBe(before.numDataBuffers);
  });

  test('refuses sizes that do not fit', () => {
    expect(() => matMul(randomTensor([2, 3], 1), randomTensor([2, 3], 2))).toThrow(/inner/i);
  });
});
