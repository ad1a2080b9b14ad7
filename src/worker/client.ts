/**
 * The page's end of the engine: starts the worker, restarts it when it crashes, and runs the same engine in the page's
 * own thread if no worker can start. Contains no tensor library; the engine of the page's own thread is a separate chunk.
 */

import { abortable } from '../abort';
import type { Control, Engine, LoadOptions, ModelInfo } from '../engine/types';
import { quiet, RecommenderError, reasonOf } from '../errors';
import { loaded } from '../loaded';
import { workerHint } from './files';
import { closeOnceStarted, startWorker } from './host';
import { engineOf, type Method, type Progress, type Result, type Sent } from './protocol';
import type { DedicatedWorkers, EngineHost, HostOptions, Rival } from './types';

/** A degraded state and its reason. The codes are stable. */
export interface EngineDegradation {
  readonly code: 'no-worker' | 'worker-restarted';
  readonly message: string;
}

export interface WorkerEngineOptions extends HostOptions {
  /** Number of restarts after crashes. Default 3. */
  readonly maxRestarts?: number | undefined;
  readonly onDegraded?: ((degradation: EngineDegradation) => void) | undefined;
  /** The model was loaded again after a crash, perhaps on another backend. */
  readonly onReloaded?: ((model: ModelInfo) => void) | undefined;
}

export interface WorkerEngine extends Engine {
  /** The thread that runs the calls, once the engine has started. */
  thread(): Promise<'worker' | 'main'>;
  /** Gets the artifact's files, so that it need not fetch them. @throws If no worker can start. */
  rival(): Promise<Rival>;
}

/** Answers since the last crash after which earlier crashes no longer count. */
const GOOD_ANSWERS = 20;
/** The method that must not run twice; the others can be repeated safely. */
const ONCE: Method = 'move';
/** What a worker that starts or takes over gets again: the last call of each of these methods. */
const STATE: readonly Method[] = ['setAdapter', 'setCatalogue', 'updateProducts'];

const besides = () => loaded(import('./dedicated-worker'));

/**
 * Starts an engine in a worker. Returns at once; calls wait for the start.
 *
 * A worker that crashes is started again and loads its model again; a call that was waiting is repeated once, and rejects
 * with `engine-lost` if that fails too. One that crashes more than `maxRestarts` times, without 20 answers in between, is
 * given up: from then on the page's own thread computes, and `onDegraded` gets `no-worker`. If it hung among these, nothing
 * computes any more, because the page would hang: every call rejects with `engine-lost`. After the second crash the model is
 * loaded on `auto`: a backend that crashes the worker must not crash the page.
 */
