import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { run as runOnDevice } from '../../compute/executor';
import type { BackendChoice } from '../../compute/types';
import { RecommenderError } from '../../errors';
import { camelCase } from '../../models/configuration';
import { drawTrials, withRanges } from '../../models/search-space';
import { readCatalogueFile } from '../catalogue-file';
import { eventsArguments, searchCommand } from '../command-line';
import { type Context, contextOf, printJson } from '../context';
import { replaceFiles } from '../durable';
import { addEventsOptions, type EventsFlags, integer, oneOf, readOptions } from '../options';
import { best, type Rung, rungsOf } from '../search/halving';
import {
  configOf,
  plannedEpochs,
  type SearchFacts,
  searchReport,
  summary,
  type Tried,
  trialLine,
} from '../search/report';
import { spaceTable, subjectOf } from '../search/space-table';
import { bestOf, type SearchPlan, TrialRunner } from '../search/trial';
import {
  type ConfigurationFlags,
  checkedConfiguration,
  configurationFrom,
  parseSetting,
  type Settings,
} from '../settings';
import { startFirst } from '../start-backend';
import { parseValid, trainingParts } from '../training-data';

export interface SearchFlags extends EventsFlags, ConfigurationFlags {
  readonly data: string;
  readonly out: string;
  readonly range: Settings;
  readonly trials: number;
  readonly epochs?: number;
  readonly metric: string;
  readonly seed: number;
  readonly valid: string;
  readonly holdout: number;
  readonly catalogue?: string;
  readonly backend: BackendChoice;
  readonly json?: boolean;
}

/** Where neither a preset nor a setting says more. */
const DEFAULT_EPOCHS = 9;

/** `aisle search`: which configuration of a model does best on a validation part. */
export function register(program: Command): void {
  const command = program
    .command('search')
    .description('try many configurations of a model on a validation part and keep the best as a file')
    .requiredOption('--data <file>', 'events file to train and validate on; keep the test part out of it')
    .requiredOption('--model <name>', 'architecture or counting baseline; with --help: what is searched')
    .requiredOption('--out <dir>', 'folder for best.json, search.json and the trials')
    .option(
      '--trials <n>',
      'configurations to try; the first is the one that the flags describe',
      integer(1, 10_000),
      27,
    )
    .option(
      '--epochs <n>',
      `passes over the log of the trials that come furthest; default: the preset’s or the settings’, else ${DEFAULT_EPOCHS}`,
      integer(1),
    )
    .option('--metric <name>', 'what decides: recall, mrr or ndcg @1, 5, 10 or 20', parseMetric, 'mrr@20')
    .option(
      '--valid <part>',
      'validation part: last:10% | last:7d | held-out (the first event that --holdout leaves out) | FILE',
      parseValidation,
      'last:10%',
    )
    .option('--holdout <n>', 'leave the last n events of every session out, for leave-one-out: 2', integer(0), 0)
    .option('--preset <name>', 'named configuration to start from; auto: the one that suits the log, scaled to it')
    .option('--config <file>', 'JSON object of configuration keys to start from')
    .option('--set <key=value>', 'fix one configuration key; repeat it', parseSetting, [])
    .option('--range <key=values>', 'search a key in a..b, a..b:log or among a,b,c; repeat it', parseSetting, [])
    .option('--seed <n>', 'of everything random', integer(0), 1)
    .option('--catalogue <file>', 'catalogue.json, or a table with item_id: for models that read features of items')
    .option('--backend <name>', 'auto | wasm | cpu | webgpu', oneOf('auto', 'wasm', 'cpu', 'webgpu'), 'auto');
  addEventsOptions(command)
    .option('--json', 'print search.json as one JSON object')
    .addHelpText('after', () => spaceTable(command.opts<Partial<SearchFlags>>().model))
    .addHelpText(
      'after',
      '\nNetworks are tried by successive halving: all of them for a few epochs, the best third for three times as many, up to\n' +
        '--epochs. Every trial is kept: after an interruption the same command goes on where it was, and with more --trials it\n' +
        'adds to what is there.\n' +
        '\nExample:\n  $ aisle search --data parts/train.tsv.gz --model gru4rec --out found --trials 27\n' +
        '  $ aisle train --data parts/train.tsv.gz --model gru4rec --out my-model --config found/best.json\n',
    )
    .action(run);
}

