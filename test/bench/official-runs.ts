/**
 * Trains GRU4Rec with the options of the official runs and compares with what the official PyTorch code reached:
 *
 *     npm run build:cli && node test/run.mjs test/bench/official-runs.ts [--seeds 1,2,3] [RUN…]
 *
 * One run after another, each a training and an evaluation by the built command line; finished ones are kept in
 * `results/official-gru4rec.json` and not repeated. The table goes to `results/official-gru4rec.md`. Needs the logs and
 * the official figures of `../shared`.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { sharedPath } from '../shared';
import { mean } from './figures';
import { commit, machine } from './machine';

interface OfficialRun {
  readonly run: string;
  readonly data: string;
  readonly seed: number;
  readonly options: Readonly<Record<string, unknown>>;
  readonly epochLoss: readonly number[];
  readonly recall: Readonly<Record<string, number>>;
  readonly mrr: Readonly<Record<string, number>>;
  readonly fitSeconds: number;
}

interface OurRun {
  readonly run: string;
  readonly seed: number;
  readonly command: string;
  readonly commit: string;
  readonly machine: string;
  readonly epochLoss: readonly number[];
  readonly conservative: Readonly<Record<string, number>>;
  readonly standard: Readonly<Record<string, number>>;
  /** By the clock, and of processor time. */
  readonly trainSeconds: number;
  readonly trainProcessorSeconds: number;
  readonly evaluateSeconds: number;
  readonly peakMemoryBytes: number;
}

const root = resolve(import.meta.dirname, '../..');
const work = join(root, '.cache/official-runs');
const results = join(root, 'test/bench/results');
const program = process.env.AISLE ?? join(root, 'dist/cli/aisle.js');
const RUNS = ['y-bprmax', 'y-xe100', 'e-xe128'];
const CUTS = [5, 10, 20];

export function main(args: string[]): void {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { seeds: { type: 'string', default: '1,2,3' } },
  });
  const figures = sharedPath('spec/official-runs.json');
  if (!figures) {
    console.error('The official figures (../shared/spec/official-runs.json) are not here; nothing to compare with.');
    process.exitCode = 2;
    return;
  }
  const { runs: official } = JSON.parse(readFileSync(figures, 'utf8')) as { runs: OfficialRun[] };
  const file = join(results, 'official-gru4rec.json');
  const done: OurRun[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
  mkdirSync(work, { recursive: true });
  for (const seed of values.seeds.split(',').map(Number)) {
    for (const run of positionals.length > 0 ? positionals : RUNS) {
      if (done.some((ours) => ours.run === run && ours.seed === seed)) continue;
      const { data, options } = official.find((theirs) => theirs.run === run)!;
      console.error(`${run}, seed ${seed}`);
      done.push(trainAndEvaluate(run, data, options, seed));
      done.sort((a, b) => RUNS.indexOf(a.run) - RUNS.indexOf(b.run) || a.seed - b.seed);
      writeFileSync(file, `${JSON.stringify(done, null, 1)}\n`);
    }
  }
  writeFileSync(join(results, 'official-gru4rec.md'), table(official, done));
}

/** Training and test part of a log; eshop is cut by start day, as its README says. */
function parts(data: string): { train: string; test: string } {
  const folder = sharedPath('data', data)!;
  if (existsSync(join(folder, 'train.tsv.gz'))) {
    return { train: join(folder, 'train.tsv.gz'), test: join(folder, 'test.tsv.gz') };
  }
  const out = join(work, data);
  if (!existsSync(join(out, 'split.json'))) {
    aisle(
      'split',
      '--data',
      join(folder, 'sessions.tsv.gz'),
      '--out',
      out,
      '--by',
      'start',
      '--test-from',
      '2008-07-25',
    );
  }
  return { train: join(out, 'train.tsv.gz'), test: join(out, 'test.tsv.gz') };
}

function trainAndEvaluate(
  run: string,
  data: string,
  { n_epochs: epochs, ...options }: Readonly<Record<string, unknown>>,
  seed: number,
): OurRun {
  const { train, test } = parts(data);
  const artifact = join(work, `${run}-${seed}`);
  const config = join(work, `${run}.json`);
  writeFileSync(config, JSON.stringify(options));
  const flags = [
    '--model',
    'gru4rec',
    '--preset',
    'none',
    '--config',
    config,
    '--epochs',
    String(epochs),
    '--seed',
    String(seed),
  ];
  const trained = JSON.parse(aisle('train', '--data', train, ...flags, '--out', artifact, '--json')) as {
    epochs: { loss: number }[];
    seconds: number;
    processorSeconds: number;
    peakMemoryBytes: number;
  };
  const evaluated = JSON.parse(
    aisle('evaluate', '--artifact', artifact, '--data', test, '--k', CUTS.join(','), '--json'),
  ) as { metrics: Record<'conservative' | 'standard', Record<string, number>>; seconds: number };
  return {
    run,
    seed,
    command: `aisle train --data ${data} --model gru4rec --preset none --config official.json --epochs ${epochs} --seed ${seed}`,
    commit: commit(),
    machine: machine(),
    epochLoss: trained.epochs.map(({ loss }) => Number(loss.toFixed(6))),
    conservative: rounded(evaluated.metrics.conservative),
    standard: rounded(evaluated.metrics.standard),
    trainSeconds: Math.round(trained.seconds),
    trainProcessorSeconds: Math.round(trained.processorSeconds),
    evaluateSeconds: Math.round(evaluated.seconds),
    peakMemoryBytes: trained.peakMemoryBytes,
  };
}

