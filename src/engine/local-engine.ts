/**
 * The engine in the thread that calls it: in Node, inside the worker, and in a page where no worker can start. It decides
 * when tensors are made and freed; the layers below only make them.
 */
import { memory } from '@tensorflow/tfjs-core';
import { abortable, abortedError, firstOf } from '../abort';
import type { OpenedArtifact } from '../checkpoint/artifact';
import { type BackendOptions, stopBackend } from '../compute/backends/start';
import { deviceHere } from '../compute/device';
import { DeviceLost, runningBackend, unlessLost } from '../compute/device-loss';
import { inTurn } from '../compute/executor';
import { asBackendsFault, asNoBackend, backendsHere, below, ladderOf, withDeadline } from '../compute/fallback';
import { type BackendName, isGpu } from '../compute/types';
import { RecommenderError, throwIfAborted } from '../errors';
import { topListed } from '../ranking/listed';
import { topK } from '../ranking/top-k';
import { type FetchFile, fetchPrivately, loadArtifact } from './artifact-loader';
import { timed } from './benchmark';
import { climb, firstThat, type RungOptions, readyOn, startInTime } from './placement';
import { type Model, releaseIdle } from './ready-model';
import type { Tuning } from './tune';
import type { Engine, LoadOptions, LoadProgress, RankedItem, RecommendRequest } from './types';

export interface LocalEngineOptions {
  /** How the artifact's files are fetched. Default: `fetch`, without credentials. */
  readonly fetchFile?: FetchFile;
  /** Where the WASM files are; needed in Node. */
  readonly wasmPath?: BackendOptions['wasmPath'];
  /** Seconds in which a backend must have started, and a GPU must have answered. Default 20. */
  readonly backendDeadline?: number;
  /** WebGPU where the environment has none of its own: Node. */
  readonly webgpu?: BackendOptions['webgpu'];
  /** Milliseconds that only differ: what inferences are timed with. Default `performance.now`. */
  readonly clock?: () => number;
}

/** A GPU that was lost more often than this is not started again. */
const MAX_LOSSES = 2;

