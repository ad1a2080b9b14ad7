/// <reference types="vite/client" />
/** Backends in Node. */
import { createRequire } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import type { BackendOptions, WebGpu } from '../../compute/backends/options';
import type { Slice } from '../../compute/executor';
import type { BackendChoice, BackendName } from '../../compute/types';
import { RecommenderError } from '../../errors';
import type { Observer } from '../observer';
import { startFirstOf } from '../start-backend';
import { dirname, join } from './disk';

/** What backends need in Node. WebGPU is loaded only if it is chosen by name. */
export async function backendOptions(choice: BackendChoice): Promise<BackendOptions> {
  allowRelaxedSimd();
  return { wasmPath: wasmPath(), ...(choice === 'webgpu' && { webgpu: await webgpuOfNode() }) };
}

/** Folder of TensorFlow.js' `.wasm` files, ending in `/`: the built program's own, which has them, or that of their package. */
export function wasmPath(): string {
  const own: string | undefined = import.meta.env['WASM_FOLDER'];
  if (own !== undefined) return join(own, '/');
  const manifest = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json');
  return join(dirname(manifest), 'wasm-out/');
}

/** Node 20 needs a flag for relaxed SIMD, with which WASM is fastest. */
function allowRelaxedSimd(): void {
  if (process.versions.node.startsWith('20.')) setFlagsFromString('--experimental-wasm-relaxed-simd');
}

/** `startFirstOf` with what backends need in Node, where WASM is by far the fastest. @throws RecommenderError as there. */
export const startFirst = (
  slice: Pick<Slice, 'start'>,
  choice: BackendChoice,
  observer: Observer,
): Promise<BackendName> => startFirstOf(slice, choice, () => backendOptions(choice), observer);

/**
 * WebGPU in Node: the optional package `webgpu` (Dawn), loaded on demand.
 *
 * @throws RecommenderError `no-backend` where the package is not installed or has no binary for this machine, or where it
 *   finds no driver.
 */
export async function webgpuOfNode(): Promise<WebGpu> {
  const { create, globals } = await loadWebGpu();
  const gpu: GPU = create([]);
  if ((await gpu.requestAdapter()) === null) {
    const message =
      'WebGPU found no driver of a GPU: on Linux it needs one for Vulkan, such as Debian\'s "mesa-vulkan-drivers". ' +
      'Install it, or use "wasm".';
    throw new RecommenderError('no-backend', message);
  }
  return { gpu, globals: globals as Readonly<Record<string, unknown>> };
}

async function loadWebGpu(): Promise<typeof import('webgpu')> {
  try {
    return await import('webgpu');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `WebGPU needs the package "webgpu", which cannot be loaded: ${why}. Run "npm install webgpu", or use "wasm".`;
    throw new RecommenderError('no-backend', message, { cause });
  }
}
