import type { Command } from 'commander';
import { UNLICENSED } from '../../pipeline/commands';
import { defined } from '../../pipeline/defined';
import { duration, whole } from '../../pipeline/format';
import type { TrainOptions } from '../../pipeline/options';
import { type TrainResult, train } from '../../pipeline/train';
import { SHARDS } from '../../train/data-parallel';
import { contextOf, print } from '../context';
import { optionTable } from '../option-table';
import {
  addEventsOptions,
  backendOption,
  EVENTS_FILES,
  type EventsFlags,
  holdoutOption,
  integer,
  type Pairs,
  parseSetting,
  parseValid,
  positive,
  readOptions,
  seedOption,
} from '../options';
import { observe } from '../progress';

interface TrainFlags extends EventsFlags, Omit<TrainOptions, 'read' | 'config' | 'configFile' | 'signal'> {
  readonly config?: string;
  readonly set?: Pairs;
  readonly json?: boolean;
}

/** `aisle train`: from a click log to an artifact folder. */
export function register(program: Command): void {
  const command = program
    .command('train')
    .description('train a model on a click log and write its artifact folder')
    .requiredOption('--data <file>', EVENTS_FILES)
    .requiredOption('--model <name>', 'architecture or counting baseline; with --help: its options')
    .requiredOption('--out <dir>', 'folder to write; an artifact that is there is replaced')
    .option('--from <dir>', 'artifact to go on from, with its settings; items that are new to it are added')
    .option('--preset <name>', 'named configuration of the model; auto: the one that suits the log, scaled to it')
    .option('--config <file>', 'JSON object of configuration keys')
    .option('--set <key=value>', 'one configuration key; repeat it', parseSetting)
    .option('--epochs <n>', 'passes over the log; default: the configuration’s', integer(1))
    .addOption(seedOption())
    .option(
      '--valid <part>',
      'validation: none | last:10% | last:7d | held-out (the first event that --holdout leaves out) | FILE; ' +
        'default: none with --epochs, else last:10%, with early stopping',
      parseValid,
    )
    .option(
      '--scale <number>',
      'what turns scores into logits, from another training of these settings; default: fitted on the validation part',
      positive,
    )
    .addOption(holdoutOption())
    .option(
      '--catalogue <file>',
      'catalogue.json, a table with item_id, or a catalogue folder: titles, prices, features, to put into the artifact',
    )
    .option(
      '--rules <file>',
      'rules.json: what the shop pins, boosts, buries and excludes in its slots, to put into the artifact',
    )
    .option(
      '--replay <n>',
      'put n anonymous sessions of the log into the artifact, which anybody may download, for devices that learn',
      integer(0),
      0,
    )
    .option('--licence <text>', 'what others may do with the model', UNLICENSED)
    .addOption(backendOption())
    .option(
      '--threads <n>',
      `share each step between up to ${SHARDS} threads; the result is the same for any number, but another than without`,
      integer(1),
    )
    .option('--resume', 'go on with a run that was interrupted')
    .option('--restart', 'start over where --out holds a run that was interrupted, whose checkpoint is then lost');
  addEventsOptions(command)
    .option('--json', 'print one JSON object')
    .addHelpText('after', () => optionTable(command.opts<Partial<TrainFlags>>().model))
    .addHelpText(
      'after',
      '\nExample:\n  $ aisle train --data events.tsv.gz --model gru4rec --out my-model --set layers=100 --set loss=bpr-max\n',
    )
    .action(run);
}

/** Turns flags into options. */
export const optionsOf = ({ config, set, ...flags }: TrainFlags): TrainOptions => ({
  ...flags,
  read: readOptions(flags),
  ...defined({ config: set, configFile: config }),
});

async function run(flags: TrainFlags, command: Command): Promise<void> {
  const context = contextOf(command);
  const result = await train({ ...optionsOf(flags), ...observe(context) });
  print(context, flags, result, () => summary(flags.model, result));
}

function summary(model: string, { artifact, epochs, best, items, sessions, events, seconds }: TrainResult): string {
  const subject = `${model} on ${whole(events)} events in ${whole(sessions)} sessions of ${whole(items)} items`;
  const lines = [`Trained ${subject} in ${duration(seconds)}.`];
  if (best && epochs.length > 0)
    lines.push(`Best epoch ${best.epoch} of ${epochs.length}: ${best.metric} ${best.value.toFixed(4)}.`);
  lines.push(`Written to ${artifact}. Try it:  aisle demo --artifact ${artifact}`);
  return `${lines.join('\n')}\n`;
}
