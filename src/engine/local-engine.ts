/**
 * The engine in the thread that calls it: in Node, inside the worker, and in a page where no worker can start. It decides
 * when tensors are made and freed; the layers below only make them.
 */
import { memory } from '@tensorflow/tfjs-core';
import type { Artifact } from '../checkpoint/artifact';
import { RecommenderError, throwIfAborted } from '../errors';
import { openSession, type SessionScorer } from '../ranking/session-scorer';
import { topK } from '../ranking/top-k';
import { abortable, abortedError, firstOf } from './abort';
import { type FetchFile, loadArtifact } from './artifact-loader';
import { type BackendOptions, startBackend } from './backends/index';
import type {
  BackendChoice,
  BackendName,
  Engine,
  LoadProgress,
  ModelInfo,
  RankedItem,
  RecommendRequest,
} from './engine';
import { goldenMismatch } from './golden-check';
import { loadScorer } from './load-scorer';
import { type ModelItems, modelItems } from './model-items';
import { inTurn, useBackend } from './turns';

export interface LocalEngineOptions {
  /** How the artifact's files are fetched. Default: `fetch`, without credentials. */
  readonly fetchFile?: FetchFile;
  /** Where the WASM files are; needed in Node. */
  readonly wasmPath?: BackendOptions['wasmPath'];
  /** WebGPU where the environment has none of its own: Node. */
  readonly webgpu?: BackendOptions['webgpu'];
  /** Seconds in which a backend must have started. Default 20. */
  readonly backendDeadline?: number;
}

/** A model that is ready. */
interface Model {
  readonly artifact: Artifact;
  readonly items: ModelItems;
  readonly session: SessionScorer;
  readonly info: ModelInfo;
  dispose(): void;
}

/** What `auto` tries, in this order. */
const LADDER: readonly BackendName[] = ['wasm', 'cpu'];

/** What can be asked for by name. */
const BACKENDS: readonly BackendName[] = ['webgpu', 'webgl', 'wasm', 'cpu'];

export function createLocalEngine(options: LocalEngineOptions = {}): Engine {
  const { fetchFile, wasmPath, webgpu, backendDeadline = 20 } = options;
  const backendOptions: BackendOptions = { ...(wasmPath !== undefined && { wasmPath }), ...(webgpu && { webgpu }) };
  /** Fires when the engine is disposed: calls that run or queue end. */
  const end = new AbortController();
  let model: Model | undefined;

  /** A turn that ends with the caller's signal and with the engine. */
  async function turn<T>(work: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    assertAlive();
    const either = firstOf(signal, end.signal);
    try {
      return await abortable(
        inTurn(() => work(either.signal), either.signal),
        either.signal,
      );
    } finally {
      either.release();
      assertAlive();
    }
  }
  function assertAlive(): void {
    if (end.signal.aborted) throw new RecommenderError('disposed', 'The engine was disposed.');
  }
  function loaded(): Model {
    if (!model) throw new RecommenderError('bad-artifact', 'The engine has no model yet. Call load first.');
    return model;
  }

  async function download(
    modelUrl: string,
    onProgress: (progress: LoadProgress) => void,
    signal: AbortSignal | undefined,
  ): Promise<Artifact> {
    const either = firstOf(signal, end.signal);
    try {
      return await loadArtifact(modelUrl, { ...(fetchFile && { fetchFile }), signal: either.signal, onProgress });
    } finally {
      either.release();
      assertAlive();
    }
  }

  async function ready(artifact: Artifact, backend: BackendName, why: string, signal: AbortSignal): Promise<Model> {
    const scorer = await loadScorer(artifact);
    const session = openSession(scorer);
    const dispose = () => {
      session.dispose();
      scorer.dispose();
    };
    try {
      const wrong = await goldenMismatch(session, artifact.info.golden, backend);
      if (wrong) {
        const { name, version } = artifact.info;
        throw new RecommenderError(
          'bad-artifact',
          `"${name}" ${version} does not give its own golden answer on "${backend}": ${wrong}. Export the model again.`,
        );
      }
      throwIfAborted(signal);
    } catch (error) {
      dispose();
      throw error;
    }
    const { name, version, architecture, items } = artifact.info;
    const info = { name, version, architecture, items, ...sizes(artifact), backend, why };
    return { artifact, items: modelItems(artifact), session, info, dispose };
  }

  /** The first backend of the ladder that starts and computes right. */
  async function start(
    artifact: Artifact,
    choice: BackendChoice,
    signal: AbortSignal,
    onProgress: (progress: LoadProgress) => void,
  ): Promise<Model> {
    const ladder = ladderOf(choice);
    const reasons: string[] = [];
    for (const backend of ladder) {
      try {
        onProgress({ stage: 'backend', backend });
        await startInTime(backend);
        throwIfAborted(signal);
        onProgress({ stage: 'check', backend });
        return await ready(artifact, backend, why(choice, backend, reasons), signal);
      } catch (error) {
        if (backend === ladder.at(-1) || !isBackendsFault(error)) throw error;
        reasons.push((error as Error).message);
      }
    }
    throw new RangeError('A ladder of backends has at least one.');
  }

  const startInTime = (backend: BackendName): Promise<void> =>
    withDeadline(startBackend(backend, backendOptions), backendDeadline, backend);

  async function firstThatStarts(ladder: readonly BackendName[]): Promise<BackendName> {
    for (const backend of ladder.slice(0, -1)) {
      try {
        await startInTime(backend);
        return backend;
      } catch (error) {
        if (!isBackendsFault(error)) throw error;
      }
    }
    const last = ladder.at(-1)!;
    await startInTime(last);
    return last;
  }

  return {
    async load({ modelUrl, backend }, { signal, onProgress = () => {} } = {}) {
      assertAlive();
      const artifact = await download(modelUrl, onProgress, signal);
      return turn(async (ends) => {
        const next = await start(artifact, backend, ends, onProgress);
        if (ends.aborted) {
          next.dispose();
          throw abortedError();
        }
        model?.dispose();
        model = next;
        return next.info;
      }, signal);
    },
    recommend(request, { signal } = {}) {
      return turn(async (ends) => {
        const current = loaded();
        await useBackend(current.info.backend, backendOptions);
        const from = performance.now();
        const items = await rank(current, request);
        throwIfAborted(ends);
        return { items, milliseconds: performance.now() - from };
      }, signal);
    },
    train(request, { signal, onProgress = () => {} } = {}) {
      return turn(async (ends) => {
        const ladder = ladderOf(request.backend);
        const backend = await firstThatStarts(ladder);
        // Gradients and optimisers are loaded where a model learns, and nowhere else.
        const { trainModel } = await import('./train');
        return trainModel(request, backend, ends, onProgress);
      }, signal);
    },
    async catalogue() {
      assertAlive();
      return loaded().artifact.catalogue ?? [];
    },
    memory() {
      return turn(async () => {
        if (!model) return { tensors: 0, bytes: 0 };
        const { numTensors, numBytes } = memory();
        return { tensors: numTensors, bytes: numBytes };
      });
    },
    async dispose() {
      if (end.signal.aborted) return;
      end.abort();
      // After the turn that may be running: it still reads the model.
      await inTurn(async () => model?.dispose());
      model = undefined;
    },
  };
}

