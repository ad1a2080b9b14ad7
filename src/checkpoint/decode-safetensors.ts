/** safetensors of other programs, with types that no file of ours has. */
import type { NdArray } from '../types';
import { fromBfloat16, widen } from './half';
import { aligned, badTensor, readSafetensors, type StoredTensor, toNdArray } from './safetensors';

/**
 * Reads a whole file into plain arrays.
 *
 * @param bytes The file.
 * @param fileName Its name, for messages.
 * @param maxHeader Largest length of the header, in bytes. Default: that of a model's weights.
 * @returns Float types as Float32Array (F64 is rounded), integer and boolean types as Int32Array; views into `bytes`
 *   where type and alignment allow, copies otherwise.
 * @throws RecommenderError `bad-artifact` that names file and tensor.
 */
export function decodeSafetensors(
  bytes: Uint8Array,
  fileName: string,
  maxHeader?: number,
): { tensors: Record<string, NdArray>; metadata: Readonly<Record<string, string>> } {
  const { tensors, metadata } = readSafetensors(bytes, fileName, maxHeader);
  const entries = [...tensors].map(([name, tensor]) => [name, anyToNdArray(tensor, name, fileName)] as const);
  return { tensors: Object.fromEntries(entries), metadata };
}

/** Values of a stored tensor of any type as plain numbers. */
function anyToNdArray(tensor: StoredTensor, name: string, fileName: string): NdArray {
  const { dtype, shape, bytes } = tensor;
  switch (dtype) {
    case 'F64':
      return { shape, data: Float32Array.from(new Float64Array(...aligned(bytes, 8))) };
    case 'BF16':
      return { shape, data: widen(new Uint16Array(...aligned(bytes, 2)), fromBfloat16) };
    case 'I64':
      return { shape, data: narrow(new BigInt64Array(...aligned(bytes, 8)), name, fileName) };
    case 'I16':
      return { shape, data: Int32Array.from(new Int16Array(...aligned(bytes, 2))) };
    case 'U8':
    case 'BOOL':
      return { shape, data: Int32Array.from(bytes) };
    default:
      return toNdArray(tensor, name, fileName);
  }
}

function narrow(values: BigInt64Array, name: string, fileName: string): Int32Array {
  const narrowed = new Int32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    narrowed[i] = Number(values[i]);
    if (BigInt(narrowed[i]!) !== values[i]) {
      throw badTensor(fileName, name, `holds ${values[i]} at position ${i}, which does not fit 32 bits.`);
    }
  }
  return narrowed;
}
