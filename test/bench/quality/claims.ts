/** What is committed of the networks of a log beside counting on the same predictions, `results/claims-LOG.json`. */
import { type Difference, pairedDifference, sessionScores } from '../../../src/pipeline/compare/statistics';
import type { Rank } from '../../../src/pipeline/files/ranks';
import { fifthOf, fifths } from '../../../src/session/popularity';
import { mrrAt, ndcgAt, recallAt } from '../../../src/train/metrics';
import { readResult, writeResult } from '../results';
import type { LogName } from './logs';
import type { QualityRow } from './record';

/** A row of a quality table that is compared, with the keys of its runs: with others the claim is stale. */
interface Compared {
  readonly row: string;
  readonly keys: readonly string[];
}

/** A part of the predictions. */
export interface Stratum {
  readonly label: string;
  readonly predictions: number;
  /** What the row reaches there by the log's first metric. */
  readonly value: number;
}

/** By what divides the predictions. */
type Strata = Readonly<Record<string, readonly Stratum[]>>;

/** A row of counting by parts of the predictions. */
export interface Counted extends Compared {
  readonly strata: Strata;
}

/** One row of a network beside one of counting. */
export interface Claim {
  readonly network: Compared;
  /** The best on the validation part. */
  readonly counter: Compared;
  /** Network − counter, the mean over the network's seeds, by metric; 95 % intervals by paired bootstrap over sessions. */
  readonly differences: Readonly<Record<string, Difference>>;
  /** The same beside the row of counting that is the best of the test part in that metric, for the log's first two. */
  readonly besideBest: Readonly<Record<string, Difference & { readonly row: string }>>;
  /** Clicks of the test part on unknown items, and sessions that were too short without them: no row predicts them. */
  readonly dropped: { readonly events: number; readonly sessions: number };
  readonly strata: Strata;
  readonly commit: string;
}

export interface Claims {
  /** Every row that counts. */
  readonly counted: readonly Counted[];
  readonly networks: readonly Claim[];
}

export const NO_CLAIMS: Claims = { counted: [], networks: [] };

export const readClaims = (log: LogName): Claims => readResult(`claims-${log}`, NO_CLAIMS);

export const writeClaims = (log: LogName, claims: Claims): void => writeResult(`claims-${log}`, claims);

/** The runs of a row whose figures are those of this code. */
export const currentRuns = (rows: readonly QualityRow[], name: string): QualityRow[] =>
  rows.filter((row) => row.name === name && row.stale === undefined);

/** The row of counting that is the best of the test part. */
export const bestOnTest = (rows: readonly QualityRow[], metric: string): QualityRow =>
  rows
    .filter(({ form, stale }) => form === 'counted' && stale === undefined)
    .reduce((best, row) => (row.metrics.conservative[metric]! > best.metrics.conservative[metric]! ? row : best));

/** Why a claim does not hold any more; undefined while it does. */
export function staleness(
  { network, counter, besideBest }: Claim,
  counted: readonly Counted[],
  rows: readonly QualityRow[],
): string | undefined {
  const rivals = Object.entries(besideBest);
  const beaten = rivals.find(([metric, { row }]) => bestOnTest(rows, metric).name !== row);
  if (beaten) return `"${beaten[1].row}" is not the best of counting any more in ${beaten[0]}`;
  const names = rivals.map(([, { row }]) => row);
  const changed = [network, counter, ...counted.filter(({ row }) => names.includes(row))].find(({ row, keys }) => {
    const now = currentRuns(rows, row).map(({ key }) => key);
    return now.length !== keys.length || now.some((key) => !keys.includes(key));
  });
  return changed && `"${changed.row}" was measured again, or with other seeds, since it was compared`;
}

/**
 * Better or worse where the interval excludes 0, else a tie. Differences under 5 % seldom survive in a shop, certain as they
 * are on the log: they are called small.
 *
 * @param of The figure that it is a difference from.
 */
export function verdict({ mean, low, high }: Difference, of: number): string {
  if (low <= 0 && high >= 0) return 'tie';
  const found = low > 0 ? 'better' : 'worse';
  return Math.abs(mean) < 0.05 * of ? `${found}, < 5 %` : found;
}

