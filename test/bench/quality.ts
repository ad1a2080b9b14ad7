/**
 * What every architecture and baseline reaches on a real log, row by row:
 *
 *     node test/run.mjs test/bench/quality.ts LOG [--rows NAME,…] [--seeds 1,2,3] [--work DIR] [--again] [--list]
 *
 * LOG is one of `quality/logs.ts`. A row is trained, its number of epochs chosen on the validation part, and tested once, in
 * a process of its own, one after the other, on one core. Further seeds of a row that learns again from all of the training part
 * do so for as many epochs as the first one's validation chose. Rows are named as in the table (`sasrec`, `xlnet-mlm`,
 * `sasrec, official`), or by architecture, or by form: `improved`, `faithful`, `counted`, `blended`; default: all but the blended
 * ones, which ask rows together that are there already, all `--seeds` of a row or the first with neighbours: with those that
 * do best on the validation part, which the first command on a log finds out. A row that stands in
 * `results/quality-LOG.json` with the same settings, and is not stale, is skipped; one that was interrupted, or killed, goes on
 * where it was; what a stale one left in the folder is removed, unless it was begun by this code. After each row the JSON and the
 * pages are written. `npm test` names rows whose settings have changed since: measure them again, or say in the JSON that they are
 * `stale`, and why. `--list` says what is open. Needs the logs of `../shared`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { EXIT } from '../../src/cli/errors';
import { type Combined, fileName, type Run, type RunPlan, readRun } from '../../src/pipeline/compare/run';
import { type Metrics, metricsOf } from '../../src/train/metrics';
import { writeQuality } from '../docs/quality-pages';
import { builtChild } from './contender';
import type { RowFolder, Work } from './quality/child';
import {
  isOfThisCode,
  type Job,
  jobsOf,
  type QualityContext,
  qualityContextOf,
  rowFolderOf,
  startOf,
} from './quality/jobs';
import { folderOf, LOG_NAMES, LOGS, type LogName, type QualityLog } from './quality/logs';
import { partnerOf } from './quality/partner';
import { CUTS, METRICS, type QualityRow, readResults, withRow, writeResults } from './quality/record';
import { type RowPlan, rowsOf } from './quality/rows';

export async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      rows: { type: 'string' },
      seeds: { type: 'string', default: '1' },
      work: { type: 'string', default: '.cache/quality' },
      again: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
    },
  });
  const [name] = positionals as [LogName];
  if (!LOG_NAMES.includes(name)) throw new RangeError(`Name a log: ${LOG_NAMES.join(', ')}.`);
  const log = LOGS[name];
  const data = folderOf(log);
  if (!data) {
    console.error(`The log ${log.folder} of ../shared is not here; nothing to train on.`);
    process.exitCode = 2;
    return;
  }
  const context = await qualityContextOf(name, data, resolve(values.work));
  const partner =
    values.list || log.only !== undefined
      ? readResults(name).partner?.name
      : await partnerOf(name, context.files.train, join(context.work, name, 'partner'));
  const all = rowsOf(name, partner);
  const seeds = values.seeds.split(',').map(Number);
  // What is asked together comes after what it is made of.
  const jobs = jobsOf(context, all, wanted(all, values.rows), seeds).sort(
    (a, b) => Number('blend' in a.row) - Number('blend' in b.row),
  );
  const isDone = ({ row, seed, key }: Job) =>
    readResults(name).rows.some((old) => old.name === row.name && old.seed === seed && old.key === key && !old.stale);
  const open = values.again ? jobs : jobs.filter((job) => !isDone(job));
  if (values.list) {
    for (const job of jobs) console.log(`${open.includes(job) ? 'open' : 'done'}  ${job.row.name}, seed ${job.seed}`);
    return;
  }
  if (context.facts) writeResults(name, { ...readResults(name), facts: context.facts });
  const child = open.length > 0 ? await builtChild('quality/child.ts') : undefined;
  try {
    for (const [i, job] of open.entries()) {
      const { row, seed } = job;
      console.error(`[${i + 1}/${open.length}] ${name}, ${row.name}, seed ${seed}`);
      const found = await workOf(context, job, all, seeds);
      if (typeof found === 'string') {
        console.error(found);
        process.exitCode = 1;
        continue;
      }
      const { folder, plan, together } = found;
      if (values.again || (isStale(job) && !isOfThisCode(folder))) rmSync(folder, { recursive: true, force: true });
      const { commit, machine } = startOf(folder);
      const code = await ended(child!.program, found);
      if (code === EXIT.interrupted) {
        console.error('Interrupted: the same command goes on from here.');
        process.exitCode = code;
        return;
      }
      const run = code === 0 ? await readRun(folder, plan) : undefined;
      if (!run) {
        console.error(`${row.name}, seed ${seed}: no result.`);
        process.exitCode = 1;
        continue;
      }
      const parts = [...(together?.parts ?? []), ...(together?.mixed ? [together.mixed] : [])];
      const names = parts.map(({ folder, plan }) => [folder, `${fileName(plan.name)}-${plan.seed}`]);
      const shorten = shortener({
        [context.files.train]: 'train.tsv.gz',
        [context.files.test]: 'test.tsv.gz',
        [folder]: 'out',
        ...(plan.catalogue !== undefined && { [plan.catalogue]: basename(plan.catalogue) }),
        ...Object.fromEntries(names),
      });
      const done = {
        ...rowOf(job, run, log.groups?.(data)),
        commit,
        machine,
        commands: run.result.commands.map(shorten),
      };
      const order = all.map(({ name }) => name);
      writeResults(name, withRow(readResults(name), done, order));
      writeQuality();
      const { conservative } = run.result.metrics;
      const figures = log.shown.slice(0, 2).map((metric) => `${metric} ${conservative[metric]!.toFixed(4)}`);
      console.error(`[${i + 1}/${open.length}] ${row.name}, seed ${seed}: ${figures.join(', ')}`);
    }
  } finally {
    await child?.remove();
  }
  writeQuality();
}

/** The rows that are asked for, by name, architecture or form. */
function wanted(all: readonly RowPlan[], list: string | undefined): readonly RowPlan[] {
  if (list === undefined) return all.filter(({ form }) => form !== 'blended');
  // Names hold ", ".
  const names = list.split(/,(?! )/);
  const found = names.map((name) => {
    const named = all.filter((row) => row.name === name);
    return named.length > 0 ? named : all.filter(({ model, form }) => model === name || form === name);
  });
  const unknown = names.find((_, i) => found[i]!.length === 0);
  if (unknown !== undefined) {
    throw new RangeError(`No row "${unknown}"; there are ${all.map(({ name }) => name).join('; ')}.`);
  }
  return [...new Set(found.flat())];
}

