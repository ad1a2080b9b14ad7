/** The packed copies of right-hand matrices that XNNPACK keeps, and how to drop them: see `matmul.ts`. */
import { type TensorInfo, util } from '@tensorflow/tfjs';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm/dist/backend_wasm';

/** The shape, as k · 2²⁶ + n, under which the packed copy of a right-hand side was made. */
export const packedAs = new WeakMap<object, number>();

/** Forgets XNNPACK's packed copies of a tensor, as it must when the numbers have been written to. */
export function dropPacked(backend: BackendWasm, tensor: TensorInfo): void {
  packedAs.delete(tensor.dataId);
  const { id, memoryOffset } = backend.dataIdMap.get(tensor.dataId);
  // Packed copies hang on the registration; the numbers do not.
  backend.wasm.tfjs.disposeData(id);
  backend.wasm.tfjs.registerTensor(id, util.sizeFromShape(tensor.shape), memoryOffset);
}
