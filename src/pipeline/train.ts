/** From a click log to an artifact folder. */
import {
  type Artifact,
  type CatalogueItem,
  REPLAY_OFFSETS_TENSOR,
  REPLAY_TENSOR,
  type Strategies,
  USERS_TENSOR,
} from '../checkpoint/artifact';
import { sha256 } from '../checkpoint/sha256';
import { run as runOnDevice } from '../compute/executor';
import { RecommenderError } from '../errors';
import { models } from '../models/index';
import { AUTO } from '../models/presets/preset';
import { catalogueOf } from '../ranking/architecture';
import { sessionCount } from '../session/event-log';
import { drawReplay } from '../session/replay';
import type { PartCounts } from '../session/split';
import { SHARDS, whyIndivisible } from '../train/data-parallel';
import { type BestEpoch, type EpochResult, type FitState, Interrupted, type Spent } from '../train/fit';
import { type TrainedModel, trainFromLog } from '../train/train-from-log';
import { trainCommand, UNLICENSED } from './commands';
import { type Auto, checkedConfiguration, configurationFrom, type Settings } from './configuration';
import { defined } from './defined';
import { checkReplaceable, readArtifactFolder } from './files/artifact-folder';
import { startFirst } from './files/backend';
import { readCatalogueFile, warnOfGaps } from './files/catalogue-file';
import { basename, exists, join, remove } from './files/disk';
import { readRulesFile } from './files/rules-file';
import { startThreads, type ThreadOptions } from './files/threads';
import { CHECKPOINT, type RunIdentity, readCheckpoint, writeCheckpoint } from './files/training-checkpoint';
import { peakMemory, software, stopwatch } from './files/usage';
import { whole } from './format';
import { modelCard } from './model-card';
import { inform, startTask, warn } from './observer';
import type { TrainOptions } from './options';
import { countStrategies } from './strategies';
import { fingerprints, type PartsOptions, type TrainingParts, trainingParts } from './training-parts';
import { hasScale, warnOfNoScale, writeModel } from './write-model';

/** Its counts are those of the training part. */
export interface TrainResult extends PartCounts {
  /** The folder. */
  readonly artifact: string;
  /** Which preset `auto` was. */
  readonly auto?: Auto;
  /** Empty for counting baselines. */
  readonly epochs: readonly EpochResult[];
  readonly best?: BestEpoch | undefined;
  readonly scale?: number | undefined;
  /** By the clock and of processor time, those of the runs that were resumed included. */
  readonly seconds: number;
  readonly processorSeconds: number;
  readonly peakMemoryBytes: number;
}

/**
 * Trains a model, or counts, and writes its artifact folder. Writes a checkpoint after every epoch, from which `resume`
 * continues bit for bit.
 *
 * @throws RecommenderError `bad-config`, `bad-input` or `bad-artifact` for what was passed in; `aborted` with a checkpoint
 *   written; `diverged`; `no-backend`; `io` if the disk refuses.
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const { data, read, model, out, seed = 1, holdout = 0, backend = 'auto', signal } = options;
  const taken = stopwatch();
  refuseAutoFrom(options);
  const from = options.from === undefined ? undefined : await readArtifactFolder(options.from);
  const { given: own, preset, auto } = await configurationFrom(options, options);
  const given = { ...settingsOf(from, options), ...own };
  const { isNeural, config, wanted, isRemoved } = await checkedConfiguration(model, given, preset);
  if (!isNeural) refuseNeuralOptions(options);
  await checkReplaceable(out, [CHECKPOINT]);
  await refuseUnfinished(options);
  const threads = await threadsOf(options, config);
  const { catalogue } = options;
  const rules = options.rules === undefined ? undefined : await readRulesFile(options.rules);
  const products = catalogue === undefined ? undefined : await readCatalogueFile(catalogue, read?.columns?.item);
  const valid = isNeural ? (options.valid ?? (options.epochs === undefined ? undefined : 'none')) : 'none';
  const reading = {
    read: { ...read, featuresIfAny: wanted.map(({ name }) => name) },
    holdout,
    ...defined({ valid }),
    ...(from && { known: { itemIds: from.itemIds, support: catalogueOf(from).support! } }),
  };
  const { parts, strategies } = await readParts(data, reading, options);
  if (products) warnOfGaps(products, parts.log.itemIds, catalogue!, options);
  const identity = {
    model,
    seed,
    ...fingerprints(parts),
    ...(wanted.length > 0 && products && { catalogue: await checksumOf(products) }),
    ...config,
    ...(from && { from: from.info.version }),
    ...(threads && { parts: SHARDS }),
  };
  const resume = options.resume ? await readCheckpoint(out, identity, isRemoved) : undefined;
  if (options.restart) await remove(join(out, CHECKPOINT));

  const trained = await runOnDevice(async (slice) => {
    const started = isNeural ? await startFirst(slice, backend, options) : 'cpu';
    const start = { from, resume, taken, ...(threads !== undefined && { threads, backend: started }) };
    return learnParts(options, given, parts, products, start, identity);
  });
  const scale = options.scale ?? trained.scale ?? from?.info.scale;
  if (isNeural && !options.replay && !(await hasScale(model, config, scale))) {
    const why = parts.valid
      ? 'on the validation part it ranks no better than by chance'
      : 'there is no validation part to fit a scale on (`valid` last:10%), and no `scale`';
    warnOfNoScale(why, options);
  }
  await write(
    options,
    { ...trained, ...defined({ scale }) },
    auto,
    parts,
    defined({ catalogue: products, strategies, rules }),
  );
  if (signal?.aborted) inform(options, `The training had ended already: ${out} is written.`);
  const { epochs, best } = trained;
  return {
    artifact: out,
    ...defined({ auto }),
    epochs,
    best,
    scale,
    ...countsOf(parts),
    ...taken(resume?.spent),
    peakMemoryBytes: peakMemory(),
  };
}

type Parts = Omit<TrainingParts, 'whole'>;

/** The parts of the log, and what is counted of all of it, with its newest days: only the counts stay in memory. */
async function readParts(
  data: string,
  reading: PartsOptions,
  options: TrainOptions,
): Promise<{ readonly parts: Parts; readonly strategies: Strategies | undefined }> {
  const { whole, ...parts } = await trainingParts(data, reading, options);
  return { parts, strategies: countStrategies(whole, parts.log.itemIds, options) };
}

