/**
 * How weights are stored: `f32` as they are, `f16` as halves, `int8` with one scale per row.
 *
 *     int8:  sᵣ = maxⱼ |wᵣⱼ| / 127      qᵣⱼ = round(wᵣⱼ / sᵣ)      wᵣⱼ ≈ sᵣ qᵣⱼ
 *
 * A quantised tensor NAME `[rows, …]` is stored as NAME (I8) and `NAME.scale` (F32, `[rows]`). Under `int8`, tensors
 * without rows worth a scale (vectors, narrow tables) become halves. Integers are never touched, nor are floats beyond
 * the range of a half.
 */
import { RecommenderError } from '../errors';
import type { NdArray } from '../types';
import { MAX_HALF, toHalves } from './half';
import { quote } from './json';
import { type StoredTensor, toNdArray } from './safetensors';
import { toStored } from './write-safetensors';

export const PRECISIONS = ['f32', 'f16', 'int8'] as const;
export type Precision = (typeof PRECISIONS)[number];

const SCALE = '.scale';
/** Below this a 4-byte scale per row outweighs what int8 saves over halves. */
const MIN_ROW = 8;

/**
 * Tensors in the form in which `weights.safetensors` holds them.
 *
 * @throws RecommenderError `diverged` if a weight is not finite.
 * @throws RangeError if a scale's name is taken.
 */
export function packTensors(
  tensors: Readonly<Record<string, NdArray>>,
  precision: Precision,
): ReadonlyMap<string, StoredTensor> {
  const packed = new Map<string, StoredTensor>();
  for (const [name, tensor] of Object.entries(tensors)) {
    checkFinite(name, tensor);
    const { data, shape } = tensor;
    const rows = shape[0] ?? 0;
    if (precision === 'f32' || !(data instanceof Float32Array)) packed.set(name, toStored(tensor));
    else if (precision === 'int8' && shape.length >= 2 && data.length >= rows * MIN_ROW && rows > 0) {
      if (Object.hasOwn(tensors, name + SCALE)) {
        throw new RangeError(`The scale of ${quote(name)} needs the name ${quote(name + SCALE)}, which is taken.`);
      }
      const { values, scale } = quantise(data, rows);
      packed.set(name, { dtype: 'I8', shape, bytes: new Uint8Array(values.buffer) });
      packed.set(name + SCALE, toStored({ data: scale, shape: [rows] }));
    } else if (data.every((x) => Math.abs(x) <= MAX_HALF)) {
      packed.set(name, { dtype: 'F16', shape, bytes: new Uint8Array(toHalves(data).buffer) });
    } else packed.set(name, toStored(tensor));
  }
  return packed;
}

/**
 * Plain arrays of stored tensors, quantised ones multiplied out.
 *
 * @throws RecommenderError `bad-artifact` that names the tensor whose scale is missing or has another shape.
 */
export function unpackTensors(stored: ReadonlyMap<string, StoredTensor>, fileName: string): Record<string, NdArray> {
  const tensors: [string, NdArray][] = [];
  for (const [name, tensor] of stored) {
    if (tensor.dtype === 'I8') tensors.push([name, dequantise(tensor, name, stored.get(name + SCALE), fileName)]);
    else if (!isScale(name, stored)) tensors.push([name, toNdArray(tensor, name, fileName)]);
  }
  return Object.fromEntries(tensors);
}

function isScale(name: string, stored: ReadonlyMap<string, StoredTensor>): boolean {
  return name.endsWith(SCALE) && stored.get(name.slice(0, -SCALE.length))?.dtype === 'I8';
}

function quantise(data: Float32Array, rows: number): { values: Int8Array; scale: Float32Array } {
  const width = data.length / rows;
  const values = new Int8Array(data.length);
  const scale = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    let largest = 0;
    for (let i = row * width; i < (row + 1) * width; i++) largest = Math.max(largest, Math.abs(data[i]!));
    scale[row] = largest / 127;
    const step = scale[row]!; // as stored, so that rounding is against what the reader multiplies by
    if (step === 0) continue;
    for (let i = row * width; i < (row + 1) * width; i++) {
      values[i] = Math.max(-127, Math.min(127, Math.round(data[i]! / step)));
    }
  }
  return { values, scale };
}

function dequantise(tensor: StoredTensor, name: string, scale: StoredTensor | undefined, fileName: string): NdArray {
  const { shape, bytes } = tensor;
  const rows = shape[0] ?? 0;
  if (scale?.dtype !== 'F32' || scale.shape.length !== 1 || scale.shape[0] !== rows || shape.length === 0) {
    const got = scale ? `${scale.dtype} [${scale.shape.join(', ')}]` : 'nothing';
    throw new RecommenderError(
      'bad-artifact',
      `${fileName}: tensor ${quote(name)} is I8 and needs ${quote(name + SCALE)} of type F32 and shape [${rows}], got ${got}.`,
    );
  }
  const scales = toNdArray(scale, name + SCALE, fileName).data;
  const values = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  const data = new Float32Array(values.length);
  const width = values.length / rows;
  for (let row = 0, i = 0; row < rows; row++) {
    for (let column = 0; column < width; column++, i++) data[i] = values[i]! * scales[row]!;
  }
  return { data, shape };
}

function checkFinite(name: string, { data }: NdArray): void {
  if (data instanceof Int32Array) return;
  const at = data.findIndex((x) => !Number.isFinite(x));
  if (at >= 0) {
    throw new RecommenderError(
      'diverged',
      `Tensor ${quote(name)} holds ${data[at]} at position ${at}; weights must be finite. Train again with a lower learning rate.`,
    );
  }
}
