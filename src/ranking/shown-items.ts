/** The list that a visitor is shown: its order, and which items are in it for their popularity only. */
import type { ItemIndex, Scorer } from '../types';
import { type Excluded, type ScoredItem, topK } from './top-k';

export interface ShownItem extends ScoredItem {
  /** Whether it is shown for its popularity; otherwise the model scored it for this session. */
  readonly isPopular?: boolean;
}

/**
 * The k best items, best first, in the order of their scores.
 *
 * A counting model scores 0 for items without counts, which are most of a catalogue. Those items are ordered by popularity, and
 * items without clicks are left out. Items with a negative score, such as V-SkNN gives, were counted: they come last, as in an
 * evaluation.
 *
 * @param scores One row of the scorer's scores, `[n]`.
 * @param popularity Events of each item in the training log, `[n]`.
 * @param exclude Item indices never to answer with.
 * @throws RecommenderError `not-finite` if a score is NaN or infinite.
 */
export function topShown(
  { isEvidence }: Pick<Scorer, 'isEvidence'>,
  scores: Float32Array,
  popularity: Float32Array,
  k: number,
  exclude?: Excluded,
): ShownItem[] {
  if (!isEvidence) return topK(scores, k, exclude);
  const isUncounted = (index: ItemIndex) => scores[index - 1] === 0;
  const counted = topK(scores, k, { has: (index) => isUncounted(index) || exclude?.has(index) === true });
  const isNoCandidate = (index: ItemIndex) => !isUncounted(index) || popularity[index - 1] === 0;
  const others = topK(popularity, k, { has: (index) => isNoCandidate(index) || exclude?.has(index) === true });
  return [
    ...counted.filter(({ score }) => score > 0),
    ...others.map(({ index }) => ({ index, score: 0 })),
    ...counted.filter(({ score }) => score < 0),
  ]
    .slice(0, k)
    .map((item) => ({ ...item, isPopular: !isEvidence(item.score) }));
}