export function startWorkerEngine(options: WorkerEngineOptions = {}): WorkerEngine {
  const { maxRestarts = 3, onDegraded = () => {}, onReloaded = () => {} } = options;
  let current: Promise<EngineHost> | undefined;
  /** The host that was started last: it may be loading its model. */
  let newest: EngineHost | undefined;
  const dedicated: DedicatedWorkers = { options, running: new Set(), ended: () => ended, replaceWith };
  let lastLoad: LoadOptions | undefined;
  const state = new Map<Method, readonly unknown[]>();
  let restarts = 0;
  let answers = 0; // since the last crash
  /** Set after too many crashes: no worker is started any more. */
  let givenUp: string | undefined;
  /** Whether one of these did not end what it computed. */
  let hasHung = false;
  /** Set when the client is disposed: no call is answered any more. */
  let ended: RecommenderError | undefined;

  /** The running host. If there is none, starts one and loads its model again. */
  function host(): Promise<EngineHost> {
    if (ended) return Promise.reject(ended);
    current ??= start();
    const started = current;
    // Every call comes through here: it must not need `catch`, which the page may have replaced.
    quiet(async () => {
      try {
        await started;
      } catch {
        if (current === started) current = undefined; // a later call tries again
      }
    });
    return started;
  }

  async function start(): Promise<EngineHost> {
    const started = await startAnywhere();
    newest = started;
    try {
      if (ended) throw ended;
      if (lastLoad) {
        const model = await started.call('load', [restarts > 1 ? { ...lastLoad, backend: 'auto' } : lastLoad]);
        if (ended) throw ended;
        onReloaded(model);
      }
      return await withState(started);
    } catch (error) {
      started.close(error as Error);
      throw error;
    }
  }

  /** An adapter fits one model: if the server has another model now, it answers without the adapter. */
  async function withState(started: EngineHost): Promise<EngineHost> {
    for (const [method, args] of state) if (args[0]) await quiet(() => started.call(method, args as never));
    return started;
  }

  async function startAnywhere(): Promise<EngineHost> {
    let why = givenUp;
    if (why === undefined) {
      try {
        return Object.assign(await startWorker(options), { onLost: crashed });
      } catch (error) {
        why = reasonOf(error);
      }
    }
    if (hasHung) {
      throw new RecommenderError('engine-lost', `${why}. A worker hung: so would the page.`);
    }
    const hint = options.workerUrl === undefined ? workerHint : '';
    const { startHere } = await loaded(import('./main-thread'));
    onDegraded({ code: 'no-worker', message: `The engine runs in the page's own thread: ${why}${hint}` });
    return startHere();
  }

  function crashed(why: string, isHung: boolean): void {
    if (ended) return;
    current = undefined;
    restarts++;
    answers = 0;
    hasHung ||= isHung;
    if (restarts > maxRestarts) givenUp = `the worker crashed ${restarts} times, last: ${why}`;
    else onDegraded({ code: 'worker-restarted', message: `The worker was started again: ${why}` });
    quiet(host); // so that the next call need not wait for the start
  }

  async function call<M extends Method>(method: M, args: Sent<M>, control?: Control<Progress<M>>): Promise<Result<M>> {
    if (!STATE.includes(method)) return callHost(method, args, control);
    // Set before the call: a worker that starts or takes over meanwhile must not get the former state.
    const before = state.get(method) ?? [];
    const now: readonly unknown[] = args;
    state.set(method, now);
    try {
      return await callHost(method, args, control);
    } catch (error) {
      if (state.get(method) === now && now[0]) state.set(method, before);
      throw error;
    }
  }

  async function callHost<M extends Method>(
    method: M,
    args: Sent<M>,
    control?: Control<Progress<M>>,
  ): Promise<Result<M>> {
    for (let attempt = 1; ; attempt++) {
      let lost: () => boolean = () => true;
      try {
        const started = await abortable(host(), control?.signal);
        lost = () => started.lost;
        const result = await started.call(method, args, control);
        if (method === 'load') lastLoad = args[0] as LoadOptions;
        answers++;
        if (answers === GOOD_ANSWERS) [restarts, hasHung] = [0, false];
        return result;
      } catch (error) {
        const isLost = error instanceof RecommenderError && error.code === 'engine-lost' && lost();
        if (!isLost || ended || attempt > 1 || method === ONCE) throw error;
      }
    }
  }

  /** @returns The former host. */
  function replaceWith(started: EngineHost): Promise<EngineHost> | undefined {
    const before = current;
    current = withState(started);
    started.onLost = crashed;
    return before;
  }

  async function dispose(): Promise<void> {
    if (ended) return;
    const reason = new RecommenderError('disposed', 'The engine was disposed.');
    ended = reason;
    const running = current;
    current = undefined;
    for (const starting of dedicated.running) closeOnceStarted(starting, reason);
    newest?.close(reason);
    // A starting host closes itself.
    await quiet(() => running?.then((started) => started.close(reason)));
  }

  const rival = async () => (await besides()).startRival(dedicated, await callHost('artifactFiles', []));

  return engineOf(call, { dispose, rival, thread: async () => (await host()).thread });
}
