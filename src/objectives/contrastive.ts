/** NT-Xent: Chen et al., "A Simple Framework for Contrastive Learning", ICML 2020, https://arxiv.org/abs/2002.05709. */
import {
  concat,
  div,
  expandDims,
  matMul,
  mean,
  mul,
  type Scalar,
  scalar,
  slice,
  sub,
  sum,
  type Tensor1D,
  type Tensor2D,
  tidy,
  zeros,
} from '@tensorflow/tfjs';
import { crossEntropy } from '../nn/cross-entropy';
import { maskEqual } from '../nn/masked';
import { normaliseRows } from '../nn/normalise-rows';

/** Of vectors as they are, or scaled to length 1. */
type Similarity = 'dot' | 'cosine';

/**
 * The contrastive loss of 2B views: view i and view i + B are of one session, all others are negatives.
 *
 *     s  = Z Zᵀ            Z as given, or its rows scaled to length 1
 *     ℓₐ = −log( e^(s_ab/τ) / ( e^(s_ab/τ) + Σ_{c ∉ {a, b}} e^(s_ac/τ) ) )       b the other view of a's session
 *     ℓ  = mean over the 2B anchors a
 *
 * @param views Z, `[2B, d]`.
 * @param groups `[2B]` int32: c of the same number as a is no negative of a. Views of one session share theirs.
 * @returns ℓ in nats; log(2B − 1) where all views are alike.
 */
export function ntXent(views: Tensor2D, groups: Tensor1D, similarity: Similarity, tau: number): Scalar {
  const { z, other } = pairs(views, similarity);
  const positive = expandDims(sum(mul(z, other), 1), 1); // [2B, 1]
  // Anchor and partner are masked with the rest of their group: the partner is in column 0 instead.
  const negatives = maskEqual(div(matMul(z, z, false, true), tau), groups, groups);
  const scores = concat([div(positive, tau), negatives], 1) as Tensor2D;
  return mean(crossEntropy(scores, zeros([views.shape[0]], 'int32'))) as Scalar;
}

function pairs(views: Tensor2D, similarity: Similarity): { z: Tensor2D; other: Tensor2D } {
  const z = similarity === 'cosine' ? normaliseRows(views) : views;
  const half = z.shape[0] / 2;
  return { z, other: concat([slice(z, half), slice(z, 0, half)]) as Tensor2D };
}

/**
 * How alike the two views of a session are, and how alike views of different sessions, on average: with dot products of
 * layer-normed vectors the loss is often either very large or saturated, and these tell which.
 */
export function meanSimilarities(
  views: Tensor2D,
  similarity: Similarity,
): { readonly positive: Scalar; readonly negative: Scalar } {
  return tidy(() => {
    const { z, other } = pairs(views, similarity);
    const count = z.shape[0];
    const positives = sum(mul(z, other));
    if (count === 2) return { positive: div(positives, count) as Scalar, negative: scalar(0) };
    const total = sum(z, 0); // Σ_a Σ_c z_a · z_c = ‖Σ z‖²
    const negatives = sub(sub(sum(mul(total, total)), sum(mul(z, z))), positives);
    return { positive: div(positives, count) as Scalar, negative: div(negatives, count * (count - 2)) as Scalar };
  });
}
