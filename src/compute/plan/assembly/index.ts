/**
 * The machine of compiled plans: a list of steps over one block of memory. A step is a word that names it, and its operands:
 * addresses in bytes, sizes and strides in numbers of 4 bytes. Who loads a plan has checked every operand; only the ids of
 * `gather` come later, and are checked here. Built by `npm run simd`.
 */
import {
  edge,
  packColumns,
  packColumnsOfTransposed,
  packRows,
  plus,
  tile,
} from '../../kernels/wasm-simd/assembly/gemm';
import { erf4, exp4, max4, sum4, tanh4 } from '../../kernels/wasm-simd/assembly/math';
import { found, offerAll, startTop } from './top';

/** @param i Which operand, from 1. */
function address(step: usize, i: usize): usize {
  return <usize>load<u32>(step + (i << 2));
}
function size(step: usize, i: usize): i32 {
  return i32.load(step + (i << 2));
}
function bytes(step: usize, i: usize): usize {
  return (<usize>load<u32>(step + (i << 2))) << 2;
}

/** Scratch for `rows` x `k` numbers of the left matrix, in slivers of 4 rows, and one tile. */
const TILE_BYTES: usize = 4 * (32 + 8);

/** b, ldb, transposed, k, n, to, batches, bStep, toStep: panels of 8 columns of a right matrix. */
function pack(s: usize): void {
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

/** a, panels, bias or 0, to, m, k, n, relu, batches, aStep, bStep, toStep, scratch: `relu?(a[m, k] b[k, n] + bias[n])`. */
function matmul(s: usize): void {
  const m = size(s, 5);
  const k = size(s, 6);
  const n = size(s, 7);
  const relu = size(s, 8) !== 0;
  const rowA = (<usize>k) << 2;
  const rowC = (<usize>n) << 2;
  const sliver = (<usize>k) << 4;
  const bias = address(s, 3);
  const spare = address(s, 13);
  const slivers = spare + TILE_BYTES;
  for (let i: usize = 0; i < address(s, 9); i++) {
    const a = address(s, 1) + i * bytes(s, 10);
    const b = address(s, 2) + i * bytes(s, 11);
    const c = address(s, 4) + i * bytes(s, 12);
    let j = 0;
    if (m === 1) {
      for (; j + 32 <= n; j += 32) {
        const at = (<usize>j) << 2;
        rowTile(k, a, b + <usize>j * rowA, bias ? bias + at : 0, c + at, relu);
      }
      if (j === n) continue;
    }
    for (let r = 0; r < m; r += 4)
      packRows(a + <usize>r * rowA, rowA, min(4, m - r), k, slivers + <usize>(r >> 2) * sliver);
    for (; j < n; j += 8) {
      const at = (<usize>j) << 2;
      const start = bias ? bias + at : 0;
      const count = min(8, n - j);
      for (let r = 0; r < m; r += 4) {
        const rows = min(4, m - r);
        const from = slivers + <usize>(r >> 2) * sliver;
        const to = c + <usize>r * rowC + at;
        if (rows === 4 && count === 8) tile(k, from, b + <usize>j * rowA, to, rowC, start, relu);
        else edge(k, from, b + <usize>j * rowA, to, rowC, start, relu, rows, count, spare);
      }
    }
  }
}

function combine(op: i32, x: v128, y: v128): v128 {
  switch (op) {
    case 0:
      return f32x4.add(x, y);
    case 1:
      return f32x4.sub(x, y);
    case 2:
      return f32x4.mul(x, y);
    case 3:
      return f32x4.div(x, y);
    case 4:
      return f32x4.min(x, y);
    case 5:
      return f32x4.max(x, y);
    case 6:
      return v128.and(f32x4.ne(x, y), f32x4.splat(1));
    case 7:
      return v128.and(f32x4.eq(x, y), f32x4.splat(1));
    case 8:
      return v128.and(f32x4.gt(x, y), f32x4.splat(1));
    case 9:
      return v128.and(f32x4.ge(x, y), f32x4.splat(1));
    case 10:
      return v128.and(f32x4.lt(x, y), f32x4.splat(1));
    default:
      return v128.and(f32x4.le(x, y), f32x4.splat(1));
  }
}

/** n numbers of one row; a stride of 0 repeats one number, one of 1 goes on. */
function combineRow(op: i32, a: usize, sa: usize, b: usize, sb: usize, to: usize, n: i32): void {
  const isWide = sa <= 4 && sb <= 4;
  let i = 0;
  if (isWide) {
    const x = v128.load32_splat(a);
    const y = v128.load32_splat(b);
    for (; i + 4 <= n; i += 4) {
      v128.store(to, combine(op, sa ? v128.load(a) : x, sb ? v128.load(b) : y));
      a += sa << 2;
      b += sb << 2;
      to += 16;
    }
  }
  for (; i < n; i++) {
    v128.store32_lane(to, combine(op, v128.load32_zero(a), v128.load32_zero(b)), 0);
    a += sa;
    b += sb;
    to += 4;
  }
}

/** op, a, b, to, four sizes, four strides of a, four of b. */
function binary(s: usize): void {
  let to = address(s, 4);
  const n = size(s, 8);
  for (let i: usize = 0; i < address(s, 5); i++) {
    for (let j: usize = 0; j < address(s, 6); j++) {
      for (let k: usize = 0; k < address(s, 7); k++) {
        const a = address(s, 2) + i * bytes(s, 9) + j * bytes(s, 10) + k * bytes(s, 11);
        const b = address(s, 3) + i * bytes(s, 13) + j * bytes(s, 14) + k * bytes(s, 15);
        combineRow(size(s, 1), a, bytes(s, 12), b, bytes(s, 16), to, n);
        to += (<usize>n) << 2;
      }
    }
  }
}

function apply(op: i32, x: v128): v128 {
  const one = f32x4.splat(1);
  switch (op) {
    case 0:
      return f32x4.mul(x, x);
    case 1:
      return f32x4.div(one, f32x4.sqrt(x));
    case 2:
      return f32x4.pmax(x, f32x4.splat(0));
    case 3:
      return f32x4.div(one, f32x4.add(one, exp4(f32x4.neg(x))));
    case 4:
      return tanh4(x);
    case 5:
      return erf4(x, exp4(f32x4.neg(f32x4.mul(x, x))));
    case 6:
      return exp4(x);
    case 7:
      return f32x4.neg(x);
    case 8:
      return f32x4.abs(x);
    case 9:
      return f32x4.sqrt(x);
    case 10:
      return f32x4.convert_i32x4_s(x);
    default:
      return i32x4.trunc_sat_f32x4_s(x);
  }
}

/** op, x, to, n. */
function unary(s: usize): void {
  let x = address(s, 2);
  let to = address(s, 3);
  const n = size(s, 4);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    v128.store(to, apply(size(s, 1), v128.load(x)));
    x += 16;
    to += 16;
  }
  for (; i < n; i++) {
    v128.store32_lane(to, apply(size(s, 1), v128.load32_zero(x)), 0);
    x += 4;
    to += 4;
  }
}

