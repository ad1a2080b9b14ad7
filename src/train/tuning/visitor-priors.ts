/**
 * Visitor priors: the score that the visitor's own events add to an item, by counting.
 *
 *     prior(i) = log(1 + nᵢ / (κ pᵢ))        0 without evidence
 *
 * nᵢ counts the visitor's events of item i, or of items that share its value of an attribute; older ones count less. pᵢ is the
 * same share among everyone's events. Up to a constant, which no ranking sees, it is the logarithm of (nᵢ + κ pᵢ) / (N + κ)
 * against pᵢ: the visitor's share, shrunk towards the shop's by κ events (MacKay and Peto, "A hierarchical Dirichlet language
 * model", Natural Language Engineering 1995).
 */
import type { FrozenModel } from './frozen-model';

/** Shares of items and attributes among everyone's events. Made once for a model. */
export class Popularity {
  /** `[n]`, add up to 1. */
  readonly items: Float64Array;
  /** By attribute, `[values + 1]`; entry 0, items without a value, is unused. */
  readonly attributes: readonly Float64Array[];

  constructor({ support, itemIds, attributes = [] }: FrozenModel) {
    const n = itemIds.length;
    let total = n;
    for (let i = 1; i <= n; i++) total += support[i]!;
    // One event more for each, so that items without a click have a share, too.
    this.items = Float64Array.from({ length: n }, (_, i) => (support[i + 1]! + 1) / total);
    this.attributes = attributes.map(({ codes, values }) => {
      const shares = new Float64Array(values.length + 1);
      for (let i = 0; i < n; i++) shares[codes[i]!]! += this.items[i]!;
      return shares;
    });
  }
}

/** log(1 + count / (κ · share)). */
export const visitorPrior = (count: number, share: number, shrink: number): number =>
  Math.log1p(count / (shrink * share));

/**
 * Priors of every value of every attribute.
 *
 * @param rows Item columns, 0…n − 1, with the visitor's counts of them.
 * @returns By attribute, `[values + 1]`; entry 0 is 0.
 */
export function attributePriors(
  { attributes = [] }: FrozenModel,
  popularity: Popularity,
  rows: Int32Array,
  counts: Float32Array,
  shrink: number,
): Float64Array[] {
  return attributes.map(({ codes, values }, f) => {
    const priors = new Float64Array(values.length + 1);
    rows.forEach((column, r) => {
      priors[codes[column]!]! += counts[r]!;
    });
    priors[0] = 0;
    const shares = popularity.attributes[f]!;
    for (let v = 1; v < priors.length; v++)
      if (priors[v]! > 0) priors[v] = visitorPrior(priors[v]!, shares[v]!, shrink);
    return priors;
  });
}
