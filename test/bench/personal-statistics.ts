/** What the ranks of many visitors say: benefit with its interval, and for whom it was worse. */
import { type Difference, pairedDifference } from '../../src/pipeline/compare/statistics';
import { mrrAt } from '../../src/train/metrics';
import type { Followed } from './personal-rows';

export interface Figures {
  readonly 'mrr@20': number;
  readonly 'hr@10': number;
  /** Of MRR@20 against the base, over visitors. */
  readonly difference: Difference;
  /**
   * Share of visitors whose MRR@20 is significantly lower than the base's, at one-sided p < .05: with a gate, of those for whom
   * it opened and counting from then on; without one, of all, counting all events.
   */
  readonly worse: number;
  /** Share of the same visitors whose MRR@20 is lower at all, by chance or not; absent in rows that were measured before it was. */
  readonly lower?: number;
}

export interface RowFigures {
  readonly visitors: number;
  readonly predictions: number;
  readonly base: Pick<Figures, 'mrr@20' | 'hr@10'>;
  readonly gated: Figures & {
    /** Share of visitors for whom the gate opened, and events that it took: the median, of an even number the upper one. */
    readonly opened: number;
    readonly events: number;
    /** Mean over these visitors of their MRR@20's difference to the base from then on. */
    readonly openedMean: number;
    readonly rollbacks: number;
  };
  readonly ungated: Figures;
}

const gain = (rank: number): number => mrrAt(rank, 20);

export function figuresOf(visitors: readonly Followed[]): RowFigures {
  const predictions = visitors.reduce((sum, { base }) => sum + base.length, 0);
  const share = (of: (visitor: Followed) => Int32Array, worth: (rank: number) => number): number =>
    visitors.reduce((sum, visitor) => of(visitor).reduce((own, rank) => own + worth(rank), sum), 0) / predictions;
  const scores = (of: (visitor: Followed) => Int32Array) => ({
    sums: Float64Array.from(visitors, (visitor) => of(visitor).reduce((sum, rank) => sum + gain(rank), 0)),
    counts: Float64Array.from(visitors, ({ base }) => base.length),
  });
  const figures = (of: (visitor: Followed) => Int32Array, lists: readonly number[][]): Figures => ({
    'mrr@20': share(of, gain),
    'hr@10': share(of, (rank) => (rank <= 10 ? 1 : 0)),
    difference: pairedDifference(
      scores(of),
      scores(({ base }) => base),
    ),
    worse: shareOf(lists, isBelowZero),
    lower: shareOf(lists, (gaps) => mean(gaps) < 0),
  });
  const gaps = ({ base }: Followed, ranks: Int32Array, from: number): number[] =>
    Array.from(ranks.subarray(from), (rank, e) => gain(rank) - gain(base[from + e]!));
  const open = visitors.filter(({ opened }) => opened >= 0);
  const sinceOpen = open.map((visitor) => gaps(visitor, visitor.gated, visitor.opened));
  const all = visitors.map((visitor) => gaps(visitor, visitor.ungated, 0));
  return {
    visitors: visitors.length,
    predictions,
    base: {
      'mrr@20': share(({ base }) => base, gain),
      'hr@10': share(
        ({ base }) => base,
        (rank) => (rank <= 10 ? 1 : 0),
      ),
    },
    gated: {
      ...figures(({ gated }) => gated, sinceOpen),
      opened: open.length / visitors.length,
      events: upperMedian(open.map(({ opened }) => opened)),
      openedMean: mean(sinceOpen.map(mean)),
      rollbacks: visitors.reduce((sum, { rollbacks }) => sum + rollbacks, 0),
    },
    ungated: figures(({ ungated }) => ungated, all),
  };
}

const shareOf = (lists: readonly number[][], is: (gaps: readonly number[]) => boolean): number =>
  lists.length === 0 ? 0 : lists.filter(is).length / lists.length;

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

/** Of an even number of values the greater of the middle two; 0 of none. */
const upperMedian = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

/** Student's one-sided t-test: whether the mean is below 0 at p < .05. */
export function isBelowZero(values: readonly number[]): boolean {
  const n = values.length;
  const average = mean(values);
  if (n < 2 || average >= 0) return false;
  const variance = values.reduce((sum, value) => sum + (value - average) ** 2, 0) / (n - 1);
  return variance === 0 || studentTail(-average / Math.sqrt(variance / n), n - 1) < 0.05;
}

/** P(T > t) of Student's distribution with ν degrees of freedom, t ≥ 0, by Simpson's rule over θ = atan(t / √ν). */
export function studentTail(t: number, freedom: number): number {
  // The density in θ is cos^(ν − 1) θ, over −π/2…π/2.
  const density = (theta: number): number => Math.cos(theta) ** (freedom - 1);
  const integral = (from: number, to: number): number => {
    const steps = 400;
    const h = (to - from) / steps;
    let sum = density(from) + density(to);
    for (let i = 1; i < steps; i++) sum += (i % 2 === 1 ? 4 : 2) * density(from + i * h);
    return (sum * h) / 3;
  };
  return integral(Math.atan(t / Math.sqrt(freedom)), Math.PI / 2) / (2 * integral(0, Math.PI / 2));
}
