/**
 * The page's end of the engine: starts the worker, restarts it when it crashes, and runs the same engine in the page's
 * own thread where no worker can start. Holds no tensor library; the engine of the page's own thread is a chunk apart.
 */
import { RecommenderError } from '../errors';
import { abortable } from './abort';
import type { Control, Engine, LoadOptions } from './engine';
import {
  type Connection,
  connect,
  engineOf,
  type Method,
  type Port,
  type Progress,
  type Result,
  type Sent,
} from './protocol';
import { defaultWorkerUrl, openWorker } from './worker-url';

/** What runs the other end: a `Worker`, or two ends of a `MessageChannel`. */
export interface EngineWorker extends Port {
  addEventListener(type: 'message' | 'messageerror', listener: (event: MessageEvent) => void): void;
  addEventListener(type: 'error', listener: (event: ErrorEvent) => void): void;
  terminate(): void;
}

/** Less than was asked for, and why. The codes are stable. */
export interface EngineDegradation {
  readonly code: 'no-worker' | 'worker-restarted';
  readonly message: string;
}

export interface WorkerEngineOptions {
  /** The worker's script. Default: the file that the build put beside this one. It must be of the page's own origin. */
  readonly workerUrl?: string | undefined;
  /** Seconds in which the worker's script must have started. Default 10. */
  readonly startDeadline?: number | undefined;
  /** Seconds of silence, while a call waits, after which the worker is asked whether it lives; it may be asked twice. Default 15. */
  readonly silenceDeadline?: number | undefined;
  /** How often a crashed worker is started again. Default 3. */
  readonly maxRestarts?: number | undefined;
  readonly onDegraded?: ((degradation: EngineDegradation) => void) | undefined;
  /** Starts the worker. Default `new Worker(workerUrl, { type: 'module' })`. */
  readonly open?: (url: string) => EngineWorker;
}

export interface WorkerEngine extends Engine {
  /** Where calls are carried out once the engine has started. */
  thread(): Promise<'worker' | 'main'>;
}

/** Where calls go: a worker, or this thread. */
interface Home {
  readonly thread: 'worker' | 'main';
  readonly call: Connection['call'];
  /** Set once the worker is gone. */
  lost: boolean;
  close(reason: Error): void;
}

/** Methods that take long: each call gets a worker of its own, so that recommending goes on and its memory is given back. */
const APART: ReadonlySet<Method> = new Set<Method>(['train']);
/** So many answers since its last crash show that a worker is well: earlier crashes no longer count. */
const GOOD_ANSWERS = 20;
/** Methods that may run twice: they only read, or replace what they wrote. */
const REPEATABLE: ReadonlySet<Method> = new Set<Method>(['load', 'recommend', 'catalogue', 'products', 'memory']);

/**
 * Starts an engine in a worker. Returns at once; calls wait for the start.
 *
 * A worker that crashes is started again and loads its model again; a call that was waiting is repeated once, and rejects
 * with `engine-lost` if that fails too. One that crashes more than `maxRestarts` times, without 20 answers in between, is
 * given up: from then on the page's own thread computes, and `onDegraded` is told `no-worker`.
 */
export function startWorkerEngine(options: WorkerEngineOptions = {}): WorkerEngine {
  const { maxRestarts = 3, onDegraded = () => {} } = options;
  let current: Promise<Home> | undefined;
  const apart = new Set<Promise<Home>>();
  let loaded: LoadOptions | undefined;
  let restarts = 0;
  let answers = 0; // since the last crash
  /** Why no worker is started any more: it crashed too often. */
  let givenUp: string | undefined;
  /** Why there will be no answer any more: disposed. */
  let ended: RecommenderError | undefined;

  /** The running home; started, and its model loaded again, where there is none. */
  function home(): Promise<Home> {
    if (ended) return Promise.reject(ended);
    current ??= start();
    const started = current;
    started.catch(() => {
      if (current === started) current = undefined; // a later call tries again
    });
    return started;
  }

  async function start(): Promise<Home> {
    const started = await startAnywhere();
    try {
      if (ended) throw ended;
      if (loaded) await started.call('load', [loaded]);
      return started;
    } catch (error) {
      started.close(error as Error);
      throw error;
    }
  }

  async function startAnywhere(): Promise<Home> {
    let why = givenUp;
    if (why === undefined) {
      try {
        return await startWorker(options, crashed);
      } catch (error) {
        why = error instanceof Error ? error.message : String(error);
      }
    }
    onDegraded({ code: 'no-worker', message: `The engine runs in the page's own thread: ${why}` });
    return startHere();
  }

  function crashed(why: string): void {
    if (ended) return;
    current = undefined;
    restarts++;
    answers = 0;
    if (restarts > maxRestarts) givenUp = `the worker crashed ${restarts} times, last: ${why}`;
    else onDegraded({ code: 'worker-restarted', message: `The worker was started again: ${why}` });
    home().catch(() => {}); // the next click should not wait for the start
  }

  async function call<M extends Method>(method: M, args: Sent<M>, control?: Control<Progress<M>>): Promise<Result<M>> {
    if (APART.has(method)) return callApart(method, args, control);
    for (let attempt = 1; ; attempt++) {
      let lost: () => boolean = () => true;
      try {
        const started = await abortable(home(), control?.signal);
        lost = () => started.lost;
        const result = await started.call(method, args, control);
        if (method === 'load') loaded = args[0] as LoadOptions;
        answers++;
        if (answers === GOOD_ANSWERS) restarts = 0;
        return result;
      } catch (error) {
        const isLost = error instanceof RecommenderError && error.code === 'engine-lost' && lost();
        if (!isLost || ended || attempt > 1 || !REPEATABLE.has(method)) throw error;
      }
    }
  }

  async function callApart<M extends Method>(
    method: M,
    args: Sent<M>,
    control?: Control<Progress<M>>,
  ): Promise<Result<M>> {
    if (ended) throw ended;
    const starting = startWorker(options, () => {});
    apart.add(starting);
    try {
      const started = await abortable(starting, control?.signal).catch((error) => {
        if (error instanceof RecommenderError) throw error;
        const why = error instanceof Error ? error.message : String(error);
        throw new RecommenderError('no-backend', `To ${method} needs a worker, and none can start here: ${why}.`);
      });
      return await started.call(method, args, control);
    } finally {
      apart.delete(starting);
      close(starting, new RecommenderError('aborted', 'The call has ended.'));
    }
  }

  async function dispose(): Promise<void> {
    if (ended) return;
    const reason = new RecommenderError('disposed', 'The engine was disposed.');
    ended = reason;
    const running = current;
    current = undefined;
    for (const starting of apart) close(starting, reason);
    // A start that is under way closes itself.
    await running?.then((started) => started.close(reason)).catch(() => {});
  }

  const engine = engineOf(call);
  return new Proxy(engine as WorkerEngine, {
    get(target, name, receiver) {
      if (name === 'dispose') return dispose;
      if (name === 'thread') return async () => (await home()).thread;
      return Reflect.get(target, name, receiver);
    },
  });
}

