/** Convolutions over the clicks of a session, as products with unfolded windows. */
import {
  add,
  customGrad,
  expandDims,
  type GradSaveFunc,
  gather,
  max,
  mul,
  reshape,
  step,
  sub,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  tensor1d,
  tensor3d,
  transpose,
} from '@tensorflow/tfjs';
import { type Activation, activate } from './activation';
import { type LinearParams, linear } from './linear';

/**
 * Filters that span all clicks and slide over the dimensions:
 *
 *     v_k = Σ_l w[l, k] X[l] + b[k]
 *
 * @param x X, `[B, L, d]`.
 * @param params `w` `[L, filters]`, `b` `[filters]`.
 * @returns `[B, filters · d]`, filter by filter.
 */
export function verticalConvolution(x: Tensor3D, params: LinearParams): Tensor2D {
  const [batch, length, d] = x.shape;
  const filters = params.w.shape[1];
  const columns: Tensor2D = reshape(transpose(x, [0, 2, 1]), [batch * d, length]);
  const found = reshape(linear(columns, params), [batch, d, filters]);
  return reshape(transpose(found, [0, 2, 1]), [batch, filters * d]);
}

/**
 * Filters that span all dimensions and `height` clicks, slide over the clicks, and keep what they find most of:
 *
 *     cᵢ = φ(⟨F, X[i … i + height − 1]⟩ + b)        i = 1 … L − height + 1
 *     out = maxᵢ cᵢ
 *
 * @param x X, `[B, L, d]`.
 * @param params `w` `[height · d, filters]`, click by click; `b` `[filters]`.
 * @returns `[B, filters]`.
 */
export function horizontalConvolution(x: Tensor3D, params: LinearParams, height: number, φ: Activation): Tensor2D {
  const [batch, length, d] = x.shape;
  const places = length - height + 1;
  const clicks: Tensor2D = reshape(x, [batch * length, d]);
  const unfolded = new Int32Array(batch * places * height);
  for (let at = 0, b = 0; b < batch; b++) {
    for (let i = 0; i < places; i++) for (let j = 0; j < height; j++) unfolded[at++] = b * length + i + j;
  }
  const windows: Tensor2D = reshape(gather(clicks, tensor1d(unfolded, 'int32')), [batch * places, height * d]);
  const c = activate(linear(windows, params), φ);
  return maxOverTime(reshape(c, [batch, places, params.w.shape[1]]));
}

/**
 * The largest number of each column, `[B, T, c]` → `[B, c]`. Of equal ones, as windows of padding or of one item clicked
 * again and again give, one alone gets the gradient; the gradient of `max` would go to all of them.
 */
export function maxOverTime(x: Tensor3D): Tensor2D {
  const [batch, steps, columns] = x.shape;
  if (steps === 1) return reshape(x, [batch, columns]);
  const largest = customGrad((...inputs) => {
    const [x, save] = inputs as unknown as [Tensor3D, GradSaveFunc];
    const most = max(x, 1) as Tensor2D;
    save([x, most]);
    return { value: most, gradFunc: (dy: Tensor2D, saved: Tensor[]) => mul(firstOf(saved), expandDims(dy, 1)) };
  });
  return largest(x) as Tensor2D;
}

/** 1 at the first of the largest numbers of each column, `[B, T, c]`. In floats alone, which every backend gets right. */
function firstOf([x, most]: Tensor[]): Tensor3D {
  const steps = x!.shape[1]!;
  const isLargest = sub(1, step(sub(expandDims(most!, 1), x!)));
  const earliness = tensor3d(
    Float32Array.from({ length: steps }, (_, t) => steps - t),
    [1, steps, 1],
  );
  const rank = mul(isLargest, earliness); // steps … 1 at the largest, 0 elsewhere
  return step(add(sub(rank, max(rank, 1, true)), 0.5));
}
