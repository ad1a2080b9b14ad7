/** From a click log to an artifact, wherever the files are: imports nothing of Node. */
import { abortable } from '../abort';
import {
  type Artifact,
  type CatalogueItem,
  REPLAY_OFFSETS_TENSOR,
  REPLAY_TENSOR,
  type Strategies,
} from '../checkpoint/artifact';
import { checkFeatures } from '../checkpoint/manifest-features';
import { sha256 } from '../checkpoint/sha256';
import { run as runOnDevice } from '../compute/executor';
import type { BackendName } from '../compute/types';
import { RecommenderError, reasonOf } from '../errors';
import { models } from '../models/index';
import { hasPresets } from '../models/presets';
import { AUTO } from '../models/presets/preset';
import type { TrainingPlan } from '../models/training';
import { catalogueOf } from '../ranking/architecture';
import { type EventLog, sessionCount } from '../session/event-log';
import { drawReplay } from '../session/replay';
import { sampleSessions } from '../session/sample';
import type { PartCounts } from '../session/split';
import { type Layout, SHARDS } from '../train/data-parallel';
import { type BestEpoch, type EpochResult, type FitState, Interrupted, type Spent } from '../train/fit';
import { configurationOf, layoutOf, type TrainedModel, trainFromLog } from '../train/train-from-log';
import type { Progress } from '../train/trainer';
import { buildModel, hasScale, warnOfNoScale } from './build-model';
import { warnOfGaps } from './catalogue/read-catalogue';
import { trainCommand, trainFlags, UNLICENSED } from './commands';
import { type Auto, checkedConfiguration, configurationFrom, type Settings } from './configuration';
import { defined } from './defined';
import { isAborted } from './errors';
import { baseName, plural, whole } from './format';
import type { TrainingHost } from './host';
import { insideOf, modelCard } from './model-card';
import { inform, startTask, type TrainingEpoch, warn } from './observer';
import type { TrainOptions } from './options';
import { readRules } from './rules';
import { countStrategies } from './strategies';
import { MOST_STATE_BYTES, mostStates, stateBytes, threadsOf } from './thread-use';
import { shareSteps, type ThreadOptions, type TrainingBeside, trainBeside } from './threads';
import {
  type Checkpoint,
  decodeCheckpoint,
  encodeCheckpoint,
  type RunIdentity,
  refuseOtherBackend,
} from './training-checkpoint';
import {
  hasEpoch,
  refuseContradictions,
  refuseLostUsers,
  refuseNeuralOptions,
  refuseNothingToKeep,
  warnOfFew,
} from './training-checks';
import {
  DEFAULT_RULE,
  fingerprint,
  fingerprints,
  isFile,
  type PartsOptions,
  type TrainingParts,
  trainingParts,
} from './training-parts';
import { trainingReport } from './training-report';
import { type Baseline, measure, type ValidatedParts, type Validation } from './validation';

/** A training on everything, for as many epochs as the validation part has chosen. */
export interface Refit extends Omit<PartCounts, 'sessions'> {
  readonly epochs: number;
  readonly seconds: number;
}

/** Its counts are those of the training part. */
export interface TrainResult extends PartCounts {
  /** The folder. */
  readonly artifact: string;
  /** Which preset `auto` was. */
  readonly auto?: Auto;
  /** Empty for counting baselines. */
  readonly epochs: readonly EpochResult[];
  /** The epoch that the validation chose, if there was one. */
  readonly best?: BestEpoch | undefined;
  /** What turns scores into logits; absent where nothing fits. */
  readonly scale?: number | undefined;
  /** Of quick counting models the best one on the validation part, and what it reaches there. */
  readonly baseline?: Baseline;
  /** The training whose weights the artifact has, after the one that `epochs` and `best` are of. */
  readonly refit: Refit | false;
  /** Where training was interrupted, if the best epoch so far was written instead of training on. */
  readonly interrupted?: string;
  /** By the clock, without the comparison with counting models; runs that were resumed included. */
  readonly seconds: number;
  /** The same of processor time. */
  readonly processorSeconds: number;
  /** The most that the process has held. */
  readonly peakMemoryBytes: number;
}

/** What a training has done, and what a page goes on to show. */
export interface Trained {
  readonly result: TrainResult;
  /** By the training part. */
  readonly trained: TrainedModel;
  readonly parts: Splits;
  readonly validation?: Validation;
}

