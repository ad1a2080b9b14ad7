/** Log-uniform sampling, Zipf's law by rank: the sampler of Transformers4Rec's library and of TensorFlow. */
import { memoised } from '../session/memoised';
import type { Random } from '../session/random';

/** Items by popularity, the most clicked first; equal ones by index. */
const ranked = memoised((support: ArrayLike<number>) =>
  Int32Array.from({ length: support.length - 1 }, (_, i) => i + 1).sort((a, b) => support[b]! - support[a]! || a - b),
);

/**
 * Draws items by popularity rank r = 0…n − 1 with probability log((r + 2)/(r + 1)) / log(n + 1).
 *
 * @param support Events of each item, `[n + 1]`, entry 0 unused.
 * @returns The distinct items among `draws` draws, in the order that they came.
 */
export function logUniform(support: ArrayLike<number>, draws: number, random: Random): Int32Array {
  const byRank = ranked(support);
  const n = byRank.length;
  // The inverse of the distribution function log(r + 1) / log(n + 1).
  const draw = () => byRank[Math.min(n - 1, Math.floor((n + 1) ** random.uniform()) - 1)]!;
  return Int32Array.from(new Set(Array.from({ length: draws }, draw)));
}

/**
 * What the library takes for the chance of each item, by index, to be among `draws` draws: 1 − (1 + p)^−draws; entry 0 is 0. The
 * chance itself is 1 − (1 − p)^draws; a sign slipped there, which costs the most frequent items up to 1 %.
 */
export const logUniformChances = memoised((support: ArrayLike<number>, draws: number): Float64Array => {
  const n = support.length - 1;
  const chances = new Float64Array(n + 1);
  ranked(support).forEach((item, r) => {
    const p = Math.log((r + 2) / (r + 1)) / Math.log(n + 1);
    chances[item] = -Math.expm1(-draws * Math.log1p(p));
  });
  return chances;
});
