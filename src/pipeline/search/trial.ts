/** One configuration of a search: trained further rung by rung, with a folder of its own. */
import type { CatalogueItem } from '../../checkpoint/artifact';
import { type ErrorCode, RecommenderError } from '../../errors';
import type { Draw } from '../../models/search-space';
import { loadScorer, NAMELESS } from '../../ranking/load-scorer';
import { conservativeMetrics } from '../../train/evaluate';
import { type EpochResult, type FitState, Interrupted } from '../../train/fit';
import { readClicks } from '../../train/read-clicks';
import { configurationOf, trainFromLog } from '../../train/train-from-log';
import type { Settings } from '../configuration';
import { defined } from '../defined';
import { hashOf, join, readCache, remove, shortHash, writeCache } from '../files/disk';
import { readCheckpoint, writeCheckpoint } from '../files/training-checkpoint';
import { type Observer, startTask } from '../observer';
import { CHECKPOINT } from '../training-checkpoint';
import { fingerprints, type TrainingParts } from '../training-parts';
import { codeHash } from '../version';

/** The settings that all trials of a search share. */
export interface SearchPlan {
  readonly out: string;
  readonly model: string;
  readonly isNeural: boolean;
  /** Keys that every trial starts from. */
  readonly base: Settings;
  readonly parts: TrainingParts & Required<Pick<TrainingParts, 'valid'>>;
  readonly products?: readonly CatalogueItem[];
  /** Of the validation: what decides, and ends a trial that no longer gets better. */
  readonly metric: string;
  readonly seed: number;
  /** Epochs of the last rung, which learning-rate schedules span. */
  readonly epochs: number;
  readonly backend: string;
}

export interface Trial {
  /** From 1. */
  readonly number: number;
  readonly draw: Draw;
}

/** The state of a trial. */
export interface TrialRecord {
  /** One per epoch of a network, one of a baseline. */
  readonly epochs: readonly TrialEpoch[];
  /** Whether training has ended: all epochs are done, or validation stopped it. */
  readonly isFinished: boolean;
  /** Why there is no result: what diverged, what the configuration lacks, or that memory has no room for it. */
  readonly failure?: string;
  /** The code of the error, with `failure`. */
  readonly code?: ErrorCode;
}

/** A baseline has no loss. */
export type TrialEpoch = Partial<Pick<EpochResult, 'loss'>> &
  Required<Pick<EpochResult, 'epoch' | 'seconds' | 'valid'>>;

/** The folder of a search's trials. */
export const TRIALS = 'trials';
const RECORD = 'trial.json';
const UNTRIED: TrialRecord = { epochs: [], isFinished: false };

/** A running backend fails where a batch needs more memory than there is now. */
const NO_ROOM: ErrorCode = 'no-backend';
/** Errors that end a trial; any other ends the search. */
const ENDS_A_TRIAL = new Set<ErrorCode>(['diverged', 'not-finite', 'bad-config', 'bad-input', NO_ROOM]);

/** The best value of a metric within the first `epochs`, and when it was reached. */
export function bestOf({ epochs, failure }: TrialRecord, metric: string, upTo: number) {
  let found: { readonly epoch: number; readonly value: number } | undefined;
  if (failure !== undefined) return undefined;
  for (const { epoch, valid } of epochs.slice(0, upTo)) {
    if (!(found && found.value >= valid[metric]!)) found = { epoch, value: valid[metric]! };
  }
  return found;
}

/** Trains trials up to a number of epochs, and reuses earlier work. */
export class TrialRunner {
  constructor(
    readonly plan: SearchPlan,
    readonly observer: Observer,
  ) {}

  /**
   * @returns The record, and whether anything had to be computed.
   * @throws RecommenderError `aborted`, after storing everything.
   */
  async advance(trial: Trial, epochs: number): Promise<{ readonly record: TrialRecord; readonly isNew: boolean }> {
    const folder = this.#folder(trial);
    const known = (await readCache<TrialRecord>(join(folder, RECORD))) ?? UNTRIED;
    if (known.failure !== undefined || known.isFinished || known.epochs.length >= epochs) {
      return { record: known, isNew: false };
    }
    const record = await this.#train(trial, folder, epochs);
    // Kept out of the record: the same command may have more memory another time, and goes on from the last epoch.
    if (record.code === NO_ROOM) return { record, isNew: true };
    await writeCache(join(folder, RECORD), record);
    if (record.isFinished || record.failure !== undefined) await this.release(trial);
    return { record, isNew: true };
  }

