/** Element-wise activations by name. */
import { elu, leakyRelu, mul, relu, selu, sigmoid, type Tensor, tanh } from '@tensorflow/tfjs';
import { gelu, geluByTanh } from './gelu';

/** `alpha` is the scale of elu and the slope of leaky. */
export type Activation =
  | { readonly kind: 'linear' | 'relu' | 'tanh' | 'selu' | 'sigmoid' | 'silu' | 'gelu' | 'gelu_new' }
  | { readonly kind: 'elu' | 'leaky'; readonly alpha: number };

/**
 * Applies an activation.
 *
 *     elu(x)   = x if x ≥ 0, else α (eˣ − 1)
 *     leaky(x) = x if x ≥ 0, else α x
 *     silu(x)  = x σ(x), which is also called swish
 *     gelu(x)  = x Φ(x) in its exact form, gelu_new with the tanh that comes near it
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
    case 'sigmoid':
      return sigmoid(x);
    case 'silu':
      return mul(x, sigmoid(x));
    case 'gelu':
      return gelu(x);
    case 'gelu_new':
      return geluByTanh(x);
    case 'leaky':
      return leakyRelu(x, activation.alpha);
    // α (eˣ − 1) is elu's negative part with its slope changed: two fast kernels, and no branch that could overflow.
    case 'elu':
      return activation.alpha === 1 ? elu(x) : leakyRelu(elu(x), activation.alpha);
  }
}
