/**
 * Replaced-token detection: Clark et al., "ELECTRA: Pre-training Text Encoders as Discriminators Rather Than Generators",
 * ICLR 2020, https://arxiv.org/abs/2003.10555, as Transformers4Rec has it for clicks. A draw from the model's own scores takes the
 * place of each target, and the model must tell which clicks were replaced.
 */
import {
  add,
  argMax,
  cast,
  concat,
  div,
  gather,
  mul,
  notEqual,
  reshape,
  type Scalar,
  slice,
  softplus,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tensor1d,
  tensor2d,
  tidy,
  zerosLike,
} from '@tensorflow/tfjs';
import { BLOCK_NUMBERS, type Outputs, outputsOf, scores } from '../nn/scores';
import type { Random } from '../session/random';

/**
 * One of the batch's targets for each target, drawn from the softmax of its scores by Gumbel's trick: argmaxⱼ( sⱼ − log(−log uⱼ) ), u uniform.
 *
 * @param vectors `[M, d]`.
 * @param targets `[M]` int32.
 * @param random Gives the noise, row by row: the same on every backend.
 * @returns Item indices, `[M]` int32; the caller disposes them. Nothing is differentiated.
 */
export function drawReplacements(vectors: Tensor2D, outputs: Outputs, targets: Tensor1D, random: Random): Tensor1D {
  const [M, d] = vectors.shape;
  const block = Math.max(1, Math.floor(BLOCK_NUMBERS / M));
  return tidy(() => {
    const among = outputsOf(outputs, targets);
    const draws: Tensor1D[] = [];
    for (let from = 0; from < M; from += block) {
      const count = Math.min(block, M - from);
      const part = tidy(() => {
        const c = slice(vectors, [from, 0], [count, d]);
        return argMax(add(scores(c, among), tensor2d(gumbel(count * M, random), [count, M])), 1) as Tensor1D;
      });
      draws.push(part);
    }
    const drawn = draws.length === 1 ? draws[0]! : concat(draws);
    return gather(targets, drawn) as Tensor1D;
  });
}

function gumbel(size: number, random: Random): Float32Array {
  const noise = new Float32Array(size);
  for (let i = 0; i < size; i++) noise[i] = -Math.log(-Math.log(random.uniform() + 2 ** -33)); // never log 0
  return noise;
}

/**
 * Values with others in place of some.
 *
 * @param values `[B, W]` int32.
 * @param cells Places of the others, `[M]`, row-major.
 * @param others `[M]` int32.
 */
function replaceCells(values: Tensor2D, cells: Int32Array, others: Tensor1D): Tensor2D {
  const from = Int32Array.from({ length: values.size }, (_, cell) => cell);
  cells.forEach((cell, m) => {
    from[cell] = values.size + m;
  });
  const both = concat([reshape(values, [values.size]), others]);
  return reshape(gather(both, tensor1d(from, 'int32')), values.shape);
}

/** Clicks after some of them were replaced. */
export interface Replaced {
  /** `[B, W]` int32. */
  readonly items: Tensor2D;
  /** 1 where the item differs from the click's own, `[B, W]` int32: a draw of the same item is no replacement. */
  readonly labels: Tensor2D;
}

/** @param items The clicks that the network read, `[B, W]` int32: with swap noise not always those of the log. */
export function replaceTargets(items: Tensor2D, cells: Int32Array, targets: Tensor1D, draws: Tensor1D): Replaced {
  const labels = cast(notEqual(draws, targets), 'int32') as Tensor1D;
  return { items: replaceCells(items, cells, draws), labels: replaceCells(zerosLike(items), cells, labels) };
}

/**
 * How well the model distinguishes replaced clicks from real ones: the mean over the columns that count of
 *
 *     softplus(z) − z y     = −log σ(z) where y = 1, −log(1 − σ(z)) where y = 0
 *
 * @param logits z, `[N]`.
 * @param labels y, int32 of N cells.
 * @param counts Of N cells, not 0 where a column counts; absent: all count.
 */
export function replacedLoss(logits: Tensor1D, labels: Tensor, counts?: Tensor): Scalar {
  const flat = (flags: Tensor) => reshape(cast(flags, 'float32'), [logits.size]) as Tensor1D;
  const losses: Tensor = sub(softplus(logits), mul(logits, flat(labels)));
  if (!counts) return div(sum(losses), logits.size);
  const weights = flat(notEqual(counts, 0));
  return div(sum(mul(losses, weights)), sum(weights)) as Scalar;
}
