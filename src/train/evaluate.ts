/** Offline evaluation: every target ranked among all items of the catalogue, by counting, with ties counted both ways. */
import { RecommenderError, throwIfAborted } from '../errors';
import { rankerAround, rankOf } from '../ranking/rank';
import { topColumns } from '../ranking/top-k';
import { earlierSessions } from '../session/earlier';
import { fifthOf, fifths, gini } from '../session/popularity';
import type { ItemIndex, Scorer, Sessions } from '../types';
import { CUTS, type Metrics, metricsOf } from './metrics';
import { batchesByLength, predictionsOf, prefixOf } from './predictions';
import type { Protocol } from './types';
import { yieldToEventLoop } from './yield-to-event-loop';

export const PROTOCOLS: readonly Protocol[] = ['events', 'last-item', 'leave-one-out', 'incremental'];

/** Cut-off of coverage and of the recommendations' popularity. */
const LIST_LENGTH = 20;
/** A larger difference between the tie modes means saturated or constant scores. */
const TIE_GAP = 0.001;

/** One prediction, for `--ranks`. */
export interface RankRow {
  /** Number of the session in the log that was evaluated. */
  readonly session: number;
  /** The last event seen, from 0. */
  readonly position: number;
  readonly target: ItemIndex;
  /** Conservative; `UNRANKED` of a target that is no candidate. */
  readonly rank: number;
}

