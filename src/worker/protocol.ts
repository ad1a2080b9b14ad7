/**
 * The engine behind a message port. The messages are derived from the `Engine` interface, so that a method added there
 * crosses the port without a line here: `connect` gives an `Engine` whose calls become messages, `serve` carries them
 * out.
 *
 * The served end says `ready` once; the caller's end answers with the `WorkerSetup`, and calls follow.
 *
 * A call has an id; its answer, its error and its progress carry the same one. Aborting a call sends `cancel` and
 * rejects at once: what still arrives under its id is dropped.
 */

import { hasOwn } from '../captured';
import type { Control, Engine } from '../engine/types';
import { abortedError, type ErrorCode, RecommenderError, reasonOf } from '../errors';

/** An artifact's files by their addresses. */
export type ArtifactFiles = ReadonlyMap<string, Blob>;

/** What a worker needs from the page before its first call. */
export interface WorkerSetup {
  /** Absolute address of the worker's script. Files that are not in `urls` are beside it. */
  readonly worker: string;
  /** Addresses of the worker's parts and WASM modules, absolute or paths, by their names relative to its script. */
  readonly urls: Readonly<Record<string, string>>;
  /** Files of the artifact that another worker has loaded. */
  readonly artifact?: ArtifactFiles | undefined;
}

/** The engine as a worker serves it: it can pass the artifact's files to another worker. */
export interface ServedEngine extends Engine {
  artifactFiles(): Promise<ArtifactFiles>;
}

export type Method = keyof ServedEngine;
/** A method's arguments as they are sent: the plain data before its `Control`. */
export type Sent<M extends Method> = Parameters<ServedEngine[M]> extends [infer Data, ...unknown[]] ? [Data] : [];
export type Result<M extends Method> = Awaited<ReturnType<ServedEngine[M]>>;
/** What a method reports while it runs. */
export type Progress<M extends Method> =
  Parameters<ServedEngine[M]> extends [unknown, Control<infer P>?] ? ([P] extends [never] ? never : P) : never;

/** A request for each method. `progress`: whether the caller listens to progress. */
export type Call = {
  [M in Method]: { readonly id: number; readonly method: M; readonly args: Sent<M>; readonly progress: boolean };
}[Method];
export type ToEngine =
  | { readonly setup: WorkerSetup }
  | Call
  | { readonly id: number; readonly cancel: true }
  | { readonly ping: number };

/** The answers: one result or error for each call. */
export type Answer =
  | { [M in Method]: { readonly id: number; readonly result: Result<M> } }[Method]
  | { readonly id: number; readonly error: ErrorData };
export type Report = { [M in Method]: { readonly id: number; readonly progress: Progress<M> } }[Method];
export type FromEngine = Answer | Report | { readonly ready: true } | { readonly pong: number };

/** An error as plain data: a page branches on `code`, which structured cloning would lose. */
export interface ErrorData {
  readonly kind: 'recommender' | 'range' | 'other';
  readonly code?: ErrorCode;
  readonly message: string;
}

/** The part of `MessagePort`, `Worker` and a worker's own scope that the protocol needs. */
export interface Port {
  postMessage(message: unknown): void;
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
  removeEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
}

function errorData(error: unknown): ErrorData {
  if (error instanceof RecommenderError) return { kind: 'recommender', code: error.code, message: error.message };
  if (error instanceof RangeError) return { kind: 'range', message: error.message };
  return { kind: 'other', message: reasonOf(error) };
}

function errorOf({ kind, code, message }: ErrorData): Error {
  if (kind === 'recommender' && code) return new RecommenderError(code, message);
  return kind === 'range' ? new RangeError(message) : new Error(message);
}

/** Marks a port that is served, for every copy of this module. */
const SERVED = Symbol.for('aisle.served');

/**
 * Says `ready` once, starts an engine when the setup arrives, and carries out the calls that arrive at `port`.
 *
 * @returns Stops listening and aborts the calls that are running.
 * @throws Error if the port is served already: a script that runs twice in one worker would answer every call twice.
 */
export function serve(start: (setup: WorkerSetup) => ServedEngine, port: Port & { [SERVED]?: boolean }): () => void {
  if (port[SERVED]) throw new Error("The engine's script ran twice in one worker. Load it once, from one address.");
  port[SERVED] = true;
  const running = new Map<number, AbortController>();
  let begin: (setup: WorkerSetup) => void = () => {};
  const started = new Promise<WorkerSetup>((resolve) => {
    begin = resolve;
  }).then(start);

  async function run({ id, method, args, progress }: Call): Promise<void> {
    const abort = new AbortController();
    running.set(id, abort);
    const report = (value: unknown) => running.has(id) && port.postMessage({ id, progress: value });
    const control: Control<unknown> = { signal: abort.signal, ...(progress ? { onProgress: report } : {}) };
    try {
      const engine = await started;
      // Anyone may hold the port, so only the engine's own methods can be called.
      const call = hasOwn(engine, method) ? engine[method] : undefined;
      if (typeof call !== 'function') throw new RangeError(`The engine has no method "${String(method)}".`);
      const result = await (call as (...args: unknown[]) => Promise<unknown>).call(engine, ...args, control);
      if (running.has(id)) port.postMessage({ id, result });
    } catch (error) {
      if (running.has(id)) port.postMessage({ id, error: errorData(error) });
    } finally {
      running.delete(id);
    }
  }

  function listen({ data }: MessageEvent<ToEngine>): void {
    if ('ping' in data) port.postMessage({ pong: data.ping });
    else if ('setup' in data) begin(data.setup);
    else if ('cancel' in data) {
      const abort = running.get(data.id);
      running.delete(data.id); // its answer is dropped
      abort?.abort();
    } else void run(data);
  }

  port.addEventListener('message', listen);
  port.postMessage({ ready: true });
  return () => {
    port[SERVED] = false;
    port.removeEventListener('message', listen);
    for (const abort of running.values()) abort.abort();
    running.clear();
  };
}

