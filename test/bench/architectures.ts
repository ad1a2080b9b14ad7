/**
 * Every architecture, and every pair of Transformers4Rec, on two real logs, beside the counting baselines and the
 * official GRU4Rec:
 *
 *     npm run build -- --mode cli
 *     node test/run.mjs test/bench/architectures.ts [--models NAME,…] [--logs NAME,…] [--parts validation,test] [--list]
 *
 * One training and evaluation after another, by the built command line. What is done is kept in
 * `results/architectures.json` and not repeated while flags, preset and data stay the same; a training that was killed is
 * resumed. The table goes to `results/architectures.md`. A model is named as in the table: `caser`, `transformers4rec`
 * for all pairs, `xlnet-mlm` for one. Needs the logs of `../shared`.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { models } from '../../src/models/index';
import { presetOf } from '../../src/models/presets';
import { baselines } from '../../src/neighbours/index';
import { sharedPath } from '../shared';
import { type OfficialRun, type Row, table } from './architectures-table';

const root = resolve(import.meta.dirname, '../..');
const work = join(root, '.cache/architectures');
const results = join(root, 'test/bench/results');
const program = process.env.AISLE ?? join(root, 'dist/cli/aisle.js');
const SEED = 1;

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
type Log = (typeof LOGS)[number];

/** The valid pairs, the best of the paper first. */
const PAIRS = [
  'xlnet-mlm',
  'gpt2-clm',
  'bert-mlm',
  'xlnet-rtd',
  'xlnet-clm',
  'electra-rtd',
  'gru-clm',
  'transformer-xl-clm',
  'xlnet-plm',
  'electra-mlm',
  'bert-rtd',
];

interface Candidate {
  /** As in the table. */
  readonly name: string;
  readonly model: string;
  /** Whether it is trained with the log's preset. */
  readonly isNeural: boolean;
  readonly set: Readonly<Record<string, string>>;
}

/** Learning the next click needs fewer passes than learning hidden ones, and has presets of its own. */
const presetFor = ({ set }: Candidate, { preset }: Log): string =>
  set['objective'] === 'clm' ? `${preset}-clm` : preset;

const CANDIDATES: readonly Candidate[] = [
  ...Object.keys(baselines).map((model) => ({ name: model, model, isNeural: false, set: {} })),
  ...Object.keys(models)
    .filter((model) => model !== 'transformers4rec')
    .map((model) => ({ name: model, model, isNeural: true, set: {} })),
  ...PAIRS.map((name) => {
    const at = name.lastIndexOf('-');
    const set = { lm: name.slice(0, at), objective: name.slice(at + 1) };
    return { name, model: 'transformers4rec', isNeural: true, set };
  }),
];

