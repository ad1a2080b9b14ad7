import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Precision, packTensors } from '../../src/checkpoint/pack-tensors';
import { unpackTensors } from '../../src/checkpoint/precision';
import { pieceCount } from '../../src/checkpoint/product-quantisation';
import { readSafetensors, type StoredTensor, toNdArray } from '../../src/checkpoint/safetensors';
import { writeSafetensors } from '../../src/checkpoint/write-safetensors';
import { random } from '../../src/session/random';
import type { NdArray } from '../../src/types';
import { PATIENT, runs } from '../soak-slice';

/** A table of items, with their support. */
const itemTable = (w: NdArray, support = new Int32Array(w.shape[0]!)) => ({
  w,
  'catalogue.support': { data: support, shape: [support.length] },
});
const through = async (tensor: NdArray, precision: Precision) => {
  const bytes = writeSafetensors(await packTensors(itemTable(tensor), precision));
  return (await unpackTensors(readSafetensors(bytes, 'w.st').tensors, 'w.st'))['w']!;
};
const matrix = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 8, max: 12 }))
  .chain(([rows, columns]) =>
    fc
      .float32Array({ minLength: rows * columns, maxLength: rows * columns, noNaN: true, min: -1000, max: 1000 })
      .map((data): NdArray => ({ data, shape: [rows, columns] })),
  );

describe('int8', () => {
  test('keeps every weight within half a step of its row', PATIENT, async () => {
    await fc.assert(
      fc.asyncProperty(matrix, async (tensor) => {
        const { data, shape } = await through(tensor, 'int8');
        expect(shape).toEqual(tensor.shape);
        const width = shape[1]!;
        for (let row = 0; row < shape[0]!; row++) {
          const before = tensor.data.slice(row * width, (row + 1) * width);
          const largest = Math.max(...before.map(Math.abs));
          const limit = (largest / 254) * (1 + 1e-5) + 1e-42; // a row of tiny values has a step of 2⁻¹⁴⁹ at least
          before.forEach((x, i) => {
            expect(Math.abs(x - data[row * width + i]!)).toBeLessThanOrEqual(limit);
          });
        }
      }),
      { seed: 1, numRuns: runs(500) },
    );
  });

  test('keeps rows of zeros exactly: the padding row stays zero', async () => {
    const data = Float32Array.from({ length: 16 }, (_, i) => (i < 8 ? 0 : i));
    expect([...(await through({ data, shape: [2, 8] }, 'int8')).data.slice(0, 8)]).toEqual(new Array(8).fill(0));
  });

  test('stores vectors as halves, integers as they are, and large vectors as floats', async () => {
    const packed = await packTensors(
      {
        table: { data: new Float32Array(80), shape: [10, 8] },
        narrow: { data: new Float32Array(20), shape: [10, 2] },
        vector: { data: new Float32Array(10), shape: [10] },
        large: { data: new Float32Array([65505]), shape: [1] },
        counts: { data: new Int32Array(80), shape: [10, 8] },
        empty: { data: new Float32Array(0), shape: [0, 8] },
      },
      'int8',
    );
    const types = Object.fromEntries([...packed].map(([name, { dtype }]) => [name, dtype]));
    const expected = {
      table: 'I8',
      'table.scale': 'F32',
      narrow: 'F16',
      vector: 'F16',
      large: 'F32',
      counts: 'I32',
      empty: 'F16',
    };
    expect(types).toEqual(expected);
  });

  const table: StoredTensor = { dtype: 'I8', shape: [2, 8], bytes: new Uint8Array(16) };
  test.each<[string, StoredTensor | undefined, RegExp]>([
    ['no scale', undefined, /^w\.st: tensor "w" is I8 and needs "w\.scale" of type F32 and shape \[2\], got nothing/],
    ['a scale of another type', { dtype: 'I32', shape: [2], bytes: new Uint8Array(8) }, /got I32 \[2\]/],
    ['a scale for other rows', { dtype: 'F32', shape: [3], bytes: new Uint8Array(12) }, /got F32 \[3\]/],
    ['a scale of another rank', { dtype: 'F32', shape: [2, 1], bytes: new Uint8Array(8) }, /got F32 \[2, 1\]/],
  ])('with %s is refused', async (_, scale, message) => {
    const stored = new Map([['w', table], ...(scale ? [['w.scale', scale] as const] : [])]);
    await expect(unpackTensors(stored, 'w.st')).rejects.toThrow(message);
  });
});

