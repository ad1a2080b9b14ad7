/** A model on a device: weights uploaded, numbers checked. */
import type { ArtifactInfo, OpenedArtifact } from '../checkpoint/artifact';
import { PLAN } from '../checkpoint/manifest';
import { type BackendFault, type Device, noPlan, wrongNumbers } from '../compute/backend-fault';
import { goneFault } from '../compute/device-loss';
import { rivals } from '../compute/fallback';
import { type RunningDevice, stopDevice } from '../compute/running';
import { type BackendName, isGpu } from '../compute/types';
import { RecommenderError } from '../errors';
import { loadCode } from '../load-code';
import { isNeural, type LoadedScorer, loadArchitecture, type Network } from '../ranking/architecture';
import { goldenMismatch } from '../ranking/golden-check';
import { openSession, type SessionScorer } from '../ranking/session-scorer';
import { topK } from '../ranking/top-k';
import type { ModelInfo } from './types';

/** What scores in the place of the model that an artifact holds: the model with what was learnt. */
export interface ActiveAdapter {
  readonly scorer: LoadedScorer;
  readonly session: SessionScorer;
  /** What turns its scores into logits. */
  readonly scale: number;
}

export interface Model {
  readonly artifact: OpenedArtifact;
  readonly device: RunningDevice;
  /** By the artifact alone. */
  readonly scorer: LoadedScorer;
  readonly network: Network | undefined;
  /** Scores the running session: by the artifact, or by the active adapter. */
  session(): SessionScorer;
  /** The model disposes it. */
  activeAdapter(): ActiveAdapter | undefined;
  /** What scores from now on; undefined: the artifact. */
  setAdapter(adapter?: ActiveAdapter): void;
  readonly info: ModelInfo;
  /** As `dispose`, after a failure, which it must not hide. */
  discard(): void;
  /** Gives the model up, and stops its backend: both have failed. */
  abandon(): void;
  dispose(): void;
}

/** Rounds of a benchmark; the first, the golden check, has compiled and uploaded everything. */
const ROUNDS = 3;
/** A round ends after this time or so many inferences: clocks of browsers are coarse. */
const ROUND_MILLISECONDS = 16;
const MAX_RUNS = 20;
/** How many models, and trainings, are on an instance of a backend. */
const users = new WeakMap<object, number>();

/**
 * Fetches what computes an artifact on a backend. Outside of slices: a slow network is no fault of a backend.
 *
 * @throws RecommenderError as `loadCodeFor`.
 * @throws BackendFault where there is no plan that can be read.
 */
export async function loadComputing({ info, bytes }: OpenedArtifact, backend: BackendName): Promise<void> {
  const loading = Promise.all([loadCodeFor(info, backend), backend === 'plan' && bytes(PLAN)]);
  await (backend === 'plan' ? loading.catch((error) => Promise.reject(noPlan(error))) : loading);
}

/**
 * Fetches the code of it. The second time it is there at once.
 *
 * @throws RecommenderError as `loadArchitecture`.
 */
export async function loadCodeFor(info: Pick<ArtifactInfo, 'architecture' | 'name'>, backend: BackendName) {
  const architecture = loadArchitecture(info);
  if (backend !== 'plan') await Promise.all([architecture, loadTensors(info.architecture)]);
  else await Promise.all([architecture, loadPlans().then(({ loadModule }) => loadModule())]);
}
const loadPlans = () => loadCode('plans', () => import('../ranking/plan-scorer'));
async function loadTensors(architecture: string) {
  const code = await loadCode('scoring', () => import('../ranking/load-scorer'));
  if (isNeural(architecture)) await code.loadNetwork(architecture);
  return code;
}

/** @throws BackendFault `no-backend` where there is no plan. */
export async function loadPlanned(artifact: OpenedArtifact, device: Device): Promise<LoadedScorer> {
  const { info, bytes } = artifact;
  const { loadPlanScorer } = await loadPlans();
  const [{ model }, plan] = await Promise.all([loadArchitecture(info), bytes(PLAN)]);
  if (!model || !plan) throw withoutPlan(artifact);
  return loadPlanScorer(artifact, model, plan, device);
}

