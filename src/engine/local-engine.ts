/**
 * The engine in the thread that calls it: in Node, inside the worker, and in a page where no worker can start. It decides
 * when tensors are made and freed; the layers below only make them.
 */
import { memory } from '@tensorflow/tfjs-core';
import type { Artifact } from '../checkpoint/artifact';
import { RecommenderError, throwIfAborted } from '../errors';
import { topK } from '../ranking/top-k';
import { abortable, abortedError, firstOf } from './abort';
import { type FetchFile, loadArtifact } from './artifact-loader';
import { type BackendOptions, prepareBackend, startBackend, stopBackend } from './backends/index';
import { DeviceLost, runningBackend, unlessLost } from './backends/loss';
import type { BackendChoice, BackendName, Engine, LoadProgress, RankedItem, RecommendRequest } from './engine';
import { asBackendsFault, below, FIRST, gpusHere, isBackendsFault, LADDER, ladderOf, withDeadline } from './ladder';
import {
  inMemory,
  inWords,
  keyOf,
  type MeasuredBackend,
  type MeasuredBackends,
  timed,
  VALID_FOR,
  WORTH_A_CHANGE,
} from './measure';
import { isGpu, isNeural, type Model, readyModel } from './ready-model';
import { inTurn, useBackend } from './turns';

