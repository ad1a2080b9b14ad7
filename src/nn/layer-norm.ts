/** Layer normalisation: Ba, Kiros & Hinton, 2016, https://arxiv.org/abs/1607.06450. */
import {
  add,
  customGrad,
  engine,
  type GradSaveFunc,
  mean,
  mul,
  rsqrt,
  square,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs';
import { hasKernel } from './kernels';

/**
 * Normalises every row to mean 0 and variance 1, then scales and shifts its columns.
 *
 *     μ = mean(x)   σ² = mean((x − μ)²)   r = 1 / √(σ² + ε)
 *     n = (x − μ) r
 *     y = n ⊙ g + b
 *
 * The gradient is written out, because the chain of small ops would keep seven tensors of the size of x where two do:
 *
 *     ∂x = r (δ − mean(δ) − n mean(δ ⊙ n))   with δ = ∂y ⊙ g
 *     ∂g = Σ ∂y ⊙ n   ∂b = Σ ∂y              over the rows
 *
 * @param x `[rows, d]`.
 * @param gain g, `[d]`.
 * @param bias b, `[d]`.
 * @param epsilon ε, inside the root. A row of equal values becomes b.
 * @returns `[rows, d]`.
 */
export function layerNorm(x: Tensor2D, gain: Tensor1D, bias: Tensor1D, epsilon: number): Tensor2D {
  const normalise = customGrad((...inputs) => {
    const [x, gain, bias, save] = inputs as unknown as [Tensor2D, Tensor1D, Tensor1D, GradSaveFunc];
    if (hasKernel('AisleLayerNorm')) {
      const [y, n, r] = engine().runKernel('AisleLayerNorm', { x, gain, bias }, { epsilon }) as unknown as Tensor2D[];
      save([n!, r!, gain]);
      return { value: y!, gradFunc: layerNormGradient };
    }
    const centred = sub(x, mean(x, 1, true)); // [rows, d]
    const r = rsqrt(add(mean(square(centred), 1, true), epsilon)); // [rows, 1]
    const n = mul(centred, r);
    save([n, r, gain]);
    return { value: add(mul(n, gain), bias) as Tensor2D, gradFunc: layerNormGradient };
  });
  return normalise(x, gain, bias);
}

function layerNormGradient(dy: Tensor2D, saved: Tensor[]): Tensor[] {
  const [n, r, gain] = saved as [Tensor2D, Tensor2D, Tensor1D];
  if (hasKernel('AisleLayerNormGrad')) {
    return engine().runKernel('AisleLayerNormGrad', { dy, n, r, gain }) as unknown as Tensor[];
  }
  const delta = mul(dy, gain);
  const along = mul(n, mean(mul(delta, n), 1, true));
  const dx = mul(r, sub(sub(delta, mean(delta, 1, true)), along));
  return [dx, sum(mul(dy, n), 0), sum(dy, 0)];
}
