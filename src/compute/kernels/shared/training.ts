/** Our own kernels that only training runs, for plain CPU and WASM. */
import { bprMax, bprMaxGrad } from './bpr-max';
import { crossEntropy, crossEntropyGrad } from './cross-entropy';
import { dropout } from './dropout';
import type { Kernel } from './kernel';
import { maskEqual } from './mask-equal';
import { unsortedSegmentSum } from './segment-sum';
import { adagrad, adam } from './updates';

export const sharedTraining: readonly Kernel[] = [
  unsortedSegmentSum,
  crossEntropy,
  crossEntropyGrad,
  bprMax,
  bprMaxGrad,
  maskEqual,
  dropout,
  adagrad,
  adam,
];
