/** Plain arrays to tensors and back. */
import { type Tensor, tensor } from '@tensorflow/tfjs';
import type { NdArray, NdArrays } from '../types';

/** A tensor of an array: int32 for `Int32Array`, float32 for `Float32Array`. The caller disposes it. */
export function toTensor(array: NdArray): Tensor {
  return tensor(array.data, [...array.shape], array.data instanceof Int32Array ? 'int32' : 'float32');
}

/** Tensors of a record of arrays, by the same names. The caller disposes them. */
export function upload(arrays: NdArrays): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, toTensor(array)]));
}

/** Reads a tensor back into a plain array. */
export async function download(value: Tensor): Promise<NdArray> {
  const data = (await value.data()) as Float32Array | Int32Array;
  return { data, shape: value.shape };
}
