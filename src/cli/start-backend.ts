import { startBackend } from '../engine/backends/index';
import type { BackendChoice, BackendName } from '../engine/engine';
import { RecommenderError } from '../errors';
import type { Sink } from './context';
import { wasmPath } from './wasm-path';

/**
 * Starts the first backend of the choice that can be started: WASM, by far the fastest in Node, then plain CPU.
 *
 * @param stderr Gets a warning where the faster one cannot start.
 * @throws RecommenderError `no-backend` if none can.
 */
export async function startFirst(choice: BackendChoice, stderr: Sink): Promise<void> {
  const ladder: readonly BackendName[] = choice === 'auto' ? ['wasm', 'cpu'] : [choice];
  for (const backend of ladder) {
    try {
      return await startBackend(backend, { wasmPath: wasmPath() });
    } catch (error) {
      const isLast = backend === ladder.at(-1);
      if (isLast || !(error instanceof RecommenderError && error.code === 'no-backend')) throw error;
      stderr.write(`Warning: plain CPU computes, many times slower. ${error.message}\n`);
    }
  }
}