/** op (0 sum, 1 mean, 2 max), x, to, outer, count, inner. */
function reduce(s: usize): void {
  const op = size(s, 1);
  const outer = size(s, 4);
  const count = size(s, 5);
  const inner = bytes(s, 6);
  let x = address(s, 2);
  let to = address(s, 3);
  for (let i = 0; i < outer; i++) {
    for (let j: usize = 0; j < inner; j += 4) {
      let sum: f32 = f32.load(x + j);
      if (inner === 4 && op < 2) {
        let parts = f32x4.splat(0);
        let p = 0;
        for (; p + 4 <= count; p += 4) parts = f32x4.add(parts, v128.load(x + ((<usize>p) << 2)));
        sum = sum4(parts);
        for (; p < count; p++) sum += f32.load(x + ((<usize>p) << 2));
      } else {
        for (let p = 1; p < count; p++) {
          const next = f32.load(x + j + <usize>p * inner);
          sum = op === 2 ? max(sum, next) : sum + next;
        }
      }
      f32.store(to, op === 1 ? sum / <f32>count : sum);
      to += 4;
    }
    x += <usize>count * inner;
  }
}

/** x, to, rows, n. */
function softmax(s: usize): void {
  let x = address(s, 1);
  let to = address(s, 2);
  const n = size(s, 4);
  for (let r = 0; r < size(s, 3); r++) {
    let most: f32 = f32.load(x);
    let i = 0;
    if (n >= 4) {
      let parts = v128.load(x);
      for (i = 4; i + 4 <= n; i += 4) parts = f32x4.max(parts, v128.load(x + ((<usize>i) << 2)));
      most = max4(parts);
    }
    for (; i < n; i++) most = max(most, f32.load(x + ((<usize>i) << 2)));
    const shift = f32x4.splat(most);
    let parts = f32x4.splat(0);
    for (i = 0; i + 4 <= n; i += 4) {
      const e = exp4(f32x4.sub(v128.load(x + ((<usize>i) << 2)), shift));
      v128.store(to + ((<usize>i) << 2), e);
      parts = f32x4.add(parts, e);
    }
    let sum = sum4(parts);
    for (; i < n; i++) {
      const e = exp4(f32x4.sub(v128.load32_zero(x + ((<usize>i) << 2)), shift));
      v128.store32_lane(to + ((<usize>i) << 2), e, 0);
      sum += f32x4.extract_lane(e, 0);
    }
    const factor = f32x4.splat(1 / sum);
    for (i = 0; i + 4 <= n; i += 4) {
      const at = to + ((<usize>i) << 2);
      v128.store(at, f32x4.mul(v128.load(at), factor));
    }
    for (; i < n; i++) {
      const at = to + ((<usize>i) << 2);
      f32.store(at, f32.load(at) * (1 / sum));
    }
    x += (<usize>n) << 2;
    to += (<usize>n) << 2;
  }
}

