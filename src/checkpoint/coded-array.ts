/** Tables of product quantisation as an artifact holds them in memory. */
import type { NdArray } from '../types';

/** A float32 table that is kept as codes: `data` is written out when it is first read. */
export interface CodedArray extends NdArray<Float32Array> {
  /** `[rows, m]`. */
  readonly codes: Uint8Array;
  /** `[256, d]`: piece k of a row is columns `pieceStart(k, d, m)` and on. */
  readonly centroids: Float32Array;
}

export const isCoded = (array: NdArray): array is CodedArray => 'codes' in array;

/** Whether an array holds 32-bit floats. Codes are not written out for it. */
export const isFloat = (array: NdArray): boolean => 'codes' in array || array.data instanceof Float32Array;
