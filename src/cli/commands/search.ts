import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { written } from '../../models/search-space';
import { trainFoundCommand } from '../../pipeline/commands';
import { defined } from '../../pipeline/defined';
import { duration } from '../../pipeline/format';
import type { SearchOptions, TrialEvent } from '../../pipeline/options';
import type { SearchReport } from '../../pipeline/search/report';
import { DEFAULT_EPOCHS, search } from '../../pipeline/search/search';
import { SELECTION_METRIC } from '../../train/fit';
import { contextOf, print } from '../context';
import { withFlags } from '../errors';
import { spaceTable } from '../option-table';
import {
  addEventsOptions,
  backendOption,
  type EventsFlags,
  holdoutOption,
  integer,
  type Pairs,
  parseSetting,
  parseValid,
  readOptions,
  seedOption,
} from '../options';
import { observe } from '../progress';
import { table } from '../table';

interface SearchFlags extends EventsFlags, Omit<SearchOptions, 'read' | 'config' | 'configFile' | 'ranges' | 'signal'> {
  readonly config?: string;
  readonly set?: Pairs;
  readonly range?: Pairs;
  readonly metric: string;
  readonly json?: boolean;
}

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
    .addOption(holdoutOption())
    .option('--preset <name>', 'named configuration to start from; auto: the one that suits the log, scaled to it')
    .option('--config <file>', 'JSON object of configuration keys to start from')
    .option('--set <key=value>', 'fix one configuration key; repeat it', parseSetting)
    .option('--range <key=values>', 'search a key in a..b, a..b:log or among a,b,c; repeat it', parseSetting)
    .addOption(seedOption())
    .option(
      '--catalogue <file>',
      'catalogue.json, a table with item_id, a product feed, or a catalogue folder: for models that read features of items',
    )
    .addOption(backendOption());
  addEventsOptions(command)
    .option('--json', 'print search.json as one JSON object')
    .addHelpText('after', () => spaceTable(command.opts<Partial<SearchFlags>>().model))
    .addHelpText(
      'after',
      '\nNetworks are tried by successive halving: all of them for a few epochs, the best third for three times as many, up to\n' +
        '--epochs. Every trial is kept: after an interruption the same command goes on where it was, and with more --trials it\n' +
        'adds to what is there.\n' +
        '\nExample:\n  $ aisle search --data parts/train.tsv.gz --model gru4rec --out found --trials 27\n' +
        '  $ aisle train --data parts/train.tsv.gz --model gru4rec --out my-model --preset none --config found/best.json\n',
    )
    .action(run);
}

/** Turns flags into options. */
export const optionsOf = ({ config, set, range, ...flags }: SearchFlags): SearchOptions => ({
  ...flags,
  read: readOptions(flags),
  ...defined({ config: set, configFile: config, ranges: range }),
});

async function run(flags: SearchFlags, command: Command): Promise<void> {
  const context = contextOf(command);
  const options = optionsOf(flags);
  const onTrial = (trial: TrialEvent) => context.stderr.write(`${trialLine(trial, flags.metric)}\n`);
  const report = await search({ ...options, ...observe(context), onTrial });
  print(context, flags, report, () => summary(report, options));
}

/** A trial's result so far as one line. */
function trialLine(event: TrialEvent, metric: string): string {
  const { trial, config, rung, place, best, epochs, seconds, isCached, failure } = event;
  const where = `${rung[1] > 1 ? `rung ${rung.join(' of ')}, ` : ''}${place.join('/')}`;
  const how = isCached ? 'was there already' : duration(seconds);
  const result = best
    ? `${metric} ${best.value.toFixed(4)}${epochs > 1 ? ` in epoch ${best.epoch}` : ''}, ${how}`
    : `no result. ${withFlags(failure!)}`;
  return `[${where}] trial ${trial}: ${result}  ${settingsOf(config)}`;
}

const settingsOf = (draw: Readonly<Record<string, unknown>>): string =>
  Object.entries(draw)
    .map(([key, value]) => `${key}=${written(value)}`)
    .join(' ') || '(as it was given)';

/** Number of trials in the final table. */
const LISTED = 10;

function summary({ metric, rungs, trials, best }: SearchReport, options: SearchOptions): string {
  const { out } = options;
  const rows = trials
    .filter(({ value }) => value !== undefined)
    .sort((a, b) => b.rung - a.rung || b.value! - a.value!)
    .slice(0, LISTED)
    .map(({ trial, rung, value, config }) => [`${trial}`, `${rung}`, value!.toFixed(4), settingsOf(config)]);
  const failed = trials.filter(({ failure }) => failure !== undefined).length;
  const file = join(out, 'best.json');
  return `${[
    ...table([['trial', 'rung', metric, ''], ...rows], [5, 6, 12, 'left']),
    ...(failed > 0
      ? [`${failed} of ${trials.length} trials gave no result; ${join(out, 'search.json')} says why.`]
      : []),
    `Best: trial ${best!.trial}, ${metric} ${best!.value.toFixed(4)} on the validation part. Written to ${file}. Train it:`,
    `  ${trainFoundCommand(options, file)}`,
    ...(rungs.at(-1)!.epochs > 1 && metric !== SELECTION_METRIC
      ? [
          `It chooses its epoch by ${SELECTION_METRIC}, which may be another than epoch ${best!.epoch}, the best in ${metric}.`,
        ]
      : []),
  ].join('\n')}\n`;
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
