/** Element-wise activations by name. */
import { add, elu, exp, leakyRelu, minimum, mul, relu, selu, sub, type Tensor, tanh } from '@tensorflow/tfjs-core';

/** `alpha` is the scale of elu and the slope of leaky. */
export type Activation =
  | { readonly kind: 'linear' | 'relu' | 'tanh' | 'selu' }
  | { readonly kind: 'elu' | 'leaky'; readonly alpha: number };

/**
 * Applies an activation.
 *
 *     elu(x)   = x if x ≥ 0, else α (eˣ − 1)
 *     leaky(x) = x if x ≥ 0, else α x
 */
export function activate<T extends Tensor>(x: T, activation: Activation): T {
  switch (activation.kind) {
    case 'linear':
      return x;
    case 'relu':
      return relu(x);
    case 'tanh':
      return tanh(x);
    case 'selu':
      return selu(x);
    case 'leaky':
      return leakyRelu(x, activation.alpha);
    case 'elu': {
      const { alpha } = activation;
      // max(x, 0) + α (e^min(x, 0) − 1): no branch of it can overflow, so its gradient cannot be NaN.
      return alpha === 1 ? elu(x) : (add(relu(x), mul(alpha, sub(exp(minimum(x, 0)), 1))) as T);
    }
  }
}
