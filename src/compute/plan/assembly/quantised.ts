/**
 * The best items by a copy of their table in bytes: a module of its own, which shares its memory with that of the plan. It gives each score an interval; only items whose interval reaches the k-th lower
 * end are scored from the table itself, in the same order of additions. `../quantised.ts` says how wide intervals are.
 */
import { found, least, offerOne, startTop } from './top';

/** Scales are at least so large that products with them do not underflow. */
const LEAST_SCALE: f32 = 8.673617379884035e-19; // 2⁻⁶⁰

/** Added to a small number, it leaves the nearest integer in the low bits. */
const ROUND: f32 = 12582912; // 1.5 · 2²³

function byteOf(x: usize, inverse: v128): v128 {
  const integer = f32x4.add(f32x4.mul(v128.load(x), inverse), f32x4.splat(ROUND));
  return v128.and(integer, i32x4.splat(255));
}

/** Numbers j and j + 1 of four items in lanes of 16 bits, each an integer in the lower eight. */
function pairsOf(x: usize, end: usize, inverse: v128): v128 {
  const first = byteOf(x, inverse);
  return x + 128 < end ? v128.or(first, i32x4.shl(byteOf(x + 128, inverse), 16)) : first;
}

/** Scales of four items. */
function scalesOf(x: usize, end: usize): v128 {
  let most = f32x4.splat(127 * LEAST_SCALE);
  for (; x < end; x += 128) most = f32x4.max(most, f32x4.abs(v128.load(x)));
  return f32x4.div(most, f32x4.splat(127));
}

/**
 * Makes the copy, `[n / 32][⌈d / 2⌉][4][4][2][2]`, and a scale for each item: of eight items in a row, the first four have the even
 * bytes, whose integers are stored 128 larger, and the others the odd ones. Then a mask and a shift unpack them.
 *
 * @param table `[n / 32][d][32]`.
 * @returns The largest scale: NaN or infinite where a number of the table is.
 */
export function quantise(table: usize, d: i32, groups: i32, to: usize, scales: usize): f32 {
  let largest = f32x4.splat(0);
  for (let g = 0; g < groups; g++) {
    const end = table + ((<usize>d) << 7);
    for (let q: usize = 0; q < 128; q += 32) {
      const even = scalesOf(table + q, end);
      const odd = scalesOf(table + q + 16, end);
      largest = f32x4.max(largest, f32x4.max(even, odd));
      v128.store(scales + q, even);
      v128.store(scales + q, odd, 16);
      const inverseOfEven = f32x4.div(f32x4.splat(1), even);
      const inverseOfOdd = f32x4.div(f32x4.splat(1), odd);
      let at = to + (q >> 1);
      for (let x = table + q; x < end; x += 256) {
        const low = v128.xor(pairsOf(x, end, inverseOfEven), i16x8.splat(128));
        v128.store(at, v128.or(low, i16x8.shl(pairsOf(x + 16, end, inverseOfOdd), 8)));
        at += 64;
      }
    }
    table = end;
    to += (<usize>((d + 1) >> 1)) << 6;
    scales += 128;
  }
  return max(
    max(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1)),
    max(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3)),
  );
}

/** What all items have in common: the scale of the session's vector, and the two parts of an interval's half. */
let unit: f32 = 0;
let reach: f32 = 0;
let share: f32 = 0;
/** Candidates: the upper end, and the column. */
let candidates: usize = 0;
let count: i32 = 0;
let capacity: i32 = 0;

function consider(lower: f32, upper: f32, column: i32): void {
  if (!(upper >= least())) return;
  if (count < capacity) {
    const at = candidates + ((<usize>count) << 3);
    f32.store(at, upper);
    i32.store(at, column, 4);
  }
  count++;
  offerOne(lower, column);
}

/** The intervals of four items by their integer products. What has a bias of -Infinity has none. */
function considerAll(sums: v128, scales: usize, biases: usize, column: i32): void {
  const scale = v128.load(scales);
  const bias = v128.load(biases);
  const slack = f32x4.mul(f32x4.abs(bias), f32x4.splat(share));
  const product = f32x4.mul(f32x4.convert_i32x4_s(sums), f32x4.splat(unit));
  const upper = f32x4.add(f32x4.mul(scale, f32x4.add(product, f32x4.splat(reach))), f32x4.add(bias, slack));
  if (!v128.any_true(f32x4.ge(upper, f32x4.splat(least())))) return;
  const lower = f32x4.add(f32x4.mul(scale, f32x4.sub(product, f32x4.splat(reach))), f32x4.sub(bias, slack));
  consider(f32x4.extract_lane(lower, 0), f32x4.extract_lane(upper, 0), column);
  consider(f32x4.extract_lane(lower, 1), f32x4.extract_lane(upper, 1), column + 1);
  consider(f32x4.extract_lane(lower, 2), f32x4.extract_lane(upper, 2), column + 2);
  consider(f32x4.extract_lane(lower, 3), f32x4.extract_lane(upper, 3), column + 3);
}

