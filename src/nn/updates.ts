/**
 * Optimiser steps in place: they write into the buffers of the tensors passed, so that a step costs what its gradient
 * costs, however large the catalogue. A functional update would copy the whole item table, three times over with
 * accumulator and velocity, to change a few hundred rows.
 *
 * The tensors written to must own their numbers: no clone or reshape of them may be alive (checked, since it would change
 * too), and on plain CPU the typed array that a tensor was made from is its buffer. The kernels are registered by
 * `registerTraining`.
 */
import { engine, type NamedTensorMap, type Tensor, type Tensor1D } from '@tensorflow/tfjs';

export interface AdagradTensors {
  /** Written. */
  readonly param: Tensor;
  /** Sum of squared gradients, shape of `param`. Written. */
  readonly accumulator: Tensor;
  /** Shape of `param`; needed where momentum > 0. Written. */
  readonly velocity?: Tensor | undefined;
  /** Shape of `param`, or `[r, …]` with `rows`. */
  readonly gradient: Tensor;
  /** Indices of the rows that the gradient belongs to, `[r]` int32, each once. Other rows stay as they are. */
  readonly rows?: Tensor1D | undefined;
}

export interface AdagradOptions {
  readonly learningRate: number;
  /** 0 for none. */
  readonly momentum: number;
  /** Added to the accumulator under the root. */
  readonly epsilon: number;
}

/**
 * One Adagrad step, with classical momentum as in GRU4Rec's official code.
 *
 *     a ← a + g²
 *     u = g / √(a + ε)
 *     v ← μ v − λ u ,  p ← p + v        where μ > 0
 *     p ← p − λ u                       otherwise
 *
 * @throws Error if shapes do not fit, a row is out of range, or a tensor written to has an alias.
 * @see Duchi et al., "Adaptive Subgradient Methods", JMLR 2011
 */
export function adagradUpdate(tensors: AdagradTensors, options: AdagradOptions): void {
  if (options.momentum > 0 && !tensors.velocity) {
    throw new RangeError(`adagradUpdate: momentum is ${options.momentum}, so a velocity tensor is needed.`);
  }
  run('AisleAdagrad', tensors, options);
}

export interface AdamTensors {
  /** Written. */
  readonly param: Tensor;
  /** Mean of the gradients, shape of `param`. Written. */
  readonly m: Tensor;
  /** Mean of their squares, shape of `param`. Written. */
  readonly v: Tensor;
  /** Shape of `param`, or `[r, …]` with `rows`. */
  readonly gradient: Tensor;
  /** Indices of the rows that the gradient belongs to, `[r]` int32, each once. Other rows stay as they are. */
  readonly rows?: Tensor1D | undefined;
}

export interface AdamOptions {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Number of this step, from 1. */
  readonly step: number;
  /** ω; 0 for none. */
  readonly weightDecay: number;
  /** `coupled`: g ← g + ω p (Adam). `decoupled`: p ← p − λ ω p (AdamW). */
  readonly decay: 'coupled' | 'decoupled';
}

/**
 * One step of Adam or AdamW, as in `torch.optim`: bias correction, ε outside the root.
 *
 *     m ← β₁ m + (1 − β₁) g ,  v ← β₂ v + (1 − β₂) g²
 *     p ← p − λ / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)
 *
 * @throws RangeError if `step` is not an integer from 1.
 * @throws Error if shapes do not fit, a row is out of range, or a tensor written to has an alias.
 * @see Kingma & Ba, "Adam", ICLR 2015; Loshchilov & Hutter, "Decoupled Weight Decay Regularization", ICLR 2019
 */
export function adamUpdate(tensors: AdamTensors, options: AdamOptions): void {
  if (!Number.isInteger(options.step) || options.step < 1) {
    throw new RangeError(`adamUpdate: steps count from 1, got ${options.step}.`);
  }
  run('AisleAdam', tensors, options);
}

function run(kernel: string, tensors: object, attrs: object): void {
  const given = Object.entries(tensors).filter(([, tensor]) => tensor !== undefined);
  engine().runKernel(kernel, Object.fromEntries(given) as NamedTensorMap, attrs as Record<string, number>);
}