  /** Removes the checkpoint of a trial that will not be trained further; its record stays. */
  async release(trial: Trial): Promise<void> {
    await remove(join(this.#folder(trial), CHECKPOINT));
  }

  async #train(trial: Trial, folder: string, epochs: number): Promise<TrialRecord> {
    const done: TrialEpoch[] = [];
    try {
      const isFinished = this.plan.isNeural
        ? await this.#learn(trial, folder, epochs, done)
        : await this.#count(trial, done);
      return { epochs: done, isFinished };
    } catch (error) {
      if (!(error instanceof RecommenderError && ENDS_A_TRIAL.has(error.code))) throw error;
      return { epochs: done, isFinished: true, failure: error.message, code: error.code };
    }
  }

  /** @returns Whether the training has ended, before or at the last epoch of the search. */
  async #learn({ number, draw }: Trial, folder: string, epochs: number, done: TrialEpoch[]): Promise<boolean> {
    const { plan, observer } = this;
    const identity = await this.#identity(draw);
    const resume = await usable(folder, identity);
    done.push(...trialEpochs(resume));
    if (done.length >= epochs) return done.length >= plan.epochs;
    const pause = new AbortController();
    let task: ReturnType<typeof startTask> | undefined;
    try {
      await trainFromLog({
        ...this.#task(draw),
        signal: AbortSignal.any([...(observer.signal ? [observer.signal] : []), pause.signal]),
        epochs: plan.epochs,
        valid: plan.parts.valid,
        metric: plan.metric,
        ...defined({ validProtocol: plan.parts.validProtocol, resume }),
        onProgress({ epoch, step, steps, loss }) {
          const label = `trial ${number}, epoch ${epoch}`;
          task ??= startTask(observer, { label, total: steps, unit: 'steps' });
          task.update(step, `loss ${loss.toFixed(4)}`);
        },
        async onEpoch({ epoch, loss, seconds, valid }, state) {
          task?.finish();
          task = undefined;
          done.push({ epoch, loss, seconds, valid: valid! });
          await writeCheckpoint(folder, identity, await state());
          if (epoch >= epochs && epoch < plan.epochs) pause.abort();
        },
      });
      return true;
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      if (observer.signal?.aborted) {
        await writeCheckpoint(folder, identity, error.state);
        throw new RecommenderError('aborted', `Interrupted in trial ${number}.`, { cause: error });
      }
      return false;
    } finally {
      task?.finish();
    }
  }

  async #count({ number, draw }: Trial, done: TrialEpoch[]): Promise<boolean> {
    const { parts, model: architecture } = this.plan;
    const signal = defined({ signal: this.observer.signal });
    const { config, tensors } = await trainFromLog({ ...this.#task(draw), ...signal });
    const { itemIds, support } = parts.log;
    const info = { ...NAMELESS, architecture, config, items: itemIds.length };
    const scorer = await loadScorer({ info, itemIds, tensors });
    const valid = readClicks({ info, tensors }, parts.valid, () => undefined);
    const { items, offsets } = valid;
    const total = parts.validProtocol === 'leave-one-out' ? offsets.length - 1 : items.length - offsets.length + 1;
    const task = startTask(this.observer, { label: `trial ${number}`, total, unit: 'predictions' });
    try {
      const onProgress = (count: number) => task.update(count);
      const { validProtocol: protocol = 'events' } = parts;
      const started = performance.now();
      const metrics = await conservativeMetrics(scorer, valid, { protocol, support, ...signal, onProgress });
      done.push({ epoch: 1, seconds: (performance.now() - started) / 1000, valid: metrics });
      return true;
    } finally {
      scorer.dispose();
      task.finish();
    }
  }

  #task(draw: Draw) {
    const { model, base, seed, parts, products } = this.plan;
    const { log } = parts;
    const { itemIds, support } = log;
    const config = { ...base, ...draw };
    const columns = log.report.otherColumns;
    return { model, config, log, columns, itemIds, support, seed, ...defined({ products }) };
  }

  /** What identifies a trial's result, with its configuration. */
  async #identity(draw: Draw): Promise<Record<string, unknown>> {
    const { model, base, metric, seed, parts, products, epochs, backend, isNeural } = this.plan;
    const { config } = await configurationOf(model, { ...base, ...draw });
    const catalogue = products && hashOf(JSON.stringify(products));
    return {
      model,
      seed,
      ...fingerprints(parts),
      ...config,
      code: codeHash(),
      ...(isNeural && { backend, metric, searched: epochs }),
      ...(catalogue && { catalogue }),
    };
  }

  /** The trial's number, and a hash of what its result depends on, so that another search does not reuse it. */
  #folder({ number, draw }: Trial): string {
    const { model, base, metric, seed, parts, products, epochs, backend, isNeural } = this.plan;
    const facts = { model, seed, ...fingerprints(parts), base, draw, products, code: codeHash() };
    const hash = shortHash({ ...facts, ...(isNeural && { backend, metric, epochs }) });
    return join(this.plan.out, TRIALS, `${String(number).padStart(3, '0')}-${hash}`);
  }
}

const trialEpochs = (state: FitState | undefined): TrialEpoch[] =>
  (state?.epochs ?? []).map(({ epoch, loss, seconds, valid }) => ({ epoch, loss, seconds, valid: valid! }));

/** The checkpoint of a trial, where there is one that can be used. */
async function usable(folder: string, identity: Record<string, unknown>): Promise<FitState | undefined> {
  try {
    return await readCheckpoint(folder, identity);
  } catch (error) {
    if (error instanceof RecommenderError && error.code !== 'io') return undefined; // start again
    throw error;
  }
}
