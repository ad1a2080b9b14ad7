/** Tables of product quantisation, read; `product-quantisation.ts` makes them. Loaded where an artifact has one. */
import { RecommenderError } from '../errors';
import { MAX_ARTIFACT_BYTES } from '../limits';
import type { CodedArray } from './coded-array';
import { quote } from './json';
import { type StoredTensor, toNdArray } from './safetensors';

/** Centroids of a piece: a code is a byte. */
export const CENTROID_COUNT = 256;
/** Numbers of a piece at most. */
const MOST_WIDTH = 16;
/** Bytes of all tables together, written out: one of codes claims up to 64 times the memory of its file. */
const MAX_TABLE_BYTES = 2 * MAX_ARTIFACT_BYTES;

/**
 * @param suffix Of the names of centroids.
 * @throws RecommenderError `bad-artifact` where the tables would claim too much memory.
 */
export function checkTableSizes(stored: ReadonlyMap<string, StoredTensor>, suffix: string, fileName: string): void {
  let bytes = 0;
  for (const [name, { dtype, shape, bytes: codes }] of stored) {
    if (dtype === 'U8') bytes += (4 * codes.length * (stored.get(name + suffix)?.shape[1] ?? 1)) / (shape[1] || 1);
  }
  if (bytes <= MAX_TABLE_BYTES) return;
  throw new RecommenderError(
    'bad-artifact',
    `${fileName}: its tables of codes would take ${bytes} bytes, at most ${MAX_TABLE_BYTES} are allowed. Pack fewer items.`,
  );
}

/** The first column of piece k, of m pieces of d columns; of k = m, their end. `assembly/products.ts` counts alike. */
export const pieceStart = (k: number, d: number, m: number): number => Math.floor((k * d) / m);

/**
 * The table `[rows, d]` of codes `[rows, m]` and centroids `[256, d]`.
 *
 * @throws RecommenderError `bad-artifact` where the centroids are missing, or of another type or shape.
 */
export function codedArray(
  { shape, bytes: codes }: StoredTensor,
  name: string,
  stored: StoredTensor | undefined,
  centroidsName: string,
  fileName: string,
): CodedArray {
  const [, m = 0] = shape;
  const [count, d = 0] = stored?.shape ?? [];
  const isFloat = stored?.dtype === 'F16' || stored?.dtype === 'F32';
  if (
    !stored ||
    !isFloat ||
    shape.length !== 2 ||
    stored.shape.length !== 2 ||
    count !== CENTROID_COUNT ||
    d < m ||
    d > MOST_WIDTH * m
  ) {
    const got = stored ? `${stored.dtype} [${stored.shape.join(', ')}]` : 'nothing';
    throw new RecommenderError(
      'bad-artifact',
      `${fileName}: tensor ${quote(name)} of codes [${shape.join(', ')}] needs ${quote(centroidsName)} of type F16 or F32 and shape ` +
        `[${CENTROID_COUNT}, ${m} to ${MOST_WIDTH * m}], got ${got}. Pack the artifact again.`,
    );
  }
  return codedOf(codes, toNdArray(stored, centroidsName, fileName).data as Float32Array, m);
}

/** @param codes `[rows, m]`. @param centroids `[256, d]`. */
export function codedOf(codes: Uint8Array, centroids: Float32Array, m: number): CodedArray {
  let data: Float32Array | undefined;
  return {
    codes,
    centroids,
    shape: [codes.length / m, centroids.length / CENTROID_COUNT],
    get data() {
      data ??= decodeRows(codes, centroids, m);
      return data;
    },
  };
}

/** The rows `[rows, d]` that codes `[rows, m]` stand for. @param centroids `[256, d]`. */
export function decodeRows(codes: Uint8Array, centroids: Float32Array, m: number): Float32Array {
  const d = centroids.length / CENTROID_COUNT;
  const data = new Float32Array((d * codes.length) / m);
  for (let k = 0; k < m; k++) {
    const [start, end] = [pieceStart(k, d, m), pieceStart(k + 1, d, m)];
    for (let i = k, row = 0; i < codes.length; i += m, row += d) {
      const from = codes[i]! * d;
      for (let j = start; j < end; j++) data[row + j] = centroids[from + j]!;
    }
  }
  return data;
}
