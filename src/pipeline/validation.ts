/** What a validated training is worth: beside quick counting models, on groups of predictions, and in examples. */
import { throwIfAborted } from '../errors';
import { baselines } from '../neighbours/index';
import { loadScorer, NAMELESS } from '../ranking/load-scorer';
import { topK } from '../ranking/top-k';
import { earlierSessions } from '../session/earlier';
import type { ClickLog } from '../session/event-log';
import { logFacts } from '../session/log-facts';
import { random } from '../session/random';
import { conservativeRanks, pastOf } from '../train/evaluate';
import { type Metrics, metricsOf, mrrAt, recallAt } from '../train/metrics';
import { predictionsOf, prefixOf } from '../train/predictions';
import { readClicks, userNumbers } from '../train/read-clicks';
import { type TrainedModel, trainFromLog } from '../train/train-from-log';
import { yieldToEventLoop } from '../train/yield-to-event-loop';
import type { Scorer, Sessions } from '../types';
import { type Difference, pairedDifference, sessionScores } from './compare/statistics';
import { defined } from './defined';
import { whole } from './format';
import { inform, type Observer, startTask } from './observer';
import type { Splits, TrainingParts } from './training-parts';

/** Counting models that take no more than a pass over the log. */
const QUICK = ['pop', 's-pop', 'markov', 'sr', 'decayed-sr'];
/** Those that count every pair of clicks of a session, and how many pairs they may count: some ten seconds each. */
const ALL_PAIRS = ['item-knn', 'ar'];
const MOST_PAIRS = 1e9;
/** Session neighbours, and how many comparisons each may take: up to a minute. */
const NEIGHBOURS = ['v-sknn', 'vstan'];
const MOST_COMPARISONS = 4e8;
/** Those that recommend items of the session again unless `remind` is false. */
const REMINDING = ['markov', 'sr', 'decayed-sr', ...ALL_PAIRS, ...NEIGHBOURS];
/** In sessions with fewer repeated clicks than this share, such as baskets, a repeat is no good guess. */
const FEW_REPEATS = 0.01;
export const METRICS = ['mrr@20', 'recall@20'] as const;
export const TITLES = { 'mrr@20': 'MRR@20', 'recall@20': 'Recall@20' } as const;
const CUT = 20;
const EXAMPLES = 10;
const SUGGESTIONS = 5;

/** A model, and what it reaches on the validation part. */
export interface Measured {
  readonly model: string;
  /** Settings of a counting model that are not its defaults. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Conservative. */
  readonly metrics: Metrics;
}

/** A counting model, and how far the trained model is ahead of it: paired bootstrap over sessions. */
export interface Baseline extends Measured {
  readonly behind: Readonly<Record<(typeof METRICS)[number], Difference>>;
}

/** A group of the predictions. */
export interface Slice {
  readonly label: string;
  readonly predictions: number;
  readonly model: Metrics;
  readonly baseline: Metrics;
}

/** A session of the validation part; products are named by their ids. */
export interface Example {
  readonly clicks: readonly string[];
  readonly suggestions: readonly string[];
  /** What was clicked next, and its rank. */
  readonly next: string;
  readonly rank: number;
}

export interface Validation {
  readonly sessions: number;
  readonly predictions: number;
  readonly model: Measured;
  /** Counting models, the best first. */
  readonly counting: readonly Measured[];
  /** The best of them. */
  readonly baseline: Baseline;
  readonly byClicks: readonly Slice[];
  readonly byLastItem: readonly Slice[];
  /** Of the model, the rank of each prediction. */
  readonly ranks: Int32Array;
  readonly examples: readonly Example[];
}

export type ValidatedParts = Pick<TrainingParts, 'log' | 'validProtocol'> &
  Required<Pick<TrainingParts, 'valid' | 'unknownBefore'>>;

/** Undefined without a validation part. */
export const validatedParts = ({ valid, unknownBefore, ...parts }: Splits): ValidatedParts | undefined =>
  valid && unknownBefore && { ...parts, valid, unknownBefore };

/**
 * Measures a model, and quick counting models that are fitted on the same training part, on the same predictions. A backend must be
 * running.
 *
 * @throws RecommenderError `aborted`; `not-finite`.
 */
