/** Kernels over single numbers: activations, dropout, optimiser steps, and two operands that broadcast. */
import { erf4, exp4, loadPart, storePart, tanh4 } from './math';

/** What `unary` can do. */
const EXP: i32 = 0;
const TANH: i32 = 1;
const SIGMOID: i32 = 2;
const GELU: i32 = 3;
const ERF: i32 = 4;
const SQUARE: i32 = 5;
const RSQRT: i32 = 6;
const RELU: i32 = 7;
const NEGATIVE: i32 = 8;
const ABS: i32 = 9;
const SQRT: i32 = 10;
const FROM_INTEGER: i32 = 11;
// 12: to an integer

/** Phi(x), the normal distribution, given e = exp(-x^2 / 2). */
function cumulative(x: v128, e: v128): v128 {
  const half = f32x4.splat(0.5);
  return f32x4.add(f32x4.mul(erf4(f32x4.mul(x, f32x4.splat(Mathf.SQRT1_2)), e), half), half);
}

function density(x: v128): v128 {
  return exp4(f32x4.mul(f32x4.mul(x, x), f32x4.splat(-0.5)));
}

function relu4(x: v128): v128 {
  // In this order NaN is kept.
  return f32x4.pmax(x, f32x4.splat(0));
}

function function4(op: i32, x: v128): v128 {
  const one = f32x4.splat(1);
  if (op === EXP) return exp4(x);
  if (op === TANH) return tanh4(x);
  if (op === SIGMOID) return f32x4.div(one, f32x4.add(one, exp4(f32x4.neg(x))));
  if (op === GELU) return f32x4.mul(x, cumulative(x, density(x)));
  if (op === ERF) return erf4(x, exp4(f32x4.neg(f32x4.mul(x, x))));
  if (op === SQUARE) return f32x4.mul(x, x);
  if (op === RSQRT) return f32x4.div(one, f32x4.sqrt(x));
  if (op === RELU) return relu4(x);
  if (op === NEGATIVE) return f32x4.neg(x);
  if (op === ABS) return f32x4.abs(x);
  if (op === SQRT) return f32x4.sqrt(x);
  if (op === FROM_INTEGER) return f32x4.convert_i32x4_s(x);
  return i32x4.trunc_sat_f32x4_s(x);
}

/** y = f(x) over n numbers; y may be x. */
export function unary(op: i32, x: usize, y: usize, n: i32): void {
  let i = 0;
  if (ASC_SHRINK_LEVEL === 0 && op === RELU) {
    for (; i + 4 <= n; i += 4, x += 16, y += 16) v128.store(y, relu4(v128.load(x)));
  }
  for (; i + 4 <= n; i += 4, x += 16, y += 16) v128.store(y, function4(op, v128.load(x)));
  if (i < n) storePart(y, function4(op, loadPart(x, n - i, 0)), n - i);
}

function geluSlope(x: v128): v128 {
  const e = density(x);
  return f32x4.add(cumulative(x, e), f32x4.mul(f32x4.mul(x, e), f32x4.splat(0.39894228)));
}

/** dx = dy (Phi(x) + x phi(x)). */
export function geluGradient(dy: usize, x: usize, dx: usize, n: i32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4, x += 16, dy += 16, dx += 16) {
    v128.store(dx, f32x4.mul(v128.load(dy), geluSlope(v128.load(x))));
  }
  if (i < n) storePart(dx, f32x4.mul(loadPart(dy, n - i, 0), geluSlope(loadPart(x, n - i, 0))), n - i);
}

/** Which of four counters stay, as masks: the hash of `nn/dropout.ts`. */
export function stays(counter: v128, second: v128, threshold: v128): v128 {
  let h = v128.xor(counter, i32x4.shr_u(counter, 16));
  h = i32x4.mul(h, i32x4.splat(0x7feb352d));
  h = i32x4.add(v128.xor(h, i32x4.shr_u(h, 15)), second);
  h = i32x4.mul(h, i32x4.splat(0x846ca68b));
  h = v128.xor(h, i32x4.shr_u(h, 16));
  return i32x4.gt_s(i32x4.shr_u(h, 1), threshold);
}

