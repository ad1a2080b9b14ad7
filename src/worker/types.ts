/** What several files of this folder share. Types only. */
import type { Port } from './protocol';

/** What runs the other end: a `Worker`, or two ends of a `MessageChannel`. */
export interface EngineWorker extends Port {
  addEventListener(type: 'message' | 'messageerror', listener: (event: MessageEvent) => void): void;
  addEventListener(type: 'error', listener: (event: ErrorEvent) => void): void;
  terminate(): void;
}
