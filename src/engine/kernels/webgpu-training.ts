import { conv2DBackpropFilterConfig } from '@tensorflow/tfjs-backend-webgpu/dist/kernels/Conv2DBackpropFilter';
import { conv2DBackpropInputConfig } from '@tensorflow/tfjs-backend-webgpu/dist/kernels/Conv2DBackpropInput';
import { eluGradConfig } from '@tensorflow/tfjs-backend-webgpu/dist/kernels/EluGrad';
import { maxPoolGradConfig } from '@tensorflow/tfjs-backend-webgpu/dist/kernels/MaxPoolGrad';
import { reciprocalConfig } from '@tensorflow/tfjs-backend-webgpu/dist/kernels/Reciprocal';
import { unsortedSegmentSumConfig } from '@tensorflow/tfjs-backend-webgpu/dist/kernels/UnsortedSegmentSum';
import type { KernelConfig } from '@tensorflow/tfjs-core';

/** TensorFlow.js kernels of the WebGPU backend that only gradients need. */
export const webgpuTraining: readonly KernelConfig[] = [
  conv2DBackpropFilterConfig,
  conv2DBackpropInputConfig,
  eluGradConfig,
  maxPoolGradConfig,
  reciprocalConfig,
  unsortedSegmentSumConfig,
];