/**
 * Trains a model, or counts, and writes its artifact. Writes a checkpoint after every epoch, from which `resume` continues bit
 * for bit.
 *
 * @param compares Whether counting models are measured beside a network.
 * @throws RecommenderError `bad-config`, `bad-input` or `bad-artifact` for what was passed in; `aborted` with a checkpoint
 *   written; `diverged`; `no-backend`; `io` if the host cannot write.
 */
export async function trainOn(host: TrainingHost, options: TrainOptions, compares: boolean): Promise<Trained> {
  const { data, read, model, out, seed = 1, holdout = 0, backend = 'auto', signal } = options;
  const { catalogue, keepBest = false, sampleSessions: share = 1 } = options;
  const taken = host.stopwatch();
  refuseContradictions(options);
  await host.check(options);
  const from = options.from === undefined ? undefined : await host.readArtifact(options.from);
  if (from?.info.mix)
    inform(
      options,
      `\`from\`: what it counts by ${from.info.mix.architecture} is left out; mix it in again with aisle pack --mix.`,
    );
  const select = (log: EventLog): EventLog => (share < 1 ? sampleSessions(log, share, seed) : log);
  const {
    given: own,
    preset,
    auto,
  } = await configurationFrom(
    { ...options, ...defined({ preset: options.preset ?? usualPreset(options) }) },
    host,
    options,
    select,
  );
  const given = { ...settingsOf(from, options), ...own };
  const { isNeural, config, wanted, isRemoved } = await checkedConfiguration(model, given, preset);
  if (!isNeural) refuseNeuralOptions(options);
  const rules = options.rules === undefined ? undefined : await readRules(options.rules, host);
  const products = catalogue === undefined ? undefined : await host.readCatalogue(catalogue, read?.columns?.item);
  // A part that is left out where the log is too small for it cannot choose the epochs of a `refit` that was asked for.
  const usual = options.refit === 'yes' ? DEFAULT_RULE : undefined;
  const valid = isNeural ? (options.valid ?? (options.epochs === undefined ? usual : 'none')) : 'none';
  if (valid === 'none' && options.refit === 'yes') {
    const why =
      '`refit` yes trains again on everything after a validation part has chosen the epochs, and there is none';
    const advice = options.valid === undefined ? 'add `valid` last:10%, or drop `epochs`' : 'make `valid` last:10%';
    throw new RecommenderError('bad-config', `${why}: ${advice}.`);
  }
  const reading = {
    read: { ...read, featuresIfAny: wanted.map(({ name }) => name) },
    holdout,
    select,
    ...defined({ valid }),
    ...(from && { known: { itemIds: from.itemIds, support: catalogueOf(from).support! } }),
  };
  const { parts, everything, joined, strategies } = await readParts(host, data, reading, options);
  const final = everything ?? parts.log;
  if (everything) await refuseLostUsers(options, config, parts.log, everything);
  let sizes: Promise<Layout> | undefined;
  const layout = () => {
    sizes ??= layoutOf(passOn(final, { model, config: given, seed, ...defined({ products, from }) }));
    return sizes;
  };
  const events = final.sessions.items.length;
  const checkBeside = async (plan: TrainingPlan): Promise<void> => {
    const kept = stateBytes(plan, await layout());
    if (kept > MOST_STATE_BYTES) throw new RangeError(`A second one would keep ${whole(kept / 1e6)} MB of states.`);
    host.checkMemory?.(model, await layout(), events, 2, kept);
  };
  const { steps: threads, beside } = await threadsOf(options, config, everything && checkBeside);
  warnOfFew(final, data, options);
  if (products) warnOfGaps(products, final.itemIds, catalogue!, options);
  const identity = {
    model,
    seed,
    ...fingerprints(parts),
    ...defined({ everything: joined }),
    ...(wanted.length > 0 && products && { catalogue: await checksumOf(products) }),
    ...config,
    // They decide on schedules and on the latest epochs.
    ...defined({ epochs: options.epochs }),
    ...(from && { from: from.info.version }),
    ...(threads && { parts: SHARDS }),
  };
  const notes: string[] = [];
  const resume = options.resume
    ? decodeCheckpoint(
        host.createHash,
        await host.readCheckpoint(out),
        host.checkpointOf(out),
        identity,
        isRemoved,
        trainFlags(options),
        (text) => notes.push(text),
      )
    : undefined;
  if (keepBest) refuseNothingToKeep(resume!, out);
  else if (resume) refuseOtherBackend(host.checkpointOf(out), resume, backend);
  if (isNeural && host.checkMemory) {
    // The last training has the most items and events: it must not be refused once the first has ended.
    host.checkMemory(model, await layout(), events, threads ?? 1);
  }
  for (const text of notes) inform(options, text);
  if (options.restart) await host.removeCheckpoint(out);

  const clock = { taken, spent: resume?.spent };
  const run = { host, options, compares, given, products, identity, from, clock, beside, ...defined({ threads }) };
  const { trained, validation, refitted } = await runOnDevice(async (slice) => {
    const asked = backend === 'auto' ? (resume?.backend ?? backend) : backend;
    const started = isNeural ? await host.startBackend(slice, asked, options) : 'cpu';
    return trainValidateRefit({ ...run, backend: started }, parts, resume, everything);
  });
  const scale = options.scale ?? trained.scale ?? from?.info.scale;
  if (isNeural && !options.replay && !(await hasScale(model, config, scale))) {
    const why = parts.valid
      ? 'on the validation part it ranks no better than by chance'
      : 'there is no validation part to fit a scale on (`valid` last:10%), and no `scale`';
    warnOfNoScale(why, options);
  }
  const { epochs, best } = trained;
  const refit: Refit | false = refitted ? refitOf(refitted, final) : false;
  const interrupted = keepBest ? placeOf(resume!) : undefined;
  const facts = { epochs, ...defined({ best, baseline: validation?.baseline, interrupted }), refit };
  await write(
    host,
    options,
    { ...(refitted ?? trained), ...defined({ scale }) },
    { ...facts, refitEpochs: refitted?.epochs ?? [], ...defined({ auto, validation }) },
    { ...parts, log: final },
    defined({ catalogue: products, strategies, rules }),
  );
  if (signal?.aborted) inform(options, `The training had ended already: ${out} is written.`);
  const result = {
    artifact: out,
    ...defined({ auto }),
    ...facts,
    best,
    scale,
    ...countsOf(parts.log),
    ...clock.taken(clock.spent),
    peakMemoryBytes: host.peakMemory(),
  };
  return { result, trained, parts, ...defined({ validation }) };
}