/**
 * @param crashed Called once if a worker that had started is lost.
 * @throws If it cannot start: no workers here, another origin, a forbidden or missing script, or its deadline passed.
 */
async function startWorker(options: WorkerEngineOptions, crashed: (why: string) => void): Promise<Home> {
  const { workerUrl = defaultWorkerUrl, startDeadline = 10, silenceDeadline = 15, open = openWorker } = options;
  const worker = open(workerUrl);
  const watch = watchSilence(silenceDeadline, {
    waiting: () => connection.waiting > 0,
    ping: () => void connection.ping().catch(() => {}),
    dead: () => lose(`it did not answer for ${3 * silenceDeadline} s`),
  });
  const connection = connect(worker, watch.heard);
  let started = false;
  let fail: (error: Error) => void = () => {};

  function close(reason: Error): void {
    watch.stop();
    connection.close(reason);
    worker.terminate();
  }
  function lose(why: string): void {
    if (home.lost) return;
    home.lost = true;
    close(new RecommenderError('engine-lost', `The worker was lost: ${why}. Call again.`));
    if (started) crashed(why);
    else fail(new Error(why));
  }
  const home: Home = {
    thread: 'worker',
    lost: false,
    call(method, args, control) {
      const answer = connection.call(method, args, control);
      watch.start();
      return answer;
    },
    close(reason) {
      home.lost = true;
      close(reason);
    },
  };

  worker.addEventListener('error', (event: ErrorEvent) => {
    event.preventDefault?.(); // it is handled here, and would only alarm the shop's own error log
    lose(event.message ? `${event.message}` : `its script ${workerUrl} could not be loaded`);
  });
  worker.addEventListener('messageerror', () => lose('a message could not be read'));
  const late = setTimeout(
    () => lose(`its script ${workerUrl} did not start within ${startDeadline} s`),
    1000 * startDeadline,
  );
  try {
    await Promise.race([
      connection.ready,
      new Promise<never>((_, reject) => {
        fail = reject;
        if (home.lost) reject(new Error('it was lost at once'));
      }),
    ]);
    started = true;
  } finally {
    clearTimeout(late);
  }
  return home;
}

/** Closes a home that runs, or as soon as it has started. */
function close(starting: Promise<Home>, reason: Error): void {
  starting.then(
    (started) => started.close(reason),
    () => {}, // it never started
  );
}

async function startHere(): Promise<Home> {
  const { createLocalEngine } = await import('./local-engine');
  const engine = createLocalEngine();
  return {
    thread: 'main',
    lost: false,
    call: (method, args, control) =>
      (engine[method] as (...args: unknown[]) => Promise<never>).call(engine, ...args, control),
    close: () => void engine.dispose(),
  };
}

/**
 * Tells a dead worker, of whose end nobody is told, from a busy one: it is asked twice. A page that was frozen finds one
 * deadline long past before it reads the answers that came meanwhile; the second gives it the time to.
 */
function watchSilence(seconds: number, worker: { waiting(): boolean; ping(): void; dead(): void }) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let heardAny = false;
  let asked = 0;
  function start(): void {
    if (timer !== undefined) return;
    heardAny = false;
    timer = setTimeout(check, 1000 * seconds);
  }
  function check(): void {
    timer = undefined;
    if (!worker.waiting()) return;
    if (!heardAny) {
      if (asked === 2) {
        worker.dead();
        return;
      }
      asked++;
      worker.ping();
    }
    start();
  }
  return {
    start,
    heard(): void {
      heardAny = true;
      asked = 0;
    },
    stop: () => clearTimeout(timer),
  };
}
