/** Tables of product quantisation, read; `product-quantisation.ts` makes them. Loaded where an artifact has one. */
import { RecommenderError } from '../errors';
import { MAX_ARTIFACT_BYTES } from '../limits';
import type { CodedArray } from './coded-array';
import { quote } from './json';
import { type StoredTensor, toNdArray } from './safetensors';

/** Centroids of a piece: a code is a byte. */
export const CENTROID_COUNT = 256;
/** Numbers of a piece at most. */
export const MOST_WIDTH = 16;
/** Bytes of all tables together, written out: one of codes claims up to 64 times the memory of its file. */
const MAX_TABLE_BYTES = 2 * MAX_ARTIFACT_BYTES;

/**
 * @param suffix Of the names of centroids.
 * @throws RecommenderError `bad-artifact` where the tables would claim too much memory.
 */
export function checkTableSizes(stored: ReadonlyMap<string, StoredTensor>, suffix: string, fileName: string): void {
  let bytes = 0;
  for (const [name, { dtype, bytes: codes }] of stored) {
    if (dtype === 'U8') bytes += 4 * codes.length * (stored.get(name + suffix)?.shape[2] ?? 1);
  }
  if (bytes <= MAX_TABLE_BYTES) return;
  throw new RecommenderError(
    'bad-artifact',
    `${fileName}: its tables of codes would take ${bytes} bytes, at most ${MAX_TABLE_BYTES} are allowed. Pack fewer items.`,
  );
}

/**
 * The table `[rows, d]` of codes `[rows, m]` and centroids `[m, 256, d/m]`.
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
  const [rows = 0, m = 0] = shape;
  const [pieces, count, width = 0] = stored?.shape ?? [];
  const isFloat = stored?.dtype === 'F16' || stored?.dtype === 'F32';
  if (
    !stored ||
    !isFloat ||
    shape.length !== 2 ||
    stored.shape.length !== 3 ||
    pieces !== m ||
    count !== CENTROID_COUNT ||
    width > MOST_WIDTH
  ) {
    const got = stored ? `${stored.dtype} [${stored.shape.join(', ')}]` : 'nothing';
    throw new RecommenderError(
      'bad-artifact',
      `${fileName}: tensor ${quote(name)} of codes [${shape.join(', ')}] needs ${quote(centroidsName)} of type F16 or F32 and shape ` +
        `[${m}, ${CENTROID_COUNT}, …], got ${got}. Pack the artifact again.`,
    );
  }
  const centroids = toNdArray(stored, centroidsName, fileName).data as Float32Array;
  let data: Float32Array | undefined;
  return {
    shape: [rows, m * width],
    codes,
    centroids,
    get data() {
      data ??= decodeRows(codes, centroids, m);
      return data;
    },
  };
}

/** The rows `[rows, d]` that codes `[rows, m]` stand for. @param centroids `[m, 256, d/m]`. */
export function decodeRows(codes: Uint8Array, centroids: Float32Array, m: number): Float32Array {
  const width = centroids.length / (m * CENTROID_COUNT);
  const data = new Float32Array(codes.length * width);
  for (let i = 0, to = 0; i < codes.length; i++) {
    const from = ((i % m) * CENTROID_COUNT + codes[i]!) * width;
    for (let j = 0; j < width; j++) data[to++] = centroids[from + j]!;
  }
  return data;
}
