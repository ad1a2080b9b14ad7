/** The WASM backend, single-threaded, with our own kernels where its are missing or slow. A chunk of its own. */
import { engine, env, findBackendFactory, registerBackend, removeBackend } from '@tensorflow/tfjs';
import { BackendWasm, init, resetWasmPath, setWasmPaths } from '@tensorflow/tfjs-backend-wasm/dist/backend_wasm';
import { throwIfAborted } from '../../errors';
import { load } from '../kernels/wasm/inference';
import { refuseExhaustion } from '../kernels/wasm/memory';
import type { WasmFiles } from '../types';
import type { BackendOptions } from './options';
import { addKernels } from './registry';
import { startTensorflow } from './tensorflow';

export const start = ({ wasmPath, signal }: BackendOptions) =>
  startTensorflow(
    'wasm',
    () => register(wasmPath, signal),
    () => 1e-4,
    signal,
  );

/**
 * @param path Folder of the `.wasm` files, ending in `/`, or their URLs.
 * @param signal A module that arrives once it has fired is not registered.
 */
async function register(path: string | WasmFiles | undefined, signal: AbortSignal | undefined): Promise<void> {
  // Opened here and not in the factory: while TensorFlow.js waits for one, no other backend computes.
  const isOpen = () => engine().registry.wasm !== undefined;
  const [kernels, opened] = await Promise.all([load(), isOpen() ? undefined : open(path, signal)]);
  throwIfAborted(signal);
  addKernels('wasm', kernels);
  if (isOpen()) return;
  const backend = opened ?? (await open(path, signal)); // stopped meanwhile
  if (findBackendFactory('wasm')) removeBackend('wasm');
  registerBackend('wasm', () => backend, 2);
}

async function open(path: string | WasmFiles | undefined, signal: AbortSignal | undefined): Promise<BackendWasm> {
  resetWasmPath(); // forgets an earlier failed start, which would leave this one pending for ever
  if (path === undefined) throw new Error('`wasmPath` is missing: pass the folder, or the URLs, of its .wasm files');
  if (typeof path === 'string') setWasmPaths(path.endsWith('/') ? path : `${path}/`);
  else {
    setWasmPaths({
      'tfjs-backend-wasm.wasm': path.plain,
      'tfjs-backend-wasm-simd.wasm': path.simd,
      'tfjs-backend-wasm-threaded-simd.wasm': path.simd, // never requested: see below
    });
  }
  // Threads need a cross-origin isolated page, which a shop's page is not; without them one file less is shipped.
  env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  const { wasm } = await init();
  throwIfAborted(signal);
  const backend = new BackendWasm(wasm);
  refuseExhaustion(backend);
  return backend;
}
