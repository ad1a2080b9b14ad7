/** Our own kernels for WebGPU that scoring runs. */
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu/dist/backend_webgpu';
import { transposeConfig } from '@tensorflow/tfjs-backend-webgpu/dist/kernels/Transpose';
import { TransposeProgram } from '@tensorflow/tfjs-backend-webgpu/dist/transpose_webgpu';
import type { KernelConfig, KernelFunc } from '@tensorflow/tfjs-core';

/**
 * Reads numbers as floats, which is what is written: TensorFlow.js' program does not compile where a buffer holds whole
 * numbers, those of a tensor that was cast to floats among them, and leaves what was in memory.
 */
class Transposition extends TransposeProgram {
  constructor(shape: number[], perm: number[]) {
    super(shape, perm);
    this.shaderKey = `aisle-${this.shaderKey}`;
  }
  override getUserCode(): string {
    return super.getUserCode().replace(/\bA\[([^\]]*)\]/, 'f32(A[$1])');
  }
}

const transpose: KernelFunc = (call) => {
  const backend = call.backend as unknown as WebGPUBackend;
  const x = call.inputs.x!;
  if (x.shape.length < 3 || backend.shouldExecuteOnCPU([x])) return transposeConfig.kernelFunc(call);
  return backend.runWebGPUProgram(new Transposition(x.shape, call.attrs!.perm as number[]), [x], x.dtype);
};

export const ownWebgpuInference: readonly KernelConfig[] = [
  { kernelName: 'Transpose', backendName: 'webgpu', kernelFunc: transpose },
];
