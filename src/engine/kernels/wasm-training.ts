import { conv2DBackpropInputConfig } from '@tensorflow/tfjs-backend-wasm/dist/kernels/Conv2DBackpropInput';
import { eluGradConfig } from '@tensorflow/tfjs-backend-wasm/dist/kernels/EluGrad';
import { maxPoolGradConfig } from '@tensorflow/tfjs-backend-wasm/dist/kernels/MaxPoolGrad';
import { reciprocalConfig } from '@tensorflow/tfjs-backend-wasm/dist/kernels/Reciprocal';
import type { KernelConfig } from '@tensorflow/tfjs-core';

/** TensorFlow.js kernels of the WASM backend that only gradients need; what it lacks stands in this folder. */
export const wasmTraining: readonly KernelConfig[] = [
  conv2DBackpropInputConfig,
  eluGradConfig,
  maxPoolGradConfig,
  reciprocalConfig,
];
