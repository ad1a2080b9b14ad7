/** What every kernel of this folder is given. */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm/dist/backend_wasm';
import type { DataType, KernelConfig, NamedAttrMap, NamedTensorInfoMap, TensorInfo } from '@tensorflow/tfjs-core';
import { getKernel, util } from '@tensorflow/tfjs-core';
import { type Simd, simdOf } from './module';

export interface SimdCall {
  readonly inputs: NamedTensorInfoMap;
  readonly attrs: NamedAttrMap;
  readonly simd: Simd;
  readonly backend: BackendWasm;
  /** A new tensor. Its numbers are undefined until written. */
  output(shape: readonly number[], dtype?: DataType): TensorInfo;
}

/** A kernel that leaves what it does not do to the one that it replaces. */
export interface SimdKernel {
  readonly name: string;
  /** `undefined`: not for this. */
  readonly run: (call: SimdCall) => TensorInfo | TensorInfo[] | undefined;
}

/** Numbers of a tensor. */
export const sizeOf = ({ shape }: TensorInfo): number => util.sizeFromShape(shape);

export const isFloat = (...tensors: readonly TensorInfo[]): boolean =>
  tensors.every(({ dtype }) => dtype === 'float32');

/**
 * The kernel as TensorFlow.js wants it, in front of the one that it replaces: of `others`, which are to be registered with
 * it, or one that is registered now.
 */
export function inFrontOf({ name, run }: SimdKernel, others: readonly KernelConfig[]): KernelConfig {
  const before = others.find(({ kernelName }) => kernelName === name) ?? getKernel(name, 'wasm');
  return {
    ...before,
    kernelName: name,
    backendName: 'wasm',
    kernelFunc(call) {
      const backend = call.backend as BackendWasm;
      const made = run({
        inputs: call.inputs,
        attrs: call.attrs ?? {},
        simd: simdOf(backend),
        backend,
        output: (shape, dtype = 'float32') => backend.makeOutput([...shape], dtype),
      });
      if (made) return made;
      if (!before) throw new Error(`${name}: no kernel for these inputs.`);
      return before.kernelFunc(call);
    },
  };
}
