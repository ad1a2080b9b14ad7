/**
 * SKNN, V-SkNN, STAN and VSTAN: what sessions like this one went on to. `session-neighbours.ts` has the equations and the
 * sources; here is what each weighs, with n clicks so far, the newest at position n.
 *
 *     SKNN     sim = |s ∩ v| / √(|s| |v|)
 *     V-SkNN   wᵢ and nearness by a `weighting` each;  recency (7/8)^days where it is switched on
 *     STAN     wᵢ = e^((p − n)/λ_spw)   recency e^(−age/λ_snh)   closeness e^(−|pos − pos*|/λ_inh)
 *     VSTAN    STAN, times nearness e^((p* − n)/λ_ipw) and 1 + idf · λ_idf
 *
 * An artifact of these holds the training sessions that can still be neighbours: item indices and times, no visitors.
 */

import type { OptionSpecs } from '../models/model';
import { boolean, choice, integer, number } from '../models/options';
import { type Baseline, REMIND, rowScorer } from './baseline';
import { readSessionIndex, SECONDS_PER_DAY, SESSIONS, writeSessionIndex } from './session-index';
import { type NeighbourRules, neighbourQuery } from './session-neighbours';

/** Weight of a click by its place in the session; `step` 1 is the newest click. */
type Weighting = 'same' | 'div' | 'linear' | 'log' | 'quadratic';
const WEIGHTINGS = ['same', 'div', 'linear', 'log', 'quadratic'] as const satisfies readonly Weighting[];

interface SharedConfig {
  readonly k: number;
  readonly sampleSize: number;
  readonly remind: boolean;
  readonly pushReminders: boolean;
}

export interface VsknnConfig extends SharedConfig {
  readonly similarity: 'vec' | 'cosine';
  readonly weighting: Weighting;
  readonly weightingScore: Weighting;
  readonly weightingTime: boolean;
  readonly idfWeighting: number;
  readonly lastNClicks: number;
  readonly normalize: boolean;
}

export interface StanConfig extends SharedConfig {
  readonly lambdaSpw: number;
  readonly lambdaSnh: number;
  readonly lambdaInh: number;
}

export interface VstanConfig extends StanConfig {
  readonly similarity: 'vec' | 'cosine';
  readonly lambdaIpw: number;
  readonly lambdaIdf: number;
}

const SOURCE = 'session-rec';
const COUNT = { type: 'integer', min: 1, max: 1_000_000_000, source: SOURCE } as const;

const shared = (sampleSize: number): OptionSpecs<SharedConfig> => ({
  k: { ...COUNT, default: 100, doc: 'how many sessions are asked, the most similar' },
  sampleSize: {
    ...COUNT,
    default: sampleSize,
    doc: 'how many sessions are compared, the most recent that share an item',
  },
  remind: REMIND,
  pushReminders: boolean(
    false,
    'multiply the scores of items of the running session by how often they were clicked, plus one',
    SOURCE,
  ),
});

const similarity = (given: 'vec' | 'cosine') =>
  choice(
    given,
    ['vec', 'cosine'],
    'vec: weight of the shared items per item of the running session; cosine: also by the length of the neighbour',
    SOURCE,
  );

interface NeighbourBaseline<C> extends Baseline<C> {
  rulesOf(config: C): NeighbourRules;
}

/** Every one of the four. */
function neighbourBaseline<C extends SharedConfig>(
  name: string,
  paper: string,
  options: OptionSpecs<C>,
  rulesOf: (config: C) => NeighbourRules,
): NeighbourBaseline<C> {
  return {
    name,
    paper,
    options,
    rulesOf,
    arrays: SESSIONS,
    fit: (sessions, catalogue, { sampleSize }) => writeSessionIndex(sessions, catalogue, sampleSize),
    scorer(arrays, catalogue, config) {
      const index = readSessionIndex(arrays, catalogue);
      const query = neighbourQuery(index, catalogue.items, rulesOf(config));
      const newest = index.times.at(-1) ?? 0; // for a session without times
      return rowScorer(new Float32Array(catalogue.items), (items, from, to, rows, now = newest) => {
        const { scores, scored } = query(items, from, to, now);
        for (const item of scored) rows.set(item, scores[item - 1]!);
      });
    },
  };
}

const PLAIN = {
  lastNClicks: 0,
  weight: () => 1,
  recency: () => 1,
  nearness: () => 1,
  positiveOnly: false,
  idf: 0,
  normalize: false,
} as const;

const sknn = neighbourBaseline<SharedConfig>(
  'sknn',
  'Session-kNN: what sessions with the same items held; Jannach and Ludewig, RecSys 2017',
  shared(1000),
  (config) => ({ ...PLAIN, ...config, similarity: 'cosine', positiveOnly: true, normalize: true }),
);