/** Refuses to overwrite an interrupted run, which may hold hours of work. */
async function refuseUnfinished({ out, resume, restart }: TrainOptions): Promise<void> {
  const refuse = (message: string): never => {
    throw new RecommenderError('bad-config', message);
  };
  if (resume && restart) {
    refuse('`resume` goes on with the run in `out`, `restart` starts it over: pass one of them.');
  }
  if (resume || restart || !(await exists(join(out, CHECKPOINT)))) return;
  refuse(
    `${out} holds an unfinished training. \`resume\` goes on with it; \`restart\` starts over, and its ${CHECKPOINT} is lost.`,
  );
}

/** On a longer log, `auto` may pick another shape, which the artifact's weights do not fit. */
function refuseAutoFrom({ from, preset }: TrainOptions): void {
  if (from === undefined || preset !== AUTO) return;
  const why = `\`from\` goes on with the settings of ${from}, whichever preset they are from`;
  throw new RecommenderError('bad-config', `${why}: leave \`preset\` ${AUTO} out.`);
}

/** The settings of the artifact to continue from; another architecture is refused before the log is read. */
function settingsOf(from: Artifact | undefined, { model, from: dir }: TrainOptions): Settings {
  if (!from) return {};
  const { architecture, config } = from.info;
  if (architecture === model) return config;
  throw new RecommenderError('bad-config', `${dir} is a ${architecture}, which \`model\` ${model} cannot go on from.`);
}

/** What a training takes over from the artifact that it continues. */
const knownOf = ({ info: { items, features }, tensors }: Artifact) => ({
  items,
  tensors,
  ...(features && { features }),
});

/** Refuses options that mean nothing for a counting baseline. */
function refuseNeuralOptions({ model, epochs, valid, scale, resume, from, replay }: TrainOptions): void {
  const given = {
    from,
    epochs,
    valid: valid === 'none' ? undefined : valid,
    scale,
    resume: resume || undefined,
    replay: replay || undefined,
  };
  const option = Object.entries(given).find(([, value]) => value !== undefined)?.[0];
  if (option)
    throw new RecommenderError(
      'bad-config',
      `\`${option}\` is for networks; ${model} counts the log once. Leave it out.`,
    );
}

const checksumOf = (value: unknown): Promise<string> => sha256(new TextEncoder().encode(JSON.stringify(value)));

/**
 * How many threads share the steps; undefined if steps are not shared.
 *
 * @throws RecommenderError `bad-config` for a backend that threads cannot share.
 */
async function threadsOf(options: TrainOptions, config: Settings): Promise<number | undefined> {
  const { model, threads, backend } = options;
  if (threads === undefined) return undefined;
  if (backend === 'webgpu') {
    throw new RecommenderError('bad-config', '`threads` shares the work of a CPU; a GPU has one queue. Leave it out.');
  }
  const why = Object.hasOwn(models, model)
    ? whyIndivisible(await models[model]!.training(), config)
    : 'it counts the log once';
  if (why === undefined) {
    if (threads > SHARDS) warn(options, `${SHARDS} threads share a step at most, not ${threads}.`);
    return Math.min(threads, SHARDS);
  }
  warn(options, `${model} trains on one thread, whatever \`threads\` says: ${why}.`);
  return undefined;
}