export interface EvaluateOptions {
  readonly protocol: Protocol;
  /** Events of each item in the training log, `[n + 1]`, for the popularity of what is recommended. */
  readonly support: ArrayLike<number>;
  /** Cut-offs of the metrics. Default 1, 5, 10, 20. */
  readonly ks?: readonly number[];
  /** Whether items of the input stay candidates. Default `drop` for `leave-one-out`, else `keep`. */
  readonly seen?: 'keep' | 'drop';
  /** Items that are no candidates in any prediction. Default: none. */
  readonly excluded?: ReadonlySet<ItemIndex>;
  /** Of the one-target protocols: the last event (`test`, default) or the one before it (`valid`). */
  readonly target?: 'valid' | 'test';
  /** Sessions of before, for models that read a visitor's earlier ones; `visitors` numbers those of both alike. */
  readonly past?: Sessions | undefined;
  /** Called for every prediction, in the order of sessions and positions, after all have been ranked. */
  readonly onRank?: (row: RankRow) => void;
  /** Called after every batch with the number of predictions done and in all. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** What was before a validation part: nothing where that is the same sessions as were trained on, with the events that were held out. */
export const pastOf = (protocol: Protocol, trained: Sessions): Sessions | undefined =>
  protocol === 'leave-one-out' ? undefined : trained;

/** How the top-20 lists share the items. */
export interface Exposure {
  /** Gini coefficient of how often the model's items are recommended: 0 where all are equally often, near 1 where few fill nearly all lists. */
  readonly gini: number;
  /**
   * Jensen–Shannon divergence, in bits, between how rare and popular items, by fifths of the training events, share the lists and how
   * they share the targets: 0 where lists hold popular items as often as visitors click them, at most 1. After the deviation of Abdollahpouri
   * et al., "User-centered Evaluation of Popularity Bias in Recommender Systems", UMAP 2021, over all visitors at once.
   */
  readonly popularityDeviation: number;
}

export interface EvaluateResult {
  /** What was predicted. */
  readonly protocol: Protocol;
  /** Number of predictions. */
  readonly n: number;
  /** Sessions with at least one prediction. */
  readonly sessions: number;
  /** Which figures are quoted: items that tie with the target count as before it. */
  readonly ties: 'conservative';
  /** With ties lost (`conservative`) and won (`standard`), by name and cut-off. */
  readonly metrics: { readonly conservative: Metrics; readonly standard: Metrics };
  /** Distinct items in any of the top-20 lists / n. */
  readonly 'coverage@20': number;
  /** Mean support of the items of the top-20 lists / the largest support, 0…1. */
  readonly 'popularity@20': number;
  /** Absent where there was no list. */
  readonly exposure?: Exposure;
  /** By the clock. */
  readonly seconds: number;
  /** What a reader of the figures must know; empty for a sound model. */
  readonly warnings: readonly string[];
}

/**
 * Evaluates a model on sessions that it has not seen.
 *
 * Ranks are counted, never read off a top-k list. Under `events`, models that carry a state are scored click by click;
 * the others, and the one-target protocols, score prefixes in batches of similar length. A model that reads a visitor's
 * earlier sessions is given those of the log, and of `past`, that had ended before, as a page would know them.
 *
 * @param sessions In the artifact's own indices 1…n: unknown items are already left out. Sessions too short for the
 *   protocol give no prediction.
 * @throws RecommenderError `not-finite` if a score is NaN or infinite; `bad-config` for `incremental`; `aborted`.
 * @throws RangeError for an item index outside 1…n or a cut-off that is not a positive whole number.
 */
export async function evaluate(scorer: Scorer, sessions: Sessions, options: EvaluateOptions): Promise<EvaluateResult> {
  const started = performance.now();
  const { ks = CUTS } = options;
  checkArguments(scorer, sessions, options, ks);
  const lists = new RecommendedLists(scorer.items, options.support);
  const { predictions, conservative, standard } = await rankTargets(
    scorer,
    sessions,
    options,
    (row, target, exclude) => {
      lists.add(row, target, exclude);
    },
  );
  const total = conservative.length;
  if (options.onRank) {
    for (let p = 0; p < total; p++) {
      const session = predictions.sessions[p]!;
      const position = predictions.positions[p]!;
      const target = sessions.items[sessions.offsets[session]! + position + 1]!;
      options.onRank({ session, position, target, rank: conservative[p]! });
    }
  }
  const metrics = { conservative: metricsOf(conservative, ks), standard: metricsOf(standard, ks) };
  return {
    protocol: options.protocol,
    n: total,
    sessions: predictions.predicted,
    ties: 'conservative',
    metrics,
    'coverage@20': lists.coverage(),
    'popularity@20': lists.popularity(),
    ...(lists.isAny && { exposure: lists.exposure() }),
    seconds: (performance.now() - started) / 1000,
    warnings: warningsOf(metrics, total),
  };
}

/**
 * The conservative metrics of `evaluate` alone, for who asks after every epoch: without lists a catalogue of tens of thousands of
 * items takes a seventh less time.
 *
 * @throws RecommenderError, RangeError as `evaluate`.
 */
export async function conservativeMetrics(
  scorer: Scorer,
  sessions: Sessions,
  options: Omit<EvaluateOptions, 'ks' | 'onRank'>,
): Promise<Metrics> {
  return metricsOf(await conservativeRanks(scorer, sessions, options));
}

/**
 * The conservative rank of every target, in the order of sessions and positions.
 *
 * @throws RecommenderError, RangeError as `evaluate`.
 */
export async function conservativeRanks(
  scorer: Scorer,
  sessions: Sessions,
  options: Omit<EvaluateOptions, 'ks' | 'onRank'>,
): Promise<Int32Array> {
  checkArguments(scorer, sessions, options, CUTS);
  return (await rankTargets(scorer, sessions, options)).conservative;
}

/** Ranks of every target, in the order of sessions and positions. */
interface Ranking {
  readonly predictions: ReturnType<typeof predictionsOf>;
  readonly conservative: Int32Array;
  readonly standard: Int32Array;
}

/** @param onScores Called with all scores of each prediction, its target, and the items that are no candidates. */
async function rankTargets(
  scorer: Scorer,
  sessions: Sessions,
  options: EvaluateOptions,
  onScores?: (row: Float32Array, target: ItemIndex, exclude: ReadonlySet<ItemIndex> | undefined) => void,
): Promise<Ranking> {
  const { protocol, signal, excluded } = options;
  const { seen = protocol === 'leave-one-out' ? 'drop' : 'keep' } = options;
  const { target = 'test' } = options;
  const predictions = predictionsOf(sessions, protocol, target);
  const total = predictions.positions.length;
  const conservative = new Int32Array(total);
  const standard = new Int32Array(total);
  // Whoever validates does not know the last event of any session, which is the test's.
  const earlierOf = earlierSessions(sessions, scorer.earlier ?? 0, options.past, target === 'valid' ? 1 : 0);
  let done = 0;

  const rankAround = scorer.base && rankerAround(scorer.base);

  /** Ranks the target of prediction p, given all scores, and which of them are not the scorer's `base`. */
  const rank = (p: number, row: Float32Array, changed?: Int32Array) => {
    const session = predictions.sessions[p]!;
    const first = sessions.offsets[session]!;
    const last = first + predictions.positions[p]!;
    const exclude = excludedFrom(sessions.items.subarray(first, last + 1), seen, excluded);
    const target = sessions.items[last + 1]!;
    const ranks = rankAround && changed ? rankAround(row, changed, target, exclude) : rankOf(row, target, exclude);
    conservative[p] = ranks.conservative;
    standard[p] = ranks.standard;
    onScores?.(row, target, exclude);
    done++;
  };
  const afterBatch = async () => {
    options.onProgress?.(done, total);
    await yieldToEventLoop(); // what counts scores without a pause, in which a signal could fire
    throwIfAborted(signal);
  };

  const n = scorer.items;
  if (protocol === 'events' && scorer.scoreSequences && total > 0) {
    await scorer.scoreSequences(sessions, async (scores, rows) => {
      rows.forEach(({ session, position, changed }, i) => {
        rank(predictions.starts[session]! + position, scores.subarray(i * n, (i + 1) * n), changed);
      });
      await afterBatch();
    });
    if (done !== total) throw new Error(`The scorer made ${done} predictions, expected ${total}.`);
  } else {
    for (const batch of batchesByLength(predictions.positions, n)) {
      const scores = await scorer.score(batch.map((p) => prefixOf(sessions, predictions, p, earlierOf)));
      batch.forEach((p, i) => {
        rank(p, scores.subarray(i * n, (i + 1) * n));
      });
      await afterBatch();
    }
  }
  return { predictions, conservative, standard };
}

/** Items that are no candidates after these clicks; undefined: all are. */
export function excludedFrom(
  clicks: Int32Array,
  seen: EvaluateOptions['seen'],
  excluded: EvaluateOptions['excluded'],
): ReadonlySet<ItemIndex> | undefined {
  if (seen !== 'drop') return excluded;
  const found = new Set<ItemIndex>(clicks);
  for (const item of excluded ?? []) found.add(item);
  return found;
}

/** Counts what the top-20 lists hold. */
class RecommendedLists {
  /** How often each item was recommended. */
  private readonly times: Float64Array;
  private readonly columns: Int32Array;
  private readonly largest: number;
  /** The fifth of each item. */
  private readonly fifths: Uint8Array;
  private readonly targets = new Float64Array(5);
  private sum = 0;
  private lists = 0;

