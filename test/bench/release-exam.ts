/**
 * The exam of a release, on a log that no preset and no search has seen:
 *
 *     npm run release-exam [-- --data FILE] [--work DIR]
 *
 * Once for each version and log, which its contents identify: `results/release-exams.json` has it from before the first row is
 * tested, and a second exam is refused. Without `--data` the log is the simulator's, of a seed that follows from the commit, which
 * therefore must be clean. An exam that was interrupted goes on where it was, at the commit that opened it.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { observe } from '../../src/cli/progress';
import { models } from '../../src/models/index';
import { autoPreset } from '../../src/models/presets/auto';
import { baselines } from '../../src/neighbours/index';
import { computeRun, type Run, type RunPlan, readRun } from '../../src/pipeline/compare/run';
import { inputHash, readEventsFile } from '../../src/pipeline/files/events-file';
import { search } from '../../src/pipeline/search/search';
import { EVENTS_FILE, writeSimulation } from '../../src/pipeline/simulate/files';
import { DEFAULT_OPTIONS, simulate } from '../../src/pipeline/simulate/simulate';
import { split } from '../../src/pipeline/split';
import { logFacts } from '../../src/session/log-facts';
import { writeQuality } from '../docs/quality-pages';
import { type Exam, type ExamRow, isExamined, isSameExam, METRICS, readExams, writeExams } from './exam/record';
import { commit, machine } from './machine';
import { differencesOf } from './quality/claims';

const ROOT = resolve(import.meta.dirname, '../..');
const EXAMS = 'test/bench/results/release-exams.json';
const VALID = 'last:10%';
const TEST = { share: 0.1 };
const TRIALS = 27;
const SEED = 1;
const SIMULATED = { ...DEFAULT_OPTIONS, items: 1000, sessions: 12_000, visitors: 3000 };

export async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { data: { type: 'string' }, work: { type: 'string', default: '.cache/release-exam' } },
  });
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const git = (...words: string[]) => execFileSync('git', words, { cwd: ROOT, encoding: 'utf8' }).trim();
  if (git('status', '--porcelain', '--untracked-files=no', '--', '.', `:!${EXAMS}`)) {
    throw new Error('The checkout has changes that are not committed: the exam is of a commit. Commit them first.');
  }
  const seed = Number.parseInt(
    createHash('sha256')
      .update(`exam ${git('rev-parse', 'HEAD')}`)
      .digest('hex')
      .slice(0, 8),
    16,
  );
  const { items, sessions } = SIMULATED;
  const log = values.data ? basename(values.data) : `the simulator’s shop (${items} items, ${sessions} sessions)`;
  const exams = readExams();
  const hash = values.data && (await inputHash(values.data, {})).slice(0, 12);
  const opened = {
    version,
    commit: commit(),
    date: new Date().toISOString().slice(0, 10),
    log: values.data ? log : `${log}, seed ${seed}`,
    ...(hash && { hash }),
    machine: machine(),
  };
  if (isExamined(exams, opened)) {
    throw new Error(
      `${log} was opened for ${version} already, see results/release-exams.md. The next exam is for the next version.`,
    );
  }
  const others = exams.filter((exam) => !isSameExam(exam, opened));
  const work = join(resolve(values.work), [opened.commit, ...(hash ? [hash] : [])].join('-'));
  mkdirSync(work, { recursive: true });
  const observer = observe({ stderr: process.stderr, signal: new AbortController().signal });
  if (!values.data) await writeSimulation(simulate({ ...SIMULATED, seed }), work);
  const parts = { train: join(work, 'parts/train.tsv.gz'), test: join(work, 'parts/test.tsv.gz') };
  await split({
    data: values.data ?? join(work, EVENTS_FILE),
    out: join(work, 'parts'),
    by: 'start',
    test: TEST,
    ...observer,
  });

  const train = await readEventsFile(parts.train);
  const facts = logFacts(train, train.itemIds.length);
  const examined: { readonly row: Omit<ExamRow, 'differences'>; readonly ranks: Run['ranks'] }[] = [];
  const examine = async (model: string, isNeural: boolean, config: ExamRow['config'], chosenBy?: number) => {
    const plan: RunPlan = {
      name: model,
      model,
      isNeural,
      config,
      seed: SEED,
      ...parts,
      read: {},
      protocol: 'events',
      backend: 'auto',
      ...(isNeural && { valid: VALID }),
    };
    const folder = join(work, model);
    const { result, ranks } = (await readRun(folder, plan)) ?? (await computeRun(folder, plan, observer));
    const { metrics, best, processorSeconds } = result;
    const row = { name: model, isNeural, config, validation: chosenBy ?? best!.value, processorSeconds };
    examined.push({ row: { ...row, metrics: metrics.conservative }, ranks });
  };
  writeExams([...others, opened]); // before the test part is asked
  for (const model of Object.keys(baselines)) {
    const { best } = await search({
      data: parts.train,
      model,
      out: join(work, `search ${model}`),
      valid: VALID,
      trials: TRIALS,
      seed: SEED,
      metric: METRICS[0],
      ...observer,
    });
    await examine(model, false, best.config, best.value);
  }
  for (const model of Object.keys(models)) await examine(model, true, autoPreset(model, facts).config);

  const counter = examined
    .filter(({ row }) => !row.isNeural)
    .reduce((best, other) => (other.row.validation > best.row.validation ? other : best));
  const rows = examined.map(({ row, ranks }): ExamRow => {
    const shown = (all: ExamRow['metrics']) =>
      Object.fromEntries(METRICS.map((name) => [name, Number(all[name]!.toFixed(5))]));
    const differences = row.isNeural && { differences: differencesOf([ranks], counter.ranks, METRICS) };
    return { ...row, metrics: shown(row.metrics), ...differences };
  });
  writeExams([
    ...others,
    { ...opened, predictions: counter.ranks.length, counter: counter.row.name, rows } satisfies Exam,
  ]);
  writeQuality();
  for (const { name, metrics } of rows)
    console.log(`${name}  ${METRICS.map((metric) => `${metric} ${metrics[metric]}`).join('  ')}`);
}
