/** The kernels of WASM that training adds. Those of SIMD replace the ones that scoring runs, too. */

import tfjs from 'virtual:tfjs-kernels/wasm/training';
import type { KernelConfig } from '@tensorflow/tfjs';
import { sharedTraining } from '../shared/training';
import { withSimd } from '../wasm-simd/index';
import { onWasm } from './memory';

/** Without those in WebAssembly of our own. */
export const kernels: readonly KernelConfig[] = [...tfjs, ...sharedTraining.map((kernel) => onWasm(kernel))];

export const load = (): Promise<readonly KernelConfig[]> => withSimd(kernels);