  constructor(
    items: number,
    private readonly support: ArrayLike<number>,
  ) {
    this.times = new Float64Array(items);
    this.columns = new Int32Array(Math.min(LIST_LENGTH, items));
    const counts = Array.from({ length: items }, (_, column) => support[column + 1]!);
    this.largest = counts.reduce((most, count) => Math.max(most, count), 1);
    const bounds = fifths(counts);
    this.fifths = Uint8Array.from(counts, (count) => fifthOf(bounds, count));
  }

  add(row: Float32Array, target: ItemIndex, exclude: ReadonlySet<ItemIndex> | undefined): void {
    const found = topColumns(row, this.columns, exclude);
    if (found === 0) return;
    this.targets[this.fifths[target - 1]!]!++;
    let events = 0;
    for (let i = 0; i < found; i++) {
      const column = this.columns[i]!;
      this.times[column]!++;
      events += this.support[column + 1]!;
    }
    this.sum += events / found / this.largest;
    this.lists++;
  }

  get isAny(): boolean {
    return this.lists > 0;
  }

  coverage(): number {
    return this.times.reduce((distinct, times) => distinct + Number(times > 0), 0) / this.times.length;
  }

  popularity(): number {
    return this.lists === 0 ? 0 : this.sum / this.lists;
  }

