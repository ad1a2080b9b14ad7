import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { parseJson } from '../../checkpoint/json';
import type { BackendChoice } from '../../engine/engine';
import { configurationOf } from '../../engine/learn';
import { RecommenderError } from '../../errors';
import { models } from '../../models/index';
import { presetOf } from '../../models/presets';
import { baselines } from '../../neighbours/index';
import { eventsArguments, quoted } from '../command-line';
import { type Cell, type CellPlan, cellFolder, computeCell, readCell } from '../compare/cell';
import { htmlReport } from '../compare/html';
import { cell as figure, markdownReport, type ReportFacts } from '../compare/markdown';
import { type Failure, METRIC, type Row, rowsOf } from '../compare/rows';
import { type Context, contextOf, printJson } from '../context';
import { replaceFiles } from '../durable';
import { readEventsFile } from '../events-file';
import { addEventsOptions, type EventsFlags, integer, oneOf, parseList, readOptions } from '../options';
import { duration } from '../progress';
import { readInput } from '../read-input';
import { CommandError, runJson } from '../run-json';
import { VERSION } from '../version';

interface CompareFlags extends EventsFlags {
  readonly data: string;
  readonly test?: string;
  readonly out: string;
  readonly models?: readonly string[];
  readonly variants?: string;
  readonly seeds: number;
  readonly epochs?: number;
  readonly protocol: string;
  readonly backend: BackendChoice;
  readonly json?: boolean;
}

/** A row to be: a model with its configuration. */
type Variant = Pick<CellPlan, 'name' | 'model' | 'preset' | 'config' | 'isNeural'>;

/** `aisle compare`: many models on one log, under one protocol, in one report. */
export function register(program: Command): void {
  const command = program
    .command('compare')
    .description('train and evaluate many models on one log and write a report')
    .requiredOption('--data <file>', 'events file to train on: TSV, CSV, .gz or Parquet')
    .requiredOption('--out <dir>', 'folder for report.md, report.json, report.html and the finished cells')
    .option('--test <file>', 'events file to test on; default: the last tenth of the sessions of --data')
    .option('--models <list>', 'names such as markov,v-sknn,gru4rec, or all; default: all', parseModels)
    .option('--variants <file>', 'JSON list of { "name", "model", "preset", "config" }: rows with other settings')
    .option('--seeds <n>', 'how often each network is trained, with seeds 1 to n', integer(1, 100), 1)
    .option('--epochs <n>', 'passes over the log; default: as many as a validation on its last tenth wants', integer(1))
    .option(
      '--protocol <name>',
      'events | last-item | leave-one-out',
      oneOf('events', 'last-item', 'leave-one-out'),
      'events',
    )
    .option('--backend <name>', 'auto | wasm | cpu | webgpu', oneOf('auto', 'wasm', 'cpu', 'webgpu'), 'auto');
  addEventsOptions(command)
    .option('--json', 'print the report as one JSON object')
    .addHelpText(
      'after',
      '\nA finished cell, that is one model with one seed, is kept: the same command goes on after an interruption, and adds\n' +
        'models or seeds without repeating what is there. A model that fails is named in the report; the others go on.\n' +
        '\nExample:\n  $ aisle compare --data parts/train.tsv.gz --test parts/test.tsv.gz --models pop,markov,v-sknn,gru4rec --out report\n',
    )
    .action(run);
}

