/** Sums over rows whose gradients would not fit into memory all at once. */
import { add, concat, customGrad, mul, type Scalar, type Tensor, type Tensor2D, tidy } from '@tensorflow/tfjs';

/** What a block of rows gives: its part of the loss and of each shared gradient, and the gradient of its own rows. */
export type BlockResult = readonly [shared: Tensor[], slope: Tensor2D];

/**
 * A loss summed over the rows of its first input, block by block. Its gradients are worked out along with it, since they
 * are a sum's: nothing is computed twice, and nothing of a block outlives it but its results.
 *
 * @param inputs c `[M, …]`, whose rows are taken block by block, and what all blocks share.
 * @param blockRows Rows of a block.
 * @param begin Given the inputs, returns what computes the block of `count` rows after `from`: the loss and the gradients of
 *   the shared inputs, in their order, and the gradient of the rows.
 */
export function chunkedLoss(
  inputs: readonly Tensor[],
  blockRows: number,
  begin: (inputs: readonly Tensor[]) => (from: number, count: number) => BlockResult,
): Scalar {
  const rows = inputs[0]!.shape[0]!;
  const total = customGrad((...given) => {
    const save = given.pop() as unknown as (saved: Tensor[]) => void;
    const compute = begin(given as Tensor[]);
    let sums: Tensor[] = [];
    const slopes: Tensor2D[] = [];
    for (let from = 0; from === 0 || from < rows; from += blockRows) {
      const count = Math.min(blockRows, rows - from);
      const [next, slope] = tidy((): [Tensor[], Tensor2D] => {
        const [shared, own] = compute(from, count);
        return [sums.length === 0 ? shared : shared.map((part, i) => add(sums[i]!, part)), own];
      });
      for (const before of sums) before.dispose();
      sums = next;
      slopes.push(slope);
    }
    const [value, ...shared] = sums;
    save([slopes.length === 1 ? slopes[0]! : concat(slopes), ...shared]);
    return {
      value: value as Scalar,
      gradFunc: (dy: Tensor, saved: Tensor[]) => saved.map((slope) => mul(slope, dy)),
    };
  });
  return total(...inputs) as Scalar;
}