  exposure(): Exposure {
    const recommended = new Float64Array(5);
    this.times.forEach((times, column) => {
      recommended[this.fifths[column]!]! += times;
    });
    return { gini: gini(this.times), popularityDeviation: divergence(recommended, this.targets) };
  }
}

/**
 * Jensen–Shannon divergence of two lists of counts, in bits:
 *
 *     ½ Σ p log₂ (p / m) + ½ Σ q log₂ (q / m),   m = (p + q) / 2
 */
function divergence(first: Float64Array, second: Float64Array): number {
  const sharesOf = (counts: Float64Array) => counts.map((count) => count / counts.reduce((sum, one) => sum + one, 0));
  const [p, q] = [sharesOf(first), sharesOf(second)];
  const part = (x: number, m: number) => (x === 0 ? 0 : (x * Math.log2(x / m)) / 2);
  return p.reduce((sum, x, i) => sum + part(x, (x + q[i]!) / 2) + part(q[i]!, (x + q[i]!) / 2), 0);
}

function warningsOf({ conservative, standard }: EvaluateResult['metrics'], total: number): string[] {
  if (total === 0) return ['There was nothing to predict: no session has enough events of known items.'];
  let widest = '';
  let gap = TIE_GAP;
  for (const name of Object.keys(conservative)) {
    const difference = standard[name]! - conservative[name]!;
    if (difference > gap) [widest, gap] = [name, difference];
  }
  if (!widest) return [];
  return [
    `Many scores are equal: ${widest} is ${conservative[widest]!.toFixed(4)} if targets lose ties and ` +
      `${standard[widest]!.toFixed(4)} if they win them. Counting baselines tie by nature; a trained network with such ` +
      'a gap has saturated or constant scores. Quote the conservative figures.',
  ];
}

/**
 * Refuses what `evaluate` cannot do, before anything is read or computed.
 *
 * @throws RecommenderError `bad-config`
 */
export function checkProtocol({ protocol, target }: Pick<EvaluateOptions, 'protocol' | 'target'>): void {
  if (protocol === 'incremental') {
    throw new RecommenderError(
      'bad-config',
      'The protocol "incremental" trains and tests window by window, which one artifact cannot do. ' +
        'Use `protocol` events, last-item or leave-one-out.',
    );
  }
  if (protocol === 'events' && target === 'valid') {
    throw new RecommenderError(
      'bad-config',
      'The target "valid" (the event before the last) belongs to the protocols last-item and leave-one-out; ' +
        'the protocol "events" predicts every event. Evaluate the validation file instead.',
    );
  }
}

function checkArguments(scorer: Scorer, { items }: Sessions, options: EvaluateOptions, ks: readonly number[]): void {
  checkProtocol(options);
  for (const k of ks) {
    if (!Number.isInteger(k) || k < 1)
      throw new RangeError(`evaluate: a cut-off must be a whole number ≥ 1, got ${k}.`);
  }
  if (options.support.length !== scorer.items + 1) {
    const expected = scorer.items + 1;
    throw new RangeError(
      `evaluate: support must have ${expected} entries (index 0 unused), got ${options.support.length}.`,
    );
  }
  for (let i = 0; i < items.length; i++) {
    if (!(items[i]! >= 1 && items[i]! <= scorer.items)) {
      throw new RangeError(`evaluate: event ${i} has item index ${items[i]}, expected 1…${scorer.items}.`);
    }
  }
}
