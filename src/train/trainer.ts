/**
 * The training loop of every architecture: epochs of steps over one log, that can be stopped after any step, saved as
 * plain arrays and resumed to end bit for bit where the uninterrupted run ends.
 *
 * Nothing random has a state to save: batches, negatives and dropout follow from the seed and a step's number.
 */
import { type Scalar, stack, type Tensor, type Tensor1D } from '@tensorflow/tfjs';
import { within } from '../checkpoint/prefixes';
import { RecommenderError, throwIfAborted } from '../errors';
import { initialise } from '../models/initialise';
import { download, toTensor, upload } from '../models/tensors';
import type { Training, TrainingPlan } from '../models/training';
import type { Catalogue, NdArray, NdArrays, Sessions } from '../types';
import { CodedTables } from './coded-tables';
import type { DataParallel } from './data-parallel';
import { learningRateAt, Optimiser } from './optimiser';
import { streamsOf, TrainStep } from './step';
import { yieldToEventLoop } from './yield-to-event-loop';

/** Losses are read back in groups, of so many steps at most: otherwise a GPU would be idle after every step. */
const READ_EVERY = 32;
/** Milliseconds that one read should wait at most: the executor stops a device that does not answer. */
const LONGEST_READ = 500;

export interface TrainerOptions<C> {
  readonly training: Training<C>;
  readonly config: C;
  /** `support` is needed where negatives are drawn by popularity. */
  readonly catalogue: Catalogue;
  readonly sessions: Sessions;
  readonly seed: number;
  /** Passes over the log, for schedules that end at 0. Default: the plan's. */
  readonly epochs?: number;
  /** Parameters to start from; default: drawn from the seed. */
  readonly params?: Readonly<Record<string, NdArray>>;
  /** Shares every step with other threads, which run the same training. */
  readonly parallel?: DataParallel;
  /** Between two steps. Default: lets timers, messages and signals through. */
  readonly pause?: () => Promise<void>;
}

/** A training between two steps, as plain arrays. */
export interface TrainerState {
  /** Epochs finished. */
  readonly epoch: number;
  /** Steps done of the epoch that runs. */
  readonly stepInEpoch: number;
  /** Steps done in all. */
  readonly step: number;
  /** Of the epoch that runs: the weighted sum of its losses, and the sum of the weights. */
  readonly lossSum: number;
  readonly lossWeight: number;
  /** The same sums of what the objective measures beside its loss, and the means of the last finished epoch. */
  readonly measureSums?: Readonly<Record<string, number>>;
  readonly measures?: Readonly<Record<string, number>>;
  /** Parameters, `slot.…` of the optimiser and `carried.…` of running sessions. */
  readonly arrays: Readonly<Record<string, NdArray>>;
}

export interface Progress {
  /** Epoch that runs, from 1. */
  readonly epoch: number;
  readonly step: number;
  readonly steps: number;
  /** Mean loss of the epoch so far. */
  readonly loss: number;
}

/** A step whose results have not been read back yet. */
interface Pending {
  readonly loss: Scalar;
  readonly measured: Tensor1D | undefined;
  readonly names: readonly string[];
  /** What it counts for in the epoch's means. */
  readonly weight: number;
}

export class Trainer<C> {
  readonly #options: TrainerOptions<C>;
  readonly #plan: TrainingPlan;
  readonly #params: Readonly<Record<string, Tensor>>;
  readonly #coded: CodedTables | undefined;
  readonly #optimiser: Optimiser;
  readonly #trainStep: TrainStep<C>;
  readonly #epochs: Epochs;
  /** Batches of an epoch over all sessions, and of one over the latest. */
  readonly #steps: { readonly all: number; readonly recent: number };
  #readEvery: number;
  #epoch: number;
  #stepInEpoch: number;
  #step: number;
  #lossSum: number;
  #lossWeight: number;
  #measureSums: Record<string, number>;
  #measures: Readonly<Record<string, number>> | undefined;

