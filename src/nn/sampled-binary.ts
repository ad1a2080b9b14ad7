/** Binary cross-entropy of targets against sampled items of their own, without ever holding all of their vectors. */
import {
  add,
  concat,
  expandDims,
  gather,
  mul,
  reshape,
  type Scalar,
  sigmoid,
  slice,
  softplus,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  tensor2d,
  unsortedSegmentSum,
} from '@tensorflow/tfjs';
import { chunkedLoss } from './chunked-loss';
import { BLOCK_NUMBERS } from './scores';

/**
 * Σ over rows of the binary cross-entropy of one target against its own negatives, the target weighted by β:
 *
 *     sⱼ = c · E[j] + b[j]
 *     ℓ  = −β log σ(s⁺) − Σₖ log(1 − σ(s⁻ₖ)) = β softplus(−s⁺) + Σₖ softplus(s⁻ₖ)
 *     ∂ℓ/∂s⁺ = −β σ(−s⁺)   ∂ℓ/∂s⁻ₖ = σ(s⁻ₖ)
 *
 * Block by block of rows: 6,400 targets with 256 negatives of 64 numbers would take 420 MB, and three times that with
 * their gradients. The slopes are worked out along with the loss, since they are its sum's.
 *
 * @param vectors c, `[M, d]`.
 * @param table E, `[n, d]`.
 * @param bias b, `[n]`, or none.
 * @param targets `[M]` int32, rows of the table.
 * @param negatives `[M, K]` int32, likewise.
 * @param beta β. Default 1: plain binary cross-entropy.
 * @param blockRows Rows of a block; default: what fits into 16 MB.
 */
export function sampledBinaryCrossEntropy(
  vectors: Tensor2D,
  table: Tensor2D,
  bias: Tensor1D | undefined,
  targets: Tensor1D,
  negatives: Tensor2D,
  beta = 1,
  blockRows = Math.max(1, Math.floor(BLOCK_NUMBERS / ((negatives.shape[1] + 1) * vectors.shape[1]))),
): Scalar {
  const d = vectors.shape[1];
  const columns = negatives.shape[1] + 1;
  return chunkedLoss(bias ? [vectors, table, bias] : [vectors, table], blockRows, (given) => {
    const [c, e, b] = given as [Tensor2D, Tensor2D, Tensor1D?];
    // The target is column 0: softplus(−s) weighs β there, softplus(s) weighs 1 elsewhere.
    const sign = tensor2d([[-1, ...Array<number>(columns - 1).fill(1)]]);
    const weight = tensor2d([[beta, ...Array<number>(columns - 1).fill(1)]]);
    return (from, count) => {
      const block = expandDims(slice(c, [from, 0], [count, -1]), 1); // [R, 1, d]
      const own = expandDims(slice(targets, from, count), 1);
      const drawn = concat([own, slice(negatives, [from, 0], [count, -1])], 1);
      const ids = reshape(drawn, [count * columns]) as Tensor1D;
      const items = reshape(gather(e, ids), [count, columns, d]) as Tensor3D;
      const products = sum(mul(block, items), 2); // [R, K + 1]
      const scores = b ? add(products, reshape(gather(b, ids), [count, columns])) : products;
      const signed = mul(scores, sign);
      const slope = expandDims(mul(mul(sigmoid(signed), sign), weight), 2) as Tensor3D; // ∂s, [R, K + 1, 1]
      const shared: Tensor[] = [
        sum(mul(softplus(signed), weight)),
        unsortedSegmentSum(reshape(mul(slope, block), [count * columns, d]), ids, e.shape[0]),
      ];
      if (b) shared.push(unsortedSegmentSum(reshape(slope, [count * columns]), ids, b.shape[0]));
      return [shared, sum(mul(slope, items), 1) as Tensor2D];
    };
  });
}
