/** Starts a worker that hosts an engine, and detects its loss. Contains no tensor library. */
import { quiet, RecommenderError } from '../errors';
import { type ArtifactFiles, connect, type WorkerSetup } from './protocol';
import { openWorker, workerSetups } from './start';
import type { EngineHost, HostOptions } from './types';

/**
 * @param artifact Files of the artifact that the worker need not fetch.
 * @throws If it cannot start: there are no workers, the script is forbidden or missing, or the deadline passes.
 */
export async function startWorker(options: HostOptions, artifact?: ArtifactFiles): Promise<EngineHost> {
  let failure: unknown;
  for (const setup of workerSetups(options.workerUrl)) {
    try {
      return await startAt({ ...setup, artifact }, options);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

async function startAt(setup: WorkerSetup, options: HostOptions): Promise<EngineHost> {
  const { startDeadline = 10, silenceDeadline = 15, open = openWorker } = options;
  const worker = open(setup.worker);
  const watch = watchSilence(silenceDeadline, {
    waiting: () => connection.waiting > 0,
    ping: () => void quiet(() => connection.ping()),
    dead: () => lose(`it did not answer for ${3 * silenceDeadline} s`, true),
  });
  const connection = connect(worker, setup, watch.onMessage);
  let started = false;
  let retiring: Error | undefined;
  let fail: (error: Error) => void = () => {};

  function close(reason: Error): void {
    watch.stop();
    connection.close(reason);
    worker.terminate();
  }
  function lose(why: string, hangs = false): void {
    if (host.lost) return;
    host.lost = true;
    close(new RecommenderError('engine-lost', `The worker was lost: ${why}. Call again.`));
    if (started) host.onLost(why, hangs);
    else fail(new Error(why));
  }
  const host: EngineHost = {
    thread: 'worker',
    lost: false,
    onLost() {},
    call(method, args, control) {
      const answer = connection.call(method, args, control);
      watch.start();
      quiet(async () => {
        await quiet(() => answer);
        closeIfRetired();
      });
      return answer;
    },
    close(reason) {
      host.lost = true;
      close(reason);
    },
    retire(reason) {
      retiring = reason;
      closeIfRetired();
    },
  };
  function closeIfRetired(): void {
    if (retiring && connection.waiting === 0) host.close(retiring);
  }

  worker.addEventListener('error', (event: ErrorEvent) => {
    event.preventDefault?.(); // handled here, so the shop's own error log need not report it
    lose(event.message || `its script ${setup.worker} could not be loaded`);
  });
  worker.addEventListener('messageerror', () => lose('a message could not be read'));
  const late = setTimeout(
    () => lose(`its script ${setup.worker} did not start within ${startDeadline} s`),
    1000 * startDeadline,
  );
  try {
    await new Promise<void>((resolve, reject) => {
      fail = reject;
      if (host.lost) reject(new Error('it was lost at once'));
      connection.ready.then(resolve, reject);
    });
    started = true;
  } finally {
    clearTimeout(late);
  }
  return host;
}

/** Closes a host, if necessary after it has started. */
export function closeOnceStarted(starting: Promise<EngineHost>, reason: Error): void {
  quiet(async () => (await starting).close(reason)); // it may never start
}

/**
 * Distinguishes a dead worker, whose end no event reports, from a busy one by two pings. In a page that was frozen, the first
 * deadline has passed before the page reads the answers; the second one gives it the time to read them.
 */
function watchSilence(seconds: number, worker: { waiting(): boolean; ping(): void; dead(): void }) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isAlive = false;
  let pings = 0;
  function start(): void {
    if (timer !== undefined) return;
    isAlive = false;
    timer = setTimeout(check, 1000 * seconds);
  }
  function check(): void {
    timer = undefined;
    if (!worker.waiting()) return;
    if (!isAlive) {
      if (pings === 2) {
        worker.dead();
        return;
      }
      pings++;
      worker.ping();
    }
    start();
  }
  return {
    start,
    onMessage(): void {
      isAlive = true;
      pings = 0;
    },
    stop: () => clearTimeout(timer),
  };
}
