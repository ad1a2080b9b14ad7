/** Where an engine runs: in a worker, which may be lost at any time, or in the page's own thread. Holds no tensor library. */
import { RecommenderError } from '../errors';
import { type Connection, connect } from './protocol';
import { defaultWorkerUrl, openWorker } from './start';
import type { EngineWorker } from './types';

export interface HomeOptions {
  /** The worker's script. Default: the file that the build put beside this one. It must be of the page's own origin. */
  readonly workerUrl?: string | undefined;
  /** Seconds in which the worker's script must have started. Default 10. */
  readonly startDeadline?: number | undefined;
  /** Seconds of silence, while a call waits, after which the worker is asked whether it lives; it may be asked twice. Default 15. */
  readonly silenceDeadline?: number | undefined;
  /** Starts the worker. Default `new Worker(workerUrl, { type: 'module' })`. */
  readonly open?: (url: string) => EngineWorker;
}

/** Where calls go: a worker, or this thread. */
export interface Home {
  readonly thread: 'worker' | 'main';
  readonly call: Connection['call'];
  /** Set once the worker is gone. */
  lost: boolean;
  /** Called once if a worker that had started is lost. */
  onLost: (why: string) => void;
  close(reason: Error): void;
  /** Closes as soon as no call waits for its answer. */
  retire(reason: Error): void;
}

/** @throws If it cannot start: no workers here, another origin, a forbidden or missing script, or its deadline passed. */
export async function startWorker(options: HomeOptions): Promise<Home> {
  const { workerUrl = defaultWorkerUrl, startDeadline = 10, silenceDeadline = 15, open = openWorker } = options;
  const worker = open(workerUrl);
  const watch = watchSilence(silenceDeadline, {
    waiting: () => connection.waiting > 0,
    ping: () => void connection.ping().catch(() => {}),
    dead: () => lose(`it did not answer for ${3 * silenceDeadline} s`),
  });
  const connection = connect(worker, watch.heard);
  let started = false;
  let retiring: Error | undefined;
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
    if (started) home.onLost(why);
    else fail(new Error(why));
  }
  const home: Home = {
    thread: 'worker',
    lost: false,
    onLost() {},
    call(method, args, control) {
      const answer = connection.call(method, args, control);
      watch.start();
      answer.then(closeIfRetired, closeIfRetired);
      return answer;
    },
    close(reason) {
      home.lost = true;
      close(reason);
    },
    retire(reason) {
      retiring = reason;
      closeIfRetired();
    },
  };
  function closeIfRetired(): void {
    if (retiring && connection.waiting === 0) home.close(retiring);
  }

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

/** The same engine in this thread, loaded only where it is needed. */
export async function startHere(): Promise<Home> {
  const { createLocalEngine } = await import('../engine/local-engine');
  const engine = createLocalEngine();
  return {
    thread: 'main',
    lost: false,
    onLost() {},
    // A copy, as from a worker: what a page changes in an answer must not change what the engine knows.
    call: async (method, args, control) =>
      structuredClone(await (engine[method] as (...args: unknown[]) => Promise<never>).call(engine, ...args, control)),
    close: () => void engine.dispose(),
    retire: () => void engine.dispose(), // which waits for the turn that runs
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
