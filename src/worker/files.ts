/// <reference types="vite/client" />
/**
 * Where the files of the engine's worker are. This is the development server's answer, which serves the worker as the modules
 * that it is written in. The builds put another module in its place, written by `test/build/worker-files.ts`: there the
 * worker and its parts are assets.
 */

import type { WasmFiles } from '../compute/backends/wasm';
import { wasmFiles } from '../compute/backends/wasm-files';
import worker from './worker.ts?worker&url';

export interface BuiltFiles {
  /** Address of the worker's script. */
  readonly worker: string;
  /** Addresses of the files beside it, by their names relative to it. A shop's bundler may have moved and renamed each. */
  readonly urls: Readonly<Record<string, string>>;
  /** Names of TensorFlow.js' WASM modules. */
  readonly wasm: WasmFiles;
  /** The worker's script in the installed package, where a development server has moved this module away from its files. */
  readonly installed?: string | undefined;
}

export const builtFiles = (): BuiltFiles => ({ worker, urls: {}, wasm: wasmFiles });
