import type { NamedAttrMap, TensorInfo } from '@tensorflow/tfjs';

/** The guard against log 0 of BPR-max' authors. */
export const TINY = 1e-24;

/** Rows and columns of the scores. @throws Error if the inputs of a loss of rows do not fit. */
export function checkRows(
  scores: TensorInfo,
  positive: TensorInfo,
  loss: string,
): { readonly rows: number; readonly columns: number } {
  const [rows, columns] = scores.shape as [number, number];
  if (scores.shape.length !== 2 || positive.shape.length !== 1 || positive.shape[0] !== rows) {
    throw new Error(`${loss}: scores [${scores.shape}] and columns [${positive.shape}] do not fit.`);
  }
  return { rows, columns };
}

/**
 * What cross-entropy weighs: the mass e/(K − 1) that label smoothing gives to each column but the target's, what the target
 * keeps beyond it, and the guard g of −log(p + g). Below the guard there is no gradient: the slope of −log(p + g) by a score
 * carries the factor p / (p + g), which is 0 for a probability that rounds to 0.
 */
export function massOf({ smoothing = 0, guard = 0 }: NamedAttrMap, columns: number) {
  const spread = smoothing === 0 ? 0 : (smoothing as number) / (columns - 1);
  return { spread, own: 1 - columns * spread, guard: guard as number };
}
