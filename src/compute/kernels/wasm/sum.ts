/** Sums over leading or middle axes on WASM: straight through memory, where TensorFlow.js transposes first. */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm/dist/backend_wasm';
import { sumConfig } from '@tensorflow/tfjs-backend-wasm/dist/kernels/Sum';
import { type KernelConfig, type TensorInfo, util } from '@tensorflow/tfjs-core';

export const sum: KernelConfig = {
  ...sumConfig,
  kernelFunc(call) {
    const x = call.inputs.x!;
    const axes = util.parseAxisParam(call.attrs!.axis as number | number[], x.shape);
    const reduced = new Set(axes);
    const first = Math.min(...axes);
    const last = Math.max(...axes);
    // Only a single run of axes, the last axis not among them, in 32-bit floats; the rest is fast already.
    const isRun = axes.length > 0 && last - first + 1 === reduced.size && last < x.shape.length - 1;
    const backend = call.backend as BackendWasm;
    if (!isRun || x.dtype !== 'float32') {
      const out = sumConfig.kernelFunc(call) as TensorInfo;
      // TensorFlow.js leaves the sum of nothing unwritten.
      if (util.sizeFromShape(x.shape) === 0) backend.typedArrayFromHeap(out).fill(0);
      return out;
    }
    const kept = call.attrs!.keepDims
      ? x.shape.map((size, axis) => (reduced.has(axis) ? 1 : size))
      : x.shape.filter((_, axis) => !reduced.has(axis));
    const out = backend.makeOutput(kept, 'float32');
    const outer = util.sizeFromShape(x.shape.slice(0, first));
    const count = util.sizeFromShape(x.shape.slice(first, last + 1));
    const inner = util.sizeFromShape(x.shape.slice(last + 1));
    const from = backend.typedArrayFromHeap(x) as Float32Array;
    const to = backend.typedArrayFromHeap(out) as Float32Array;
    const totals = new Float64Array(inner);
    for (let block = 0; block < outer; block++) {
      totals.fill(0);
      addRows(from, block * count * inner, count, totals);
      to.set(totals, block * inner);
    }
    return out;
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