/** What a training starts from, and the threads that share it. */
interface Start {
  readonly from: Artifact | undefined;
  readonly resume: FitState | undefined;
  readonly taken: (earlier?: Spent) => Spent;
  readonly threads?: number;
  readonly backend?: string;
}

/** Learns, reports progress and epochs, and writes checkpoints. */
async function learnParts(
  options: TrainOptions,
  given: Settings,
  { log, valid, validProtocol }: Parts,
  products: readonly CatalogueItem[] | undefined,
  { from, resume, taken, threads, backend }: Start,
  identity: RunIdentity,
): Promise<TrainedModel> {
  const { model, out, seed = 1, epochs, signal = new AbortController().signal } = options;
  let task: ReturnType<typeof startTask> | undefined;
  const checkpoint = (state: FitState) => writeCheckpoint(out, identity, { ...state, spent: taken(resume?.spent) });
  try {
    const shared: ThreadOptions = {
      model,
      config: given,
      seed,
      log,
      columns: log.report.otherColumns,
      itemIds: log.itemIds,
      support: log.support,
      ...defined({ epochs, products, resume, from: from && knownOf(from) }),
    };
    return await trainFromLog({
      ...shared,
      signal,
      ...defined({
        valid,
        validProtocol,
        parallel: threads === undefined ? undefined : startThreads(threads, shared, backend!),
      }),
      onProgress({ epoch, step, steps, loss }, epochs) {
        task ??= startTask(options, { label: `${model}, epoch ${epoch} of ${epochs}`, total: steps, unit: 'steps' });
        task.update(step, `loss ${loss.toFixed(4)}`);
      },
      async onEpoch(epoch, state) {
        task?.finish();
        task = undefined;
        options.onEpoch?.(epoch);
        await checkpoint(await state());
      },
    });
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    await checkpoint(error.state);
    throw new RecommenderError(
      'aborted',
      `Interrupted ${placeOf(error.state)}. ${join(out, CHECKPOINT)} holds everything: the same command with ` +
        '`resume` goes on from there.',
      { cause: error },
    );
  } finally {
    task?.finish();
  }
}

/** Where a training stopped, in words. */
function placeOf({ trainer, epochs, unvalidated }: FitState): string {
  if (unvalidated !== undefined) return `in the validation after epoch ${epochs.length + 1}`;
  if (trainer.stepInEpoch === 0) return `before epoch ${epochs.length + 1}`;
  return `in epoch ${epochs.length + 1} after ${whole(trainer.stepInEpoch)} steps`;
}

const countsOf = ({ log }: Parts): PartCounts => ({
  items: log.itemIds.length,
  sessions: sessionCount(log),
  events: log.sessions.items.length,
});

async function write(
  options: TrainOptions,
  { tensors: trained, epochs, best, ...model }: TrainedModel,
  auto: Auto | undefined,
  parts: Parts,
  further: Pick<Artifact, 'catalogue' | 'strategies' | 'rules'>,
): Promise<void> {
  const { data, out, seed = 1, licence = UNLICENSED } = options;
  const { log, validProtocol = 'events' } = parts;
  const predicted =
    validProtocol === 'events'
      ? 'every event after the first of every validation session'
      : 'the first event of every session that was held out, items of its input left out';
  const training = {
    data: { file: basename(data), ...countsOf(parts) },
    epochs,
    ...defined({ best }),
    protocol: `${predicted}, full ranking, conservative ties`,
    seed,
    ...defined({ auto }),
    command: trainCommand(options),
    software: software(),
  };
  const tensors = { ...trained, ...replayTensors(options, parts) };
  await writeModel(
    out,
    { ...model, itemIds: log.itemIds, tensors, training, licence, ...further },
    (about) => modelCard({ ...about, ...insideOf(tensors) }),
    options,
    [CHECKPOINT],
  );
}

/** Personal data inside, for the model card. */
const insideOf = (tensors: Artifact['tensors']) => ({
  users: tensors[USERS_TENSOR]?.shape[0] ?? 0,
  replayed: (tensors[REPLAY_OFFSETS_TENSOR]?.shape[0] ?? 1) - 1,
});

/** The sessions that travel with the model, if any. */
function replayTensors({ replay = 0, seed = 1 }: TrainOptions, { log }: Parts): Artifact['tensors'] {
  if (replay === 0) return {};
  const { items, offsets } = drawReplay(log.sessions, log.support, replay, seed);
  return {
    [REPLAY_TENSOR]: { data: items, shape: [items.length] },
    [REPLAY_OFFSETS_TENSOR]: { data: offsets, shape: [offsets.length] },
  };
}
