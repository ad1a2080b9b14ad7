/** From the finished cells of a comparison to the rows of its report. */
import type { Cell } from './cell';
import {
  byClicks,
  byPopularity,
  bySession,
  CUT,
  type Difference,
  isTie,
  type Part,
  pairedDifference,
} from './statistics';

/** What a model reached, as means over its seeds. */
export interface Row {
  readonly name: string;
  readonly model: string;
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
  readonly trainSeconds: number;
  readonly evaluateSeconds: number;
  readonly parameters: number;
  readonly bytes: number;
  /** Best row minus this one in MRR@20, with its 95 % interval; absent for the best row itself. */
  readonly behind?: Difference;
  /** Less than 5 % behind the best row. */
  readonly isTied: boolean;
  readonly byClicks: readonly Part[];
  readonly byPopularity: readonly Part[];
  /** Loss and validation MRR@20 of every epoch, of the first seed. */
  readonly curve: readonly { readonly epoch: number; readonly loss: number; readonly valid?: number }[];
  readonly commands: readonly string[];
}

/** A model that gave no result, and why. */
export interface Failure {
  readonly name: string;
  readonly seed: number;
  readonly message: string;
}

export const METRIC = `mrr@${CUT}`;

/** Rows by MRR@20, the best first. */
export function rowsOf(cells: readonly Cell[], support: ReadonlyMap<string, number>): Row[] {
  const groups = new Map<string, Cell[]>();
  for (const cell of cells) groups.set(cell.plan.name, [...(groups.get(cell.plan.name) ?? []), cell]);
  const means = [...groups.values()]
    .map((runs) => ({ runs, metrics: mean(runs.map(({ result }) => result.metrics.conservative)) }))
    .sort((a, b) => b.metrics[METRIC]! - a.metrics[METRIC]!);
  const best = means[0];
  const bestScores = best && bySession(best.runs.map(({ ranks }) => ranks));
  return means.map(({ runs, metrics }) => {
    const ranks = runs.map((run) => run.ranks);
    const results = runs.map(({ result }) => result);
    const average = (of: (result: (typeof results)[number]) => number) =>
      results.reduce((sum, result) => sum + of(result), 0) / results.length;
    const isBest = runs === best!.runs;
    return {
      name: runs[0]!.plan.name,
      model: runs[0]!.plan.model,
      seeds: runs.map(({ plan }) => plan.seed),
      metrics,
      ...(runs.length > 1 && { deviation: deviation(results.map((result) => result.metrics.conservative)) }),
      standard: mean(results.map((result) => result.metrics.standard)),
      'coverage@20': average(({ coverage }) => coverage),
      'popularity@20': average(({ popularity }) => popularity),
      predictions: results[0]!.predictions,
      trainSeconds: average(({ trainSeconds }) => trainSeconds),
      evaluateSeconds: average(({ evaluateSeconds }) => evaluateSeconds),
      parameters: results[0]!.parameters,
      bytes: results[0]!.bytes,
      ...(!isBest && { behind: pairedDifference(bestScores!, bySession(ranks)) }),
      isTied: isBest || isTie(best!.metrics[METRIC]!, metrics[METRIC]!),
      byClicks: byClicks(ranks),
      byPopularity: byPopularity(ranks, support),
      curve: results[0]!.epochs.map(({ epoch, loss, valid }) => ({
        ...{ epoch, loss },
        ...(valid && { valid: valid[METRIC]! }),
      })),
      commands: results[0]!.commands,
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