async function run(flags: CompareFlags, command: Command): Promise<void> {
  const context = contextOf(command);
  const variants = await variantsOf(flags);
  const { train, test } = await parts(flags, context);
  const support = await sharedItems(train, test, flags, context);
  const contents = { [train]: await contentOf(train), [test]: await contentOf(test) };
  const reading = eventsArguments(flags);
  const plans: CellPlan[] = variants.flatMap((variant) => {
    // Counting knows no seed.
    const seeds = Array.from({ length: variant.isNeural ? flags.seeds : 1 }, (_, i) => i + 1);
    return seeds.map((seed) => ({
      ...{ ...variant, seed, train, test, reading, protocol: flags.protocol, backend: flags.backend },
      ...(variant.isNeural && flags.epochs !== undefined && { epochs: flags.epochs }),
    }));
  });

  const cells: Cell[] = [];
  const failures: Failure[] = [];
  for (const [i, plan] of plans.entries()) {
    const label = `[${i + 1}/${plans.length}] ${plan.name}${plan.isNeural ? `, seed ${plan.seed}` : ''}`;
    const folder = cellFolder(flags.out, plan, contents);
    const known = await readCell(folder, plan);
    try {
      const done = known ?? (await computeCell(folder, plan, context));
      cells.push(done);
      const { metrics, trainSeconds } = done.result;
      const how = known ? 'was there already' : `trained in ${duration(trainSeconds)}`;
      context.stderr.write(`${label}: ${METRIC} ${metrics.conservative[METRIC]!.toFixed(4)}, ${how}\n`);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      failures.push({ name: plan.name, seed: plan.seed, message: error.message });
      context.stderr.write(`${label}: no result. ${error.message}\n`);
    }
  }
  if (cells.length === 0) {
    throw new RecommenderError('diverged', `No model gave a result. The first said: ${failures[0]!.message}`);
  }

  const facts: ReportFacts = {
    ...{ train: flags.data, test: flags.test ?? 'the last tenth of its sessions', protocol: flags.protocol },
    seeds: Array.from({ length: flags.seeds }, (_, i) => i + 1),
    rows: rowsOf(cells, support),
    failures,
    version: VERSION,
    command: commandOf(flags),
  };
  await replaceFiles(flags.out, {
    'report.json': `${JSON.stringify(facts, null, 2)}\n`,
    'report.md': markdownReport(facts),
    'report.html': htmlReport(facts),
  });
  if (flags.json) printJson(context, facts);
  else context.stdout.write(summary(facts, flags.out));
}

/** What is compared: the models that are named, then the variants of the file. */
async function variantsOf({ models: named, variants: file }: CompareFlags): Promise<Variant[]> {
  const plain = (named ?? (file === undefined ? everyName() : [])).map((name) => ({ name, model: name, config: {} }));
  const read = file === undefined ? [] : checkVariants(parseJson(await readInput(file), file), file);
  const all = await Promise.all(
    [...plain, ...read].map(async ({ preset, config, ...rest }: Omit<Variant, 'isNeural'>) => {
      const base = preset === undefined ? {} : presetOf(rest.model, preset).config;
      const { isNeural } = await configurationOf(rest.model, { ...base, ...config });
      return { ...rest, config, isNeural, ...(preset !== undefined && { preset }) };
    }),
  );
  const twice = all.find(({ name }, i) => all.findIndex((other) => other.name === name) < i);
  if (twice) throw new RecommenderError('bad-config', `Two rows are called "${twice.name}"; give each its own name.`);
  return all;
}

function checkVariants(value: unknown, file: string): Omit<Variant, 'isNeural'>[] {
  const refuse = (what: string): never => {
    const form = '[{ "name": "small", "model": "gru4rec", "preset": …, "config": { "layers": "50" } }]';
    throw new RecommenderError('bad-config', `${file}: ${what}; expected a list such as ${form}.`);
  };
  if (!Array.isArray(value)) return refuse('this is no list');
  return value.map((entry: unknown, i) => {
    const isObject = typeof entry === 'object' && entry !== null;
    const { name, model, preset, config = {}, ...rest } = (isObject ? entry : {}) as Record<string, unknown>;
    if (typeof model !== 'string') return refuse(`entry ${i + 1} names no model`);
    if (preset !== undefined && typeof preset !== 'string') return refuse(`the preset of entry ${i + 1} is no name`);
    if (typeof config !== 'object' || config === null || Array.isArray(config)) {
      return refuse(`the config of entry ${i + 1} is no object`);
    }
    const [unknown] = Object.keys(rest);
    if (unknown !== undefined) return refuse(`entry ${i + 1} has a key "${unknown}"`);
    return {
      ...{ name: typeof name === 'string' ? name : preset ? `${model} ${preset}` : model, model },
      config: config as Record<string, unknown>,
      ...(preset !== undefined && { preset }),
    };
  });
}

