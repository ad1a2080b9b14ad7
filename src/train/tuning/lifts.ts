/**
 * What the visitor's own events say of items, by counting.
 *
 *     lift(i) = log(1 + nᵢ / (κ pᵢ))        0 without evidence
 *
 * nᵢ counts the visitor's events of item i, or of items that share its value of a facet; older ones count less. pᵢ is the
 * same share among everyone's events. Up to a constant, which no ranking sees, it is the logarithm of (nᵢ + κ pᵢ) / (N + κ)
 * against pᵢ: the visitor's share, shrunk towards the shop's by κ events (MacKay and Peto, "A hierarchical Dirichlet language
 * model", Natural Language Engineering 1995).
 */
import type { FrozenModel } from './frozen-model';

/** Shares of items and facets among everyone's events. Made once for a model. */
export class Popularity {
  /** `[n]`, add up to 1. */
  readonly items: Float64Array;
  /** By facet, `[values + 1]`; entry 0, items without a value, is unused. */
  readonly facets: readonly Float64Array[];

  constructor({ support, itemIds, facets = [] }: FrozenModel) {
    const n = itemIds.length;
    let total = n;
    for (let i = 1; i <= n; i++) total += support[i]!;
    // One event more for each: what nobody has clicked has a share, too.
    this.items = Float64Array.from({ length: n }, (_, i) => (support[i + 1]! + 1) / total);
    this.facets = facets.map(({ codes, values }) => {
      const shares = new Float64Array(values.length + 1);
      for (let i = 0; i < n; i++) shares[codes[i]!]! += this.items[i]!;
      return shares;
    });
  }
}

/** log(1 + count / (κ · share)). */
export const lift = (count: number, share: number, shrink: number): number => Math.log1p(count / (shrink * share));

/**
 * Lifts of every value of every facet.
 *
 * @param rows Item columns, 0…n − 1, with the visitor's counts of them.
 * @returns By facet, `[values + 1]`; entry 0 is 0.
 */
export function facetLifts(
  { facets = [] }: FrozenModel,
  popularity: Popularity,
  rows: Int32Array,
  counts: Float32Array,
  shrink: number,
): Float64Array[] {
  return facets.map(({ codes, values }, f) => {
    const lifts = new Float64Array(values.length + 1);
    rows.forEach((column, r) => {
      lifts[codes[column]!]! += counts[r]!;
    });
    lifts[0] = 0;
    const shares = popularity.facets[f]!;
    for (let v = 1; v < lifts.length; v++) if (lifts[v]! > 0) lifts[v] = lift(lifts[v]!, shares[v]!, shrink);
    return lifts;
  });
}
