import { wasmFiles } from '../../src/compute/backends/wasm-files';
import type { LocalEngineOptions } from '../../src/engine/local-engine';

/** For an engine on a GPU in software, on a busy machine: what is slow there must not cost a deadline, and with it the backend. */
export const patient = { wasmPath: wasmFiles, backendDeadline: 240 } satisfies LocalEngineOptions;
