/** What computes: loads the model, follows it where the engine moves it, and has the fastest backend found later. */

import { type BackendChoice, type BackendName, isGpu } from '../compute/types';
import type { Control, LoadProgress, ModelInfo, Recommendations, RecommendRequest } from '../engine/types';
import { RecommenderError, reasonOf } from '../errors';
import type { DeviceNotes } from '../store/device-notes';
import type { WorkerEngine } from '../worker/client';
import type { Trials } from './trials';
import type { Status } from './types';

export interface ComputingOptions {
  readonly engine: WorkerEngine;
  readonly notes: DeviceNotes;
  readonly modelUrl: string;
  readonly backend: BackendChoice;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly onProgress: (progress: LoadProgress) => void;
  readonly onChange: (change: Required<Pick<Status, 'model' | 'engine'>>) => void;
  readonly onDegraded: (code: string, message: string) => void;
  /** What was learnt is not used any more. */
  readonly onRefusedAdapter: (why: string) => void;
}

/** What says, with each answer, what computed it. */
type Said = Pick<ModelInfo, 'backend' | 'why'>;

/** Milliseconds after which a page that asks for nothing is taken for idle. */
const PATIENCE = 3000;

export function createComputing(options: ComputingOptions) {
  const { engine, notes, modelUrl, backend: asked, now, onProgress, onChange, onDegraded, onRefusedAdapter } = options;
  let shown: Required<Pick<Status, 'model' | 'engine'>> | undefined;
  /** What the engine said last. */
  let said = '';
  /** Counts moves that were ordered: what was asked before one is answered where the model was then. */
  let moves = 0;
  let hasAnswered = () => {};
  const answered = new Promise<void>((resolve) => {
    hasAnswered = resolve;
  });
  let trials: Promise<Trials> | undefined;
  /** Loaded where there is something to try, and nowhere else; where that failed, again the next time. */
  function loadTrials(): Promise<Trials> {
    trials ??= import('./trials').then(({ createTrials }) => createTrials({ engine, notes, now }));
    trials.catch(() => {
      trials = undefined;
    });
    return trials;
  }

  function show(model: ModelInfo, thread: 'worker' | 'main'): void {
    shown = { model, engine: { backend: model.backend, thread, why: model.why } };
    onChange(shown);
  }

  /** The engine says where the model is, perhaps not where it was, and perhaps that it is another. */
  function follow({ backend, why }: Said, model?: ModelInfo): void {
    if (!shown || (said === backend + why && !model)) return;
    said = backend + why;
    const before = shown.model.backend;
    show({ ...(model ?? shown.model), backend, why }, shown.engine.thread);
    if (backend !== before) failed(before, why);
  }

  /** A backend that had worked works no more. */
  function failed(backend: BackendName, why: string): void {
    if (backend === asked) onDegraded('no-backend', why);
    if (!isGpu(backend)) return;
    loadTrials()
      .then((loaded) => loaded.refuse(backend, why))
      .catch(() => {}); // it may be tried again, then
  }

  /** A backend that was asked for and cannot start is no reason to recommend nothing. */
  async function load(): Promise<ModelInfo> {
    const on = (backend: BackendChoice, avoid: readonly BackendName[] = []) =>
      engine.load({ modelUrl, backend, avoid }, { onProgress });
    if (asked === 'auto') return on('auto');
    try {
      // Without the code that guards a GPU, it is started all the same: it was asked for.
      const guard = isGpu(asked) ? await loadTrials().catch(() => undefined) : undefined;
      return await (guard ? guard.guarded(asked, () => on(asked)) : on(asked));
    } catch (error) {
      // A GPU may take its worker along.
      const codes = isGpu(asked) ? ['no-backend', 'engine-lost'] : ['no-backend'];
      if (!(error instanceof RecommenderError && codes.includes(error.code))) throw error;
      onDegraded('no-backend', error.message);
      return on('auto', [asked]);
    }
  }

  /** Only in a worker, since the page's own thread must not be held up; and not where visitors pay for every byte. */
  async function settle(model: ModelInfo): Promise<void> {
    const isChosen = model.backend === asked || model.candidates.length < 2;
    if (isChosen || shown?.engine.thread !== 'worker' || savesData()) return;
    await Promise.race([answered, new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
    const found = await (await loadTrials()).fastest(model, modelUrl);
    if (!found || !shown) return;
    moves++;
    // Where the model has not moved, the engine goes on to say what it said.
    if (found.backend !== model.backend) said = found.backend + found.why;
    show(found, shown.engine.thread);
  }

  return {
    /** Loads the model; again only where that failed. */
    async start(): Promise<ModelInfo> {
      const model = await load();
      said = model.backend + model.why;
      show(model, await engine.thread());
      settle(model)
        .catch((error) => {
          const message = `Which backend is the fastest could not be found out; "${model.backend}" goes on.`;
          onDegraded('trials-failed', `${message} ${reasonOf(error)}`);
        })
        .catch(() => {}); // a page in which nothing can be told
      return model;
    },
    /** Asks the engine, and follows it to where it answers from. */
    async recommend(request: RecommendRequest, control?: Control): Promise<Recommendations> {
      const asked = moves;
      const answer = await engine.recommend(request, control);
      hasAnswered();
      if (asked === moves) follow(answer);
      if (answer.refusedAdapter !== undefined) onRefusedAdapter(answer.refusedAdapter);
      return answer;
    },
    products: (ids: readonly string[]) => engine.products(ids),
    /** To be called before the notes are closed. Never rejects. */
    close: async (): Promise<void> => (await trials?.catch(() => undefined))?.close(),
    /** The model was loaded again, after a crash: the one that the server has now. */
    reloaded: (model: ModelInfo) => follow(model, model),
    /** No worker could be started again, long after the first start. */
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
