import type { WebGpu } from '../engine/backends/webgpu';
import { RecommenderError } from '../errors';

/**
 * WebGPU in Node: the `webgpu` package (Dawn), which is loaded here and only when it is asked for.
 *
 * @throws RecommenderError `no-backend` where the package is not installed or has no binary for this machine.
 */
export async function webgpuOfNode(): Promise<WebGpu> {
  try {
    const { create, globals } = await import('webgpu');
    return { gpu: create([]), globals: globals as Readonly<Record<string, unknown>> };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new RecommenderError(
      'no-backend',
      `WebGPU needs the package "webgpu", which cannot be loaded: ${why}. Run "npm install webgpu", or use "wasm".`,
      { cause },
    );
  }
}
