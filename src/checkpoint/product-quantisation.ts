/**
 * Product quantisation of an item table: each row is cut into m pieces, and of each piece only the number of one of 256 centroids is
 * kept, one byte. Jégou et al., "Product Quantization for Nearest Neighbor Search", PAMI 2011,
 * https://doi.org/10.1109/TPAMI.2010.57.
 *
 *     Ê[i] = C[1][G[i][1]] ‖ … ‖ C[m][G[i][m]]        G: codes [rows, m], C[k]: the columns of piece k of centroids [256, d]
 *
 * Sessions that score an item high point its way, so what is lost along its vector moves its place more than what is lost across. Codes and
 * centroids are those of the anisotropic loss of Guo et al., "Accelerating Large-Scale Inference with Anisotropic Vector
 * Quantization", ICML 2020, https://arxiv.org/abs/1908.10396, lowered piece by piece while the others stay:
 *
 *     Σᵢ wᵢ (‖rᵢ‖² + λ (uᵢ · rᵢ)²)        rᵢ = E[i] − Ê[i], uᵢ = E[i] / ‖E[i]‖, wᵢ: the weight of the row
 *
 * Centroid 0 of each piece is 0, so that rows of zeros, such as padding, stay what they are.
 */
import type { NdArray } from '../types';
import type { CodedArray } from './coded-array';
import { CENTROID_COUNT, pieceStart } from './product-codes';

/** λ: chosen on the validation part of Diginetica, where 4 to 8 differ little. */
const ALONG = 6;
/** With fewer rows for each centroid, bytes with a scale for each row are smaller, and nearer. */
const LEAST_ROWS = 8 * CENTROID_COUNT;
/**
 * Numbers of a piece: in a table of up to `FEW_ROWS`, of up to `MANY_ROWS`, where a bias has bytes of its own, and of more, so that the
 * weights of 100,000 items of 64 numbers take less than 1.5 MB.
 */
const NARROW = 4;
const MIDDLE = 5;
const BIASED = 6;
const WIDE = 8;
/** Without the first row, which stands for no item. */
const FEW_ROWS = 2 ** 16;
const MANY_ROWS = 2 ** 17;
const ROUNDS = 10;
/** Over all rows, with the centroids that are stored. */
const LAST_ROUNDS = 2;
/** Rows that centroids are found by. */
const SAMPLE = 2 ** 16;

type Quantised = Pick<CodedArray, 'codes' | 'centroids'>;

/** Pieces of a row; undefined where a table of this shape is not worth it. @param hasBias Whether each row has a number beside it. */
export function pieceCount([rows = 0, d = 1, ...more]: readonly number[], hasBias: boolean): number | undefined {
  if (more.length > 0 || rows < LEAST_ROWS || d < WIDE) return undefined;
  const middle = hasBias ? BIASED : MIDDLE;
  return Math.ceil(d / (rows - 1 > MANY_ROWS ? WIDE : rows - 1 > FEW_ROWS ? middle : NARROW));
}

/** Of each table: 43,000 rows of 64 numbers take half a minute, and a model is packed, checked and written. */
const known = new WeakMap<NdArray['data'], Quantised>();

/** Called now and then during long work, with the share that is done; what it returns is waited for, and what it throws ends the work. */
export type OnShare = (done: number) => Promise<void> | void;

/**
 * Quantises a table `[rows, d]`. The same table gives the same bytes.
 *
 * @param m Pieces of a row.
 * @param weights Of rows, each at least 0.
 * @param round What the centroids are stored as; codes are chosen among centroids as they are stored.
 */
export async function quantiseProduct(
  table: NdArray,
  m: number,
  round: (x: number) => number,
  weights: ArrayLike<number>,
  onShare?: OnShare,
): Promise<Quantised> {
  const quantised = known.get(table.data) ?? (await quantise(table, m, round, weights, onShare));
  known.set(table.data, quantised);
  return quantised;
}

