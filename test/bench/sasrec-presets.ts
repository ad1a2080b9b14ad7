/**
 * SASRec's presets beside Markov: what each reached on the validation part that chose it, and on the test part.
 *
 *     npm run build -- --mode cli && node test/run.mjs test/bench/sasrec-presets.ts
 *
 * Every training and evaluation is one of the built command line. Results go to `results/sasrec-presets.{json,md}`. Needs
 * the logs of `../shared`.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { sharedPath } from '../shared';

const root = resolve(import.meta.dirname, '../..');
const work = join(root, '.cache/sasrec-presets');
const results = join(root, 'test/bench/results');
const program = process.env.AISLE ?? join(root, 'dist/cli/aisle.js');

/** How each log is cut: validation is the late part of what is before the test part. */
const LOGS = [
  {
    name: 'yoochoose-100k',
    preset: 'yoochoose-100k',
    train: ['data', 'yoochoose-100k', 'train.tsv.gz'],
    test: ['data', 'yoochoose-100k', 'test.tsv.gz'],
    cut: ['--test', 'last:1d'],
  },
  {
    name: 'eshop-clothing-2008',
    preset: 'eshop',
    train: ['data', 'eshop-clothing-2008', 'sessions.tsv.gz'],
    testFrom: '2008-07-25',
    cut: ['--test-from', '2008-07-18'],
  },
] as const;

interface Row {
  readonly log: string;
  readonly model: string;
  readonly part: 'validation' | 'test';
  readonly metrics: Readonly<Record<string, number>>;
  readonly seconds: number;
}

export function main(): void {
  const missing = LOGS.find(({ train }) => !sharedPath(...train));
  if (missing) {
    console.error(`The log ${missing.name} of ../shared is not here; nothing to train on.`);
    process.exitCode = 2;
    return;
  }
  mkdirSync(work, { recursive: true });
  const rows = LOGS.flatMap((log) => {
    let train = sharedPath(...log.train)!;
    let test = 'test' in log ? sharedPath(...log.test)! : '';
    if ('testFrom' in log) {
      const parts = join(work, `${log.name}-test`);
      aisle('split', '--data', train, '--by', 'start', '--test-from', log.testFrom, '--out', parts);
      train = join(parts, 'train.tsv.gz');
      test = join(parts, 'test.tsv.gz');
    }
    const parts = join(work, `${log.name}-validation`);
    aisle('split', '--data', train, '--by', 'start', ...log.cut, '--out', parts);
    const early = join(parts, 'train.tsv.gz');
    const late = join(parts, 'test.tsv.gz');
    const models = [['markov'], ['sasrec', '--preset', log.preset, '--valid', 'none']] as const;
    return models.flatMap((model) => [
      score(log.name, model, 'validation', early, late),
      score(log.name, model, 'test', train, test),
    ]);
  });
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
  writeFileSync(join(results, 'sasrec-presets.json'), `${JSON.stringify({ commit, seed: 1, rows }, null, 1)}\n`);
  writeFileSync(join(results, 'sasrec-presets.md'), table(rows, commit));
}

function score(log: string, [model, ...flags]: readonly string[], part: Row['part'], train: string, test: string): Row {
  const artifact = join(work, `${log}-${model}-${part}`);
  const trained = aisle(
    'train',
    '--data',
    train,
    '--model',
    model!,
    ...flags,
    '--out',
    artifact,
    '--seed',
    '1',
    '--json',
  );
  const evaluated = aisle('evaluate', '--artifact', artifact, '--data', test, '--k', '5,10,20', '--json');
  const { metrics } = JSON.parse(evaluated) as { metrics: { conservative: Record<string, number> } };
  const rounded = Object.entries(metrics.conservative).map(([name, value]) => [name, Number(value.toFixed(5))]);
  const { seconds } = JSON.parse(trained) as { seconds: number };
  return { log, model: model!, part, metrics: Object.fromEntries(rounded), seconds: Math.round(seconds) };
}

const aisle = (...args: string[]): string =>
  execFileSync(process.execPath, [program, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

function table(rows: readonly Row[], commit: string): string {
  const names = ['recall@5', 'recall@10', 'recall@20', 'mrr@10', 'mrr@20', 'ndcg@20'];
  return `${[
    '# SASRec beside Markov',
    '',
    'Full ranking, every event, conservative ties, seed 1. Each preset was chosen on the validation part (yoochoose-100k: the',
    'last day of train; eshop: 18 to 24 July), its number of epochs included; the test part was looked at with the chosen',
    `preset only, trained on all that comes before it. Commit ${commit}.`,
    '',
    '    node test/run.mjs test/bench/sasrec-presets.ts',
    '',
    `| log | part | model | ${names.join(' | ')} | training, s |`,
    `| --- | --- | --- | ${names.map(() => '---').join(' | ')} | --- |`,
    ...rows.map(
      ({ log, part, model, metrics, seconds }) =>
        `| ${log} | ${part} | ${model} | ${names.map((name) => metrics[name]!.toFixed(4)).join(' | ')} | ${seconds} |`,
    ),
  ].join('\n')}\n`;
}
