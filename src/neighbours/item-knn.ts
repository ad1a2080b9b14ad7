/**
 * Item-kNN: items that share sessions with the last click. Baseline of the GRU4Rec repository, Hidasi et al., ICLR 2016,
 * https://arxiv.org/abs/1511.06939.
 *
 *     sim(i, j) = Cᵢⱼ / ( (suppᵢ + λ)^α · (suppⱼ + λ)^(1 − α) ),  sim(i, i) = 0
 *
 * Cᵢⱼ counts, for every event of item i, the events of item j in the same session; supp counts events.
 */

import type { OptionSpecs } from '../models/model';
import { integer, number } from '../models/options';
import { type Baseline, forgetSession, REMIND, rowScorer, supportOf } from './baseline';
import { addPairs, countPairs, PAIRS, readPairs, writePairs } from './pairs';

export interface ItemKnnConfig {
  readonly lambda: number;
  readonly alpha: number;
  readonly nSims: number;
  readonly remind: boolean;
}

const SOURCE = 'GRU4Rec repository, baselines';

const options: OptionSpecs<ItemKnnConfig> = {
  lambda: number(20, [0, 1e9], 'damps the similarity of items with few events', SOURCE),
  alpha: number(0.5, [0, 1], '0.5 is a damped cosine, 1 the damped confidence of the last click', SOURCE),
  nSims: integer(100, [1, 1_000_000_000], 'how many similar items of an item are kept', SOURCE),
  remind: REMIND,
};

export const itemKnn: Baseline<ItemKnnConfig> = {
  name: 'item-knn',
  paper: 'Item-kNN: items that share sessions with the last click; baseline of Hidasi et al., ICLR 2016',
  options,
  arrays: PAIRS,
  fit(sessions, catalogue, { lambda, alpha, nSims }) {
    const { items, offsets } = sessions;
    const support = supportOf(sessions, catalogue);
    const pairs = countPairs(
      sessions,
      catalogue.items,
      (at, session, add) => {
        const item = items[at]!;
        for (let other = offsets[session]!; other < offsets[session + 1]!; other++) {
          if (items[other] !== item) add(items[other]!, 1);
        }
      },
      {
        weigh: (i, j, together) => together / ((support[i]! + lambda) ** alpha * (support[j]! + lambda) ** (1 - alpha)),
        keep: () => nSims,
      },
    );
    return writePairs(pairs);
  },
  scorer(arrays, catalogue, { remind }) {
    const similar = readPairs(arrays, catalogue);
    return rowScorer(new Float32Array(catalogue.items), (items, from, to, rows) => {
      addPairs(similar, items[to - 1]!, 1, rows);
      if (!remind) forgetSession(items, from, to, rows);
    });
  },
};
