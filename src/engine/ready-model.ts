/** A model on a backend: weights uploaded, numbers checked, and whether both are still there. */
import type { OpenedArtifact } from '../checkpoint/artifact';
import { type BackendOptions, stopBackend } from '../compute/backends/start';
import { isGone, runningBackend, unlessLost } from '../compute/device-loss';
import { useBackend } from '../compute/executor';
import { backendsHere } from '../compute/fallback';
import { type BackendName, isGpu } from '../compute/types';
import { RecommenderError, throwIfAborted } from '../errors';
import { models } from '../models/index';
import { goldenMismatch } from '../ranking/golden-check';
import { type LoadedScorer, loadScorer } from '../ranking/load-scorer';
import { openSession, type SessionScorer } from '../ranking/session-scorer';
import { type ModelItems, modelItems } from './model-items';
import type { ModelInfo } from './types';

/** What scores in the place of the model that an artifact holds. */
export interface Worn {
  readonly scorer: LoadedScorer;
  readonly session: SessionScorer;
}

export interface Model {
  readonly artifact: OpenedArtifact;
  readonly items: ModelItems;
  readonly scorer: LoadedScorer;
  /** Scores the running session: by the artifact, or by what it wears. */
  session(): SessionScorer;
  /** What scores in the artifact's place, if anything; the model disposes it. */
  worn(): Worn | undefined;
  /** Puts on what scores from now on, or takes it off. */
  wear(worn?: Worn): void;
  readonly info: ModelInfo;
  /** Whether the device that holds the weights is lost, or its backend was stopped. */
  isGone(): boolean;
  /**
   * Work with the model on its backend, inside a turn. Ends as soon as the device is lost, which the work itself might
   * never notice.
   *
   * @throws DeviceLost
   */
  use<T>(work: () => Promise<T>): Promise<T>;
  /** Gives the model up, and stops its backend: both have failed. */
  abandon(): void;
  dispose(): void;
}

/** How many models hold their weights on an instance of a backend. */
const users = new WeakMap<object, number>();

/**
 * Uploads an artifact to the active backend and checks its golden answer.
 *
 * @throws RecommenderError if the model does not give that answer here: `bad-artifact`, or `no-backend` on a GPU, whose
 *   driver is to blame; `weights-mismatch`; `aborted`.
 * @throws DeviceLost
 */
export async function readyModel(
  artifact: OpenedArtifact,
  backend: BackendName,
  why: string,
  options: BackendOptions,
  signal: AbortSignal,
): Promise<Model> {
  const instance = runningBackend(backend)!;
  users.set(instance, (users.get(instance) ?? 0) + 1);
  let free = () => {};
  let isDisposed = false;
  const dispose = () => {
    if (isDisposed) return;
    isDisposed = true;
    free();
    const left = users.get(instance)! - 1;
    users.set(instance, left);
    releaseIdle(backend);
  };
  try {
    const scorer = await loadScorer(artifact);
    const session = openSession(scorer);
    let worn: Worn | undefined;
    const scoring = () => worn?.session ?? session;
    const wear = (next?: Worn) => {
      scoring().forget();
      worn?.scorer.dispose();
      worn = next;
    };
    free = () => {
      wear();
      scorer.dispose();
    };
    const wrong = await unlessLost(backend, instance, () => goldenMismatch(session, artifact.info.golden, backend));
    if (wrong) {
      const { name, version } = artifact.info;
      const message = `"${name}" ${version} does not give its own golden answer on "${backend}": ${wrong}.`;
      if (isGpu(backend)) throw new RecommenderError('no-backend', message);
      throw new RecommenderError('bad-artifact', `${message} Export the model again.`);
    }
    throwIfAborted(signal);
    const { name, version, architecture, items } = artifact.info;
    const candidates = isNeural(artifact) ? backendsHere() : [backend];
    const info = {
      name,
      version,
      architecture,
      hash: artifact.hash,
      items,
      ...sizes(artifact),
      backend,
      why,
      candidates,
    };
    return {
      ...{ artifact, items: modelItems(artifact), scorer, session: scoring, worn: () => worn, wear, info, dispose },
      isGone: () => isGone(backend, instance),
      use: (work) =>
        unlessLost(backend, instance, async () => {
          await useBackend(backend, options);
          return work();
        }),
      abandon() {
        try {
          dispose(); // what a lost device held may refuse to be freed
        } catch {}
        if (runningBackend(backend) === instance) stopBackend(backend);
      },
    };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** A GPU's memory goes back once no model is on it. The CPU backends stay: they are what all else falls back to. */
export function releaseIdle(backend: BackendName): void {
  const instance = runningBackend(backend);
  if (instance && isGpu(backend) && !users.get(instance)) stopBackend(backend);
}

/** Counting baselines score on typed arrays, whatever the backend. */
const isNeural = ({ info }: OpenedArtifact): boolean => Object.hasOwn(models, info.architecture);

function sizes({ tensors }: OpenedArtifact): { readonly parameters: number; readonly bytes: number } {
  const weights = Object.entries(tensors).filter(([name]) => !name.startsWith('catalogue.'));
  const parameters = weights.reduce((sum, [, { data }]) => sum + data.length, 0);
  return { parameters, bytes: weights.reduce((sum, [, { data }]) => sum + data.byteLength, 0) };
}
