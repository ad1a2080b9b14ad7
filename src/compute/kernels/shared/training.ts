/** Our own kernels and gradients that only training runs: the kernels for the CPU backends, the gradients for all. */
import type { GradConfig } from '@tensorflow/tfjs-core';
import { bprMax, bprMaxGradient, bprMaxSlope } from './bpr-max';
import { meanGradient, sumGradient, tileGradient } from './broadcast';
import { crossEntropy, crossEntropyGradient, crossEntropySlope } from './cross-entropy';
import { dropout, dropoutGradient } from './dropout';
import { geluGradient } from './gelu';
import { maskEqual, maskEqualGradient } from './mask-equal';
import { kernelSet } from './memory';
import { unsortedSegmentSum } from './rows';
import { adagrad, adam, assignRows } from './updates';

export const ownTraining = kernelSet([
  unsortedSegmentSum,
  crossEntropy,
  crossEntropySlope,
  bprMax,
  bprMaxSlope,
  maskEqual,
  dropout,
  adagrad,
  adam,
  assignRows,
]);

/** Beside those of `gradients.ts`: for our own kernels, and where TensorFlow.js' are slow. */
export const ownGradients: readonly GradConfig[] = [
  sumGradient,
  meanGradient,
  tileGradient,
  crossEntropyGradient,
  bprMaxGradient,
  maskEqualGradient,
  dropoutGradient,
  geluGradient,
];