async function quantise(
  table: NdArray,
  m: number,
  round: (x: number) => number,
  weights: ArrayLike<number>,
  onShare: OnShare = () => {},
): Promise<Quantised> {
  const rows = table.shape[0]!;
  const step = Math.max(1, rows / SAMPLE);
  const sample = Array.from({ length: Math.min(rows, SAMPLE) }, (_, i) => Math.floor(i * step));
  const found = new Pieces(table, m, sample);
  const total = m * (ROUNDS * sample.length + LAST_ROUNDS * rows);
  let done = 0;
  const reportProgress = async (rows: number): Promise<void> => {
    done += rows;
    await onShare(done / total);
  };
  const own = Float64Array.from(sample, (row) => weights[row]!);
  found.start(own);
  for (let i = 0; i < ROUNDS; i++) {
    for (let piece = 0; piece < m; piece++) {
      found.encode(piece);
      found.fit(piece, own);
      await reportProgress(sample.length);
    }
  }
  const centroids = found.centroids.map(round);
  const codes = new Uint8Array(rows * m);
  for (let first = 0; first < rows; first += SAMPLE) {
    const part = Array.from({ length: Math.min(SAMPLE, rows - first) }, (_, i) => first + i);
    const stored = new Pieces(table, m, part, centroids);
    for (let i = 0; i < LAST_ROUNDS; i++) {
      for (let piece = 0; piece < m; piece++) {
        stored.encode(piece);
        await reportProgress(part.length);
      }
    }
    for (const [piece, { nearest }] of stored.pieces.entries())
      for (let i = 0; i < part.length; i++) codes[(first + i) * m + piece] = nearest[i]!;
  }
  return { codes, centroids };
}

interface Piece {
  readonly from: number;
  readonly width: number;
  /** Of each row its centroid, and u · r of the columns of this piece: 0 until it is encoded. */
  readonly nearest: Uint8Array;
  readonly along: Float64Array;
  /** Of each row as it was encoded last: what u · c should be, and the loss. */
  readonly wanted: Float64Array;
  readonly losses: Float64Array;
}

/** Some rows of a table, with centroids and codes for them. */
class Pieces {
  readonly pieces: readonly Piece[];
  readonly #d: number;
  readonly #data: Float32Array;
  /** 1 / ‖E[i]‖, which makes u of a row; 0 of zeros. */
  readonly #scales: Float64Array;
  /** u · r of each row. */
  readonly #along: Float64Array;

  constructor(
    { data, shape }: NdArray,
    m: number,
    rows: readonly number[],
    readonly centroids = new Float32Array(CENTROID_COUNT * shape[1]!),
  ) {
    const d = shape[1]!;
    const count = rows.length;
    this.#d = d;
    this.#data = new Float32Array(count * d);
    this.#scales = new Float64Array(count);
    this.#along = new Float64Array(count);
    for (const [i, row] of rows.entries()) {
      let square = 0;
      for (let j = 0; j < d; j++) {
        const x = data[row * d + j]!;
        this.#data[i * d + j] = x;
        square += x * x;
      }
      if (square > 0) this.#scales[i] = 1 / Math.sqrt(square);
    }
    this.pieces = Array.from({ length: m }, (_, piece) => {
      const from = pieceStart(piece, d, m);
      return {
        from,
        width: pieceStart(piece + 1, d, m) - from,
        nearest: new Uint8Array(count),
        along: new Float64Array(count),
        wanted: new Float64Array(count),
        losses: new Float64Array(count),
      };
    });
  }

  /** Centroids are rows that are spread evenly by weight. */
  start(weights: Float64Array): void {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    let [row, sum] = [0, weights[0]!];
    for (let c = 1; c < CENTROID_COUNT; c++) {
      while (sum < (c * total) / CENTROID_COUNT && row < weights.length - 1) sum += weights[++row]!;
      for (const { from, width } of this.pieces) this.#move(c, row, from, width);
    }
  }

  #move(c: number, row: number, from: number, width: number): void {
    const at = row * this.#d + from;
    this.centroids.set(this.#data.subarray(at, at + width), c * this.#d + from);
  }

