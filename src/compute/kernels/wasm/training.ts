import type { KernelConfig } from '@tensorflow/tfjs-core';
import { ownTraining } from '../shared/training';
import { withSimd } from '../wasm-simd/index';
import { wasmTraining } from './tfjs-training';

export const load = (): Promise<readonly KernelConfig[]> => withSimd([...wasmTraining, ...ownTraining('wasm')]);
