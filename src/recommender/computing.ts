/** Loads the model, follows the engine to other backends, and has the fastest backend found later. */

import { type BackendChoice, type BackendName, isGpu } from '../compute/types';
import type { Control, LoadProgress, ModelInfo, ModelSource, Recommendations, RecommendRequest } from '../engine/types';
import { quiet, RecommenderError, reasonOf } from '../errors';
import { loaded } from '../loaded';
import type { DeviceNotes } from '../store/device-notes';
import { sleep } from '../store/waiting';
import type { WorkerEngine } from '../worker/client';
import { whenIdle } from './idle';
import type { Trials } from './trials';
import type { DegradationCode, Status } from './types';

export interface ComputingOptions {
  readonly engine: WorkerEngine;
  readonly notes: DeviceNotes;
  readonly model: ModelSource;
  readonly backend: BackendChoice;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly onProgress: (progress: LoadProgress) => void;
  readonly update: (change: Required<Pick<Status, 'model' | 'engine'>>) => void;
  readonly degrade: (code: DegradationCode, message: string) => void;
  /** The engine has stopped using the adapter. */
  readonly onRefusedAdapter: (why: string) => void;
}

/** The part of each answer that names its backend. */
type Origin = Pick<ModelInfo, 'backend' | 'why'>;

/** Milliseconds without a request after which the page counts as idle. */
const PATIENCE = 3000;

export function createComputing(options: ComputingOptions) {
  const {
    engine,
    notes,
    model: source,
    backend: requested,
    now,
    onProgress,
    update,
    degrade,
    onRefusedAdapter,
  } = options;
  let shown: Required<Pick<Status, 'model' | 'engine'>> | undefined;
  /** The origin that the engine reported last. */
  let lastOrigin = '';
  /** Counts moves. A request from before a move may be answered on the former backend. */
  let moves = 0;
  let hasAnswered = () => {};
  const answered = new Promise<void>((resolve) => {
    hasAnswered = resolve;
  });
  let trials: Promise<Trials> | undefined;
  /** Loaded only if there are backends to try; after a failure, the next call tries again. */
  function loadTrials(): Promise<Trials> {
    trials ??= loaded(import('./trials')).then(({ createTrials }) => createTrials({ engine, notes, now }));
    trials.catch(() => {
      trials = undefined;
    });
    return trials;
  }

  function show(model: ModelInfo, thread: 'worker' | 'main'): void {
    shown = { model, engine: { backend: model.backend, thread, why: model.why } };
    update(shown);
  }

  /** Shows a new backend that the engine has reported; with a model, its worker has crashed, and `why` is of the new one. */
  function follow({ backend, why }: Origin, model?: ModelInfo): void {
    if (!shown || (lastOrigin === backend + why && !model)) return;
    lastOrigin = backend + why;
    const before = shown.model.backend;
    show({ ...(model ?? shown.model), backend, why }, shown.engine.thread);
    if (backend !== before) failed(before, model ? `"${before}" crashed its worker.` : why);
  }

  /** A backend that had worked has failed. */
  function failed(backend: BackendName, why: string): void {
    if (backend === requested) degrade('no-backend', why);
    if (!isGpu(backend)) return;
    quiet(async () => (await loadTrials()).refuse(backend, why)); // else it may be tried again
  }

  /** Loads on the requested backend, or on another one if it cannot start. */
  async function load(): Promise<ModelInfo> {
    const on = (backend: BackendChoice, avoid: readonly BackendName[] = []) =>
      engine.load({ ...source, backend, avoid }, { onProgress });
    if (requested === 'auto') return on('auto');
    try {
      // If the guard's code cannot be loaded, the GPU starts without it, because it was requested.
      const guard = isGpu(requested) ? await loadTrials().catch(() => undefined) : undefined;
      return await (guard ? guard.guarded(requested, () => on(requested)) : on(requested));
    } catch (error) {
      // A GPU may crash its worker.
      const codes = isGpu(requested) ? ['no-backend', 'engine-lost'] : ['no-backend'];
      if (!(error instanceof RecommenderError && codes.includes(error.code))) throw error;
      degrade('no-backend', error.message);
      return on('auto', [requested]);
    }
  }

  /** Finds the fastest backend: only in a worker, because trials would block the page, and not if the visitor saves data. */
  async function settle(model: ModelInfo): Promise<void> {
    await Promise.race([answered, sleep(PATIENCE).over]);
    await whenIdle();
    // The diagnosis is loaded for every visitor: a request must not tell that ids are unknown.
    quiet(() => engine.loadedFiles());
    const isChosen = model.backend === requested || model.candidates.length < 2;
    if (isChosen || shown?.engine.thread !== 'worker' || savesData()) return;
    const found = await (await loadTrials()).fastest(model, source);
    if (!found || !shown) return;
    moves++;
    // If the model has not moved, the engine keeps reporting the former reason.
    if (found.backend !== model.backend) lastOrigin = found.backend + found.why;
    show(found, shown.engine.thread);
  }

  return {
    /** Loads the model. Call it again only after a failure. */
    async start(): Promise<ModelInfo> {
      const model = await load();
      lastOrigin = model.backend + model.why;
      show(model, await engine.thread());
      quiet(() =>
        settle(model).catch((error) => {
          const message = `The fastest backend is not known; "${model.backend}" goes on.`;
          degrade('trials-failed', `${message} ${reasonOf(error)}`);
        }),
      ); // the page may forbid reporting it
      return model;
    },
    /** Asks the engine, and follows it to another backend. */
    async recommend(request: RecommendRequest, control?: Control): Promise<Recommendations> {
      const before = moves;
      const answer = await engine.recommend(request, control);
      hasAnswered();
      if (before === moves) follow(answer);
      if (answer.missing) degrade('no-strategy', answer.missing);
      if (answer.refusedAdapter !== undefined) onRefusedAdapter(answer.refusedAdapter);
      return answer;
    },
    products: (ids: readonly string[]) => engine.products(ids),
    /** Call it before the notes are closed. Never rejects. */
    close: async (): Promise<void> => (await trials?.catch(() => undefined))?.close(),
    /** The model was loaded again after a crash, perhaps in another version. */
    reloaded: (model: ModelInfo) => follow(model, model),
    /** The worker could not be restarted, so the page's own thread computes. */
    movedHere(): void {
      if (shown && shown.engine.thread !== 'main') show(shown.model, 'main');
    },
  };
}

/** https://wicg.github.io/savedata/ */
export function savesData(): boolean {
  try {
    return (navigator as { connection?: { saveData?: unknown } }).connection?.saveData === true;
  } catch {
    return false;
  }
}