/** The log chooses the preset, unless the settings are those of an artifact, or the model has no presets. */
const usualPreset = ({ model, from }: TrainOptions): string | undefined =>
  from === undefined && hasPresets(model) ? AUTO : undefined;

export type Splits = Omit<TrainingParts, 'whole' | 'everything'>;

/** The parts of the log, and what is counted of all of it, with its newest days: only the counts stay in memory. */
async function readParts(
  { readLog }: TrainingHost,
  data: string,
  reading: Omit<PartsOptions, 'readLog'>,
  options: TrainOptions,
): Promise<{
  readonly parts: Splits;
  /** Where the training is to be repeated on it. */
  readonly everything?: EventLog;
  /** What identifies the parts together. */
  readonly joined?: string;
  readonly strategies: Strategies | undefined;
}> {
  const { whole: all, everything: join, ...parts } = await trainingParts(data, { ...reading, readLog }, options);
  const { sampleSessions: share = 1, seed = 1 } = options;
  if (share < 1) {
    inform(options, `\`sampleSessions\` ${share}: ${whole(sessionCount(all))} sessions, drawn by \`seed\` ${seed}.`);
  }
  const joined = join?.();
  const everything = options.refit === 'no' || options.keepBest ? undefined : joined;
  // What a validation file has is newer than the log, and learnt only with `everything`.
  const counted = (isFile(options.valid ?? 'none') && everything) || all;
  const strategies = countStrategies(counted, (everything ?? parts.log).itemIds, options);
  return { parts, ...defined({ everything, joined: joined && fingerprint(joined) }), strategies };
}

const refitOf = ({ epochs }: TrainedModel, log: EventLog): Refit => ({
  epochs: epochs.length,
  events: log.sessions.items.length,
  items: log.itemIds.length,
  seconds: epochs.reduce((sum, { seconds }) => sum + seconds, 0),
});

/** The settings of the artifact to continue from; another architecture is refused before the log is read. */
function settingsOf(from: Artifact | undefined, { model, from: dir }: TrainOptions): Settings {
  if (!from) return {};
  const { architecture, config } = from.info;
  if (architecture === model) return config;
  throw new RecommenderError('bad-config', `${dir} is a ${architecture}, which \`model\` ${model} cannot go on from.`);
}

