/**
 * A new model every day, by `aisle compare --protocol incremental` on a real log: networks trained again on all days so far, on the
 * last two, and further on the newest alone, beside counting:
 *
 *     npm run build:cli
 *     node test/run.mjs test/bench/incremental.ts --out DIR
 *
 * The report stands in DIR; finished runs there are not repeated, and a run that was killed goes on. What it says goes to
 * `results/incremental.{json,md}`. Needs the logs of `../shared`.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Report } from '../../src/pipeline/compare/markdown';
import { breakdowns, RESULT_TITLES, resultCells, verdictSentences } from '../../src/pipeline/compare/markdown';
import { markdownTable } from '../../src/pipeline/format';
import { quoted } from '../../src/session/columns';
import { sharedPath } from '../shared';
import { commit, machine } from './machine';
import { writeResult } from './results';

const variant = (model: string, name: string, retrain: string) => ({
  name: `${model}, ${name}`,
  model,
  preset: 'yoochoose-100k',
  retrain,
});

const VARIANTS = [
  variant('gru4rec', 'retrained in full', 'all'),
  variant('gru4rec', 'the last 2 days', 'last:2'),
  variant('gru4rec', 'goes on from the day before', 'before'),
  variant('caser', 'retrained in full', 'all'),
];
// Of 7 April the file has a few sessions after midnight, which would count as much as a day.
const SPLIT = ['--data', 'train.tsv.gz', '--by', 'start', '--test-from', '2014-04-07', '--out', 'parts'];
const COMPARE = [
  ...['--data', 'parts/train.tsv.gz', '--protocol', 'incremental'],
  ...['--models', 'pop,markov,sr,decayed-sr,sknn,v-sknn,stan,vstan'],
  ...['--variants', 'variants.json', '--out', 'incremental'],
];
const program = resolve(import.meta.dirname, '../../dist/cli/aisle.js');

export function main(args: readonly string[]): void {
  const { values } = parseArgs({ args: [...args], options: { out: { type: 'string' } } });
  if (values.out === undefined) throw new RangeError('Name a folder for the report: --out DIR.');
  if (!existsSync(program)) throw new RangeError(`${program} is not there. Run: npm run build:cli`);
  const log = sharedPath('data', 'yoochoose-100k', 'train.tsv.gz');
  if (!log) {
    console.error('The log yoochoose-100k of ../shared is not here; nothing to compare on.');
    process.exitCode = 2;
    return;
  }
  const folder = resolve(values.out);
  mkdirSync(folder, { recursive: true });
  // Beside the report, so that its commands name no folder of this machine.
  copyFileSync(log, join(folder, 'train.tsv.gz'));
  writeFileSync(join(folder, 'variants.json'), `${JSON.stringify(VARIANTS, null, 2)}\n`);
  const aisle = (...words: string[]): string =>
    execFileSync(process.execPath, [program, ...words], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      maxBuffer: 1 << 28,
    });
  if (!existsSync(join(folder, 'parts/split.json'))) aisle('split', ...SPLIT);
  const facts = JSON.parse(aisle('compare', ...COMPARE, '--json')) as Report;
  const commands = [
    ['split', ...SPLIT],
    ['compare', ...COMPARE, '--json'],
  ].map((words) => ['aisle', ...words].map(quoted).join(' '));
  const about = { commands, commit: commit(), machine: machine() };
  const rows = facts.rows.map(({ commands: _, ...row }) => row);
  writeResult('incremental', { ...about, ...facts, rows }, markdown(facts, about));
}

interface About {
  readonly commands: readonly string[];
  readonly commit: string;
  readonly machine: string;
}

function markdown(facts: Report, { commands, commit, machine }: About): string {
  const parts = breakdowns(facts).map(({ title, of }) => {
    const shown = of(facts.rows[0]!);
    const rows = facts.rows.map((row) => [row.name, ...of(row).map(({ value }) => value.toFixed(4))]);
    const counts = ['predictions', ...shown.map(({ predictions }) => predictions.toLocaleString('en'))];
    return `## ${title}\n\n${markdownTable(['model', ...shown.map(({ label }) => label)], [counts, ...rows]).join('\n')}\n`;
  });
  return `# A new model every day

    node test/run.mjs test/bench/incremental.ts --out DIR

${commands.map((command) => `    ${command}`).join('\n')}

1 to 6 April of yoochoose-100k: each day is predicted by what was trained on those before it, on the last item of half of its
sessions. Networks have the preset of the log (\`--preset yoochoose-100k\`), which was chosen on 6 April: that favours them. Counting has its
defaults. GRU4Rec is trained again on all days so far, again on the last two, and further on the newest alone, where its optimiser
starts over, too.

Every item of the training part is a candidate, targets lose ties, seeds ${facts.seeds.join(', ')}, at commit ${commit}. "behind": how
much the best row is ahead in ${facts.metric}, each day counting as much as any other, with the 95 % interval of a paired bootstrap over
sessions. ${verdictSentences(facts.rows).join(' ')}
Times are those of a machine that did other work too: ${machine}.

${markdownTable(
  RESULT_TITLES,
  facts.rows.map((row) => [row.name, ...resultCells(row)]),
).join('\n')}

${parts.join('\n')}`;
}
