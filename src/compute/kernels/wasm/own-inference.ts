/** Our own kernels for WASM alone. */
import type { KernelConfig } from '@tensorflow/tfjs-core';
import { batchMatMul, fusedMatMul } from './matmul';
import { sum } from './sum';

export const ownWasmInference: readonly KernelConfig[] = [batchMatMul, fusedMatMul, sum];
