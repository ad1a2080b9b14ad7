/**
 * Losses over sampled columns: pairwise ones from scores `[M, K]` to row losses `[M]`, binary ones score by score.
 *
 * Row m scores K items, its target in column `positive[m]`; r are the scores after the final activation, i the positive
 * column. Formulas of Hidasi & Karatzoglou, "Recurrent Neural Networks with Top-k Gains for Session-based
 * Recommendations", CIKM 2018, https://arxiv.org/abs/1706.03847, and of the authors' code where it differs. Cross-entropy and
 * BPR-max have kernels of their own: `nn/cross-entropy.ts`, `nn/bpr-max.ts`.
 */
import {
  add,
  argMax,
  cast,
  div,
  log1p,
  logSumExp,
  mean,
  mul,
  neg,
  oneHot,
  sigmoid,
  softmax,
  softplus,
  square,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  where,
} from '@tensorflow/tfjs';
import { MASKED } from '../nn/masked';

/** 1 in each row's positive column, `[M, K]` float32. */
const isPositive = (scores: Tensor2D, positive: Tensor1D): Tensor2D => oneHot(positive, scores.shape[1]) as Tensor2D;

/** Column i of each row, as `[M, 1]`. */
const positiveScore = (scores: Tensor2D, mask: Tensor2D): Tensor2D => sum(mul(scores, mask), 1, true);

/**
 * A binary cross-entropy over the softmax of all columns, as SR-GNN's paper writes its loss:
 *
 *     −log pᵢ − Σ_{j≠i} log(1 − pⱼ)         p = softmax(s)
 *
 * Of the largest score, 1 − p is the share of the others: where p rounds to 1, the difference would have no digit left.
 */
export function softmaxBinaryCrossEntropy(scores: Tensor2D, positive: Tensor1D): Tensor1D {
  const mask = isPositive(scores, positive);
  const isLargest = cast(oneHot(argMax(scores, 1) as Tensor1D, scores.shape[1]), 'bool');
  const all = logSumExp(scores, 1, true); // [M, 1]
  const others = logSumExp(where(isLargest, MASKED, scores), 1, true);
  const p = where(isLargest, 0, softmax(scores));
  const wrong = where(isLargest, sub(others, all), log1p(neg(p))); // log(1 − pⱼ)
  return neg(sum(add(mul(mask, sub(scores, all)), mul(sub(1, mask), wrong)), 1));
}

/** Softmax over the negatives alone: wⱼ = e^rⱼ / Σ_{k≠i} e^rₖ, wᵢ = 0. Gradients flow through it. */
const negativeWeights = (r: Tensor2D, mask: Tensor2D): Tensor2D => softmax(where(cast(mask, 'bool'), MASKED, r));

/** meanⱼ[ σ(rⱼ − rᵢ) + σ(rⱼ²) ] − σ(rᵢ²)/K, the mean over all K columns. */
export function top1(r: Tensor2D, positive: Tensor1D): Tensor1D {
  const target = positiveScore(r, isPositive(r, positive));
  const own = sum(div(sigmoid(square(target)), r.shape[1]), 1);
  return sub(mean(add(sigmoid(sub(r, target)), sigmoid(square(r))), 1), own);
}

/** Σ_{j≠i} wⱼ [ σ(rⱼ − rᵢ) + σ(rⱼ²) ] */
export function top1Max(r: Tensor2D, positive: Tensor1D): Tensor1D {
  const mask = isPositive(r, positive);
  const terms = add(sigmoid(sub(r, positiveScore(r, mask))), sigmoid(square(r)));
  return sum(mul(negativeWeights(r, mask), terms), 1);
}

/** Σⱼ −log σ(rᵢ − rⱼ) over all K columns; the positive's own term is the constant log 2, as in the Theano code. */
export function bpr(r: Tensor2D, positive: Tensor1D): Tensor1D {
  return sum(softplus(sub(r, positiveScore(r, isPositive(r, positive)))), 1);
}

/**
 * β, the weight of the target in gBCE, which undoes the overconfidence that sampled negatives cause:
 *
 *     α = K / (n − 1)
 *     β = α (t (1 − 1/α) + 1/α) = 1 − t (1 − α)
 *
 * @param calibration t: 0 is plain binary cross-entropy, 1 gives calibrated probabilities.
 * @param negatives K of each target.
 * @param items n of the catalogue, at least 2.
 * @see Petrov & Macdonald, "gSASRec: Reducing Overconfidence in Sequential Recommendation Trained with Negative
 *   Sampling", RecSys 2023, https://arxiv.org/abs/2308.07192
 */
export const positiveWeight = (calibration: number, negatives: number, items: number): number =>
  1 - calibration * (1 - negatives / (items - 1));

/** −log σ(s⁺) = softplus(−s⁺) of each target. */
export const positiveLoss = <T extends Tensor>(targets: T): T => softplus(neg(targets));

/** −log(1 − σ(s⁻)) = softplus(s⁻) of each negative. */
export const negativeLoss = <T extends Tensor>(negatives: T): T => softplus(negatives);
