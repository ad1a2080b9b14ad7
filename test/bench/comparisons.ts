/**
 * `aisle compare` on two real logs: every model by one command each, and the incremental protocol with GRU4Rec trained again
 * and otherwise beside the neighbours:
 *
 *     npm run build:cli
 *     node test/run.mjs test/bench/comparisons.ts --out DIR [--epochs N] [eshop|yoochoose|incremental…]
 *
 * The reports stand in DIR; finished cells there are not repeated, and a run that was killed goes on. Summaries go to
 * `results/compare-….{json,md}` and `results/incremental.{json,md}`. Needs the logs of `../shared`.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { quoted } from '../../src/pipeline/commands';
import type { Report } from '../../src/pipeline/compare/markdown';
import { breakdowns, RESULT_TITLES, resultCells, verdictSentences } from '../../src/pipeline/compare/markdown';
import { markdownTable } from '../../src/pipeline/format';
import { sharedPath } from '../shared';
import { commit, machine } from './machine';

interface Comparison {
  readonly log: string;
  /** What is copied beside the report, by its name there. */
  readonly files: Readonly<Record<string, string>>;
  /** Run first, where it is not there yet. */
  readonly split?: readonly string[];
  readonly argv: readonly string[];
  readonly variants?: readonly object[];
  readonly about: string;
}

/** @param page Where the log's rows of full training are. */
const short = (page: string): string =>
  `\nSo few epochs show what the command does and what it takes, not what the models reach: that is in\n[${page}](${page}).`;

const gru4rec = (name: string, retrain: string) => ({
  name: `gru4rec, ${name}`,
  model: 'gru4rec',
  preset: 'rsc15',
  retrain,
});

const COMPARISONS: Readonly<Record<string, Comparison>> = {
  eshop: {
    log: 'eshop-clothing-2008',
    files: { 'sessions.tsv.gz': 'sessions.tsv.gz' },
    split: ['--data', 'sessions.tsv.gz', '--by', 'start', '--test-from', '2008-07-25', '--out', 'parts'],
    argv: [
      '--data',
      'parts/train.tsv.gz',
      '--test',
      'parts/test.tsv.gz',
      '--models',
      'all',
      '--preset',
      'eshop',
      '--out',
      'report',
    ],
    about: `Every model on eshop-clothing-2008, tested on its last week. ${short('quality-eshop.md')}`,
  },
  yoochoose: {
    log: 'yoochoose-100k',
    files: { 'train.tsv.gz': 'train.tsv.gz', 'test.tsv.gz': 'test.tsv.gz' },
    argv: [
      '--data',
      'train.tsv.gz',
      '--test',
      'test.tsv.gz',
      '--models',
      'all',
      '--preset',
      'yoochoose-100k',
      '--out',
      'report',
    ],
    about: `Every model on yoochoose-100k, tested on its last day. ${short('quality-yoochoose-100k.md')}`,
  },
  incremental: {
    log: 'yoochoose-100k',
    files: { 'train.tsv.gz': 'train.tsv.gz' },
    // Of 7 April the file has a few sessions after midnight, which would count as much as a day.
    split: ['--data', 'train.tsv.gz', '--by', 'start', '--test-from', '2014-04-07', '--out', 'parts'],
    argv: [
      '--data',
      'parts/train.tsv.gz',
      '--protocol',
      'incremental',
      '--models',
      'pop,markov,sknn,v-sknn,stan,vstan',
      '--variants',
      'variants.json',
      '--out',
      'incremental',
    ],
    variants: [
      gru4rec('retrained in full', 'all'),
      gru4rec('the last 2 days', 'last:2'),
      gru4rec('goes on from the day before', 'before'),
    ],
    about:
      '1 to 6 April of yoochoose-100k: each day is predicted by what was trained on those before it, on the last item of half of its\n' +
      'sessions. GRU4Rec (`--preset rsc15`) is trained again on all days so far, again on the last two, and further on the newest alone,\n' +
      'where its optimiser starts over, too.',
  },
};

const root = resolve(import.meta.dirname, '../..');
const program = join(root, 'dist/cli/aisle.js');