/** What a process does for a job, or why it cannot: a blended row needs its parts. */
async function workOf(
  context: QualityContext,
  job: Job,
  all: readonly RowPlan[],
  seeds: readonly number[],
): Promise<Work | string> {
  const { blend } = job.row;
  if (!blend) return rowFolderOf(context, job);
  const named = (name: string, seeds: readonly number[]) => {
    const rows = all.filter((row) => row.name === name);
    return jobsOf(context, all, rows, seeds).map((part) => ({ part, ...rowFolderOf(context, part) }));
  };
  const parts = named(blend.of, blend.with === undefined ? seeds : [job.seed]);
  const [mixed] = blend.with === undefined ? [] : named(blend.with, [1]);
  if (!mixed && parts.length < 2) return `${job.row.name}: name the seeds, --seeds 1,2,3.`;
  for (const { folder, plan, part } of [...parts, ...(mixed ? [mixed] : [])]) {
    if (!isStale(part) && (await readRun(folder, plan))) continue;
    return `${job.row.name}: train ${part.row.name}, seed ${part.seed}, first, with the same --work.`;
  }
  const only = ({ folder, plan }: RowFolder): RowFolder => ({ folder, plan });
  const { folder, plan } = rowFolderOf(context, job);
  const ensemble = { ...blend, ...sharedWeight(job, parts[0]!.plan) };
  return { folder, plan, together: { ensemble, parts: parts.map(only), ...(mixed && { mixed: only(mixed) }) } };
}

