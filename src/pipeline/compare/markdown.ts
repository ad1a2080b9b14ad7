import { duration, markdownTable, whole } from '../format';
import { type Gate, gateSentence } from './gate';
import type { Failure, Row } from './rows';
import type { Combined } from './run';
import type { MetricName, Part } from './statistics';

/** `report.json`. */
export interface Report {
  /** The log that was trained on. */
  readonly train: string;
  /** What was tested on, in words or as a path. */
  readonly test: string;
  /** What was predicted. */
  readonly protocol: string;
  /** The metric that orders the rows and decides ties. */
  readonly metric: MetricName;
  /** Windows tested; 0 where the protocol has none. */
  readonly windows: number;
  /** Of the networks. */
  readonly seeds: readonly number[];
  /** The best first. */
  readonly rows: readonly Row[];
  /** Models without a result, and why. */
  readonly failures: readonly Failure[];
  /** The best row beside an artifact that is there already, with `atLeast`. */
  readonly gate?: Gate;
  /** Of Aisle. */
  readonly version: string;
  /** The command that repeats it. */
  readonly command: string;
}

export const SHOWN = ['recall@5', 'recall@20', 'mrr@20', 'ndcg@20'] as const;

/** What every reader of the figures must know, in sentences. */
export function protocolSentences({ train, test, protocol, metric, windows, seeds, rows, gate }: Report): string[] {
  const predictions = rows[0] ? `${whole(rows[0].predictions)} predictions` : 'no predictions';
  const how =
    windows > 0
      ? `Trained and tested on ${train} window by window, each by what was trained on those before it, on the last item of ` +
        `half of its sessions: ${windows} windows, ${predictions}; figures are means over windows. Every item of a training ` +
        'part is a candidate'
      : `Trained on ${train}, tested on ${test}, protocol ${protocol}: ${predictions}, every item of the training part is a ` +
        'candidate';
  return [
    `${how}, targets lose ties (conservative).`,
    `${seeds.length === 1 ? 'One seed' : `Means over ${seeds.length} seeds, ± standard deviation`}. Rows are ordered by ` +
      `${metric}; "=" marks rows less than 5 % behind the best one: too little to tell them apart.`,
    `Behind: how much the best row is ahead in ${metric} over all predictions, with the 95 % interval of a paired bootstrap ` +
      'over sessions. An interval without 0 says that the order would hold for other sessions of the same kind, not for ' +
      'other shops.',
    ...(gate ? [gateSentence(gate)] : []),
  ];
}

/** The groups of predictions that a report shows, without empty ones. */
export function breakdowns({ metric, rows }: Report) {
  const name = metric.toUpperCase();
  const all: { title: string; x: string; of: (row: Row) => readonly Part[] | undefined }[] = [
    { title: `${name} by window`, x: 'window', of: (row) => row.byWindow },
    { title: `${name} by length of the session`, x: 'clicks of the session', of: (row) => row.byLength },
    { title: `${name} by clicks seen`, x: 'clicks seen', of: (row) => row.byClicks },
    {
      title: `${name} by popularity of the item`,
      x: 'fifths of the clicks in training, rare items first',
      of: (row) => row.byPopularity,
    },
  ];
  return all.flatMap(({ title, x, of }) => {
    const [first] = rows;
    const shown = (first && of(first))?.flatMap(({ predictions }, i) => (predictions > 0 ? [i] : [])) ?? [];
    if (shown.length === 0) return [];
    return [{ title, x, of: (row: Row) => shown.map((i) => of(row)![i]!) }];
  });
}

/** Titles of the table of results. */
export const RESULT_TITLES = [
  'model',
  ...SHOWN,
  'behind',
  'coverage@20',
  'popularity@20',
  'train',
  'of processor time',
  'parameters',
  'bytes',
];

/** A row's name in that table, marked if the row is tied with the best. */
export const titleOf = ({ isTied, name }: Row): string => `${isTied ? '= ' : ''}${name}`;

/** The other cells of the row. */
export const resultCells = (row: Row): string[] => [
  ...SHOWN.map((metric) => cell(row, metric)),
  behind(row),
  row['coverage@20'].toFixed(3),
  row['popularity@20'].toFixed(3),
  duration(row.trainSeconds),
  duration(row.processorSeconds),
  whole(row.parameters),
  whole(row.bytes),
];

/** The report as Markdown. */
export function markdownReport(report: Report): string {
  const { rows, failures, command, version } = report;
  const lines = [
    '# Comparison',
    '',
    ...protocolSentences(report).flatMap((sentence) => [sentence, '']),
    ...markdownTable(
      RESULT_TITLES,
      rows.map((row) => [titleOf(row), ...resultCells(row)]),
    ),
    '',
  ];
  for (const { title, of } of breakdowns(report)) {
    const parts = of(rows[0]!);
    const counts = ['predictions', ...parts.map(({ predictions }) => whole(predictions))];
    const values = rows.map((row) => [row.name, ...of(row).map(({ value }) => value.toFixed(4))]);
    lines.push(`## ${title}`, '', ...markdownTable(['model', ...parts.map(({ label }) => label)], [counts, ...values]));
    lines.push('');
  }
  if (failures.length > 0) {
    lines.push('## Without a result', '', ...failures.map(failureLine), '');
  }
  lines.push('## Made by', '', `    ${command}`, '', `Aisle ${version}. Seconds are wall time on this machine.`, '');
  for (const row of rows) lines.push(madeBy(row), ...row.commands.map((line) => `  - \`${line}\``));
  return `${lines.join('\n')}\n`;
}

/** A row's name, and the reason for its settings or how its parts were combined. */
function madeBy({ name, auto, blend }: Row): string {
  const why = auto ? [`--preset auto: ${auto.why}`] : (blend?.map(combinedText) ?? []);
  return `- ${[name, ...why].join(', ')}`;
}

/** How several models were put together. */
export function combinedText({ by, of, with: other, seeds, weight, chosen }: Combined): string {
  const scale = by === 'probabilities' ? 'probabilities' : 'standard scores';
  if (seeds) return `the mean of the ${scale} of ${of}, seeds ${seeds.join(', ')}`;
  const why = chosen ? `, chosen by ${chosen.metric} ${chosen.value.toFixed(4)} on the validation part` : '';
  return `${scale} of ${of} with ${weight} of ${other}${why}`;
}

export const failureLine = ({ name, seed, message }: Failure): string => `- ${name}, seed ${seed}: ${message}`;

export function cell({ metrics, deviation }: Row, metric: string): string {
  const spread = deviation ? ` ± ${deviation[metric]!.toFixed(4)}` : '';
  return `${metrics[metric]!.toFixed(4)}${spread}`;
}

export function behind({ behind: gap }: Row): string {
  return gap ? `${gap.mean.toFixed(4)} [${gap.low.toFixed(4)}, ${gap.high.toFixed(4)}]` : '';
}
