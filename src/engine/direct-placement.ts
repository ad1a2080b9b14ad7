/**
 * A model that computes in plain calls of this thread: by its compiled plan, or by counting. It needs no TensorFlow.js, and nothing that
 * serves devices which fail, are lost or take long: that is fetched when the model has to move.
 */
import type { OpenedArtifact } from '../checkpoint/artifact';
import { BackendFault, noPlan, stopped } from '../compute/backend-fault';
import { fallbacks, rivals } from '../compute/fallback';
import { type Memory, type RunningDevice, runningDevice, setRunning, stopDevice } from '../compute/running';
import type { BackendName } from '../compute/types';
import { RecommenderError, throwIfAborted } from '../errors';
import { loaded } from '../loaded';
import { loadArchitecture } from '../ranking/architecture';
import { loadPlans, planOf } from './loading';
import { type Model, modelOf } from './model';
import type { ModelItems } from './model-items';
import type { Placed } from './placed';
import type { Placement, PlacementRequest } from './placement';
import type { ModelInfo, Moved } from './types';

/** What counts. The second time it is there at once. */
export const loadCounting = () => loaded(import('../ranking/baseline-scorer'), 'counting');

/**
 * Puts a model on the first backend of the order.
 *
 * @param movable Places the model once more, where it can move.
 * @throws BackendFault where there is no plan that works; as `modelOf`.
 */
export async function placeDirectly(
  artifact: OpenedArtifact,
  items: ModelItems,
  { order, avoid, why, onProgress, signal }: PlacementRequest,
  movable: (over: Partial<PlacementRequest>) => Promise<Placement>,
): Promise<Placed> {
  const backend = order[0]!;
  onProgress({ stage: 'backend', backend });
  const { device, load, candidates } = await (backend === 'plan' ? planned(artifact) : counted(artifact));
  throwIfAborted(signal);
  onProgress({ stage: 'check', backend });
  const model = await modelOf(artifact, device, load, { why: why(backend, []), candidates });
  return new DirectPlacement(model, items, (failure) => {
    const below = fallbacks(backend, (name) => avoid.includes(name));
    // One that was only stopped can be started again.
    const hasFailed = failure && !(failure instanceof BackendFault && failure.isGone);
    return movable({
      order: hasFailed ? below : [backend, ...below],
      why: (name, failures) =>
        failure ? `"${name}" was started after "${backend}" had failed. ${failure.message}` : why(name, failures),
      onProgress: () => {},
    });
  });
}

async function planned(artifact: OpenedArtifact) {
  const plan = await planOf(artifact);
  const { start, loadPlanScorer } = await loadPlans();
  try {
    const started = await start(); // another model may start it meanwhile
    const device = runningDevice('plan') ?? setRunning(started);
    return { device, load: () => loadPlanScorer(artifact, plan, device), candidates: rivals(true) };
  } catch (error) {
    throw noPlan(error);
  }
}

async function counted(artifact: OpenedArtifact) {
  const [{ baselineScorer }, { baseline }] = await Promise.all([loadCounting(), loadArchitecture(artifact.info)]);
  return { device: COUNTING, load: () => baselineScorer(baseline!, artifact), candidates: [COUNTING.name] };
}

/** What counting baselines compute on: plain arrays. */
const COUNTING: RunningDevice = {
  name: 'cpu',
  instance: {},
  tolerance: 1e-4,
  memory: () => ({ tensors: 0, bytes: 0 }),
  activate: async () => {},
  stop() {},
};

/** Places the model once more, where it can move. @param failure Why it must. */
type MakeMovable = (failure?: RecommenderError) => Promise<Placement>;

class DirectPlacement implements Placed {
  readonly artifact: OpenedArtifact;
  readonly items: ModelItems;
  readonly #model: Model;
  readonly #makeMovable: MakeMovable;
  #moved: Placement | undefined;
  /** Settles when what runs, or waits, is over. */
  #idle: Promise<unknown> = Promise.resolve();
  #isDisposed = false;

  constructor(model: Model, items: ModelItems, makeMovable: MakeMovable) {
    this.artifact = model.artifact;
    this.items = items;
    this.#model = model;
    this.#makeMovable = makeMovable;
  }

  get info(): ModelInfo {
    return this.#moved?.info ?? this.#model.info;
  }
  get network(): Placed['network'] {
    return this.#moved ? this.#moved.network : this.#model.network;
  }

  async run<T>(work: (model: Model) => Promise<T>, signal: AbortSignal | undefined, isLearnt = false): Promise<T> {
    const done = await this.#exclusively(async () => {
      throwIfAborted(signal);
      const { device } = this.#model;
      try {
        if (device !== COUNTING && runningDevice(device.name)?.instance !== device.instance) throw stopped(device);
        return { result: await work(this.#model) };
      } catch (error) {
        if (!(await this.#isOwn(error, isLearnt))) throw error;
        stopDevice(device);
        await this.#move(error as RecommenderError);
        return undefined;
      }
    });
    return done ? done.result : this.#moved!.run(work, signal);
  }

  /** Whether a failure is the plan's own. One that still gives its golden answer has not made numbers that are not finite. */
  async #isOwn(error: unknown, isLearnt: boolean): Promise<boolean> {
    const { device } = this.#model;
    if (device === COUNTING) return false;
    if (error instanceof BackendFault) return true;
    if ((error as Partial<RecommenderError>).code !== 'not-finite') return false;
    return !isLearnt || (await this.#model.checkGolden().catch(String)) !== undefined;
  }

  async move(backend: BackendName, why: string, signal?: AbortSignal): Promise<Moved> {
    return (await this.#movable()).move(backend, why, signal);
  }

  async needTensors(): Promise<void> {
    await (await this.#movable()).needTensors();
  }

  async forget(signal?: AbortSignal): Promise<void> {
    await this.#exclusively(async () => this.#model.session().forget());
    await this.#moved?.forget(signal);
  }

  async memory(signal?: AbortSignal): Promise<Memory> {
    return this.#moved ? this.#moved.memory(signal) : this.#model.device.memory();
  }

  async dispose(deadline?: number): Promise<void> {
    this.#isDisposed = true;
    await this.#idle;
    if (this.#moved) await this.#moved.dispose(deadline);
    else this.#model.dispose();
  }

  async #movable(): Promise<Placement> {
    await this.#exclusively(() => this.#move());
    return this.#moved!;
  }

  /** One after the other, until the model can move: then its own placement sees to that. */
  async #exclusively<T>(work: () => Promise<T>): Promise<T | undefined> {
    if (this.#moved) return undefined;
    const answer = this.#idle.then(async () => {
      if (this.#isDisposed) throw new RecommenderError('aborted', 'Another model was loaded meanwhile.');
      return this.#moved ? undefined : work();
    });
    this.#idle = answer.catch(() => {});
    return answer;
  }

  /** If it fails, the model stays, and the next call tries again. @param failure Why it cannot stay. */
  async #move(failure?: RecommenderError): Promise<void> {
    this.#moved = await this.#makeMovable(failure);
    this.#model.dispose();
  }
}