async function run(flags: SearchFlags, command: Command): Promise<void> {
  const context = contextOf(command);
  const { model, seed, metric } = flags;
  const { given, preset, auto } = await configurationFrom(flags, context);
  const { isNeural, config, wanted } = await checkedConfiguration(model, given, preset);
  if (!isNeural && flags.epochs !== undefined) {
    throw new RecommenderError('bad-config', `--epochs is for networks; ${model} counts the log once. Leave it out.`);
  }
  const { subject, space: declared } = subjectOf(model);
  const space = withRanges(subject, declared, flags.range);
  // In the spelling and with the types of the options, whatever the flags and files had.
  const keys = Object.keys(given).map(camelCase);
  const base = Object.fromEntries(keys.map((key) => [key, config[key]]));
  const fixed = flags.set.map(([key]) => camelCase(key));
  const draws = drawTrials({ model: subject, space, base, fixed, seed }, flags.trials);
  const trials = draws.map((draw, i) => ({ number: i + 1, draw }));
  if (trials.length < flags.trials) {
    const keys = Object.keys(space).filter((key) => !fixed.includes(key));
    if (keys.length === 0) {
      const message = `Nothing of ${model} is left to search: every key is fixed, or none is declared. Name one with --range.`;
      throw new RecommenderError('bad-config', message);
    }
    context.stderr.write(`The space (${keys.join(', ')}) holds ${trials.length} configurations; all are tried.\n`);
  }
  const epochs = isNeural ? (flags.epochs ?? plannedEpochs(model, base) ?? DEFAULT_EPOCHS) : 1;
  const rungs = isNeural ? rungsOf(trials.length, epochs) : [{ epochs: 1, trials: trials.length }];

  const products =
    flags.catalogue === undefined ? undefined : await readCatalogueFile(flags.catalogue, flags.columns?.item);
  const { valid, ...parts } = await trainingParts(
    flags.data,
    {
      read: { ...readOptions(flags), featuresIfAny: wanted.map(({ name }) => name) },
      holdout: flags.holdout,
      valid: flags.valid,
    },
    context,
  );
  const plan: SearchPlan = {
    ...{ out: flags.out, model, isNeural, base, seed, epochs, backend: flags.backend },
    parts: { ...parts, valid: valid! },
    ...(products && { products }),
  };
  const tried: Tried[] = trials.map((trial) => ({ ...trial, record: { epochs: [], isFinished: false }, rung: 0 }));
  const facts = (isFinished: boolean): SearchFacts => ({
    ...{ model, metric, seed, epochs, isFinished, space, base, fixed, rungs, tried, ...(auto && { auto }) },
    ...{ data: flags.data, valid: flags.valid, command: searchCommand(flags) },
  });
  const report = async (isFinished: boolean) => {
    const result = searchReport(facts(isFinished));
    const found = result.best && configOf(plan, result.best.config);
    await replaceFiles(flags.out, {
      'search.json': `${JSON.stringify(result, null, 2)}\n`,
      ...(found && { 'best.json': `${JSON.stringify(found, null, 2)}\n` }),
    });
    return result;
  };

  try {
    await runOnDevice(async (slice) => {
      if (isNeural) await startFirst(slice, flags.backend, context.stderr);
      await climb(new TrialRunner(plan, context), tried, rungs, metric, context);
    });
  } catch (error) {
    if (!(error instanceof RecommenderError && error.code === 'aborted')) throw error;
    if (tried.some(({ rung }) => rung > 0)) await report(false);
    const rest = `${join(flags.out, 'trials')} holds everything: the same command goes on from there.`;
    throw new RecommenderError('aborted', `${error.message} ${rest}`, { cause: error });
  }
  const result = await report(true);
  if (!result.best) {
    const { number, record } = tried.find(({ record }) => record.failure !== undefined)!;
    throw new RecommenderError(record.code!, `No trial gave a result. Trial ${number} said: ${record.failure}`);
  }
  if (flags.json) printJson(context, result);
  else {
    const catalogue = flags.catalogue === undefined ? [] : ['--catalogue', flags.catalogue];
    context.stdout.write(summary(result, flags.out, [...catalogue, ...eventsArguments(flags)]));
  }
}

/** Runs rung after rung; what came out stands in `tried`. */
async function climb(
  runner: TrialRunner,
  tried: Tried[],
  rungs: readonly Rung[],
  metric: string,
  context: Context,
): Promise<void> {
  let climbing: readonly Tried[] = tried;
  for (const [r, rung] of rungs.entries()) {
    for (const [i, trial] of climbing.entries()) {
      const { record, isNew } = await runner.advance(trial, rung.epochs);
      Object.assign(trial, { record, rung: r + 1 });
      const place = rungs.length > 1 ? `rung ${r + 1} of ${rungs.length}, ` : '';
      const line = trialLine(trial, bestOf(record, metric, rung.epochs), metric, isNew);
      context.stderr.write(`[${place}${i + 1}/${climbing.length}] ${line}\n`);
    }
    const next = rungs[r + 1];
    if (!next) return;
    const promoted = best(climbing, next.trials, ({ record }) => bestOf(record, metric, rung.epochs)?.value);
    for (const trial of climbing) if (!promoted.includes(trial)) await runner.release(trial);
    climbing = promoted;
  }
}

function parseMetric(text: string): string {
  if (/^(recall|mrr|ndcg)@(1|5|10|20)$/.test(text)) return text;
  throw new InvalidArgumentError('Expected recall, mrr or ndcg at 1, 5, 10 or 20, such as mrr@20.');
}

function parseValidation(text: string): string {
  if (text === 'none')
    throw new InvalidArgumentError('A search compares on a validation part: last:10%, last:7d or a file.');
  return parseValid(text);
}
