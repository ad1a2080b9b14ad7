/** Kernels that move whole rows: gather, its gradient, and slices. TensorFlow.js' WASM versions are slow or missing. */
import { backend_util, slice_util, util } from '@tensorflow/tfjs-core';
import type { OwnKernel, Values } from './memory';

/** Copies `length` numbers; a loop beats `set(subarray())` for short rows. */
function copy(from: Values, start: number, to: Values, at: number, length: number): void {
  if (length > 48) to.set(from.subarray(start, start + length), at);
  else for (let i = 0; i < length; i++) to[at + i] = from[start + i]!;
}

/** `out[…, j, …] = x[…, indices[j], …]` along one axis. */
export const gather: OwnKernel = {
  name: 'GatherV2',
  run({ inputs, attrs, memory }) {
    const x = inputs.x!;
    const indices = inputs.indices!;
    const axis = util.parseAxisParam(attrs.axis as number, x.shape)[0]!;
    const size = x.shape[axis]!;
    const { batchSize, outerSize, dimSize, sliceSize, outputShape } =
      backend_util.segment_util.collectGatherOpShapeInfo(
        x as never,
        indices as never,
        axis,
        (attrs.batchDims as number | undefined) ?? 0,
      );
    const checked = memory.ints(indices);
    for (let i = 0; i < checked.length; i++) {
      const index = checked[i]!;
      // Negated, so that NaN is refused too.
      if (!(index >= 0 && index < size)) throw new Error(`GatherV2: the index ${index} is not in [0, ${size - 1}].`);
    }
    const out = memory.output(outputShape, x.dtype);
    const from = memory.view(x);
    const to = memory.view(out);
    const ids = memory.ints(indices);
    const perBatch = ids.length / batchSize;
    let at = 0;
    for (let batch = 0; batch < batchSize; batch++) {
      for (let outer = 0; outer < outerSize; outer++) {
        const base = (batch * outerSize + outer) * dimSize;
        for (let j = 0; j < perBatch; j++, at += sliceSize) {
          copy(from, (base + ids[batch * perBatch + j]!) * sliceSize, to, at, sliceSize);
        }
      }
    }
    return out;
  },
};

/** `out[s] = Σ x[i]` over the i with `segmentIds[i] = s`; ids outside 0…numSegments−1 are dropped. */
export const unsortedSegmentSum: OwnKernel = {
  name: 'UnsortedSegmentSum',
  run({ inputs, attrs, memory }) {
    const x = inputs.x!;
    const segmentIds = inputs.segmentIds!;
    const numSegments = attrs.numSegments as number;
    const rest = x.shape.slice(1);
    const row = util.sizeFromShape(rest);
    if (segmentIds.shape.length !== 1 || segmentIds.shape[0] !== x.shape[0]) {
      throw new Error(`UnsortedSegmentSum: got segment ids of shape [${segmentIds.shape}] for x of [${x.shape}].`);
    }
    const out = memory.output([numSegments, ...rest], x.dtype);
    const from = memory.view(x);
    const to = memory.view(out).fill(0);
    const ids = memory.ints(segmentIds);
    for (let i = 0, start = 0; i < ids.length; i++, start += row) {
      const segment = ids[i]!;
      if (!(segment >= 0 && segment < numSegments)) continue;
      addRow(from, start, to, segment * row, row);
    }
    return out;
  },
};

/** Four numbers a turn: half the time of one. */
function addRow(from: Values, start: number, to: Values, at: number, length: number): void {
  let j = 0;
  for (; j + 4 <= length; j += 4) {
    to[at + j]! += from[start + j]!;
    to[at + j + 1]! += from[start + j + 1]!;
    to[at + j + 2]! += from[start + j + 2]!;
    to[at + j + 3]! += from[start + j + 3]!;
  }
  for (; j < length; j++) to[at + j]! += from[start + j]!;
}

/**
 * A block of a tensor, always a copy: TensorFlow.js' CPU kernel may return a window onto its input, through which an
 * in-place update of the input would show, and its WASM kernel copies the whole input first.
 */
export const slice: OwnKernel = {
  name: 'Slice',
  run({ inputs, attrs, memory }) {
    const x = inputs.x!;
    const [begin, size] = slice_util.parseSliceParams(x as never, attrs.begin as number[], attrs.size as number[]);
    slice_util.assertParamsValid(x as never, begin!, size!);
    const out = memory.output(size!, x.dtype);
    const total = util.sizeFromShape(size!);
    if (total === 0) return out;
    const from = memory.view(x);
    const to = memory.view(out);
    // The trailing axes taken whole, and the axis before them, are one contiguous run.
    let axis = size!.length - 1;
    let run = axis < 0 ? 1 : size![axis]!;
    while (axis > 0 && size![axis] === x.shape[axis]) run *= size![--axis]!;
    const strides = [...util.computeStrides(x.shape), 1];
    const index = new Array<number>(Math.max(axis, 0)).fill(0);
    const origin = begin!.reduce((sum, b, i) => sum + b * strides[i]!, 0);
    for (let at = 0, start = origin; at < total; at += run) {
      copy(from, start, to, at, run);
      for (let i = axis - 1; i >= 0; i--) {
        start += strides[i]!;
        if (++index[i]! < size![i]!) break;
        start -= size![i]! * strides[i]!;
        index[i] = 0;
      }
    }
    return out;
  },
};

/** A tensor in pieces along one axis; TensorFlow.js' WASM kernel reads back all of it for each piece. */
export const splitV: OwnKernel = {
  name: 'SplitV',
  run({ inputs, attrs, memory }) {
    const x = inputs.x!;
    const axis = util.parseAxisParam(attrs.axis as number, x.shape)[0]!;
    const sizes = backend_util.prepareSplitSize(x as never, attrs.numOrSizeSplits as number | number[], axis);
    const outs = sizes.map((size) =>
      memory.output([...x.shape.slice(0, axis), size, ...x.shape.slice(axis + 1)], x.dtype),
    );
    const outer = util.sizeFromShape(x.shape.slice(0, axis));
    const inner = util.sizeFromShape(x.shape.slice(axis + 1));
    const from = memory.view(x);
    let offset = 0;
    outs.forEach((out, i) => {
      const run = sizes[i]! * inner;
      const to = memory.view(out);
      for (let block = 0; block < outer; block++)
        copy(from, block * x.shape[axis]! * inner + offset, to, block * run, run);
      offset += run;
    });
    return outs;
  },
};

/**
 * The same numbers, shared. TensorFlow.js' WASM kernel copies them, at every clone and for every tensor that a gradient
 * keeps for later.
 */
export const identity: OwnKernel = {
  name: 'Identity',
  run: ({ inputs, memory }) => memory.alias(inputs.x!, inputs.x!.shape),
};
