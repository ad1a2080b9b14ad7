/** The kernels of plain CPU that only training runs. */

import tfjs from 'virtual:tfjs-kernels/cpu/training';
import type { KernelConfig } from '@tensorflow/tfjs';
import { sharedTraining } from '../shared/training';
import { onCpu } from './memory';

export const kernels: readonly KernelConfig[] = [...tfjs, ...sharedTraining.map(onCpu)];
