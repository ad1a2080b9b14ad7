import { type Command, InvalidArgumentError } from 'commander';
import { type Artifact, USERS_TENSOR } from '../../checkpoint/artifact';
import { userFinder } from '../../checkpoint/users';
import { run as runOnDevice } from '../../compute/executor';
import type { BackendChoice } from '../../compute/types';
import { RecommenderError } from '../../errors';
import { models } from '../../models/index';
import { SCALES, type Scale } from '../../ranking/combine';
import { catalogueOf } from '../../ranking/load-scorer';
import { type ClickLog, type Reindexed, reindex, sessionCount, usersOf } from '../../session/event-log';
import {
  checkProtocol,
  type EvaluateOptions,
  type EvaluateResult,
  evaluate,
  PROTOCOLS,
  type RankRow,
} from '../../train/evaluate';
import { mixWeights, type WeightResult } from '../../train/mix-weights';
import { readClicks } from '../../train/read-clicks';
import { readArtifactFolder } from '../artifact-folder';
import { loadParts, type Mix, mixture, type Parts, parseArtifact, parseMix, readParts } from '../combination';
import { evaluateRecipe } from '../compare/recipe';
import { parseRetrain, type Retrain } from '../compare/windows';
import { type Context, contextOf, printJson } from '../context';
import { readEventsFile, warnOfColumns } from '../events-file';
import { addEventsOptions, type EventsFlags, integer, oneOf, parseList, parseWindow, readOptions } from '../options';
import { createProgress, whole } from '../progress';
import { startFirst } from '../start-backend';
import { checkRanksPath, writeRanks } from '../write-ranks';

interface EvaluateFlags extends EventsFlags {
  readonly artifact: readonly string[];
  readonly mix?: Mix;
  readonly combine: Scale;
  readonly data: string;
  readonly protocol: EvaluateOptions['protocol'];
  readonly target?: 'valid' | 'test';
  readonly window?: number;
  readonly retrain?: Retrain;
  readonly epochs?: number;
  readonly k: readonly number[];
  readonly seen?: 'keep' | 'drop';
  readonly ranks?: string;
  readonly backend: BackendChoice;
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
    .requiredOption('--data <file>', 'events file: TSV, CSV, .gz or Parquet')
    .option('--protocol <name>', 'events | last-item | leave-one-out | incremental', oneOf(...PROTOCOLS), 'events')
    .option(
      '--target <event>',
      'of last-item and leave-one-out: test, the last event (default), or valid, the one before',
      oneOf('valid', 'test'),
    )
    .option('--k <list>', 'cut-offs of the metrics', parseCutOffs, [1, 5, 10, 20])
    .option(
      '--seen <rule>',
      'items of the input: keep or drop them as candidates; default: drop in leave-one-out, else keep',
      oneOf('keep', 'drop'),
    )
    .option('--window <length>', 'of incremental: 1d, 12h, …; default: 1d, the days of UTC', parseWindow)
    .option('--retrain <how>', 'of incremental: all | last:N | before; default by model', parseRetrain)
    .option('--epochs <n>', 'of incremental: passes over each window of a network; default: 10', integer(1))
    .option('--ranks <file>', 'write session_id, position, item_id, rank of every prediction as TSV')
    .option('--backend <name>', 'auto | wasm | cpu | webgpu', oneOf('auto', 'wasm', 'cpu', 'webgpu'), 'auto');
  addEventsOptions(command)
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nEvents of items that the artifact does not know are left out, then sessions with fewer than two events; both are\n' +
        'counted. Every item of the artifact is a candidate. Targets lose ties (conservative); the figures with targets\n' +
        'winning them (standard) stand beside.\n' +
        '\nA mean of artifacts is a row of its own, never the figure of one of them. Its weight is chosen on a validation part, by\n' +
        'models that have not learnt from it: --mix neighbours:0.1,0.2,0.3 shows all; then one of them on the test part.\n' +
        '\nincremental evaluates how the artifact was trained, not its weights: its settings learn anew, window by window of\n' +
        '--data, and predict the last item of the sessions of the next window; half of those (--target valid) are left to tune on.\n' +
        '\nExample:\n  $ aisle evaluate --artifact my-model --data parts/test.tsv.gz --k 5,20 --ranks ranks.tsv\n',
    )
    .action(run);
}

