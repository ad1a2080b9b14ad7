/** The Gaussian error linear unit: Hendrycks & Gimpel, 2016, https://arxiv.org/abs/1606.08415. */
import { add, customGrad, engine, erf, exp, type GradSaveFunc, mul, square, type Tensor, tanh } from '@tensorflow/tfjs';
import { hasKernel } from './kernels';

/**
 * In its exact form, not the tanh approximation, which differs by up to 5e-4.
 *
 *     gelu(x) = x Φ(x)   Φ(x) = ½ (1 + erf(x / √2))
 *     ∂x      = Φ(x) + x φ(x)                          φ the normal density
 *
 * The gradient is written out, so that x alone is kept for it.
 */
export function gelu<T extends Tensor>(x: T): T {
  if (hasKernel('AisleGelu')) return engine().runKernel('AisleGelu', { x }) as T;
  const activate = customGrad((...inputs) => {
    const [x, save] = inputs as unknown as [Tensor, GradSaveFunc];
    save([x]);
    return { value: mul(x, cumulative(x)), gradFunc: geluGradient };
  });
  return activate(x) as T;
}

function geluGradient(dy: Tensor, saved: Tensor[]): Tensor {
  const x = saved[0]!;
  const density = mul(exp(mul(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return mul(dy, add(cumulative(x), mul(x, density)));
}

const cumulative = (x: Tensor): Tensor => mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5);

/**
 * The approximation of GPT-2's own code, which Hugging Face calls `gelu_new`.
 *
 *     ½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))
 */
export function geluByTanh<T extends Tensor>(x: T): T {
  const tanhArgument = mul(x, add(mul(square(x), 0.044715), 1));
  return mul(mul(x, 0.5), add(tanh(mul(tanhArgument, Math.sqrt(2 / Math.PI))), 1));
}