export function main(args: string[]): void {
  const { values } = parseArgs({
    args,
    options: {
      models: { type: 'string' },
      logs: { type: 'string' },
      parts: { type: 'string', default: 'validation,test' },
      list: { type: 'boolean', default: false },
    },
  });
  const listed = <T extends string>(text: string | undefined, known: readonly T[], what: string): readonly T[] => {
    const names = text?.split(',') ?? known;
    const unknown = names.find((name) => !known.includes(name as T));
    if (unknown !== undefined) throw new RangeError(`No ${what} "${unknown}"; there are ${known.join(', ')}.`);
    return names as readonly T[];
  };
  const names = [...new Set(CANDIDATES.flatMap(({ name, model }) => [name, model]))];
  const wanted = listed(values.models, names, 'model');
  const logNames = LOGS.map(({ name }) => name);
  const logs = listed(values.logs, logNames, 'log').map((name) => LOGS.find((log) => log.name === name)!);
  const parts = listed(values.parts, ['validation', 'test'] as const, 'part');
  const missing = logs.find(({ train }) => !sharedPath(...train));
  if (missing) {
    console.error(`The log ${missing.name} of ../shared is not here; nothing to train on.`);
    process.exitCode = 2;
    return;
  }
  const chosen = CANDIDATES.filter(({ name, model }) => wanted.includes(name) || wanted.includes(model));
  // Model by model over all logs, in the order asked for.
  const order = (c: Candidate) => wanted.findIndex((name) => name === c.name || name === c.model);
  chosen.sort((a, b) => order(a) - order(b));
  const runs = chosen.flatMap((candidate) =>
    logs.flatMap((log) => parts.map((part) => ({ candidate, log, part, key: keyOf(candidate, log, part) }))),
  );
  const file = join(results, 'architectures.json');
  const done: Row[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
  if (values.list) {
    for (const { candidate, log, part, key } of runs) {
      console.log(`${done.some((row) => row.key === key) ? 'done' : 'open'}  ${log.name} ${candidate.name} ${part}`);
    }
    return;
  }
  mkdirSync(work, { recursive: true });
  runs.forEach(({ candidate, log, part, key }, i) => {
    if (done.some((row) => row.key === key)) return;
    console.error(`${i + 1} of ${runs.length}: ${log.name}, ${candidate.name}, ${part}`);
    const row: Row = { log: log.name, model: candidate.name, part, key, ...measure(candidate, log, part, key) };
    const stale = done.findIndex((old) => old.log === row.log && old.model === row.model && old.part === part);
    if (stale >= 0) done.splice(stale, 1);
    done.push(row);
    done.sort((a, b) => place(a) - place(b));
    write(file, `${JSON.stringify(done, null, 1)}\n`);
    const { 'mrr@20': mrr, 'recall@20': recall } = row.metrics;
    console.error(`  recall@20 ${recall!.toFixed(4)}, mrr@20 ${mrr!.toFixed(4)}`);
  });
  const official = JSON.parse(readFileSync(join(results, 'official-gru4rec.json'), 'utf8'));
  write(join(results, 'architectures.md'), table(done, official, theirs(), openRows(done)));
}

/** What has no figures of the test part yet. */
const openRows = (done: readonly Row[]): string[] =>
  LOGS.flatMap(({ name: log }) => {
    const missing = CANDIDATES.filter(
      ({ name }) => !done.some((row) => row.log === log && row.part === 'test' && row.model === name),
    );
    return missing.length === 0 ? [] : [`${log}: ${missing.map(({ name }) => name).join(', ')}`];
  });

/** Rows stand log by log, part by part, in the order of the candidates. */
function place({ log, part, model }: Row): number {
  const logAt = LOGS.findIndex(({ name }) => name === log);
  const partAt = part === 'validation' ? 0 : 1;
  return (2 * logAt + partAt) * 1000 + CANDIDATES.findIndex(({ name }) => name === model);
}

/** What the official code reached with the same options; absent where its figures are not here. */
function theirs(): readonly OfficialRun[] {
  const path = sharedPath('spec/official-runs.json');
  return path === undefined ? [] : (JSON.parse(readFileSync(path, 'utf8')) as { runs: OfficialRun[] }).runs;
}

/** The flags that make this model from a log. */
function flags(candidate: Candidate, log: Log): string[] {
  const { model, isNeural, set } = candidate;
  const settings = Object.entries(set).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  return [
    '--model',
    model,
    ...(isNeural ? ['--preset', presetFor(candidate, log), '--valid', 'none'] : []),
    ...settings,
  ];
}

/** Changes with everything that the result should follow from but the code. */
function keyOf(candidate: Candidate, log: Log, part: Row['part']): string {
  const config = candidate.isNeural ? expected(candidate, log) : {};
  const data = ['test' in log ? [log.train, log.test] : [log.train, log.testFrom], log.cut];
  const all = JSON.stringify([candidate.model, Object.entries(config).sort(), data, part, SEED]);
  return createHash('sha256').update(all).digest('hex').slice(0, 16);
}

function measure(
  candidate: Candidate,
  log: Log,
  part: Row['part'],
  key: string,
): Omit<Row, 'log' | 'model' | 'part' | 'key'> {
  const { train, test } = filesOf(log, part);
  const artifact = join(work, `${log.name}-${candidate.name}-${part}-${key}`);
  const resume = existsSync(join(artifact, 'checkpoint.safetensors')) ? ['--resume'] : [];
  const training = [...flags(candidate, log), '--seed', String(SEED)];
  type Trained = { epochs: { seconds: number }[]; seconds: number };
  const { epochs, seconds } = aisle<Trained>('train', '--data', train, ...training, '--out', artifact, ...resume);
  type Inspected = { config: Record<string, unknown>; parameters: number; files: Record<string, number> };
  const { config, parameters, files } = aisle<Inspected>('inspect', artifact);
  if (candidate.isNeural) checkPreset(config, expected(candidate, log));
  const evaluated = aisle<Evaluated>('evaluate', '--artifact', artifact, '--data', test, '--k', '5,10,20');
  const rounded = Object.entries(evaluated.metrics.conservative).map(([k, value]) => [k, Number(value.toFixed(5))]);
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
  return {
    flags: training.join(' '),
    predictions: evaluated.n,
    metrics: Object.fromEntries(rounded),
    epochs: epochs.length,
    // Of a training that was resumed, too; counting has no epochs.
    seconds: Math.round(epochs.length > 0 ? epochs.reduce((sum, epoch) => sum + epoch.seconds, 0) : seconds),
    parameters,
    bytes: files['weights.safetensors'] ?? 0,
    commit,
  };
}

interface Evaluated {
  readonly n: number;
  readonly metrics: { readonly conservative: Readonly<Record<string, number>> };
}

/** What the flags say of the configuration; the rest are defaults. */
const expected = (candidate: Candidate, log: Log): Readonly<Record<string, unknown>> => ({
  ...presetOf(candidate.model, presetFor(candidate, log)).config,
  ...candidate.set,
});

/** A command line that was built before the presets were changed would measure something else. */
function checkPreset(config: Readonly<Record<string, unknown>>, preset: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(preset)) {
    if (JSON.stringify(config[name]) === JSON.stringify(value)) continue;
    throw new Error(`The built command line has another preset (${name} is ${config[name]}, not ${value}): build it.`);
  }
}

/** What to train on and what to predict, cut from the log once. */
function filesOf(log: Log, part: Row['part']): { train: string; test: string } {
  const split = (name: string, data: string, cut: readonly string[]) => {
    const folder = join(work, 'data', `${log.name}-${name}`);
    const files = { train: join(folder, 'train.tsv.gz'), test: join(folder, 'test.tsv.gz') };
    if (!existsSync(join(folder, 'split.json')))
      aisle('split', '--data', data, '--by', 'start', ...cut, '--out', folder);
    return files;
  };
  const whole = sharedPath(...log.train)!;
  const test =
    'test' in log
      ? { train: whole, test: sharedPath(...log.test)! }
      : split('test', whole, ['--test-from', log.testFrom]);
  return part === 'test' ? test : split('validation', test.train, log.cut);
}

function aisle<T>(...args: string[]): T {
  const stdio: ['ignore', 'pipe', 'inherit'] = ['ignore', 'pipe', 'inherit'];
  return JSON.parse(execFileSync(process.execPath, [program, ...args, '--json'], { encoding: 'utf8', stdio })) as T;
}

/** A kill leaves the file that was, or the new one. */
function write(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}
