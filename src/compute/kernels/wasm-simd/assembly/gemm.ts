/**
 * Matrix products. Blocks of both operands are first packed into the order in which they are read: the left one in
 * slivers of 4 rows, the right one in panels of 8 columns. Then 4 x 8 numbers of the product at a time stay in registers.
 */

/** Rows of a sliver and columns of a panel. */
const MR: i32 = 4;
const NR: i32 = 8;
/** Inner numbers and columns of a block: its panels stay in the second-nearest cache, one of them in the nearest. */
const KC: i32 = 256;
const NC: i32 = 256;
/** Rows of a block: its slivers stay in the nearest cache beside one panel. */
const MC: i32 = 16;

/** Bytes of scratch that `gemm` needs. */
export function gemmScratch(): i32 {
  return 4 * (KC * MC + KC * NC + MR * NR + NR);
}

/** Writes columns 0..3 of rows r0..r3, transposed, 16 bytes every `step`. */
export function transpose4(r0: v128, r1: v128, r2: v128, r3: v128, to: usize, step: usize): void {
  const a = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
  const b = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const c = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
  const d = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f32>(a, b, 0, 1, 4, 5));
  v128.store(to + step, v128.shuffle<f32>(a, b, 2, 3, 6, 7));
  v128.store(to + 2 * step, v128.shuffle<f32>(c, d, 0, 1, 4, 5));
  v128.store(to + 3 * step, v128.shuffle<f32>(c, d, 2, 3, 6, 7));
}

/** Packs `rows` <= 4 rows of `k` numbers at `a`; row stride `lda` bytes; missing rows are whatever. */
function packRows(a: usize, lda: usize, rows: i32, k: i32, to: usize): void {
  const a1 = a + (rows > 1 ? lda : 0);
  const a2 = a + (rows > 2 ? 2 * lda : 0);
  const a3 = a + (rows > 3 ? 3 * lda : 0);
  let p = 0;
  for (; p + 4 <= k; p += 4) {
    const at = (<usize>p) << 2;
    transpose4(v128.load(a + at), v128.load(a1 + at), v128.load(a2 + at), v128.load(a3 + at), to, 16);
    to += 64;
  }
  for (; p < k; p++) {
    const at = (<usize>p) << 2;
    f32.store(to, f32.load(a + at));
    f32.store(to, f32.load(a1 + at), 4);
    f32.store(to, f32.load(a2 + at), 8);
    f32.store(to, f32.load(a3 + at), 12);
    to += 16;
  }
}

/** The same of a matrix stored transposed: row p of `lda` bytes holds number p of all rows. */
function packRowsOfTransposed(a: usize, lda: usize, rows: i32, k: i32, to: usize): void {
  if (rows === MR) {
    for (let p = 0; p < k; p++, a += lda, to += 16) v128.store(to, v128.load(a));
  } else {
    for (let p = 0; p < k; p++, a += lda, to += 16) {
      for (let i = 0; i < MR; i++) f32.store(to + ((<usize>i) << 2), i < rows ? f32.load(a + ((<usize>i) << 2)) : 0);
    }
  }
}

/** Packs the slivers of a block of `rows` <= MC rows, one after the other. */
function packBlock(a: usize, lda: usize, isTransposed: bool, rows: i32, k: i32, to: usize): void {
  const size = (<usize>k) << 4;
  if (isTransposed && rows === MC) {
    // All at once: a line of the cache is read while it is near.
    for (let p = 0; p < k; p++, a += lda, to += 16) {
      v128.store(to, v128.load(a));
      v128.store(to + size, v128.load(a, 16));
      v128.store(to + 2 * size, v128.load(a, 32));
      v128.store(to + 3 * size, v128.load(a, 48));
    }
    return;
  }
  for (let i = 0; i < rows; i += MR, to += size) {
    if (isTransposed) packRowsOfTransposed(a + ((<usize>i) << 2), lda, min(MR, rows - i), k, to);
    else packRows(a + <usize>i * lda, lda, min(MR, rows - i), k, to);
  }
}

/** Packs `columns` <= 8 columns; missing ones are 0. */
export function packColumns(b: usize, ldb: usize, columns: i32, k: i32, to: usize): void {
  if (columns === NR) {
    for (let p = 0; p < k; p++, b += ldb, to += 32) {
      v128.store(to, v128.load(b));
      v128.store(to, v128.load(b, 16), 16);
    }
  } else {
    for (let p = 0; p < k; p++, b += ldb, to += 32) {
      for (let j = 0; j < NR; j++) f32.store(to + ((<usize>j) << 2), j < columns ? f32.load(b + ((<usize>j) << 2)) : 0);
    }
  }
}

