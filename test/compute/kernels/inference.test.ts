import {
  broadcastTo,
  clone,
  gather,
  memory,
  reshape,
  slice,
  split,
  sum,
  tensor,
  tensor1d,
  tidy,
  tile,
} from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { backends, start } from '../backends/start';
import { indicesOf, property, randomTensor } from './random';
import { agrees } from './reference';

const volume = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const shapes = (rank: { min: number; max: number }) =>
  fc.array(fc.integer({ min: 0, max: 7 }), { minLength: rank.min, maxLength: rank.max });

describe('gather', () => {
  test('agrees with plain CPU along every axis, indices of any shape, empty ones too', () =>
    property(
      fc.record({
        shape: shapes({ min: 1, max: 4 }),
        axis: fc.nat(3),
        count: shapes({ min: 1, max: 2 }),
        seed: fc.nat(),
      }),
      ({ shape, axis, count, seed }) => {
        const along = axis % shape.length;
        const size = Math.max(1, shape[along]!);
        const full = shape.map((s, i) => (i === along ? size : s));
        return agrees(() =>
          gather(randomTensor(full, seed), tensor(indicesOf(volume(count), size, seed + 1), count, 'int32'), along),
        );
      },
    ));

  test('copies long rows', () => agrees(() => gather(randomTensor([9, 200], 1), tensor1d([8, 0, 8, 3], 'int32'))));

  test('gathers per batch', () =>
    agrees(() => gather(randomTensor([3, 5, 4], 1), tensor([0, 4, 2, 2, 1, 3], [3, 2], 'int32'), 1, 1)));

  test('keeps integers', () => agrees(() => gather(tensor1d([5, 6, 7], 'int32'), tensor1d([2, 0], 'int32'))));

  test.each(backends)('refuses an index out of range on %s and leaks nothing', async (name) => {
    await start(name);
    const table = randomTensor([3, 2], 1);
    const indices = tensor1d([3], 'int32');
    const before = memory().numTensors;
    expect(() => gather(table, indices)).toThrow('the index 3 is not in [0, 2]');
    expect(memory().numTensors).toBe(before);
  });
});

describe('slice', () => {
  test('agrees with plain CPU over random blocks, empty ones too', () =>
    property(
      fc.record({
        shape: shapes({ min: 1, max: 5 }),
        cut: fc.array(fc.tuple(fc.nat(6), fc.nat(6)), { minLength: 5, maxLength: 5 }),
        seed: fc.nat(),
      }),
      ({ shape, cut, seed }) => {
        const begin = shape.map((size, i) => Math.min(size, cut[i]![0]));
        const size = shape.map((full, i) => Math.min(full - begin[i]!, cut[i]![1]));
        return agrees(() => slice(randomTensor(shape, seed), begin, size));
      },
      80,
    ));

  test('takes a scalar and a whole tensor', async () => {
    await agrees(() => slice(tensor([1, 2, 3]), [1], [1]));
    await agrees(() => slice(randomTensor([4, 60], 2), [1, 0], [2, 60]));
  });
});

describe('split', () => {
  test('agrees with plain CPU over random axes and sizes, and leaves out nothing', () =>
    property(
      fc.record({
        shape: shapes({ min: 1, max: 5 }),
        axis: fc.nat(4),
        sizes: fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 4 }),
        seed: fc.nat(),
      }),
      async ({ shape, axis, sizes, seed }) => {
        const along = axis % shape.length;
        const whole = shape.with(
          along,
          sizes.reduce((a, b) => a + b),
        );
        for (let piece = 0; piece < sizes.length; piece++) {
          await agrees(() => split(randomTensor(whole, seed), sizes, along)[piece]!);
        }
      },
      30,
    ));

  test('cuts into equal parts', () => agrees(() => split(randomTensor([4, 6], 1), 3, 1)[2]!));
});

describe('tile', () => {
  test('agrees with plain CPU over random repeats, none and empty included', () =>
    property(
      fc.record({
        shape: shapes({ min: 1, max: 4 }),
        reps: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 4, maxLength: 4 }),
        seed: fc.nat(),
      }),
      ({ shape, reps, seed }) => agrees(() => tile(randomTensor(shape, seed), reps.slice(0, shape.length))),
      80,
    ));

  test('broadcasts', async () => {
    await agrees(() => broadcastTo(randomTensor([4, 1, 3], 1), [2, 4, 5, 3]));
    await agrees(() => broadcastTo(tensor(2), [3, 4]));
  });
});

describe('sum', () => {
  test('agrees with plain CPU over random axes', () =>
    property(
      fc.record({
        shape: shapes({ min: 1, max: 4 }),
        axes: fc.uniqueArray(fc.nat(3), { minLength: 1, maxLength: 4 }),
        keep: fc.boolean(),
        seed: fc.nat(),
      }),
      ({ shape, axes, keep, seed }) => {
        const within = [...new Set(axes.map((axis) => axis % shape.length))];
        return agrees(() => sum(randomTensor(shape, seed), within, keep), 1e-4);
      },
      80,
    ));
});

describe.each(backends)('on %s', (name) => {
  beforeAll(() => start(name));

  test('a clone shares its numbers and outlives the original', async () => {
    const original = randomTensor([2, 3], 1);
    const expected = [...(await original.data())];
    const [copy, other] = [clone(original), reshape(original, [3, 2])];
    original.dispose();
    expect([...(await copy.data())]).toEqual(expected);
    copy.dispose();
    expect([...(await other.data())]).toEqual(expected);
  });

  test('no kernel leaves a tensor or byte behind', () => {
    const x = randomTensor([6, 5], 1);
    const indices = tensor1d([5, 0], 'int32');
    const before = { ...memory() };
    for (let i = 0; i < 20; i++) {
      tidy(() => {
        gather(x, indices);
        slice(x, [1, 1], [2, 3]);
        tile(x, [2, 2]);
        sum(x, 0);
        clone(x);
      });
    }
    const { numTensors, numBytes, numDataBuffers } = memory();
    expect({ numTensors, numBytes, numDataBuffers }).toEqual({
      numTensors: before.numTensors,
      numBytes: before.numBytes,
      numDataBuffers: before.numDataBuffers,
    });
  });
});
