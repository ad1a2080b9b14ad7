/** Weights at a precision, as `precision.ts` says how they are stored. */
import { RecommenderError } from '../errors';
import type { NdArray, NdArrays } from '../types';
import { MIX_PREFIX, SUPPORT_TENSOR } from './artifact';
import { isCoded, isFloat } from './coded-array';
import { fromHalf, MAX_HALF, toHalf, toHalves } from './half';
import { quote } from './json';
import { CENTROIDS_SUFFIX, SCALE } from './precision';
import { CENTROID_COUNT } from './product-codes';
import { type OnShare, pieceCount, quantiseProduct } from './product-quantisation';
import type { StoredTensor } from './safetensors';
import { MAX_SPECIAL_ROWS } from './verify';
import { toStored } from './write-safetensors';

export const PRECISIONS = ['f32', 'f16', 'int8', 'pq'] as const;
export type Precision = (typeof PRECISIONS)[number];

/** Below this a 4-byte scale per row outweighs what int8 saves over halves. */
const MIN_ROW = 8;

/**
 * Tensors in the form in which `weights.safetensors` holds them. Under `pq`, tables of items are quantised, which the support tells from
 * the layers of a wide network. One that is codes already keeps them under `pq` and `f32`.
 *
 * @param onShare Of all tables under `pq`, which take long.
 * @throws RecommenderError `diverged` if a weight is not finite.
 * @throws RangeError if the name of a scale or of centroids is taken.
 */
export async function packTensors(
  tensors: NdArrays,
  precision: Precision,
  onShare?: OnShare,
): Promise<ReadonlyMap<string, StoredTensor>> {
  const packed = new Map<string, StoredTensor>();
  const itemRows = tensors[SUPPORT_TENSOR]?.data.length ?? 0;
  const piecesOf = (tensor: NdArray): number | undefined => {
    const { shape } = tensor;
    const special = (shape[0] ?? 0) - itemRows;
    if (precision !== 'pq' || !isFloat(tensor) || special < 0 || special > MAX_SPECIAL_ROWS) return undefined;
    return pieceCount(shape, hasBias(tensors, shape[0] ?? 0));
  };
  const sizes = Object.values(tensors).map((tensor) => (piecesOf(tensor) ? tensor.data.length : 0));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let done = 0;
  for (const [name, tensor] of Object.entries(tensors)) {
    checkFinite(name, tensor);
    const { data, shape } = tensor;
    const rows = shape[0] ?? 0;
    const isSmall = data.every((x) => Math.abs(x) <= MAX_HALF);
    const halves = (data: Float32Array, shape: readonly number[]): StoredTensor =>
      isSmall ? { dtype: 'F16', shape, bytes: new Uint8Array(toHalves(data).buffer) } : toStored({ data, shape });
    const besides = (suffix: string): string => {
      if (!Object.hasOwn(tensors, name + suffix)) return name + suffix;
      throw new RangeError(`${quote(name)} needs the name ${quote(name + suffix)}, which is taken.`);
    };
    const pieces = piecesOf(tensor);
    if (pieces !== undefined || (precision === 'f32' && isCoded(tensor))) {
      const round = isSmall ? (x: number) => fromHalf(toHalf(x)) : Math.fround;
      const { codes, centroids } = isCoded(tensor)
        ? tensor
        : await quantiseProduct(tensor, pieces!, round, weightsOf(tensors, rows), (share) =>
            onShare?.((done + share * data.length) / total),
          );
      done += data.length;
      packed.set(name, { dtype: 'U8', shape: [rows, codes.length / rows], bytes: codes });
      const table = { data: centroids, shape: [CENTROID_COUNT, data.length / rows] };
      packed.set(besides(CENTROIDS_SUFFIX), precision === 'f32' ? toStored(table) : halves(table.data, table.shape));
    } else if (precision === 'f32' || !(data instanceof Float32Array)) packed.set(name, toStored(tensor));
    else if (precision === 'int8' && shape.length >= 2 && data.length >= rows * MIN_ROW && rows > 0) {
      const { values, scale } = quantise(data, rows);
      packed.set(name, { dtype: 'I8', shape, bytes: new Uint8Array(values.buffer) });
      packed.set(besides(SCALE), toStored({ data: scale, shape: [rows] }));
    } else packed.set(name, halves(data, shape));
  }
  return packed;
}

/** How much rows of a table count: as often as their items were clicked, and once more. */
function weightsOf(tensors: NdArrays, rows: number): Float64Array {
  const support = tensors[SUPPORT_TENSOR]?.data;
  return Float64Array.from({ length: rows }, (_, row) => 1 + (support?.[row] ?? 0));
}

/** Whether each row of a table has a number beside it. */
const hasBias = (tensors: NdArrays, rows: number): boolean =>
  Object.entries(tensors).some(
    ([name, { data, shape }]) =>
      shape.length === 1 && shape[0] === rows && data instanceof Float32Array && !name.startsWith(MIX_PREFIX),
  );

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