  /**
   * A backend must be running, with training registered.
   *
   * @param saved A state of `save`, to go on from.
   * @throws RecommenderError `bad-input` if no session has two events.
   */
  constructor(options: TrainerOptions<C>, saved?: TrainerState) {
    const { training, config, catalogue, sessions, seed } = options;
    this.#options = options;
    this.#readEvery = options.parallel ? READ_EVERY : 1;
    this.#plan = training.plan(config);
    this.#epochs = epochsOf(this.#plan, sessions, options.epochs);
    const all = this.#countSteps(0);
    this.#steps = { all, recent: this.#epochs.recent > 0 ? this.#countSteps(this.#epochs.count - 1) : all };
    if (this.#steps.recent === 0 && all > 0) {
      throw new RecommenderError(
        'bad-input',
        'The latest sessions, which recentEpochs asks for, hold nothing to learn. Use a larger recentShare.',
      );
    }
    if (all === 0) {
      const { offsets } = sessions;
      const hasPair = offsets.some((start, s) => s > 0 && start - offsets[s - 1]! >= 2);
      throw new RecommenderError(
        'bad-input',
        hasPair
          ? 'Fewer than two sessions run side by side, so no negative is left to learn from. Use nSample above 0.'
          : 'No session has two events, so there is nothing to learn. Check the session column, use `sessionsBy`, or leave out fewer by `holdout`.',
      );
    }
    const specs = training.network.parameters(config, catalogue);
    const start = options.params ?? initialise(specs, seed);
    this.#coded = CodedTables.of(start);
    const from = saved?.arrays ?? this.#coded?.learnt(start) ?? start;
    this.#params = upload(Object.fromEntries(Object.keys(specs).map((name) => [name, copy(from[name]!)])));
    this.#optimiser = new Optimiser(this.#plan.optimiser, this.#params, saved && within('slot.', saved.arrays));
    const log = { sessions, catalogue, first: 0 };
    const task = { training, config, specs, log, ...(this.#coded && { coded: this.#coded }) };
    this.#trainStep = new TrainStep(task, this.#params, this.#optimiser, seed, options.parallel);
    const carried = saved && Object.values(within('carried.', saved.arrays));
    if (carried?.length) this.#trainStep.state = carried.map((array) => toTensor(copy(array)));
    this.#epoch = saved?.epoch ?? 0;
    this.#stepInEpoch = saved?.stepInEpoch ?? 0;
    this.#step = saved?.step ?? 0;
    this.#lossSum = saved?.lossSum ?? 0;
    this.#lossWeight = saved?.lossWeight ?? 0;
    this.#measureSums = { ...saved?.measureSums };
    this.#measures = saved?.measures;
  }

  /** Epochs finished. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Batches of the epoch that runs. */
  get steps(): number {
    return this.#isRecent(this.#epoch) ? this.#steps.recent : this.#steps.all;
  }

  /** The live parameters: they change with every step and belong to the trainer. */
  get params(): Readonly<Record<string, Tensor>> {
    return this.#params;
  }

  /** Of the last finished epoch: means of what the objective measures beside its loss; undefined where nothing. */
  get measures(): Readonly<Record<string, number>> | undefined {
    return this.#measures;
  }

  /** The rows of each step of an epoch. */
  #rows(epoch: number): Iterable<readonly unknown[]> {
    const { training, config, catalogue, sessions, seed } = this.#options;
    const first = this.#isRecent(epoch) ? this.#epochs.firstRecent : 0;
    return training.rows({ sessions, catalogue, first }, config, streamsOf(seed, epoch));
  }

  #countSteps(epoch: number): number {
    let count = 0;
    for (const _ of this.#rows(epoch)) count++;
    return count;
  }

  #isRecent(epoch: number): boolean {
    return epoch >= this.#epochs.count - this.#epochs.recent;
  }

