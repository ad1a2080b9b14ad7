/** Kernels over rows: cross-entropy, layer normalisation, sums, and rows by their indices. */
import { backend_util, util } from '@tensorflow/tfjs-core';
import { checkCrossEntropy, lossOf, massOf } from '../shared/cross-entropy';
import { isFloat, type SimdCall, type SimdKernel, sizeOf } from './kernel';

function columnsOf({ inputs, attrs, backend }: SimdCall) {
  const positive = backend.typedArrayFromHeap(inputs.positive!) as Int32Array;
  const { rows, columns } = checkCrossEntropy(inputs.scores!, inputs.positive!, positive);
  return { rows, columns, ...massOf(attrs, columns) };
}

/** The losses of rows from what `assembly/rows.ts` says of each. */
function losses({ inputs, backend }: SimdCall, parts: Float32Array, columns: number, own: number, to: Float32Array) {
  const scores = backend.typedArrayFromHeap(inputs.scores!) as Float32Array;
  const positive = backend.typedArrayFromHeap(inputs.positive!) as Int32Array;
  for (let row = 0; row < to.length; row++) {
    const [total, highest, rest] = [parts[3 * row]!, parts[3 * row + 1]!, parts[3 * row + 2]!];
    to[row] = lossOf(total, highest, scores[row * columns + positive[row]!]!, own, rest);
  }
}

/** Loss and slope in one pass, for losses that are summed: `[losses, slopes]`. */
export const crossEntropyWithSlope: SimdKernel = {
  name: 'AisleCrossEntropyWithSlope',
  run(call) {
    const { inputs, simd, backend, output } = call;
    const { rows, columns, spread, own } = columnsOf(call);
    const [loss, slope] = [output([rows]), output([rows, columns])];
    const parts = simd.scratch(rows * 12);
    const [s, positive] = [simd.at(inputs.scores!), simd.at(inputs.positive!)];
    simd.run.crossEntropy(s, positive, 0, rows, columns, spread, own, parts, simd.at(slope));
    losses(call, simd.floats(parts, rows * 3), columns, own, backend.typedArrayFromHeap(loss) as Float32Array);
    return [loss, slope];
  },
};

export const crossEntropySlope: SimdKernel = {
  name: 'AisleCrossEntropyGrad',
  run(call) {
    const { inputs, simd, output } = call;
    const { rows, columns, spread, own, guard } = columnsOf(call);
    if (guard !== 0) return undefined;
    const slope = output([rows, columns]);
    const [s, positive, dy] = [inputs.scores!, inputs.positive!, inputs.dy!].map(simd.at) as [number, number, number];
    simd.run.crossEntropy(s, positive, dy, rows, columns, spread, own, 0, simd.at(slope));
    return slope;
  },
};

/** `[y, n, r]` of `nn/layer-norm.ts`. */
export const layerNorm: SimdKernel = {
  name: 'AisleLayerNorm',
  run({ inputs, attrs, simd, output }) {
    const [x, gain, bias] = [inputs.x!, inputs.gain!, inputs.bias!];
    const [rows, d] = x.shape as [number, number];
    const made = [output(x.shape), output(x.shape), output([rows, 1])];
    const [y, n, r] = made.map(simd.at) as [number, number, number];
    simd.run.layerNorm(simd.at(x), simd.at(gain), simd.at(bias), attrs.epsilon as number, rows, d, y, n, r);
    return made;
  },
};

/** `[∂x, ∂gain, ∂bias]`. */
export const layerNormGradient: SimdKernel = {
  name: 'AisleLayerNormGrad',
  run({ inputs, simd, output }) {
    const [dy, n, r, gain] = [inputs.dy!, inputs.n!, inputs.r!, inputs.gain!];
    const [rows, d] = n.shape as [number, number];
    const made = [output(n.shape), output([d]), output([d])];
    const [dx, dGain, dBias] = made.map(simd.at) as [number, number, number];
    const from = [dy, n, r, gain].map(simd.at) as [number, number, number, number];
    simd.run.layerNormGradient(...from, rows, d, dx, dGain, dBias, simd.scratch(8 * d));
    return made;
  },
};

/** Sums over a run of leading or middle axes. */
export const sum: SimdKernel = {
  name: 'Sum',
  run({ inputs, attrs, simd, output }) {
    const x = inputs.x!;
    const axes = util.parseAxisParam(attrs.axis as number | number[], x.shape);
    const reduced = new Set(axes);
    const [first, last] = [Math.min(...axes), Math.max(...axes)];
    const isRun = axes.length > 0 && last - first + 1 === reduced.size && last < x.shape.length - 1;
    if (!isRun || !isFloat(x) || sizeOf(x) === 0) return undefined;
    const out = output(
      attrs.keepDims
        ? x.shape.map((size, axis) => (reduced.has(axis) ? 1 : size))
        : x.shape.filter((_, axis) => !reduced.has(axis)),
    );
    const outer = util.sizeFromShape(x.shape.slice(0, first));
    const count = util.sizeFromShape(x.shape.slice(first, last + 1));
    const inner = util.sizeFromShape(x.shape.slice(last + 1));
    simd.run.sumMiddle(simd.at(x), simd.at(out), outer, count, inner, simd.scratch(inner * 4));
    return out;
  },
};

/** Only rows of the first axis; `GatherV2` of whole tables is what models do. */
export const gather: SimdKernel = {
  name: 'GatherV2',
  run({ inputs, attrs, simd, backend, output }) {
    const [x, indices] = [inputs.x!, inputs.indices!];
    const axis = util.parseAxisParam(attrs.axis as number, x.shape)[0]!;
    if (axis !== 0 || attrs.batchDims || x.dtype === 'string' || x.dtype === 'bool') return undefined;
    const info = backend_util.segment_util.collectGatherOpShapeInfo(x as never, indices as never, 0, 0);
    const ids = backend.typedArrayFromHeap(indices) as Int32Array;
    // What is out of range is told of by the kernel that this one replaces.
    for (let i = 0; i < ids.length; i++) if (!(ids[i]! >= 0 && ids[i]! < info.dimSize)) return undefined;
    const count = ids.length; // asked before the output is made: an allocation may grow the heap and detach the view
    const out = output(info.outputShape, x.dtype);
    simd.run.gatherRows(simd.at(x), simd.at(indices), simd.at(out), count, info.sliceSize);
    return out;
  },
};

export const unsortedSegmentSum: SimdKernel = {
  name: 'UnsortedSegmentSum',
  run({ inputs, attrs, simd, backend, output }) {
    const [x, ids] = [inputs.x!, inputs.segmentIds!];
    if (!isFloat(x) || ids.shape.length !== 1 || ids.shape[0] !== x.shape[0]) return undefined;
    const segments = attrs.numSegments as number;
    const rest = x.shape.slice(1);
    const out = output([segments, ...rest]);
    (backend.typedArrayFromHeap(out) as Float32Array).fill(0);
    simd.run.addRows(simd.at(x), simd.at(ids), simd.at(out), x.shape[0]!, util.sizeFromShape(rest), segments);
    return out;
  },
};