const GAINS: Readonly<Record<string, (rank: number, k: number) => number>> = {
  recall: recallAt,
  mrr: mrrAt,
  ndcg: ndcgAt,
};

type Runs = readonly (readonly Rank[])[];

/** Gain of a prediction, the mean over seeds. */
function gainsOf(runs: Runs, metric: string): (prediction: number) => number {
  const [name, k] = metric.split('@');
  const gain = GAINS[name!]!;
  return (p) => runs.reduce((sum, run) => sum + gain(run[p]!.rank, Number(k)), 0) / runs.length;
}

/**
 * @param network Ranks of each seed.
 * @param metrics Such as `mrr@20`.
 * @throws Error where both did not predict the same.
 */
export function differencesOf(
  network: Runs,
  counter: readonly Rank[],
  metrics: readonly string[],
): Claim['differences'] {
  for (const run of network) {
    const isSame = (rank: Rank, p: number) =>
      rank.session === counter[p]?.session && rank.position === counter[p]!.position && rank.item === counter[p]!.item;
    if (run.length !== counter.length || !run.every(isSame))
      throw new Error('The rows did not predict the same clicks.');
  }
  const sessions = counter.map(({ session }) => session);
  const scores = (runs: Runs, metric: string) => sessionScores(sessions, gainsOf(runs, metric));
  const rounded = (value: number) => Number(value.toFixed(5));
  return Object.fromEntries(
    metrics.map((metric) => {
      const { mean, low, high } = pairedDifference(scores(network, metric), scores([counter], metric));
      return [metric, { mean: rounded(mean), low: rounded(low), high: rounded(high) }];
    }),
  );
}

/** A click of a session, as the model saw it, and what it was to predict. */
export interface Seen {
  /** The session's clicks up to the prediction, ids. */
  readonly clicks: readonly string[];
  readonly target: string;
}

/** What divides predictions: its labels, and the number of a prediction's label. */
export type Divisions = Readonly<Record<string, readonly [labels: readonly string[], of: (seen: Seen) => number]>>;

const COLD = 5;

/** @param support Events of each item in the training part. */
export function divisionsOf(support: ReadonlyMap<string, number>): Divisions {
  const count = (item: string) => support.get(item) ?? 0;
  const bounds = fifths(support.values());
  return {
    'clicks seen': [
      ['1', '2', '3 and 4', '5 to 9', '10 and more'],
      ({ clicks: { length: n } }) => [1, 2, 4, 9, Infinity].findIndex((most) => n <= most),
    ],
    'how often the last item was clicked in training': [
      ['rarest fifth of the events', '2nd', '3rd', '4th', 'most clicked fifth'],
      ({ clicks }) => fifthOf(bounds, count(clicks.at(-1)!)),
    ],
    'how often the next item was clicked in training': [
      [`at most ${COLD} times`, 'more often'],
      ({ target }) => Number(count(target) > COLD),
    ],
    'the next item': [['was in the session', 'is new to it'], ({ clicks, target }) => Number(!clicks.includes(target))],
  };
}

/**
 * @param runs Ranks of each seed.
 * @param seen Of each prediction.
 * @throws Error where others were predicted.
 */
export function strataOf(runs: Runs, seen: readonly Seen[], divisions: Divisions, metric: string): Strata {
  if (runs.some((run) => run.length !== seen.length || run.some(({ item }, p) => item !== seen[p]!.target)))
    throw new Error('The row did not predict these clicks.');
  const gain = gainsOf(runs, metric);
  const strata = Object.entries(divisions).map(([name, [labels, of]]) => {
    const parts = labels.map((label, l) => {
      const own = seen.flatMap((one, p) => (of(one) === l ? [p] : []));
      const value = own.reduce((sum, p) => sum + gain(p), 0) / own.length;
      return { label, predictions: own.length, value: Number(value.toFixed(5)) };
    });
    return [name, parts.filter(({ predictions }) => predictions > 0)] as const;
  });
  return Object.fromEntries(strata);
}
