/** Statistics of several models' ranks on the same predictions: intervals of differences, and metrics by group. */
import { fifthOf, fifths } from '../../session/popularity';
import { random } from '../../session/random';
import { mrrAt, ndcgAt, recallAt } from '../../train/metrics';
import type { Rank } from '../files/ranks';

/** A metric that orders the rows. */
export type MetricName = 'mrr@20' | 'ndcg@20';

/** A rank's contribution to a metric whose differences have intervals. */
const GAINS: Readonly<Record<MetricName | 'recall@20', (rank: number) => number>> = {
  'recall@20': (rank) => recallAt(rank, 20),
  'mrr@20': (rank) => mrrAt(rank, 20),
  'ndcg@20': (rank) => ndcgAt(rank, 20),
};

/** Differences below this share of the better value are ties: less than what seeds, splits and machines change. */
const TIE = 0.05;

/** Gains per session: the bootstrap draws sessions, because the predictions of one session are correlated. */
export interface SessionScores {
  /** Sum of the gains of each session's predictions, [sessions]. */
  readonly sums: Float64Array;
  /** How many they are, or what they weigh together, [sessions]. */
  readonly counts: Float64Array;
}

/** Ranks of the same model, one list a seed, of the same predictions in the same order. */
type Runs = readonly (readonly Rank[])[];

/**
 * The mean over seeds of each prediction's gain, added up by session.
 *
 * @param weights How much each prediction counts. Default: all alike.
 */
export function bySession(runs: Runs, metric: keyof typeof GAINS, weights?: ArrayLike<number>): SessionScores {
  const gain = GAINS[metric];
  return sessionScores(
    runs[0]!.map(({ session }) => session),
    (p) => runs.reduce((sum, run) => sum + gain(run[p]!.rank) / runs.length, 0),
    weights,
  );
}

/**
 * @param sessions The session of each prediction.
 * @param weights How much each counts. Default: all alike.
 */
export function sessionScores<S extends string | number>(
  sessions: ArrayLike<S>,
  gain: (prediction: number) => number,
  weights?: ArrayLike<number>,
): SessionScores {
  const numbers = new Map<S, number>();
  for (let p = 0; p < sessions.length; p++) if (!numbers.has(sessions[p]!)) numbers.set(sessions[p]!, numbers.size);
  const sums = new Float64Array(numbers.size);
  const counts = new Float64Array(numbers.size);
  for (let p = 0; p < sessions.length; p++) {
    const s = numbers.get(sessions[p]!)!;
    const weight = weights?.[p] ?? 1;
    sums[s]! += weight * gain(p);
    counts[s]! += weight;
  }
  return { sums, counts };
}

/** The 95 % interval of a mean gain, as `pairedDifference` has that of a difference. */
export const meanGain = (scores: SessionScores): Difference =>
  pairedDifference(scores, { ...scores, sums: new Float64Array(scores.sums.length) });

export interface Difference {
  readonly mean: number;
  /** 95 % interval. */
  readonly low: number;
  readonly high: number;
}

const RESAMPLES = 2000;

/**
 * Paired bootstrap of the difference of two models' mean gains, a − b: sessions are drawn with replacement, the same for both.
 * Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, percentile interval.
 */
export function pairedDifference(a: SessionScores, b: SessionScores): Difference {
  const sessions = a.sums.length;
  const { counts } = a;
  const gaps = a.sums.map((sum, s) => sum - b.sums[s]!);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / total;
  const draw = random(1, 'bootstrap');
  const means = new Float64Array(RESAMPLES);
  for (let r = 0; r < RESAMPLES; r++) {
    let gap = 0;
    let count = 0;
    for (let i = 0; i < sessions; i++) {
      const s = draw.integer(sessions);
      gap += gaps[s]!;
      count += counts[s]!;
    }
    means[r] = gap / count;
  }
  means.sort();
  return { mean, low: means[Math.floor(0.025 * RESAMPLES)]!, high: means[Math.ceil(0.975 * RESAMPLES) - 1]! };
}

/** Whether two values are equal, or differ by less than 5 % of the larger. */
export const isTie = (a: number, b: number): boolean => a === b || Math.abs(a - b) < TIE * Math.max(a, b);

/** A metric on a part of the predictions. */
export interface Part {
  readonly label: string;
  readonly predictions: number;
  readonly value: number;
}

/** By how many clicks had been seen. */
export function byClicks(runs: Runs, metric: MetricName): Part[] {
  return byCount(runs, metric, [1, 2, 3, 4, 5, 10, 20], ({ position }) => position + 1);
}

/** By how many clicks the session of the prediction has, as far as they are predicted. */
export function byLength(runs: Runs, metric: MetricName): Part[] {
  const lengths = new Map<string, number>();
  for (const { session, position } of runs[0]!) {
    lengths.set(session, Math.max(lengths.get(session) ?? 0, position + 2));
  }
  return byCount(runs, metric, [2, 3, 4, 5, 6, 11, 21], ({ session }) => lengths.get(session)!);
}

function byCount(runs: Runs, metric: MetricName, steps: readonly number[], countOf: (rank: Rank) => number): Part[] {
  const label = (clicks: number): number => steps.findLastIndex((from) => clicks >= from);
  const names = steps.map((from, i) => {
    const next = steps[i + 1];
    return next === undefined ? `${from}+` : next === from + 1 ? `${from}` : `${from}–${next - 1}`;
  });
  return parts(runs, metric, names, (rank) => label(countOf(rank)));
}

/** By how often the item to be found was clicked in training: fifths of the training events. */
export function byPopularity(runs: Runs, metric: MetricName, support: ReadonlyMap<string, number>): Part[] {
  const bounds = fifths(support.values());
  const names = ['rarest', '2nd', '3rd', '4th', 'most clicked'];
  return parts(runs, metric, names, ({ item }) => fifthOf(bounds, support.get(item) ?? 0));
}

function parts(runs: Runs, metric: MetricName, names: readonly string[], partOf: (rank: Rank) => number): Part[] {
  const gain = GAINS[metric];
  const sums = names.map(() => 0);
  const counts = names.map(() => 0);
  runs[0]!.forEach((rank, p) => {
    const part = partOf(rank);
    counts[part]!++;
    for (const run of runs) sums[part]! += gain(run[p]!.rank) / runs.length;
  });
  return names.map((label, i) => ({ label, predictions: counts[i]!, value: counts[i] ? sums[i]! / counts[i]! : 0 }));
}