/** What the counter grows by from number to number. */
export const STRIDE: i32 = 0x9e3779b9;

/** Counters of four neighbours. */
export function counters(first: i32): v128 {
  return i32x4.add(i32x4.splat(first), i32x4(0, STRIDE, STRIDE * 2, STRIDE * 3));
}

/** Dropout of n numbers; `threshold` is the bound less 1. What is dropped is multiplied by 0, so that NaN stays NaN. */
export function dropout(x: usize, y: usize, n: i32, first: i32, second: i32, threshold: i32, factor: f32): void {
  const key = i32x4.splat(second);
  const bound = i32x4.splat(threshold);
  const scale = f32x4.splat(factor);
  const step = i32x4.splat(STRIDE * 4);
  let counter = counters(first);
  let i = 0;
  for (; i + 4 <= n; i += 4, x += 16, y += 16) {
    v128.store(y, f32x4.mul(v128.load(x), v128.and(scale, stays(counter, key, bound))));
    counter = i32x4.add(counter, step);
  }
  if (i < n) storePart(y, f32x4.mul(loadPart(x, n - i, 0), v128.and(scale, stays(counter, key, bound))), n - i);
}

/** One step of Adam over n numbers: `nn/updates.ts` has the equations. */
export function adam(
  p: usize,
  m: usize,
  v: usize,
  g: usize,
  n: i32,
  beta1: f32,
  beta2: f32,
  rest1: f32,
  rest2: f32,
  coupled: f32,
  shrink: f32,
  rate: f32,
  scale: f32,
  epsilon: f32,
): void {
  for (let i = 0; i < n; i += 4, p += 16, m += 16, v += 16, g += 16) {
    const isWhole = i + 4 <= n;
    const weight = f32x4.mul(isWhole ? v128.load(p) : loadPart(p, n - i, 0), f32x4.splat(shrink));
    const slope = f32x4.add(isWhole ? v128.load(g) : loadPart(g, n - i, 0), f32x4.mul(weight, f32x4.splat(coupled)));
    const mean = f32x4.add(
      f32x4.mul(isWhole ? v128.load(m) : loadPart(m, n - i, 0), f32x4.splat(beta1)),
      f32x4.mul(slope, f32x4.splat(rest1)),
    );
    const square = f32x4.add(
      f32x4.mul(isWhole ? v128.load(v) : loadPart(v, n - i, 0), f32x4.splat(beta2)),
      f32x4.mul(f32x4.mul(slope, slope), f32x4.splat(rest2)),
    );
    const root = f32x4.add(f32x4.mul(f32x4.sqrt(square), f32x4.splat(scale)), f32x4.splat(epsilon));
    const next = f32x4.sub(weight, f32x4.div(f32x4.mul(mean, f32x4.splat(rate)), root));
    if (isWhole) {
      v128.store(m, mean);
      v128.store(v, square);
      v128.store(p, next);
    } else {
      storePart(m, mean, n - i);
      storePart(v, square, n - i);
      storePart(p, next, n - i);
    }
  }
}

/** One step of Adagrad over n numbers; `speed` is the address of the velocities, 0 without momentum. */
export function adagrad(
  p: usize,
  a: usize,
  speed: usize,
  g: usize,
  n: i32,
  rate: f32,
  momentum: f32,
  epsilon: f32,
): void {
  for (let i = 0; i < n; i += 4, p += 16, a += 16, g += 16) {
    const isWhole = i + 4 <= n;
    const slope = isWhole ? v128.load(g) : loadPart(g, n - i, 0);
    const total = f32x4.add(isWhole ? v128.load(a) : loadPart(a, n - i, 0), f32x4.mul(slope, slope));
    let move = f32x4.neg(
      f32x4.div(f32x4.mul(slope, f32x4.splat(rate)), f32x4.sqrt(f32x4.add(total, f32x4.splat(epsilon)))),
    );
    if (speed) {
      move = f32x4.add(f32x4.mul(isWhole ? v128.load(speed) : loadPart(speed, n - i, 0), f32x4.splat(momentum)), move);
      if (isWhole) v128.store(speed, move);
      else storePart(speed, move, n - i);
      speed += 16;
    }
    const next = f32x4.add(isWhole ? v128.load(p) : loadPart(p, n - i, 0), move);
    if (isWhole) {
      v128.store(a, total);
      v128.store(p, next);
    } else {
      storePart(a, total, n - i);
      storePart(p, next, n - i);
    }
  }
}

