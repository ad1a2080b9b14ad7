/**
 * Attention that knows how far apart two clicks are: Dai et al., "Transformer-XL", ACL 2019,
 * https://arxiv.org/abs/1901.02860, and Yang et al., "XLNet", NeurIPS 2019, https://arxiv.org/abs/1906.08237.
 */
import {
  add,
  matMul,
  mul,
  reshape,
  slice,
  softmax,
  type Tensor,
  type Tensor2D,
  type Tensor4D,
  tensor2d,
  transpose,
} from '@tensorflow/tfjs';
import { attentionRead, attentionWeights, hasAttentionKernels } from './attention-kernels';

/** Weights of one layer, for H heads of width D; none of the maps has a bias. */
export interface RelativeAttentionParams {
  /** `[d, H · D]` each. */
  readonly query: Tensor2D;
  readonly key: Tensor2D;
  readonly value: Tensor2D;
  /** Of the encoded distances, `[d, H · D]`. */
  readonly distance: Tensor2D;
  /** `[H · D, d]`. */
  readonly output: Tensor2D;
  /** u: what every query asks of a key's content, `[H, D]`. */
  readonly contentBias: Tensor2D;
  /** w: what every query asks of a key's distance, `[H, D]`. */
  readonly distanceBias: Tensor2D;
}

export interface RelativeAttentionOptions {
  readonly batch: number;
  readonly heads: number;
  /** Added to the scores, `[1, B or 1, T or 1, K]`, 0 or MASKED. Default: all keys are seen. */
  readonly bias?: Tensor4D | undefined;
  /** 0 for queries that see no key, 1 for the others, `[1, B, T, 1]`: the former attend to all keys alike. */
  readonly sees?: Tensor4D | undefined;
  /** Dropout of the attention weights. Default: none. */
  readonly dropout?: <T extends Tensor>(weights: T) => T;
  /** Receives the weights, `[B, H, T, K]`. */
  readonly observe?: ((weights: Tensor4D) => void) | undefined;
}

/**
 * T queries of x over K keys of y, the last T of which are at the queries' places.
 *
 *     Aᵢⱼ = softmaxⱼ( [(qᵢ + u) · kⱼ + (qᵢ + w) · (R_{i−j} Wr)] / √D )     q = x Wq   k = y Wk   v = y Wv
 *     a   = [Σⱼ Aᵢⱼ vⱼ of each head, joined] Wo
 *
 * @param x `[B · T, d]`, row-major by session.
 * @param y `[B · K, d]`, likewise.
 * @param distances R, as `distanceCodes` returns it for T and K, `[distances, d]`.
 * @returns a, `[B · T, d]`.
 */
export function relativeAttention(
  params: RelativeAttentionParams,
  x: Tensor2D,
  y: Tensor2D,
  distances: Tensor2D,
  options: RelativeAttentionOptions,
): Tensor2D {
  const { batch, heads, bias, sees, dropout = (weights) => weights, observe } = options;
  const width = params.query.shape[1] / heads;
  const steps = x.shape[0] / batch;
  const keys = y.shape[0] / batch;
  if (hasAttentionKernels()) {
    const layout = { batch, heads, headsFirst: true };
    const q = matMul(x, params.query);
    const asking = (bias: Tensor2D): Tensor2D => add(q, reshape(bias, [heads * width]));
    const relative = { qw: asking(params.distanceBias), r: matMul(distances, params.distance) as Tensor2D };
    const weights = attentionWeights(
      { q: asking(params.contentBias), k: matMul(y, params.key), relative, sees, bias, scale: 1 / Math.sqrt(width) },
      layout,
    );
    observe?.(transpose(weights, [1, 0, 2, 3]) as Tensor4D);
    return matMul(attentionRead(dropout(weights), matMul(y, params.value), layout), params.output);
  }
  const split = (rows: Tensor2D, weights: Tensor2D) => splitHeads(matMul(rows, weights), batch, heads);
  const scaled = mul(split(x, params.query), 1 / Math.sqrt(width)); // [H, B, T, D]
  const asking = (bias: Tensor2D) => add(scaled, reshape(mul(bias, 1 / Math.sqrt(width)), [heads, 1, 1, width]));
  const k = split(y, params.key);
  const v = split(y, params.value);
  const r = reshape(splitHeads(matMul(distances, params.distance), 1, heads), [heads, -1, width]); // [H, R, D]

  const content: Tensor = matMul(asking(params.contentBias), k, false, true); // [H, B, T, K]
  const far: Tensor = matMul(reshape(asking(params.distanceBias), [heads, batch * steps, width]), r, false, true);
  let scores = add(content, byDistance(far, [heads, batch, steps], keys)) as Tensor4D;
  if (sees) scores = mul(scores, sees);
  const weights: Tensor4D = softmax(bias ? add(scores, bias) : scores);
  observe?.(transpose(weights, [1, 0, 2, 3]) as Tensor4D);
  const joined = transpose(matMul(dropout(weights), v) as Tensor4D, [1, 2, 0, 3]); // [B, T, H, D]
  return matMul(reshape(joined, [batch * steps, heads * width]) as Tensor2D, params.output);
}

/** `[B · T, H · D]` → `[H, B, T, D]`: heads first, so that the distances' scores are one product a head. */
function splitHeads(x: Tensor2D, batch: number, heads: number): Tensor4D {
  const [rows, columns] = x.shape;
  return transpose(reshape(x, [batch, rows / batch, heads, columns / heads]), [2, 0, 1, 3]) as Tensor4D;
}

/**
 * Scores by distance to scores by key: `[H, B · T, R]` → `[H, B, T, K]`. Column c of query t is the distance K − 1 − c,
 * so key j of it, at distance t + K − T − j, is in column T − 1 − t + j: one column further left with every query.
 * In one row of numbers that is a constant step of R − 1.
 */
function byDistance(far: Tensor, [heads, batch, steps]: [number, number, number], keys: number): Tensor {
  const distances = far.shape[2]!;
  const flat = reshape(far, [heads * batch, steps * distances]);
  const shifted = slice(flat, [0, steps - 1], [-1, steps * (distances - 1)]);
  return slice(reshape(shifted, [heads, batch, steps, distances - 1]), [0, 0, 0, 0], [-1, -1, -1, keys]);
}

/**
 * Distances as waves: row c encodes the distance K − 1 − c, down to −1 where queries look back only, to −T where they
 * look both ways.
 *
 *     R_p = [sin(p f) ; cos(p f)]   f_k = 10000^(−2k/d)
 *
 * @param clamp Distances beyond it, either way, are encoded as it; 0: none.
 * @returns `[K + 1 or K + T, d]`; d must be even.
 */
export function distanceCodes(steps: number, keys: number, d: number, looksBack: boolean, clamp: number): Tensor2D {
  const rows = keys + (looksBack ? 1 : steps);
  const data = new Float32Array(rows * d);
  for (let c = 0; c < rows; c++) {
    const exact = keys - 1 - c;
    const distance = clamp > 0 ? Math.max(-clamp, Math.min(exact, clamp)) : exact;
    for (let k = 0; k < d / 2; k++) {
      const angle = distance * 10_000 ** ((-2 * k) / d);
      data[c * d + k] = Math.sin(angle);
      data[c * d + d / 2 + k] = Math.cos(angle);
    }
  }
  return tensor2d(data, [rows, d]);
}