const vsknnOptions: OptionSpecs<VsknnConfig> = {
  ...shared(1000),
  similarity: similarity('vec'),
  weighting: choice(
    'div',
    WEIGHTINGS,
    'weight of a click at position p of n: div p/n, quadratic (p/n)², log 1/log10(n − p + 1.7), linear 1 − (n − p)/10 for p ≤ 10, same 1',
    SOURCE,
  ),
  weightingScore: choice(
    'div',
    WEIGHTINGS,
    'weight of a neighbour whose latest shared click is s clicks from the end: div 1/s, quadratic 1/s², log 1/log10(s + 1.7), linear 1 − s/10 for s ≤ 100, same 1',
    SOURCE,
  ),
  weightingTime: boolean(
    false,
    'whether a neighbour counts 1/8 less for every day of its age, in a log with times',
    SOURCE,
  ),
  idfWeighting: number(0, [0, 1e6], 'how much more rare items count; 0: no more. Usual are 1, 2, 5, 10', SOURCE),
  lastNClicks: integer(
    0,
    [0, 1_000_000_000],
    'how many of the last clicks are compared, and with `remind` false left out; 0: all',
    SOURCE,
  ),
  normalize: boolean(true, 'divide scores by the largest, which moves no rank', SOURCE),
};

/** Linear stops at position 10, and not at distance 10: so does session-rec. */
const CLICK_WEIGHTS: Readonly<Record<Weighting, (p: number, n: number) => number>> = {
  same: () => 1,
  div: (p, n) => p / n,
  linear: (p, n) => (p <= 10 ? 1 - 0.1 * (n - p) : 0),
  log: (p, n) => 1 / Math.log10(n - p + 1.7),
  quadratic: (p, n) => (p / n) ** 2,
};

const STEP_WEIGHTS: Readonly<Record<Weighting, (step: number) => number>> = {
  same: () => 1,
  div: (step) => 1 / step,
  linear: (step) => (step <= 100 ? 1 - 0.1 * step : 0),
  log: (step) => 1 / Math.log10(step + 1.7),
  quadratic: (step) => 1 / (step * step),
};

/** An age in whole days; half days are rounded to the even number, as Python does. */
function wholeDays(age: number): number {
  const days = age / SECONDS_PER_DAY;
  const floor = Math.floor(days);
  const isHalf = days - floor === 0.5;
  return isHalf ? floor + (Math.abs(floor) % 2) : Math.round(days);
}

const vsknn = neighbourBaseline<VsknnConfig>(
  'v-sknn',
  'V-SkNN: session neighbours, recent clicks weighing more; Ludewig and Jannach, UMUAI 2018',
  vsknnOptions,
  (config) => ({
    ...PLAIN,
    ...config,
    weight: CLICK_WEIGHTS[config.weighting],
    recency: config.weightingTime ? (age, newest) => (7 / 8) ** (wholeDays(age) - wholeDays(newest)) : PLAIN.recency,
    nearness: (p, n) => STEP_WEIGHTS[config.weightingScore](n - p + 1),
    positiveOnly: true,
    idf: config.idfWeighting,
  }),
);

const lambda = (given: number, doc: string, most = 1e9) =>
  number(given, [0, most], `${doc}; 0: it does not matter`, SOURCE);

const stanOptions: OptionSpecs<StanConfig> = {
  ...shared(5000),
  lambdaSpw: lambda(1.02, 'clicks after which a click of the session weighs e times less'),
  lambdaSnh: lambda(5, 'days after which a neighbour weighs e times less, in a log with times'),
  lambdaInh: lambda(2.05, "clicks from the neighbour's last shared item after which an item weighs e times less"),
};

/** e^(−distance/λ); λ = 0 switches a factor off. */
const decay = (scale: number) => (scale > 0 ? (distance: number) => Math.exp(-distance / scale) : () => 1);

function stanRules(config: StanConfig): NeighbourRules {
  const byClick = decay(config.lambdaSpw);
  const byAge = decay(config.lambdaSnh * SECONDS_PER_DAY);
  return {
    ...PLAIN,
    ...config,
    similarity: 'cosine',
    weight: (p, n) => byClick(n - p),
    recency: (age, newest) => byAge(age - newest),
    closeness: decay(config.lambdaInh),
  };
}

const stan = neighbourBaseline<StanConfig>(
  'stan',
  'STAN: session neighbours, weighed by order and age; Garg et al., SIGIR 2019',
  stanOptions,
  stanRules,
);

const vstan = neighbourBaseline<VstanConfig>(
  'vstan',
  'VSTAN: STAN with the weights of V-SkNN; Ludewig et al., UMUAI 2021',
  {
    ...stanOptions,
    similarity: similarity('cosine'),
    lambdaIpw: lambda(
      1.02,
      'clicks from the end after which the latest shared click makes a neighbour weigh e times less',
    ),
    lambdaIdf: lambda(5, 'how much more rare items count', 1e6),
  },
  (config) => {
    const byPosition = decay(config.lambdaIpw);
    return {
      ...stanRules(config),
      similarity: config.similarity,
      nearness: (p, n) => byPosition(n - p),
      idf: config.lambdaIdf,
    };
  },
);

/** The four, by name. */
export const neighbours = { sknn, 'v-sknn': vsknn, stan, vstan };
