/** Kernels that only move numbers: joining, splitting, transposing. */
import { backend_util, type TensorInfo, util } from '@tensorflow/tfjs-core';
import { isFloat, type SimdKernel, sizeOf } from './kernel';

/** Numbers of one tensor from `axis` on. */
const runOf = ({ shape }: TensorInfo, axis: number): number => util.sizeFromShape(shape.slice(axis));

export const concat: SimdKernel = {
  name: 'Concat',
  run({ inputs, attrs, simd, output }) {
    const parts = Object.values(inputs) as TensorInfo[];
    const axis = util.parseAxisParam(attrs.axis as number, parts[0]!.shape)[0]!;
    if (!isFloat(...parts)) return undefined;
    const shape = backend_util.computeOutShape(
      parts.map(({ shape }) => shape),
      axis,
    );
    const out = output(shape);
    const step = runOf(out, axis) * 4;
    const count = util.sizeFromShape(shape.slice(0, axis));
    let to = simd.at(out);
    for (const part of parts) {
      const bytes = runOf(part, axis) * 4;
      simd.run.copyBlocks(simd.at(part), bytes, to, step, bytes, count);
      to += bytes;
    }
    return out;
  },
};

export const splitV: SimdKernel = {
  name: 'SplitV',
  run({ inputs, attrs, simd, output }) {
    const x = inputs.x!;
    if (!isFloat(x)) return undefined;
    const axis = util.parseAxisParam(attrs.axis as number, x.shape)[0]!;
    const sizes = backend_util.prepareSplitSize(x as never, attrs.numOrSizeSplits as number | number[], axis);
    const outs = sizes.map((size) => output([...x.shape.slice(0, axis), size, ...x.shape.slice(axis + 1)]));
    const count = util.sizeFromShape(x.shape.slice(0, axis));
    const step = runOf(x, axis) * 4;
    let from = simd.at(x);
    for (const out of outs) {
      const bytes = runOf(out, axis) * 4;
      simd.run.copyBlocks(from, step, simd.at(out), bytes, bytes, count);
      from += bytes;
    }
    return outs;
  },
};

/** Of the last two axes. */
export const transpose: SimdKernel = {
  name: 'Transpose',
  run({ inputs, attrs, simd, output }) {
    const x = inputs.x!;
    const rank = x.shape.length;
    const swapped = (attrs.perm as number[]).map((axis, i) => (i < rank - 2 ? axis === i : axis === 2 * rank - 3 - i));
    if (rank < 2 || !isFloat(x) || !swapped.every(Boolean)) return undefined;
    const [rows, columns] = x.shape.slice(-2) as [number, number];
    const out = output([...x.shape.slice(0, -2), columns, rows]);
    if (sizeOf(x) === 0) return out;
    simd.run.transpose(simd.at(x), simd.at(out), sizeOf(x) / (rows * columns), rows, columns);
    return out;
  },
};
