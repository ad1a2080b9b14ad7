/** What backends need to start. */
import type { WasmFiles } from '../types';

/** WebGPU from elsewhere than the browser: `gpu` as in `navigator.gpu`, and the constants and classes that go with it. */
export interface WebGpu {
  readonly gpu: GPU;
  readonly globals: Readonly<Record<string, unknown>>;
}

export interface BackendOptions {
  /**
   * Folder of TensorFlow.js' `.wasm` files (a path in Node, a URL in a page), or the URLs of the files. Needed to start
   * `wasm`.
   */
  readonly wasmPath?: string | WasmFiles;
  /** WebGPU for Node, which has none of its own. Default: the browser's. */
  readonly webgpu?: WebGpu;
  /** Ends the start: one that settles later changes nothing any more. */
  readonly signal?: AbortSignal;
}
