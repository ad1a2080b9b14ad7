/**
 * How weights are stored: `f32` as they are, `f16` as halves, `int8` with one scale per row, `pq` by product quantisation.
 *
 *     int8:  sᵣ = maxⱼ |wᵣⱼ| / 127      qᵣⱼ = round(wᵣⱼ / sᵣ)      wᵣⱼ ≈ sᵣ qᵣⱼ
 *     pq:    wᵣ ≈ C[1][G[r][1]] ‖ … ‖ C[m][G[r][m]]                one byte for each of m pieces of a row
 *
 * A quantised tensor NAME `[rows, …]` is stored as NAME (I8) and `NAME.scale` (F32, `[rows]`), or as NAME (U8, the codes `[rows, m]`) and
 * `NAME.centroids` (F16, `[256, d]`, C[k] in the columns of piece k). Under `int8`, tensors without rows worth a scale (vectors, narrow
 * tables) become halves. Under `pq`, tables of thousands of items are quantised, and all else becomes halves. Integers are never touched, nor
 * are floats beyond the range of a half.
 */
import { RecommenderError } from '../errors';
import { loaded } from '../loaded';
import type { NdArray } from '../types';
import { quote } from './json';
import { type StoredTensor, toNdArray } from './safetensors';

export const SCALE = '.scale';
export const CENTROIDS_SUFFIX = '.centroids';
/**
 * Plain arrays of stored tensors. Quantised ones are multiplied out, those of codes when they are first read.
 *
 * @throws RecommenderError `bad-artifact` that names the tensor whose scale or centroids are missing or have another shape; `io` where code
 *   cannot be fetched.
 */
export async function unpackTensors(
  stored: ReadonlyMap<string, StoredTensor>,
  fileName: string,
): Promise<Record<string, NdArray>> {
  const hasCodes = [...stored.values()].some(({ dtype }) => dtype === 'U8');
  const products = hasCodes ? await loaded(import('./product-codes'), 'quantised tables') : undefined;
  products?.checkTableSizes(stored, CENTROIDS_SUFFIX, fileName);
  const tensors: [string, NdArray][] = [];
  for (const [name, tensor] of stored) {
    const [scale, centroids] = [name + SCALE, name + CENTROIDS_SUFFIX];
    if (tensor.dtype === 'I8') tensors.push([name, dequantise(tensor, name, stored.get(scale), fileName)]);
    else if (tensor.dtype === 'U8')
      tensors.push([name, products!.codedArray(tensor, name, stored.get(centroids), centroids, fileName)]);
    else if (!belongsTo(name, SCALE, 'I8', stored) && !belongsTo(name, CENTROIDS_SUFFIX, 'U8', stored))
      tensors.push([name, toNdArray(tensor, name, fileName)]);
  }
  return Object.fromEntries(tensors);
}

/** Whether a tensor is beside one of a type. */
function belongsTo(name: string, suffix: string, dtype: string, stored: ReadonlyMap<string, StoredTensor>): boolean {
  return name.endsWith(suffix) && stored.get(name.slice(0, -suffix.length))?.dtype === dtype;
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
