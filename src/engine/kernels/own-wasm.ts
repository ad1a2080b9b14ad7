/** Our own kernels for WASM alone. */
import type { KernelConfig } from '@tensorflow/tfjs-core';

export const ownWasmInference: readonly KernelConfig[] = [];
