/** Tables of product quantisation, read; `product-quantisation.ts` makes them. Loaded where an artifact has one. */
import { RecommenderError } from '../errors';
import type { NdArray } from '../types';
import { quote } from './json';
import { type StoredTensor, toNdArray } from './safetensors';

/** Centroids of a piece: a code is a byte. */
export const CENTROIDS = 256;
/** Numbers of a piece at most: far fewer bytes than a table has would otherwise claim all memory. */
export const MOST_WIDTH = 16;

/**
 * The table `[rows, d]` that codes `[rows, m]` and centroids `[m, 256, d/m]` stand for.
 *
 * @throws RecommenderError `bad-artifact` where the centroids are missing, or of another type or shape.
 */
export function decodeProduct(
  { shape, bytes: codes }: StoredTensor,
  name: string,
  stored: StoredTensor | undefined,
  centroidsName: string,
  fileName: string,
): NdArray {
  const [rows = 0, m = 0] = shape;
  const [pieces, count, width = 0] = stored?.shape ?? [];
  const isFloat = stored?.dtype === 'F16' || stored?.dtype === 'F32';
  if (
    !stored ||
    !isFloat ||
    shape.length !== 2 ||
    stored.shape.length !== 3 ||
    pieces !== m ||
    count !== CENTROIDS ||
    width > MOST_WIDTH
  ) {
    const got = stored ? `${stored.dtype} [${stored.shape.join(', ')}]` : 'nothing';
    throw new RecommenderError(
      'bad-artifact',
      `${fileName}: tensor ${quote(name)} of codes [${shape.join(', ')}] needs ${quote(centroidsName)} of type F16 or F32 and shape ` +
        `[${m}, ${CENTROIDS}, …], got ${got}. Pack the artifact again.`,
    );
  }
  const centroids = toNdArray(stored, centroidsName, fileName).data;
  const data = new Float32Array(codes.length * width);
  for (let i = 0, to = 0; i < codes.length; i++) {
    const from = ((i % m) * CENTROIDS + codes[i]!) * width;
    for (let j = 0; j < width; j++) data[to++] = centroids[from + j]!;
  }
  return { data, shape: [rows, m * width] };
}