function ladderOf(choice: BackendChoice): readonly BackendName[] {
  if (choice === 'auto') return LADDER;
  if (BACKENDS.includes(choice)) return [choice];
  throw new RangeError(`No backend is called "${String(choice)}"; use auto, ${BACKENDS.join(', ')}.`);
}

async function rank(
  { items, session }: Model,
  { session: clicks, k, exclude }: RecommendRequest,
): Promise<RankedItem[]> {
  const known = items.known(clicks);
  const reason = known.items.length > 0 ? 'neural' : 'popular';
  const scores = reason === 'neural' ? await session.score(known) : items.popularity;
  return topK(scores, k, items.hidden(exclude)).map(({ index, score }) => ({
    itemId: items.idOf(index),
    score,
    reason,
  }));
}

function sizes({ tensors }: Artifact): { readonly parameters: number; readonly bytes: number } {
  const weights = Object.entries(tensors).filter(([name]) => !name.startsWith('catalogue.'));
  const parameters = weights.reduce((sum, [, { data }]) => sum + data.length, 0);
  return { parameters, bytes: weights.reduce((sum, [, { data }]) => sum + data.byteLength, 0) };
}

function why(choice: BackendChoice, backend: BackendName, reasons: readonly string[]): string {
  if (choice !== 'auto') return `"${backend}" was asked for.`;
  return reasons.length === 0
    ? `"${backend}" is the fastest that this release has.`
    : `"${backend}", since a faster one failed. ${reasons.join(' ')}`;
}

/** Another backend may do better: this one did not start, or computed something else than the artifact says. */
function isBackendsFault(error: unknown): boolean {
  const codes = ['no-backend', 'bad-artifact', 'not-finite'];
  return error instanceof RecommenderError && codes.includes(error.code);
}

async function withDeadline<T>(start: Promise<T>, seconds: number, backend: BackendName): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `The backend "${backend}" did not start within ${seconds} s. Use "cpu".`;
    timer = setTimeout(() => reject(new RecommenderError('no-backend', message)), 1000 * seconds);
  });
  try {
    return await Promise.race([start, late]);
  } finally {
    clearTimeout(timer);
  }
}
