/** The page of what objectives and side information bring, from what is committed of it. */
import { mean } from '../figures';
import { LOGS } from '../quality/logs';
import type { QualityRow, Results } from '../quality/record';
import { table } from '../quality/tables';
import {
  type AllObjectiveResults,
  type ClaimTest,
  type Gap,
  isStale,
  MARGIN,
  METRIC,
  METRICS,
  OBJECTIVE_LOGS,
  type ObjectiveLog,
  type ObjectiveResults,
  type ObjectiveRow,
  verdictOf,
} from './record';

const digits = (value: number): string => value.toFixed(4);
const signed = (value: number): string => {
  const text = digits(Math.abs(value));
  return `${value < 0 && Number(text) > 0 ? '−' : '+'}${text}`;
};

/** A mean, and between which values the seeds lie. */
const spread = (values: readonly number[]): string =>
  values.length === 1
    ? digits(values[0]!)
    : `${digits(mean(values))} (${digits(Math.min(...values))} to ${digits(Math.max(...values))})`;

const gapText = ({ mean, low, high, bySeed }: Gap): string => {
  const seeds = bySeed.length === 1 ? '' : `; by seed ${bySeed.map(signed).join(', ')}`;
  return `${signed(mean)} [${signed(low)}, ${signed(high)}]${seeds}`;
};

/** All predictions, and the last one of every session. */
const CUTS = ['all', 'last'] as const;
type Cut = (typeof CUTS)[number];

const headed = (name: string, cut: Cut): string => (cut === 'all' ? name : `${name}, last event`);

const rowCells = (row: ObjectiveRow, cuts: readonly Cut[]): string[] => [
  row.name,
  String(row.seeds.length),
  ...cuts.flatMap((cut) => METRICS.map((metric) => spread(row[cut].map((figures) => figures[metric])))),
];

const testCells = (
  test: ClaimTest,
  rows: readonly ObjectiveRow[],
  cuts: readonly Cut[],
  measured: readonly QualityRow[],
): string[] => {
  const worse = rows.find(({ name }) => name === test.worse)!;
  return [
    `${test.better} ${test.orEqual ? '≥' : '>'} ${test.worse}`,
    String(test.seeds.length),
    ...cuts.flatMap((cut) => {
      const value = mean(worse[cut].map((figures) => figures[METRIC]));
      return [gapText(test[cut]), isStale(test, measured) ? 'stale' : verdictOf(test, test[cut], value)];
    }),
  ];
};

function section(log: ObjectiveLog, { rows, tests }: ObjectiveResults, measured: readonly QualityRow[]): string[] {
  const best = [...rows].sort((a, b) => mean(b.all.map((f) => f[METRIC])) - mean(a.all.map((f) => f[METRIC])));
  // Of left-out events there is one a session.
  const cuts = LOGS[log].protocol === 'events' ? CUTS : CUTS.slice(0, 1);
  return [
    `## ${LOGS[log].title}`,
    '',
    table(
      ['row', 'seeds', ...cuts.flatMap((cut) => METRICS.map((metric) => headed(metric, cut)))],
      best.map((row) => rowCells(row, cuts)),
    ),
    '',
    table(
      ['claim', 'seeds', ...cuts.flatMap((cut) => [headed('gap', cut), ''])],
      tests.map((test) => testCells(test, rows, cuts, measured)),
    ),
    '',
  ];
}

/** @param resultsOf The rows of quality as they are now. */
export function objectivesPage(results: AllObjectiveResults, resultsOf: (log: ObjectiveLog) => Results): string {
  const logs = OBJECTIVE_LOGS.flatMap((log) => (results[log] ? section(log, results[log], resultsOf(log).rows) : []));
  return [
    '# Training objectives and side information',
    '',
    '    node test/run.mjs test/bench/quality.ts LOG --rows transformers4rec --seeds 1,2,3',
    '    node test/run.mjs test/bench/quality.ts amazon-beauty --rows sasrec,cl4srec --seeds 1,2,3',
    '    node test/run.mjs test/bench/objectives.ts',
    '',
    "What the second table of Transformers4Rec's paper claims of shops' logs, and CL4SRec's of its second loss on Amazon Beauty, " +
      'tested on rows of the tables of quality, whose pages tell their settings. Gaps are in ' +
      `${METRIC}, of means over the seeds, with the 95 % interval of a paired bootstrap over sessions. "reproduced": the ` +
      'interval, and each seed, lies above 0, or, where the paper claims no more than "not worse" (≥), the interval not below 0, ' +
      `and above −${100 * MARGIN} % of the other's figure; "refuted": the interval and each seed lie below 0; "stale": a row was measured again since, with other figures.`,
    '',
    "Transformers4Rec's paper predicts the last event of each session, window after window, here one cut is predicted: every event " +
      'after the first, and the last one of each session apart. On a log mlm, plm and rtd have one preset and clm another, from ' +
      'trials of one or two pairs each, or carried over; the paper tuned each pair by itself. So they differ by more than the ' +
      'objective: on yoochoose-100k and eshop the network of clm is the smaller one, on yoochoose-100k it alone scores by cosine, ' +
      'and on eshop it sees 50 clicks, the others 20. Four epochs there end while mlm still rises: twelve gain xlnet-mlm 0.0043 of ' +
      'mrr@20 on the validation part, and leave it 0.0074 below xlnet-clm. What is refuted is refuted of these ' +
      'settings, which the tables of quality have with parameters and epochs.',
    '',
    ...logs,
  ].join('\n');
}
