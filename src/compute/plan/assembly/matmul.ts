/** Matrix products whose right side is packed before: once for weights, in each session for keys and values. */
import { packColumns, packColumnsOfTransposed, plus, tile } from '../../kernels/wasm-simd/assembly/gemm';
import { address, bytes, size } from './step';

/** b, ldb, transposed, k, n, to, batches, bStep, toStep: panels of 8 columns of a right matrix. */
export function pack(s: usize): void {
  const k = size(s, 4);
  const n = size(s, 5);
  for (let i: usize = 0; i < address(s, 7); i++) {
    const b = address(s, 1) + i * bytes(s, 8);
    let to = address(s, 6) + i * bytes(s, 9);
    for (let j = 0; j < n; j += 8) {
      const count = min(8, n - j);
      if (size(s, 3)) packColumnsOfTransposed(b + <usize>j * bytes(s, 2), bytes(s, 2), count, k, to);
      else packColumns(b + ((<usize>j) << 2), bytes(s, 2), count, k, to);
      to += (<usize>k) << 5;
    }
  }
}

/** One row times 32 columns, in four panels. */
function rowTile(k: i32, a: usize, b: usize, bias: usize, c: usize, relu: bool): void {
  const panel = (<usize>k) << 5;
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let s4 = s0;
  let s5 = s0;
  let s6 = s0;
  let s7 = s0;
  if (bias) {
    s0 = v128.load(bias);
    s1 = v128.load(bias, 16);
    s2 = v128.load(bias, 32);
    s3 = v128.load(bias, 48);
    s4 = v128.load(bias, 64);
    s5 = v128.load(bias, 80);
    s6 = v128.load(bias, 96);
    s7 = v128.load(bias, 112);
  }
  let b1 = b + panel;
  let b2 = b1 + panel;
  let b3 = b2 + panel;
  for (const end = a + ((<usize>k) << 2); a < end; a += 4) {
    const x = v128.load32_splat(a);
    s0 = plus(s0, x, v128.load(b));
    s1 = plus(s1, x, v128.load(b, 16));
    s2 = plus(s2, x, v128.load(b1));
    s3 = plus(s3, x, v128.load(b1, 16));
    s4 = plus(s4, x, v128.load(b2));
    s5 = plus(s5, x, v128.load(b2, 16));
    s6 = plus(s6, x, v128.load(b3));
    s7 = plus(s7, x, v128.load(b3, 16));
    b += 32;
    b1 += 32;
    b2 += 32;
    b3 += 32;
  }
  const least = f32x4.splat(relu ? 0 : -Infinity);
  v128.store(c, f32x4.pmax(s0, least));
  v128.store(c, f32x4.pmax(s1, least), 16);
  v128.store(c, f32x4.pmax(s2, least), 32);
  v128.store(c, f32x4.pmax(s3, least), 48);
  v128.store(c, f32x4.pmax(s4, least), 64);
  v128.store(c, f32x4.pmax(s5, least), 80);
  v128.store(c, f32x4.pmax(s6, least), 96);
  v128.store(c, f32x4.pmax(s7, least), 112);
}

/**
 * a, panels, bias or 0, to, m, k, n, relu, batches, aStep, bStep, toStep, lda, ldc: `relu?(a[m, k] b[k, n] + bias[n])`, rows of a lda and of the
 * product ldc numbers apart.
 *
 * Tiles are whole. What they write behind the last column of a row is the start of the next row, which is written later: rows come from
 * the first to the last, and panels of several rows from the last to the first. Behind the last row every array has room.
 */
export function matmul(s: usize): void {
  const m = size(s, 5);
  const k = size(s, 6);
  const n = size(s, 7);
  const relu = size(s, 8) !== 0;
  const bias = address(s, 3);
  const lda = bytes(s, 13);
  const ldc = bytes(s, 14);
  for (let i: usize = 0; i < address(s, 9); i++) {
    let a = address(s, 1) + i * bytes(s, 10);
    const b = address(s, 2) + i * bytes(s, 11);
    let c = address(s, 4) + i * bytes(s, 12);
    if (m < 4) {
      for (let r = 0; r < m; r++) {
        for (let j = 0; j < n; ) {
          const at = (<usize>j) << 2;
          const start = bias ? bias + at : 0;
          if (j + 32 <= n) {
            rowTile(k, a, b + at * <usize>k, start, c + at, relu);
            j += 32;
          } else {
            tile(k, a, 0, 4, b + at * <usize>k, c + at, 0, start, relu);
            j += 8;
          }
        }
        a += lda;
        c += ldc;
      }
    } else {
      for (let j = (n - 1) & -8; j >= 0; j -= 8) {
        const at = (<usize>j) << 2;
        for (let r = 0; r < m; r += 4) {
          const row: usize = min(r, m - 4); // the last four again, where fewer are left
          tile(k, a + row * lda, lda, 4, b + at * <usize>k, c + row * ldc + at, ldc, bias ? bias + at : 0, relu);
        }
      }
    }
  }
}
