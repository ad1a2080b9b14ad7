/** The kernels that our own WebAssembly computes, in place of those of TensorFlow.js and of our own in JavaScript. */
import type { KernelConfig } from '@tensorflow/tfjs-core';
import { batchMatMul, fused } from './matmul';
import { compileSimd } from './module';

const kernels: readonly KernelConfig[] = [batchMatMul, fused];

/** None where the engine has no SIMD: everything here is computed elsewhere too, only slower. */
export async function simdKernels(): Promise<readonly KernelConfig[]> {
  return (await compileSimd()) ? kernels : [];
}