/** x, to, four sizes, four strides of x: any order of the axes, a part of them, or repetitions. */
function move(s: usize): void {
  let to = address(s, 2);
  const n = size(s, 6);
  const step = bytes(s, 10);
  for (let i: usize = 0; i < address(s, 3); i++) {
    for (let j: usize = 0; j < address(s, 4); j++) {
      for (let k: usize = 0; k < address(s, 5); k++) {
        let x = address(s, 1) + i * bytes(s, 7) + j * bytes(s, 8) + k * bytes(s, 9);
        if (step === 4) {
          memory.copy(to, x, (<usize>n) << 2);
          to += (<usize>n) << 2;
        } else {
          for (let l = 0; l < n; l++) {
            store<u32>(to, load<u32>(x));
            x += step;
            to += 4;
          }
        }
      }
    }
  }
}

/** x, to, count, width, toStep: rows beside each other into wider ones. */
function place(s: usize): void {
  const width = bytes(s, 4);
  for (let i: usize = 0; i < address(s, 3); i++) {
    memory.copy(address(s, 2) + i * bytes(s, 5), address(s, 1) + i * width, width);
  }
}

/** x, gain, bias, to, rows, d, the bits of epsilon: layer normalisation. */
function norm(s: usize): void {
  const gain = address(s, 2);
  const bias = address(s, 3);
  const d = size(s, 6);
  const share: f32 = 1 / <f32>d;
  const width = (<usize>d) << 2;
  let x = address(s, 1);
  let to = address(s, 4);
  for (let r = 0; r < size(s, 5); r++) {
    let parts = f32x4.splat(0);
    let i: usize = 0;
    for (; i + 16 <= width; i += 16) parts = f32x4.add(parts, v128.load(x + i));
    let sum = sum4(parts);
    for (; i < width; i += 4) sum += f32.load(x + i);
    const mean = sum * share;
    const means = f32x4.splat(mean);
    parts = f32x4.splat(0);
    for (i = 0; i + 16 <= width; i += 16) {
      const c = f32x4.sub(v128.load(x + i), means);
      parts = f32x4.add(parts, f32x4.mul(c, c));
    }
    sum = sum4(parts);
    for (; i < width; i += 4) {
      const c = f32.load(x + i) - mean;
      sum += c * c;
    }
    const factor: f32 = 1 / sqrt<f32>(sum * share + f32.load(s, 28));
    const factors = f32x4.splat(factor);
    for (i = 0; i + 16 <= width; i += 16) {
      const n = f32x4.mul(f32x4.sub(v128.load(x + i), means), factors);
      v128.store(to + i, f32x4.add(f32x4.mul(n, v128.load(gain + i)), v128.load(bias + i)));
    }
    for (; i < width; i += 4) {
      f32.store(to + i, (f32.load(x + i) - mean) * factor * f32.load(gain + i) + f32.load(bias + i));
    }
    x += width;
    to += width;
  }
}

/** condition, x, y, to, n. */
function select(s: usize): void {
  for (let i: usize = 0; i < bytes(s, 5); i += 4) {
    const from = f32.load(address(s, 1) + i) !== 0 ? address(s, 2) : address(s, 3);
    store<u32>(address(s, 4) + i, load<u32>(from + i));
  }
}

