/** Kernels that repeat numbers: tiling, and with it every broadcast of TensorFlow.js, on WASM some 50 ns a number. */
import { div, engine, type GradConfig, reshape, sum, type Tensor, util } from '@tensorflow/tfjs';
import type { Kernel, Values } from './kernel';

/** Repeats x `reps[i]` times along axis i. */
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

/** Repeats the gradient of a reduction along the reduced axes. `broadcastTo` would leave a size of 0 at 1. */
function repeat(dy: Tensor, shape: number[], axis: unknown): Tensor {
  const axes = new Set(util.parseAxisParam(axis as number | number[], shape));
  const x = reshape(
    dy,
    shape.map((size, i) => (axes.has(i) ? 1 : size)),
  );
  return engine().runKernel('Tile', { x }, { reps: shape.map((size, i) => (axes.has(i) ? size : 1)) }) as Tensor;
}

/** ∂x = ∂y, repeated along the axes that were summed; TensorFlow.js multiplies by a tensor of ones. */
export const sumGradient: GradConfig = {
  kernelName: 'Sum',
  inputsToSave: ['x'],
  gradFunc: (dy, [x], attrs) => ({ x: () => repeat(dy as Tensor, x!.shape, attrs.axis) }),
};

/** ∂x = ∂y / count, repeated along the axes that were averaged. */
export const meanGradient: GradConfig = {
  kernelName: 'Mean',
  inputsToSave: ['x'],
  gradFunc: (dy, [x], attrs) => ({
    x: () => repeat(div(dy as Tensor, x!.size / (dy as Tensor).size), x!.shape, attrs.axis),
  }),
};

/** ∂x = Σ ∂y over the repeats; TensorFlow.js slices them out of ∂y one by one. */
export const tileGradient: GradConfig = {
  kernelName: 'Tile',
  inputsToSave: ['x'],
  gradFunc: (dy, [x], attrs) => ({
    x: () => {
      const reps = attrs.reps as number[];
      const apart = x!.shape.flatMap((size, axis) => [reps[axis]!, size]);
      const repeats = reps.flatMap((times, axis) => (times === 1 ? [] : [2 * axis]));
      return reshape(sum(reshape(dy as Tensor, apart), repeats), x!.shape);
    },
  }),
};
