/** safetensors, written; `safetensors.ts` says what the format is, and reads it. */
import type { NdArray, NdArrays } from '../types';
import { quote, show } from './json';
import { METADATA, SIZES, type StoredTensor } from './safetensors';

/**
 * Writes tensors as one file: F32 for Float32Array, I32 for Int32Array.
 *
 * @param metadata Text by name, stored in the header.
 * @throws RangeError if a shape does not fit its data or a name is reserved.
 */
export function encodeSafetensors(tensors: NdArrays, metadata?: Readonly<Record<string, string>>): Uint8Array {
  return writeSafetensors(new Map(Object.entries(tensors).map(([name, tensor]) => [name, toStored(tensor)])), metadata);
}

/** The bytes of a plain array, without a copy. */
export function toStored({ data, shape }: NdArray): StoredTensor {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { dtype: data instanceof Float32Array ? 'F32' : 'I32', shape, bytes };
}

/** Writes stored tensors: wide types first so that all are aligned, then by name, so that equal input gives equal bytes. */
export function writeSafetensors(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  const sorted = [...tensors].sort(([a, x], [b, y]) => SIZES[y.dtype] - SIZES[x.dtype] || (a < b ? -1 : a > b ? 1 : 0));
  const entries: [string, unknown][] = metadata ? [[METADATA, metadata]] : [];
  let size = 0;
  for (const [name, { dtype, shape, bytes }] of sorted) {
    if (name === METADATA || name === '__proto__') throw new RangeError(`A tensor cannot be named ${quote(name)}.`);
    const needed = shape.reduce((product, length) => product * length, SIZES[dtype]);
    if (needed !== bytes.length) {
      throw new RangeError(`Tensor ${quote(name)} of shape ${show(shape)} needs ${needed} bytes, got ${bytes.length}.`);
    }
    entries.push([name, { dtype, shape, data_offsets: [size, size + bytes.length] }]);
    size += bytes.length;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const start = 8 + Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(start + size).fill(0x20, 8, start); // spaces up to a multiple of 8
  new DataView(file.buffer).setBigUint64(0, BigInt(start - 8), true);
  file.set(json, 8);
  let at = start;
  for (const [, { bytes }] of sorted) {
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}