/** What a training takes over from the artifact that it continues. */
const knownOf = ({ info: { items, features, training }, tensors }: Artifact) => ({
  items,
  tensors,
  ...(features && { features }),
  itemFeatures: checkFeatures(training['itemFeatures'] ?? {}),
});

const checksumOf = (value: unknown): Promise<string> => sha256(new TextEncoder().encode(JSON.stringify(value)));

/** It stands still while counting models are compared, unless another thread trains meanwhile. */
interface Clock {
  taken: (earlier?: Spent) => Spent;
  /** What was taken before `taken` began to count. */
  spent: Spent | undefined;
}

/** What all trainings of a run share. */
interface Run {
  readonly host: TrainingHost;
  readonly options: TrainOptions;
  /** Whether counting models are measured beside the network. */
  readonly compares: boolean;
  readonly given: Settings;
  readonly products: readonly CatalogueItem[] | undefined;
  readonly identity: RunIdentity;
  readonly from: Artifact | undefined;
  readonly clock: Clock;
  readonly threads?: number;
  /** Whether a second thread trains on everything meanwhile. */
  readonly beside: boolean;
  readonly backend: BackendName;
}

interface TrainedPasses {
  /** By the training part. */
  readonly trained: TrainedModel;
  readonly validation?: Validation;
  /** By everything. */
  readonly refitted?: TrainedModel;
}

/** Trains on the training part, measures the model on the validation part, and trains again on everything. */
async function trainValidateRefit(
  run: Run,
  parts: Splits,
  resume: Checkpoint | undefined,
  everything: EventLog | undefined,
): Promise<TrainedPasses> {
  const { host, options, compares, clock } = run;
  const { validated, ...state } = resume ?? {};
  const add = await logOf(host, options, resume);
  const kept = options.keepBest && { epochs: resume!.epochs.length };
  const beside = run.beside && everything && !validated ? await startBeside(run, everything) : undefined;
  if (resume?.best) beside?.forgetBefore(resume.best.epoch.epoch);
  try {
    const onBest = beside?.forgetBefore;
    const trained = validated ?? (await trainPass(run, { ...parts, ...kept, add, ...defined({ onBest }) }, resume));
    const { valid, unknownBefore } = parts;
    if (!valid || !unknownBefore) return { trained };
    beside?.endAfter(trained.best!.epoch);
    if (!beside) clock.spent = clock.taken(clock.spent);
    const validation = compares
      ? await compared(host, trained, { ...parts, valid, unknownBefore }, options)
      : undefined;
    if (!beside) clock.taken = host.stopwatch();
    const measured = { trained, ...defined({ validation }) };
    if (!everything) return measured;
    const { epoch } = trained.best!;
    const { sessions, items } = countsOf(everything);
    inform(
      options,
      `Training again on everything, ${whole(sessions)} sessions of ${whole(items)} items, for ${plural(epoch, 'epoch')}.`,
    );
    const again = { log: everything, epochs: epoch, validated: trained, add };
    const begun = beside ? await follow(run, beside, again) : validated && (state as FitState);
    const refitted = await trainPass(run, again, begun);
    return { ...measured, refitted };
  } finally {
    beside?.end();
  }
}

/** A training on everything that has begun before it is known how long it is; undefined where its thread cannot start. */
async function startBeside(
  { host, options, given, products, from, backend }: Run,
  everything: EventLog,
): Promise<TrainingBeside | undefined> {
  const { model, seed = 1, epochs } = options;
  const task = passOn(everything, { model, config: given, seed, ...defined({ epochs, products, from }) });
  const { config } = await configurationOf(model, given);
  const { patience } = (await models[model]!.training()).plan(config);
  try {
    const beside = trainBeside(host.openThread, { options: task, backend }, mostStates(patience));
    inform(options, `A second thread trains ${model} on everything, beside the training that chooses its epochs.`);
    return beside;
  } catch (error) {
    warn(options, `The trainings go on one after the other: ${reasonOf(error)}`);
    return undefined;
  }
}

