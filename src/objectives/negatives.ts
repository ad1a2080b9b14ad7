/** Negative items: which items a step compares its targets with. Plain arrays, no tensors. */
import { memoised } from '../session/memoised';
import type { Random } from '../session/random';

type Support = ArrayLike<number>;

/** Draws item indices 1…n with probability ∝ support^alpha. */
export class PopularitySampler {
  readonly #cumulative: Float64Array;
  /** Σ support^alpha. */
  readonly total: number;

  /**
   * @param support Events of each item, `[n + 1]`, entry 0 unused.
   * @param alpha 0 uniform over all items, 1 by popularity. Items without events are drawn only at 0.
   * @throws RangeError if no item can be drawn.
   */
  constructor(support: Support, alpha: number) {
    const n = support.length - 1;
    this.#cumulative = new Float64Array(n);
    let sum = 0;
    for (let i = 1; i <= n; i++) {
      sum += support[i]! ** alpha;
      this.#cumulative[i - 1] = sum;
    }
    if (!(sum > 0)) throw new RangeError('PopularitySampler: no item has any event; pass the training log’s support.');
    for (let i = 0; i < n; i++) this.#cumulative[i]! /= sum;
    this.#cumulative[n - 1] = 1; // whatever rounding left of it
    this.total = sum;
  }

  draw(random: Random): number {
    const u = random.uniform();
    const cumulative = this.#cumulative;
    let low = 0;
    let high = cumulative.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (cumulative[middle]! > u) high = middle;
      else low = middle + 1;
    }
    return low + 1;
  }
}

/** The sampler of a log's support, made once. */
export const popularity = memoised((support: Support, alpha: number) => new PopularitySampler(support, alpha));

/** `count` items, drawn with replacement with probability ∝ support^alpha. */
export function byPopularity(support: Support | undefined, alpha: number, count: number, random: Random): Int32Array {
  const items = new Int32Array(count);
  if (count === 0) return items;
  const sampler = popularity(support!, alpha);
  for (let k = 0; k < count; k++) items[k] = sampler.draw(random);
  return items;
}

/**
 * `count` uniform items for each of R sets of items that must not be drawn, `[R · count]`. A set of all n refuses none, and so
 * does undefined.
 */
export function uniformOutside(
  refused: readonly (ReadonlySet<number> | undefined)[],
  count: number,
  n: number,
  random: Random,
): Int32Array {
  const items = new Int32Array(refused.length * count);
  refused.forEach((set, r) => {
    for (let k = 0; k < count; k++) {
      let item = 1 + random.integer(n);
      while (set?.has(item) && set.size < n) item = 1 + random.integer(n);
      items[r * count + k] = item;
    }
  });
  return items;
}

// Log-uniform sampling, Zipf's law by rank: the sampler of Transformers4Rec's library and of TensorFlow.

/** Items by popularity, the most clicked first; equal ones by index. */
const ranked = memoised((support: Support) =>
  Int32Array.from({ length: support.length - 1 }, (_, i) => i + 1).sort((a, b) => support[b]! - support[a]! || a - b),
);

/**
 * Draws items by popularity rank r = 0…n − 1 with probability log((r + 2)/(r + 1)) / log(n + 1).
 *
 * @param support Events of each item, `[n + 1]`, entry 0 unused.
 * @returns The distinct items among `draws` draws, in the order that they came.
 */
export function logUniform(support: Support, draws: number, random: Random): Int32Array {
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
export const logUniformChances = memoised((support: Support, draws: number): Float64Array => {
  const n = support.length - 1;
  const chances = new Float64Array(n + 1);
  ranked(support).forEach((item, r) => {
    const p = Math.log((r + 2) / (r + 1)) / Math.log(n + 1);
    chances[item] = -Math.expm1(-draws * Math.log1p(p));
  });
  return chances;
});
