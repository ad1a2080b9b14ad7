import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { CATALOGUE } from '../../checkpoint/manifest';
import type { BackendChoice } from '../../compute/types';
import { RecommenderError } from '../../errors';
import type { LogFacts } from '../../session/log-facts';
import { readCatalogueFile } from '../catalogue-file';
import { eventsArguments, quoted } from '../command-line';
import { factsOfTraining } from '../compare/facts';
import { htmlReport } from '../compare/html';
import { cell as figure, markdownReport, type ReportFacts } from '../compare/markdown';
import { type Parts, partsOf } from '../compare/parts';
import { type Row, rowsOf } from '../compare/rows';
import { runBlends, runCells, runsOnParts, runsOnWindows, windowedVariants } from '../compare/run-cells';
import { everyName, type Planned, variantsOf } from '../compare/variants';
import { writeWindows } from '../compare/windows';
import { type Context, contextOf, printJson } from '../context';
import { replaceFile, replaceFiles } from '../durable';
import { addEventsOptions, type EventsFlags, integer, oneOf, parseList, parseWindow } from '../options';
import { tellAuto } from '../settings';
import { parseValid } from '../training-data';
import { VERSION } from '../version';

interface CompareFlags extends EventsFlags {
  readonly data: string;
  readonly test?: string;
  readonly out: string;
  readonly models?: readonly string[];
  readonly preset?: string;
  readonly variants?: string;
  readonly catalogue?: string;
  readonly seeds: number;
  readonly epochs?: number;
  readonly valid?: string;
  readonly holdout?: number;
  readonly protocol: string;
  /** In seconds. */
  readonly window?: number;
  readonly backend: BackendChoice;
  readonly json?: boolean;
}

/** `aisle compare`: many models on one log, under one protocol, in one report. */
export function register(program: Command): void {
  const command = program
    .command('compare')
    .description('train and evaluate many models on one log and write a report')
    .requiredOption('--data <file>', 'events file to train on: TSV, CSV, .gz or Parquet')
    .requiredOption('--out <dir>', 'folder for report.md, report.json, report.html and the finished cells')
    .option('--test <file>', 'events file to test on; default: the last tenth of the sessions of --data')
    .option('--models <list>', 'names such as markov,v-sknn,gru4rec, or all; default: all', parseModels)
    .option(
      '--preset <name>',
      'configuration for those of --models that have one of that name, or auto: by the log; the others: defaults',
    )
    .option('--variants <file>', 'JSON list of { "name", "model", "preset", "config" }: rows with other settings')
    .option('--catalogue <file>', 'catalogue.json, or a table with item_id: for rows that read features of items')
    .option('--seeds <n>', 'how often each network is trained, with seeds 1 to n', integer(1, 100), 1)
    .option(
      '--epochs <n>',
      'passes over the log; default: as many as a validation on its last tenth wants; incremental: 10',
      integer(1),
    )
    .option(
      '--valid <part>',
      'what chooses the number of epochs: last:10% (default) | last:7d | FILE; then all of --data is learnt',
      parseValidation,
    )
    .option(
      '--holdout <n>',
      '2: learn from all but the last two events of every session of --data; the last is predicted, the one before chooses ' +
        'the epochs; nothing is learnt anew then',
      parseHoldout,
    )
    .option(
      '--protocol <name>',
      'events | last-item | leave-one-out | incremental: train on a window of time, test on the next',
      oneOf('events', 'last-item', 'leave-one-out', 'incremental'),
      'events',
    )
    .option('--window <length>', 'of incremental: 1d, 12h, …; default: 1d, the days of UTC', parseWindow)
    .option('--backend <name>', 'auto | wasm | cpu | webgpu', oneOf('auto', 'wasm', 'cpu', 'webgpu'), 'auto');
  addEventsOptions(command)
    .option('--json', 'print the report as one JSON object')
    .addHelpText(
      'after',
      '\nA finished cell, that is one model with one seed, is kept: the same command goes on after an interruption, and adds\n' +
        'models or seeds without repeating what is there. A model that fails is named in the report; the others go on.\n' +
        'A variant { "name", "ensemble": ROW } is the mean of all seeds of a row; { "name", "mix": [ROW, ROW], "weight" } a network\n' +
        'mixed with another row, such as v-sknn, the weight chosen on the validation part unless it is given.\n' +
        'A row reads what the log and the catalogue say besides if a variant has "features" in its config.\n' +
        '\nincremental: each window is predicted by what was trained on those before it, on the last item of its sessions, half\n' +
        'of which are left to tune on. Counting starts anew from all windows so far; gru4rec has two rows, trained anew on all of\n' +
        'them and on the last 6; other networks go on from the window before. "retrain" of a variant says otherwise:\n' +
        'all, last:N or before.\n' +
        '\nExample:\n  $ aisle compare --data parts/train.tsv.gz --test parts/test.tsv.gz --models pop,markov,v-sknn,gru4rec --out report\n',
    )
    .action(run);
}