/** The share of a mixture whose network asks no validation: what the validation of another seed has chosen. */
function sharedWeight({ log, row: { name } }: Job, { valid }: RunPlan): Pick<Combined, 'weight'> {
  const chosen = readResults(log).rows.find((old) => old.name === name && !old.stale && old.blended?.chosen)?.blended;
  return valid === undefined && chosen?.weight !== undefined ? { weight: chosen.weight } : {};
}

/** Whether what is committed of it is called stale. */
const isStale = ({ log, row, seed, key }: Job): boolean =>
  readResults(log).rows.some((old) => old.name === row.name && old.seed === seed && old.key === key && !!old.stale);

/** Ctrl-C reaches the process too: it keeps what it has, and is waited for. */
async function ended(program: string, work: Work): Promise<number> {
  const child = spawn(process.execPath, [program, JSON.stringify(work)], { stdio: ['ignore', 'ignore', 'inherit'] });
  const pass = () => void child.kill('SIGTERM');
  const wait = () => {};
  process.on('SIGINT', wait).on('SIGTERM', pass);
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    return code ?? EXIT.failed;
  } finally {
    process.off('SIGINT', wait).off('SIGTERM', pass);
  }
}

/** A row of the table from a finished run. */
function rowOf(
  { row, seed, key }: Job,
  { plan, result, ranks }: Run,
  groupOf: ReturnType<NonNullable<QualityLog['groups']>> | undefined,
): Omit<QualityRow, 'commit' | 'machine' | 'commands'> {
  const { metrics, best, epochs, exposure, blend: blended } = result;
  const { blend: _, ...about } = row;
  return {
    ...about,
    ...(blended && { blended }),
    config: plan.config,
    seed,
    key,
    predictions: result.predictions,
    metrics: { conservative: rounded(metrics.conservative), standard: rounded(metrics.standard) },
    ...(groupOf && { groups: groupsOf(ranks, groupOf) }),
    'coverage@20': digits(result.coverage),
    'popularity@20': digits(result.popularity),
    ...(exposure && {
      exposure: { gini: digits(exposure.gini), popularityDeviation: digits(exposure.popularityDeviation) },
    }),
    ...(best && { selected: { ...best, value: digits(best.value) } }),
    ...(plan.epochs !== undefined && { epochs: plan.epochs }),
    isRetrained: plan.isNeural && plan.holdout === undefined,
    curve: epochs.flatMap(({ epoch, loss, valid }) =>
      valid ? [{ epoch, loss: digits(loss), valid: rounded(valid) }] : [],
    ),
    trainSeconds: Math.round(result.trainSeconds),
    processorSeconds: Math.round(result.processorSeconds),
    evaluateSeconds: Math.round(result.evaluateSeconds),
    evaluateProcessorSeconds: Number(result.evaluateProcessorSeconds.toFixed(2)),
    peakMemoryBytes: result.peakMemoryBytes,
    parameters: result.parameters,
    bytes: result.bytes,
  };
}

function groupsOf(ranks: Run['ranks'], groupOf: (rank: Run['ranks'][number]) => string) {
  const found = new Map<string, number[]>();
  for (const rank of ranks) {
    const group = groupOf(rank);
    if (!found.has(group)) found.set(group, []);
    found.get(group)!.push(rank.rank);
  }
  return Object.fromEntries(
    [...found]
      .sort(([a], [b]) => (a < b ? 1 : -1))
      .map(([name, ranks]) => [name, { predictions: ranks.length, metrics: rounded(metricsOf(ranks, CUTS)) }]),
  );
}

const digits = (value: number): number => Number(value.toFixed(5));
const rounded = (metrics: Metrics | Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(METRICS.map((name) => [name, digits(metrics[name]!)]));

/** Commands with names in the place of folders. */
const shortener = (names: Readonly<Record<string, string>>) => (command: string) =>
  Object.entries(names).reduce((text, [path, name]) => text.replaceAll(path, name), command);
