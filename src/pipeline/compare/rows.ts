/** From the finished runs of a comparison to the rows of its report. */
import type { Auto } from '../configuration';
import type { Rank } from '../files/ranks';
import type { Combined, Run, RunResult } from './run';
import {
  byClicks,
  byLength,
  byPopularity,
  bySession,
  type Difference,
  isTie,
  type MetricName,
  type Part,
  pairedDifference,
} from './statistics';

/**
 * How a row stands to the best one, by the gap between their metrics and by the 95 % interval of that gap.
 *
 * | verdict | gap | interval |
 * | --- | --- | --- |
 * | `best` | none | |
 * | `tied` | less than 5 % | reaches 0 |
 * | `close` | less than 5 % | above 0 |
 * | `undecided` | 5 % or more | reaches 0 |
 * | `behind` | 5 % or more | above 0 |
 * | `other predictions` | not comparable: its model knows other items, so that other events are predicted | |
 */
export type Verdict = 'best' | 'tied' | 'close' | 'undecided' | 'behind' | 'other predictions';

/** What a model reached, as means over its seeds. */
export interface Row {
  readonly name: string;
  readonly model: string;
  /** Why it has its settings, if the log has chosen them. */
  readonly auto?: Auto;
  /** How several models were combined, for each seed, if this is a row of several. */
  readonly blend?: readonly Combined[];
  readonly seeds: readonly number[];
  /** Conservative, by name: recall@20 and so on. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Standard deviation over seeds; absent for one seed. */
  readonly deviation?: Readonly<Record<string, number>>;
  /** The same with targets winning ties. */
  readonly standard: Readonly<Record<string, number>>;
  readonly 'coverage@20': number;
  readonly 'popularity@20': number;
  readonly predictions: number;
  /** Events of items that the model does not know, then sessions with fewer than two events left: not predicted. */
  readonly dropped: RunResult['dropped'];
  readonly trainSeconds: number;
  /** Of the training. */
  readonly processorSeconds: number;
  readonly peakMemoryBytes: number;
  readonly evaluateSeconds: number;
  readonly parameters: number;
  readonly bytes: number;
  /** Best row minus this one in the metric, over all predictions, or as a mean over windows; absent for the best row itself and for other predictions. */
  readonly behind?: Difference;
  /** The same in recall@20. */
  readonly behindInRecall?: Difference;
  /** Less than 5 % behind the best row in the metric, on the same predictions. */
  readonly isTied: boolean;
  readonly verdict: Verdict;
  readonly byClicks: readonly Part[];
  readonly byLength: readonly Part[];
  readonly byPopularity: readonly Part[];
  /** Of the incremental protocol: the mean over seeds in each window. */
  readonly byWindow?: readonly Part[];
  /** Loss and validation metric of every epoch, of the first seed. */
  readonly curve: readonly { readonly epoch: number; readonly loss: number; readonly valid?: number }[];
  readonly commands: readonly string[];
}

/** A model that gave no result, and why. */
export interface Failure {
  readonly name: string;
  readonly seed: number;
  readonly message: string;
}

