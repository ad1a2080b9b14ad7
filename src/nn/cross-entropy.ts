/** Softmax cross-entropy: of given scores, and of a whole catalogue without ever holding all of its scores. */
import {
  add,
  concat,
  engine,
  gather,
  matMul,
  onesLike,
  reshape,
  type Scalar,
  slice,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tensor1d,
  transpose,
  unsortedSegmentSum,
  zeros,
} from '@tensorflow/tfjs';
import { chunkedLoss } from './chunked-loss';
import { hasKernel } from './kernels';
import { BLOCK_NUMBERS } from './scores';

/**
 * −log softmax(s)ᵢ of each row, as one kernel with a gradient of its own; with label smoothing e every other column
 * takes a share of the target's mass, as in the official GRU4Rec code:
 *
 *     ℓ = (1 − eK/(K − 1)) (−log pᵢ) + e/(K − 1) Σⱼ −log pⱼ       p = softmax(s)
 *       = log Σⱼ e^sⱼ − (1 − bK) sᵢ − b Σⱼ sⱼ                     b = e/(K − 1)
 *     ∂ℓ/∂s = p − (1 − bK) onehot(i) − b
 *
 * Only the scores are kept for the gradient; written in plain ops, five tensors of their size would be.
 *
 * @param scores s, `[M, K]`.
 * @param positive Column i of each row, `[M]` int32, 0…K−1.
 * @param smoothing e, 0…1; above 0 at least two columns are needed.
 * @param guard Added to every probability inside its logarithm. Default 0. GRU4Rec's code adds 1e-24, which bounds the
 *   loss at 55 and, more than that, stops learning from a target whose probability rounds to 0.
 * @returns ℓ, `[M]`, in nats.
 * @throws Error if shapes do not fit or a column is out of range.
 */
export function crossEntropy(scores: Tensor2D, positive: Tensor1D, smoothing = 0, guard = 0): Tensor1D {
  return engine().runKernel('AisleCrossEntropy', { scores, positive }, { smoothing, guard }) as Tensor1D;
}

const WITH_SLOPE = 'AisleCrossEntropyWithSlope';

/** Losses of rows, and the slopes of their sum. */
function lossesAndSlopes(scores: Tensor2D, positive: Tensor1D, smoothing: number): [Tensor1D, Tensor2D] {
  if (hasKernel(WITH_SLOPE)) {
    return engine().runKernel(WITH_SLOPE, { scores, positive }, { smoothing }) as unknown as [Tensor1D, Tensor2D];
  }
  const losses = crossEntropy(scores, positive, smoothing);
  const inputs = { dy: onesLike(losses), scores, positive };
  return [losses, engine().runKernel('AisleCrossEntropyGrad', inputs, { smoothing }) as Tensor2D];
}

/** Cells of a matrix that something is added to, one row after the other: to cell i the value of its kind. */
export interface Extras {
  /** `[L]`. */
  readonly values: Tensor1D;
  /** Row, column and kind of each cell, kinds 0…L − 1; rows ascend. */
  readonly rows: Int32Array;
  readonly columns: Int32Array;
  readonly kinds: Int32Array;
}

/** The extras of some rows as a matrix `[count, K]`, and the gradient of their values from that of the matrix. */
function extrasOf({ rows, columns, kinds }: Extras, values: Tensor1D, from: number, count: number, K: number) {
  const mine = Int32Array.from(rows.keys()).filter((i) => rows[i]! >= from && rows[i]! < from + count);
  const cells = mine.map((i) => (rows[i]! - from) * K + columns[i]!);
  const own = mine.map((i) => kinds[i]!);
  const none = values.shape[0];
  const kindOf = new Int32Array(count * K).fill(none);
  cells.forEach((cell, c) => {
    kindOf[cell] = own[c]!;
  });
  const matrix = () => reshape(gather(concat([values, zeros([1])]), tensor1d(kindOf, 'int32')), [count, K]) as Tensor2D;
  const slopes = (ds: Tensor2D): Tensor1D => {
    if (cells.length === 0) return zeros([none]);
    const ofCells = gather(reshape(ds, [count * K]), tensor1d(cells, 'int32'));
    return unsortedSegmentSum(ofCells, tensor1d(own, 'int32'), none) as Tensor1D;
  };
  return { matrix, slopes };
}

/**
 * Σ over rows of `crossEntropy(c Eᵀ + b, i)`, block by block of rows: scores of 6,400 targets over 10,000 items
 * take 256 MB, and their gradients as much again, where this needs 32. The slopes are worked out along with the loss,
 * since they are its sum's: nothing is computed twice.
 *
 * @param vectors c, `[M, d]`.
 * @param table E, `[K, d]`.
 * @param bias b, `[K]`, or none.
 * @param positive Column i of each row, `[M]` int32, 0…K−1.
 * @param smoothing As above.
 * @param extras What single cells of the scores get on top, or none.
 * @param blockRows Rows of a block; default: what fits into 16 MB.
 */
export function productCrossEntropy(
  vectors: Tensor2D,
  table: Tensor2D,
  bias: Tensor1D | undefined,
  positive: Tensor1D,
  smoothing = 0,
  extras?: Extras,
  blockRows = Math.max(1, Math.floor(BLOCK_NUMBERS / table.shape[0])),
): Scalar {
  const inputs: Tensor[] = [vectors, table, ...(bias ? [bias] : []), ...(extras ? [extras.values] : [])];
  return chunkedLoss(inputs, blockRows, (given) => {
    const [c, e] = given as [Tensor2D, Tensor2D];
    const b = bias && (given[2] as Tensor1D);
    const r = extras && (given.at(-1) as Tensor1D);
    const transposed = hasKernel(WITH_SLOPE) ? undefined : (transpose(e) as Tensor2D); // only those kernels multiply either way
    return (from, count) => {
      const block = slice(c, [from, 0], [count, -1]);
      const columns = slice(positive, from, count);
      const products: Tensor2D = transposed ? matMul(block, transposed) : matMul(block, e, false, true);
      const biased: Tensor2D = b ? add(products, b) : products;
      const extra = r && extrasOf(extras, r, from, count, e.shape[0]);
      const [losses, ds] = lossesAndSlopes(extra ? add(biased, extra.matrix()) : biased, columns, smoothing);
      const shared = [matMul(ds, block, true, false), ...(b ? [sum(ds, 0)] : []), ...(extra ? [extra.slopes(ds)] : [])];
      return [[sum(losses), ...shared], matMul(ds, e)];
    };
  });
}