export interface LocalEngineOptions {
  /** How the artifact's files are fetched. Default: `fetch`, without credentials. */
  readonly fetchFile?: FetchFile;
  /** Where the WASM files are; needed in Node. */
  readonly wasmPath?: BackendOptions['wasmPath'];
  /** Seconds in which a backend must have started. Default 20. */
  readonly backendDeadline?: number;
  /** WebGPU where the environment has none of its own: Node. */
  readonly webgpu?: BackendOptions['webgpu'];
  /** Seconds after a load with `auto` before backends are measured. Default 1. */
  readonly measureAfter?: number;
  /** Where measured choices are kept. Default: in this thread, as long as it lives. */
  readonly measured?: MeasuredBackends;
  /** Milliseconds that only differ: what inferences are timed with. Default `performance.now`. */
  readonly clock?: () => number;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

const SHARED = inMemory();

/** A GPU that was lost more often than this is not started again. */
const MAX_LOSSES = 2;

export function createLocalEngine(options: LocalEngineOptions = {}): Engine {
  const { fetchFile, wasmPath, webgpu, backendDeadline = 20, measureAfter = 1, measured = SHARED } = options;
  const { clock = () => performance.now(), now = Date.now } = options;
  const backendOptions: BackendOptions = { ...(wasmPath !== undefined && { wasmPath }), ...(webgpu && { webgpu }) };
  /** Fires when the engine is disposed: calls that run or queue end. */
  const end = new AbortController();
  let model: Model | undefined;
  /** How often each backend has failed after it had worked. */
  const losses = new Map<BackendName, number>();
  let timer: ReturnType<typeof setTimeout> | undefined;

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

  const startInTime = (backend: BackendName): Promise<void> =>
    withDeadline((signal) => startBackend(backend, { ...backendOptions, signal }), backendDeadline, backend);

  /** A model on a backend that starts and computes right. */
  async function readyOn(
    artifact: Artifact,
    backend: BackendName,
    why: string,
    signal: AbortSignal,
    onProgress: (progress: LoadProgress) => void = () => {},
  ): Promise<Model> {
    try {
      onProgress({ stage: 'backend', backend });
      await startInTime(backend);
      throwIfAborted(signal);
      onProgress({ stage: 'check', backend });
      return await withDeadline(
        async (late) => {
          const either = firstOf(signal, late);
          try {
            return await readyModel(artifact, backend, why, either.signal);
          } finally {
            either.release();
          }
        },
        backendDeadline,
        backend,
      );
    } catch (error) {
      throw isGpu(backend) ? asBackendsFault(error, backend) : error;
    }
  }

  /** The first rung of the ladder that starts and computes right. */
  async function start(
    artifact: Artifact,
    ladder: readonly BackendName[],
    why: (backend: BackendName, reasons: readonly string[]) => string,
    signal: AbortSignal,
    onProgress?: (progress: LoadProgress) => void,
  ): Promise<Model> {
    const reasons: string[] = [];
    for (const backend of ladder) {
      try {
        return await readyOn(artifact, backend, why(backend, reasons), signal, onProgress);
      } catch (error) {
        if (backend === ladder.at(-1) || !isBackendsFault(error)) throw error;
        reasons.push((error as Error).message);
      }
    }
    throw new RangeError('A ladder of backends has at least one.');
  }

  /** The model on the same backend, started again, or on the next rung that works. */
  async function recovered(lost: Model, cause: Error, signal: AbortSignal): Promise<Model> {
    const { backend } = lost.info;
    losses.set(backend, (losses.get(backend) ?? 0) + 1);
    quietly(() => lost.dispose());
    quietly(() => stopBackend(backend));
    const here = gpusHere();
    const ladder = below(backend).filter(
      (name) => !isGpu(name) || ((losses.get(name) ?? 0) <= MAX_LOSSES && (name === backend || here.includes(name))),
    );
    const why = (name: BackendName, reasons: readonly string[]) =>
      [`"${name}" was started after "${backend}" had failed.`, cause.message, ...reasons].join(' ');
    model = await start(lost.artifact, ladder, why, signal);
    return model;
  }

  /** Work with the model that goes on with another one where a GPU fails. */
  async function surviving<T>(work: (model: Model) => Promise<T>, signal: AbortSignal): Promise<T> {
    for (let current = loaded(); ; ) {
      const { backend } = current.info;
      try {
        if (!current.isGone()) await useBackend(backend, backendOptions);
        const running = current;
        return await current.unlessLost(() => work(running));
      } catch (thrown) {
        throwIfAborted(signal);
        const error = isGpu(backend) ? asBackendsFault(thrown, backend) : thrown;
        if (!isGpu(backend) || !isBackendsFault(error)) throw error;
        current = await recovered(current, error as Error, signal);
      }
    }
  }

  /** Times every backend on the model and keeps the fastest. Runs between recommendations, each step in a turn of its own. */
  async function measure(artifact: Artifact): Promise<void> {
    const times = new Map<BackendName, number>();
    const rejected: string[] = [];
    const isSame = () => model?.artifact === artifact;
    await turn((signal) =>
      surviving(async (current) => {
        if (isSame()) times.set(current.info.backend, await timed(current, clock));
      }, signal),
    );
    for (const backend of LADDER) {
      if (!isSame()) return;
      if (times.has(backend) || (isGpu(backend) && !gpusHere().includes(backend))) continue;
      try {
        // A device that never opens must not keep a turn.
        const prepare = (signal: AbortSignal) => prepareBackend(backend, { ...backendOptions, signal });
        await withDeadline(prepare, backendDeadline, backend);
        await turn(async (signal) => {
          if (!isSame()) return;
          const rival = await readyOn(artifact, backend, '', signal);
          try {
            times.set(backend, await timed(rival, clock));
          } catch (error) {
            rival.dispose();
            throw error;
          }
          const isFaster = times.get(backend)! < WORTH_A_CHANGE * (times.get(model!.info.backend) ?? Infinity);
          (isFaster ? model! : rival).dispose();
          if (isFaster) model = rival;
          await useBackend(model!.info.backend, backendOptions);
        });
      } catch (error) {
        if (end.signal.aborted) return;
        rejected.push((asBackendsFault(error, backend) as Error).message);
      }
    }
    if (!isSame() || !times.has(model!.info.backend)) return;
    const { backend } = model!.info;
    const why = [`"${backend}" is the fastest here: ${inWords(times)}.`, ...rejected].join(' ');
    model = { ...model!, info: { ...model!.info, why } };
    await measured.write(keyOf(artifact), { backend, why, until: now() + VALID_FOR }).catch(() => {});
  }

  function measureLater(artifact: Artifact): void {
    clearTimeout(timer);
    timer = setTimeout(() => {
      measure(artifact).catch(() => {}); // what answers goes on answering
    }, 1000 * measureAfter);
  }

  async function remembered(artifact: Artifact): Promise<MeasuredBackend | undefined> {
    const choice = await measured.read(keyOf(artifact)).catch(() => undefined);
    return choice && choice.until > now() && LADDER.includes(choice.backend) ? choice : undefined;
  }

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
      const isMeasured = backend === 'auto' && isNeural(artifact) && gpusHere().length > 0;
      const known = isMeasured ? await remembered(artifact) : undefined;
      const ladder = known ? [...new Set([known.backend, ...FIRST])] : ladderOf(backend);
      const why = (name: BackendName, reasons: readonly string[]) =>
        reasons.length > 0
          ? `"${name}", since a faster one failed. ${reasons.join(' ')}`
          : (known?.why ?? initially(backend, name, isMeasured));
      return turn(async (ends) => {
        const next = await start(artifact, ladder, why, ends, onProgress);
        if (ends.aborted) {
          next.dispose();
          throw abortedError();
        }
        model?.dispose();
        model = next;
        if (isMeasured && next.info.backend !== known?.backend) measureLater(artifact);
        return next.info;
      }, signal);
    },
    recommend(request, { signal } = {}) {
      return turn(async (ends) => {
        loaded();
        const from = performance.now();
        return surviving(async (current) => {
          const items = await rank(current, request);
          throwIfAborted(ends);
          const { backend, why } = current.info;
          return { items, milliseconds: performance.now() - from, backend, why };
        }, ends);
      }, signal);
    },
    train(request, { signal, onProgress = () => {} } = {}) {
      return turn(async (ends) => {
        const ladder = ladderOf(request.backend);
        const backend = await firstThatStarts(ladder);
        // Gradients and optimisers are loaded where a model learns, and nowhere else.
        const { trainModel } = await import('./train');
        try {
          return await unlessLost(backend, runningBackend(backend)!, () =>
            trainModel(request, backend, ends, onProgress),
          );
        } catch (error) {
          if (!(error instanceof DeviceLost)) throw error;
          quietly(() => stopBackend(backend));
          throw new RecommenderError('engine-lost', `${error.message} Train again, or on another backend.`);
        }
      }, signal);
    },
    async catalogue() {
      assertAlive();
      return loaded().artifact.catalogue ?? [];
    },
    memory() {
      return turn(async () => {
        if (!model) return { tensors: 0, bytes: 0 };
        await useBackend(model.info.backend, backendOptions);
        const { numTensors, numBytes } = memory();
        return { tensors: numTensors, bytes: numBytes };
      });
    },
    async dispose() {
      if (end.signal.aborted) return;
      end.abort();
      clearTimeout(timer);
      // After the turn that may be running: it still reads the model.
      await inTurn(async () => model?.dispose());
      model = undefined;
    },
  };
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

function initially(choice: BackendChoice, backend: BackendName, isMeasured: boolean): string {
  if (choice !== 'auto') return `"${backend}" was asked for.`;
  return isMeasured
    ? `"${backend}" starts the fastest; which one answers the fastest is being measured.`
    : `"${backend}" is the fastest that this device has.`;
}

/** Freeing what a lost device held may fail, and need not succeed. */
function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // it is gone with the device
  }
}
