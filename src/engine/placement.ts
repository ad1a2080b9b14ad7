/**
 * Places a loaded model on the first backend that starts and computes correctly, and on the next one when that fails. Loaded where
 * `DirectPlacement` is not enough.
 */
import type { OpenedArtifact } from '../checkpoint/artifact';
import { BackendFault, noPlan } from '../compute/backend-fault';
import type { BackendOptions } from '../compute/backends/options';
import { goneFault } from '../compute/device-loss';
import { run, type Slice } from '../compute/executor';
import { fallbacks } from '../compute/fallback';
import type { Memory } from '../compute/running';
import type { BackendName } from '../compute/types';
import { abortedError, RecommenderError, throwIfAborted } from '../errors';
import type { Model } from './model';
import type { ModelItems } from './model-items';
import type { Placed } from './placed';
import { benchmark, loadComputing, readyModel } from './ready-model';
import type { LoadProgress, ModelInfo, Moved } from './types';

export interface PlacementOptions extends BackendOptions {
  /** Seconds. @see LocalEngineOptions.backendDeadline */
  readonly deadline: number;
  /** Milliseconds that only differ. */
  readonly clock: () => number;
}

export interface PlacementRequest {
  /** Backends to start on, in this order; at least one. */
  readonly order: readonly BackendName[];
  /** Never chosen after a failure. */
  readonly avoid: readonly BackendName[];
  /** Why others have failed before. Default: none. */
  readonly failures?: readonly string[];
  /** Why this backend was chosen, given the failures of the ones before. */
  readonly why: (backend: BackendName, failures: readonly string[]) => string;
  readonly onProgress: (progress: LoadProgress) => void;
  readonly signal: AbortSignal;
}

/** Least seconds for a backend, even if earlier ones have used up the deadline: a late answer is better than none. */
const LEAST = 1;
/** A device that was lost more often than this is not started again. */
const MAX_LOSSES = 2;

interface Choice {
  /** The fallback order. The first backend is the current one, or that of the next use. */
  readonly order: readonly BackendName[];
  readonly why: (backend: BackendName) => string;
}

export class Placement implements Placed {
  readonly artifact: OpenedArtifact;
  readonly items: ModelItems;
  readonly #options: PlacementOptions;
  #avoid: readonly BackendName[] = [];
  #choice: Choice = { order: [], why: () => '' };
  /** The last choice that gave an answer. */
  #worked = this.#choice;
  #model: Model | undefined;
  #info: ModelInfo | undefined;
  #network: Placed['network'];
  /** Settles when the model has left the plan for good. */
  #tensors: Promise<void> | undefined;
  #isDisposed = false;
  /** How often each backend's device was gone. */
  readonly #losses = new Map<BackendName, number>();

  private constructor(artifact: OpenedArtifact, items: ModelItems, options: PlacementOptions) {
    this.artifact = artifact;
    this.items = items;
    this.#options = options;
  }