const rounded = (metrics: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, Number(value.toFixed(5))]));

const aisle = (...args: string[]): string =>
  execFileSync(process.execPath, [program, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

/** Squared standard error of a mean. */
function squaredError(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const center = mean(values);
  const variance = values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1);
  return variance / values.length;
}

/** Means over seeds, the difference, and what it may be: 1 %, or two standard errors of the difference if larger. */
function table(official: readonly OfficialRun[], ours: readonly OurRun[]): string {
  const lines = [
    '# GRU4Rec beside the official PyTorch code',
    '',
    'Same logs, options and number of seeds; full ranking, every event, conservative ties; means over seeds. A difference',
    'may be 1 % or two standard errors of the difference, whichever is larger; the loss of every epoch 2 %. The epoch loss',
    'is the mean over steps, which is what reproduces the figures of the official log line.',
    '',
    '    node test/run.mjs test/bench/official-runs.ts',
    '',
    '| run | seeds | metric | official | ours | difference | allowed | |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
  ];
  const times = [
    '',
    `Whole trainings, in seconds by the clock. Ours: one thread of ${ours[0]!.machine}, nothing beside it. Those of the official`,
    'code: one thread of another machine, torch 2.6. What it would take here is not measured; a step of GRU4Rec takes Debian’s',
    'PyTorch more processor time than ours [here](training-steps.md), so the ratios are at least in part those of the machines. An',
    "earlier table's were 2.2 to 10.9: its runs shared the machine with others, and computed products, losses and updates by",
    "TensorFlow.js' own kernels, with which such a step takes several times as long.",
    '',
    '| run | training, seconds | of processor time | official, seconds | ours / official, means | commits |',
    '| --- | --- | --- | --- | --- | --- |',
  ];
  for (const run of RUNS) {
    const mine = ours.filter((candidate) => candidate.run === run);
    if (mine.length === 0) continue;
    const theirs = official.filter(
      (candidate) => candidate.run === run && mine.some(({ seed }) => seed === candidate.seed),
    );
    for (const k of CUTS) {
      for (const metric of ['recall', 'mrr'] as const) {
        const a = theirs.map((candidate) => candidate[metric][k]!);
        const b = mine.map(({ conservative }) => conservative[`${metric}@${k}`]!);
        const difference = mean(b) - mean(a);
        const allowed = Math.max(0.01 * mean(a), 2 * Math.sqrt(squaredError(a) + squaredError(b)));
        const verdict = Math.abs(difference) <= allowed ? 'within' : 'OUTSIDE';
        const cells = [mean(a), mean(b), difference, allowed].map((value) => value.toFixed(4));
        lines.push(`| ${run} | ${mine.length} | ${metric}@${k} | ${cells.join(' | ')} | ${verdict} |`);
      }
    }
    const gaps = theirs[0]!.epochLoss.map((_, epoch) => {
      const a = mean(theirs.map(({ epochLoss }) => epochLoss[epoch]!));
      return mean(mine.map(({ epochLoss }) => epochLoss[epoch]!)) / a - 1;
    });
    const worst = gaps.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0);
    const verdict = Math.abs(worst) <= 0.02 ? 'within' : 'OUTSIDE';
    lines.push(
      `| ${run} | ${mine.length} | loss, worst epoch | | | ${(100 * worst).toFixed(2)} % | 2 % | ${verdict} |`,
    );
    const seconds = (values: readonly number[]) => values.join(', ');
    const commits = [...new Set(mine.map(({ commit }) => commit))].join(', ');
    const [ourSeconds, theirSeconds] = [mine.map((r) => r.trainSeconds), theirs.map((r) => r.fitSeconds)];
    const spent = [ourSeconds, mine.map((r) => r.trainProcessorSeconds), theirSeconds].map(seconds);
    times.push(`| ${[run, ...spent, (mean(ourSeconds) / mean(theirSeconds)).toFixed(2), commits].join(' | ')} |`);
  }
  return `${[...lines, ...times].join('\n')}\n`;
}
