import { engine, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs';

/**
 * BPR-max of each row, as one kernel with a gradient of its own; i is the target's column, w the softmax over the others:
 *
 *     wⱼ = e^rⱼ / Σ_{k≠i} e^rₖ ,  wᵢ = 0 ,  σⱼ = σ(rᵢ − rⱼ) ,  S = Σ w σ ,  R = Σ w r²
 *     ℓ = −log(S + 1e-24) + bpreg R
 *     ∂ℓ/∂rⱼ = wⱼ [σⱼ (1 − σⱼ) − (σⱼ − S)] / (S + 1e-24) + bpreg wⱼ (rⱼ² − R + 2 rⱼ)
 *     ∂ℓ/∂rᵢ = −Σ w σ (1 − σ) / (S + 1e-24)
 *
 * In plain ops it takes some thirty passes over tensors of the scores' size.
 *
 * @param r Scores after the final activation, `[M, K]`, K ≥ 2.
 * @param positive Column i of each row, `[M]` int32, 0…K−1.
 * @param bpreg Weight of the score regularisation.
 * @returns ℓ, `[M]`.
 * @throws Error if shapes do not fit or a column is out of range.
 * @see Hidasi & Karatzoglou, "Recurrent Neural Networks with Top-k Gains for Session-based Recommendations", CIKM 2018
 */
export function bprMax(r: Tensor2D, positive: Tensor1D, bpreg: number): Tensor1D {
  return engine().runKernel('AisleBprMax', { r, positive }, { bpreg }) as Tensor1D;
}
