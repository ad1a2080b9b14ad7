import type { WebGpu } from '../compute/backends/webgpu';
import { RecommenderError } from '../errors';

/**
 * WebGPU in Node: the `webgpu` package (Dawn), which is optional, and loaded here and only when it is asked for.
 *
 * @throws RecommenderError `no-backend` where the package is not installed or has no binary for this machine, or where it
 *   finds no driver.
 */
export async function webgpuOfNode(): Promise<WebGpu> {
  const { create, globals } = await load();
  const gpu: GPU = create([]);
  if ((await gpu.requestAdapter()) === null) {
    const message =
      'WebGPU found no driver of a GPU: on Linux it needs one for Vulkan, such as Debian\'s "mesa-vulkan-drivers". ' +
      'Install it, or use "wasm".';
    throw new RecommenderError('no-backend', message);
  }
  return { gpu, globals: globals as Readonly<Record<string, unknown>> };
}

async function load(): Promise<typeof import('webgpu')> {
  try {
    return await import('webgpu');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `WebGPU needs the package "webgpu", which cannot be loaded: ${why}. Run "npm install webgpu", or use "wasm".`;
    throw new RecommenderError('no-backend', message, { cause });
  }
}
