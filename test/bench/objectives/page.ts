/** The page of Table 2 in small, from what is committed of it. */
import { LOGS } from '../quality/logs';
import { mean, table } from '../quality/tables';
import {
  type AllObjectiveResults,
  type ClaimTest,
  type Gap,
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
const signed = (value: number): string => `${value < 0 ? '−' : '+'}${digits(Math.abs(value))}`;

/** A mean, and between which values the seeds lie. */
const spread = (values: readonly number[]): string =>
  values.length === 1
    ? digits(values[0]!)
    : `${digits(mean(values))} (${digits(Math.min(...values))} to ${digits(Math.max(...values))})`;

const gapText = ({ mean, low, high, bySeed }: Gap): string => {
  const seeds = bySeed.length === 1 ? '' : `; by seed ${bySeed.map(signed).join(', ')}`;
  return `${signed(mean)} [${signed(low)}, ${signed(high)}]${seeds}`;
};

const rowCells = ({ name, seeds, all, last }: ObjectiveRow): string[] => [
  name,
  String(seeds.length),
  ...METRICS.map((metric) => spread(all.map((figures) => figures[metric]))),
  ...METRICS.map((metric) => spread(last.map((figures) => figures[metric]))),
];

const testCells = (test: ClaimTest, rows: readonly ObjectiveRow[]): string[] => {
  const { all, last } = rows.find(({ name }) => name === test.worse)!;
  const value = (figures: ObjectiveRow['all']): number => mean(figures.map((of) => of[METRIC]));
  return [
    `${test.better} ${test.orEqual ? '≥' : '>'} ${test.worse}`,
    String(test.seeds.length),
    gapText(test.all),
    verdictOf(test, test.all, value(all)),
    gapText(test.last),
    verdictOf(test, test.last, value(last)),
  ];
};

function section(log: ObjectiveLog, { rows, tests }: ObjectiveResults): string[] {
  const best = [...rows].sort((a, b) => mean(b.all.map((f) => f[METRIC])) - mean(a.all.map((f) => f[METRIC])));
  return [
    `## ${LOGS[log].title}`,
    '',
    table(['row', 'seeds', ...METRICS, ...METRICS.map((metric) => `${metric}, last event`)], best.map(rowCells)),
    '',
    table(
      ['claim', 'seeds', 'gap', '', 'gap, last event', ''],
      tests.map((test) => testCells(test, rows)),
    ),
    '',
  ];
}

export function objectivesPage(results: AllObjectiveResults): string {
  const logs = OBJECTIVE_LOGS.flatMap((log) => (results[log] ? section(log, results[log]) : []));
  return [
    '# Objectives and side information of Transformers4Rec',
    '',
    '    node test/run.mjs test/bench/quality.ts LOG --rows transformers4rec --seeds 1,2,3',
    '    node test/run.mjs test/bench/objectives.ts',
    '',
    "What the second table of the paper claims of shops' logs, tested on rows of the tables of quality, whose pages tell their " +
      'settings. The paper predicts the last event of each session, window after window, here one cut is predicted: every ' +
      `event after the first, and the last one of each session apart. Gaps are in ${METRIC}, of means over the seeds, with the ` +
      '95 % interval of a paired bootstrap over sessions. "reproduced": the interval, and each seed, lies above 0, or, where the ' +
      `paper claims no more than "not worse" (≥), the interval not below 0, and above −${100 * MARGIN} % of the other's figure; ` +
      '"refuted": the interval and each seed lie below 0.',
    '',
    'On a log mlm, plm and rtd have one preset and clm another, from trials of one or two pairs each, or carried over; the paper ' +
      'tuned each pair by itself. So they differ by more than the objective: on yoochoose-100k and eshop the network of clm is the ' +
      'smaller one, on yoochoose-100k it alone scores by cosine, and on eshop it sees 50 clicks, the others 20. What is refuted ' +
      'is refuted of these settings, which the tables of quality have with parameters and epochs.',
    '',
    ...logs,
  ].join('\n');
}
