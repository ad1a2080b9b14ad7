/**
 * Product quantisation of an item table: each row is cut into m pieces, and of each piece only the number of the nearest of 256
 * centroids is kept, one byte. Jégou et al., "Product Quantization for Nearest Neighbor Search", PAMI 2011,
 * https://doi.org/10.1109/TPAMI.2010.57.
 *
 *     Ê[i] = C[1][G[i][1]] ‖ … ‖ C[m][G[i][m]]        G: codes [rows, m], C: centroids [m, 256, d/m], by k-means
 *
 * Centroid 0 of each piece is 0, so that rows of zeros, such as padding, stay what they are. Rows count in the means by their weights: what is
 * often clicked is lost least.
 */
import type { NdArray } from '../types';
import { CENTROID_COUNT, MOST_WIDTH } from './product-codes';

/** With fewer rows for each centroid, bytes with a scale for each row are smaller, and nearer. */
const LEAST_ROWS = 8 * CENTROID_COUNT;
/** Numbers of a piece: eight in a byte, or a few more where they do not divide a row. */
const LEAST_WIDTH = 8;
const ROUNDS = 12;
/** Rows that centroids are found by. */
const SAMPLE = 64 * CENTROID_COUNT;

export interface Quantised {
  /** `[rows, m]`. */
  readonly codes: Uint8Array;
  /** `[m, 256, d/m]`. */
  readonly centroids: Float32Array;
}

/** Numbers of a piece of a row; undefined where a table of this shape is not worth it. */
export function pieceWidth([rows = 0, d = 1, ...more]: readonly number[]): number | undefined {
  if (more.length > 0 || rows < LEAST_ROWS) return undefined;
  for (let width = LEAST_WIDTH; width <= MOST_WIDTH; width++) if (d % width === 0) return width;
  return undefined;
}

/** Of each table: it takes seconds, and a model is packed, checked and written. */
const known = new WeakMap<NdArray['data'], Quantised>();

/**
 * Quantises a table `[rows, d]`. The same table gives the same bytes.
 *
 * @param width Divides d.
 * @param weights Of rows, each at least 0.
 * @param round What the centroids are stored as; codes are of the nearest centroids as they are stored.
 */
export function quantiseProduct(
  table: NdArray,
  width: number,
  round: (x: number) => number,
  weights: ArrayLike<number>,
): Quantised {
  const quantised = known.get(table.data) ?? quantise(table, width, round, weights);
  known.set(table.data, quantised);
  return quantised;
}

function quantise(
  { data, shape }: NdArray,
  width: number,
  round: (x: number) => number,
  weights: ArrayLike<number>,
): Quantised {
  const [rows, d] = shape as [number, number];
  const m = d / width;
  const codes = new Uint8Array(rows * m);
  const centroids = new Float32Array(m * CENTROID_COUNT * width);
  const step = Math.max(1, rows / SAMPLE);
  const sample = Float64Array.from({ length: Math.min(rows, SAMPLE) }, (_, i) => weights[Math.floor(i * step)]!);
  for (let piece = 0; piece < m; piece++) {
    /** The piece of so many rows, evenly spread. */
    const pieces = (count: number, every: number): Float32Array => {
      const found = new Float32Array(count * width);
      for (let i = 0; i < count; i++) {
        const at = Math.floor(i * every) * d + piece * width;
        for (let j = 0; j < width; j++) found[i * width + j] = data[at + j]!;
      }
      return found;
    };
    const own = centroidsOf(pieces(sample.length, step), sample, width).map(round);
    centroids.set(own, piece * own.length);
    const { nearest } = assign(pieces(rows, 1), own, width);
    for (let i = 0; i < rows; i++) codes[i * m + piece] = nearest[i]!;
  }
  return { codes, centroids };
}

/** Lloyd's k-means, from rows that are evenly spread. A centroid without rows moves to the row that loses most. */
function centroidsOf(rows: Float32Array, weights: Float64Array, width: number): Float32Array {
  const count = rows.length / width;
  const centroids = new Float32Array(CENTROID_COUNT * width);
  for (let c = 1; c < CENTROID_COUNT; c++) {
    const at = Math.floor((c * count) / CENTROID_COUNT) * width;
    centroids.set(rows.subarray(at, at + width), c * width);
  }
  for (let round = 0; round < ROUNDS; round++) {
    const { nearest, distances } = assign(rows, centroids, width);
    const sums = new Float64Array(centroids.length);
    const sizes = new Float64Array(CENTROID_COUNT);
    for (let i = 0; i < count; i++) {
      const c = nearest[i]!;
      sizes[c]! += weights[i]!;
      for (let j = 0; j < width; j++) sums[c * width + j]! += weights[i]! * rows[i * width + j]!;
    }
    for (let c = 1; c < CENTROID_COUNT; c++) {
      if (sizes[c] === 0) {
        let farthest = 0;
        const loss = (i: number): number => weights[i]! * distances[i]!;
        for (let i = 1; i < count; i++) if (loss(i) > loss(farthest)) farthest = i;
        distances[farthest] = 0;
        centroids.set(rows.subarray(farthest * width, (farthest + 1) * width), c * width);
      } else for (let j = 0; j < width; j++) centroids[c * width + j] = sums[c * width + j]! / sizes[c]!;
    }
  }
  return centroids;
}

/** The nearest centroid of each row, of equal ones the first, and the squared distance to it. */
function assign(rows: Float32Array, centroids: Float32Array, width: number) {
  const count = rows.length / width;
  const nearest = new Uint8Array(count);
  const distances = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    let [best, least] = [0, Number.POSITIVE_INFINITY];
    for (let c = 0; c < CENTROID_COUNT; c++) {
      let distance = 0;
      for (let j = 0; j < width; j++) {
        const difference = rows[i * width + j]! - centroids[c * width + j]!;
        distance += difference * difference;
      }
      if (distance < least) [best, least] = [c, distance];
    }
    nearest[i] = best;
    distances[i] = least;
  }
  return { nearest, distances };
}
