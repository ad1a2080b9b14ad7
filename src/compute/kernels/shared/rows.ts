/** Kernels that move numbers: gather, slices, pieces and tiles. TensorFlow.js' WASM versions are slow. */
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

/** Repeats x `reps[i]` times along axis i; with it every broadcast of TensorFlow.js, on WASM some 50 ns a number. */
export const tile: Kernel = {
  name: 'Tile',
  plan({ inputs, attrs }) {
    const x = inputs.x!;
    const reps = attrs.reps as number[];
    const shape = x.shape.map((size, axis) => size * reps[axis]!);
    return {
      outputs: { shape, dtype: x.dtype },
      compute({ view }, [out]) {
        if (util.sizeFromShape(shape) > 0) repeatAlongAxes(view(x), view(out!), x.shape, reps);
      },
    };
  },
};

/** From the last axis to the first. Runs of `block` source numbers lie in `to`, each already `width` long. */
function repeatAlongAxes(from: Values, to: Values, shape: readonly number[], reps: readonly number[]): void {
  to.set(from);
  let width = 1; // numbers in `to` for one source number, then for one run
  let runs = from.length; // how many such runs lie packed at the start of `to`
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    width *= shape[axis]!;
    runs /= shape[axis]!;
    const times = reps[axis]!;
    if (times === 1) continue;
    // Backwards, so that no run is overwritten before it is copied.
    for (let run = runs - 1; run >= 0; run--) {
      const target = run * width * times;
      if (width === 1) to.fill(to[run]!, target, target + times);
      else {
        to.copyWithin(target, run * width, (run + 1) * width);
        for (let i = 1; i < times; i++) to.copyWithin(target + i * width, target, target + width);
      }
    }
    width *= times;
  }
}