  /**
   * Runs the current epoch to its end.
   *
   * @returns The epoch's loss: the mean over its targets, of GRU4Rec over its steps.
   * @throws RecommenderError `aborted` between two steps once the signal fires: the trainer stays whole, `save` it and
   *   go on later; `diverged` when the loss is not finite.
   */
  async runEpoch(signal?: AbortSignal, onProgress?: (progress: Progress) => void): Promise<number> {
    const { pause = yieldToEventLoop } = this.#options;
    const pending: Pending[] = [];
    const flush = async (): Promise<void> => {
      const group = pending.splice(0);
      if (group.length > 0) {
        const from = performance.now();
        await this.#account(group);
        this.#adaptReads(performance.now() - from);
      }
      onProgress?.(this.#progress());
    };
    try {
      let index = 0;
      for (const rows of this.#rows(this.#epoch)) {
        if (index++ < this.#stepInEpoch) continue;
        throwIfAborted(signal);
        const loss = this.#trainStep.run(rows, this.#step, this.#learningRate());
        const { measures } = this.#trainStep;
        // A copy: the next step drops them.
        const measured = measures && (stack(Object.values(measures)) as Tensor1D);
        pending.push({ loss, measured, names: Object.keys(measures ?? {}), weight: this.#weight(rows) });
        this.#step++;
        this.#stepInEpoch++;
        if (pending.length >= this.#readEvery) await flush();
        await pause();
      }
      await flush();
    } finally {
      if (pending.length > 0) await this.#account(pending.splice(0));
    }
    const loss = this.#lossSum / this.#lossWeight;
    this.#epoch++;
    this.#stepInEpoch = 0;
    this.#lossSum = 0;
    const sums = Object.entries(this.#measureSums).map(([name, sum]) => [name, sum / this.#lossWeight] as const);
    this.#measures = sums.length > 0 ? Object.fromEntries(sums) : undefined;
    this.#lossWeight = 0;
    this.#measureSums = {};
    this.#trainStep.forget();
    return loss;
  }

  #adaptReads(took: number): void {
    if (this.#options.parallel) return; // threads all read at the same step
    if (took > LONGEST_READ) this.#readEvery = Math.max(1, this.#readEvery >> 1);
    else if (took < LONGEST_READ / 2) this.#readEvery = Math.min(READ_EVERY, 2 * this.#readEvery);
  }

  /** What a step counts for in the epoch's loss: its targets, so that the result is a mean over targets, else 1. */
  #weight(rows: readonly unknown[]): number {
    const { training } = this.#options;
    return training.size ? rows.reduce((sum: number, row) => sum + training.size!(row).targets, 0) : 1;
  }

  #learningRate(step = this.#step): number {
    const { schedule, optimiser, recent } = this.#plan;
    const totalSteps = this.#steps.all * (this.#epochs.count - this.#epochs.recent);
    if (recent && this.#epochs.recent > 0 && step >= totalSteps) {
      const left = 1 - (step - totalSteps) / (this.#steps.recent * this.#epochs.recent);
      return optimiser.learningRate * recent.rate * Math.max(0, left);
    }
    return learningRateAt(schedule, optimiser.learningRate, { step, totalSteps, epoch: this.#epoch });
  }

  /** Reads a group of losses back into the running mean. */
  async #account(group: readonly Pending[]): Promise<void> {
    const values = await readStacked(group.map(({ loss }) => loss));
    const measured = await readStacked(group.flatMap(({ measured }) => measured ?? []));
    const names = group[0]!.names;
    group.forEach(({ weight }, i) => {
      this.#lossSum += values[i]! * weight;
      this.#lossWeight += weight;
      names.forEach((name, j) => {
        this.#measureSums[name] = (this.#measureSums[name] ?? 0) + measured[i * names.length + j]! * weight;
      });
    });
    if (!Number.isFinite(this.#lossSum)) {
      const first = this.#step - group.length + values.findIndex((value) => !Number.isFinite(value)) + 1;
      throw new RecommenderError(
        'diverged',
        `The loss became ${values.find((value) => !Number.isFinite(value))} at step ${first} (epoch ${this.#epoch + 1}), ` +
          `learning rate ${this.#learningRate(first - 1)}. Train with a smaller learning rate.`,
      );
    }
  }

  #progress(): Progress {
    return {
      epoch: this.#epoch + 1,
      step: this.#stepInEpoch,
      steps: this.steps,
      loss: this.#lossSum / this.#lossWeight,
    };
  }

  /** Turns weights, which have centroids in place of a table of codes, into what artifacts hold; undefined where no table is codes. */
  get written(): ((weights: NdArrays) => NdArrays) | undefined {
    return this.#coded && ((weights) => this.#coded!.written(weights));
  }

  /** The parameters as plain arrays. */
  async weights(): Promise<Record<string, NdArray>> {
    return copies(this.#params);
  }

  /** Everything that a resumed run needs. */
  async save(): Promise<TrainerState> {
    return {
      epoch: this.#epoch,
      stepInEpoch: this.#stepInEpoch,
      step: this.#step,
      lossSum: this.#lossSum,
      lossWeight: this.#lossWeight,
      ...(Object.keys(this.#measureSums).length > 0 && { measureSums: { ...this.#measureSums } }),
      ...(this.#measures && { measures: this.#measures }),
      arrays: {
        ...(await copies(this.#params)),
        ...(await copies(this.#optimiser.slots, 'slot.')),
        ...(await copies(Object.fromEntries((this.#trainStep.state ?? []).entries()), 'carried.')),
      },
    };
  }

  dispose(): void {
    this.#trainStep.forget();
    this.#optimiser.dispose();
    for (const param of Object.values(this.#params)) param.dispose();
  }
}

/** How many epochs there are, how many of them, at the end, see only the latest sessions, and the first of those. */
interface Epochs {
  readonly count: number;
  readonly recent: number;
  readonly firstRecent: number;
}

function epochsOf({ epochs, recent }: TrainingPlan, { offsets }: Sessions, count = epochs): Epochs {
  const sessions = offsets.length - 1;
  return {
    count,
    recent: Math.min(recent?.epochs ?? 0, Math.max(0, count - 1)),
    firstRecent: Math.min(sessions - 1, Math.floor(sessions * (1 - (recent?.share ?? 1)))),
  };
}

/** Reads tensors of one shape back in one go, one after the other, and disposes them. */
async function readStacked(tensors: readonly Tensor[]): Promise<Float32Array> {
  if (tensors.length === 0) return new Float32Array(0);
  const together = stack([...tensors]);
  for (const tensor of tensors) tensor.dispose();
  const values = (await together.data()) as Float32Array;
  together.dispose();
  return values;
}

/** Tensors on plain CPU live in the array they were made from, and steps write to them: give them their own. */
const copy = ({ data, shape }: NdArray): NdArray => ({ data: data.slice(), shape });

/** Copies of tensors as plain arrays: on plain CPU `data()` is the live buffer, which the next step writes to. */
async function copies(tensors: Readonly<Record<string, Tensor>>, prefix = ''): Promise<Record<string, NdArray>> {
  const arrays: Record<string, NdArray> = {};
  for (const [name, value] of Object.entries(tensors)) {
    arrays[prefix + name] = copy(await download(value));
  }
  return arrays;
}
