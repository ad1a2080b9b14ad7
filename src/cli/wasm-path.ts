import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * Folder of TensorFlow.js' `.wasm` files, ending in `/`: those of the installed package, found from the bundled command
 * as from the sources.
 */
export function wasmPath(): string {
  const manifest = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json');
  return join(dirname(manifest), 'wasm-out/');
}
