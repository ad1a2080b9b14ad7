/**
 * Attention, one head of one session at a time, so that its scores never leave the nearest cache. Heads are columns of the
 * rows that they are computed from: nothing is transposed.
 */
import { gemm, gemmScratch } from './gemm';
import { addTo, affine, exponentials, largest } from './rows';

/** x <- a x + b over n numbers, b one each. */
function affineTo(x: usize, n: i32, a: f32, b: usize): void {
  const factor = f32x4.splat(a);
  let i = 0;
  for (; i + 4 <= n; i += 4, x += 16, b += 16) v128.store(x, f32x4.add(f32x4.mul(v128.load(x), factor), v128.load(b)));
  for (; i < n; i++, x += 4, b += 4) f32.store(x, f32.load(x) * a + f32.load(b));
}

/**
 * The softmax of scores: `weights` `[batch, heads, T, K]`, or with the heads first.
 *
 *     s = (q k^T + shifted (qw r^T)) * scale * sees + bias
 *
 * @param q `[batch * T, heads * D]`. @param k `[batch * K, heads * D]`.
 * @param qw, r For relative attention, `[batch * T, heads * D]` and `[R, heads * D]`; else 0. Column c of the product stands
 *   for the key j with c = T - 1 - t + j.
 * @param sees `[batch * T]`, or 0. @param bias Its first number, or 0; `biasBatch` and `biasRow` are its strides.
 * @param work `attentionScratch` bytes.
 */
export function attentionWeights(
  q: usize,
  k: usize,
  qw: usize,
  r: usize,
  sees: usize,
  bias: usize,
  biasBatch: i32,
  biasRow: i32,
  weights: usize,
  batch: i32,
  heads: i32,
  T: i32,
  K: i32,
  D: i32,
  R: i32,
  scale: f32,
  headsFirst: bool,
  work: usize,
): void {
  const d = heads * D;
  const far = work + <usize>gemmScratch();
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      let p = weights + ((<usize>((headsFirst ? h * batch + b : b * heads + h) * T * K)) << 2);
      const queries = (<usize>(b * T * d + h * D)) << 2;
      gemm(q + queries, d, false, k + ((<usize>(b * K * d + h * D)) << 2), d, true, p, K, T, D, K, 0, false, work);
      if (qw) gemm(qw + queries, d, false, r + ((<usize>(h * D)) << 2), d, true, far, R, T, D, R, 0, false, work);
      for (let t = 0; t < T; t++, p += (<usize>K) << 2) {
        if (qw) addTo(p, far + ((<usize>(t * R + T - 1 - t)) << 2), K);
        const factor = sees ? scale * f32.load(sees + ((<usize>(b * T + t)) << 2)) : scale;
        if (bias) affineTo(p, K, factor, bias + ((<usize>(b * biasBatch + t * biasRow)) << 2));
        else affine(p, K, factor, 0);
        const total = exponentials(p, p, K, largest(p, K));
        affine(p, K, <f32>1 / total, 0);
      }
    }
  }
}

/** Bytes of scratch: of the products, the slopes of one head's scores, and those by distance. */
export function attentionScratch(T: i32, K: i32, R: i32): i32 {
  return gemmScratch() + 4 * T * (K + R);
}

/** to <- (dy - sum of dy y) y * factor over n numbers: the slope of a softmax y. */
function softmaxSlope(dy: usize, y: usize, to: usize, n: i32, factor: f32): void {
  let total = f32x4.splat(0);
  let i = 0;
  let at: usize = 0;
  for (; i + 4 <= n; i += 4, at += 16) total = f32x4.add(total, f32x4.mul(v128.load(dy + at), v128.load(y + at)));
  let sum =
    f32x4.extract_lane(total, 0) +
    f32x4.extract_lane(total, 1) +
    (f32x4.extract_lane(total, 2) + f32x4.extract_lane(total, 3));
  for (; i < n; i++, at += 4) sum += f32.load(dy + at) * f32.load(y + at);
  const by = f32x4.splat(sum);
  const scale = f32x4.splat(factor);
  for (i = 0, at = 0; i + 4 <= n; i += 4, at += 16) {
    const slope = f32x4.mul(f32x4.sub(v128.load(dy + at), by), v128.load(y + at));
    v128.store(to + at, f32x4.mul(slope, scale));
  }
  for (; i < n; i++, at += 4) f32.store(to + at, (f32.load(dy + at) - sum) * f32.load(y + at) * factor);
}

