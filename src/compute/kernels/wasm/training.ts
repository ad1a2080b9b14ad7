/** The kernels of WASM that training adds. */

import tfjs from 'virtual:tfjs-kernels/wasm/training';
import type { KernelConfig } from '@tensorflow/tfjs';
import { sharedTraining } from '../shared/training';
import { attentionReadGrad, attentionWeightsGrad } from '../wasm-simd/attention-gradients';
import { dropout, geluGrad } from '../wasm-simd/training-elements';
import { withSimd } from '../wasm-simd/training-module';
import {
  crossEntropyGrad,
  crossEntropyWithSlope,
  layerNormGradient,
  unsortedSegmentSum,
} from '../wasm-simd/training-rows';
import { adagrad, adam } from '../wasm-simd/updates';
import { onWasm } from './memory';

/** Without those in WebAssembly of our own. */
export const kernels: readonly KernelConfig[] = [...tfjs, ...sharedTraining.map((kernel) => onWasm(kernel))];

const simd = [
  geluGrad,
  dropout,
  crossEntropyWithSlope,
  crossEntropyGrad,
  layerNormGradient,
  unsortedSegmentSum,
  adam,
  adagrad,
  attentionWeightsGrad,
  attentionReadGrad,
].map((kernel) => onWasm(kernel, kernels));

export const load = (): Promise<readonly KernelConfig[]> => withSimd(kernels, simd);