describe('f16 and f32', () => {
  test('f32 keeps every bit', PATIENT, async () => {
    await fc.assert(
      fc.asyncProperty(matrix, async (tensor) => {
        expect(await through(tensor, 'f32')).toEqual(tensor);
      }),
      { seed: 2, numRuns: runs(200) },
    );
  });

  test('f16 keeps eleven bits', PATIENT, async () => {
    await fc.assert(
      fc.asyncProperty(matrix, async (tensor) => {
        const { data } = await through(tensor, 'f16');
        tensor.data.forEach((x, i) => {
          expect(Math.abs(x - data[i]!)).toBeLessThanOrEqual(Math.max(Math.abs(x) * 2 ** -11, 2 ** -25));
        });
      }),
      { seed: 3, numRuns: runs(200) },
    );
  });

  test('a tensor whose name ends in .scale beside no int8 tensor is a tensor like any other', async () => {
    const tensors = {
      'norm.scale': { data: new Float32Array([1]), shape: [1] },
      norm: { data: new Float32Array([2]), shape: [1] },
    };
    expect(await unpackTensors(await packTensors(tensors, 'int8'), 'w.st')).toEqual(tensors);
  });
});

describe('pq', () => {
  const [rows, d] = [2100, 14];
  /** Rows around a few vectors; row 0 is padding. */
  function table(width = d, count = rows): NdArray {
    const { normal, integer } = random(5, 'table');
    const hubs = Float32Array.from({ length: 40 * width }, () => normal());
    const data = new Float32Array(count * width);
    for (let i = 1; i < count; i++) {
      const hub = integer(40) * width;
      for (let j = 0; j < width; j++) data[i * width + j] = hubs[hub + j]! + 0.1 * normal();
    }
    return { data, shape: [count, width] };
  }
  const squared = (x: ArrayLike<number>, y: ArrayLike<number>): number => {
    let sum = 0;
    for (let i = 0; i < x.length; i++) sum += (x[i]! - y[i]!) ** 2;
    return sum;
  };

  /** r · r, and u · r squared, of a row that lost r, where u points its way. */
  function lost(row: ArrayLike<number>, kept: ArrayLike<number>) {
    let along = 0;
    for (let j = 0; j < row.length; j++) along += row[j]! * (row[j]! - kept[j]!);
    return { all: squared(row, kept), along: along ** 2 / squared(row, new Float32Array(row.length)) };
  }

  test('is a byte for three or four numbers, of the centroid of least loss; rows of zeros stay zero', async () => {
    const tensor = table();
    const packed = await packTensors(itemTable(tensor), 'pq');
    const [codes, centroids] = [packed.get('w')!, packed.get('w.centroids')!];
    const starts = [0, 3, 7, 10, d];
    const m = starts.length - 1;
    expect(codes).toMatchObject({ dtype: 'U8', shape: [rows, m] });
    expect(centroids).toMatchObject({ dtype: 'F16', shape: [256, d] });
    const values = toNdArray(centroids, 'c', 'w.st').data;
    const { data, shape } = await through(tensor, 'pq');
    expect(shape).toEqual([rows, d]);
    expect([...data.subarray(0, d)]).toEqual(Array(d).fill(0));
    for (let i = 1; i < rows; i += 97) {
      const kept = data.slice(i * d, (i + 1) * d);
      const withCode = (k: number, c: number) => {
        kept.set(values.subarray(c * d + starts[k]!, c * d + starts[k + 1]!), starts[k]!);
        return kept;
      };
      for (let k = 0; k < m; k++) withCode(k, codes.bytes[m * i + k]!);
      expect(kept).toEqual(data.slice(i * d, (i + 1) * d));
      // The last piece is chosen when the others are.
      const losses = Array.from({ length: 256 }, (_, c) => {
        const { all, along } = lost(tensor.data.subarray(i * d, (i + 1) * d), withCode(m - 1, c));
        return all + 6 * along;
      });
      expect(losses[codes.bytes[m * (i + 1) - 1]!]).toBeCloseTo(Math.min(...losses), 9);
    }
    // What is left is less than the spread around the hubs.
    expect(squared(data, tensor.data)).toBeLessThan(0.7 * 0.01 * rows * d);
    expect(await packTensors(itemTable({ ...tensor, data: tensor.data.slice() }), 'pq')).toEqual(packed);
  });

  test('loses less along the vector of a row, by which sessions find it, than across', async () => {
    const { normal } = random(7, 'rows');
    const tensor = { data: Float32Array.from({ length: rows * 8 }, () => normal()), shape: [rows, 8] };
    const { data } = await through(tensor, 'pq');
    let [all, along] = [0, 0];
    for (let i = 0; i < rows; i++) {
      const row = lost(tensor.data.subarray(8 * i, 8 * (i + 1)), data.subarray(8 * i, 8 * (i + 1)));
      all += row.all;
      along += row.along;
    }
    expect(along).toBeLessThan(all / 8 / 3);
  });

  test('loses least of what was clicked most', async () => {
    const { normal } = random(6, 'rows');
    const w = { data: Float32Array.from({ length: rows * 8 }, () => normal()), shape: [rows, 8] };
    const clicked = 100;
    const lostWith = async (support: number): Promise<number> => {
      const counts = Int32Array.from({ length: rows }, (_, row) => (row <= clicked ? support : 1));
      const tensors = itemTable({ ...w, data: w.data.slice() }, counts);
      const { data } = (await unpackTensors(await packTensors(tensors, 'pq'), 'w.st'))['w']!;
      return squared(data.subarray(8, 8 * (clicked + 1)), w.data.subarray(8, 8 * (clicked + 1)));
    };
    expect(await lostWith(1000)).toBeLessThan(0.7 * (await lostWith(1)));
  });

  test('is for tables of thousands of items; all else becomes halves', async () => {
    const typesOf = async (items: number, tensors: Readonly<Record<string, NdArray>>) => {
      const support = { 'catalogue.support': { data: new Int32Array(items + 1), shape: [items + 1] } };
      const packed = await packTensors({ ...tensors, ...support }, 'pq');
      return Object.fromEntries([...packed].map(([name, { dtype, shape }]) => [name, `${dtype} ${shape}`]));
    };
    const tensors = {
      wide: table(10, 2100),
      marked: table(10, 2108), // rows for special tokens
      narrow: table(7, 2100),
      'layer.w': table(10, 2200),
      cube: { data: new Float32Array(2100 * 8), shape: [2100, 2, 4] },
      counts: { data: new Int32Array(2100 * 8), shape: [2100, 8] },
    };
    expect(await typesOf(2099, tensors)).toEqual({
      wide: 'U8 2100,3',
      'wide.centroids': 'F16 256,10',
      marked: 'U8 2108,3',
      'marked.centroids': 'F16 256,10',
      narrow: 'F16 2100,7',
      'layer.w': 'F16 2200,10',
      cube: 'F16 2100,2,4',
      counts: 'I32 2100,8',
      'catalogue.support': 'I32 2100',
    });
    expect(await typesOf(1999, { few: table(24, 2000) })).toMatchObject({ few: 'F16 2000,24' });
  });

  test.each([
    [[2048, 64], false, 16],
    [[2 ** 16 + 1, 64], true, 16],
    [[2 ** 16 + 2, 64], false, 13],
    [[2 ** 16 + 2, 64], true, 11],
    [[2 ** 17 + 1, 64], true, 11],
    [[2 ** 17 + 2, 64], false, 8],
    [[2047, 64], false, undefined],
    [[2048, 7], false, undefined],
  ])('keeps of a table %j, with a bias: %s, %s bytes a row', (shape, hasBias, bytes) => {
    expect(pieceCount(shape, hasBias)).toBe(bytes);
  });

  const codes: StoredTensor = { dtype: 'U8', shape: [2, 3], bytes: new Uint8Array(6) };
  const floats = (...shape: number[]): StoredTensor => ({
    dtype: 'F16',
    shape,
    bytes: new Uint8Array(2 * shape.reduce((a, b) => a * b)),
  });
  test.each<[string, StoredTensor, StoredTensor | undefined, RegExp]>([
    ['no centroids', codes, undefined, /^w\.st: tensor "w" of codes \[2, 3\] needs "w\.centroids" .* got nothing/],
    ['fewer columns than codes', codes, floats(256, 2), /got F16 \[256, 2\]/],
    ['too few centroids', codes, floats(255, 8), /got F16 \[255, 8\]/],
    ['centroids that claim all memory', codes, floats(256, 49), /got F16 \[256, 49\]/],
    ['centroids of another rank', codes, floats(256), /got F16 \[256\]/],
    ['centroids of another type', codes, { ...floats(256, 8), dtype: 'I16' }, /got I16/],
    [
      'codes that claim all memory',
      { ...codes, shape: [2 ** 25, 1], bytes: new Uint8Array(2 ** 25) },
      floats(256, 16),
      /^w\.st: its tables of codes would take 2147483648 bytes, at most 1073741824 are allowed/,
    ],
    ['codes of another rank', { ...codes, shape: [6] }, floats(256, 8), /codes \[6\]/],
  ])('with %s is refused', async (_, table, centroids, message) => {
    const stored = new Map([['w', table], ...(centroids ? [['w.centroids', centroids] as const] : [])]);
    await expect(unpackTensors(stored, 'w.st')).rejects.toThrow(message);
  });
});
