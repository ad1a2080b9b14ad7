/** Says why a row is what it is, and nothing that is not true of the model that made it. */

/** Which of the visitor's clicks a model's answer depends on. */
type Basis = 'none' | 'last' | 'all';

const BASIS: Readonly<Record<string, Basis>> = {
  pop: 'none',
  markov: 'last',
  'item-knn': 'last',
  ar: 'last',
  sr: 'last',
};

/**
 * The clicks that the row's items were computed from, newest first, each once. Empty where the row is plain popularity.
 *
 * @param session Ids of the visit that the model knows, oldest first.
 * @param reason What the recommender says of the row's items.
 */
export function causes(architecture: string, session: readonly string[], reason: string | undefined): string[] {
  const basis = reason === 'popular' ? 'none' : (BASIS[architecture] ?? 'all');
  if (basis === 'none') return [];
  const newestFirst = [...new Set([...session].reverse())];
  return basis === 'last' ? newestFirst.slice(0, 1) : newestFirst;
}