/** Rows by their metric, the best first. */
export function rowsOf(all: readonly Run[], support: ReadonlyMap<string, number>, metric: MetricName): Row[] {
  const groups = new Map<string, Run[]>();
  for (const run of all) groups.set(run.plan.name, [...(groups.get(run.plan.name) ?? []), run]);
  const means = [...groups.values()]
    .map((runs) => ({ runs, metrics: mean(runs.map(({ result }) => result.metrics.conservative)) }))
    .sort((a, b) => b.metrics[metric]! - a.metrics[metric]!);
  const best = means[0];
  const bestRanks = best?.runs.map(({ ranks }) => ranks) ?? [];
  const weights = best && windowWeights(best.runs[0]!);
  const bestScores = best && {
    behind: bySession(bestRanks, metric, weights),
    behindInRecall: bySession(bestRanks, 'recall@20', weights),
  };
  return means.map(({ runs, metrics }) => {
    const ranks = runs.map((run) => run.ranks);
    const results = runs.map(({ result }) => result);
    const average = (of: (result: (typeof results)[number]) => number) =>
      results.reduce((sum, result) => sum + of(result), 0) / results.length;
    const isBest = runs === best!.runs;
    const isPaired = samePredictions(bestRanks[0]!, ranks[0]!);
    const isTied = isPaired && (isBest || isTie(best!.metrics[metric]!, metrics[metric]!));
    const gaps = !isBest &&
      isPaired && {
        behind: pairedDifference(bestScores!.behind, bySession(ranks, metric, weights)),
        behindInRecall: pairedDifference(bestScores!.behindInRecall, bySession(ranks, 'recall@20', weights)),
      };
    return {
      name: runs[0]!.plan.name,
      model: runs[0]!.plan.model,
      ...(runs[0]!.plan.auto && { auto: runs[0]!.plan.auto }),
      ...(results[0]!.blend && { blend: results.map(({ blend }) => blend!) }),
      seeds: runs.map(({ plan }) => plan.seed),
      metrics,
      ...(runs.length > 1 && { deviation: deviation(results.map((result) => result.metrics.conservative)) }),
      standard: mean(results.map((result) => result.metrics.standard)),
      'coverage@20': average(({ coverage }) => coverage),
      'popularity@20': average(({ popularity }) => popularity),
      predictions: results[0]!.predictions,
      dropped: results[0]!.dropped,
      trainSeconds: average(({ trainSeconds }) => trainSeconds),
      processorSeconds: average(({ processorSeconds }) => processorSeconds),
      peakMemoryBytes: Math.max(...results.map(({ peakMemoryBytes }) => peakMemoryBytes)),
      evaluateSeconds: average(({ evaluateSeconds }) => evaluateSeconds),
      parameters: results[0]!.parameters,
      bytes: results[0]!.bytes,
      ...gaps,
      isTied,
      verdict: isBest ? 'best' : gaps ? verdictOf(isTied, gaps.behind) : 'other predictions',
      byClicks: byClicks(ranks, metric),
      byLength: byLength(ranks, metric),
      byPopularity: byPopularity(ranks, metric, support),
      ...(runs[0]!.windows && { byWindow: byWindow(runs, metric) }),
      curve: results[0]!.epochs.map(({ epoch, loss, valid }) => ({
        epoch,
        loss,
        ...(valid && { valid: valid[metric]! }),
      })),
      commands: results[0]!.commands,
    };
  });
}

/** Whether two models were asked the same, so that their ranks are pairs. */
const samePredictions = (a: readonly Rank[], b: readonly Rank[]): boolean =>
  a.length === b.length &&
  a.every(({ session, position, item }, p) => {
    const other = b[p]!;
    return session === other.session && position === other.position && item === other.item;
  });

function verdictOf(isTied: boolean, { low }: Difference): Verdict {
  if (isTied) return low > 0 ? 'close' : 'tied';
  return low > 0 ? 'behind' : 'undecided';
}

/** Every window counts as much as any other, as in the mean of a metric over them, however many predictions it has. */
const windowWeights = ({ windows }: Run): number[] | undefined =>
  windows?.flatMap(({ result: { predictions } }) => new Array<number>(predictions).fill(1 / predictions));

function byWindow(runs: readonly Run[], metric: MetricName): Part[] {
  return runs[0]!.windows!.map(({ name, result }, w) => {
    const values = runs.map(({ windows }) => windows![w]!.result.metrics.conservative[metric]!);
    return {
      label: name,
      predictions: result.predictions,
      value: values.reduce((sum, value) => sum + value, 0) / values.length,
    };
  });
}

type Named = Readonly<Record<string, number>>;

function mean(all: readonly Named[]): Record<string, number> {
  return Object.fromEntries(
    Object.keys(all[0]!).map((key) => [key, all.reduce((sum, one) => sum + one[key]!, 0) / all.length]),
  );
}

/** With n − 1. */
function deviation(all: readonly Named[]): Record<string, number> {
  const means = mean(all);
  return Object.fromEntries(
    Object.keys(means).map((key) => {
      const squares = all.reduce((sum, one) => sum + (one[key]! - means[key]!) ** 2, 0);
      return [key, Math.sqrt(squares / (all.length - 1))];
    }),
  );
}