export const withoutPlan = ({ info }: OpenedArtifact): BackendFault =>
  noPlan(
    new Error(
      `The model "${info.name}" has no compiled plan. Train it again with this release, or use the backend "auto".`,
    ),
  );

/**
 * Uploads an artifact to the device of the running slice and checks its golden answer. `loadComputing` has fetched what it needs.
 *
 * @param canPlan Whether the artifact has a plan that may compute it.
 * @throws RecommenderError if the model does not give that answer here: `bad-artifact` on plain CPU, else a `BackendFault`;
 *   `weights-mismatch`.
 * @throws BackendFault
 */
export async function readyModel(
  artifact: OpenedArtifact,
  device: RunningDevice,
  why: string,
  canPlan: boolean,
): Promise<Model> {
  const { name: backend } = device;
  const release = hold(device);
  let free = () => {};
  let isDisposed = false;
  const dispose = () => {
    if (isDisposed) return;
    isDisposed = true;
    try {
      free();
    } catch (error) {
      if (!goneFault(device)) throw error; // what a lost device held may refuse to be freed
    } finally {
      release();
    }
  };
  const discard = () => {
    try {
      dispose();
    } catch {} // what a broken device held may refuse to be freed
  };
  try {
    const scorer = await (backend === 'plan'
      ? loadPlanned(artifact, device)
      : (await loadTensors(artifact.info.architecture)).loadScorer(artifact));
    const session = openSession(scorer);
    let adapter: ActiveAdapter | undefined;
    const scoring = () => adapter?.session ?? session;
    const setAdapter = (next?: ActiveAdapter) => {
      scoring().forget();
      adapter?.scorer.dispose();
      adapter = next;
    };
    free = () => {
      setAdapter();
      scorer.dispose();
    };
    const wrong = await goldenMismatch(session, artifact.info.golden, device.tolerance);
    const gone = goneFault(device); // a lost device hands out zeros
    if (gone) throw gone;
    if (wrong) throw mismatch(artifact, device, wrong);
    const { name, version, architecture, items } = artifact.info;
    // A plan that has failed is left for WASM or plain CPU, with which GPUs are then compared.
    const hasPlan = canPlan && (backend === 'plan' || isGpu(backend));
    // Counting baselines score on typed arrays on every backend.
    const candidates = isNeural(architecture) ? rivals(hasPlan) : [backend];
    const { hash } = artifact;
    const info = { name, version, architecture, hash, items, ...sizes(artifact), backend, why, candidates };
    return {
      artifact,
      device,
      scorer,
      network: scorer.network,
      info,
      dispose,
      session: scoring,
      activeAdapter: () => adapter,
      setAdapter,
      discard,
      abandon() {
        discard();
        stopDevice(device);
      },
    };
  } catch (error) {
    discard();
    throw error;
  }
}

/** On plain CPU the artifact is wrong; elsewhere it may be the backend. */
function mismatch({ info }: OpenedArtifact, device: Device, wrong: string): RecommenderError {
  const { name: backend } = device;
  const message = `"${info.name}" ${info.version} does not give its own golden answer on "${backend}": ${wrong}.`;
  if (isGpu(backend)) return wrongNumbers('no-backend', device, message);
  const advice = `${message} Export the model again.`;
  if (backend === 'cpu') return new RecommenderError('bad-artifact', advice);
  return wrongNumbers('bad-artifact', device, advice);
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
export function hold(device: Device): () => void {
  const { name, instance } = device;
  users.set(instance, (users.get(instance) ?? 0) + 1);
  return () => {
    const left = users.get(instance)! - 1;
    users.set(instance, left);
    if (left === 0 && isGpu(name)) stopDevice(device);
  };
}

function sizes({ tensors }: OpenedArtifact): { readonly parameters: number; readonly bytes: number } {
  const weights = Object.entries(tensors).filter(([name]) => !name.startsWith('catalogue.'));
  const parameters = weights.reduce((sum, [, { data }]) => sum + data.length, 0);
  return { parameters, bytes: weights.reduce((sum, [, { data }]) => sum + data.byteLength, 0) };
}
