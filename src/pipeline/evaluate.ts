/** How well an artifact, or several together, predict the sessions of a log. */
import { type Artifact, USERS_TENSOR } from '../checkpoint/artifact';
import { run as runOnDevice } from '../compute/executor';
import { runningDevice } from '../compute/running';
import { RecommenderError } from '../errors';
import { catalogueOf, isNeural } from '../ranking/architecture';
import type { Member, Scale } from '../ranking/combine';
import { type Reindexed, reindex, sessionCount, usersOf } from '../session/event-log';
import {
  checkProtocol,
  type EvaluateResult,
  type Exposure,
  type EvaluateOptions as RankingOptions,
  type RankRow,
  evaluate as rankTargets,
} from '../train/evaluate';
import { mixWeights, type WeightResult } from '../train/mix-weights';
import { readClicks, userNumbers } from '../train/read-clicks';
import type { Protocol } from '../train/types';
import type { Sessions } from '../types';
import { type Combination, loadCombination, mixture, readCombination } from './combination';
import { defined } from './defined';
import { badConfig } from './errors';
import { startFirst } from './files/backend';
import { readEventsFile, refuseAmong } from './files/events-file';
import { checkRanksPath, writeRanks } from './files/ranks';
import { startTask, warn } from './observer';
import type { EvaluateOptions, Mix } from './options';
import { columnsOfClicks, warnOfColumns } from './read-events';

/** What was evaluated: one artifact, or a combination of several. */
export interface Evaluated {
  /** Its folder; of a combination, the first one's. */
  readonly artifact: string;
  /** Of several artifacts: what was averaged, and the share of the one that was mixed in. */
  readonly combined?: {
    readonly by: Scale;
    readonly artifacts: readonly string[];
    readonly mix?: { readonly artifact: string; readonly weight?: number };
  };
}

export interface Evaluation extends Evaluated, Omit<EvaluateResult, 'exposure' | 'warnings'> {
  /** What the evaluation left out: events of unknown items, then sessions with fewer than two events. */
  readonly dropped: Reindexed['dropped'];
}

/** What each share of a mixture reaches. */
export interface WeightsEvaluation extends Evaluated {
  readonly protocol: Protocol;
  readonly dropped: Reindexed['dropped'];
  readonly ties: 'conservative';
  readonly weights: readonly WeightResult[];
}

/**
 * Ranks the true next items among all items of the artifact.
 *
 * @returns The model's name, what `--json` prints, and how the lists share the items.
 * @throws RecommenderError `bad-config`, `bad-input` or `bad-artifact` for what was passed in; `no-backend` where none starts, or
 *   where it does not give a golden answer; `not-finite`; `aborted`.
 */
export async function evaluate(
  options: EvaluateOptions,
): Promise<{ readonly name: string; readonly evaluation: Evaluation; readonly exposure?: Exposure }> {
  const { ranks, mix, combine = 'probabilities' } = options;
  const rows: RankRow[] = [];
  const { result, log, name, dropped } = await evaluateOnDevice(options, async (first, second, sessions, ranking) => {
    const scorer = second ? mixture(first, second, mix!.weights[0]!, combine) : first.scorer;
    return rankTargets(scorer, sessions, {
      ...ranking,
      ...(ranks !== undefined && { onRank: (row: RankRow) => rows.push(row) }),
    });
  });
  if (ranks !== undefined) await writeRanks(ranks, rows, log);
  for (const warning of result.warnings) warn(options, warning);
  const { exposure } = result;
  return { name, evaluation: evaluationOf(evaluatedOf(options), dropped, result), ...(exposure && { exposure }) };
}

/** The result with its keys in the order of `--json`. */
export function evaluationOf(
  evaluated: Evaluated,
  dropped: Reindexed['dropped'],
  result: Omit<EvaluateResult, 'exposure' | 'warnings'>,
): Evaluation {
  const { protocol, n, sessions, ties, metrics, seconds } = result;
  const lists = { 'coverage@20': result['coverage@20'], 'popularity@20': result['popularity@20'] };
  return { ...evaluated, protocol, n, sessions, dropped, ties, metrics, ...lists, seconds };
}

/**
 * The same for every share of a mixture, in one pass.
 *
 * @throws RecommenderError as `evaluate`.
 */
export async function evaluateWeights(
  options: EvaluateOptions & { readonly mix: Mix },
): Promise<{ name: string; evaluation: WeightsEvaluation }> {
  const { mix, combine = 'probabilities', protocol = 'events' } = options;
  const { name, dropped, result } = await evaluateOnDevice(options, (first, second, sessions, ranking) =>
    mixWeights(first, second!, mix.weights, combine, sessions, ranking),
  );
  return {
    name,
    evaluation: { ...evaluatedOf(options), protocol, dropped, ties: 'conservative', weights: result },
  };
}

