import {
  add,
  customGrad,
  type GradSaveFunc,
  mul,
  rsqrt,
  square,
  sub,
  sum,
  type Tensor,
  type Tensor2D,
} from '@tensorflow/tfjs';

/** Keeps a row of zeros at zero; the smallest number that 16-bit floats still tell from 0. */
const EPSILON = 1e-7;

/**
 * Scales every row to length 1.
 *
 *     r = 1 / √(x · x + ε)
 *     y = x r
 *     ∂x = r (∂y − y (∂y · y))
 *
 * @param x `[rows, d]`.
 * @returns `[rows, d]`; a row of zeros stays one.
 */
export function normaliseRows(x: Tensor2D): Tensor2D {
  const normalise = customGrad((...inputs) => {
    const [x, save] = inputs as unknown as [Tensor2D, GradSaveFunc];
    const r = rsqrt(add(sum(square(x), 1, true), EPSILON)); // [rows, 1]
    const y: Tensor2D = mul(x, r);
    save([y, r]);
    return {
      value: y,
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const [y, r] = saved as [Tensor2D, Tensor2D];
        return mul(r, sub(dy, mul(y, sum(mul(dy, y), 1, true))));
      },
    };
  });
  return normalise(x);
}