export function main(args: string[]): void {
  const options = { out: { type: 'string' }, epochs: { type: 'string', default: '2' } } as const;
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  if (values.out === undefined) throw new Error('Name a folder for the reports: --out DIR.');
  const unknown = positionals.find((name) => !Object.hasOwn(COMPARISONS, name));
  if (unknown) throw new RangeError(`No comparison "${unknown}"; there are ${Object.keys(COMPARISONS).join(', ')}.`);
  const names = positionals.length > 0 ? positionals : Object.keys(COMPARISONS);
  const missing = names.find((name) => !sharedPath('data', COMPARISONS[name]!.log));
  if (missing) {
    console.error(`The log ${COMPARISONS[missing]!.log} of ../shared is not here; nothing to compare on.`);
    process.exitCode = 2;
    return;
  }
  for (const name of names) compare(name, COMPARISONS[name]!, join(resolve(values.out), name), values.epochs);
}

function compare(
  name: string,
  { log, files, split, argv, variants, about }: Comparison,
  folder: string,
  epochs: string,
) {
  mkdirSync(folder, { recursive: true });
  // Beside the report, so that its commands name no folder of this machine.
  for (const [to, from] of Object.entries(files)) copyFileSync(sharedPath('data', log, from)!, join(folder, to));
  if (variants) writeFileSync(join(folder, 'variants.json'), `${JSON.stringify(variants, null, 2)}\n`);
  const commands: string[] = [];
  const aisle = (...words: string[]): string => {
    commands.push(['aisle', ...words].map(quoted).join(' '));
    const stdio: ['ignore', 'pipe', 'inherit'] = ['ignore', 'pipe', 'inherit'];
    return execFileSync(process.execPath, [program, ...words], {
      cwd: folder,
      encoding: 'utf8',
      stdio,
      maxBuffer: 1 << 28,
    });
  };
  if (split) {
    if (existsSync(join(folder, 'parts/split.json'))) commands.push(['aisle', 'split', ...split].map(quoted).join(' '));
    else aisle('split', ...split);
  }
  const facts = JSON.parse(aisle('compare', ...argv, '--epochs', epochs, '--json')) as Report;
  const measured = { commit: commit(), machine: machine() };
  const results = join(root, 'test/bench/results');
  const file = name === 'incremental' ? name : `compare-${name}`;
  const rows = facts.rows.map(({ commands: _, ...row }) => row);
  writeFileSync(
    join(results, `${file}.json`),
    `${JSON.stringify({ commands, ...measured, ...facts, rows }, null, 1)}\n`,
  );
  writeFileSync(join(results, `${file}.md`), markdown(about, facts, { commands, ...measured, epochs }));
}

interface About {
  readonly commands: readonly string[];
  readonly commit: string;
  readonly machine: string;
  readonly epochs: string;
}

function markdown(about: string, facts: Report, { commands, commit, machine, epochs }: About): string {
  const parts = breakdowns(facts).map(({ title, of }) => {
    const shown = of(facts.rows[0]!);
    const rows = facts.rows.map((row) => [row.name, ...of(row).map(({ value }) => value.toFixed(4))]);
    const counts = ['predictions', ...shown.map(({ predictions }) => predictions.toLocaleString('en'))];
    return `## ${title}\n\n${markdownTable(['model', ...shown.map(({ label }) => label)], [counts, ...rows]).join('\n')}\n`;
  });
  return `# Comparison by one command

    node test/run.mjs test/bench/comparisons.ts --out DIR

${commands.map((command) => `    ${command}`).join('\n')}

${about}

Every item of the training part is a candidate, targets lose ties, ${epochs} epochs, seeds ${facts.seeds.join(', ')}, at commit ${commit}. "behind": how
much the best row is ahead in ${facts.metric}, with the 95 % interval of a paired bootstrap over sessions. ${verdictSentences(facts.rows).join(' ')}
Times are those of a machine that did other work too: ${machine}.

${markdownTable(
  RESULT_TITLES,
  facts.rows.map((row) => [row.name, ...resultCells(row)]),
).join('\n')}

${parts.join('\n')}`;
}
