/** Plain CPU keeps a typed array per tensor. */
import { type KernelBackend, type KernelConfig, type TensorInfo, util } from '@tensorflow/tfjs';
import type { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu/dist/backend_cpu';
import { type Kernel, kernelConfig, type Memory, type Values } from '../shared/kernel';

const memories = new WeakMap<KernelBackend, Memory>();

function memoryOf(anyBackend: KernelBackend): Memory {
  const known = memories.get(anyBackend);
  if (known) return known;
  const backend = anyBackend as MathBackendCPU;
  const view = (tensor: TensorInfo) => backend.data.get(tensor.dataId).values as Values;
  const floats = view as (tensor: TensorInfo) => Float32Array;
  const made: Memory = {
    views: { view, floats, ints: view as (tensor: TensorInfo) => Int32Array },
    routines: { softmax: (x, out, rows, columns) => softmaxRows(floats(x), floats(out), rows, columns) },
    make({ shape, dtype }) {
      const values = util.getTypedArrayFromDType(dtype as 'float32', util.sizeFromShape([...shape]));
      return backend.makeTensorInfo([...shape], dtype, values);
    },
    free: (tensor) => backend.disposeIntermediateTensorInfo(tensor),
    share: (tensor) => backend.incRef(tensor.dataId),
    references: (tensor) => backend.refCount(tensor.dataId),
    changed() {},
    reserve() {},
  };
  memories.set(backend, made);
  return made;
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

/** A kernel of `shared/` for this backend. */
export const onCpu = (kernel: Kernel): KernelConfig => kernelConfig('cpu', kernel, memoryOf);
