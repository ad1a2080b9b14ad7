/** A model on a device: its numbers checked, and what scores in its place. */
import type { OpenedArtifact } from '../checkpoint/artifact';
import { type BackendFault, type Device, wrongNumbers } from '../compute/backend-fault';
import { type RunningDevice, stopDevice } from '../compute/running';
import { type BackendName, isGpu } from '../compute/types';
import { RecommenderError } from '../errors';
import { loaded } from '../loaded';
import type { LoadedScorer, Network } from '../ranking/architecture';
import { goldenMismatch } from '../ranking/golden-check';
import { openSession, type SessionScorer } from '../ranking/session-scorer';
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
  /** What is wrong with the golden answer of its network, or of what counts, in words; undefined where nothing is. */
  checkGolden(): Promise<string | undefined>;
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

export interface ModelOptions {
  readonly why: string;
  /** Backends that may be faster. */
  readonly candidates: readonly BackendName[];
  /** Why the device cannot be used any more: a lost device hands out zeros. Default: it never is. */
  readonly gone?: () => BackendFault | undefined;
  /** Called once the model does not need its device any more. */
  readonly release?: () => void;
}

/** Fetches what mixes counting into a network. The second time it is there at once. */
export const loadMixture = () => loaded(import('../ranking/mixture'), 'counting');

/** What answers in the place of a network, or of one that has learnt: with what its artifact mixes in. */
export const withMix = async (artifact: OpenedArtifact, network: LoadedScorer, scale?: number) =>
  artifact.info.mix ? (await loadMixture()).withCounting(artifact, network, scale) : network;

/**
 * Makes a model of its scorer, and checks the artifact's golden answer.
 *
 * @param load Makes the scorer; the model disposes it.
 * @throws The error of `load`; RecommenderError if the model does not give that answer here: `bad-artifact` on plain CPU, else a
 *   `BackendFault`.
 */
export async function modelOf(
  artifact: OpenedArtifact,
  device: RunningDevice,
  load: () => LoadedScorer | Promise<LoadedScorer>,
  { why, candidates, gone = () => undefined, release = () => {} }: ModelOptions,
): Promise<Model> {
  let free = () => {};
  let isDisposed = false;
  const dispose = () => {
    if (isDisposed) return;
    isDisposed = true;
    try {
      free();
    } catch (error) {
      if (!gone()) throw error; // what a lost device held may refuse to be freed
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
    const network = await load();
    free = () => network.dispose();
    const checkGolden = async () => {
      const session = openSession(network);
      try {
        return await goldenMismatch(session, artifact.info.golden, device.tolerance);
      } finally {
        session.forget();
      }
    };
    const wrong = await checkGolden();
    const fault = gone();
    if (fault) throw fault;
    if (wrong) throw mismatch(artifact, device, wrong);
    const scorer = await withMix(artifact, network);
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
    const { name, version, architecture, items } = artifact.info;
    const info = { name, version, architecture, hash: artifact.hash, items, ...sizes(artifact) };
    return {
      artifact,
      device,
      scorer,
      network: scorer.network,
      info: { ...info, backend: device.name, why, candidates },
      dispose,
      session: scoring,
      checkGolden,
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

/**
 * The error of an artifact whose golden answer a device does not give. On plain CPU the artifact is wrong; elsewhere it may be
 * the backend, and of a plan, only the plan.
 *
 * @param wrong In which way.
 */
export function mismatch({ info }: Pick<OpenedArtifact, 'info'>, device: Device, wrong: string): RecommenderError {
  const { name: backend } = device;
  const message = `"${info.name}" ${info.version} does not give its own golden answer on "${backend}": ${wrong}.`;
  if (isGpu(backend)) return wrongNumbers('no-backend', device, message);
  const advice = `${message} Export the model again.`;
  if (backend === 'cpu') return new RecommenderError('bad-artifact', advice);
  return wrongNumbers(backend === 'plan' ? 'no-backend' : 'bad-artifact', device, advice);
}

function sizes({ tensors }: OpenedArtifact): { readonly parameters: number; readonly bytes: number } {
  const weights = Object.entries(tensors).filter(([name]) => !/^(catalogue|mix)\./.test(name));
  const parameters = weights.reduce((sum, [, { shape }]) => sum + shape.reduce((a, b) => a * b, 1), 0);
  return { parameters, bytes: 4 * parameters };
}
