/** Sums over leading or middle axes on WASM: straight through memory, where TensorFlow.js transposes first. */
import { type TensorInfo, util } from '@tensorflow/tfjs';
import type { WasmKernel } from './memory';

/** The sizes of a sum over a run of axes, `[outer, count, inner]` to `[outer, inner]`, and the shape of the result. */
export function runOfAxes({ shape }: TensorInfo, { axis, keepDims }: { axis?: unknown; keepDims?: unknown }) {
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

export const sum: WasmKernel = {
  name: 'Sum',
  plan({ inputs, attrs }) {
    const x = inputs.x!;
    const { isRun, outer, count, inner, kept } = runOfAxes(x, attrs);
    if (util.sizeFromShape(x.shape) === 0) {
      // TensorFlow.js leaves the sum of nothing unwritten.
      return { outputs: { shape: kept, dtype: x.dtype }, compute: ({ view }, [out]) => void view(out!).fill(0) };
    }
    // Only 32-bit floats; the rest is fast already.
    if (!isRun || x.dtype !== 'float32') return undefined;
    return {
      outputs: { shape: kept, dtype: 'float32' },
      compute({ floats }, [out]) {
        const [from, to] = [floats(x), floats(out!)];
        const totals = new Float64Array(inner);
        for (let block = 0; block < outer; block++) {
          totals.fill(0);
          addRows(from, block * count * inner, count, totals);
          to.set(totals, block * inner);
        }
      },
    };
  },
};

/** Adds `count` rows that start at `start` to `totals`, four at a time: the totals are read and written less often. */
function addRows(from: Float32Array, start: number, count: number, totals: Float64Array): void {
  const inner = totals.length;
  let row = 0;
  for (; row + 4 <= count; row += 4) {
    const a = start + row * inner;
    const [b, c, d] = [a + inner, a + 2 * inner, a + 3 * inner];
    for (let j = 0; j < inner; j++) totals[j]! += from[a + j]! + from[b + j]! + (from[c + j]! + from[d + j]!);
  }
  for (; row < count; row++) {
    for (let j = 0, at = start + row * inner; j < inner; j++) totals[j]! += from[at + j]!;
  }
}
