import { eluGradConfig } from '@tensorflow/tfjs-backend-wasm/dist/kernels/EluGrad';
import { reciprocalConfig } from '@tensorflow/tfjs-backend-wasm/dist/kernels/Reciprocal';
import type { KernelConfig } from '@tensorflow/tfjs-core';

/** TensorFlow.js kernels of the WASM backend that only gradients need; what it lacks stands in this folder. */
export const wasmTraining: readonly KernelConfig[] = [eluGradConfig, reciprocalConfig];
