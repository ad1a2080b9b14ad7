/** Kernels over the rows of a matrix: softmax and its losses, layer normalisation, sums. */
import { transpose4 } from './gemm';
import { exp4, LEAST_EXPONENT, loadPart, max4, storePart, sum4 } from './math';

/** The largest of n >= 1 numbers, NaN passed over. */
export function largest(x: usize, n: i32): f32 {
  let i = 0;
  let m = f32x4.splat(-Infinity);
  for (; i + 4 <= n; i += 4, x += 16) m = f32x4.pmax(m, v128.load(x));
  return max4(f32x4.pmax(m, loadPart(x, n - i, -Infinity)));
}

/** Writes e^(x - shift) of n numbers, and returns their sum; a few thousand at a time, so that no digits are lost. */
export function exponentials(x: usize, to: usize, n: i32, shift: f32): f32 {
  const by = f32x4.splat(shift);
  let i = 0;
  let s0 = f32x4.splat(0);
  let s1 = s0;
  for (; i + 8 <= n; i += 8, x += 32, to += 32) {
    const x0 = f32x4.sub(v128.load(x), by);
    const x1 = f32x4.sub(v128.load(x, 16), by);
    // What a mask hides: e^x is 0 there. NaN is not less.
    const least = f32x4.splat(LEAST_EXPONENT);
    if (i32x4.all_true(v128.and(f32x4.lt(x0, least), f32x4.lt(x1, least)))) {
      v128.store(to, f32x4.splat(0));
      v128.store(to, f32x4.splat(0), 16);
      continue;
    }
    const e0 = exp4(x0);
    const e1 = exp4(x1);
    v128.store(to, e0);
    v128.store(to, e1, 16);
    s0 = f32x4.add(s0, e0);
    s1 = f32x4.add(s1, e1);
  }
  for (; i + 4 <= n; i += 4, x += 16, to += 16) {
    const e = exp4(f32x4.sub(v128.load(x), by));
    v128.store(to, e);
    s0 = f32x4.add(s0, e);
  }
  if (i < n) {
    const e = exp4(f32x4.sub(loadPart(x, n - i, -Infinity), by));
    storePart(to, e, n - i);
    s1 = f32x4.add(s1, e);
  }
  return sum4(f32x4.add(s0, s1));
}

/** x <- a x + b over n numbers. */
export function affine(x: usize, n: i32, a: f32, b: f32): void {
  const factor = f32x4.splat(a);
  const shift = f32x4.splat(b);
  let i = 0;
  for (; i + 4 <= n; i += 4, x += 16) v128.store(x, f32x4.add(f32x4.mul(v128.load(x), factor), shift));
  for (; i < n; i++, x += 4) f32.store(x, f32.load(x) * a + b);
}

/** The sum of n numbers, each less `shift`. */
export function sumOf(x: usize, n: i32, shift: f32): f32 {
  const by = f32x4.splat(shift);
  let i = 0;
  let s = f32x4.splat(0);
  for (; i + 4 <= n; i += 4, x += 16) s = f32x4.add(s, f32x4.sub(v128.load(x), by));
  return sum4(f32x4.add(s, f32x4.sub(loadPart(x, n - i, shift), by)));
}

/**
 * Of every row of scores s, `[rows, columns]`: what its cross-entropy is made of, and the slopes of that.
 *
 *     parts = [sum of e^(s - m), m, spread * sum of (s - m)]       m the largest of s
 *     slope = (softmax(s) - spread - own at the target) * dy
 *
 * @param positive Address of the targets' columns.
 * @param dy Address of one number a row; 0: all are 1.
 * @param parts Address of three numbers a row; 0: not asked for.
 * @param slope Address of `[rows, columns]`, which may be s itself.
 */
export function crossEntropy(
  s: usize,
  positive: usize,
  dy: usize,
  rows: i32,
  columns: i32,
  spread: f32,
  own: f32,
  parts: usize,
  slope: usize,
): void {
  const stride = (<usize>columns) << 2;
  for (let row = 0; row < rows; row++) {
    const m = largest(s, columns);
    let rest: f32 = 0;
    if (parts && spread !== 0) rest = spread * sumOf(s, columns, m);
    const total = exponentials(s, slope, columns, m);
    if (parts) {
      f32.store(parts, total);
      f32.store(parts, m, 4);
      f32.store(parts, rest, 8);
      parts += 12;
    }
    let factor: f32 = 1;
    if (dy) {
      factor = f32.load(dy);
      dy += 4;
    }
    affine(slope, columns, factor / total, -spread * factor);
    const at = slope + ((<usize>i32.load(positive)) << 2);
    f32.store(at, f32.load(at) - own * factor);
    positive += 4;
    s += stride;
    slope += stride;
  }
}

