/**
 * Replaced-token detection: Clark et al., "ELECTRA: Pre-training Text Encoders as Discriminators Rather Than Generators",
 * ICLR 2020, https://arxiv.org/abs/2003.10555, as Transformers4Rec has it for clicks.
 */
import {
  add,
  argMax,
  concat,
  div,
  mul,
  type Scalar,
  slice,
  softplus,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  tensor2d,
  tidy,
} from '@tensorflow/tfjs-core';
import type { ReplacedSpec } from '../models/model';
import type { Random } from '../session/random';
import { catalogueScores, type LossInput, productScores, rowsOfItems } from './objective';

/** Cells of noise at a time: the scores of all targets over a large catalogue would not fit. */
const BLOCK_CELLS = 4 * 1024 * 1024;

/**
 * One draw from the softmax of each target's scores, by Gumbel's trick: argmaxⱼ( sⱼ − log(−log uⱼ) ), u uniform.
 *
 * @param random Gives the noise, row by row: the same on every backend.
 * @returns For each of M targets its replacement's column: which of the batch's targets, or item index − 1. `[M]` int32;
 *   the caller disposes it. Nothing is differentiated.
 */
export function drawReplacements(
  { candidates }: Pick<ReplacedSpec, 'candidates'>,
  { vectors, outputs, targets, items }: Pick<LossInput, 'vectors' | 'outputs' | 'targets' | 'items'>,
  random: Random,
): Tensor1D {
  const [rows, d] = vectors.shape;
  const columns = candidates === 'batch' ? rows : items;
  const block = Math.max(1, Math.floor(BLOCK_CELLS / columns));
  const among = candidates === 'batch' ? rowsOfItems(outputs, targets) : undefined;
  return tidy(() => {
    const draws: Tensor1D[] = [];
    for (let from = 0; from < rows; from += block) {
      const count = Math.min(block, rows - from);
      const part = tidy(() => {
        const c = slice(vectors, [from, 0], [count, d]);
        const scores = among ? productScores(c, among) : catalogueScores(c, outputs, items);
        return argMax(add(scores, tensor2d(gumbel(count * columns, random), [count, columns])), 1) as Tensor1D;
      });
      draws.push(part);
    }
    return draws.length === 1 ? draws[0]! : concat(draws);
  });
}

function gumbel(size: number, random: Random): Float32Array {
  const noise = new Float32Array(size);
  for (let i = 0; i < size; i++) noise[i] = -Math.log(-Math.log(random.uniform() + 2 ** -33)); // never log 0
  return noise;
}

/**
 * How well replaced clicks are told from real ones: the mean over the columns that count of
 *
 *     softplus(z) − z y     = −log σ(z) where y = 1, −log(1 − σ(z)) where y = 0
 *
 * @param logits z, `[N]`.
 * @param replaced y, 1 where the item is another than it was, `[N]`; a draw of the same item counts as real.
 * @param counts 1 for columns that count, `[N]`; absent: all.
 */
export function replacedLoss(logits: Tensor1D, replaced: Tensor1D, counts?: Tensor1D): Scalar {
  const losses: Tensor = sub(softplus(logits), mul(logits, replaced));
  return counts ? (div(sum(mul(losses, counts)), sum(counts)) as Scalar) : div(sum(losses), logits.size);
}
