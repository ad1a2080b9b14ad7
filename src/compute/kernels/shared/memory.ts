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
import { dropPacked } from '../wasm/packed';

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
  /** Gives back a tensor that `output` made and nobody will see. */
  free(tensor: TensorInfo): void;
  /** The same numbers under another shape. */
  alias(tensor: TensorInfo, shape: readonly number[]): TensorInfo;
  /** To be called after writing into a tensor that was not made by this kernel: some backends keep packed copies. */
  written(tensor: TensorInfo): void;
  /** The softmax of every row of x, `[rows, columns]`, into `out`, which may be x itself. */
  softmax(x: TensorInfo, out: TensorInfo, rows: number, columns: number): void;
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
    free: (tensor) => backend.disposeIntermediateTensorInfo(tensor),
    alias(tensor, shape) {
      backend.incRef(tensor.dataId);
      return { dataId: tensor.dataId, shape: [...shape], dtype: tensor.dtype };
    },
    softmax: (x, out, rows, columns) => softmaxRows(view(x) as Float32Array, view(out) as Float32Array, rows, columns),
    written() {},
    references: (tensor) => backend.refCount(tensor.dataId),
  };
}

function softmaxRows(x: Float32Array, out: Float32Array, rows: number, columns: number): void {
  for (let row = 0, start = 0; row < rows; row++, start += columns) {
    let highest = Number.NEGATIVE_INFINITY;
    for (let i = start; i < start + columns; i++) highest = Math.max(highest, x[i]!);
    let total = 0;
    for (let i = start; i < start + columns; i++) {
      const e = Math.exp(x[i]! - highest);
      out[i] = e;
      total += e;
    }
    for (let i = start; i < start + columns; i++) out[i]! /= total;
  }
}

function wasmMemory(backend: BackendWasm): Memory {
  const view = (tensor: TensorInfo) => backend.typedArrayFromHeap(tensor) as Values;
  const idOf = (tensor: TensorInfo) => backend.dataIdMap.get(tensor.dataId).id;
  const { cwrap } = backend.wasm as unknown as { cwrap(name: string, result: null, args: string[]): unknown };
  // XNNPACK's, several times as fast as exponentials one by one.
  const softmax = cwrap('Softmax', null, ['number', 'number', 'number', 'number']) as (
    x: number,
    out: number,
    columns: number,
    rows: number,
  ) => void;
  return {
    view,
    floats: view as (tensor: TensorInfo) => Float32Array,
    ints: view as (tensor: TensorInfo) => Int32Array,
    output: (shape, dtype) => backend.makeOutput([...shape], dtype),
    free(tensor) {
      backend.disposeData(tensor.dataId);
    },
    alias(tensor, shape) {
      backend.incRef(tensor.dataId);
      return { dataId: tensor.dataId, shape: [...shape], dtype: tensor.dtype };
    },
    softmax(x, out, rows, columns) {
      if (rows * columns > 0) softmax(idOf(x), idOf(out), columns, rows);
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