/**
 * Layer normalisation of the rows of x, `[rows, d]`: `nn/layer-norm.ts` has the equations.
 *
 * @param y, n `[rows, d]`; n may be y where nobody reads it. @param r `[rows]`; 0: not asked for.
 */
export function layerNorm(
  x: usize,
  gain: usize,
  bias: usize,
  epsilon: f32,
  rows: i32,
  d: i32,
  y: usize,
  n: usize,
  r: usize,
): void {
  const share: f32 = 1 / <f32>d;
  const keepsScale = r !== 0;
  for (let row = 0; row < rows; row++, r += 4) {
    const mean = sumOf(x, d, 0) * share;
    const by = f32x4.splat(mean);
    let i = 0;
    let at: usize = 0;
    let squares = f32x4.splat(0);
    for (; i + 4 <= d; i += 4, at += 16) {
      const centred = f32x4.sub(v128.load(x + at), by);
      squares = f32x4.add(squares, f32x4.mul(centred, centred));
    }
    const last = f32x4.sub(loadPart(x + at, d - i, mean), by);
    const variance = sum4(f32x4.add(squares, f32x4.mul(last, last))) * share;
    const scale: f32 = <f32>1 / sqrt<f32>(variance + epsilon);
    if (keepsScale) f32.store(r, scale);
    const factor = f32x4.splat(scale);
    for (i = 0, at = 0; i + 4 <= d; i += 4, at += 16) {
      const normal = f32x4.mul(f32x4.sub(v128.load(x + at), by), factor);
      v128.store(n + at, normal);
      v128.store(y + at, f32x4.add(f32x4.mul(normal, v128.load(gain + at)), v128.load(bias + at)));
    }
    for (; i < d; i++, at += 4) {
      const normal = (f32.load(x + at) - mean) * scale;
      f32.store(n + at, normal);
      f32.store(y + at, normal * f32.load(gain + at) + f32.load(bias + at));
    }
    x += (<usize>d) << 2;
    y += (<usize>d) << 2;
    n += (<usize>d) << 2;
  }
}

/** Rows whose sums are taken before they join the total: single numbers would drown in it. */
const CHUNK: i32 = 64;

/**
 * Its gradient: dx `[rows, d]`, and the sums over rows `dGain`, `dBias`, `[d]`. `chunk` has room for 2 d numbers.
 */
export function layerNormGradient(
  dy: usize,
  n: usize,
  r: usize,
  gain: usize,
  rows: i32,
  d: i32,
  dx: usize,
  dGain: usize,
  dBias: usize,
  chunk: usize,
): void {
  const bytes = (<usize>d) << 2;
  const share: f32 = 1 / <f32>d;
  memory.fill(dGain, 0, bytes);
  memory.fill(dBias, 0, bytes);
  memory.fill(chunk, 0, 2 * bytes);
  for (let row = 0; row < rows; row++, r += 4) {
    let i = 0;
    let at: usize = 0;
    let sum = f32x4.splat(0);
    let along = sum;
    for (; i + 4 <= d; i += 4, at += 16) {
      const slope = v128.load(dy + at);
      const normal = v128.load(n + at);
      const delta = f32x4.mul(slope, v128.load(gain + at));
      const product = f32x4.mul(slope, normal);
      sum = f32x4.add(sum, delta);
      along = f32x4.add(along, f32x4.mul(delta, normal));
      v128.store(chunk + at, f32x4.add(v128.load(chunk + at), product));
      v128.store(chunk + bytes + at, f32x4.add(v128.load(chunk + bytes + at), slope));
    }
    let meanDelta = sum4(sum);
    let meanAlong = sum4(along);
    for (; i < d; i++, at += 4) {
      const slope = f32.load(dy + at);
      const normal = f32.load(n + at);
      const delta = slope * f32.load(gain + at);
      meanDelta += delta;
      meanAlong += delta * normal;
      f32.store(chunk + at, f32.load(chunk + at) + slope * normal);
      f32.store(chunk + bytes + at, f32.load(chunk + bytes + at) + slope);
    }
    meanDelta *= share;
    meanAlong *= share;
    const scale = f32.load(r);
    for (i = 0, at = 0; i + 4 <= d; i += 4, at += 16) {
      const delta = f32x4.mul(v128.load(dy + at), v128.load(gain + at));
      const rest = f32x4.sub(
        f32x4.sub(delta, f32x4.splat(meanDelta)),
        f32x4.mul(v128.load(n + at), f32x4.splat(meanAlong)),
      );
      v128.store(dx + at, f32x4.mul(f32x4.splat(scale), rest));
    }
    for (; i < d; i++, at += 4) {
      const delta = f32.load(dy + at) * f32.load(gain + at);
      f32.store(dx + at, scale * (delta - meanDelta - f32.load(n + at) * meanAlong));
    }
    dy += bytes;
    n += bytes;
    dx += bytes;
    if (row % CHUNK === CHUNK - 1 || row === rows - 1) {
      addTo(dGain, chunk, d);
      addTo(dBias, chunk + bytes, d);
      memory.fill(chunk, 0, 2 * bytes);
    }
  }
}

