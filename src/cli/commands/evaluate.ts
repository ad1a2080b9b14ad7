import { type Command, InvalidArgumentError } from 'commander';
import { type Artifact, USERS_TENSOR } from '../../checkpoint/artifact';
import { userFinder } from '../../checkpoint/users';
import type { BackendChoice } from '../../engine/engine';
import { catalogueOf, loadScorer } from '../../engine/load-scorer';
import { readClicks } from '../../engine/read-clicks';
import { inTurn } from '../../engine/turns';
import { RecommenderError } from '../../errors';
import { models } from '../../models/index';
import { type ClickLog, type Reindexed, reindex, sessionCount, usersOf } from '../../session/event-log';
import {
  checkProtocol,
  type EvaluateOptions,
  type EvaluateResult,
  evaluate,
  PROTOCOLS,
  type RankRow,
} from '../../train/evaluate';
import { readArtifactFolder } from '../artifact-folder';
import { evaluateRecipe } from '../compare/recipe';
import { parseRetrain, type Retrain } from '../compare/windows';
import { contextOf, printJson } from '../context';
import { readEventsFile, warnOfColumns } from '../events-file';
import { addEventsOptions, type EventsFlags, integer, oneOf, parseList, parseWindow, readOptions } from '../options';
import { createProgress, whole } from '../progress';
import { startFirst } from '../start-backend';
import { checkRanksPath, writeRanks } from '../write-ranks';

interface EvaluateFlags extends EventsFlags {
  readonly artifact: string;
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
    .requiredOption('--artifact <dir>', 'artifact folder')
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
  if (protocol === 'incremental') {
    const artifact = await readArtifactFolder(flags.artifact);
    const { windows, ...result } = await evaluateRecipe(artifact, flags, context);
    if (flags.json) printJson(context, { ...report(flags.artifact, result, result.dropped), windows });
    else context.stdout.write(table(artifact.info.name, result, result.dropped, ks) + windowTable(windows));
    return;
  }
  checkProtocol({ protocol, ...(target && { target }) });
  if (ranks !== undefined) await checkRanksPath(ranks);
  const artifact = await readArtifactFolder(flags.artifact);
  const features = columnsOfClicks(artifact);
  const read = { minLength: 1, minItems: 1, ...readOptions(flags), featuresIfAny: features };
  const log = await readEventsFile(flags.data, read, context);
  warnOfColumns(log, flags.data, features, context);
  const known = reindex(log, artifact.itemIds);
  const sessions = readClicks(artifact, known.log, await userNumbers(artifact, known.log));
  const rows: RankRow[] = [];

  const result = await inTurn(async () => {
    if (Object.hasOwn(models, artifact.info.architecture)) await startFirst(flags.backend, context.stderr);
    const scorer = await loadScorer(artifact);
    const progress = createProgress(context.stderr, {
      label: `Evaluating ${artifact.info.name}`,
      total:
        protocol === 'events' ? known.log.sessions.items.length - sessionCount(known.log) : sessionCount(known.log),
      unit: 'predictions',
    });
    try {
      return await evaluate(scorer, sessions, {
        protocol,
        support: catalogueOf(artifact).support!,
        ks,
        ...(target && { target }),
        ...(seen && { seen }),
        ...(ranks !== undefined && { onRank: (row: RankRow) => rows.push(row) }),
        onProgress: (done) => progress.update(done),
        signal: context.signal,
      });
    } finally {
      scorer.dispose();
      progress.finish();
    }
  });

  if (ranks !== undefined) await writeRanks(ranks, rows, known.log);
  for (const warning of result.warnings) context.stderr.write(`Warning: ${warning}\n`);
  const { dropped } = known;
  if (flags.json) printJson(context, report(flags.artifact, result, dropped));
  else context.stdout.write(table(artifact.info.name, result, dropped, ks));
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

/** Flags that only some protocols know. */
function refuseMixed({ protocol }: EvaluateFlags, command: Command): void {
  const others = protocol === 'incremental' ? ['k', 'seen', 'ranks'] : ['window', 'retrain', 'epochs'];
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

/** The JSON object of `--json`. */
function report(artifact: string, result: EvaluateResult, dropped: Reindexed['dropped']) {
  const { protocol, n, sessions, ties, metrics, seconds } = result;
  const lists = { 'coverage@20': result['coverage@20'], 'popularity@20': result['popularity@20'] };
  return { artifact, protocol, n, sessions, dropped, ties, metrics, ...lists, seconds };
}

function parseCutOffs(text: string): number[] {
  const ks = parseList(text).map(Number);
  if (ks.every((k) => Number.isInteger(k) && k >= 1)) return [...new Set(ks)];
  throw new InvalidArgumentError('Expected whole numbers of 1 or more, such as 1,5,10,20.');
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
