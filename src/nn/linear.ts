/** Affine maps of rows. */
import { fused, type Tensor, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs';

/** Weights of an affine map: `w` `[in, out]`, `b` `[out]`. */
export interface LinearParams {
  readonly w: Tensor2D;
  readonly b: Tensor1D;
}

/** The weights of an affine map by its name. */
export const linearParams = (params: Readonly<Record<string, Tensor>>, name: string): LinearParams => ({
  w: params[`${name}.w`] as Tensor2D,
  b: params[`${name}.b`] as Tensor1D,
});

/**
 * One affine map, with its activation in the same kernel where the backend can.
 *
 *     y = f(x W + b)
 *
 * @param x `[rows, in]`.
 * @param activation f; default none.
 * @returns `[rows, out]`.
 */
export function linear(x: Tensor2D, { w, b }: LinearParams, activation: 'linear' | 'relu' = 'linear'): Tensor2D {
  return fused.matMul({ a: x, b: w, bias: b, activation }) as Tensor2D;
}
