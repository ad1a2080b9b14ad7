/** The kernels that our own WebAssembly computes, in place of those of TensorFlow.js and of our own in JavaScript. */
import { getKernelsForBackend, type KernelConfig } from '@tensorflow/tfjs';
import { onWasm, type WasmKernel } from '../wasm/memory';
import { attentionRead, attentionReadGrad, attentionWeights, attentionWeightsGrad } from './attention';
import { binaries, cast, dropout, geluGrad, unaries } from './elements';
import { batchMatMul, fusedMatMul } from './matmul';
import { compileSimd } from './module';
import { concat, splitV, transpose } from './moves';
import {
  crossEntropyGrad,
  crossEntropyWithSlope,
  gather,
  layerNorm,
  layerNormGradient,
  sum,
  unsortedSegmentSum,
} from './rows';
import { adagrad, adam } from './updates';

const kernels: readonly WasmKernel[] = [
  batchMatMul,
  fusedMatMul,
  ...unaries,
  geluGrad,
  dropout,
  ...binaries,
  cast,
  concat,
  splitV,
  transpose,
  crossEntropyWithSlope,
  crossEntropyGrad,
  layerNorm,
  layerNormGradient,
  sum,
  gather,
  unsortedSegmentSum,
  adam,
  adagrad,
  attentionWeights,
  attentionWeightsGrad,
  attentionRead,
  attentionReadGrad,
];

let configs: readonly KernelConfig[] | undefined;

/**
 * `others` and, behind them, ours. Where the engine has no SIMD they are all there is: everything here is computed
 * elsewhere too, only slower.
 */
export async function withSimd(others: readonly KernelConfig[]): Promise<readonly KernelConfig[]> {
  if (!(await compileSimd())) return others;
  if (!configs) {
    const before = [...others, ...getKernelsForBackend('wasm')];
    configs = kernels.map((kernel) => onWasm(kernel, before));
  }
  return [...others, ...configs];
}
