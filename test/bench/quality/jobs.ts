/** From the rows of a log to what is trained for each seed of them, and where it is kept. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configure } from '../../../src/models/configuration';
import { AUTO } from '../../../src/models/presets/auto';
import { architectures } from '../../../src/pipeline/architectures';
import { fileName, RESULT, type RunPlan } from '../../../src/pipeline/compare/run';
import { shortHash } from '../../../src/pipeline/files/disk';
import { readEventsFile } from '../../../src/pipeline/files/events-file';
import { codeHash } from '../../../src/pipeline/version';
import { type LogFacts, logFacts } from '../../../src/session/log-facts';
import { commit, machine } from '../machine';
import type { RowFolder } from './child';
import { filesOf, type LogFiles } from './files';
import { LOGS, type LogName, splitOf } from './logs';
import { type Results, readResults } from './record';
import { configOf, type RowPlan, rowsOf } from './rows';
import { networksOf } from './searches';

type Config = Readonly<Record<string, unknown>>;

/** One seed of a row. */
export interface Job {
  readonly log: LogName;
  readonly row: RowPlan;
  readonly config: Config;
  readonly seed: number;
  /** Changes with everything that the result should follow from but the code. */
  readonly key: string;
}

/** A log that is here and cut, with the folder in which its rows are trained. */
export interface QualityContext {
  readonly log: LogName;
  /** Folder of the log as it came. */
  readonly data: string;
  readonly work: string;
  readonly files: LogFiles;
  /** Of the training part, where `auto` goes by them. */
  readonly facts: LogFacts | undefined;
}

/** @param work Folder for what is cut and trained. */
export async function qualityContextOf(log: LogName, data: string, work: string): Promise<QualityContext> {
  const files = await filesOf(log, LOGS[log], data, join(work, 'data'));
  const facts = LOGS[log].preset === AUTO ? await factsOf(files.train) : undefined;
  return { log, data, work, files, facts };
}

async function factsOf(train: string): Promise<LogFacts> {
  const read = await readEventsFile(train);
  return logFacts(read, read.itemIds.length);
}

/**
 * Seed by seed, so that every row has one before any has three. Counting knows no seed, an ensemble has them all, and the share of
 * a mixture is chosen where the first one's validation is.
 *
 * @param all Every row of the log: what is asked together is among them.
 */
export function jobsOf(
  { log, facts }: Pick<QualityContext, 'log' | 'facts'>,
  all: readonly RowPlan[],
  rows: readonly RowPlan[],
  seeds: readonly number[],
): Job[] {
  const planned = rows.map((row) => ({ log, row, config: configsOf(all, row, facts) }));
  return seeds.flatMap((seed, i) =>
    planned
      .filter(({ row }) => i === 0 || !(row.form === 'counted' || row.form === 'blended'))
      .map((plan) => ({ ...plan, seed, key: keyOf(plan, plan.row.model === 'ensemble' ? seeds : seed) })),
  );
}

/** Rows that would be measured with other settings today, or not at all, and are not called stale; and searches around other settings. */
export function outdated(log: LogName, { partner, facts, rows }: Results): string[] {
  const all = rowsOf(log, partner?.name);
  const searches = Object.entries(networksOf(log)).filter(
    ([row, { of }]) => !rows.some(({ name, seed, key }) => name === row && seed === 1 && key === of),
  );
  const changed = rows.flatMap(({ name, seed, key, stale, blended }) => {
    if (stale !== undefined) return [];
    const plans = all.filter((row) => row.name === name);
    const [job] = jobsOf({ log, facts }, all, plans, blended?.seeds ?? [seed]);
    return job?.key === key ? [] : [`${name}, seed ${seed}`];
  });
  return [...changed, ...searches.map(([row]) => `the search of ${row}`)];
}

function keyOf({ log, row, config: given }: Omit<Job, 'seed' | 'key'>, seed: number | readonly number[]): string {
  const config = Object.entries(given).sort(([a], [b]) => (a < b ? -1 : 1));
  const parts = row.blend ?? {};
  const facts = {
    model: row.model,
    config,
    seed,
    ...parts,
    ...splitOf(log),
    ...(isGiven(log, row) && { valid: 'none' }),
  };
  return shortHash(facts);
}

/** What a row is given; of a blended one, what its parts are. */
function configsOf(all: readonly RowPlan[], row: RowPlan, facts: LogFacts | undefined): Config {
  const { blend } = row;
  if (!blend) return configOf(row, facts);
  const parts = all.filter(({ name }) => name === blend.of || name === blend.with);
  return Object.fromEntries(parts.map((part) => [part.name, configOf(part, facts)]));
}

/** Where a job is done, and as what. */
export function rowFolderOf(context: QualityContext, job: Job): RowFolder {
  const plan = planOf(context, job);
  // The key does not know what the validation of another seed has chosen.
  const epochs = plan.epochs === undefined ? '' : `-${plan.epochs}`;
  return { folder: join(context.work, context.log, `${fileName(job.row.name)}-${job.seed}-${job.key}${epochs}`), plan };
}

interface Start {
  readonly commit: string;
  readonly machine: string;
  /** Hash of the code; absent in folders that were begun before it was written. */
  readonly code?: string;
}

/** Where and of what a cell was begun; its result may be written much later, by other code. */
export function startOf(folder: string): Start {
  const file = join(folder, 'start.json');
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, JSON.stringify({ commit: commit(), machine: machine(), code: codeHash() } satisfies Start));
  }
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** Whether a cell is unfinished, which may go on, or was begun by the code that runs now. */
export const isOfThisCode = (folder: string): boolean =>
  !existsSync(join(folder, RESULT)) || startOf(folder).code === codeHash();

function planOf({ log: name, data, files }: QualityContext, job: Job): RunPlan {
  const { row, seed, config } = job;
  const log = LOGS[name];
  const isNeural = row.form === 'improved' || row.form === 'faithful';
  const epochs = isNeural ? epochsOf(job) : undefined;
  return {
    name: row.name,
    model: row.model,
    isNeural,
    seed,
    config,
    ...files,
    read: {},
    backend: 'auto',
    protocol: log.protocol,
    ...(isNeural && (epochs === undefined ? log.valid !== undefined && { valid: log.valid } : { epochs })),
    ...(log.holdout !== undefined && { holdout: log.holdout }),
    ...(row.catalogue !== undefined && { catalogue: join(data, row.catalogue) }),
  };
}

/** Undefined where a validation of its own chooses. */
function epochsOf(job: Job): number | undefined {
  const { log, row, config } = job;
  if (isGiven(log, row)) return plannedEpochs(row.model, config);
  return LOGS[log].valid === undefined ? undefined : chosenEpochs(job);
}

/** What the settings say. */
function plannedEpochs(name: string, given: Config): number {
  const model = architectures[name]!;
  return configure<Config>(model, given)[model.epochsOption] as number;
}

const isGiven = (log: LogName, { name }: RowPlan): boolean => LOGS[log].given?.includes(name) ?? false;

/** What the validation of another seed has chosen for the same row; undefined where this one asks its own. */
function chosenEpochs({ log, row, config, seed }: Job): number | undefined {
  const isOther = (old: { readonly name: string; readonly seed: number; readonly key: string }) =>
    old.name === row.name && old.seed !== seed && old.key === keyOf({ log, row, config }, old.seed);
  return readResults(log).rows.find((old) => old.selected && isOther(old))?.selected?.epoch;
}
