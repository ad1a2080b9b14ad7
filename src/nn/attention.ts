/** Attention: Vaswani et al., "Attention Is All You Need", NeurIPS 2017, https://arxiv.org/abs/1706.03762. */
import {
  add,
  matMul,
  mul,
  reshape,
  softmax,
  sub,
  type Tensor,
  type Tensor2D,
  type Tensor4D,
  tensor4d,
  transpose,
} from '@tensorflow/tfjs';
import { attentionRead, attentionWeights, hasAttentionKernels } from './attention-kernels';
import { type LinearParams, linear } from './linear';
import { MASKED } from './masked';

/** Weights of one attention layer, `w` `[d, d]`, `b` `[d]`. */
export interface AttentionParams {
  readonly query: LinearParams;
  readonly key: LinearParams;
  readonly value: LinearParams;
  /** Applied to the joined heads; absent: none. */
  readonly output?: LinearParams;
}

export interface AttentionOptions {
  /** Number of sequences B that the rows belong to. */
  readonly batch: number;
  /** Number of heads; divides d. */
  readonly heads: number;
  /**
   * Added to the scores: `[B or 1, 1, queries or 1, keys]`, `causalBias`, `keyBias` or the lower of both. Adding MASKED
   * does what selecting it would, without the copies that TensorFlow.js makes to broadcast a condition. Default: all
   * keys are seen.
   */
  readonly bias?: Tensor4D | undefined;
  /** 1 for queries that see a key, 0 for those that see none, `[B · queries, 1]`; zeroes the latter. */
  readonly queryMask?: Tensor2D | undefined;
  /** Dropout of the attention weights. Default: none. */
  readonly dropout?: (weights: Tensor) => Tensor;
}

/**
 * Multi-head attention of `queries` rows of x over `keys` rows of y, per sequence.
 *
 *     Q = x Wq + bq   K = y Wk + bk   V = y Wv + bv       d columns, split into heads
 *     A = softmax(Q Kᵀ / √(d / heads) + bias)             per head
 *     a = [A V of each head, joined] (⊙ queryMask) (Wo + bo)
 *
 * Queries and keys come apart because SASRec normalises only the former, and because the last click's vector needs one
 * query only.
 *
 * @param x `[B · queries, d]`, row-major by sequence.
 * @param y `[B · keys, d]`, likewise.
 * @returns a, `[B · queries, d]`.
 */
export function attention(params: AttentionParams, x: Tensor2D, y: Tensor2D, options: AttentionOptions): Tensor2D {
  const { query, key, value, output } = params;
  const { batch, heads, bias, queryMask, dropout = (weights: Tensor) => weights } = options;
  const [rows, d] = x.shape;
  if (hasAttentionKernels()) {
    const layout = { batch, heads, headsFirst: false };
    const [q, k, v] = [linear(x, query), linear(y, key), linear(y, value)];
    const weights = attentionWeights({ q, k, bias, scale: Math.sqrt(heads / d) }, layout);
    const read = attentionRead(dropout(weights) as Tensor4D, v, layout);
    const seen: Tensor2D = queryMask ? mul(read, queryMask) : read;
    return output ? linear(seen, output) : seen;
  }
  // Scales the queries, which are fewer than the scores.
  const q = splitHeads(mul(linear(x, query), Math.sqrt(heads / d)), batch, heads);
  const k = splitHeads(linear(y, key), batch, heads);
  const v = splitHeads(linear(y, value), batch, heads);
  const scores = matMul(q, k, false, true); // [B, heads, queries, keys]
  const weights = dropout(softmax(bias ? add(scores, bias) : scores)) as Tensor4D;
  let joined = joinHeads(matMul(weights, v), rows, d);
  if (queryMask) joined = mul(joined, queryMask);
  return output ? linear(joined, output) : joined;
}

/** `[B · T, d]` → `[B, heads, T, d / heads]`; heads are neighbouring columns. */
function splitHeads(x: Tensor2D, batch: number, heads: number): Tensor4D {
  const [rows, d] = x.shape;
  const steps = rows / batch;
  if (heads === 1) return reshape(x, [batch, 1, steps, d]);
  return transpose(reshape(x, [batch, steps, heads, d / heads]), [0, 2, 1, 3]) as Tensor4D;
}

function joinHeads(x: Tensor4D, rows: number, d: number): Tensor2D {
  return reshape(x.shape[1] === 1 ? x : transpose(x, [0, 2, 1, 3]), [rows, d]);
}

/** Lets query t see keys 0…t: `[1, 1, steps, steps]`, 0 where a key is seen, else `hidden`. */
export function causalBias(steps: number, hidden = MASKED): Tensor4D {
  const bias = new Float32Array(steps * steps);
  for (let t = 0; t < steps; t++) bias.fill(hidden, t * steps + t + 1, (t + 1) * steps);
  return tensor4d(bias, [1, 1, steps, steps]);
}

/**
 * Hides padding keys from every query: `[B, 1, 1, keys]`, 0 where a key is seen, else `hidden`.
 *
 * @param mask 1 for real keys, 0 for padding, `[B · keys, 1]`.
 */
export function keyBias(mask: Tensor2D, batch: number, hidden = MASKED): Tensor4D {
  return reshape(mul(sub(1, mask), hidden), [batch, 1, 1, mask.size / batch]);
}
