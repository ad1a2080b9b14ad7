/**
 * One way to the numbers of both backends: plain CPU keeps a typed array per tensor, WASM keeps all tensors on one heap.
 * A kernel written over these views runs on either.
 */
import type { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu/dist/backend_cpu';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm/dist/backend_wasm';
import type {
  DataType,
  KernelBackend,
  KernelConfig,
  NamedAttrMap,
  NamedTensorInfoMap,
  TensorInfo,
} from '@tensorflow/tfjs-core';
import { util } from '@tensorflow/tfjs-core';
import { dropPacked } from './packed';

export type Values = Float32Array | Int32Array | Uint8Array;
export type { TensorInfo };

/** The memory of one backend. */
export interface Memory {
  /**
   * The numbers of a tensor, not a copy. On WASM a later `output` may grow the heap, which empties every view taken
   * before: allocate first, then look.
   */
  view(tensor: TensorInfo): Values;
  /** As `view`, for tensors that are known to hold 32-bit floats. */
  floats(tensor: TensorInfo): Float32Array;
  /** As `view`, for indices. */
  ints(tensor: TensorInfo): Int32Array;
  /** A new tensor. Its numbers are undefined until written. */
  output(shape: readonly number[], dtype: DataType): TensorInfo;
  /** The same numbers under another shape. */
  alias(tensor: TensorInfo, shape: readonly number[]): TensorInfo;
  /** To be called after writing into a tensor that was not made by this kernel: some backends keep packed copies. */
  written(tensor: TensorInfo): void;
  /** How many tensors share these numbers. */
  references(tensor: TensorInfo): number;
}

export type BackendKey = 'cpu' | 'wasm';

function cpuMemory(backend: MathBackendCPU): Memory {
  const view = (tensor: TensorInfo) => backend.data.get(tensor.dataId).values as Values;
  return {
    view,
    floats: view as (tensor: TensorInfo) => Float32Array,
    ints: view as (tensor: TensorInfo) => Int32Array,
    output: (shape, dtype) =>
      backend.makeTensorInfo(
        [...shape],
        dtype,
        util.getTypedArrayFromDType(dtype as 'float32', util.sizeFromShape([...shape])),
      ),
    alias(tensor, shape) {
      backend.incRef(tensor.dataId);
      return { dataId: tensor.dataId, shape: [...shape], dtype: tensor.dtype };
    },
    written() {},
    references: (tensor) => backend.refCount(tensor.dataId),
  };
}

function wasmMemory(backend: BackendWasm): Memory {
  const view = (tensor: TensorInfo) => backend.typedArrayFromHeap(tensor) as Values;
  return {
    view,
    floats: view as (tensor: TensorInfo) => Float32Array,
    ints: view as (tensor: TensorInfo) => Int32Array,
    output: (shape, dtype) => backend.makeOutput([...shape], dtype),
    alias(tensor, shape) {
      backend.incRef(tensor.dataId);
      return { dataId: tensor.dataId, shape: [...shape], dtype: tensor.dtype };
    },
    written: (tensor) => dropPacked(backend, tensor),
    references: (tensor) => backend.refCount(tensor.dataId),
  };
}

/** What a kernel gets to see. */
export interface Call {
  readonly inputs: NamedTensorInfoMap;
  readonly attrs: NamedAttrMap;
  readonly memory: Memory;
}

/** A kernel written once for both backends. */
export interface OwnKernel {
  readonly name: string;
  readonly run: (call: Call) => TensorInfo | TensorInfo[];
}

const memories = new WeakMap<KernelBackend, Memory>();

function memoryOf(backend: KernelBackend, name: BackendKey): Memory {
  let memory = memories.get(backend);
  if (!memory) {
    memory = name === 'cpu' ? cpuMemory(backend as MathBackendCPU) : wasmMemory(backend as BackendWasm);
    memories.set(backend, memory);
  }
  return memory;
}

/** Turns own kernels into configurations for each backend; the same objects at every call. */
export function kernelSet(kernels: readonly OwnKernel[]): (backend: BackendKey) => readonly KernelConfig[] {
  const configs = (backendName: BackendKey): KernelConfig[] =>
    kernels.map(({ name, run }) => ({
      kernelName: name,
      backendName,
      kernelFunc: ({ inputs, attrs, backend }) =>
        run({ inputs, attrs: attrs ?? {}, memory: memoryOf(backend as KernelBackend, backendName) }),
    }));
  const made = { cpu: configs('cpu'), wasm: configs('wasm') };
  return (backend) => made[backend];
}
