/** Where an item is in the list that a visitor is shown. Apart from what makes the list, which every page loads. */
import type { Scorer } from '../types';
import type { Excluded } from './top-k';

/** Place in the list of `topShown` of the item in a column, from 1: of equal scores, or equal popularity, the lower index is first. */
export function rankAmong(
  { isEvidence }: Pick<Scorer, 'isEvidence'>,
  scores: Float32Array,
  popularity: Float32Array,
  column: number,
  exclude: Excluded,
): number {
  const own = scores[column]!;
  const byPopularity = isEvidence !== undefined && own === 0;
  let place = 1;
  scores.forEach((score, other) => {
    const ahead = byPopularity && score === own ? popularity[other]! - popularity[column]! : score - own;
    if ((ahead > 0 || (ahead === 0 && other < column)) && !exclude.has(other + 1)) place++;
  });
  return place;
}
