import { engine, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';

/**
 * −log softmax(s)ᵢ of each row, as one kernel with a gradient of its own:
 *
 *     ℓ = log Σⱼ e^sⱼ − sᵢ        ∂ℓ/∂s = softmax(s) − onehot(i)
 *
 * Only the scores are kept for the gradient; written in plain ops, five tensors of their size would be.
 *
 * @param scores s, `[M, K]`.
 * @param positive Column i of each row, `[M]` int32, 0…K−1.
 * @returns ℓ, `[M]`, in nats.
 * @throws Error if shapes do not fit or a column is out of range.
 */
export function softmaxCrossEntropy(scores: Tensor2D, positive: Tensor1D): Tensor1D {
  return engine().runKernel('AisleCrossEntropy', { scores, positive }) as Tensor1D;
}
