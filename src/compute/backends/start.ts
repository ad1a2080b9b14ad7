/** Starting and stopping compute backends. Each one is loaded on its first start. */
import { engine, getBackend, removeBackend, setBackend } from '@tensorflow/tfjs';
import { throwIfAborted } from '../../errors';
import { BackendFault, type Device } from '../backend-fault';
import { guardTransfers } from '../device-boundary';
import { inferenceKernels } from '../kernels/shared/names';
import type { BackendName, WasmFiles } from '../types';
import { missingKernels } from './registry';
import type { WebGpu } from './webgpu';

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

/**
 * Loads a backend and makes it the active one. Calling it again for the active backend does nothing.
 *
 * @throws BackendFault `no-backend` if it cannot be started here, for example because the page's security policy
 *   forbids WebAssembly or the file cannot be fetched; the backend that was active before stays active.
 */
export async function startBackend(name: BackendName, options: BackendOptions = {}): Promise<void> {
  guardTransfers();
  const before = engine().backendName as string | null;
  if (before === name && engine().registry[name]) return;
  let cause: unknown;
  try {
    await register(name, options);
    throwIfAborted(options.signal);
    if ((await setBackend(name)) && getBackend() === name) {
      const missing = missingKernels(name, inferenceKernels);
      if (missing.length === 0) return;
      cause = new Error(`kernels missing: ${missing.join(', ')}`);
    }
  } catch (error) {
    cause = error;
  }
  throwIfAborted(options.signal); // another start may be on its way: leave it alone
  if (before !== null && before !== name && engine().registry[before]) await setBackend(before);
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  const help = name === 'wasm' ? HELP : 'Use another browser or device.';
  const message = `The backend "${name}" could not be started${why}. ${help}`;
  throw new BackendFault('no-backend', name, message, { cause });
}

const HELP =
  'Check that its .wasm file can be fetched and that the Content-Security-Policy allows \'wasm-unsafe-eval\', or use "cpu".';

async function register(name: BackendName, { wasmPath, webgpu, signal }: BackendOptions): Promise<void> {
  switch (name) {
    case 'cpu':
      return (await import('./cpu')).registerCpu();
    case 'wasm':
      return (await import('./wasm')).registerWasm(wasmPath, signal);
    case 'webgl':
      return (await import('./webgl')).registerWebgl();
    case 'webgpu':
      return (await import('./webgpu')).registerWebgpu(webgpu, signal);
  }
}

/** Stops an instance of a backend, unless another one has taken its place. */
export function stopDevice({ name, instance }: Device): void {
  if (engine().registry[name] === instance) stopBackend(name);
}

/**
 * Stops a backend (default: the active one) and frees its memory, the tensors on it included. It can be started again.
 */
export function stopBackend(name: string | undefined = engine().backendName as string | undefined): void {
  if (!name || !engine().registry[name]) return;
  try {
    removeBackend(name);
  } catch {
    // What was on a lost device may refuse to be freed. TensorFlow.js must forget it all the same.
    delete engine().registry[name];
    removeBackend(name);
  }
}