const everyName = (): string[] => [...Object.keys(baselines), ...Object.keys(models)];

function parseModels(list: string): string[] {
  if (list === 'all') return everyName();
  const names = parseList(list);
  const unknown = names.find((name) => !everyName().includes(name));
  if (unknown === undefined) return [...new Set(names)];
  throw new InvalidArgumentError(`No model is called "${unknown}". Known are all, ${everyName().join(', ')}.`);
}

/** The files to train and to test on; where one is given, they are cut from it. */
async function parts(
  flags: CompareFlags,
  context: Context,
): Promise<{ readonly train: string; readonly test: string }> {
  if (flags.test !== undefined) return { train: flags.data, test: flags.test };
  const folder = join(flags.out, 'parts');
  const argv = ['split', '--data', flags.data, '--out', folder, '--test', 'last:10%', ...eventsArguments(flags)];
  await runJson(argv, context).catch((error) => {
    throw error instanceof CommandError ? new RecommenderError('bad-input', error.message) : error;
  });
  return { train: join(folder, 'train.tsv.gz'), test: join(folder, 'test.tsv.gz') };
}

/**
 * Clicks of each item in the training file.
 *
 * @throws RecommenderError `bad-input` if the test file holds none of them: every model would fail one by one.
 */
async function sharedItems(
  train: string,
  test: string,
  flags: CompareFlags,
  context: Context,
): Promise<ReadonlyMap<string, number>> {
  const known = await readEventsFile(train, readOptions(flags), context);
  const support = new Map(known.itemIds.map((id, k) => [id, known.support[k + 1]!]));
  const asked = await readEventsFile(test, { minLength: 1, minItems: 1, ...readOptions(flags) }, context);
  if (asked.itemIds.some((id) => support.has(id))) return support;
  throw new RecommenderError(
    'bad-input',
    `${test} shares no item with ${train}, so there is nothing to predict: are both of the same shop, with ids written alike?`,
  );
}

async function contentOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest('hex');
}

function commandOf(flags: CompareFlags): string {
  const { data, test, out, models: names, variants, seeds, epochs, protocol, backend } = flags;
  const words = [
    ...['--data', data, ...(test === undefined ? [] : ['--test', test]), '--out', out],
    ...(names === undefined ? [] : ['--models', names.join(',')]),
    ...(variants === undefined ? [] : ['--variants', variants]),
    ...['--seeds', `${seeds}`, ...(epochs === undefined ? [] : ['--epochs', `${epochs}`])],
    ...['--protocol', protocol, '--backend', backend, ...eventsArguments(flags)],
  ];
  return ['aisle', 'compare', ...words].map(quoted).join(' ');
}

function summary({ rows, failures }: ReportFacts, out: string): string {
  const name = (row: Row) => `${row.isTied ? '= ' : '  '}${row.name}`;
  const width = Math.max(...rows.map((row) => name(row).length), 8) + 2;
  const metrics = ['recall@20', METRIC, 'ndcg@20'] as const;
  const column = rows.some(({ deviation }) => deviation) ? 20 : 12;
  const lines = [
    ''.padEnd(width) + metrics.map((metric) => metric.padStart(column)).join(''),
    ...rows.map(
      (row) => name(row).padEnd(width) + metrics.map((metric) => figure(row, metric).padStart(column)).join(''),
    ),
    ...failures.map(({ name: failed, seed, message }) => `No result of ${failed}, seed ${seed}: ${message}`),
    '"=": less than 5 % behind the best.',
    `Written to ${join(out, 'report.html')}, report.md and report.json.`,
  ];
  return `${lines.join('\n')}\n`;
}
