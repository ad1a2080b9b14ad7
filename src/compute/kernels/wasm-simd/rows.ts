/** Kernels over rows: layer normalisation, sums, and rows by their indices. */
import { backend_util, type TensorInfo, util } from '@tensorflow/tfjs';
import { checkIndices, float32 } from '../shared/kernel';
import type { WasmKernel } from '../wasm/memory';
import { simdOf } from './inference-module';
import { isFloat, sizeOf } from './kernel';

/** `[y, n, r]` of `nn/layer-norm.ts`. */
export const layerNorm: WasmKernel = {
  name: 'AisleLayerNorm',
  plan({ inputs, attrs, backend }) {
    const [x, gain, bias] = [inputs.x!, inputs.gain!, inputs.bias!];
    const [rows, d] = x.shape as [number, number];
    return {
      outputs: [float32(x.shape), float32(x.shape), float32([rows, 1])],
      compute({ at }, made) {
        const [y, n, r] = made.map(at) as [number, number, number];
        simdOf(backend).layerNorm(at(x), at(gain), at(bias), attrs.epsilon as number, rows, d, y, n, r);
      },
    };
  },
};

/** The sizes of a sum over a run of axes, `[outer, count, inner]` to `[outer, inner]`, and the shape of the result. */
function runOfAxes({ shape }: TensorInfo, { axis, keepDims }: { axis?: unknown; keepDims?: unknown }) {
  const axes = util.parseAxisParam(axis as number | number[], [...shape]);
  const reduced = new Set(axes);
  const [first, last] = [Math.min(...axes), Math.max(...axes)];
  return {
    /** Whether it is one, the last axis not among them. */
    isRun: axes.length > 0 && last - first + 1 === reduced.size && last < shape.length - 1,
    outer: util.sizeFromShape(shape.slice(0, first)),
    count: util.sizeFromShape(shape.slice(first, last + 1)),
    inner: util.sizeFromShape(shape.slice(last + 1)),
    kept: keepDims ? shape.map((size, i) => (reduced.has(i) ? 1 : size)) : shape.filter((_, i) => !reduced.has(i)),
  };
}

/** Sums over a run of leading or middle axes: straight through memory, where TensorFlow.js transposes first. */
export const sum: WasmKernel = {
  name: 'Sum',
  plan({ inputs, attrs, backend }) {
    const x = inputs.x!;
    const { isRun, outer, count, inner, kept } = runOfAxes(x, attrs);
    if (!isRun || !isFloat(x) || sizeOf(x) === 0) return undefined;
    return {
      outputs: float32(kept),
      workspace: inner * 4,
      compute: ({ at, workspace }, [out]) => simdOf(backend).sumMiddle(at(x), at(out!), outer, count, inner, workspace),
    };
  },
};

/** Along the first axis only, which is what models use: other calls take the plain kernel. */
export const gather: WasmKernel = {
  name: 'GatherV2',
  plan({ inputs, attrs, backend }) {
    const [x, indices] = [inputs.x!, inputs.indices!];
    const axis = util.parseAxisParam(attrs.axis as number, x.shape)[0]!;
    if (axis !== 0 || attrs.batchDims || x.dtype === 'string' || x.dtype === 'bool') return undefined;
    const { dimSize, outputShape, sliceSize } = backend_util.segment_util.collectGatherOpShapeInfo(
      x as never,
      indices as never,
      0,
      0,
    );
    return {
      outputs: { shape: outputShape, dtype: x.dtype },
      compute({ at, ints }, [out]) {
        const ids = ints(indices);
        checkIndices(ids, dimSize, 'GatherV2: the index');
        simdOf(backend).gatherRows(at(x), at(indices), at(out!), ids.length, sliceSize);
      },
    };
  },
};