export function packColumnsOfTransposed(b: usize, ldb: usize, columns: i32, k: i32, to: usize): void {
  if (columns === NR) {
    const b4 = b + 4 * ldb;
    let p = 0;
    for (; p + 4 <= k; p += 4) {
      const at = (<usize>p) << 2;
      transpose4(
        v128.load(b + at),
        v128.load(b + ldb + at),
        v128.load(b + 2 * ldb + at),
        v128.load(b + 3 * ldb + at),
        to,
        32,
      );
      transpose4(
        v128.load(b4 + at),
        v128.load(b4 + ldb + at),
        v128.load(b4 + 2 * ldb + at),
        v128.load(b4 + 3 * ldb + at),
        to + 16,
        32,
      );
      to += 128;
    }
    for (; p < k; p++, to += 32) {
      const at = (<usize>p) << 2;
      for (let j = 0; j < NR; j++) f32.store(to + ((<usize>j) << 2), f32.load(b + <usize>j * ldb + at));
    }
  } else {
    for (let p = 0; p < k; p++, to += 32) {
      const at = (<usize>p) << 2;
      for (let j = 0; j < NR; j++) {
        f32.store(to + ((<usize>j) << 2), j < columns ? f32.load(b + <usize>j * ldb + at) : 0);
      }
    }
  }
}

/** sum + x y; in engines that fuse the two it takes half the instructions and rounds once. */
export function plus(sum: v128, x: v128, y: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(x, y, sum);
  return f32x4.add(sum, f32x4.mul(x, y));
}

/**
 * 4 x 8 numbers of the product at `c`, rows `ldc` bytes apart.
 *
 * @param lda Bytes from a row of the left side to the next; of slivers 4.
 * @param step Bytes from a number of a row to its next; of slivers 16.
 * @param start 0: from zero; 1: added to what is there; else the address of 8 numbers that every row starts with.
 * @param relu Whether negative numbers become 0.
 */
export function tile(
  k: i32,
  a: usize,
  lda: usize,
  step: usize,
  b: usize,
  c: usize,
  ldc: usize,
  start: usize,
  relu: bool,
): void {
  let c00: v128, c01: v128, c10: v128, c11: v128, c20: v128, c21: v128, c30: v128, c31: v128;
  const c1 = c + ldc;
  const c2 = c1 + ldc;
  const c3 = c2 + ldc;
  let a1 = a + lda;
  let a2 = a1 + lda;
  let a3 = a2 + lda;
  if (start === 1) {
    c00 = v128.load(c);
    c01 = v128.load(c, 16);
    c10 = v128.load(c1);
    c11 = v128.load(c1, 16);
    c20 = v128.load(c2);
    c21 = v128.load(c2, 16);
    c30 = v128.load(c3);
    c31 = v128.load(c3, 16);
  } else if (start === 0) {
    c00 = f32x4.splat(0);
    c01 = c00;
    c10 = c00;
    c11 = c00;
    c20 = c00;
    c21 = c00;
    c30 = c00;
    c31 = c00;
  } else {
    c00 = v128.load(start);
    c01 = v128.load(start, 16);
    c10 = c00;
    c11 = c01;
    c20 = c00;
    c21 = c01;
    c30 = c00;
    c31 = c01;
  }
  for (let p = 0; p < k; p++) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let x = v128.load32_splat(a);
    c00 = plus(c00, x, b0);
    c01 = plus(c01, x, b1);
    x = v128.load32_splat(a1);
    c10 = plus(c10, x, b0);
    c11 = plus(c11, x, b1);
    x = v128.load32_splat(a2);
    c20 = plus(c20, x, b0);
    c21 = plus(c21, x, b1);
    x = v128.load32_splat(a3);
    c30 = plus(c30, x, b0);
    c31 = plus(c31, x, b1);
    a += step;
    a1 += step;
    a2 += step;
    a3 += step;
    b += 32;
  }
  // In this order NaN is kept.
  const least = f32x4.splat(relu ? 0 : -Infinity);
  v128.store(c, f32x4.pmax(c00, least));
  v128.store(c, f32x4.pmax(c01, least), 16);
  v128.store(c1, f32x4.pmax(c10, least));
  v128.store(c1, f32x4.pmax(c11, least), 16);
  v128.store(c2, f32x4.pmax(c20, least));
  v128.store(c2, f32x4.pmax(c21, least), 16);
  v128.store(c3, f32x4.pmax(c30, least));
  v128.store(c3, f32x4.pmax(c31, least), 16);
}

