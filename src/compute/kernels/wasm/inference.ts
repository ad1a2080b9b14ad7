/** The kernels of WASM that scoring runs: TensorFlow.js', and ours where its are slow or wrong. */

import tfjs from 'virtual:tfjs-kernels/wasm/inference';
import type { KernelConfig } from '@tensorflow/tfjs';
import { sharedInference } from '../shared/inference';
import { batchMatMul, fusedMatMul } from './matmul';
import { onWasm, type WasmKernel } from './memory';
import { sum } from './sum';

const custom: readonly WasmKernel[] = [...sharedInference, batchMatMul, fusedMatMul, sum];

export const kernels: readonly KernelConfig[] = [...tfjs, ...custom.map((kernel) => onWasm(kernel, tfjs))];
