import { engine, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs';

/**
 * The score of what must get no probability. A softmax gives it exactly 0 against any real score, and unlike −∞ or −1e9
 * it is finite in 16-bit floats too, so that a fully masked row stays finite.
 */
export const MASKED = -6e4;

/**
 * Masks the scores of which row and column carry the same id; they get no gradient. Time and memory are those of a copy.
 *
 * @param scores `[M, K]`.
 * @param rowIds `[M]` int32.
 * @param columnIds `[K]` int32.
 * @param value Replaces a masked score. Default `MASKED`.
 * @returns `[M, K]`: `value` where `rowIds[m] = columnIds[k]`, else the score.
 * @throws Error if shapes do not fit.
 */
export function maskEqual(scores: Tensor2D, rowIds: Tensor1D, columnIds: Tensor1D, value = MASKED): Tensor2D {
  return engine().runKernel('AisleMaskEqual', { x: scores, rowIds, columnIds }, { value }) as Tensor2D;
}
