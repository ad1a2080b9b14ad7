/** The trainings of one run: on the training part, beside it or after it on everything, with the comparison between them. */
import { abortable } from '../abort';
import type { Artifact, CatalogueItem } from '../checkpoint/artifact';
import { checkFeatures } from '../checkpoint/manifest-features';
import type { BackendName } from '../compute/types';
import { RecommenderError, reasonOf } from '../errors';
import { models } from '../models/index';
import { catalogueOf } from '../ranking/architecture';
import type { EventLog } from '../session/event-log';
import { partCounts } from '../session/split';
import { type EpochResult, type FitState, Interrupted, type Spent } from '../train/fit';
import { configurationOf, type TrainedModel, trainFromLog } from '../train/train-from-log';
import type { Progress } from '../train/trainer';
import { trainFlags } from './commands';
import type { Settings } from './configuration';
import { defined } from './defined';
import { isAborted } from './errors';
import { plural, whole } from './format';
import type { TrainingHost } from './host';
import { inform, startTask, type TrainingEpoch, warn } from './observer';
import type { TrainOptions } from './options';
import { mostStates } from './thread-use';
import { shareSteps, type ThreadOptions, type TrainingBeside, trainBeside } from './threads';
import { type Checkpoint, encodeCheckpoint, type RunIdentity } from './training-checkpoint';
import { hasEpoch } from './training-checks';
import type { Splits, TrainingParts } from './training-parts';
import { measure, type ValidatedParts, type Validation, validatedParts } from './validation';

/** It stands still while counting models are compared, unless another thread trains meanwhile. */
interface Clock {
  taken: (earlier?: Spent) => Spent;
  /** What was taken before `taken` began to count. */
  spent: Spent | undefined;
}

/** What all trainings of a run share. */
export interface Run {
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
export async function trainPasses(
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
    const ofValidation = validatedParts(parts);
    if (!ofValidation) return { trained };
    beside?.endAfter(trained.best!.epoch);
    if (!beside) clock.spent = clock.taken(clock.spent);
    const validation = compares ? await compared(host, trained, ofValidation, options) : undefined;
    if (!beside) clock.taken = host.stopwatch();
    const measured = { trained, ...defined({ validation }) };
    if (!everything) return measured;
    const { epoch } = trained.best!;
    const { sessions, items } = partCounts(everything);
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

/** What a training takes over from the artifact that it continues. */
const knownOf = ({ info: { items, features, training }, tensors }: Artifact) => ({
  items,
  tensors,
  ...(features && { features }),
  itemFeatures: checkFeatures(training['itemFeatures'] ?? {}),
});

/** A training on a log, as every thread of it knows it. Events of earlier trainings count in the support. */
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
  const task = { ...options, log, columns: report.otherColumns, itemIds, support };
  if (!from) return task;
  const earlier = catalogueOf(from).support!;
  return { ...task, support: support.map((events, item) => events + (earlier[item] ?? 0)), from: knownOf(from) };
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
  const { model, seed = 1, signal } = options;
  const tasks = epochTasks(options, pass);
  try {
    const shared = passOn(log, { model, config: given, seed, ...defined({ epochs, products, resume, from }) });
    return await trainFromLog({
      ...shared,
      ...defined({ signal, valid, validProtocol }),
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
    throw interruption(whereStopped(state), hasEpoch(state), host, options, error);
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
export function whereStopped({ trainer, epochs, unvalidated, validated }: Checkpoint): string {
  const epoch = `${validated ? 'refit ' : ''}epoch ${epochs.length + 1}`;
  if (unvalidated !== undefined) return `in the validation after ${epoch}`;
  if (trainer.stepInEpoch === 0) return `before ${epoch}`;
  return `in ${epoch} after ${whole(trainer.stepInEpoch)} steps`;
}