/** table, ids, to, count, width, rows of the table. @returns Whether every id is a row. */
function gather(s: usize): bool {
  const width = bytes(s, 5);
  let to = address(s, 3);
  for (let i: usize = 0; i < bytes(s, 4); i += 4) {
    const id = load<u32>(address(s, 2) + i);
    if (id >= <u32>size(s, 6)) return false;
    memory.copy(to, address(s, 1) + <usize>id * width, width);
    to += width;
  }
  return true;
}

/** rows, n, d, to: a table of items for scoring, `[n / 32][d][32]`; missing rows are 0. */
function table(s: usize): void {
  const n = size(s, 2);
  const d = size(s, 3);
  let to = address(s, 4);
  for (let g = 0; g < n; g += 32) {
    for (let p = 0; p < d; p++) {
      for (let q = 0; q < 32; q++) {
        f32.store(to, g + q < n ? f32.load(address(s, 1) + ((<usize>((g + q) * d + p)) << 2)) : 0);
        to += 4;
      }
    }
  }
}

/** Steps of a plan. @returns 0; else the number, from 1, of the step whose ids are no rows of its table. */
export function run(step: usize): i32 {
  for (let count = 1; size(step, 0) !== 0; count++) {
    let operands: usize = 0;
    switch (size(step, 0)) {
      case 1:
        if (!gather(step)) return count;
        operands = 6;
        break;
      case 2:
        matmul(step);
        operands = 13;
        break;
      case 3:
        pack(step);
        operands = 9;
        break;
      case 4:
        binary(step);
        operands = 16;
        break;
      case 5:
        unary(step);
        operands = 4;
        break;
      case 6:
        reduce(step);
        operands = 6;
        break;
      case 7:
        softmax(step);
        operands = 4;
        break;
      case 8:
        move(step);
        operands = 10;
        break;
      case 9:
        place(step);
        operands = 5;
        break;
      case 10:
        norm(step);
        operands = 7;
        break;
      case 11:
        select(step);
        operands = 5;
        break;
      default:
        table(step);
        operands = 4;
        break;
    }
    step += (operands + 1) << 2;
  }
  return 0;
}

/**
 * Scores of all items, `c · table + bias`, in groups of 32.
 *
 * @param to Takes them, unless it is 0.
 * @param k How many of the best; 0: none.
 * @param best Takes the k best scores, then their columns; equal ones by ascending column.
 * @returns How many were found: scores of -Infinity are not.
 */
export function score(c: usize, d: i32, table: usize, bias: usize, groups: i32, to: usize, k: i32, best: usize): i32 {
  startTop(best, k);
  const end = c + ((<usize>d) << 2);
  for (let g = 0; g < groups; g++) {
    let s0 = v128.load(bias);
    let s1 = v128.load(bias, 16);
    let s2 = v128.load(bias, 32);
    let s3 = v128.load(bias, 48);
    let s4 = v128.load(bias, 64);
    let s5 = v128.load(bias, 80);
    let s6 = v128.load(bias, 96);
    let s7 = v128.load(bias, 112);
    for (let at = c; at < end; at += 4) {
      const x = v128.load32_splat(at);
      s0 = f32x4.add(s0, f32x4.mul(x, v128.load(table)));
      s1 = f32x4.add(s1, f32x4.mul(x, v128.load(table, 16)));
      s2 = f32x4.add(s2, f32x4.mul(x, v128.load(table, 32)));
      s3 = f32x4.add(s3, f32x4.mul(x, v128.load(table, 48)));
      s4 = f32x4.add(s4, f32x4.mul(x, v128.load(table, 64)));
      s5 = f32x4.add(s5, f32x4.mul(x, v128.load(table, 80)));
      s6 = f32x4.add(s6, f32x4.mul(x, v128.load(table, 96)));
      s7 = f32x4.add(s7, f32x4.mul(x, v128.load(table, 112)));
      table += 128;
    }
    bias += 128;
    if (to) {
      v128.store(to, s0);
      v128.store(to, s1, 16);
      v128.store(to, s2, 32);
      v128.store(to, s3, 48);
      v128.store(to, s4, 64);
      v128.store(to, s5, 80);
      v128.store(to, s6, 96);
      v128.store(to, s7, 112);
      to += 128;
    }
    if (k) offerAll(s0, s1, s2, s3, s4, s5, s6, s7, g << 5);
  }
  return found();
}
