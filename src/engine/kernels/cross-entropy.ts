/** The kernels behind `nn/cross-entropy.ts`: softmax cross-entropy in two passes, where plain ops take nine. */
import { engine, type GradConfig, type Tensor, type TensorInfo } from '@tensorflow/tfjs-core';
import type { Call, OwnKernel } from './memory';

function checked({ inputs, memory }: Call): {
  scores: TensorInfo;
  positive: TensorInfo;
  rows: number;
  columns: number;
} {
  const scores = inputs.scores!;
  const positive = inputs.positive!;
  const [rows, columns] = scores.shape as [number, number];
  if (scores.shape.length !== 2 || positive.shape.length !== 1 || positive.shape[0] !== rows) {
    throw new Error(`softmaxCrossEntropy: scores [${scores.shape}] and columns [${positive.shape}] do not fit.`);
  }
  for (const column of memory.ints(positive)) {
    if (!(column >= 0 && column < columns)) {
      throw new Error(`softmaxCrossEntropy: column ${column} is not in [0, ${columns - 1}].`);
    }
  }
  return { scores, positive, rows, columns };
}

/** `out[b] = log Σⱼ e^sⱼ − s[positive[b]]`. */
export const crossEntropy: OwnKernel = {
  name: 'AisleCrossEntropy',
  run(call) {
    const { memory } = call;
    const { scores, positive, rows, columns } = checked(call);
    const out = memory.output([rows], 'float32');
    const p = memory.output([rows, columns], 'float32');
    memory.softmax(scores, p, rows, columns);
    const s = memory.floats(scores);
    const probability = memory.floats(p);
    const to = memory.floats(out);
    const target = memory.ints(positive);
    for (let row = 0, start = 0; row < rows; row++, start += columns) {
      // The largest score m has probability e^m / Σ, so log Σ = m − log of it: one logarithm, nothing cancels.
      let at = start;
      for (let i = start + 1; i < start + columns; i++) if (s[i]! > s[at]!) at = i;
      to[row] = s[at]! - Math.log(probability[at]!) - s[start + target[row]!]!;
    }
    memory.free(p);
    return out;
  },
};

/** `(softmax(s) − onehot(positive)) ⊙ dy`. */
export const crossEntropySlope: OwnKernel = {
  name: 'AisleCrossEntropyGrad',
  run(call) {
    const { inputs, memory } = call;
    const { scores, positive, rows, columns } = checked(call);
    const out = memory.output(scores.shape, 'float32');
    memory.softmax(scores, out, rows, columns);
    const slope = memory.floats(out);
    const dy = memory.floats(inputs.dy!);
    const target = memory.ints(positive);
    for (let row = 0, start = 0; row < rows; row++, start += columns) {
      const factor = dy[row]!;
      for (let i = start; i < start + columns; i++) slope[i]! *= factor;
      slope[start + target[row]!]! -= factor;
    }
    return out;
  },
};

export const crossEntropyGradient: GradConfig = {
  kernelName: 'AisleCrossEntropy',
  inputsToSave: ['scores', 'positive'],
  gradFunc: (dy, [scores, positive]) => ({
    scores: () =>
      engine().runKernel('AisleCrossEntropyGrad', {
        dy: dy as Tensor,
        scores: scores!,
        positive: positive!,
      }) as Tensor,
  }),
};