/** A tile over the edge of the product: computed aside, then the `rows` x `count` numbers that exist are copied. */
function edge(
  k: i32,
  a: usize,
  b: usize,
  c: usize,
  ldc: usize,
  start: usize,
  relu: bool,
  rows: i32,
  count: i32,
  spare: usize,
): void {
  const spareStart = spare + <usize>(4 * MR * NR);
  let from = start;
  if (start > 1) {
    for (let q = 0; q < NR; q++) {
      f32.store(spareStart + ((<usize>q) << 2), q < count ? f32.load(start + ((<usize>q) << 2)) : 0);
    }
    from = spareStart;
  } else if (start === 1) {
    for (let r = 0; r < rows; r++) {
      for (let q = 0; q < count; q++) {
        f32.store(spare + ((<usize>(r * NR + q)) << 2), f32.load(c + <usize>r * ldc + ((<usize>q) << 2)));
      }
    }
  }
  tile(k, a, 4, 16, b, spare, 4 * NR, from, relu);
  for (let r = 0; r < rows; r++) {
    for (let q = 0; q < count; q++) {
      f32.store(c + <usize>r * ldc + ((<usize>q) << 2), f32.load(spare + ((<usize>(r * NR + q)) << 2)));
    }
  }
}

/**
 * `c[m, n] = relu?(start + op(a)[m, k] op(b)[k, n])`; strides in numbers.
 *
 * @param a Address of the left matrix: `[m, k]`, or `[k, m]` where `tA`, rows `lda` numbers apart.
 * @param start 0: nothing; 1: what is in c; else the address of a bias `[n]`.
 * @param scratch `gemmScratch()` bytes.
 */
export function gemm(
  a: usize,
  lda: i32,
  tA: bool,
  b: usize,
  ldb: i32,
  tB: bool,
  c: usize,
  ldc: i32,
  m: i32,
  k: i32,
  n: i32,
  start: usize,
  relu: bool,
  scratch: usize,
): void {
  const slivers = scratch;
  const spare = slivers + <usize>(4 * KC * MC);
  const panels = spare + <usize>(4 * (MR * NR + NR));
  const rowA = (<usize>lda) << 2;
  const rowB = (<usize>ldb) << 2;
  const rowC = (<usize>ldc) << 2;
  for (let j0 = 0; j0 < n; j0 += NC) {
    const columns = min(NC, n - j0);
    for (let p0 = 0; p0 < k; p0 += KC) {
      const depth = min(KC, k - p0);
      const lastRelu = relu && p0 + depth === k;
      for (let j = 0; j < columns; j += NR) {
        const to = panels + <usize>(j * depth) * 4;
        const count = min(NR, columns - j);
        if (tB) packColumnsOfTransposed(b + <usize>(j0 + j) * rowB + ((<usize>p0) << 2), rowB, count, depth, to);
        else packColumns(b + <usize>p0 * rowB + ((<usize>(j0 + j)) << 2), rowB, count, depth, to);
      }
      for (let i0 = 0; i0 < m; i0 += MC) {
        const height = min(MC, m - i0);
        const block = tA ? a + <usize>p0 * rowA + ((<usize>i0) << 2) : a + <usize>i0 * rowA + ((<usize>p0) << 2);
        packBlock(block, rowA, tA, height, depth, slivers);
        for (let j = 0; j < columns; j += NR) {
          const count = min(NR, columns - j);
          const panel = panels + <usize>(j * depth) * 4;
          const from: usize = p0 > 0 ? 1 : start > 1 ? start + ((<usize>(j0 + j)) << 2) : start;
          for (let i = 0; i < height; i += MR) {
            const rows = min(MR, height - i);
            const at = c + <usize>(i0 + i) * rowC + ((<usize>(j0 + j)) << 2);
            const sliver = slivers + <usize>(i * depth) * 4;
            if (rows === MR && count === NR) tile(depth, sliver, 4, 16, panel, at, rowC, from, lastRelu);
            else edge(depth, sliver, panel, at, rowC, from, lastRelu, rows, count, spare);
          }
        }
      }
    }
  }
}
