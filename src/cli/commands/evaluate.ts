import { type Command, InvalidArgumentError } from 'commander';
import { RecommenderError } from '../../errors';
import { evaluateIncrementally, type IncrementalEvaluation } from '../../pipeline/compare/incremental';
import { parseRetrain, type Retrain } from '../../pipeline/compare/windows';
import { type Evaluation, evaluate, evaluateWeights, type WeightsEvaluation } from '../../pipeline/evaluate';
import { whole } from '../../pipeline/format';
import type { EvaluateOptions } from '../../pipeline/options';
import { SCALES } from '../../ranking/combine';
import { PROTOCOLS } from '../../train/evaluate';
import { contextOf, print } from '../context';
import {
  addEventsOptions,
  backendOption,
  EVENTS_FILES,
  type EventsFlags,
  integer,
  oneOf,
  parseList,
  parseMix,
  parseWindow,
  readOptions,
} from '../options';
import { observeRuns } from '../progress';
import { table } from '../table';

interface EvaluateFlags extends EventsFlags, Omit<EvaluateOptions, 'read' | 'artifacts' | 'ks' | 'signal'> {
  readonly artifact: readonly string[];
  readonly k: readonly number[];
  readonly window?: number;
  readonly retrain?: Retrain;
  readonly epochs?: number;
  readonly json?: boolean;
}

/** `aisle evaluate`: how well an artifact predicts the sessions of an events file. */
export function register(program: Command): void {
  const command = program
    .command('evaluate')
    .description('rank the true next items of an events file among all items of an artifact')
    .requiredOption(
      '--artifact <dir>',
      'artifact folder; several: the ensemble of them, which they are equal parts of',
      parseArtifact,
    )
    .option(
      '--mix <dir:weight>',
      'mix that share of another artifact in; with several weights: what each gives',
      parseMix,
    )
    .option(
      '--combine <scale>',
      'what of several artifacts is averaged: probabilities (softmax; counts over their sum) or standard scores',
      oneOf(...SCALES),
      'probabilities',
    )
    .requiredOption('--data <file>', EVENTS_FILES)
    .option('--protocol <name>', 'events | last-item | leave-one-out | incremental', oneOf(...PROTOCOLS), 'events')
    .option(
      '--target <event>',
      'of last-item and leave-one-out: test, the last event, or valid, the one before; default: test',
      oneOf('valid', 'test'),
    )
    .option('--k <list>', 'cut-offs of the metrics', parseCutOffs, [1, 5, 10, 20])
    .option(
      '--seen <rule>',
      'items of the input: keep or drop them as candidates; default: drop in leave-one-out, else keep',
      oneOf('keep', 'drop'),
    )
    .option('--window <length>', 'of incremental: 1d, 12h, …; default: 1d, the days of UTC', parseWindow)
    .option('--retrain <how>', 'of incremental: all | last:N | before; default: by model', parseRetrain)
    .option('--epochs <n>', 'of incremental: passes over each window of a network; default: 10', integer(1))
    .option(
      '--ranks <file>',
      'write every prediction as TSV: session_id, position of the last event seen, from 0, item_id to be found, its rank, from 1',
    )
    .addOption(backendOption('plan'));
  addEventsOptions(command)
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nEvents of items that the artifact does not know are left out, then sessions with fewer than two events; both are\n' +
        'counted. Every item of the artifact is a candidate. Targets lose ties (conservative); the figures with targets\n' +
        'winning them (standard) are beside.\n' +
        '\nA mean of artifacts is a row of its own, never the figure of one of them. Its weight is chosen on a validation part, by\n' +
        'models that were not trained on it: --mix neighbours:0.1,0.2,0.3 shows all; then one of them on the test part.\n' +
        '\nincremental evaluates how the artifact was trained, not its weights: its settings train again, window by window of\n' +
        '--data, and predict the last item of the sessions of the next window; half of those (--target valid) are left to tune on.\n' +
        '\nExample:\n  $ aisle evaluate --artifact my-model --data parts/test.tsv.gz --k 5,20 --ranks ranks.tsv\n',
    )
    .action(run);
}

