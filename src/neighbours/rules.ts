/**
 * Rules "after i comes j", looked up by the last click. From session-rec: Ludewig and Jannach, "Evaluation of
 * Session-based Recommendation Algorithms", UMUAI 2018, https://arxiv.org/abs/1803.09587.
 *
 *     Markov  rule[i][j] += 1     for immediate successors j of i
 *     AR      rule[i][j] += 1     for each pair of events of a session, in both directions
 *     SR      rule[i][j] += w(k)  for events j that come k = 1 … steps clicks after i
 *
 * Pairs of equal items count like any other. Only the strongest rules of an item are kept. Counts are small numbers, so
 * equal ones are the rule; session-rec leaves their order to a stable sort, that is to which pair came first in the log.
 * `ties: 'first-seen'` writes that order into the weights, as differences of some millionths.
 */

import type { OptionSpecs } from '../models/model';
import { boolean, choice, integer, number } from '../models/options';
import type { ItemIndex, Scorer } from '../types';
import { type Baseline, divideByLargest, type FillRow, rowScorer } from './baseline';
import { addPairs, countPairs, type PairsOfEvent, type PairsOptions, readPairs, writePairs } from './pairs';

export interface RulesConfig {
  readonly pruning: number;
  readonly ties: 'first-seen' | 'equal';
  readonly normalize: boolean;
}

export interface SequentialRulesConfig extends RulesConfig {
  readonly steps: number;
  readonly weighting: Weighting;
  readonly lastInSession: number;
}

const options: OptionSpecs<RulesConfig> = {
  pruning: number(
    20,
    [0, 1_000_000_000],
    'how many rules of an item are kept, the strongest; below 1: which share of them is dropped; 0: all are kept',
    'session-rec',
  ),
  ties: choice(
    'first-seen',
    ['first-seen', 'equal'],
    'order of rules of equal weight: by which pair came first in the log, or none, so that their scores are equal',
    "ours, made explicit: the order that session-rec's stable sort gives",
  ),
  normalize: boolean(true, 'divide scores by the largest, which moves no rank', 'session-rec'),
};

/** Weight of two clicks at distance k. */
export type Weighting = 'div' | 'quadratic' | 'linear' | 'log' | 'same';

const WEIGHTS: Readonly<Record<Weighting, (k: number) => number>> = {
  div: (k) => 1 / k,
  quadratic: (k) => 1 / (k * k),
  linear: (k) => 1 - 0.1 * k,
  log: (k) => 1 / Math.log10(k + 1.7),
  same: () => 1,
};

function pairsOptions({ pruning, ties }: RulesConfig): PairsOptions {
  const strict = ties === 'first-seen';
  if (pruning === 0) return { strict, keep: (found) => found };
  return { strict, keep: pruning < 1 ? (found) => found - Math.floor(found * pruning) : () => Math.floor(pruning) };
}

/** Scores by a rule base, divided by the largest score unless that is 0. */
function scorerOf(items: number, { normalize }: RulesConfig, fill: FillRow): Scorer {
  if (!normalize) return rowScorer(items, fill);
  return rowScorer(items, (clicks, from, to, row, now) => {
    fill(clicks, from, to, row, now);
    divideByLargest(row);
  });
}

const byLastClick =
  (pairs: Parameters<typeof addPairs>[0]): FillRow =>
  (clicks, _from, to, row) =>
    addPairs(pairs, clicks[to - 1]!, 1, row);

/** Markov and AR differ in the pairs of an event only. */
function ruleBaseline(
  name: string,
  paper: string,
  pairsOf: (items: Int32Array, offsets: Int32Array) => PairsOfEvent,
): Baseline<RulesConfig> {
  return {
    name,
    paper,
    options,
    fit(sessions, catalogue, config) {
      const pairs = pairsOf(sessions.items, sessions.offsets);
      return writePairs(countPairs(sessions, catalogue.items, pairs, pairsOptions(config)));
    },
    scorer(arrays, catalogue, config) {
      return scorerOf(catalogue.items, config, byLastClick(readPairs(arrays, catalogue)));
    },
  };
}

export const markov = ruleBaseline(
  'markov',
  'Markov chain: what most often followed the last click; Ludewig and Jannach, UMUAI 2018',
  (items, offsets) => (at, session, add) => {
    if (at + 1 < offsets[session + 1]!) add(items[at + 1]!, 1);
  },
);

export const ar = ruleBaseline(
  'ar',
  'Association rules: what most often shared a session with the last click; Ludewig and Jannach, UMUAI 2018',
  (items, offsets) => (at, session, add) => {
    for (let other = offsets[session]!; other < offsets[session + 1]!; other++) if (other !== at) add(items[other]!, 1);
  },
);

export const sr: Baseline<SequentialRulesConfig> = {
  name: 'sr',
  paper: 'Sequential rules: what came soon after the last click; Ludewig and Jannach, UMUAI 2018',
  options: {
    ...options,
    steps: integer(10, [1, 1_000_000], 'how many clicks after an item still count as following it', 'session-rec'),
    weighting: choice(
      'div',
      ['div', 'quadratic', 'linear', 'log', 'same'],
      'weight at distance k: div 1/k, quadratic 1/k², linear 1 − 0.1k, log 1/log10(k + 1.7), same 1',
      'session-rec',
    ),
    lastInSession: integer(
      0,
      [0, 1_000_000],
      'how many clicks before the last one are looked up too, weighted by their distance 2, 3, …',
      'session-rec',
    ),
  },
  fit(sessions, catalogue, config) {
    const { items, offsets } = sessions;
    const weights = weightsUpTo(config.steps, config.weighting, longest(offsets));
    const pairs: PairsOfEvent = (at, session, add) => {
      const end = Math.min(offsets[session + 1]!, at + weights.length);
      for (let later = at + 1; later < end; later++) add(items[later]!, weights[later - at]!);
    };
    return writePairs(countPairs(sessions, catalogue.items, pairs, pairsOptions(config)));
  },
  scorer(arrays, catalogue, config) {
    const rules = readPairs(arrays, catalogue);
    const weight = WEIGHTS[config.weighting];
    return scorerOf(catalogue.items, config, (clicks, from, to, row) => {
      addPairs(rules, clicks[to - 1]!, 1, row);
      const earliest = Math.max(from, to - 1 - config.lastInSession);
      for (let at = to - 2; at >= earliest; at--) addPairs(rules, clicks[at] as ItemIndex, weight(to - at), row);
    });
  },
};

/** Weight by distance, entry 0 unused; no longer than any session needs. */
function weightsUpTo(steps: number, weighting: Weighting, longestSession: number): Float64Array {
  const reach = Math.min(steps, longestSession);
  return Float64Array.from({ length: reach + 1 }, (_, k) => (k === 0 ? 0 : WEIGHTS[weighting](k)));
}

function longest(offsets: Int32Array): number {
  let length = 0;
  for (let s = 0; s + 1 < offsets.length; s++) length = Math.max(length, offsets[s + 1]! - offsets[s]!);
  return length;
}
