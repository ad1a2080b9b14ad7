import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { packTensors, unpackTensors } from '../../src/checkpoint/precision';
import { readSafetensors, type StoredTensor } from '../../src/checkpoint/safetensors';
import { writeSafetensors } from '../../src/checkpoint/write-safetensors';
import type { NdArray } from '../../src/types';
import { PATIENT, runs } from './runs';

const through = (tensor: NdArray, precision: 'f32' | 'f16' | 'int8') => {
  const bytes = writeSafetensors(packTensors({ w: tensor }, precision));
  return unpackTensors(readSafetensors(bytes, 'w.st').tensors, 'w.st')['w']!;
};
const matrix = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 8, max: 12 }))
  .chain(([rows, columns]) =>
    fc
      .float32Array({ minLength: rows * columns, maxLength: rows * columns, noNaN: true, min: -1000, max: 1000 })
      .map((data): NdArray => ({ data, shape: [rows, columns] })),
  );

describe('int8', () => {
  test('keeps every weight within half a step of its row', PATIENT, () => {
    fc.assert(
      fc.property(matrix, (tensor) => {
        const { data, shape } = through(tensor, 'int8');
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

  test('keeps rows of zeros exactly: the padding row stays zero', () => {
    const data = Float32Array.from({ length: 16 }, (_, i) => (i < 8 ? 0 : i));
    expect([...through({ data, shape: [2, 8] }, 'int8').data.slice(0, 8)]).toEqual(new Array(8).fill(0));
  });

  test('stores vectors as halves, integers as they are, and large vectors as floats', () => {
    const packed = packTensors(
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
  ])('with %s is refused', (_, scale, message) => {
    const stored = new Map([['w', table], ...(scale ? [['w.scale', scale] as const] : [])]);
    expect(() => unpackTensors(stored, 'w.st')).toThrow(message);
  });
});

describe('f16 and f32', () => {
  test('f32 keeps every bit', PATIENT, () => {
    fc.assert(
      fc.property(matrix, (tensor) => {
        expect(through(tensor, 'f32')).toEqual(tensor);
      }),
      { seed: 2, numRuns: runs(200) },
    );
  });

  test('f16 keeps eleven bits', PATIENT, () => {
    fc.assert(
      fc.property(matrix, (tensor) => {
        const { data } = through(tensor, 'f16');
        tensor.data.forEach((x, i) => {
          expect(Math.abs(x - data[i]!)).toBeLessThanOrEqual(Math.max(Math.abs(x) * 2 ** -11, 2 ** -25));
        });
      }),
      { seed: 3, numRuns: runs(200) },
    );
  });

  test('a tensor whose name ends in .scale beside no int8 tensor is a tensor like any other', () => {
    const tensors = {
      'norm.scale': { data: new Float32Array([1]), shape: [1] },
      norm: { data: new Float32Array([2]), shape: [1] },
    };
    expect(unpackTensors(packTensors(tensors, 'int8'), 'w.st')).toEqual(tensors);
  });
});