interface Pending {
  resolve(result: unknown): void;
  reject(error: unknown): void;
  readonly report: ((progress: unknown) => void) | undefined;
}

/** The caller's end of a port. */
export interface Connection {
  /** Settles when the other end says that it is ready. */
  readonly ready: Promise<void>;
  /** Calls a method of the engine at the other end. */
  call<M extends Method>(method: M, args: Sent<M>, control?: Control<Progress<M>>): Promise<Result<M>>;
  /** Settles when the other end answers, which it does between two pieces of work. */
  ping(): Promise<void>;
  /** Number of calls that wait for an answer. */
  readonly waiting: number;
  /** Ends the connection: every call that waits, and every later one, rejects with `reason`. */
  close(reason: Error): void;
}

/**
 * @param setup What the other end gets when it is ready.
 * @param onMessage Called for every message that arrives: its sender is alive.
 */
export function connect(port: Port, setup: WorkerSetup, onMessage: () => void = () => {}): Connection {
  // Objects without a prototype: a page may replace the methods of maps.
  const pending: Record<number, Pending> = { __proto__: null } as never;
  const pings: Record<number, () => void> = { __proto__: null } as never;
  let waiting = 0;
  let nextId = 1;
  let closed: Error | undefined;
  let begin = () => {};
  const ready = new Promise<void>((resolve) => {
    begin = () => {
      begin = () => {}; // a second `ready` does nothing
      port.postMessage({ setup });
      resolve();
    };
  });

  function listen(event: MessageEvent<FromEngine>): void {
    try {
      const { data } = event;
      onMessage();
      if ('ready' in data) begin();
      else if ('pong' in data) {
        pings[data.pong]?.();
        delete pings[data.pong];
      } else settle(data);
    } catch {
      // The page has broken what this needs: the other end counts as silent.
    }
  }

  function settle(message: Answer | Report): void {
    const call = pending[message.id];
    if (!call) return; // aborted meanwhile
    if ('progress' in message) {
      call.report?.(message.progress);
      return;
    }
    remove(message.id);
    if ('error' in message) call.reject(errorOf(message.error));
    else call.resolve(message.result);
  }
  function remove(id: number): void {
    if (pending[id]) waiting--;
    delete pending[id];
  }
  port.addEventListener('message', listen);

  return {
    ready,
    get waiting() {
      return waiting;
    },
    call(method, args, control) {
      const { signal, onProgress } = (control ?? {}) as Control<unknown>;
      return new Promise((resolve, reject) => {
        if (closed) return reject(closed);
        if (signal?.aborted) return reject(abortedError());
        const id = nextId++;
        const cancel = () => {
          remove(id);
          port.postMessage({ id, cancel: true });
          reject(abortedError());
        };
        const ended =
          <T>(done: (value: T) => void) =>
          (value: T) => {
            done(value);
            signal?.removeEventListener('abort', cancel);
          };
        signal?.addEventListener('abort', cancel, { once: true });
        pending[id] = {
          resolve: ended(resolve as (result: unknown) => void),
          reject: ended(reject),
          report: onProgress,
        };
        waiting++;
        try {
          port.postMessage({ id, method, args, progress: onProgress !== undefined });
        } catch (error) {
          // What cannot be cloned cannot be sent.
          remove(id);
          ended(reject)(new RangeError(`${method}: the arguments must be plain data; ${reasonOf(error)}`));
        }
      });
    },
    ping() {
      if (closed) return Promise.reject(closed);
      const id = nextId++;
      port.postMessage({ ping: id });
      return new Promise((resolve) => {
        pings[id] = resolve;
      });
    },
    close(reason) {
      closed ??= reason;
      port.removeEventListener('message', listen);
      for (const id in pending) {
        const { reject } = pending[id]!;
        remove(+id);
        reject(reason);
      }
    },
  };
}

/**
 * An engine whose methods all go to `call`, so that no list of methods has to be maintained. A method without data has no
 * `Control` either.
 *
 * @param own Methods that it implements itself.
 */
export function engineOf<Own extends object>(
  call: <M extends Method>(method: M, args: Sent<M>, control?: Control<Progress<M>>) => Promise<Result<M>>,
  own: Own,
): Omit<Engine, keyof Own> & Own {
  return new Proxy(own as Omit<Engine, keyof Own> & Own, {
    get(target, method) {
      if (hasOwn(target, method)) return target[method as keyof Own];
      // An engine that is awaited is not a promise.
      if (typeof method !== 'string' || method === 'then') return undefined;
      return (...args: unknown[]) => {
        return call(method as Method, args.slice(0, 1) as never, args[1] as never);
      };
    },
  });
}
