/**
 * Scores of items that are codes of product quantisation: sums of inner products that are looked up. A module of its own, which shares its
 * memory with that of the plan. PQTopK: Petrov et al., "Efficient Inference of Sub-Item Id-based Sequential Recommendation Models with
 * Millions of Items", RecSys 2024, https://arxiv.org/abs/2408.09992.
 */
import { found, offerAll, startTop } from './top';

/**
 * The inner products of the pieces of a vector with their centroids, `[m][256]`.
 *
 * @param centroids `[256][d]`: piece k is columns ⌊k d / m⌋ and on.
 */
export function multiply(c: usize, m: i32, d: i32, centroids: usize, to: usize): void {
  let start: usize = 0;
  for (let piece = 1; piece <= m; piece++) {
    const end = (<usize>((piece * d) / m)) << 2;
    let row = centroids;
    for (const last = to + 1024; to < last; to += 4) {
      let sum: f32 = 0;
      for (let x = start; x < end; x += 4) sum += f32.load(c + x) * f32.load(row + x);
      f32.store(to, sum);
      row += (<usize>d) << 2;
    }
    start = end;
  }
}

/** Products of four codes are 1,024 bytes apart; `& 1020` leaves four times a code. */
function four(products: usize, codes: usize): f32 {
  const word = load<u32>(codes);
  return (
    f32.load(products + ((word << 2) & 1020)) +
    f32.load(products + ((word >> 6) & 1020), 1024) +
    (f32.load(products + ((word >> 14) & 1020), 2048) + f32.load(products + ((word >> 22) & 1020), 3072))
  );
}

/** The score of one item. */
function sumOf(products: usize, m: i32, codes: usize, start: f32): f32 {
  let sum = start;
  let left = m;
  for (; left >= 4; left -= 4) {
    sum += four(products, codes);
    products += 4096;
    codes += 4;
  }
  for (; left > 0; left--) {
    sum += f32.load(products + ((<usize>load<u8>(codes)) << 2));
    products += 1024;
    codes++;
  }
  return sum;
}

/**
 * Scores of all items, in groups of 32.
 *
 * @param products As `multiply` writes them.
 * @param codes `[n][m]`.
 * @param bias `[n]`, or 0.
 * @param added Pairs of a column and of what is added to its score, by ascending column; the last column is n.
 * @param to Takes all scores, and has room for whole groups; with k > 0, only the last group is there.
 * @param k How many of the best; 0: none.
 * @param best Takes the k best scores, then their columns; equal ones by ascending column.
 * @returns How many were found: scores of -Infinity are not.
 */
export function score(
  products: usize,
  m: i32,
  codes: usize,
  bias: usize,
  n: i32,
  added: usize,
  to: usize,
  k: i32,
  best: usize,
): i32 {
  startTop(best, k);
  let next = i32.load(added);
  for (let start = 0; start < n; start += 32) {
    const count = min(32, n - start);
    for (let i: usize = 0; i < <usize>count; i++) {
      f32.store(to + (i << 2), sumOf(products, m, codes, bias ? f32.load(bias + (i << 2)) : 0));
      codes += <usize>m;
    }
    if (bias) bias += 128;
    for (; next < start + count; next = i32.load(added)) {
      const at = to + ((<usize>(next - start)) << 2);
      f32.store(at, f32.load(at) + f32.load(added, 4));
      added += 8;
    }
    if (k === 0) {
      to += 128;
      continue;
    }
    for (let i: usize = <usize>count; i < 32; i++) f32.store(to + (i << 2), -Infinity);
    offerAll(
      v128.load(to),
      v128.load(to, 16),
      v128.load(to, 32),
      v128.load(to, 48),
      v128.load(to, 64),
      v128.load(to, 80),
      v128.load(to, 96),
      v128.load(to, 112),
      start,
    );
  }
  return found();
}
