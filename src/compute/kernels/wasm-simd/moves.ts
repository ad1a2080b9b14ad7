/** Kernels that only move numbers: joining, splitting, transposing. */
import { backend_util, type TensorInfo, util } from '@tensorflow/tfjs';
import { float32 } from '../shared/kernel';
import type { WasmKernel } from '../wasm/memory';
import { simdOf } from './inference-module';
import { isFloat, sizeOf } from './kernel';

/** Numbers of one tensor from `axis` on. */
const runOf = ({ shape }: TensorInfo, axis: number): number => util.sizeFromShape(shape.slice(axis));

export const concat: WasmKernel = {
  name: 'Concat',
  plan({ inputs, attrs, backend }) {
    const parts = Object.values(inputs) as TensorInfo[];
    const axis = util.parseAxisParam(attrs.axis as number, parts[0]!.shape)[0]!;
    if (!isFloat(...parts)) return undefined;
    const shape = backend_util.computeOutShape(
      parts.map(({ shape }) => shape),
      axis,
    );
    return {
      outputs: float32(shape),
      compute({ at }, [out]) {
        const { copyBlocks } = simdOf(backend);
        const step = runOf(out!, axis) * 4;
        const count = util.sizeFromShape(shape.slice(0, axis));
        let to = at(out!);
        for (const part of parts) {
          const bytes = runOf(part, axis) * 4;
          copyBlocks(at(part), bytes, to, step, bytes, count);
          to += bytes;
        }
      },
    };
  },
};

export const splitV: WasmKernel = {
  name: 'SplitV',
  plan({ inputs, attrs, backend }) {
    const x = inputs.x!;
    if (!isFloat(x)) return undefined;
    const axis = util.parseAxisParam(attrs.axis as number, x.shape)[0]!;
    const sizes = backend_util.prepareSplitSize(x as never, attrs.numOrSizeSplits as number | number[], axis);
    return {
      outputs: sizes.map((size) => float32([...x.shape.slice(0, axis), size, ...x.shape.slice(axis + 1)])),
      compute({ at }, outs) {
        const { copyBlocks } = simdOf(backend);
        const count = util.sizeFromShape(x.shape.slice(0, axis));
        const step = runOf(x, axis) * 4;
        let from = at(x);
        for (const out of outs) {
          const bytes = runOf(out, axis) * 4;
          copyBlocks(from, step, at(out), bytes, bytes, count);
          from += bytes;
        }
      },
    };
  },
};

/** Of the last two axes. */
export const transpose: WasmKernel = {
  name: 'Transpose',
  plan({ inputs, attrs, backend }) {
    const x = inputs.x!;
    const rank = x.shape.length;
    const swapped = (attrs.perm as number[]).map((axis, i) => (i < rank - 2 ? axis === i : axis === 2 * rank - 3 - i));
    if (rank < 2 || !isFloat(x) || !swapped.every(Boolean)) return undefined;
    const [rows, columns] = x.shape.slice(-2) as [number, number];
    const outputs = float32([...x.shape.slice(0, -2), columns, rows]);
    if (sizeOf(x) === 0) return { outputs };
    return {
      outputs,
      compute: ({ at }, [out]) =>
        simdOf(backend).transpose(at(x), at(out!), sizeOf(x) / (rows * columns), rows, columns),
    };
  },
};
