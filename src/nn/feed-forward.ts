/** The position-wise feed-forward layer of Transformer blocks. */
import type { Tensor2D } from '@tensorflow/tfjs-core';
import { type LinearParams, linear } from './linear';

/**
 * Two affine maps of every row on its own, with dropout after each.
 *
 *     y = dropout(dropout(relu(x W₁ + b₁)) W₂ + b₂)
 *
 * Codes that drop out before the relu compute the same: relu(c x) = c relu(x) for c ≥ 0.
 *
 * @param x `[rows, d]`.
 * @param inner W₁ `[d, width]`, b₁.
 * @param outer W₂ `[width, d]`, b₂.
 * @param dropout Default: none.
 * @returns `[rows, d]`.
 */
export function feedForward(
  x: Tensor2D,
  inner: LinearParams,
  outer: LinearParams,
  dropout: (x: Tensor2D) => Tensor2D = (x) => x,
): Tensor2D {
  return dropout(linear(dropout(linear(x, inner, 'relu')), outer));
}
