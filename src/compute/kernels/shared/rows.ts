/** Kernels that move whole rows: gather, its gradient, and slices. TensorFlow.js' WASM versions are slow or missing. */
import { backend_util, slice_util, util } from '@tensorflow/tfjs';
import { checkIndices, type Kernel, type Values } from './kernel';

/** Copies `length` numbers; a loop beats `set(subarray())` for short rows. */
function copy(from: Values, start: number, to: Values, at: number, length: number): void {
  if (length > 48) to.set(from.subarray(start, start + length), at);
  else for (let i = 0; i < length; i++) to[at + i] = from[start + i]!;
}

/** `out[…, j, …] = x[…, indices[j], …]` along one axis. */
export const gather: Kernel = {
  name: 'GatherV2',
  plan({ inputs, attrs }) {
    const [x, indices] = [inputs.x!, inputs.indices!];
    const axis = util.parseAxisParam(attrs.axis as number, x.shape)[0]!;
    const batchDims = (attrs.batchDims as number | undefined) ?? 0;
    const { batchSize, outerSize, dimSize, sliceSize, outputShape } =
      backend_util.segment_util.collectGatherOpShapeInfo(x as never, indices as never, axis, batchDims);
    return {
      outputs: { shape: outputShape, dtype: x.dtype },
      compute({ view, ints }, [out]) {
        const [from, to, ids] = [view(x), view(out!), ints(indices)];
        checkIndices(ids, x.shape[axis]!, 'GatherV2: the index');
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
      },
    };
  },
};

/** `out[s] = Σ x[i]` over the i with `segmentIds[i] = s`; ids outside 0…numSegments−1 are dropped. */
export const unsortedSegmentSum: Kernel = {
  name: 'UnsortedSegmentSum',
  plan({ inputs, attrs }) {
    const [x, segmentIds] = [inputs.x!, inputs.segmentIds!];
    const numSegments = attrs.numSegments as number;
    const rest = x.shape.slice(1);
    const row = util.sizeFromShape(rest);
    if (segmentIds.shape.length !== 1 || segmentIds.shape[0] !== x.shape[0]) {
      throw new Error(`UnsortedSegmentSum: got segment ids of shape [${segmentIds.shape}] for x of [${x.shape}].`);
    }
    return {
      outputs: { shape: [numSegments, ...rest], dtype: x.dtype },
      compute({ view, ints }, [out]) {
        const [from, to, ids] = [view(x), view(out!).fill(0), ints(segmentIds)];
        for (let i = 0, start = 0; i < ids.length; i++, start += row) {
          const segment = ids[i]!;
          if (!(segment >= 0 && segment < numSegments)) continue;
          addRow(from, start, to, segment * row, row);
        }
      },
    };
  },
};

/** Adds one row to another, four numbers a turn: half the time of one. */
export function addRow(from: Values, start: number, to: Values, at: number, length: number): void {
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
export const slice: Kernel = {
  name: 'Slice',
  plan({ inputs, attrs }) {
    const x = inputs.x!;
    const [begin, size] = slice_util.parseSliceParams(x as never, attrs.begin as number[], attrs.size as number[]) as [
      number[],
      number[],
    ];
    slice_util.assertParamsValid(x as never, begin, size);
    return {
      outputs: { shape: size, dtype: x.dtype },
      compute({ view }, [out]) {
        if (util.sizeFromShape(size) > 0) copyBlock(view(x), view(out!), x.shape, begin, size);
      },
    };
  },
};

function copyBlock(from: Values, to: Values, shape: number[], begin: number[], size: number[]): void {
  // The trailing axes taken whole, and the axis before them, are one contiguous run.
  let axis = size.length - 1;
  let run = axis < 0 ? 1 : size[axis]!;
  while (axis > 0 && size[axis] === shape[axis]) run *= size[--axis]!;
  const strides = [...util.computeStrides(shape), 1];
  const index = new Array<number>(Math.max(axis, 0)).fill(0);
  const origin = begin.reduce((sum, b, i) => sum + b * strides[i]!, 0);
  for (let at = 0, start = origin; at < to.length; at += run) {
    copy(from, start, to, at, run);
    for (let i = axis - 1; i >= 0; i--) {
      start += strides[i]!;
      if (++index[i]! < size[i]!) break;
      start -= size[i]! * strides[i]!;
      index[i] = 0;
    }
  }
}

/** A tensor in pieces along one axis; TensorFlow.js' WASM kernel reads back all of it for each piece. */
export const splitV: Kernel = {
  name: 'SplitV',
  plan({ inputs, attrs }) {
    const x = inputs.x!;
    const axis = util.parseAxisParam(attrs.axis as number, x.shape)[0]!;
    const sizes = backend_util.prepareSplitSize(x as never, attrs.numOrSizeSplits as number | number[], axis);
    return {
      outputs: sizes.map((size) => ({
        shape: [...x.shape.slice(0, axis), size, ...x.shape.slice(axis + 1)],
        dtype: x.dtype,
      })),
      compute({ view }, outs) {
        const outer = util.sizeFromShape(x.shape.slice(0, axis));
        const inner = util.sizeFromShape(x.shape.slice(axis + 1));
        const from = view(x);
        let offset = 0;
        outs.forEach((out, i) => {
          const run = sizes[i]! * inner;
          const to = view(out);
          for (let block = 0; block < outer; block++)
            copy(from, block * x.shape[axis]! * inner + offset, to, block * run, run);
          offset += run;
        });
      },
    };
  },
};

/**
 * The same numbers, shared. TensorFlow.js' WASM kernel copies them, at every clone and for every tensor that a gradient
 * keeps for later.
 */
export const identity: Kernel = {
  name: 'Identity',
  plan: ({ inputs }) => ({ alias: inputs.x! }),
};
