/**
 * Rules "after i comes j", looked up by the last click. From session-rec: Ludewig and Jannach, "Evaluation of
 * Session-based Recommendation Algorithms", UMUAI 2018, https://arxiv.org/abs/1803.09587.
 *
 *     Markov  rule[i][j] += 1     for immediate successors j of i
 *     AR      rule[i][j] += 1     for each pair of events of a session, in both directions
 *     SR      rule[i][j] += w(k)  for events j that come k = 1 … steps clicks after i
 *
 * Ours, of more clicks than the last one: with n(i) events of item i, and iₚ the click p before the last,
 *
 *     decayed-sr    rule[i][j] = Σ δ^(k−1) / n(i)^α    over the same pairs
 *                   score(j)   = Σₚ γᵖ rule[iₚ][j]     p = 0 … clicks − 1
 *
 * Pairs of equal items count like any other. Only the strongest rules of an item are kept. Counts are small numbers, so
 * equal ones are the rule; session-rec leaves their order to a stable sort, that is to which pair came first in the log.
 * `ties: 'first-seen'` writes that order into the weights, as differences of some millionths.
 */

import type { OptionSpecs } from '../models/model';
import { boolean, choice, integer, number } from '../models/options';
import type { ItemIndex, Scorer, Sessions } from '../types';
import { type Baseline, type FillRow, forgetSession, REMIND, rowScorer, supportOf } from './baseline';
import { addPairs, countPairs, PAIRS, type PairsOfEvent, type PairsOptions, readPairs, writePairs } from './pairs';

export interface RulesConfig {
  readonly pruning: number;
  readonly ties: 'first-seen' | 'equal';
  readonly remind: boolean;
  readonly normalize: boolean;
}

export interface SequentialRulesConfig extends RulesConfig {
  readonly steps: number;
  readonly weighting: Weighting;
  readonly lastInSession: number;
}

export interface DecayedRulesConfig extends RulesConfig {
  readonly steps: number;
  readonly stepDecay: number;
  readonly clicks: number;
  readonly clickDecay: number;
  readonly supportPower: number;
}

const OURS = 'ours';

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
  remind: REMIND,
  normalize: boolean(true, 'divide scores by the largest, which moves no rank', 'session-rec'),
};
const steps = integer(10, [1, 1_000_000], 'how many clicks after an item still count as following it', 'session-rec');

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

/** Scores by a rule base, without those of the session where they are not to be recommended, divided by the largest. */
function scorerOf(items: number, { remind, normalize }: RulesConfig, fill: FillRow): Scorer {
  return rowScorer(new Float32Array(items), (clicks, from, to, rows, now) => {
    fill(clicks, from, to, rows, now);
    if (!remind) forgetSession(clicks, from, to, rows);
    if (normalize) rows.divideByLargest();
  });
}

const byLastClick =
  (pairs: Parameters<typeof addPairs>[0]): FillRow =>
  (clicks, _from, to, rows) =>
    addPairs(pairs, clicks[to - 1]!, 1, rows);

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
    arrays: PAIRS,
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
    steps,
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
  arrays: PAIRS,
  fit(sessions, catalogue, config) {
    const followers = followersOf(sessions, config.steps, WEIGHTS[config.weighting]);
    return writePairs(countPairs(sessions, catalogue.items, followers, pairsOptions(config)));
  },
  scorer(arrays, catalogue, config) {
    const rules = readPairs(arrays, catalogue);
    const weight = WEIGHTS[config.weighting];
    return scorerOf(catalogue.items, config, (clicks, from, to, rows) => {
      addPairs(rules, clicks[to - 1]!, 1, rows);
      const earliest = Math.max(from, to - 1 - config.lastInSession);
      for (let at = to - 2; at >= earliest; at--) addPairs(rules, clicks[at] as ItemIndex, weight(to - at), rows);
    });
  },
};

export const decayedSr: Baseline<DecayedRulesConfig> = {
  name: 'decayed-sr',
  paper: 'Decayed sequential rules: what came soon after the last clicks, the later the click the more it counts; ours',
  options: {
    ...options,
    steps,
    stepDecay: number(0.5, [0, 1], 'factor of the weight of a pair for each click between its items', OURS),
    clicks: integer(10, [1, 1_000_000], 'how many of the last clicks are looked up', OURS),
    clickDecay: number(0.5, [0, 1], 'factor of the weight of a click for each click after it', OURS),
    supportPower: number(0.5, [0, 1], 'power of the events of an item that its rules are divided by; 1: shares', OURS),
  },
  arrays: PAIRS,
  fit(sessions, catalogue, config) {
    const { stepDecay, supportPower } = config;
    const support = supportOf(sessions, catalogue);
    const followers = followersOf(sessions, config.steps, (k) => stepDecay ** (k - 1));
    const weigh = (from: ItemIndex, _to: ItemIndex, sum: number) => sum / support[from]! ** supportPower;
    return writePairs(countPairs(sessions, catalogue.items, followers, { ...pairsOptions(config), weigh }));
  },
  scorer(arrays, catalogue, config) {
    const rules = readPairs(arrays, catalogue);
    return scorerOf(catalogue.items, config, (clicks, from, to, rows) => {
      const earliest = Math.max(from, to - config.clicks);
      let weight = 1;
      for (let at = to - 1; at >= earliest; at--, weight *= config.clickDecay)
        addPairs(rules, clicks[at]!, weight, rows);
    });
  },
};

/** The events that come up to so many clicks after an event, by the weight of their distance. */
function followersOf({ items, offsets }: Sessions, steps: number, weight: (k: number) => number): PairsOfEvent {
  const reach = Math.min(steps, longest(offsets));
  const weights = Float64Array.from({ length: reach + 1 }, (_, k) => (k === 0 ? 0 : weight(k)));
  return (at, session, add) => {
    const end = Math.min(offsets[session + 1]!, at + weights.length);
    for (let later = at + 1; later < end; later++) add(items[later]!, weights[later - at]!);
  };
}

function longest(offsets: Int32Array): number {
  let length = 0;
  for (let s = 0; s + 1 < offsets.length; s++) length = Math.max(length, offsets[s + 1]! - offsets[s]!);
  return length;
}