/**
 * The k best, as `score` finds them.
 *
 * @param c16 The session's vector as integers of 16 bits, an even number of them.
 * @param room For so many candidates. A quarter of them may be scored from the table.
 * @returns How many were found; -1 if there are more.
 */
export function scoreQuantised(
  c: usize,
  d: i32,
  table: usize,
  bias: usize,
  groups: i32,
  k: i32,
  best: usize,
  bytes: usize,
  scales: usize,
  c16: usize,
  unitOfC: f32,
  reachOfC: f32,
  shareOfBias: f32,
  list: usize,
  room: i32,
): i32 {
  unit = unitOfC;
  reach = reachOfC;
  share = shareOfBias;
  candidates = list;
  capacity = room;
  count = 0;
  startTop(best, k);
  const end16 = c16 + ((<usize>((d + 1) >> 1)) << 2);
  let sum: i32 = 0;
  for (let at = c16; at < end16; at += 2) sum += i32.load16_s(at);
  const even = i32x4.splat(-128 * sum);
  const odd = i32x4.splat(0);
  const mask = i16x8.splat(255);
  let biases = bias;
  for (let g = 0; g < groups; g++) {
    let s0 = even;
    let s1 = odd;
    let s2 = even;
    let s3 = odd;
    let s4 = even;
    let s5 = odd;
    let s6 = even;
    let s7 = odd;
    for (let at = c16; at < end16; at += 4) {
      const x = v128.load32_splat(at);
      let both = v128.load(bytes);
      s0 = i32x4.add(s0, i32x4.dot_i16x8_s(x, v128.and(both, mask)));
      s1 = i32x4.add(s1, i32x4.dot_i16x8_s(x, i16x8.shr_s(both, 8)));
      both = v128.load(bytes, 16);
      s2 = i32x4.add(s2, i32x4.dot_i16x8_s(x, v128.and(both, mask)));
      s3 = i32x4.add(s3, i32x4.dot_i16x8_s(x, i16x8.shr_s(both, 8)));
      both = v128.load(bytes, 32);
      s4 = i32x4.add(s4, i32x4.dot_i16x8_s(x, v128.and(both, mask)));
      s5 = i32x4.add(s5, i32x4.dot_i16x8_s(x, i16x8.shr_s(both, 8)));
      both = v128.load(bytes, 48);
      s6 = i32x4.add(s6, i32x4.dot_i16x8_s(x, v128.and(both, mask)));
      s7 = i32x4.add(s7, i32x4.dot_i16x8_s(x, i16x8.shr_s(both, 8)));
      bytes += 64;
    }
    const column = g << 5;
    considerAll(s0, scales, biases, column);
    considerAll(s1, scales + 16, biases + 16, column + 4);
    considerAll(s2, scales + 32, biases + 32, column + 8);
    considerAll(s3, scales + 48, biases + 48, column + 12);
    considerAll(s4, scales + 64, biases + 64, column + 16);
    considerAll(s5, scales + 80, biases + 80, column + 20);
    considerAll(s6, scales + 96, biases + 96, column + 24);
    considerAll(s7, scales + 112, biases + 112, column + 28);
    if (count > room) return -1;
    scales += 128;
    biases += 128;
  }
  const lowest = least();
  let left = 0;
  for (let i = 0; i < count; i++) {
    const at = list + ((<usize>i) << 3);
    if (f32.load(at) < lowest) continue;
    i32.store(list + ((<usize>left) << 2), i32.load(at, 4));
    left++;
  }
  if (left > room >> 2) return -1;
  startTop(best, k);
  const end = c + ((<usize>d) << 2);
  for (let i = 0; i < left; i++) {
    const column = i32.load(list + ((<usize>i) << 2));
    let score = f32.load(bias + ((<usize>column) << 2));
    let row = table + ((<usize>(column >> 5) * <usize>d) << 7) + ((<usize>(column & 31)) << 2);
    for (let x = c; x < end; x += 4) {
      score += f32.load(x) * f32.load(row);
      row += 128;
    }
    offerOne(score, column);
  }
  return found();
}
