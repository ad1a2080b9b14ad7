/** The kernels of WebGPU that scoring runs: TensorFlow.js', and ours where its are wrong. */

import tfjs from 'virtual:tfjs-kernels/webgpu/inference';
import type { KernelConfig, KernelFunc, TensorInfo } from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu/dist/backend_webgpu';
import { _fusedMatMulConfig } from '@tensorflow/tfjs-backend-webgpu/dist/kernels/_FusedMatMul';
import { addNConfig } from '@tensorflow/tfjs-backend-webgpu/dist/kernels/AddN';
import { batchMatMulConfig } from '@tensorflow/tfjs-backend-webgpu/dist/kernels/BatchMatMul';
import { transposeConfig } from '@tensorflow/tfjs-backend-webgpu/dist/kernels/Transpose';
import { TransposeProgram } from '@tensorflow/tfjs-backend-webgpu/dist/transpose_webgpu';

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

/** Terms of a sum from which TensorFlow.js splits it among threads, where there are few results. */
const SPLIT = 2000;

/**
 * Turns a right-hand matrix that is given transposed before a product of sums so long: TensorFlow.js' program of split
 * sums reads four numbers at once along the wrong side of it, and its results are wrong by their own size.
 */
const turningLongSums =
  ({ kernelFunc: multiply }: KernelConfig): KernelConfig['kernelFunc'] =>
  (call) => {
    const { inputs, attrs, backend } = call;
    const b = inputs.b!;
    const rank = b.shape.length;
    if (!attrs!.transposeB || b.shape[rank - 1]! < SPLIT) return multiply(call);
    const perm = b.shape.map((_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis));
    const transposed = transpose({ inputs: { x: b }, attrs: { perm }, backend }) as TensorInfo;
    const product = multiply({ inputs: { ...inputs, b: transposed }, attrs: { ...attrs, transposeB: false }, backend });
    (backend as unknown as WebGPUBackend).disposeData(transposed.dataId);
    return product;
  };

/**
 * Adds many terms a few at a time: TensorFlow.js' program binds all of them at once, which a device that binds eight
 * buffers refuses, and leaves a sum of zero.
 */
const addN = (terms: readonly TensorInfo[], backend: WebGPUBackend): TensorInfo => {
  const most = backend.device.limits.maxStorageBuffersPerShaderStage - 1; // one is the sum's
  if (terms.length <= most) return addNConfig.kernelFunc({ inputs: terms as never, backend }) as TensorInfo;
  const sums: TensorInfo[] = [];
  for (let i = 0; i < terms.length; i += most) sums.push(addN(terms.slice(i, i + most), backend));
  const total = addN(sums, backend);
  for (const { dataId } of sums) backend.disposeData(dataId);
  return total;
};

export const kernels: readonly KernelConfig[] = [
  ...tfjs,
  { kernelName: 'Transpose', backendName: 'webgpu', kernelFunc: transpose },
  {
    ...addNConfig,
    kernelFunc: ({ inputs, backend }) => addN(inputs as unknown as TensorInfo[], backend as unknown as WebGPUBackend),
  },
  ...[batchMatMulConfig, _fusedMatMulConfig].map(
    (config): KernelConfig => ({ ...config, kernelFunc: turningLongSums(config) }),
  ),
];
