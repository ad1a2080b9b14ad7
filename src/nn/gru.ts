/** The gated recurrent unit, in the two forms that GRU4Rec's official codes use. Gates are in the order r, z, c. */
import { add, matMul, mul, sigmoid, split, sub, type Tensor1D, type Tensor2D, tanh } from '@tensorflow/tfjs';

/** `[rows, 3h]` to three `[rows, h]`, without a copy where there is one gate only. */
const gates = (x: Tensor2D) => split(x, 3, 1) as [Tensor2D, Tensor2D, Tensor2D];

/**
 * One step of the GRU as cuDNN and PyTorch compute it: the reset gate acts after the product.
 *
 *     r  = σ(x Wxr + bxr + h Whr + bhr)
 *     z  = σ(x Wxz + bxz + h Whz + bhz)
 *     c  = tanh(x Wxc + bxc + r ⊙ (h Whc + bhc))
 *     h′ = (1 − z) ⊙ c + z ⊙ h
 *
 * @param input x Wx + bx, `[B, 3h]`.
 * @param h The old state, `[B, h]`.
 * @param wh `[h, 3h]`.
 * @param bh `[3h]`.
 * @returns The new state, `[B, h]`.
 */
export function gruResetAfter(input: Tensor2D, h: Tensor2D, wh: Tensor2D, bh: Tensor1D): Tensor2D {
  const [xr, xz, xc] = gates(input);
  const [hr, hz, hc] = gates(add(matMul(h, wh), bh));
  const r = sigmoid(add(xr, hr));
  const z = sigmoid(add(xz, hz));
  const c = tanh(add(xc, mul(r, hc)));
  return add(c, mul(z, sub(h, c))); // (1 − z) ⊙ c + z ⊙ h with one product less
}

/**
 * One step of the GRU as its paper and the Theano code of GRU4Rec have it: the reset gate acts before the product.
 *
 *     r  = σ(x Wxr + br + h Whr)
 *     z  = σ(x Wxz + bz + h Whz)
 *     c  = tanh(x Wxc + bc + (r ⊙ h) Whc)
 *     h′ = (1 − z) ⊙ h + z ⊙ c
 *
 * @param input x Wx + b, `[B, 3h]`.
 * @param h The old state, `[B, h]`.
 * @param wh `[h, 3h]`.
 * @returns The new state, `[B, h]`.
 */
export function gruResetBefore(input: Tensor2D, h: Tensor2D, wh: Tensor2D): Tensor2D {
  const [xr, xz, xc] = gates(input);
  const size = h.shape[1];
  const [whGates, whCandidate] = split(wh, [2 * size, size], 1) as [Tensor2D, Tensor2D];
  const [hr, hz] = split(matMul(h, whGates), 2, 1) as [Tensor2D, Tensor2D];
  const r = sigmoid(add(xr, hr));
  const z = sigmoid(add(xz, hz));
  const c = tanh(add(xc, matMul(mul(r, h), whCandidate)));
  return add(h, mul(z, sub(c, h))); // (1 − z) ⊙ h + z ⊙ c with one product less
}
