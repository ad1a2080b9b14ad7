import { setFlagsFromString } from 'node:v8';
import type { BackendOptions } from '../compute/backends/start';
import type { Slice } from '../compute/executor';
import type { BackendChoice, BackendName } from '../compute/types';
import { RecommenderError } from '../errors';
import type { Sink } from './context';
import { wasmPath } from './wasm-path';
import { webgpuOfNode } from './webgpu';

/** What backends need in Node. WebGPU is loaded only where it is asked for by name. */
export async function backendOptions(choice: BackendChoice): Promise<BackendOptions> {
  allowRelaxedSimd();
  return { wasmPath: wasmPath(), ...(choice === 'webgpu' && { webgpu: await webgpuOfNode() }) };
}

/** Node 20 has the WebAssembly that trains fastest behind a flag; later ones, and browsers, just have it. */
function allowRelaxedSimd(): void {
  if (process.versions.node.startsWith('20.')) setFlagsFromString('--experimental-wasm-relaxed-simd');
}

/**
 * Starts the first backend of the choice that can be started, in a slice of the executor: WASM, by far the fastest in Node,
 * then plain CPU.
 *
 * @param stderr Gets a warning where the faster one cannot start.
 * @returns Which one it is.
 * @throws RecommenderError `no-backend` if none can.
 */
export async function startFirst(
  slice: Pick<Slice, 'start'>,
  choice: BackendChoice,
  stderr: Sink,
): Promise<BackendName> {
  const order: readonly BackendName[] = choice === 'auto' ? ['wasm', 'cpu'] : [choice];
  const options = await backendOptions(choice);
  for (const backend of order) {
    try {
      await slice.start(backend, options);
      return backend;
    } catch (error) {
      const isLast = backend === order.at(-1);
      if (isLast || !(error instanceof RecommenderError && error.code === 'no-backend')) throw error;
      stderr.write(`Warning: plain CPU computes, many times slower. ${error.message}\n`);
    }
  }
  throw new Error('The last backend of the order neither started nor failed.');
}
