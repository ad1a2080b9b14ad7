import { conv2DBackpropFilterConfig } from '@tensorflow/tfjs-backend-webgl/dist/kernels/Conv2DBackpropFilter';
import { conv2DBackpropInputConfig } from '@tensorflow/tfjs-backend-webgl/dist/kernels/Conv2DBackpropInput';
import { eluGradConfig } from '@tensorflow/tfjs-backend-webgl/dist/kernels/EluGrad';
import { maxPoolGradConfig } from '@tensorflow/tfjs-backend-webgl/dist/kernels/MaxPoolGrad';
import { reciprocalConfig } from '@tensorflow/tfjs-backend-webgl/dist/kernels/Reciprocal';
import { unsortedSegmentSumConfig } from '@tensorflow/tfjs-backend-webgl/dist/kernels/UnsortedSegmentSum';
import type { KernelConfig } from '@tensorflow/tfjs-core';

/** TensorFlow.js kernels of the WebGL backend that only gradients need. */
export const webglTraining: readonly KernelConfig[] = [
  conv2DBackpropFilterConfig,
  conv2DBackpropInputConfig,
  eluGradConfig,
  maxPoolGradConfig,
  reciprocalConfig,
  unsortedSegmentSumConfig,
];