/** to <- to + x over n numbers. */
export function addTo(to: usize, x: usize, n: i32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4, to += 16, x += 16) v128.store(to, f32x4.add(v128.load(to), v128.load(x)));
  for (; i < n; i++, to += 4, x += 4) f32.store(to, f32.load(to) + f32.load(x));
}

/** The sum over the middle of x, `[outer, count, inner]` to `[outer, inner]`; `chunk` has room for `inner` numbers. */
export function sumMiddle(x: usize, to: usize, outer: i32, count: i32, inner: i32, chunk: usize): void {
  const bytes = (<usize>inner) << 2;
  for (let block = 0; block < outer; block++, to += bytes) {
    memory.fill(to, 0, bytes);
    for (let done = 0; done < count; ) {
      const rows = min(CHUNK, count - done);
      memory.copy(chunk, x, bytes);
      x += bytes;
      for (let row = 1; row < rows; row++, x += bytes) addTo(chunk, x, inner);
      addTo(to, chunk, inner);
      done += rows;
    }
  }
}

/** `out[ids[i]] += x[i]` over `count` rows of `width` numbers; ids outside 0...segments - 1 are passed over. */
export function addRows(x: usize, ids: usize, out: usize, count: i32, width: i32, segments: i32): void {
  const bytes = (<usize>width) << 2;
  for (let i = 0; i < count; i++, x += bytes, ids += 4) {
    const segment = i32.load(ids);
    if (<u32>segment < <u32>segments) addTo(out + <usize>segment * bytes, x, width);
  }
}

/** `out[i] = x[ids[i]]` over `count` rows of `width` numbers. The ids are in range. */
export function gatherRows(x: usize, ids: usize, out: usize, count: i32, width: i32): void {
  const bytes = (<usize>width) << 2;
  for (let i = 0; i < count; i++, out += bytes, ids += 4) memory.copy(out, x + <usize>i32.load(ids) * bytes, bytes);
}

/** Copies `count` blocks of as many bytes, each operand's `step` bytes apart. */
export function copyBlocks(from: usize, fromStep: i32, to: usize, toStep: i32, bytes: i32, count: i32): void {
  for (let i = 0; i < count; i++, from += fromStep, to += toStep) memory.copy(to, from, bytes);
}

/** The transposes of `count` matrices `[rows, columns]`, in squares of 16 that stay in the nearest cache. */
export function transpose(x: usize, to: usize, count: i32, rows: i32, columns: i32): void {
  const bytes = (<usize>(rows * columns)) << 2;
  const rowStep = (<usize>columns) << 2;
  const columnStep = (<usize>rows) << 2;
  for (let block = 0; block < count; block++, x += bytes, to += bytes) {
    for (let i0 = 0; i0 < rows; i0 += 16) {
      const iEnd = min(i0 + 16, rows);
      for (let j0 = 0; j0 < columns; j0 += 16) {
        const jEnd = min(j0 + 16, columns);
        let i = i0;
        for (; i + 4 <= iEnd; i += 4) {
          const row = x + <usize>i * rowStep;
          let j = j0;
          for (; j + 4 <= jEnd; j += 4) {
            const at = row + ((<usize>j) << 2);
            transpose4(
              v128.load(at),
              v128.load(at + rowStep),
              v128.load(at + 2 * rowStep),
              v128.load(at + 3 * rowStep),
              to + <usize>j * columnStep + ((<usize>i) << 2),
              columnStep,
            );
          }
          for (; j < jEnd; j++) {
            for (let r = 0; r < 4; r++) {
              f32.store(
                to + <usize>j * columnStep + ((<usize>(i + r)) << 2),
                f32.load(row + <usize>r * rowStep + ((<usize>j) << 2)),
              );
            }
          }
        }
        for (; i < iEnd; i++) {
          for (let j = j0; j < jEnd; j++) {
            f32.store(
              to + <usize>j * columnStep + ((<usize>i) << 2),
              f32.load(x + <usize>i * rowStep + ((<usize>j) << 2)),
            );
          }
        }
      }
    }
  }
}
