import { ownTraining } from '../kernels/own-training';
import { wasmTraining } from '../kernels/wasm-training';

export const kernels = [...wasmTraining, ...ownTraining('wasm')];