export function createLocalEngine(options: LocalEngineOptions = {}): Engine {
  const { fetchFile, wasmPath, webgpu, backendDeadline = 20, clock = () => performance.now() } = options;
  const rung: RungOptions = {
    deadline: backendDeadline,
    ...(wasmPath !== undefined && { wasmPath }),
    ...(webgpu && { webgpu }),
  };
  /** Fires when the engine is disposed: calls that run or queue end. */
  const end = new AbortController();
  let model: Model | undefined;
  let avoid: readonly BackendName[] = [];
  let tuning: Tuning | undefined;
  /** How often each GPU was lost. */
  const losses = new Map<BackendName, number>();

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
    assertAlive();
    if (!model) throw new RecommenderError('bad-artifact', 'The engine has no model yet. Call load first.');
    return model;
  }
  function replace(next: Model, signal: AbortSignal): Model {
    if (signal.aborted) {
      next.dispose();
      throw abortedError();
    }
    if (next.session !== model?.session) model?.dispose();
    model = next;
    return next;
  }

  async function download(
    { modelUrl, fromCache }: LoadOptions,
    onProgress: (progress: LoadProgress) => void,
    signal: AbortSignal | undefined,
  ): Promise<OpenedArtifact> {
    const either = firstOf(signal, end.signal);
    const fetchThis = fetchFile ?? fetchPrivately(fromCache ? 'force-cache' : 'default');
    try {
      return await loadArtifact(modelUrl, { fetchFile: fetchThis, signal: either.signal, onProgress });
    } finally {
      either.release();
      assertAlive();
    }
  }

  /** The model somewhere else: on the same GPU, started again, or on the next rung that works. */
  async function recovered(failed: Model, cause: Error, signal: AbortSignal): Promise<Model> {
    const { backend } = failed.info;
    failed.abandon();
    if (cause instanceof DeviceLost) losses.set(backend, (losses.get(backend) ?? 0) + 1);
    const isGivenUp = (name: BackendName) => avoid.includes(name) || (losses.get(name) ?? 0) > MAX_LOSSES;
    const lower = below(backend).filter((name) => !isGivenUp(name) && backendsHere().includes(name));
    const ladder = cause instanceof DeviceLost && !isGivenUp(backend) ? [backend, ...lower] : lower;
    const why = (name: BackendName, failures: readonly string[]) =>
      [`"${name}" was started after "${backend}" had failed.`, cause.message, ...failures].join(' ');
    model = await climb(failed.artifact, ladder, why, rung, signal); // where all fail, the next call tries again
    return model;
  }

  /** Scores by the model, on another backend where its own fails. */
  async function surviving<T>(work: (model: Model) => Promise<T>, signal: AbortSignal): Promise<T> {
    for (let current = loaded(); ; ) {
      const running = current;
      const { backend } = running.info;
      try {
        const dressed = async () => {
          await tuning?.wear(running);
          return work(running);
        };
        return await withDeadline(() => running.use(dressed), backendDeadline, backend);
      } catch (error) {
        throwIfAborted(signal);
        if (backend === 'cpu') throw error; // there is nothing below
        current = await recovered(running, asBackendsFault(error, backend), signal);
      }
    }
  }

  /** Tuning and explaining: loaded where they are wanted, and nowhere else. */
  async function tuned(): Promise<Tuning> {
    assertAlive();
    const { createTuning } = await import('./tune');
    tuning ??= createTuning({ turn, loaded, surviving });
    return tuning;
  }

  return {
    async load(request, { signal, onProgress = () => {} } = {}) {
      assertAlive();
      const { backend } = request;
      const ladder = ladderOf(backend, request.avoid);
      const artifact = await download(request, onProgress, signal);
      const why = (name: BackendName, failures: readonly string[]) => {
        if (backend !== 'auto') return ASKED(name);
        if (failures.length === 0) return `"${name}" is ready at once.`;
        return `"${name}" computes, since a faster one failed. ${failures.join(' ')}`;
      };
      return turn(async (ends) => {
        const next = await climb(artifact, ladder, why, rung, ends, onProgress).catch((error) => {
          throw backend === 'auto' || !isGpu(backend) ? error : asNoBackend(error, backend);
        });
        avoid = request.avoid ?? [];
        losses.clear();
        return replace(next, ends).info;
      }, signal);
    },
    move({ backend, why = ASKED(backend) }, { signal } = {}) {
      return turn(async (ends) => {
        ladderOf(backend); // refuses a name that none has
        const before = loaded();
        const isThere = before.info.backend === backend && !before.isGone();
        try {
          const next = isThere ? before : await readyOn(before.artifact, backend, why, rung, ends);
          const milliseconds = await withDeadline(() => timed(next, clock), backendDeadline, backend).catch((error) => {
            if (next !== before) next.dispose();
            throw error;
          });
          const { info } = replace(isThere ? { ...next, info: { ...next.info, why } } : next, ends);
          return { model: info, milliseconds };
        } catch (error) {
          throwIfAborted(ends);
          throw asNoBackend(error, backend);
        }
      }, signal);
    },
    forget: () => turn(async () => model?.session().forget()),
    device: () => deviceHere(),
    recommend(request, { signal } = {}) {
      return turn(async (ends) => {
        const { items } = loaded();
        const from = performance.now();
        const known = await items.known(request.session, request.user);
        const isKnown = known.items.length > 0;
        const scores = isKnown ? await surviving(({ session }) => session().score(known), ends) : items.popularity;
        throwIfAborted(ends);
        const ranked = rank(loaded(), scores, isKnown, request);
        const { backend, why } = loaded().info;
        return { items: ranked, milliseconds: performance.now() - from, backend, why };
      }, signal);
    },
    train(request, { signal, onProgress = () => {} } = {}) {
      return turn(async (ends) => {
        const started = async (name: BackendName) => startInTime(name, rung).then(() => name);
        const backend = await firstThat(ladderOf(request.backend), started);
        // Gradients and optimisers are loaded where a model learns, and nowhere else.
        const { trainModel } = await import('./train-model');
        const instance = runningBackend(backend)!;
        try {
          return await unlessLost(backend, instance, () => trainModel(request, backend, ends, onProgress));
        } catch (error) {
          if (!isGpu(backend) || error instanceof RangeError) throw error;
          if (!(error instanceof DeviceLost)) throw asBackendsFault(error, backend);
          if (runningBackend(backend) === instance) stopBackend(backend);
          throw new RecommenderError('engine-lost', `${error.message} Train again, or on another backend.`);
        } finally {
          releaseIdle(backend);
        }
      }, signal);
    },
    fineTune: async (...call) => (await tuned()).fineTune(...call),
    adopt: async (...call) => (await tuned()).adopt(...call),
    migrate: async (...call) => (await tuned()).migrate(...call),
    explain: async (...call) => (await tuned()).explain(...call),
    async catalogue() {
      assertAlive();
      return loaded().artifact.catalogue ?? [];
    },
    async products(ids) {
      assertAlive();
      const { products } = loaded().items;
      return ids.map((id) => products.get(id) ?? null);
    },
    memory() {
      return turn(async () => {
        if (!model) return { tensors: 0, bytes: 0 };
        const { numTensors, numBytes } = model.isGone() ? memory() : await model.use(async () => memory());
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

const ASKED = (backend: BackendName): string => `"${backend}" was asked for.`;

/** Of a session without a click that the model knows, scores are popularity. */
function rank(
  { items, scorer }: Model,
  scores: Float32Array,
  isKnown: boolean,
  { k, exclude }: RecommendRequest,
): RankedItem[] {
  const hidden = items.hidden(exclude);
  const list = isKnown
    ? topListed(scorer, scores, items.popularity, k, hidden)
    : topK(scores, k, hidden).map((item) => ({ ...item, isPopular: true }));
  return list.map(({ index, score, isPopular }) => ({
    itemId: items.idOf(index),
    score,
    reason: isPopular ? 'popular' : 'neural',
  }));
}