export async function measure(trained: TrainedModel, parts: ValidatedParts, observer: Observer): Promise<Validation> {
  const { valid, validProtocol: protocol = 'events' } = parts;
  const { positions, predicted } = predictionsOf(valid.sessions, protocol, 'test');
  const count = positions.length;
  const quick = quickModels(parts, observer);
  const task = startTask(observer, {
    label: `Comparing ${trained.architecture} with counting models`,
    total: count * (1 + quick.length),
    unit: 'predictions',
  });
  let before = 0;
  const rank = async (model: TrainedModel): Promise<Ranked> => {
    const ranked = await rankValidation(model, parts, observer, (done) => task.update(before + done));
    before += count;
    return ranked;
  };
  try {
    const own = await rank(trained);
    const counting: Ranked[] = [];
    for (const model of quick) counting.push(await rank(await countQuick(model, parts, observer)));
    counting.sort(byQuality);
    return {
      sessions: predicted,
      predictions: count,
      model: measured(own),
      counting: counting.map(measured),
      baseline: { ...measured(counting[0]!), behind: behind(own, counting[0]!, parts) },
      ...slices(own, counting[0]!, parts),
      ranks: own.ranks,
      examples: await examplesOf(trained, own, parts),
    };
  } finally {
    task.finish();
  }
}

/** The better model first. */
function byQuality(a: Measured, b: Measured): number {
  const [first, second] = METRICS;
  return b.metrics[first]! - a.metrics[first]! || b.metrics[second]! - a.metrics[second]!;
}

/** Counting models that take seconds on this log; says which are left out, and why. */
export function quickModels(parts: ValidatedParts, observer: Observer): readonly string[] {
  const within = (most: number, models: readonly string[], count: number, what: string): readonly string[] => {
    if (count <= most) return models;
    inform(
      observer,
      `${models.join(' and ')} would take ${whole(count)} ${what}, more than ${whole(most)}: left out of the comparison. ` +
        'aisle compare has them.',
    );
    return [];
  };
  return [
    ...QUICK,
    ...within(MOST_PAIRS, ALL_PAIRS, pairsOf(parts.log.sessions), 'pairs of clicks in a session'),
    ...NEIGHBOURS.flatMap((model) =>
      within(MOST_COMPARISONS, [model], comparisonsOf(model, parts), 'comparisons with past sessions and clicks'),
    ),
  ];
}

/** A counting model of the training part. */
export async function countQuick(
  model: string,
  { log }: Pick<ValidatedParts, 'log'>,
  { signal }: Observer,
): Promise<TrainedModel> {
  await yieldToEventLoop();
  const { itemIds, support } = log;
  const isBasket = logFacts(log, itemIds.length).repeated < FEW_REPEATS;
  const config = isBasket && REMINDING.includes(model) ? { remind: false } : {};
  return trainFromLog({ model, config, log, itemIds, support, seed: 1, ...defined({ signal }) });
}

/**
 * Ranks every prediction of the validation part. A backend must be running.
 *
 * @throws RecommenderError `aborted`; `not-finite`.
 */
export function rankValidation(
  model: TrainedModel,
  parts: ValidatedParts,
  { signal }: Observer,
  onProgress?: (done: number) => void,
): Promise<Ranked> {
  const { log, validProtocol: protocol = 'events' } = parts;
  return withScorer(model, parts, async ({ scorer, sessions, past }) => {
    await yieldToEventLoop(); // a model counts without a pause
    throwIfAborted(signal);
    const ranks = await conservativeRanks(scorer, sessions, {
      protocol,
      support: log.support,
      past,
      ...defined({ signal, onProgress }),
    });
    const unusual = model.config['remind'] === false && { config: { remind: false } };
    return { model: model.architecture, ...unusual, metrics: metricsOf(ranks), ranks };
  });
}

/** Pairs of clicks in a session, both orders and each click with itself. */
function pairsOf({ offsets }: Sessions): number {
  let pairs = 0;
  for (let s = 0; s + 1 < offsets.length; s++) pairs += (offsets[s + 1]! - offsets[s]!) ** 2;
  return pairs;
}

