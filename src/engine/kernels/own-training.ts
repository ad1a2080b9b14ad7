/** Our own kernels and gradients that only training runs, for both backends. */
import type { GradConfig } from '@tensorflow/tfjs-core';
import { conv2DBackpropFilter } from './convolution';
import { kernelSet } from './memory';
import { unsortedSegmentSum } from './rows';

export const ownTraining = kernelSet([unsortedSegmentSum, conv2DBackpropFilter]);
export const ownGradients: readonly GradConfig[] = [];
