/** The position-wise feed-forward layer of Transformer blocks. */
import type { Tensor2D } from '@tensorflow/tfjs';
import { activate } from './activation';
import { type LinearParams, linear } from './linear';

export interface FeedForwardOptions {
  /** f. Default relu. */
  readonly activation?: 'relu' | 'gelu' | 'silu';
  /** Default: none. */
  readonly dropout?: (x: Tensor2D) => Tensor2D;
  /** Whether the inner layer drops out too, as in SASRec; BERT's does not. Default true. */
  readonly dropsInner?: boolean;
}

/**
 * Two affine maps of every row on its own, with dropout after each.
 *
 *     y = dropout(dropout(f(x W₁ + b₁)) W₂ + b₂)
 *
 * Codes that drop out before a relu compute the same: relu(c x) = c relu(x) for c ≥ 0.
 *
 * @param x `[rows, d]`.
 * @param inner W₁ `[d, width]`, b₁.
 * @param outer W₂ `[width, d]`, b₂.
 * @returns `[rows, d]`.
 */
export function feedForward(
  x: Tensor2D,
  inner: LinearParams,
  outer: LinearParams,
  { activation = 'relu', dropout = (y) => y, dropsInner = true }: FeedForwardOptions = {},
): Tensor2D {
  // TensorFlow.js fuses a relu into the product, a gelu it does not.
  const hidden = activation === 'relu' ? linear(x, inner, 'relu') : activate(linear(x, inner), { kind: activation });
  return dropout(linear(dropsInner ? dropout(hidden) : hidden, outer));
}