/** What session neighbours take at most: the clicks of the session, the past sessions that share one, and the clicks of those asked. */
function comparisonsOf(model: string, { log, valid, validProtocol }: ValidatedParts): number {
  const { items, offsets } = valid.sessions;
  const { sampleSize, k } = baselines[model]!.options;
  const asked = (k!.default * log.sessions.items.length) / (log.sessions.offsets.length - 1);
  let sum = 0;
  for (let s = 0; s + 1 < offsets.length; s++) {
    const last = offsets[s + 1]! - 2; // the last event before a target
    const clicked = new Set<number>();
    let compared = 0;
    for (let e = offsets[s]!; e <= last; e++) {
      const item = items[e]!;
      if (!clicked.has(item)) compared += Math.min(sampleSize!.default, log.support[item]!);
      clicked.add(item);
      if (validProtocol !== 'leave-one-out' || e === last) sum += e - offsets[s]! + compared + asked;
    }
  }
  return Math.round(sum);
}

interface Ranked extends Measured {
  /** Of each prediction. */
  readonly ranks: Int32Array;
}

const measured = ({ ranks, ...rest }: Ranked): Measured => rest;

/** With its settings, as `aisle train` takes them. */
export const nameOf = ({ model, config = {} }: Measured): string =>
  [model, ...Object.entries(config).map(([key, value]) => `--set ${key}=${value}`)].join(' ');

function behind(own: Ranked, other: Ranked, { valid, validProtocol = 'events' }: ValidatedParts): Baseline['behind'] {
  const { sessions } = predictionsOf(valid.sessions, validProtocol, 'test');
  const difference = (gain: (rank: number, k: number) => number) => {
    const scores = ({ ranks }: Ranked) => sessionScores(sessions, (p) => gain(ranks[p]!, CUT));
    return pairedDifference(scores(own), scores(other));
  };
  return { 'mrr@20': difference(mrrAt), 'recall@20': difference(recallAt) };
}

/** Runs a model on the validation part, in the model's own numbers of users and features. */
export async function withScorer<T>(
  { architecture, config, features, tensors }: TrainedModel,
  { log, valid, validProtocol = 'events' }: ValidatedParts,
  use: (given: {
    readonly scorer: Scorer;
    readonly sessions: Sessions;
    readonly past: Sessions | undefined;
  }) => Promise<T>,
): Promise<T> {
  const { itemIds } = log;
  const info = { ...NAMELESS, architecture, config, items: itemIds.length, ...defined({ features }) };
  const userNumber = await userNumbers(tensors, log, valid);
  const visitors = new Map<string, number>();
  const read = (part: ClickLog) => readClicks({ info, tensors }, part, userNumber, visitors);
  const scorer = await loadScorer({ info, itemIds, tensors });
  try {
    return await use({ scorer, past: pastOf(validProtocol, read(log)), sessions: read(valid) });
  } finally {
    scorer.dispose();
  }
}

/** Where the model is better or worse: by how much of the session it has seen, and by what was clicked last. */
export function slices(
  own: Pick<Ranked, 'ranks'>,
  baseline: Pick<Ranked, 'ranks'>,
  { log, valid, unknownBefore, validProtocol: protocol = 'events' }: ValidatedParts,
): Pick<Validation, 'byClicks' | 'byLastItem'> {
  const { items, offsets } = valid.sessions;
  const { sessions, positions } = predictionsOf(valid.sessions, protocol, 'test');
  const popular = popularItems(log.support);
  const all = [...positions.keys()];
  const lastOf = (p: number): number => offsets[sessions[p]!]! + positions[p]!;
  const isUnknown = (p: number): boolean => unknownBefore[lastOf(p) + 1] === 1 || log.support[items[lastOf(p)]!] === 0;
  const slice = (label: string, isIn: (p: number) => boolean): Slice => {
    const chosen = all.filter(isIn);
    const metrics = ({ ranks }: Pick<Ranked, 'ranks'>): Metrics =>
      metricsOf(
        chosen.map((p) => ranks[p]!),
        [CUT],
      );
    return { label, predictions: chosen.length, model: metrics(own), baseline: metrics(baseline) };
  };
  const clicks = (from: number, to: number) => (p: number) => positions[p]! + 1 >= from && positions[p]! + 1 <= to;
  return {
    byClicks: [
      slice('1', clicks(1, 1)),
      slice('2', clicks(2, 2)),
      slice('3–5', clicks(3, 5)),
      slice('6 and more', clicks(6, Number.POSITIVE_INFINITY)),
    ],
    byLastItem: [
      slice('popular', (p) => !isUnknown(p) && popular.has(items[lastOf(p)]!)),
      slice('rare', (p) => !isUnknown(p) && !popular.has(items[lastOf(p)]!)),
      slice('unseen', isUnknown),
    ],
  };
}

