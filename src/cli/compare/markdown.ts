import { duration, whole } from '../progress';
import { type Failure, METRIC, type Row } from './rows';

/** What a report says before its tables. */
export interface ReportFacts {
  readonly train: string;
  readonly test: string;
  readonly protocol: string;
  readonly seeds: readonly number[];
  readonly rows: readonly Row[];
  readonly failures: readonly Failure[];
  readonly version: string;
  readonly command: string;
}

export const SHOWN = ['recall@5', 'recall@20', 'mrr@20', 'ndcg@20'] as const;

/** What every reader of the figures must know, in sentences. */
export function protocolSentences({ train, test, protocol, seeds, rows }: ReportFacts): string[] {
  const predictions = rows[0] ? `${whole(rows[0].predictions)} predictions` : 'no predictions';
  return [
    `Trained on ${train}, tested on ${test}, protocol ${protocol}: ${predictions}, every item of the training part is a ` +
      'candidate, targets lose ties (conservative).',
    `${seeds.length === 1 ? 'One seed' : `Means over ${seeds.length} seeds, ± standard deviation`}. Rows are ordered by ` +
      `${METRIC}; "=" marks rows less than 5 % behind the best one: too little to tell them apart.`,
    'Behind: how much the best row is ahead in MRR@20, with the 95 % interval of a paired bootstrap over sessions. An ' +
      'interval without 0 says that the order would hold for other sessions of the same kind, not for other shops.',
  ];
}

/** The report as Markdown. */
export function markdownReport(facts: ReportFacts): string {
  const { rows, failures, command, version } = facts;
  const header = ['model', ...SHOWN, 'behind', 'coverage@20', 'popularity@20', 'train', 'parameters', 'bytes'];
  const lines = [
    '# Comparison',
    '',
    ...protocolSentences(facts).flatMap((sentence) => [sentence, '']),
    table(header),
    table(header.map(() => '---')),
    ...rows.map((row) =>
      table([
        `${row.isTied ? '= ' : ''}${row.name}`,
        ...SHOWN.map((metric) => cell(row, metric)),
        behind(row),
        row['coverage@20'].toFixed(3),
        row['popularity@20'].toFixed(3),
        duration(row.trainSeconds),
        whole(row.parameters),
        whole(row.bytes),
      ]),
    ),
    '',
  ];
  const breakdown = (title: string, of: (row: Row) => Row['byClicks']) => {
    const first = rows[0];
    if (!first) return;
    lines.push(`## ${title}`, '', table(['model', ...of(first).map(({ label }) => label)]));
    lines.push(table(['model', ...of(first)].map(() => '---')));
    lines.push(table(['predictions', ...of(first).map(({ predictions }) => whole(predictions))]));
    for (const row of rows) lines.push(table([row.name, ...of(row).map(({ value }) => value.toFixed(4))]));
    lines.push('');
  };
  breakdown('MRR@20 by clicks seen', (row) => row.byClicks);
  breakdown('MRR@20 by how often the item was clicked in training', (row) => row.byPopularity);
  if (failures.length > 0) {
    lines.push('## Without a result', '', ...failures.map(failureLine), '');
  }
  lines.push('## Made by', '', `    ${command}`, '', `Aisle ${version}. Seconds are wall time on this machine.`, '');
  for (const row of rows) lines.push(`- ${row.name}`, ...row.commands.map((line) => `  - \`${line}\``));
  return `${lines.join('\n')}\n`;
}

export const failureLine = ({ name, seed, message }: Failure): string => `- ${name}, seed ${seed}: ${message}`;

export function cell({ metrics, deviation }: Row, metric: string): string {
  const spread = deviation ? ` ± ${deviation[metric]!.toFixed(4)}` : '';
  return `${metrics[metric]!.toFixed(4)}${spread}`;
}

export function behind({ behind: gap }: Row): string {
  return gap ? `${gap.mean.toFixed(4)} [${gap.low.toFixed(4)}, ${gap.high.toFixed(4)}]` : '';
}

const table = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
