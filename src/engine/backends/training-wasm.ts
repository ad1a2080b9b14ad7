export { wasmTraining as kernels } from '../kernels/wasm-training';