async function run(flags: EvaluateFlags, command: Command): Promise<void> {
  const context = contextOf(command);
  const { protocol, target, seen, k: ks, ranks } = flags;
  refuseMixed(flags, command);
  const [dir] = flags.artifact as [string];
  if (protocol === 'incremental') {
    const artifact = await readArtifactFolder(dir);
    const { windows, ...result } = await evaluateRecipe(artifact, flags, context);
    if (flags.json) printJson(context, { ...report(flags, result, result.dropped), windows });
    else context.stdout.write(table(artifact.info.name, result, result.dropped, ks) + windowTable(windows));
    return;
  }
  checkProtocol({ protocol, ...(target && { target }) });
  if (ranks !== undefined) await checkRanksPath(ranks);
  const parts = await readParts(flags.artifact, flags.mix);
  const name = nameOf(parts, flags.mix);
  const { log, dropped } = await readKnown(flags, parts.reader, context);
  const sessions = readClicks(parts.reader, log, await userNumbers(parts.reader, log));
  const rows: RankRow[] = [];
  const options: EvaluateOptions = {
    ...{ protocol, ks, signal: context.signal, support: catalogueOf(parts.artifacts[0]!).support! },
    ...(target && { target }),
    ...(seen && { seen }),
    ...(ranks !== undefined && { onRank: (row: RankRow) => rows.push(row) }),
  };

  const result = await runOnDevice(async (slice) => {
    const all = [...parts.artifacts, ...(parts.mixed ? [parts.mixed] : [])];
    if (all.some(({ info }) => Object.hasOwn(models, info.architecture)))
      await startFirst(slice, flags.backend, context.stderr);
    const { first, second } = await loadParts(parts, flags.combine);
    const progress = createProgress(context.stderr, {
      label: `Evaluating ${name}`,
      total: protocol === 'events' ? log.sessions.items.length - sessionCount(log) : sessionCount(log),
      unit: 'predictions',
    });
    const watched = { ...options, onProgress: (done: number) => progress.update(done) };
    try {
      const { weights } = flags.mix ?? { weights: [] };
      if (second && weights.length > 1)
        return await mixWeights(first, second, weights, flags.combine, sessions, watched);
      const scorer = second ? mixture(first, second, weights[0]!, flags.combine) : first.scorer;
      return await evaluate(scorer, sessions, watched);
    } finally {
      first.scorer.dispose();
      second?.scorer.dispose();
      progress.finish();
    }
  });

  if (isList(result)) {
    if (flags.json)
      printJson(context, { ...combinationOf(flags), protocol, dropped, ties: 'conservative', weights: result });
    else context.stdout.write(weightTable(name, result, ks));
    return;
  }
  if (ranks !== undefined) await writeRanks(ranks, rows, log);
  for (const warning of result.warnings) context.stderr.write(`Warning: ${warning}\n`);
  if (flags.json) printJson(context, report(flags, result, dropped));
  else context.stdout.write(table(name, result, dropped, ks));
}

const isList = (result: EvaluateResult | readonly WeightResult[]): result is readonly WeightResult[] =>
  Array.isArray(result);

/** The sessions of the file in the artifact's items. */
async function readKnown(flags: EvaluateFlags, artifact: Artifact, context: Context): Promise<Reindexed> {
  const features = columnsOfClicks(artifact);
  const read = { minLength: 1, minItems: 1, ...readOptions(flags), featuresIfAny: features };
  const log = await readEventsFile(flags.data, read, context);
  warnOfColumns(log, flags.data, features, context);
  return reindex(log, artifact.itemIds);
}

function nameOf({ artifacts, mixed }: Parts, mix: Mix | undefined): string {
  const names = artifacts.map(({ info }) => info.name);
  const whole = names.length === 1 ? names[0]! : `ensemble of ${names.join(', ')}`;
  if (!mixed) return whole;
  return mix!.weights.length > 1
    ? `${whole} and ${mixed.info.name}`
    : `${whole} and ${mix!.weights[0]} of ${mixed.info.name}`;
}

/** Columns of a log that the model reads of clicks. */
const columnsOfClicks = ({ info }: Artifact): string[] =>
  Object.entries(info.features ?? {}).flatMap(([name, { kind }]) => (kind === 'age' ? [] : [name]));

/** The numbers that the model has for the users of a log. */
async function userNumbers({ tensors }: Artifact, log: ClickLog): Promise<(id: string) => number | undefined> {
  const find = userFinder(tensors[USERS_TENSOR]);
  const numbers = new Map<string, number | undefined>();
  for (const id of usersOf(log)) numbers.set(id, await find(id));
  return (id) => numbers.get(id);
}