  /** The centroid of least loss for a piece of each row, of equal ones the first. */
  encode(piece: number): void {
    const { from, width, nearest, along, wanted, losses } = this.pieces[piece]!;
    const [d, data] = [this.#d, this.#data];
    const own = new Float64Array(CENTROID_COUNT * width);
    const squares = new Float64Array(CENTROID_COUNT);
    for (let c = 0; c < CENTROID_COUNT; c++) {
      for (let j = 0; j < width; j++) {
        const x = this.centroids[c * d + from + j]!;
        own[c * width + j] = x;
        squares[c]! += x * x;
      }
    }
    const x = new Float64Array(width);
    for (let i = 0; i < nearest.length; i++) {
      const scale = this.#scales[i]!;
      let size = 0;
      for (let j = 0; j < width; j++) {
        x[j] = data[i * d + from + j]!;
        size += x[j]! * x[j]!;
      }
      // r of this piece is x − c, and u · r of all pieces is `rest` − u · c, where u · c is the scale times x · c.
      const rest = this.#along[i]! - along[i]! + scale * size;
      const linear = 2 * (1 + ALONG * rest * scale);
      const quadratic = ALONG * scale * scale;
      let [best, least, product] = [0, Number.POSITIVE_INFINITY, 0];
      for (let c = 0, k = 0; c < CENTROID_COUNT; c++) {
        let inner = 0;
        for (let j = 0; j < width; j++) inner += x[j]! * own[k++]!;
        const loss = squares[c]! + inner * (quadratic * inner - linear);
        if (loss < least) [best, least, product] = [c, loss, inner];
      }
      nearest[i] = best;
      wanted[i] = rest;
      losses[i] = least + size + ALONG * rest * rest;
      this.#setAlong(piece, i, rest, scale * product);
    }
  }

  #setAlong(piece: number, i: number, wanted: number, product: number): void {
    const { along } = this.pieces[piece]!;
    const others = this.#along[i]! - along[i]!;
    this.#along[i] = wanted - product;
    along[i] = wanted - product - others;
  }

  /** Moves the centroids of a piece to where the loss of their rows is less. One without rows moves to the row that loses most. */
  fit(piece: number, weights: Float64Array): void {
    const { from, width, nearest, wanted, losses } = this.pieces[piece]!;
    const [d, data, centroids] = [this.#d, this.#data, this.centroids];
    // A quadratic form for each centroid: its matrix, its right side, and its weight.
    const matrices = new Float64Array(CENTROID_COUNT * width * width);
    const sides = new Float64Array(CENTROID_COUNT * width);
    const sizes = new Float64Array(CENTROID_COUNT);
    for (let i = 0; i < nearest.length; i++) {
      const c = nearest[i]!;
      const weight = weights[i]!;
      const at = i * d + from;
      const scale = this.#scales[i]!;
      const side = weight * (1 + ALONG * scale * wanted[i]!);
      const factor = weight * ALONG * scale * scale;
      sizes[c]! += weight;
      for (let j = 0; j < width; j++) {
        sides[c * width + j]! += side * data[at + j]!;
        for (let k = 0; k < width; k++)
          matrices[(c * width + j) * width + k]! += factor * data[at + j]! * data[at + k]!;
      }
    }
    for (let c = 1; c < CENTROID_COUNT; c++) {
      if (sizes[c] === 0) {
        let farthest = 0;
        const loss = (i: number): number => weights[i]! * losses[i]!;
        for (let i = 1; i < losses.length; i++) if (loss(i) > loss(farthest)) farthest = i;
        losses[farthest] = 0;
        this.#move(c, farthest, from, width);
        continue;
      }
      // One number after the other: the matrix is nearly diagonal.
      for (let j = 0; j < width; j++) {
        let side = sides[c * width + j]!;
        const row = (c * width + j) * width;
        for (let k = 0; k < width; k++) if (k !== j) side -= matrices[row + k]! * centroids[c * d + from + k]!;
        centroids[c * d + from + j] = side / (sizes[c]! + matrices[row + j]!);
      }
    }
    for (let i = 0; i < nearest.length; i++) {
      const at = i * d + from;
      let product = 0;
      for (let j = 0; j < width; j++) product += data[at + j]! * centroids[nearest[i]! * d + from + j]!;
      this.#setAlong(piece, i, wanted[i]!, this.#scales[i]! * product);
    }
  }
}
