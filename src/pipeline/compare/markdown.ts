import { duration, markdownTable, whole } from '../format';
import { type Gate, gateSentence } from './gate';
import type { Failure, Row, Verdict } from './rows';
import type { Combined } from './run';
import type { Difference, MetricName, Part } from './statistics';

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

const SHOWN = ['recall@5', 'recall@20', 'mrr@20', 'ndcg@20'] as const;

/** What every reader of the figures must know, in sentences. */
export function protocolSentences(report: Report): string[] {
  const { train, test, protocol, metric, windows, rows, gate } = report;
  const predictions = rows[0] ? `${whole(rows[0].predictions)} predictions` : 'no predictions';
  const how =
    windows > 0
      ? `Trained and tested on ${train} window by window, each by what was trained on those before it, on the last item of ` +
        `half of its sessions: ${windows} windows, ${predictions}; figures are means over windows. Every item of a training ` +
        'part is a candidate'
      : `Trained on ${train}, tested on ${test}, protocol ${protocol}: ${predictions}, every item of the training part ` +
        `${protocol === 'leave-one-out' ? 'but those of the session ' : ''}is a candidate`;
  return [
    `${how}, targets lose ties (conservative).`,
    ...leftOut(report),
    seedsSentence(report),
    [`Rows are ordered by ${metric}.`, ...verdictSentences(rows)].join(' '),
    `Behind: how much the best row is ahead in ${metric}, and in recall@20, ` +
      `${windows > 0 ? 'each window counting as much as any other' : 'over all predictions'}, with the 95 % interval of a ` +
      'paired bootstrap over sessions; below 0 the row itself is ahead. An interval without 0 says that the order would hold ' +
      'for other sessions of the same kind, not for other shops.',
    ...(gate ? [gateSentence(gate)] : []),
  ];
}

/** Which events of the test part nobody was asked for, and why. */
function leftOut({ rows, windows }: Report): string[] {
  if (windows > 0) {
    return [
      'Left out of a window: events of items that were not known before, then sessions with fewer than two events left.',
    ];
  }
  const [best] = rows;
  if (!best) return [];
  const sentence = ({ dropped }: Row) =>
    `${whole(dropped.events)} events of items that the model does not know, then ${whole(dropped.sessions)} sessions with ` +
    'fewer than two events left';
  const others = rows.filter(({ verdict }) => verdict === 'other predictions');
  return [
    `Left out of the test part: ${sentence(best)}.`,
    ...others.map((row) => {
      const names = `${row.name} knows other items than ${best.name}`;
      return `${names}, so it had other predictions, ${whole(row.predictions)}, and is not compared. Left out: ${sentence(row)}.`;
    }),
  ];
}

function seedsSentence({ seeds, rows }: Report): string {
  const counting = 'Counting models draw nothing, and are counted once.';
  if (seeds.length > 1) {
    const fewer = rows
      .filter((row) => row.curve.length > 0 && row.seeds.length < seeds.length)
      .map((row) => `${row.name}, of ${row.seeds.join(', ')}`);
    return (
      `Networks are trained with each of the seeds ${seeds.join(', ')}: their figures are means over the seeds, ± the standard ` +
      `deviation (of n − 1). ${counting} Intervals are of the means over the seeds.` +
      (fewer.length > 0 ? ` Others gave no result, so these are of fewer seeds: ${fewer.join('; ')}.` : '')
    );
  }
  return rows.some(({ curve }) => curve.length > 0)
    ? `Networks are trained once, with seed ${seeds[0]}: what another seed changes is in no figure and no interval. ${counting}`
    : counting;
}

/** What the verdicts mean that the rows have. */
export function verdictSentences(rows: readonly Row[]): string[] {
  const meanings: Readonly<Partial<Record<Verdict, string>>> = {
    tied: 'less than 5 % behind the best row, and the interval reaches 0',
    close:
      'less than 5 % behind, but the interval is above 0; so small a gap is less than what seeds, splits and shops change',
    undecided: '5 % or more behind, but the interval reaches 0: too few sessions to say',
    behind: '5 % or more behind, and the interval is above 0',
  };
  const said = Object.entries(meanings).filter(([verdict]) => rows.some((row) => row.verdict === verdict));
  return said.map(([verdict, meaning]) => `"${verdict}": ${meaning}.`);
}

/** The groups of predictions that a report shows, without empty ones. */
export function breakdowns({ metric, rows, windows }: Report) {
  const name = metric.toUpperCase();
  const all: { title: string; x: string; of: (row: Row) => readonly Part[] | undefined }[] = [
    { title: `${name} by window`, x: 'window', of: (row) => row.byWindow },
    { title: `${name} by length of the session`, x: 'clicks of the session', of: (row) => row.byLength },
    { title: `${name} by clicks seen`, x: 'clicks seen', of: (row) => row.byClicks },
    {
      title: `${name} by popularity of the item`,
      // The windows are trained on different parts of it.
      x: `fifths of the clicks in ${windows > 0 ? 'the log' : 'training'}, rare items first`,
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
  'verdict',
  ...SHOWN,
  'behind',
  'behind in recall@20',
  'coverage@20',
  'popularity@20',
  'train',
  'of processor time',
  'parameters',
  'bytes',
];

/** A row's cells but its name. */
export const resultCells = (row: Row): string[] => [
  row.verdict,
  ...SHOWN.map((metric) => cell(row, metric)),
  difference(row.behind),
  difference(row.behindInRecall),
  row['coverage@20'].toFixed(3),
  row['popularity@20'].toFixed(3),
  duration(row.trainSeconds),
  duration(row.processorSeconds),
  whole(row.parameters),
  whole(row.bytes),
];

/** The table of the metrics with ties counted the other way. */
export const STANDARD = {
  heading: 'With ties won',
  about:
    'The same where targets win ties (standard), as many implementations count. A row that gains much here gives many items one score.',
  titles: ['model', ...SHOWN],
  cells: ({ standard }: Row): string[] => SHOWN.map((metric) => standard[metric]!.toFixed(4)),
};

/** The report as Markdown. */
export function markdownReport(report: Report): string {
  const { rows, failures, command, version } = report;
  const lines = [
    '# Comparison',
    '',
    ...protocolSentences(report).flatMap((sentence) => [sentence, '']),
    ...markdownTable(
      RESULT_TITLES,
      rows.map((row) => [row.name, ...resultCells(row)]),
    ),
    '',
    `## ${STANDARD.heading}`,
    '',
    STANDARD.about,
    '',
    ...markdownTable(
      STANDARD.titles,
      rows.map((row) => [row.name, ...STANDARD.cells(row)]),
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

const failureLine = ({ name, seed, message }: Failure): string => `- ${name}, seed ${seed}: ${message}`;

export function cell({ metrics, deviation }: Row, metric: string): string {
  const spread = deviation ? ` ± ${deviation[metric]!.toFixed(4)}` : '';
  return `${metrics[metric]!.toFixed(4)}${spread}`;
}

function difference(gap: Difference | undefined): string {
  return gap ? `${gap.mean.toFixed(4)} [${gap.low.toFixed(4)}, ${gap.high.toFixed(4)}]` : '';
}
