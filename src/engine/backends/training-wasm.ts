import type { KernelConfig } from '@tensorflow/tfjs-core';
import { ownTraining } from '../kernels/own-training';
import { simdKernels } from '../kernels/simd/index';
import { wasmTraining } from '../kernels/wasm-training';

export const load = async (): Promise<readonly KernelConfig[]> => [
  ...wasmTraining,
  ...ownTraining('wasm'),
  ...(await simdKernels()),
];
