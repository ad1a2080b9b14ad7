/** What the ranks of several models on the same predictions say: intervals of their differences, and where they are good. */
import { random } from '../../session/random';
import { mrrAt } from '../../train/metrics';
import type { Rank } from './cell';

/** Cut-off of the metric that models are compared by. */
export const CUT = 20;

/** Differences below this share of the better value are ties: less than what seeds, splits and machines change. */
export const TIE = 0.05;

/** Mean reciprocal rank per session: sessions are drawn anew, since predictions of one session hang together. */
interface SessionScores {
  /** Sum of the reciprocal ranks of each session's predictions, [sessions]. */
  readonly sums: Float64Array;
  readonly counts: Float64Array;
}

/**
 * The mean over seeds of each prediction's reciprocal rank, added up by session.
 *
 * @param runs Ranks of the same model, one list a seed, of the same predictions in the same order.
 */
export function bySession(runs: readonly (readonly Rank[])[]): SessionScores {
  const numbers = new Map<string, number>();
  const first = runs[0]!;
  for (const { session } of first) if (!numbers.has(session)) numbers.set(session, numbers.size);
  const sums = new Float64Array(numbers.size);
  const counts = new Float64Array(numbers.size);
  first.forEach(({ session }, p) => {
    const s = numbers.get(session)!;
    for (const run of runs) sums[s]! += mrrAt(run[p]!.rank, CUT) / runs.length;
    counts[s]!++;
  });
  return { sums, counts };
}

export interface Difference {
  readonly mean: number;
  /** 95 % interval. */
  readonly low: number;
  readonly high: number;
}

const RESAMPLES = 2000;

/**
 * Paired bootstrap of the difference of two models' MRR@20, a − b: sessions are drawn with replacement, the same for both.
 * Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, percentile interval.
 */
export function pairedDifference(a: SessionScores, b: SessionScores, seed = 1): Difference {
  const sessions = a.sums.length;
  const { counts } = a;
  const gaps = a.sums.map((sum, s) => sum - b.sums[s]!);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / total;
  const draw = random(seed, 'bootstrap');
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

/** Whether two values differ by less than 5 % of the larger. */
export const isTie = (a: number, b: number): boolean => Math.abs(a - b) < TIE * Math.max(a, b);

/** MRR@20 on a part of the predictions. */
export interface Part {
  readonly label: string;
  readonly predictions: number;
  readonly value: number;
}

/** By how many clicks had been seen. */
export function byClicks(runs: readonly (readonly Rank[])[]): Part[] {
  const steps = [1, 2, 3, 4, 5, 10, 20];
  const label = (clicks: number): number => steps.findLastIndex((from) => clicks >= from);
  const names = steps.map((from, i) => {
    const next = steps[i + 1];
    return next === undefined ? `${from}+` : next === from + 1 ? `${from}` : `${from}–${next - 1}`;
  });
  return parts(runs, names, ({ position }) => label(position + 1));
}

/** By how often the item to be found was clicked in training: fifths of the training events. */
export function byPopularity(runs: readonly (readonly Rank[])[], support: ReadonlyMap<string, number>): Part[] {
  const counts = [...support.values()].sort((a, b) => a - b);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const bounds: number[] = [];
  let sum = 0;
  for (const count of counts) {
    sum += count;
    while (bounds.length < 4 && sum >= ((bounds.length + 1) * total) / 5) bounds.push(count);
  }
  const names = ['rarest fifth', '2nd', '3rd', '4th', 'most clicked fifth'];
  return parts(runs, names, ({ item }) => bounds.filter((bound) => (support.get(item) ?? 0) > bound).length);
}

function parts(runs: readonly (readonly Rank[])[], names: readonly string[], partOf: (rank: Rank) => number): Part[] {
  const sums = names.map(() => 0);
  const counts = names.map(() => 0);
  runs[0]!.forEach((rank, p) => {
    const part = partOf(rank);
    counts[part]!++;
    for (const run of runs) sums[part]! += mrrAt(run[p]!.rank, CUT) / runs.length;
  });
  return names.map((label, i) => ({ label, predictions: counts[i]!, value: counts[i] ? sums[i]! / counts[i]! : 0 }));
}
