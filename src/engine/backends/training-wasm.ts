import type { KernelConfig } from '@tensorflow/tfjs-core';
import { ownTraining } from '../kernels/own-training';
import { withSimd } from '../kernels/simd/index';
import { wasmTraining } from '../kernels/wasm-training';

export const load = (): Promise<readonly KernelConfig[]> => withSimd([...wasmTraining, ...ownTraining('wasm')]);
