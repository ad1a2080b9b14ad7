import type { TensorInfo } from '@tensorflow/tfjs';

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
