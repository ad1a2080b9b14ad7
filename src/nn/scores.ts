/** Scores of items, sⱼ = c · table[j] + bias[j]. */
import { add, gather, matMul, mul, slice, sum, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs';

/** Numbers of a block of scores or vectors, 16 MB as float32: smaller blocks pay more for every product, larger ones for memory. */
export const BLOCK_NUMBERS = 4 * 1024 * 1024;

/** The item side of a model. */
export interface Outputs {
  /** `[n + 1, d]` (further rows of special tokens are never scored); row 0 is padding and never scored. */
  readonly table: Tensor2D;
  /** `[n + 1]`; entry 0 unused. */
  readonly bias?: Tensor1D;
  /** `[L]`: added to the score of an item of the session's last L clicks, by how many clicks ago it was clicked last. */
  readonly repeats?: Tensor1D;
}

const side = (table: Tensor2D, bias: Tensor1D | undefined): Outputs => (bias ? { table, bias } : { table });

/** The item side of some items only, `[K]` int32. */
export const outputsOf = ({ table, bias }: Outputs, items: Tensor1D): Outputs =>
  side(gather(table, items), bias && gather(bias, items));

/** The item side of the indices first…n. */
export const outputsFrom = (first: 0 | 1, { table, bias }: Outputs, n: number): Outputs =>
  side(slice(table, [first, 0], [n + 1 - first, -1]), bias && slice(bias, first, n + 1 - first));

/** c Eᵀ + b: scores of every vector for every item of a side, `[M, d] × [K, d] → [M, K]`. */
export function scores(vectors: Tensor2D, { table, bias }: Outputs): Tensor2D {
  const products: Tensor2D = matMul(vectors, table, false, true);
  return bias ? add(products, bias) : products;
}

/** Scores of every vector for the same items, `[M, d], [K] → [M, K]`: only those rows of the table are read. */
export const scoresOf = (vectors: Tensor2D, outputs: Outputs, items: Tensor1D): Tensor2D =>
  scores(vectors, outputsOf(outputs, items));

/** Scores of the real items, `[M, n]`: without padding and special tokens. */
export const catalogueScores = (vectors: Tensor2D, outputs: Outputs, n: number): Tensor2D =>
  scores(vectors, outputsFrom(1, outputs, n));

/** The score of each vector for its own item, `[M, d], [M] → [M]`. */
export function ownScores(vectors: Tensor2D, { table, bias }: Outputs, items: Tensor1D): Tensor1D {
  const products = sum(mul(vectors, gather(table, items)), 1) as Tensor1D;
  return bias ? add(products, gather(bias, items)) : products;
}
