import type { NamedTensorInfoMap } from '@tensorflow/tfjs-core';

/** Rows and columns of the scores. @throws Error if the inputs of a softmax cross-entropy do not fit. */
export function checkRows({ scores, positive }: NamedTensorInfoMap): {
  readonly rows: number;
  readonly columns: number;
} {
  const [rows, columns] = scores!.shape as [number, number];
  if (scores!.shape.length !== 2 || positive!.shape.length !== 1 || positive!.shape[0] !== rows) {
    throw new Error(`softmaxCrossEntropy: scores [${scores!.shape}] and columns [${positive!.shape}] do not fit.`);
  }
  return { rows, columns };
}