  /**
   * Puts a model on the first backend that works.
   *
   * @throws The error of the last backend; as `loadComputing`.
   */
  static async of(
    artifact: OpenedArtifact,
    items: ModelItems,
    { order, avoid, failures: before = [], why, onProgress, signal }: PlacementRequest,
    options: PlacementOptions,
  ): Promise<Placement> {
    const placement = new Placement(artifact, items, options);
    const failures = [...before];
    for (let at = 0; ; at++) {
      const backend = order[at]!;
      placement.#choice = { order: [backend], why: () => why(backend, failures) };
      const start = (slice: Slice) => placement.#ready(slice, onProgress);
      try {
        await loadComputing(artifact, backend);
        await run(start, { deadline: options.deadline, signal, onFault: () => placement.#abandon() });
        placement.#avoid = avoid;
        placement.#choice = { ...placement.#choice, order: [backend, ...placement.#fallbacks(backend)] };
        placement.#worked = placement.#choice;
        return placement;
      } catch (error) {
        if (!(error instanceof BackendFault) || at === order.length - 1) throw error;
        failures.push(error.message);
      }
    }
  }

  get network(): Placed['network'] {
    return this.#network;
  }

  get info(): ModelInfo {
    return this.#info!;
  }

  /**
   * In a slice of its own. If every backend fails, the work is at fault: the model returns to its former backend.
   */
  async run<T>(work: (model: Model) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const end = performance.now() + 1000 * this.#options.deadline;
    let isOver = false;
    const onFault = (fault: BackendFault) => {
      this.#giveUp(fault);
      isOver = this.#choice.order.length === 0;
      if (isOver) this.#choice = this.#worked;
    };
    for (;;) {
      const tried = this.#choice;
      const left = Math.max(LEAST, (end - performance.now()) / 1000);
      const deadline = this.#choice.order.length > 1 ? left / 2 : left;
      const slice = async (slice: Slice) => {
        const result = await work(await this.#ready(slice));
        this.#worked = this.#choice;
        return result;
      };
      try {
        await this.#fetch(this.#choice.order[0], onFault);
        return await run(slice, { deadline, signal, onFault });
      } catch (error) {
        if (isOver || !(error instanceof BackendFault) || (tried === this.#choice && performance.now() > end))
          throw error;
      }
    }
  }

  async move(backend: BackendName, why: string, signal?: AbortSignal): Promise<Moved> {
    const { deadline, clock } = this.#options;
    if (backend === 'plan' && this.#tensors)
      throw noPlan(new Error('A plan does not compute what all parameters have learnt.'));
    await loadComputing(this.artifact, backend);
    return run(
      async (slice) => {
        this.#assertAlive();
        const isThere = this.#model?.device.name === backend && !goneFault(this.#model.device);
        const next = isThere ? this.#model! : await this.#start(slice, backend, why);
        try {
          if (isThere) await slice.use(next.device);
          const milliseconds = await benchmark(next, clock);
          throwIfAborted(slice.signal);
          const gone = goneFault(next.device);
          if (gone) throw gone;
          this.#choice = { order: [backend, ...this.#fallbacks(backend)], why: () => why };
          this.#worked = this.#choice;
          this.#take(isThere ? { ...next, info: { ...next.info, why } } : next, isThere);
          return { model: this.info, milliseconds };
        } catch (error) {
          if (!isThere) next.discard();
          throw error;
        }
      },
      { deadline, signal },
    );
  }

  needTensors(): Promise<void> {
    this.#tensors ??= this.#leavePlan().catch((error) => {
      this.#tensors = undefined;
      throw error;
    });
    return this.#tensors;
  }

  async #leavePlan(): Promise<void> {
    if (this.info.backend === 'plan') await this.#moveToFirst(this.#fallbacks('plan'));
    const withoutPlan = ({ order, why }: Choice): Choice => ({ order: order.filter((name) => name !== 'plan'), why });
    [this.#choice, this.#worked] = [withoutPlan(this.#choice), withoutPlan(this.#worked)];
  }

  async #moveToFirst(backends: readonly BackendName[]): Promise<void> {
    for (const backend of backends) {
      try {
        await this.move(backend, `"${backend}" computes what was learnt, which the plan cannot.`);
        return;
      } catch (error) {
        if (!(error instanceof BackendFault) || backend === backends.at(-1)) throw error;
      }
    }
  }

  /** The model on its current device; undefined if it has to be placed first. Inside a slice. */
  get #there(): Model | undefined {
    return this.#model && !goneFault(this.#model.device) ? this.#model : undefined;
  }

  // Without a deadline, since it must not end what others do: they have theirs.
  forget(signal?: AbortSignal): Promise<void> {
    return run(async () => this.#there?.session().forget(), { signal });
  }

  memory(signal?: AbortSignal): Promise<Memory> {
    const { deadline } = this.#options;
    return run(
      async (slice) => {
        const device = this.#there?.device;
        if (!device) return { tensors: 0, bytes: 0 };
        await slice.use(device);
        return device.memory();
      },
      { deadline, signal },
    );
  }

  dispose(deadline?: number): Promise<void> {
    return run(
      async () => {
        this.#isDisposed = true;
        this.#model?.dispose();
        this.#model = undefined;
      },
      deadline === undefined ? {} : { deadline },
    );
  }

  /** The model on its current backend, or on the first backend of the order. */
  async #ready(slice: Slice, onProgress?: (progress: LoadProgress) => void): Promise<Model> {
    this.#assertAlive();
    const gone = this.#model && goneFault(this.#model.device);
    if (gone) this.#giveUp(gone);
    if (this.#model) {
      await slice.use(this.#model.device);
      return this.#model;
    }
    const [backend] = this.#choice.order;
    if (backend === undefined) throw gone!;
    return this.#take(await this.#start(slice, backend, this.#choice.why(backend), onProgress));
  }

  async #start(
    slice: Slice,
    backend: BackendName,
    why: string,
    onProgress: (progress: LoadProgress) => void = () => {},
  ): Promise<Model> {
    const { wasmPath, webgpu } = this.#options;
    onProgress({ stage: 'backend', backend });
    const device = await slice.start(backend, {
      ...(wasmPath !== undefined && { wasmPath }),
      ...(webgpu && { webgpu }),
    });
    throwIfAborted(slice.signal);
    onProgress({ stage: 'check', backend });
    const model = await readyModel(this.artifact, device, why, this.#canPlan);
    if (!slice.signal.aborted && !this.#isDisposed) return model;
    model.dispose();
    throw abortedError();
  }

  #take(next: Model, isSame = false): Model {
    if (!isSame) this.#model?.dispose();
    this.#model = next;
    this.#info = next.info;
    this.#network = next.network;
    return next;
  }

  /** Updates the fallback order after a fault of the current backend. Inside a slice. */
  #giveUp(fault: BackendFault): void {
    const { backend, isGone, message } = fault;
    const instance = fault.device()?.instance;
    const { order, why } = this.#choice;
    const device = this.#model?.device;
    // Another call may already have handled the same fault.
    if (backend !== order[0] || (device && instance && device.instance !== instance)) return;
    this.#abandon();
    const losses = (this.#losses.get(backend) ?? 0) + (isGone ? 1 : 0);
    this.#losses.set(backend, losses);
    const lower = this.#fallbacks(backend);
    // A lost device can be replaced by a new one; a device that does not answer may hang again.
    const isRestarted = isGone && losses <= MAX_LOSSES && (fault.code === 'engine-lost' || lower.length === 0);
    const first = device ? `"${backend}" had failed. ${message}` : undefined;
    this.#choice = {
      order: isRestarted ? [backend, ...lower] : lower,
      why: (name) => (first ? `"${name}" was started after ${first}` : `${why(name)} ${message}`),
    };
  }

  #abandon(): void {
    this.#model?.abandon();
    this.#model = undefined;
  }

  get #canPlan(): boolean {
    return this.artifact.hasPlan && !this.#tensors;
  }

  #fallbacks(backend: BackendName): readonly BackendName[] {
    return fallbacks(
      backend,
      (name) =>
        this.#avoid.includes(name) || (this.#losses.get(name) ?? 0) > MAX_LOSSES || (name === 'plan' && !this.#canPlan),
    );
  }

  /** Fetches what computes on a backend that the model is not on yet. */
  async #fetch(backend: BackendName | undefined, onFault: (fault: BackendFault) => void): Promise<void> {
    if (this.#model || backend === undefined) return;
    try {
      await loadComputing(this.artifact, backend);
    } catch (error) {
      if (error instanceof BackendFault) onFault(error);
      throw error;
    }
  }

  #assertAlive(): void {
    if (this.#isDisposed) throw new RecommenderError('aborted', 'Another model was loaded meanwhile.');
  }
}