async function run(flags: CompareFlags, command: Command): Promise<void> {
  const context = contextOf(command);
  const { protocol, epochs, valid, holdout, backend, out } = flags;
  const isIncremental = protocol === 'incremental';
  refuseMixed(flags);
  const seconds = flags.window ?? DAY;
  let cut: Promise<Parts> | undefined;
  const parts = (): Promise<Parts> => {
    cut ??= partsOf(flags, context);
    return cut;
  };
  const facts = () => factsOfTraining(flags, isIncremental ? { seconds } : { parts }, context);
  const { variants, blends } = await rowsToBe(flags, facts, context);
  if (isIncremental && blends.length > 0) {
    throw new RecommenderError(
      'bad-config',
      `"${blends[0]!.name}" does not go with --protocol incremental. Leave it out.`,
    );
  }
  const seeds = Array.from({ length: flags.seeds }, (_, i) => i + 1);
  const options = {
    ...{ seeds, protocol, backend },
    ...(epochs !== undefined && { epochs }),
    ...(valid !== undefined && { valid }),
    ...(holdout !== undefined && { holdout }),
  };
  const metric = isIncremental ? 'ndcg@20' : 'mrr@20';
  const prepare = async () => {
    if (!isIncremental) {
      const files = await parts();
      return { support: files.support, runs: runsOnParts(variants, files, options), windows: 0 };
    }
    const windowed = windowedVariants(variants);
    const how = {
      seconds,
      half: 'test' as const,
      retrains: windowed.map(({ retrain }) => retrain),
    };
    const windows = await writeWindows(flags.data, join(out, 'windows'), flags, how, context);
    return { support: windows.support, runs: runsOnWindows(windowed, windows, options), windows: windows.steps.length };
  };
  const { support, runs, windows } = await prepare();
  const single = await runCells(out, runs, metric, context);
  const together = await runBlends(out, blends, single.cells, metric, context);

  const report: ReportFacts = {
    ...{ train: flags.data, test: flags.test ?? testedOf(flags), protocol, metric, windows, seeds },
    rows: rowsOf([...single.cells, ...together.cells], support, metric),
    failures: [...single.failures, ...together.failures],
    version: VERSION,
    command: commandOf(flags),
  };
  await replaceFiles(out, {
    'report.json': `${JSON.stringify(report, null, 2)}\n`,
    'report.md': markdownReport(report),
    'report.html': htmlReport(report),
  });
  if (flags.json) printJson(context, report);
  else context.stdout.write(summary(report, out));
}

/**
 * The rows; those that read features get the catalogue as a file of the comparison's own, with ids where every cell looks.
 *
 * @throws RecommenderError `bad-input` for a catalogue that is none; `bad-config`.
 */
async function rowsToBe(flags: CompareFlags, facts: () => Promise<LogFacts>, context: Context): Promise<Planned> {
  const { stderr } = context;
  const { models, preset, variants: file, catalogue, columns, out } = flags;
  const products = catalogue === undefined ? undefined : await readCatalogueFile(catalogue, columns?.item);
  const copy = join(out, CATALOGUE);
  const planned = await variantsOf({
    ...(models && { models }),
    ...(preset !== undefined && { preset }),
    ...(file !== undefined && { variants: file }),
    ...(products && { catalogue: copy }),
    facts,
  });
  const { variants } = planned;
  for (const { name, auto } of variants) if (auto) tellAuto(name, auto, context);
  if (variants.some((variant) => variant.catalogue !== undefined)) {
    await replaceFile(copy, `${JSON.stringify(products)}\n`);
  } else if (products) {
    stderr.write(
      `Warning: no row reads what ${catalogue} says of items. A variant does whose config has "features", such as ` +
        '{ "name": "with prices", "model": "transformers4rec", "config": { "features": "category,price:soft" } }.\n',
    );
  }
  return planned;
}

