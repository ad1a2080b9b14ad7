/**
 * POP and S-POP: what sells is recommended, and in S-POP what this session has already looked at comes first.
 *
 *     POP    score = suppᵢ / (1 + suppᵢ)
 *     S-POP  score = times i occurs in the session + suppᵢ / (1 + suppᵢ)
 *
 * suppᵢ is the number of events of item i. Baselines of Hidasi et al., ICLR 2016, https://arxiv.org/abs/1511.06939.
 */

import type { OptionSpecs } from '../models/model';
import { integer, number } from '../models/options';
import { refuseNoTimes } from '../session/times';
import type { Catalogue, NdArray, NdArrays, Sessions } from '../types';
import { type Baseline, float32, rowScorer, supportOf } from './baseline';

export interface PopularityConfig {
  readonly top: number;
  readonly days: number;
}

const SECONDS_PER_DAY = 86_400;
const ARRAY = 'popularity';

const options: OptionSpecs<PopularityConfig> = {
  top: integer(
    0,
    [0, 1_000_000_000],
    'how many of the most popular items get a score; 0: all',
    'GRU4Rec repository, baselines (top_n 100 there); all here, so that every item has a rank of its own',
  ),
  days: number(0, [0, 36_500], 'count only the last so many days of the log; 0: all', 'ours: recently popular'),
};

function fit(sessions: Sessions, catalogue: Catalogue, { top, days }: PopularityConfig): Record<string, NdArray> {
  const support = days > 0 ? recentSupport(sessions, catalogue.items, days) : supportOf(sessions, catalogue);
  const data = popularityScores(support);
  if (top > 0 && top < catalogue.items) {
    const order = Int32Array.from({ length: catalogue.items }, (_, i) => i + 1);
    order.sort((a, b) => support[b]! - support[a]! || a - b);
    for (const item of order.subarray(top)) data[item] = 0;
  }
  return { [ARRAY]: { data, shape: [data.length] } };
}

/** Events of each item in the last days of the log. @throws RecommenderError `bad-config` for a log without times. */
function recentSupport(sessions: Sessions, n: number, days: number): Int32Array {
  refuseNoTimes('days', sessions, 'option');
  const { items, times } = sessions;
  let newest = Number.NEGATIVE_INFINITY;
  for (const time of times) if (time > newest) newest = time;
  const support = new Int32Array(n + 1);
  items.forEach((item, i) => {
    if (times[i]! > newest - days * SECONDS_PER_DAY) support[item]!++;
  });
  return support;
}

/**
 * supp / (1 + supp) in float32. Beyond some thousand events the formula's values of different supports become equal
 * there; each smaller support is then moved down to the next representable value, so that order is never lost.
 */
function popularityScores(support: ArrayLike<number>): Float32Array {
  const items = Int32Array.from({ length: Math.max(0, support.length - 1) }, (_, i) => i + 1);
  items.sort((a, b) => support[b]! - support[a]!);
  const scores = new Float32Array(support.length);
  let bound = 1; // S-POP's session counts must outweigh every popularity
  let previous = Number.NaN;
  let score = 0;
  for (const item of items) {
    const events = support[item]!;
    if (events !== previous) {
      score = Math.fround(events / (1 + events));
      if (score >= bound) score = below(bound);
      previous = events;
      bound = score;
    }
    scores[item] = score;
  }
  return scores;
}

/** The next smaller float32 of a positive one. */
function below(value: number): number {
  const bits = new Int32Array(Float32Array.of(value).buffer);
  bits[0]!--;
  return new Float32Array(bits.buffer)[0]!;
}

function read(arrays: NdArrays, { items }: Catalogue): Float32Array {
  return float32(arrays, ARRAY, items + 1).subarray(1);
}

export const pop: Baseline<PopularityConfig> = {
  name: 'pop',
  paper: 'POP: the most frequent items of the training log; baseline of Hidasi et al., ICLR 2016',
  options,
  arrays: [ARRAY],
  fit,
  scorer(arrays, catalogue) {
    return rowScorer(
      read(arrays, catalogue),
      () => {},
      () => false,
    );
  },
};

export const sPop: Baseline<PopularityConfig> = {
  name: 's-pop',
  paper: 'S-POP: the most frequent items of the running session, then POP; baseline of Hidasi et al., ICLR 2016',
  options,
  arrays: [ARRAY],
  fit,
  scorer(arrays, catalogue) {
    return rowScorer(
      read(arrays, catalogue),
      (items, from, to, rows) => {
        for (let t = from; t < to; t++) rows.add(items[t]!, 1);
      },
      (score) => score >= 1,
    );
  },
};
