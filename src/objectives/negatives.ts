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
