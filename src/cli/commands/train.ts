import { join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { REPORT } from '../../checkpoint/manifest';
import { UNLICENSED } from '../../pipeline/commands';
import { defined } from '../../pipeline/defined';
import { duration, whole } from '../../pipeline/format';
import type { TrainOptions } from '../../pipeline/options';
import { type TrainResult, train } from '../../pipeline/train';
import { verdict } from '../../pipeline/validation';
import { quoted } from '../../session/columns';
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
  oneOf,
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
    .option(
      '--preset <name>',
      'named configuration of the model; auto: the one that suits the log, scaled to it; none: the defaults; default: auto',
    )
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
    .addOption(
      new Option(
        '--refit <yes|no>',
        'train again on everything, validation part included, for as many epochs as it chose; default: yes where it chose',
      ).argParser(oneOf('yes', 'no')),
    )
    .addOption(holdoutOption())
    .option('--sample-sessions <share>', 'learn from this share of the sessions, drawn by --seed', share)
    .option(
      '--catalogue <file>',
      'catalogue.json, a table with item_id, a product feed, or a catalogue folder: titles, prices and what the model reads, to put into the artifact',
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
    .option('--licence <text>', `what others may do with the model; default: that of --from, else ${UNLICENSED}`)
    .addOption(backendOption())
    .option(
      '--threads <n>',
      `share each step between up to ${SHARDS} threads, which gives other weights than one; where steps cannot be shared, run the training on everything beside the first one, which gives the same`,
      integer(1),
    )
    .option('--log <file>', 'write one JSON line an epoch: loss, metrics, seconds')
    .option('--resume', 'go on with a run that was interrupted')
    .option('--keep-best', 'with --resume: write the best epoch so far instead of training on')
    .option('--restart', 'start over where --out holds a run that was interrupted, whose checkpoint is then lost');
  addEventsOptions(command)
    .option('--json', 'print one JSON object')
    .addHelpText('after', () => optionTable(command.opts<Partial<TrainFlags>>().model))
    .addHelpText(
      'after',
      '\nExample:\n  $ aisle train --data events.tsv.gz --model gru4rec --out my-model --set layers=100\n',
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
  if (flags.json && result.baseline) context.stderr.write(`${notPublic(result)}\n`);
}

function summary(model: string, result: TrainResult): string {
  const { artifact, epochs, best, baseline, refit, interrupted, items, sessions, events, seconds } = result;
  const subject = `${model} on ${whole(events)} events in ${whole(sessions)} sessions of ${whole(items)} items`;
  const lines = [`Trained ${subject} in ${duration(seconds)}.`];
  if (best && epochs.length > 0)
    lines.push(`Best epoch ${best.epoch} of ${epochs.length}: ${best.metric} ${best.value.toFixed(4)}.`);
  if (baseline) lines.push(verdict({ model: { model, metrics: epochs[best!.epoch - 1]!.valid! }, baseline }, result));
  if (interrupted) lines.push(`Training was interrupted ${interrupted}; this is the best so far.`);
  if (refit) {
    const everything = `${whole(refit.events)} events of ${whole(refit.items)} items`;
    lines.push(`Trained again on everything, ${everything}, in ${duration(refit.seconds)}: these are the weights.`);
  }
  lines.push(`Written to ${artifact}. Try it:  aisle demo --artifact ${quoted(artifact)}`);
  if (baseline) lines.push(notPublic(result));
  return `${lines.join('\n')}\n`;
}

/** Of a training with a validation part: the report shows some of its sessions. */
const notPublic = ({ artifact }: TrainResult): string =>
  `${join(artifact, REPORT)} says how good it is, and shows sessions of your log: do not publish it with the folder.`;

/** A parser for a share of everything. */
function share(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 1) return value;
  throw new InvalidArgumentError('Expected a share above 0, at most 1, such as 0.1.');
}
