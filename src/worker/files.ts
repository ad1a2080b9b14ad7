/// <reference types="vite/client" />
/**
 * Where the files of the engine's worker may be. The development server uses this module and serves the worker's source
 * modules. The builds replace it by a module from `src/build/worker-files.ts`, in which the worker and its parts are assets.
 */

import worker from './worker.ts?worker&url';

export interface BuiltWorker {
  /** Address of the worker's script. A bundler may answer with a path alone. */
  readonly worker: string;
  /** Addresses of the files that a shop's bundler may have moved and renamed, by their names relative to the worker's script. */
  readonly urls: Readonly<Record<string, string>>;
}

/** What to do where a shop's bundler has not copied the worker's files. */
export const workerHint = '';

/** The places where the worker may be, the likeliest first. */
export const builtWorkers = (): BuiltWorker[] => [{ worker, urls: {} }];