const testedOf = ({ holdout }: CompareFlags): string =>
  holdout === undefined ? 'the last tenth of its sessions' : 'the last event of its sessions';

/** The incremental protocol cuts its own test parts; the others have no windows. */
function refuseMixed({ protocol, test, window, valid, holdout }: CompareFlags): void {
  const refuse = (flag: string, why: string): never => {
    throw new RecommenderError('bad-config', `${flag} does not go with --protocol ${protocol}: ${why}. Leave it out.`);
  };
  if (protocol === 'incremental' && test !== undefined) refuse('--test', 'each window is tested by the one before');
  if (protocol === 'incremental' && valid !== undefined) refuse('--valid', 'each window has its own epochs');
  const isOneTarget = protocol === 'leave-one-out' || protocol === 'last-item';
  if (holdout !== undefined && !isOneTarget) refuse('--holdout', 'it predicts more than the last event');
  if (holdout !== undefined && test !== undefined) {
    throw new RecommenderError(
      'bad-config',
      '--holdout tests on --data itself, so --test has no place. Leave one out.',
    );
  }
  if (holdout !== undefined && valid !== undefined) {
    throw new RecommenderError(
      'bad-config',
      '--holdout chooses the epochs itself, so --valid has no place. Leave one out.',
    );
  }
  if (protocol !== 'incremental' && window !== undefined) refuse('--window', 'it has one training and one test part');
}

const HOUR = 3600;
const DAY = 24 * HOUR;

function parseModels(list: string): string[] {
  if (list === 'all') return everyName();
  const names = parseList(list);
  const unknown = names.find((name) => !everyName().includes(name));
  if (unknown === undefined) return [...new Set(names)];
  throw new InvalidArgumentError(`No model is called "${unknown}". Known are all, ${everyName().join(', ')}.`);
}

/** With more, an event between what chooses and what is predicted would teach and test nothing. */
function parseHoldout(text: string): number {
  if (text === '2') return 2;
  throw new InvalidArgumentError('Expected 2: the last event is the test, the one before chooses the epochs.');
}

function parseValidation(text: string): string {
  if (text === 'none' || text === 'held-out') {
    throw new InvalidArgumentError('Expected last:10%, last:7d or a file; --epochs needs none, --holdout has its own.');
  }
  return parseValid(text);
}

function commandOf(flags: CompareFlags): string {
  const {
    data,
    test,
    out,
    models: names,
    preset,
    variants,
    catalogue,
    seeds,
    epochs,
    valid,
    holdout,
    protocol,
    window,
    backend,
  } = flags;
  const words = [
    ...['--data', data, ...(test === undefined ? [] : ['--test', test]), '--out', out],
    ...(names === undefined ? [] : ['--models', names.join(',')]),
    ...(preset === undefined ? [] : ['--preset', preset]),
    ...(variants === undefined ? [] : ['--variants', variants]),
    ...(catalogue === undefined ? [] : ['--catalogue', catalogue]),
    ...['--seeds', `${seeds}`, ...(epochs === undefined ? [] : ['--epochs', `${epochs}`])],
    ...(valid === undefined ? [] : ['--valid', valid]),
    ...(holdout === undefined ? [] : ['--holdout', `${holdout}`]),
    ...['--protocol', protocol, ...(window === undefined ? [] : ['--window', `${window / HOUR}h`])],
    ...['--backend', backend, ...eventsArguments(flags)],
  ];
  return ['aisle', 'compare', ...words].map(quoted).join(' ');
}

function summary({ rows, failures, metric }: ReportFacts, out: string): string {
  const name = (row: Row) => `${row.isTied ? '= ' : '  '}${row.name}`;
  const width = Math.max(...rows.map((row) => name(row).length), 8) + 2;
  const metrics = ['recall@20', 'mrr@20', 'ndcg@20'] as const;
  const column = rows.some(({ deviation }) => deviation) ? 20 : 12;
  const lines = [
    ''.padEnd(width) + metrics.map((metric) => metric.padStart(column)).join(''),
    ...rows.map(
      (row) => name(row).padEnd(width) + metrics.map((metric) => figure(row, metric).padStart(column)).join(''),
    ),
    ...failures.map(({ name: failed, seed, message }) => `No result of ${failed}, seed ${seed}: ${message}`),
    `Ordered by ${metric}. "=": less than 5 % behind the best.`,
    `Written to ${join(out, 'report.html')}, report.md and report.json.`,
  ];
  return `${lines.join('\n')}\n`;
}
