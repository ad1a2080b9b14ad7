/** Element-wise activations by name. */
import {
  add,
  customGrad,
  elu,
  erf,
  exp,
  leakyRelu,
  mul,
  relu,
  selu,
  square,
  type Tensor,
  tanh,
} from '@tensorflow/tfjs-core';

/** `alpha` is the scale of elu and the slope of leaky. */
export type Activation =
  | { readonly kind: 'linear' | 'relu' | 'tanh' | 'selu' | 'gelu' }
  | { readonly kind: 'elu' | 'leaky'; readonly alpha: number };

/**
 * Applies an activation.
 *
 *     elu(x)   = x if x ≥ 0, else α (eˣ − 1)
 *     leaky(x) = x if x ≥ 0, else α x
 *     gelu(x)  = x Φ(x)                     Φ the normal distribution: the exact form, not that of tanh
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
    case 'gelu':
      return gelu(x) as T;
    case 'leaky':
      return leakyRelu(x, activation.alpha);
    // α (eˣ − 1) is elu's negative part with its slope changed: two fast kernels, and no branch that could overflow.
    case 'elu':
      return activation.alpha === 1 ? elu(x) : leakyRelu(elu(x), activation.alpha);
  }
}

/** x Φ(x), with the gradient Φ(x) + x φ(x) written out: the chain of small ops would keep four tensors of x's size. */
function gelu(x: Tensor): Tensor {
  const operation = customGrad((...inputs) => {
    const [x, save] = inputs as unknown as [Tensor, (kept: Tensor[]) => void];
    const share = mul(0.5, add(1, erf(mul(x, Math.SQRT1_2)))); // Φ(x)
    save([x, share]);
    return {
      value: mul(x, share),
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const [x, share] = saved as [Tensor, Tensor];
        const density = mul(1 / Math.sqrt(2 * Math.PI), exp(mul(-0.5, square(x)))); // φ(x)
        return mul(dy, add(share, mul(x, density)));
      },
    };
  });
  return operation(x);
}
