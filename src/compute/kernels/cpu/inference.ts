/** The kernels of plain CPU that scoring runs: TensorFlow.js', and ours in place of some. */

import tfjs from 'virtual:tfjs-kernels/cpu/inference';
import type { KernelConfig } from '@tensorflow/tfjs';
import { sharedInference } from '../shared/inference';
import { onCpu } from './memory';

export const kernels: readonly KernelConfig[] = [...tfjs, ...sharedInference.map(onCpu)];