/** Reports and checkpoints the epochs of a training beside. @returns The state after the last that is wanted, or that it has reached. */
async function follow(run: Run, beside: TrainingBeside, pass: TrainingPass): Promise<FitState | undefined> {
  const { options } = run;
  const { epochs = 0, add } = pass;
  const tasks = epochTasks(options, pass);
  beside.onProgress = (progress) => progress.epoch <= epochs && tasks.update(progress, epochs);
  let state: FitState | undefined;
  try {
    for (let known = 0; known < epochs; known = state.epochs.length) {
      const next = await abortable(beside.after(epochs, known), options.signal).catch((error: unknown) => {
        // What was interrupted is told by the training that goes on from here, and ends at once.
        if (!isAborted(error)) warn(options, `The training on everything goes on on this thread. ${reasonOf(error)}`);
      });
      if (!next) break;
      state = next;
      for (const one of state.epochs.slice(known).map(ofRefit)) {
        options.onEpoch?.(one);
        await add(one);
      }
      tasks.finish();
      await writeCheckpoint(run, state, pass);
    }
  } finally {
    tasks.finish();
  }
  return state;
}

/** The comparison with counting models; a failure of it costs no training. */
async function compared(
  host: TrainingHost,
  trained: TrainedModel,
  parts: ValidatedParts,
  options: TrainOptions,
): Promise<Validation | undefined> {
  try {
    return await measure(trained, parts, options);
  } catch (error) {
    if (isAborted(error)) throw interruption('in the comparison with counting models', true, host, options, error);
    warn(options, `the comparison with counting models failed, so card and report are without it: ${reasonOf(error)}`);
    return undefined;
  }
}

/** Adds an epoch to the file of `log`, if there is one. */
async function logOf(
  host: TrainingHost,
  { log }: TrainOptions,
  { epochs, validated }: Partial<Checkpoint> = {},
): Promise<(epoch: TrainingEpoch) => Promise<void>> {
  if (log === undefined) return async () => {};
  const done = validated ? [...validated.epochs, ...(epochs ?? []).map(ofRefit)] : (epochs ?? []);
  return host.startLog(log, done);
}

const ofRefit = (epoch: EpochResult): TrainingEpoch => ({ ...epoch, refit: true });

/** A training on a log, as every thread of it knows it. */
export function passOn(
  log: EventLog,
  {
    from,
    ...options
  }: Pick<ThreadOptions, 'model' | 'config' | 'seed' | 'epochs' | 'products' | 'resume'> & {
    readonly from?: Artifact;
  },
): ThreadOptions {
  const { itemIds, support, report } = log;
  return { ...options, log, columns: report.otherColumns, itemIds, support, ...(from && { from: knownOf(from) }) };
}

/** One of the trainings of a run. */
interface TrainingPass extends Pick<TrainingParts, 'log' | 'valid' | 'validProtocol'> {
  /** Default: as the options have it. */
  readonly epochs?: number;
  /** The model whose epochs this training repeats on everything. */
  readonly validated?: TrainedModel;
  readonly add: (epoch: TrainingEpoch) => Promise<void>;
  /** Called after each epoch with the best so far. */
  readonly onBest?: (epoch: number) => void;
}

const writeCheckpoint = (run: Run, state: FitState, { validated }: TrainingPass) => {
  const { host, options, identity, clock, backend } = run;
  const whole = { ...state, spent: clock.taken(clock.spent), backend, ...defined({ validated }) };
  return host.writeCheckpoint(options.out, encodeCheckpoint(host.createHash, identity, whole, trainFlags(options)));
};

/** Reports the progress of each epoch as a task. */
function epochTasks(options: TrainOptions, { validated }: TrainingPass) {
  let task: ReturnType<typeof startTask> | undefined;
  return {
    update({ epoch, step, steps, loss }: Progress, epochs: number): void {
      const label = `${options.model}, ${validated ? 'refit ' : ''}epoch ${epoch} of ${epochs}`;
      task ??= startTask(options, { label, total: steps, unit: 'steps', part: [epoch, epochs] });
      task.update(step, `loss ${loss.toFixed(4)}`);
    },
    finish(): void {
      task?.finish();
      task = undefined;
    },
  };
}

