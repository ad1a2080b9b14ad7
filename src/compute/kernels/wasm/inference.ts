/** The kernels of WASM that scoring runs: TensorFlow.js', and ours where its are slow or wrong. */

import tfjs from 'virtual:tfjs-kernels/wasm/inference';
import type { KernelConfig } from '@tensorflow/tfjs';
import { sharedInference } from '../shared/inference';
import { attentionRead, attentionWeights } from '../wasm-simd/attention';
import { binaries, cast, unaries } from '../wasm-simd/elements';
import { withSimd } from '../wasm-simd/inference-module';
import { batchMatMul as simdBatchMatMul, fusedMatMul as simdFusedMatMul } from '../wasm-simd/matmul';
import { concat, splitV, transpose } from '../wasm-simd/moves';
import { gather, layerNorm, sum as simdSum } from '../wasm-simd/rows';
import { batchMatMul, fusedMatMul } from './matmul';
import { onWasm, type WasmKernel } from './memory';
import { sum } from './sum';

const custom: readonly WasmKernel[] = [...sharedInference, batchMatMul, fusedMatMul, sum];

/** Without those in WebAssembly of our own. */
export const kernels: readonly KernelConfig[] = [...tfjs, ...custom.map((kernel) => onWasm(kernel, tfjs))];

const simd = [
  simdBatchMatMul,
  simdFusedMatMul,
  ...unaries,
  ...binaries,
  cast,
  concat,
  splitV,
  transpose,
  layerNorm,
  simdSum,
  gather,
  attentionWeights,
  attentionRead,
].map((kernel) => onWasm(kernel, kernels));

export const load = (): Promise<readonly KernelConfig[]> => withSimd(kernels, simd);
