/** A model on a backend: weights uploaded, numbers checked, and whether both are still there. */
import type { Artifact } from '../checkpoint/artifact';
import { RecommenderError, throwIfAborted } from '../errors';
import { models } from '../models/index';
import { openSession, type SessionScorer } from '../ranking/session-scorer';
import { stopBackend } from './backends/index';
import { isGone, runningBackend, unlessLost } from './backends/loss';
import type { BackendName, ModelInfo } from './engine';
import { goldenMismatch } from './golden-check';
import { loadScorer } from './load-scorer';
import { type ModelItems, modelItems } from './model-items';

export interface Model {
  readonly artifact: Artifact;
  readonly items: ModelItems;
  readonly session: SessionScorer;
  readonly info: ModelInfo;
  /** Whether the device that holds the weights is lost. */
  isGone(): boolean;
  /**
   * Work with the model that ends as soon as the device is lost, which the work itself might never notice.
   *
   * @throws DeviceLost
   */
  unlessLost<T>(work: () => Promise<T>): Promise<T>;
  dispose(): void;
}

/** How many models hold their weights on an instance of a backend. */
const users = new WeakMap<object, number>();

/**
 * Uploads an artifact to the active backend and checks its golden answer.
 *
 * @throws RecommenderError `bad-artifact` if the model does not give that answer here; `weights-mismatch`; `aborted`.
 * @throws DeviceLost
 */
export async function readyModel(
  artifact: Artifact,
  backend: BackendName,
  why: string,
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
    // A GPU's memory goes back once no model is on it. The CPU backends stay: they are what all else falls back to.
    if (left === 0 && isGpu(backend) && runningBackend(backend) === instance) stopBackend(backend);
  };
  try {
    const scorer = loadScorer(artifact);
    const session = openSession(scorer);
    free = () => {
      session.dispose();
      scorer.dispose();
    };
    const wrong = await unlessLost(backend, instance, () => goldenMismatch(session, artifact.info.golden, backend));
    if (wrong) {
      const { name, version } = artifact.info;
      throw new RecommenderError(
        'bad-artifact',
        `"${name}" ${version} does not give its own golden answer on "${backend}": ${wrong}. Export the model again.`,
      );
    }
    throwIfAborted(signal);
    const { name, version, architecture, items } = artifact.info;
    const info = { name, version, architecture, items, ...sizes(artifact), backend, why };
    return {
      ...{ artifact, items: modelItems(artifact), session, info, dispose },
      isGone: () => isGone(backend, instance),
      unlessLost: (work) => unlessLost(backend, instance, work),
    };
  } catch (error) {
    dispose();
    throw error;
  }
}

export const isGpu = (backend: BackendName): boolean => backend === 'webgl' || backend === 'webgpu';

/** Counting baselines score on typed arrays, whatever the backend. */
export const isNeural = ({ info }: Artifact): boolean => Object.hasOwn(models, info.architecture);

function sizes({ tensors }: Artifact): { readonly parameters: number; readonly bytes: number } {
  const weights = Object.entries(tensors).filter(([name]) => !name.startsWith('catalogue.'));
  const parameters = weights.reduce((sum, [, { data }]) => sum + data.length, 0);
  return { parameters, bytes: weights.reduce((sum, [, { data }]) => sum + data.byteLength, 0) };
}
