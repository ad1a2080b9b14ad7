/** The registry of counting baselines. */
import type { Baseline } from './baseline';
import { itemKnn } from './item-knn';
import { pop, sPop } from './popularity';
import { ar, decayedSr, markov, sr } from './rules';
import { neighbours } from './session-knn';

export type { Baseline } from './baseline';

// biome-ignore lint/suspicious/noExplicitAny: every baseline has a configuration type of its own.
export const baselines: Readonly<Record<string, Baseline<any>>> = {
  pop,
  's-pop': sPop,
  'item-knn': itemKnn,
  markov,
  ar,
  sr,
  'decayed-sr': decayedSr,
  ...neighbours,
};