/** Learns, reports progress and epochs, and writes checkpoints. */
async function trainPass(run: Run, pass: TrainingPass, resume: FitState | undefined): Promise<TrainedModel> {
  const { host, options, given, products, from, threads, backend } = run;
  const { log, valid, validProtocol, epochs = options.epochs, validated, add } = pass;
  const { model, seed = 1, signal = new AbortController().signal } = options;
  const tasks = epochTasks(options, pass);
  try {
    const shared = passOn(log, { model, config: given, seed, ...defined({ epochs, products, resume, from }) });
    return await trainFromLog({
      ...shared,
      signal,
      ...defined({ valid, validProtocol }),
      async parallel(layout) {
        return threads === undefined
          ? undefined
          : shareSteps(host.openThread, { options: shared, backend, threads, layout });
      },
      onProgress: tasks.update,
      async onEpoch(result, state) {
        tasks.finish();
        const epoch = validated ? ofRefit(result) : result;
        options.onEpoch?.(epoch);
        await add(epoch);
        const fit = await state();
        if (fit.best) pass.onBest?.(fit.best.epoch.epoch);
        await writeCheckpoint(run, fit, pass);
      },
    });
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    await writeCheckpoint(run, error.state, pass);
    const state = { ...error.state, ...defined({ validated }) };
    throw interruption(placeOf(state), hasEpoch(state), host, options, error);
  } finally {
    tasks.finish();
  }
}

const interruption = (
  where: string,
  canKeep: boolean,
  { checkpointOf }: TrainingHost,
  { out }: TrainOptions,
  cause: unknown,
): RecommenderError =>
  new RecommenderError(
    'aborted',
    `Interrupted ${where}. ${checkpointOf(out)} holds everything: the same command with \`resume\` goes on from there` +
      `${canKeep ? '; with `resume` and `keepBest` it writes the best epoch so far instead' : ''}.`,
    { cause },
  );

/** Where a training stopped, in words. */
function placeOf({ trainer, epochs, unvalidated, validated }: Checkpoint): string {
  const epoch = `${validated ? 'refit ' : ''}epoch ${epochs.length + 1}`;
  if (unvalidated !== undefined) return `in the validation after ${epoch}`;
  if (trainer.stepInEpoch === 0) return `before ${epoch}`;
  return `in ${epoch} after ${whole(trainer.stepInEpoch)} steps`;
}

const countsOf = (log: EventLog): PartCounts => ({
  items: log.itemIds.length,
  sessions: sessionCount(log),
  events: log.sessions.items.length,
});

/** What the artifact and its report say of its training. */
interface Facts extends Pick<TrainResult, 'epochs' | 'baseline' | 'interrupted' | 'refit' | 'auto'> {
  readonly best?: BestEpoch;
  readonly refitEpochs: readonly EpochResult[];
  readonly validation?: Validation;
}

async function write(
  host: TrainingHost,
  options: TrainOptions,
  { tensors: trained, epochs: _, best: __, itemFeatures, ...model }: TrainedModel,
  { validation, refitEpochs, ...facts }: Facts,
  parts: Splits,
  further: Pick<Artifact, 'catalogue' | 'strategies' | 'rules'>,
): Promise<void> {
  const { data, out, seed = 1, licence = UNLICENSED } = options;
  const name = host.nameOf(out);
  const { log, validProtocol = 'events' } = parts;
  const predicted =
    validProtocol === 'events'
      ? 'every event after the first of every validation session'
      : 'the first event of every session that was held out, items of its input left out';
  const training = {
    data: { file: baseName(data), ...countsOf(log) },
    ...facts,
    ...defined({ itemFeatures }),
    protocol: `${predicted}, full ranking, conservative ties`,
    seed,
    command: trainCommand(options),
    software: host.software(),
  };
  const tensors = { ...trained, ...replayTensors(options, parts) };
  const report =
    facts.epochs.length === 0
      ? undefined
      : trainingReport({
          name,
          model: options.model,
          training,
          refitEpochs,
          ...defined({ validation, catalogue: further.catalogue }),
        });
  const artifact = await buildModel(
    name,
    { ...model, itemIds: log.itemIds, tensors, training, licence, ...further },
    (about) => modelCard({ ...about, ...insideOf(tensors), hasExamples: validation !== undefined }),
    options,
  );
  await host.writeArtifact(out, artifact, defined({ report }));
}

/** The sessions that travel with the model, if any. */
function replayTensors({ replay = 0, seed = 1 }: TrainOptions, { log }: Splits): Artifact['tensors'] {
  if (replay === 0) return {};
  const { items, offsets } = drawReplay(log.sessions, log.support, replay, seed);
  return {
    [REPLAY_TENSOR]: { data: items, shape: [items.length] },
    [REPLAY_OFFSETS_TENSOR]: { data: offsets, shape: [offsets.length] },
  };
}