/** Flags that only some protocols know, or one artifact. */
function refuseMixed({ protocol, artifact, mix, ranks }: EvaluateFlags, command: Command): void {
  if (mix && mix.weights.length > 1 && ranks !== undefined) {
    throw new RecommenderError('bad-config', '--ranks needs one weight of --mix, not several to choose from.');
  }
  if (protocol === 'incremental' && artifact.length > 1) {
    throw new RecommenderError('bad-config', '--protocol incremental trains one artifact anew, not several. Name one.');
  }
  const others =
    protocol === 'incremental' ? ['k', 'seen', 'ranks', 'mix', 'combine'] : ['window', 'retrain', 'epochs'];
  const flag = others.find((name) => command.getOptionValueSource(name) === 'cli');
  if (flag === undefined) return;
  throw new RecommenderError('bad-config', `--${flag} does not go with --protocol ${protocol}. Leave it out.`);
}

function windowTable(windows: Awaited<ReturnType<typeof evaluateRecipe>>['windows']): string {
  const metrics = ['recall@20', 'mrr@20', 'ndcg@20'];
  const rows = windows.map(
    ({ window, n, metrics: { conservative } }) =>
      window.padEnd(18) +
      whole(n).padStart(12) +
      metrics.map((metric) => conservative[metric]!.toFixed(4).padStart(12)).join(''),
  );
  const head = `${'window'.padEnd(18)}${'predictions'.padStart(12)}${metrics.map((metric) => metric.padStart(12)).join('')}`;
  return `\n${[head, ...rows].join('\n')}\n`;
}

/** What was evaluated: one artifact, or how several were put together. */
function combinationOf({ artifact: [artifact, ...others], mix, combine }: EvaluateFlags) {
  if (others.length === 0 && !mix) return { artifact };
  return {
    artifact,
    combined: {
      ...{ by: combine, artifacts: [artifact, ...others] },
      ...(mix && { mix: { artifact: mix.dir, ...(mix.weights.length === 1 && { weight: mix.weights[0] }) } }),
    },
  };
}

/** The JSON object of `--json`. */
function report(flags: EvaluateFlags, result: EvaluateResult, dropped: Reindexed['dropped']) {
  const { protocol, n, sessions, ties, metrics, seconds } = result;
  const lists = { 'coverage@20': result['coverage@20'], 'popularity@20': result['popularity@20'] };
  return { ...combinationOf(flags), protocol, n, sessions, dropped, ties, metrics, ...lists, seconds };
}

function parseCutOffs(text: string): number[] {
  const ks = parseList(text).map(Number);
  if (ks.every((k) => Number.isInteger(k) && k >= 1)) return [...new Set(ks)];
  throw new InvalidArgumentError('Expected whole numbers of 1 or more, such as 1,5,10,20.');
}

/** What each weight reached, targets losing ties. */
function weightTable(name: string, results: readonly WeightResult[], ks: readonly number[]): string {
  const names = ['recall', 'mrr', 'ndcg'].map((metric) => `${metric}@${ks.at(-1)}`);
  const line = (first: string, cells: readonly string[]) =>
    first.padEnd(10) + cells.map((cell) => cell.padStart(12)).join('');
  const rows = results.map(({ weight, metrics }) =>
    line(
      `${weight}`,
      names.map((metric) => metrics[metric]!.toFixed(4)),
    ),
  );
  return `${[`${name}, by weight of the second`, '', line('weight', names), ...rows].join('\n')}\n`;
}

function table(name: string, result: EvaluateResult, dropped: Reindexed['dropped'], ks: readonly number[]): string {
  const { conservative, standard } = result.metrics;
  const lines = [
    `${name}, protocol ${result.protocol}: ${whole(result.n)} predictions in ${whole(result.sessions)} sessions`,
    `Left out: ${whole(dropped.events)} events of unknown items, ${whole(dropped.sessions)} sessions too short`,
    '',
    `${''.padEnd(12)}${['conservative', 'standard'].map((title) => title.padStart(14)).join('')}`,
  ];
  for (const metric of ['recall', 'mrr', 'ndcg']) {
    for (const k of ks) {
      const key = `${metric}@${k}`;
      const cells = [conservative[key]!, standard[key]!].map((value) => value.toFixed(4).padStart(14));
      lines.push(key.padEnd(12) + cells.join(''));
    }
  }
  lines.push(
    '',
    `${'coverage@20'.padEnd(14)}${result['coverage@20'].toFixed(4).padStart(12)}`,
    `${'popularity@20'.padEnd(14)}${result['popularity@20'].toFixed(4).padStart(12)}`,
    `${'seconds'.padEnd(14)}${result.seconds.toFixed(1).padStart(12)}`,
  );
  return `${lines.join('\n')}\n`;
}
