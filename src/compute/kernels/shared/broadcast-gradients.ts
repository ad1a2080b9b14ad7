/** Gradients of sums, means and tiles: by tiles, since TensorFlow.js multiplies by ones or slices. */
import { div, engine, type GradConfig, reshape, sum, type Tensor, util } from '@tensorflow/tfjs';

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