/** Slopes of q, k, qw and r from that of the weights. */
export function attentionWeightsGradient(
  dy: usize,
  weights: usize,
  q: usize,
  k: usize,
  qw: usize,
  r: usize,
  sees: usize,
  dq: usize,
  dk: usize,
  dqw: usize,
  dr: usize,
  batch: i32,
  heads: i32,
  T: i32,
  K: i32,
  D: i32,
  R: i32,
  scale: f32,
  headsFirst: bool,
  work: usize,
): void {
  const d = heads * D;
  const ds = work + <usize>gemmScratch();
  const far = ds + ((<usize>(T * K)) << 2);
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      const first = (<usize>((headsFirst ? h * batch + b : b * heads + h) * T * K)) << 2;
      const queries = (<usize>(b * T * d + h * D)) << 2;
      const keys = (<usize>(b * K * d + h * D)) << 2;
      for (let t = 0; t < T; t++) {
        const row = (<usize>(t * K)) << 2;
        const factor = sees ? scale * f32.load(sees + ((<usize>(b * T + t)) << 2)) : scale;
        softmaxSlope(dy + first + row, weights + first + row, ds + row, K, factor);
      }
      gemm(ds, K, false, k + keys, d, false, dq + queries, d, T, K, D, 0, false, work);
      gemm(ds, K, true, q + queries, d, false, dk + keys, d, K, T, D, 0, false, work);
      if (qw) {
        const head = (<usize>(h * D)) << 2;
        memory.fill(far, 0, (<usize>(T * R)) << 2);
        for (let t = 0; t < T; t++) {
          memory.copy(far + ((<usize>(t * R + T - 1 - t)) << 2), ds + ((<usize>(t * K)) << 2), (<usize>K) << 2);
        }
        gemm(far, R, false, r + head, d, false, dqw + queries, d, T, R, D, 0, false, work);
        gemm(far, R, true, qw + queries, d, false, dr + head, d, R, T, D, b > 0 ? 1 : 0, false, work);
      }
    }
  }
}

/** What the weights read of v, `[batch * K, heads * D]`: `[batch * T, heads * D]`. */
export function attentionRead(
  weights: usize,
  v: usize,
  out: usize,
  batch: i32,
  heads: i32,
  T: i32,
  K: i32,
  D: i32,
  headsFirst: bool,
  work: usize,
): void {
  const d = heads * D;
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      const p = weights + ((<usize>((headsFirst ? h * batch + b : b * heads + h) * T * K)) << 2);
      const keys = (<usize>(b * K * d + h * D)) << 2;
      gemm(p, K, false, v + keys, d, false, out + ((<usize>(b * T * d + h * D)) << 2), d, T, K, D, 0, false, work);
    }
  }
}

/** Slopes of weights and v. */
export function attentionReadGradient(
  dy: usize,
  weights: usize,
  v: usize,
  dWeights: usize,
  dv: usize,
  batch: i32,
  heads: i32,
  T: i32,
  K: i32,
  D: i32,
  headsFirst: bool,
  work: usize,
): void {
  const d = heads * D;
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      const first = (<usize>((headsFirst ? h * batch + b : b * heads + h) * T * K)) << 2;
      const queries = (<usize>(b * T * d + h * D)) << 2;
      const keys = (<usize>(b * K * d + h * D)) << 2;
      gemm(dy + queries, d, false, v + keys, d, true, dWeights + first, K, T, D, K, 0, false, work);
      gemm(weights + first, K, true, dy + queries, d, false, dv + keys, d, K, T, D, 0, false, work);
    }
  }
}
