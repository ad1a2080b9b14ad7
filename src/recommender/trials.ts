/**
 * Benchmarks backends on the visitor's device in a second worker, when the page is idle, once a week. Before a GPU is tried, a mark
 * is stored, and removed afterwards. If the tab crashes meanwhile, the next page finds the mark and does not use that GPU. Loaded
 * only if there are backends to try.
 */

import { type BackendName, isGpu } from '../compute/types';
import type { ModelInfo, ModelSource, Moved } from '../engine/types';
import { RecommenderError } from '../errors';
import type { DeviceNotes } from '../store/device-notes';
import type { WorkerEngine } from '../worker/client';
import type { Rival } from '../worker/types';
import {
  BACKENDS,
  chosen,
  type DeviceRecord,
  recordOf,
  trying,
  VALID_FOR,
  withChoice,
  withRefusal,
} from './device-record';
import { whenIdle } from './idle';

export interface TrialsOptions {
  readonly engine: Pick<WorkerEngine, 'device' | 'rival'>;
  readonly notes: DeviceNotes;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Settles when the page is idle. */
  readonly idle?: () => Promise<unknown>;
}

export interface Trials {
  /**
   * The fastest backend for a loaded model, stored or else measured. If it is another one, it answers from now on.
   *
   * @returns The model on its backend now, with the reason in `why`; undefined if no backend may be tried.
   * @throws The error of a second worker that cannot load the model; RecommenderError `no-backend` if no backend could be measured.
   */
  fastest(model: ModelInfo, source: ModelSource): Promise<ModelInfo | undefined>;
  /**
   * Work that starts a GPU that was requested by name.
   *
   * @throws RecommenderError `no-backend` if the page crashed when it was tried last.
   */
  guarded<T>(backend: BackendName, work: () => Promise<T>): Promise<T>;
  /** Does not try a backend for a week. */
  refuse(backend: BackendName, why: string): Promise<void>;
  /** Removes the mark of an abandoned trial. Call it before the notes are closed. */
  close(): Promise<void>;
}

/** Part of every choice's key: raise it if a release changes the speed of a backend. */
const EDITION = 2;
/** A backend that is not faster by this factor does not replace the running one. */
const WORTH_A_CHANGE = 0.9;

