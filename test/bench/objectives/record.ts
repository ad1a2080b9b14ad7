/** What papers claim of objectives and side information, and what is committed of the tests of it: `results/objectives.json`. */
import type { Difference, MetricName } from '../../../src/pipeline/compare/statistics';
import type { LogName } from '../quality/logs';
import type { QualityRow } from '../quality/record';
import { SIDE_ROWS } from '../quality/rows';
import { readResult, writeResult } from '../results';

/** What Transformers4Rec's paper compares by. */
export const METRIC = 'ndcg@20' as const satisfies MetricName;
export const METRICS = ['ndcg@20', 'recall@20'] as const;

/** Logs that have rows for it. */
export const OBJECTIVE_LOGS = [
  'yoochoose-100k',
  'eshop',
  'diginetica-quarter',
  'amazon-beauty',
] as const satisfies readonly LogName[];
export type ObjectiveLog = (typeof OBJECTIVE_LOGS)[number];

/** By rows of the tables of quality. */
export interface Claim {
  readonly better: string;
  readonly worse: string;
  /** Whether no more is claimed than that it is not worse. */
  readonly orEqual?: true;
}

/** What Table 2 of Transformers4Rec's paper has on its two logs of shops. */
const TABLE_2: readonly Claim[] = [
  { better: 'xlnet-rtd', worse: 'xlnet-mlm', orEqual: true },
  { better: 'xlnet-mlm', worse: 'xlnet-clm' },
  { better: 'xlnet-rtd', worse: 'xlnet-clm' },
  { better: 'xlnet-mlm', worse: 'xlnet-plm' },
  { better: 'xlnet-mlm', worse: 'bert-mlm' },
  { better: 'xlnet-mlm', worse: 'gpt2-clm' },
  { better: 'xlnet-mlm', worse: 'gru-clm' },
  ...SIDE_ROWS.map((better) => ({ better, worse: 'xlnet-mlm' })),
];

/** What CL4SRec's paper has of its second loss: in our preset, and in the paper's form, each beside its SASRec. */
const CONTRASTIVE: readonly Claim[] = [
  { better: 'cl4srec', worse: 'sasrec' },
  { better: 'cl4srec, paper', worse: 'sasrec, as in cl4srec' },
];

/** What is tested on a log, of the rows that it has. */
export const claimsOf = (log: ObjectiveLog): readonly Claim[] => (log === 'amazon-beauty' ? CONTRASTIVE : TABLE_2);

/** Means of a row over predictions, of each seed. */
export interface ObjectiveRow {
  readonly name: string;
  readonly seeds: readonly number[];
  /** Of all predictions, and of the last one of every session. */
  readonly all: readonly Figures[];
  readonly last: readonly Figures[];
}

export type Figures = Readonly<Record<(typeof METRICS)[number], number>>;

/** How far the first row of a claim is before the second, over the seeds that both have. */
export interface Gap extends Difference {
  /** Of each seed by itself. */
  readonly bySeed: readonly number[];
}

export interface ClaimTest extends Claim {
  readonly seeds: readonly number[];
  readonly all: Gap;
  readonly last: Gap;
}

export interface ObjectiveResults {
  readonly rows: readonly ObjectiveRow[];
  readonly tests: readonly ClaimTest[];
}

export type AllObjectiveResults = Readonly<Partial<Record<ObjectiveLog, ObjectiveResults>>>;

/** Empty where nothing was compared yet. */
export const readObjectives = (): AllObjectiveResults => readResult('objectives', {});

export const writeObjectives = (results: AllObjectiveResults): void => writeResult('objectives', results);

/** Whether a row of it was measured again, with other figures, since it was compared. */
export function isStale({ better, worse, seeds, all }: ClaimTest, rows: readonly QualityRow[]): boolean {
  const value = (name: string, seed: number) =>
    rows.find((row) => row.name === name && row.seed === seed)?.metrics.conservative[METRIC] ?? Number.NaN;
  return !seeds.every((seed, i) => Math.abs(value(better, seed) - value(worse, seed) - all.bySeed[i]!) < 3e-5);
}

/** Who may lose no more than such a share of the other's figure, and does not lose for certain, is not worse. */
export const MARGIN = 0.01;

/**
 * What a gap says of a claim, by its 95 % interval. That one is of sessions, not of trainings: where seeds contradict each
 * other, nothing is decided.
 *
 * @param value What the second row of the claim has.
 */
export function verdictOf({ orEqual }: Claim, { low, high, bySeed }: Gap, value: number): Verdict {
  const agree = (sign: number) => bySeed.every((gap) => sign * gap > 0);
  if (high < 0 && agree(-1)) return 'refuted';
  const isReproduced = orEqual ? high >= 0 && low > -MARGIN * value : low > 0 && agree(1);
  return isReproduced ? 'reproduced' : 'undecided';
}

export type Verdict = 'reproduced' | 'refuted' | 'undecided';
