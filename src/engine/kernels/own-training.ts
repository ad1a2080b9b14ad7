/** Our own kernels and gradients that only training runs, for both backends. */
import type { GradConfig } from '@tensorflow/tfjs-core';
import { conv2DBackpropFilter } from './convolution';
import { dropout, dropoutGradient } from './dropout';
import { kernelSet } from './memory';
import { unsortedSegmentSum } from './rows';
import { adagrad, adam, assignRows } from './updates';

export const ownTraining = kernelSet([unsortedSegmentSum, conv2DBackpropFilter, adagrad, adam, assignRows, dropout]);
export const ownGradients: readonly GradConfig[] = [dropoutGradient];
