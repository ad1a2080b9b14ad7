/** Our own kernels for WASM alone. */
import type { KernelConfig } from '@tensorflow/tfjs-core';
import { batchMatMul, fusedMatMul } from './matmul-wasm';
import { sum } from './sum-wasm';

export const ownWasmInference: readonly KernelConfig[] = [batchMatMul, fusedMatMul, sum];
