/** The k best of a stream of scores, best first; equal ones in the order in which they come. */

let values: usize = 0;
let columns: usize = 0;
let k: i32 = 0;
let size: i32 = 0;
let worst: f32 = 0;

/** @param best Room for k scores and k columns. */
export function startTop(best: usize, count: i32): void {
  values = best;
  columns = best + ((<usize>count) << 2);
  k = count;
  size = 0;
  worst = -Infinity;
}

export function found(): i32 {
  return size;
}

/** The score that another one must exceed to be among the best; -Infinity until there are k. */
export function least(): f32 {
  return worst;
}

/** Puts one behind all that are at least as good. */
function insert(score: f32, column: i32): void {
  let at = size < k ? size++ : k - 1;
  for (; at > 0; at--) {
    const before = (<usize>(at - 1)) << 2;
    const next = f32.load(values + before);
    if (next >= score) break;
    f32.store(values + before, next, 4);
    i32.store(columns + before, i32.load(columns + before), 4);
  }
  f32.store(values + ((<usize>at) << 2), score);
  i32.store(columns + ((<usize>at) << 2), column);
  if (size === k) worst = f32.load(values + ((<usize>(k - 1)) << 2));
}

export function offerOne(score: f32, column: i32): void {
  if (score > worst) insert(score, column);
}

function offer(scores: v128, column: i32): void {
  offerOne(f32x4.extract_lane(scores, 0), column);
  offerOne(f32x4.extract_lane(scores, 1), column + 1);
  offerOne(f32x4.extract_lane(scores, 2), column + 2);
  offerOne(f32x4.extract_lane(scores, 3), column + 3);
}

/** 32 scores: one comparison for all where none of them is among the best. */
export function offerAll(
  s0: v128,
  s1: v128,
  s2: v128,
  s3: v128,
  s4: v128,
  s5: v128,
  s6: v128,
  s7: v128,
  column: i32,
): void {
  const most = f32x4.pmax(
    f32x4.pmax(f32x4.pmax(s0, s1), f32x4.pmax(s2, s3)),
    f32x4.pmax(f32x4.pmax(s4, s5), f32x4.pmax(s6, s7)),
  );
  if (!v128.any_true(f32x4.gt(most, f32x4.splat(worst)))) return;
  offer(s0, column);
  offer(s1, column + 4);
  offer(s2, column + 8);
  offer(s3, column + 12);
  offer(s4, column + 16);
  offer(s5, column + 20);
  offer(s6, column + 24);
  offer(s7, column + 28);
}
