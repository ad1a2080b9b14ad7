/** The rank of a target among scores, by counting: no sort, and ties are counted apart from wins. */
import type { ItemIndex } from '../types';
import { notFinite } from './top-k';

/** Rank of a target that is no candidate: beyond every cut-off. The largest number that an `Int32Array` holds. */
export const UNRANKED = 2 ** 31 - 1;

/** 1-based rank of a target by what happens where scores are equal. */
export interface Ranks {
  /** #{s > s*} + 1: the target wins ties. */
  readonly standard: number;
  /** #{s ≥ s*}: the target loses ties. */
  readonly conservative: number;
  /** #{s > s*} + 1 + ½(#{s = s*} - 1): halfway. */
  readonly median: number;
}

/**
 * Ranks of one item among all items of a row of scores.
 *
 * @param scores One row of scores, `[n]`; column i belongs to item index i + 1.
 * @param target Item index, 1…n.
 * @param exclude Distinct item indices that are no candidates; where the target is one of them its ranks are `UNRANKED`.
 * @throws RecommenderError `not-finite` if any score is NaN or infinite: a model of NaNs would rank every target first.
 * @throws RangeError if the target is not 1…n.
 */
export function rankOf(scores: Float32Array, target: ItemIndex, exclude?: ReadonlySet<ItemIndex>): Ranks {
  if (!(target >= 1 && target <= scores.length)) {
    throw new RangeError(`rankOf: the target must be an item index in 1…${scores.length}, got ${target}.`);
  }
  if (exclude?.has(target)) {
    assertFinite(scores);
    return { standard: UNRANKED, conservative: UNRANKED, median: UNRANKED };
  }
  const bound = scores[target - 1]!;
  let above = 0;
  let equal = 0;
  let poison = 0; // 0 · s is NaN exactly where s is not finite: one branch-free check for the whole row
  for (let column = 0; column < scores.length; column++) {
    const score = scores[column]!;
    poison += 0 * score;
    if (score > bound) above++;
    else if (score === bound) equal++;
  }
  if (poison !== 0) assertFinite(scores);
  return withoutExcluded(scores, bound, above, equal, exclude);
}

/**
 * `rankOf` for rows that differ from one base row in few columns, without reading the others.
 *
 * @param base `[n]`, finite.
 */
export function rankerAround(base: Float32Array) {
  const sorted = base.slice().sort();
  /** How many values of the base row are below a score, or at most that. */
  const below = (score: number, isEqualBelow: boolean): number => {
    let [from, to] = [0, sorted.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      const value = sorted[middle]!;
      if (value < score || (isEqualBelow && value === score)) from = middle + 1;
      else to = middle;
    }
    return from;
  };
  /** @param changed Columns, each once, in which the row may differ from the base row. */
  return (scores: Float32Array, changed: Int32Array, target: ItemIndex, exclude?: ReadonlySet<ItemIndex>): Ranks => {
    if (!(target >= 1 && target <= base.length) || exclude?.has(target)) return rankOf(scores, target, exclude);
    const bound = scores[target - 1]!;
    const notAbove = below(bound, true);
    let above = base.length - notAbove;
    let equal = notAbove - below(bound, false);
    for (const column of changed) {
      const [before, score] = [base[column]!, scores[column]!];
      if (!Number.isFinite(score)) throw notFinite(score, column + 1);
      if (before > bound) above--;
      else if (before === bound) equal--;
      if (score > bound) above++;
      else if (score === bound) equal++;
    }
    return withoutExcluded(scores, bound, above, equal, exclude);
  };
}

/** Ranks by how many items score more than the target, and as much, less those that are no candidates. */
function withoutExcluded(
  scores: Float32Array,
  bound: number,
  above: number,
  equal: number,
  exclude: ReadonlySet<ItemIndex> | undefined,
): Ranks {
  for (const item of exclude ?? []) {
    const score = scores[item - 1];
    if (score === undefined) continue;
    if (score > bound) above--;
    else if (score === bound) equal--;
  }
  return { standard: above + 1, conservative: above + equal, median: above + 1 + 0.5 * (equal - 1) };
}

function assertFinite(scores: Float32Array): void {
  for (let column = 0; column < scores.length; column++) {
    if (!Number.isFinite(scores[column]!)) throw notFinite(scores[column]!, column + 1);
  }
}