async function run(flags: EvaluateFlags, command: Command): Promise<void> {
  const context = contextOf(command);
  refuseMixed(flags, command);
  const { artifact: artifacts, k: ks, mix } = flags;
  const options = { ...flags, artifacts, ks, read: readOptions(flags), ...observeRuns(context) };
  if (flags.protocol === 'incremental') {
    const { name, evaluation } = await evaluateIncrementally(options);
    return print(context, flags, evaluation, () => textOf(name, evaluation, ks) + windowsText(evaluation));
  }
  if (mix && mix.weights.length > 1) {
    const { name, evaluation } = await evaluateWeights({ ...options, mix });
    return print(context, flags, evaluation, () => weightsText(name, evaluation, ks));
  }
  const { name, evaluation } = await evaluate(options);
  print(context, flags, evaluation, () => textOf(name, evaluation, ks));
}

/** Refuses flags that the protocol, or the number of weights, does not support. */
function refuseMixed({ artifact, protocol, mix, ranks }: EvaluateFlags, command: Command): void {
  if (mix && mix.weights.length > 1 && ranks !== undefined) {
    throw new RecommenderError('bad-config', '--ranks needs one weight of --mix, not several to choose from.');
  }
  const others =
    protocol === 'incremental' ? ['k', 'seen', 'ranks', 'mix', 'combine'] : ['window', 'retrain', 'epochs'];
  const isGiven = (name: string) => command.getOptionValueSource(name) === 'cli';
  const flag = others.find(isGiven);
  if (flag === undefined) {
    if (artifact.length > 1 || mix || !isGiven('combine')) return;
    throw new RecommenderError('bad-config', '--combine does not go with one artifact alone. Leave it out.');
  }
  throw new RecommenderError('bad-config', `--${flag} does not go with --protocol ${protocol}. Leave it out.`);
}

/** A parser for `--artifact`, which may be given several times. */
const parseArtifact = (dir: string, before: readonly string[] = []): readonly string[] => [...before, dir];

function parseCutOffs(text: string): number[] {
  const ks = parseList(text).map(Number);
  if (ks.every((k) => Number.isInteger(k) && k >= 1)) return [...new Set(ks)];
  throw new InvalidArgumentError('Expected whole numbers of 1 or more, such as 1,5,10,20.');
}

const METRICS = ['recall', 'mrr', 'ndcg'];
const figure = (value: number | undefined): string => value!.toFixed(4);

const leftOut = ({ events, sessions }: Evaluation['dropped']): string =>
  `Left out: ${whole(events)} events of unknown items, ${whole(sessions)} sessions too short`;

function textOf(name: string, evaluation: Evaluation, ks: readonly number[]): string {
  const { protocol, n, sessions, dropped, metrics, seconds } = evaluation;
  const keys = METRICS.flatMap((metric) => ks.map((k) => `${metric}@${k}`));
  const rows = keys.map((key) => [key, figure(metrics.conservative[key]), figure(metrics.standard[key])]);
  const lists = (['coverage@20', 'popularity@20'] as const).map((key) => [key, figure(evaluation[key])]);
  const lines = [
    `${name}, protocol ${protocol}: ${whole(n)} predictions in ${whole(sessions)} sessions`,
    leftOut(dropped),
    '',
    ...table([['', 'conservative', 'standard'], ...rows], [-12, 14, 14]),
    '',
    ...table([...lists, ['seconds', seconds.toFixed(1)]], [-14, 12]),
  ];
  return `${lines.join('\n')}\n`;
}

/** What each weight reached, with conservative ties. */
function weightsText(name: string, { weights, dropped }: WeightsEvaluation, ks: readonly number[]): string {
  const keys = METRICS.map((metric) => `${metric}@${ks.at(-1)}`);
  const rows = weights.map(({ weight, metrics }) => [`${weight}`, ...keys.map((key) => figure(metrics[key]))]);
  const lines = table([['weight', ...keys], ...rows], [-10, 12, 12, 12]);
  return `${[`${name}, by weight of the second`, leftOut(dropped), '', ...lines].join('\n')}\n`;
}

function windowsText({ windows }: IncrementalEvaluation): string {
  const keys = METRICS.map((metric) => `${metric}@20`);
  const rows = windows.map(({ window, n, metrics: { conservative } }) => [
    window,
    whole(n),
    ...keys.map((key) => figure(conservative[key])),
  ]);
  return `\n${table([['window', 'predictions', ...keys], ...rows], [-18, 12, 12, 12, 12]).join('\n')}\n`;
}
