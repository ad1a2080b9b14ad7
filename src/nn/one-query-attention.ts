/** Attention for an answer: of one query for each sequence, from which nothing is learnt. */
import {
  add,
  matMul,
  mul,
  reshape,
  softmax,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
  transpose,
} from '@tensorflow/tfjs';
import type { AttentionOptions, AttentionParams } from './attention';
import { type LinearParams, linear } from './linear';

/**
 * What `attention` computes without dropout, by two products with all of y instead of four: K and V are not needed. In each head:
 *
 *     Q Kᵀ = (Q Wkᵀ) yᵀ + Q bkᵀ      the last term is the same for all keys, and leaves A as it is
 *     A V  = (A y) Wv + bv           rows of A add up to 1
 *
 * @param x `[B, d]`.
 * @param y `[B · keys, d]`, row-major by sequence.
 * @returns `[B, d]`.
 */
export function oneQueryAttention(
  { query, key, value, output }: AttentionParams,
  x: Tensor2D,
  y: Tensor2D,
  { batch, heads, bias }: Pick<AttentionOptions, 'batch' | 'heads' | 'bias'>,
): Tensor2D {
  const d = x.shape[1];
  const keys = y.shape[0] / batch;
  const sequences: Tensor3D = reshape(y, [batch, keys, d]);
  const q = reshape(mul(linear(x, query), Math.sqrt(heads / d)), [batch, heads, 1, d / heads]);
  const asked: Tensor3D = reshape(matMul(q, weightsOfHeads(key, heads), false, true), [batch, heads, d]);
  const scores: Tensor4D = reshape(matMul(asked, sequences, false, true), [batch, heads, 1, keys]);
  const weights: Tensor3D = reshape(softmax(bias ? add(scores, bias) : scores), [batch, heads, keys]);
  const means = reshape(matMul(weights, sequences), [batch, heads, 1, d]);
  const joined: Tensor2D = add(reshape(matMul(means, weightsOfHeads(value, heads)), [batch, d]), value.b);
  return output ? linear(joined, output) : joined;
}

/** The columns of each head, `[1, heads, d, d / heads]`. */
function weightsOfHeads({ w }: LinearParams, heads: number): Tensor4D {
  const d = w.shape[0];
  return reshape(transpose(reshape(w, [d, heads, d / heads]), [1, 0, 2]), [1, heads, d, d / heads]);
}
