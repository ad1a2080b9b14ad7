import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { compare } from '../../pipeline/compare/compare';
import { gateSentence } from '../../pipeline/compare/gate';
import { cell as figure, type Report } from '../../pipeline/compare/markdown';
import { everyName } from '../../pipeline/compare/variants';
import type { CompareOptions } from '../../pipeline/options';
import { modelNames, unknownModel } from '../../train/train-from-log';
import { contextOf, print } from '../context';
import { NotPassed, withFlags } from '../errors';
import {
  addEventsOptions,
  backendOption,
  EVENTS_FILES,
  type EventsFlags,
  integer,
  oneOf,
  parseList,
  parseValid,
  parseWindow,
  readOptions,
} from '../options';
import { observeRuns } from '../progress';
import { table } from '../table';

interface CompareFlags extends EventsFlags, Omit<CompareOptions, 'read' | 'signal'> {
  readonly json?: boolean;
}

/** `aisle compare`: many models on one log, under one protocol, in one report. */
export function register(program: Command): void {
  const command = program
    .command('compare')
    .description('train and evaluate many models on one log and write a report')
    .requiredOption('--data <file>', `to train on; ${EVENTS_FILES}`)
    .requiredOption('--out <dir>', 'folder for report.md, report.json, report.html and the finished cells')
    .option('--test <file>', 'events file to test on; default: the last tenth of the sessions of --data')
    .option('--models <list>', 'names such as markov,v-sknn,gru4rec, or all; default: all', parseModels)
    .option(
      '--preset <name>',
      'configuration for those of --models that have one of that name, or auto: by the log; the others: defaults',
    )
    .option(
      '--variants <file>',
      'JSON list of { "name", "model", "preset", "config" }: rows with other settings; a config is an object, or the path of one, ' +
        'such as the best.json of a search, from the folder of this file',
    )
    .option(
      '--from <dir>',
      'artifact that networks go on from, with its settings, as in train; they must be of its architecture',
    )
    .option(
      '--catalogue <file>',
      'catalogue.json, a table with item_id, a product feed, or a catalogue folder: for rows that read features of items',
    )
    .option('--seeds <n>', 'how often each network is trained, with seeds 1 to n', integer(1, 100), 1)
    .option(
      '--epochs <n>',
      'passes over the log; default: as many as a validation on its last tenth wants; incremental: 10',
      integer(1),
    )
    .option(
      '--valid <part>',
      'what chooses the number of epochs: last:10% | last:7d | FILE; then all of --data is trained on; default: last:10%',
      parseValidation,
    )
    .option(
      '--holdout <n>',
      '2: learn from all but the last two events of every session of --data; the last is predicted, the one before chooses ' +
        'the epochs; nothing is trained again then',
      parseHoldout,
    )
    .option(
      '--protocol <name>',
      'events | last-item | leave-one-out | incremental: train on a window of time, test on the next',
      oneOf('events', 'last-item', 'leave-one-out', 'incremental'),
      'events',
    )
    .option(
      '--at-least <dir>',
      'artifact, such as yesterday’s, that has not learnt from the test part: if the best row is worse in mrr@20, beyond the ' +
        '95 % interval, on items that both know, the exit code is 3',
    )
    .option('--window <length>', 'of incremental: 1d, 12h, …; default: 1d, the days of UTC', parseWindow)
    .addOption(backendOption());
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
        'of which are left to tune on. Counting starts over from all windows so far; gru4rec has two rows, retrained on all of\n' +
        'them and on the last 6; other networks go on from the window before. "retrain" of a variant says otherwise:\n' +
        'all, last:N or before.\n' +
        '\nExample:\n  $ aisle compare --data parts/train.tsv.gz --test parts/test.tsv.gz --models pop,markov,v-sknn,gru4rec --out report\n',
    )
    .action(run);
}

async function run(flags: CompareFlags, command: Command): Promise<void> {
  const context = contextOf(command);
  const report = await compare({ ...flags, read: readOptions(flags), ...observeRuns(context) });
  print(context, flags, report, () => summary(report, flags.out));
  if (report.gate?.isWorse) throw new NotPassed(gateSentence(report.gate));
}

function parseModels(list: string): string[] {
  if (list === 'all') return everyName();
  const names = parseList(list);
  const unknown = names.find((name) => !modelNames.includes(name));
  if (unknown === undefined) return [...new Set(names)];
  throw unknownModel(unknown);
}

/** With more, the events between the chosen and the predicted one would neither train nor test. */
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

function summary({ rows, failures, metric, gate }: Report, out: string): string {
  const metrics = ['recall@20', 'mrr@20', 'ndcg@20'] as const;
  const cells = rows.map((row) => [row.name, ...metrics.map((metric) => figure(row, metric)), row.verdict]);
  const lines = [
    ...table([['', ...metrics, 'verdict'], ...cells], ['left', 'right', 'right', 'right', 'left']),
    ...failures.map(({ name: failed, seed, message }) => `No result of ${failed}, seed ${seed}: ${withFlags(message)}`),
    `Ordered by ${metric}, where tied and close are less than 5 % behind the best; the report says what a verdict means.`,
    ...(gate ? [`${gateSentence(gate)} It is in ${gate.trained}.`] : []),
    `Written to ${join(out, 'report.html')}, report.md and report.json.`,
  ];
  return `${lines.join('\n')}\n`;
}
