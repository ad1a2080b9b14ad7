/** Sums of nothing on WASM, which TensorFlow.js leaves unwritten. */
import { backend_util, util } from '@tensorflow/tfjs';
import type { WasmKernel } from './memory';

export const sum: WasmKernel = {
  name: 'Sum',
  plan({ inputs, attrs }) {
    const { shape, dtype } = inputs.x!;
    if (util.sizeFromShape(shape) > 0) return undefined;
    const axes = util.parseAxisParam(attrs.axis as number | number[], shape);
    const [kept] = backend_util.computeOutAndReduceShapes(shape, axes);
    const outputs = { shape: attrs.keepDims ? backend_util.expandShapeToKeepDim(kept, axes) : kept, dtype };
    return { outputs, compute: ({ view }, [out]) => void view(out!).fill(0) };
  },
};
