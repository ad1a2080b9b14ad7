import { eluGradConfig } from '@tensorflow/tfjs-backend-webgpu/dist/kernels/EluGrad';
import { reciprocalConfig } from '@tensorflow/tfjs-backend-webgpu/dist/kernels/Reciprocal';
import { unsortedSegmentSumConfig } from '@tensorflow/tfjs-backend-webgpu/dist/kernels/UnsortedSegmentSum';
import type { KernelConfig } from '@tensorflow/tfjs-core';

/** TensorFlow.js kernels of the WebGPU backend that only gradients need. */
export const webgpuTraining: readonly KernelConfig[] = [eluGradConfig, reciprocalConfig, unsortedSegmentSumConfig];
