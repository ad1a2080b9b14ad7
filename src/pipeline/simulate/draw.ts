/** Draws from weighted lists: what the generators of the shop need beyond `session/random`. */
import type { Random } from '../../session/random';

/**
 * An index drawn in proportion to its weight.
 *
 * @returns −1 where no weight is above 0.
 */
export function drawWeighted(random: Random, weights: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < weights.length; i++) total += weights[i]!;
  if (!(total > 0)) return -1;
  let rest = random.uniform() * total;
  let last = -1;
  for (let i = 0; i < weights.length; i++) {
    if (weights[i]! <= 0) continue;
    last = i;
    rest -= weights[i]!;
    if (rest < 0) return i;
  }
  return last;
}

/**
 * An index between `from` and `to` drawn from running sums: `sums[i]` is the sum of the weights before index i, so
 * that a draw costs a binary search.
 *
 * @returns −1 where the range holds no weight.
 */
export function drawFromSums(random: Random, sums: Float64Array, from: number, to: number): number {
  const start = sums[from]!;
  const total = sums[to]! - start;
  if (!(total > 0)) return -1;
  const goal = start + random.uniform() * total;
  let low = from;
  let high = to - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (sums[middle]! <= goal) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** True with that probability. */
export function chance(random: Random, probability: number): boolean {
  return random.uniform() < probability;
}

/** exp(N(ln median, spread²)): waiting times, weights. */
export function logNormal(random: Random, median: number, spread: number): number {
  return median * Math.exp(spread * random.normal());
}