export function createTrials({ engine, notes, now, idle = whenIdle }: TrialsOptions): Trials {
  /** Reads nothing of another life: a read would create the erased database again. */
  const read = async (life = notes.life): Promise<DeviceRecord> =>
    recordOf(life === notes.life ? await notes.read(BACKENDS) : undefined, now());
  async function change(how: (record: DeviceRecord) => DeviceRecord, life: number): Promise<void> {
    await notes.write(BACKENDS, how(await read(life)), life);
  }
  const refuse = (backend: BackendName, why: string, life = notes.life): Promise<void> =>
    change((record) => withRefusal(record, { backend, why, until: now() + VALID_FOR }), life);

  /** Call it while no other page tries a backend: a mark that it finds was left by a tab that crashed. */
  async function remembered(): Promise<DeviceRecord> {
    const { trying: dead } = await read();
    if (dead) await refuse(dead, `"${dead}" is left alone, since the page ended when it was tried last.`);
    return read();
  }

  /** Removes the mark. */
  let unmark: (() => Promise<void>) | undefined;

  /** Work that starts a backend, under a mark if that is a GPU. */
  async function marked<T>(backend: BackendName, work: () => Promise<T>, life: number): Promise<T> {
    if (!isGpu(backend)) return work();
    const before = trying(await read(life), undefined);
    // Leaving a page is not a crash. There is no time to read first.
    const leave = () => notes.write(BACKENDS, before, life);
    unmark = leave;
    globalThis.addEventListener?.('pagehide', leave);
    try {
      await notes.write(BACKENDS, trying(before, backend), life);
      return await work();
    } finally {
      globalThis.removeEventListener?.('pagehide', leave);
      await change((record) => trying(record, undefined), life);
      unmark = undefined; // not before: who closes meanwhile must not close the notes before this is written
    }
  }

  async function fastest(model: ModelInfo, source: ModelSource): Promise<ModelInfo | undefined> {
    const { life } = notes;
    const { architecture, name, version } = model;
    const key = JSON.stringify([EDITION, architecture, name, version]);
    const record = await remembered();
    const device = await engine.device();
    const known = chosen(record, key, device);
    if (known?.backend === model.backend) return { ...model, why: known.why };

    let rival: Rival | undefined;
    /** A second worker with the model: another one if the last has crashed. */
    async function ready(): Promise<Rival['engine']> {
      if (!rival || rival.isLost) {
        const next = await engine.rival();
        try {
          const avoid = record.refusals.map(({ backend }) => backend);
          const other = await next.engine.load({ ...source, backend: 'auto', avoid });
          if (other.version !== version || other.name !== name) {
            throw new RecommenderError(
              'bad-artifact',
              'The server has got another model since the page loaded its own.',
            );
          }
        } catch (error) {
          next.close(); // a worker without the model is no rival, even if who asked goes on
          throw error;
        }
        rival = next;
      }
      return rival.engine;
    }
    async function moved(backend: BackendName, why?: string): Promise<Moved> {
      const beside = await ready();
      const move = () => beside.move({ backend, ...(why !== undefined && { why }) });
      return marked(backend, move, life).catch(async (error) => {
        // The worker crashed: next time it could be the page.
        if (codeOf(error) === 'engine-lost') await refuse(backend, crashOf(backend, error), life);
        throw error;
      });
    }
    async function takeOver(backend: BackendName, why: string): Promise<ModelInfo> {
      const { model } = await moved(backend, why);
      rival!.takeOver();
      return model;
    }

    try {
      if (known) {
        const taken = await takeOver(known.backend, known.why).catch(() => undefined);
        if (taken) return taken;
      }
      const failures = record.refusals.map(({ why }) => why);
      const times = new Map<BackendName, number>();
      for (const backend of model.candidates) {
        if (record.refusals.some((refusal) => refusal.backend === backend)) continue;
        await idle();
        await ready(); // what fails here is not the backend's fault
        try {
          times.set(backend, (await moved(backend)).milliseconds);
        } catch (error) {
          if (codeOf(error) === 'disposed') throw error;
          failures.push(codeOf(error) === 'engine-lost' ? crashOf(backend, error) : (error as Error).message);
        }
      }
      const winner = best(times, model.backend);
      if (!winner && failures.length > record.refusals.length) {
        throw new RecommenderError('no-backend', failures.join(' '));
      }
      if (!winner) return undefined;
      const why = [inWords(winner, times), ...failures].join(' ');
      const taken = winner === model.backend ? { ...model, why } : await takeOver(winner, why);
      const choice = { model: key, device, backend: winner, why, until: now() + VALID_FOR };
      await change((latest) => withChoice(latest, choice), life);
      return taken;
    } finally {
      rival?.close();
    }
  }

  return {
    fastest: (model, source) => alone({}, () => fastest(model, source)),
    guarded: (backend, work) =>
      alone({ ifAvailable: true }, async (isAlone) => {
        if (!isAlone) return work(); // another open page has set the mark
        const refusal = (await remembered()).refusals.find((one) => one.backend === backend);
        if (refusal) throw new RecommenderError('no-backend', refusal.why);
        return marked(backend, work, notes.life);
      }),
    refuse,
    close: async () => unmark?.(),
  };
}

const codeOf = (error: unknown): string | undefined => (error instanceof RecommenderError ? error.code : undefined);

const crashOf = (backend: BackendName, error: unknown): string =>
  `"${backend}" is left alone, since its worker crashed: ${(error as Error).message}`;

/** The fastest, or the running one if it is hardly slower; undefined if nothing could be compared. */
function best(times: ReadonlyMap<BackendName, number>, running: BackendName): BackendName | undefined {
  const [fastest] = [...times].sort(([, a], [, b]) => a - b);
  if (!fastest) return undefined;
  const [backend, time] = fastest;
  return time < WORTH_A_CHANGE * (times.get(running) ?? Number.POSITIVE_INFINITY) ? backend : running;
}

/** `"webgl" is the fastest here: webgl 1.4 ms, wasm 2.1 ms.` */
function inWords(winner: BackendName, times: ReadonlyMap<BackendName, number>): string {
  const sorted = [...times].sort(([, a], [, b]) => a - b);
  const list = sorted.map(([backend, time]) => `${backend} ${time.toFixed(1)} ms`).join(', ');
  return sorted[0]![0] === winner
    ? `"${winner}" is the fastest here: ${list}.`
    : `"${winner}" stays, since none is faster by a tenth: ${list}.`;
}

/**
 * Runs work while no other page of this origin does, because trials in two tabs slow each other down. A tab that dies releases its
 * lock, so a mark that is found under the lock means that its tab crashed. Without Web Locks every tab counts as alone.
 *
 * @see https://www.w3.org/TR/web-locks/
 */
async function alone<T>(options: LockOptions, work: (isAlone: boolean) => Promise<T>): Promise<T> {
  let isAsked = false;
  try {
    return await navigator.locks.request('aisle-trials', options, (lock) => {
      isAsked = true;
      return work(lock !== null);
    });
  } catch (error) {
    if (isAsked) throw error;
    return work(true);
  }
}
