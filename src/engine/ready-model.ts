/** A model on a device of any backend: weights uploaded, numbers checked. */
import type { OpenedArtifact } from '../checkpoint/artifact';
import type { Device } from '../compute/backend-fault';
import { goneFault } from '../compute/device-loss';
import { rivals } from '../compute/fallback';
import { type RunningDevice, stopDevice } from '../compute/running';
import { type BackendName, isGpu } from '../compute/types';
import { isNeural } from '../ranking/architecture';
import { topK } from '../ranking/top-k';
import { loadCodeFor, loadPlanned, loadTensors, planOf } from './loading';
import { loadMixture, type Model, modelOf } from './model';

/** Rounds of a benchmark; the first, the golden check, has compiled and uploaded everything. */
const ROUNDS = 3;
/** A round ends after this time or so many inferences: clocks of browsers are coarse. */
const ROUND_MILLISECONDS = 16;
const MAX_RUNS = 20;
/** How many models are on an instance of a backend. */
const users = new WeakMap<object, number>();

/**
 * Fetches what computes an artifact on a backend. Outside of slices: a slow network is no fault of a backend.
 *
 * @throws RecommenderError as `loadCodeFor`, and `planOf`.
 * @throws BackendFault where there is no plan that can be read.
 */
export async function loadComputing(artifact: OpenedArtifact, backend: BackendName): Promise<void> {
  if (artifact.info.mix) await loadMixture();
  if (backend === 'plan') await planOf(artifact);
  else await loadCodeFor(artifact.info, backend);
}

/**
 * Uploads an artifact to the device of the running slice and checks its golden answer. `loadComputing` has fetched what it needs.
 *
 * @param canPlan Whether the artifact has a plan that may compute it.
 * @throws RecommenderError if the model does not give that answer here: `bad-artifact` on plain CPU, else a `BackendFault`;
 *   `weights-mismatch`.
 * @throws BackendFault
 */
export function readyModel(
  artifact: OpenedArtifact,
  device: RunningDevice,
  why: string,
  canPlan: boolean,
): Promise<Model> {
  const { name: backend } = device;
  const { architecture } = artifact.info;
  // A plan that has failed is left for WASM or plain CPU, with which GPUs are then compared.
  const hasPlan = canPlan && (backend === 'plan' || isGpu(backend));
  const load = async () =>
    backend === 'plan' ? loadPlanned(artifact, device) : (await loadTensors(architecture)).loadScorer(artifact);
  return modelOf(artifact, device, load, {
    why,
    // Counting baselines score on typed arrays on every backend.
    candidates: isNeural(architecture) ? rivals(hasPlan) : [backend],
    gone: () => goneFault(device),
    release: hold(device),
  });
}

/**
 * Milliseconds of one inference of the artifact's golden session, read back: the mean of the best of several rounds. Inside a
 * slice, on the model's device.
 *
 * @param clock Milliseconds that only differ.
 */
export async function benchmark(model: Model, clock: () => number): Promise<number> {
  const session = model.session();
  const items = model.artifact.info.golden.session;
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const from = clock();
    let elapsed = 0;
    let runs = 0;
    do {
      session.forget(); // else the next run would cost nothing
      // Either refuses what is not finite.
      if (session.topK) await session.topK({ items }, 1);
      else topK(await session.score({ items }), 1);
      runs++;
      elapsed = clock() - from;
    } while (elapsed < ROUND_MILLISECONDS && runs < MAX_RUNS);
    best = Math.min(best, elapsed / runs);
  }
  session.forget();
  return best;
}

/**
 * Keeps a GPU running until the function that is returned is called. Its memory is freed after the last release. The CPU
 * backends stay: they are the fallback of every other backend.
 */
function hold(device: Device): () => void {
  const { name, instance } = device;
  users.set(instance, (users.get(instance) ?? 0) + 1);
  return () => {
    const left = users.get(instance)! - 1;
    users.set(instance, left);
    if (left === 0 && isGpu(name)) stopDevice(device);
  };
}
