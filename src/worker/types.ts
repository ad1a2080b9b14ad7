/** What several files of this folder share. Types only. */
import type { Engine } from '../engine/types';
import type { RecommenderError } from '../errors';
import type { Connection, Port } from './protocol';

/** What runs the other end: a `Worker`, or two ends of a `MessageChannel`. */
export interface EngineWorker extends Port {
  addEventListener(type: 'message' | 'messageerror', listener: (event: MessageEvent) => void): void;
  addEventListener(type: 'error', listener: (event: ErrorEvent) => void): void;
  terminate(): void;
}

export interface HostOptions {
  /** The worker's script, in a copy of the whole folder that it was built in. Default: where the build or a bundler put it. */
  readonly workerUrl?: string | undefined;
  /** Seconds in which the worker's script must have started. Default 10. */
  readonly startDeadline?: number | undefined;
  /** Seconds of silence, while a call waits, after which the worker is pinged; it may be pinged twice. Default 15. */
  readonly silenceDeadline?: number | undefined;
  /** Starts the worker's script. Default `openWorker`. */
  readonly open?: (url: string) => EngineWorker;
}

/** Where calls go: a worker, or this thread. */
export interface EngineHost {
  readonly thread: 'worker' | 'main';
  readonly call: Connection['call'];
  /** Set once the worker is gone. */
  lost: boolean;
  /** Called once if a worker that had started is lost: it has crashed, or hangs. */
  onLost: (why: string, hangs: boolean) => void;
  close(reason: Error): void;
  /** Closes as soon as no call waits for its answer. */
  retire(reason: Error): void;
}

/** A second worker beside the one that answers, to try something in without being in its way. */
export interface Rival {
  readonly engine: Pick<Engine, 'load' | 'move'>;
  /** Whether its worker crashed. */
  readonly isLost: boolean;
  /** It answers from now on. The worker before it answers its open calls, and ends. */
  takeOver(): void;
  /** Ends it, unless it has taken over. */
  close(): void;
}

/** What the client and its dedicated workers know of each other. */
export interface DedicatedWorkers {
  readonly options: HostOptions;
  /** Those that run, which end with the client. */
  readonly running: Set<Promise<EngineHost>>;
  /** Why nothing starts any more: the client was disposed. */
  readonly ended: () => RecommenderError | undefined;
  /** Makes a worker the one that answers. @returns The one before. */
  readonly replaceWith: (started: EngineHost) => Promise<EngineHost> | undefined;
}