/** What `binary` can do. */
const ADD: i32 = 0;
const SUB: i32 = 1;
const MUL: i32 = 2;
const MAX: i32 = 3;
const MIN: i32 = 4;
const DIVIDE: i32 = 5;
// Comparisons, 1 where they hold.
const NOT_EQUAL: i32 = 6;
const EQUAL: i32 = 7;
const GREATER: i32 = 8;
const GREATER_EQUAL: i32 = 9;
const LESS: i32 = 10;
// 11: less or equal

export function operation4(op: i32, a: v128, b: v128): v128 {
  if (op === ADD) return f32x4.add(a, b);
  if (op === SUB) return f32x4.sub(a, b);
  if (op === MUL) return f32x4.mul(a, b);
  if (op === MAX) return f32x4.max(a, b);
  if (op === MIN) return f32x4.min(a, b);
  if (op === DIVIDE) return f32x4.div(a, b);
  const one = f32x4.splat(1);
  if (op === NOT_EQUAL) return v128.and(f32x4.ne(a, b), one);
  if (op === EQUAL) return v128.and(f32x4.eq(a, b), one);
  if (op === GREATER) return v128.and(f32x4.gt(a, b), one);
  if (op === GREATER_EQUAL) return v128.and(f32x4.ge(a, b), one);
  if (op === LESS) return v128.and(f32x4.lt(a, b), one);
  return v128.and(f32x4.le(a, b), one);
}

/** A run of n numbers, each operand a run too or one number for all. */
export function run(op: i32, a: usize, oneA: bool, b: usize, oneB: bool, to: usize, n: i32): void {
  const a0 = v128.load32_splat(a);
  const b0 = v128.load32_splat(b);
  let i = 0;
  let at: usize = 0;
  // What is done most is inlined: with a call for every four numbers an epoch of Caser takes a quarter longer.
  if (op <= MUL) {
    for (; i + 4 <= n; i += 4, at += 16) {
      const x = oneA ? a0 : v128.load(a + at);
      const y = oneB ? b0 : v128.load(b + at);
      v128.store(to + at, op === ADD ? f32x4.add(x, y) : op === MUL ? f32x4.mul(x, y) : f32x4.sub(x, y));
    }
  }
  for (; i + 4 <= n; i += 4, at += 16) {
    const x = oneA ? a0 : v128.load(a + at);
    const y = oneB ? b0 : v128.load(b + at);
    v128.store(to + at, operation4(op, x, y));
  }
  if (i < n) {
    const x = oneA ? a0 : loadPart(a + at, n - i, 0);
    const y = oneB ? b0 : loadPart(b + at, n - i, 1);
    storePart(to + at, operation4(op, x, y), n - i);
  }
}

/**
 * Two operands over `[outer, rows, n]`. Strides are in numbers: how far an operand moves with each of the first two axes,
 * and whether it moves with the last.
 */
export function binary(
  op: i32,
  a: usize,
  b: usize,
  to: usize,
  outer: i32,
  rows: i32,
  n: i32,
  aOuter: i32,
  aRow: i32,
  aOne: bool,
  bOuter: i32,
  bRow: i32,
  bOne: bool,
): void {
  for (let o = 0; o < outer; o++) {
    let fromA = a + ((<usize>(o * aOuter)) << 2);
    let fromB = b + ((<usize>(o * bOuter)) << 2);
    for (let row = 0; row < rows; row++) {
      run(op, fromA, aOne, fromB, bOne, to, n);
      fromA += (<usize>aRow) << 2;
      fromB += (<usize>bRow) << 2;
      to += (<usize>n) << 2;
    }
  }
}