/** Loads artifacts and sessions, and evaluates on a device. */
async function evaluateOnDevice<T>(
  options: EvaluateOptions,
  work: (first: Member, second: Member | undefined, sessions: Sessions, ranking: RankingOptions) => Promise<T>,
) {
  const {
    artifacts,
    mix,
    combine = 'probabilities',
    protocol = 'events',
    target,
    ks,
    seen,
    signal,
    candidates,
  } = options;
  checkProtocol({ protocol, ...defined({ target }) });
  const { ranks } = options;
  if (ranks !== undefined) {
    await refuseAmong([options.data], ranks, { option: 'ranks' });
    await checkRanksPath(ranks);
  }
  const combination = await readCombination(artifacts, mix);
  const { reader } = combination;
  const { log, dropped: unknown } = await readKnown(options, reader);
  const { offsets } = log.sessions;
  const [least, word] = target === 'valid' ? [3, 'three'] : [2, 'two'];
  const short = offsets.filter((end, s) => s > 0 && end - offsets[s - 1]! < least).length;
  const dropped = { ...unknown, sessions: unknown.sessions + short };
  if (short === sessionCount(log)) {
    const message = `${options.data}: no session holds ${word} items of ${artifacts[0]}, expected at least one.`;
    throw new RecommenderError('bad-input', message);
  }
  const userNumber = await userNumbers(reader.tensors, log);
  if (reader.tensors[USERS_TENSOR] && !usersOf(log).some((id) => userNumber(id) !== undefined)) {
    const names = log.userIds ? 'only users whom the model does not know' : 'no users, whom the model reads';
    warn(options, `${options.data} names ${names}: each session counts as of one whom it does not know.`);
  }
  const sessions = readClicks(reader, log, userNumber);
  const name = nameOf(combination, mix);
  const { support } = catalogueOf(combination.artifacts[0]!);
  const excluded = candidates && withoutThose(reader.itemIds, new Set(candidates));
  if (excluded && excluded.size === reader.itemIds.length) {
    badConfig(`candidates: expected ids of items that ${artifacts[0]} knows, got none of them.`);
  }
  const ranking: RankingOptions = { protocol, support: support!, ...defined({ ks, signal, target, seen, excluded }) };
  const all = [...combination.artifacts, ...(combination.mixed ? [combination.mixed] : [])];
  const computes = all.some(({ info }) => isNeural(info.architecture));
  const { backend = 'auto' } = options;
  if (!computes && (backend === 'plan' || backend === 'webgpu')) {
    warn(options, `${name} only counts, whatever \`backend\` says.`);
  }
  const result = await runOnDevice(async (slice) => {
    const started = async () =>
      backend === 'plan' ? slice.start(backend) : runningDevice(await startFirst(slice, backend, options));
    const device = computes ? await started() : undefined;
    const { first, second } = await loadCombination(combination, combine, device);
    const task = startTask(options, {
      label: `Evaluating ${name}`,
      total: protocol === 'events' ? log.sessions.items.length - sessionCount(log) : sessionCount(log),
      unit: 'predictions',
    });
    try {
      return await work(first, second, sessions, { ...ranking, onProgress: (done) => task.update(done) });
    } finally {
      first.scorer.dispose();
      second?.scorer.dispose();
      task.finish();
    }
  });
  return { name, log, dropped, result };
}

/** Indices of the items that are not among the candidates. */
const withoutThose = (itemIds: readonly string[], candidates: ReadonlySet<string>): ReadonlySet<number> =>
  new Set(itemIds.flatMap((id, k) => (candidates.has(id) ? [] : [k + 1])));

/** The sessions of the file in the artifact's items. */
async function readKnown(options: EvaluateOptions, artifact: Artifact): Promise<Reindexed> {
  const { data, read } = options;
  const features = columnsOfClicks(artifact.info.features);
  const log = await readEventsFile(data, { minLength: 1, minItems: 1, ...read, featuresIfAny: features }, options);
  warnOfColumns(log, data, features, options);
  return reindex(log, artifact.itemIds);
}

function nameOf({ artifacts, mixed }: Combination, mix: Mix | undefined): string {
  const names = artifacts.map(({ info }) => info.name);
  const whole = names.length === 1 ? names[0]! : `ensemble of ${names.join(', ')}`;
  if (!mixed) return whole;
  return mix!.weights.length > 1
    ? `${whole} and ${mixed.info.name}`
    : `${whole} and ${mix!.weights[0]} of ${mixed.info.name}`;
}

function evaluatedOf({ artifacts, mix, combine = 'probabilities' }: EvaluateOptions): Evaluated {
  const [artifact, ...others] = artifacts as [string, ...string[]];
  if (others.length === 0 && !mix) return { artifact };
  return {
    artifact,
    combined: {
      by: combine,
      artifacts,
      ...(mix && { mix: { artifact: mix.dir, ...(mix.weights.length === 1 && { weight: mix.weights[0]! }) } }),
    },
  };
}