/** The most clicked items that have half of the events. */
function popularItems(support: Int32Array): ReadonlySet<number> {
  const order = [...support.keys()].slice(1).sort((a, b) => support[b]! - support[a]! || a - b);
  const half = support.reduce((sum, events) => sum + events, 0) / 2;
  const popular = new Set<number>();
  let events = 0;
  for (const item of order) {
    if (events >= half) break;
    popular.add(item);
    events += support[item]!;
  }
  return popular;
}

/** Sessions that are drawn from the validation part, each with its last prediction: clicks alone, without time, user or id. */
async function examplesOf(trained: TrainedModel, { ranks }: Ranked, parts: ValidatedParts): Promise<Example[]> {
  const { itemIds } = parts.log;
  const { validProtocol: protocol = 'events' } = parts;
  const predictions = predictionsOf(parts.valid.sessions, protocol, 'test');
  const last = new Map([...predictions.sessions].map((session, p) => [session, p]));
  const drawn = random(0, 'examples').shuffle(Int32Array.from(last.values())).slice(0, EXAMPLES).sort();
  const idOf = (item: number): string => itemIds[item - 1]!;
  return withScorer(trained, parts, async ({ scorer, sessions, past }) => {
    const earlierOf = earlierSessions(sessions, scorer.earlier ?? 0, past);
    const examples: Example[] = [];
    for (const p of drawn) {
      const input = prefixOf(sessions, predictions, p, earlierOf);
      const exclude = protocol === 'leave-one-out' ? new Set(Array.from(input.items)) : undefined;
      const target = sessions.offsets[predictions.sessions[p]!]! + predictions.positions[p]! + 1;
      examples.push({
        clicks: Array.from(input.items, idOf),
        suggestions: topK(await scorer.score([input]), SUGGESTIONS, exclude).map(({ index }) => idOf(index)),
        next: idOf(sessions.items[target]!),
        rank: ranks[p]!,
      });
    }
    return examples;
  });
}

/**
 * The model beside the best quick counting model, in one sentence with advice.
 */
export function verdict(
  { model, baseline }: Pick<Validation, 'model' | 'baseline'>,
  { epochs, best }: { readonly epochs: readonly unknown[]; readonly best?: { readonly epoch: number } | undefined },
): string {
  const [mrr, recall] = METRICS.map((metric) => {
    const [ours, theirs] = [model, baseline].map(({ metrics }) => short(metrics[metric]!));
    const { mean, low, high } = baseline.behind[metric];
    return { ours, theirs, interval: `${signed(mean)} [${signed(low)}, ${signed(high)}]` };
  });
  const name = nameOf(baseline);
  const figures =
    `${model.model} ${mrr!.ours}, counting (${name}) ${mrr!.theirs} on the same predictions ` +
    `(MRR@20, ${mrr!.interval}; Recall@20 ${recall!.ours} and ${recall!.theirs}, ${recall!.interval})`;
  const where = (is: (gap: Difference) => boolean) => METRICS.filter((metric) => is(baseline.behind[metric]));
  const ahead = where(({ low }) => low > 0);
  const behind = where(({ high }) => high < 0);
  const inAll = (metrics: readonly (typeof METRICS)[number][]) => metrics.map((metric) => TITLES[metric]).join(' and ');
  const open = METRICS.filter((metric) => ![...ahead, ...behind].includes(metric));
  const rest = open.length === 1 ? `; in ${inAll(open)} the difference may be chance` : '';
  if (ahead.length && !behind.length) return `${figures}: the network is better in ${inAll(ahead)}${rest}.`;
  let found = 'the difference may be chance';
  if (behind.length) found = `counting is better in ${inAll(behind)}${rest}`;
  if (behind.length && ahead.length) found += `, the network in ${inAll(ahead)}`;
  const advice = best?.epoch === epochs.length ? 'Train longer' : 'Look for better settings with aisle search';
  const caution = NEIGHBOURS.includes(baseline.model) ? ', which has sessions of the log inside' : '';
  return `${figures}: ${found}. ${advice}, or ship ${name}${caution}.`;
}

/** `+.0044`. */
const signed = (value: number): string => `${value < 0 ? '−' : '+'}${short(Math.abs(value))}`;

/** `.2660`. */
const short = (value: number): string => value.toFixed(4).replace(/^0/, '');
