/** The kernels behind `nn/cross-entropy.ts`: softmax cross-entropy in two passes, where plain ops take nine. */
import { engine, type GradConfig, type NamedAttrMap, type Tensor, type TensorInfo } from '@tensorflow/tfjs-core';
import type { Call, OwnKernel } from './memory';
import { checkRows } from './row-shapes';

/**
 * Rows and columns of the scores.
 *
 * @throws Error if shapes do not fit or a column is out of range.
 */
export function checkCrossEntropy(
  scores: TensorInfo,
  positive: TensorInfo,
  targets: Int32Array,
): { readonly rows: number; readonly columns: number } {
  const { rows, columns } = checkRows(scores, positive, 'softmaxCrossEntropy');
  for (const column of targets) {
    if (!(column >= 0 && column < columns)) {
      throw new Error(`softmaxCrossEntropy: column ${column} is not in [0, ${columns - 1}].`);
    }
  }
  return { rows, columns };
}

function checked({ inputs, memory }: Call) {
  const scores = inputs.scores!;
  const positive = inputs.positive!;
  return { scores, positive, ...checkCrossEntropy(scores, positive, memory.ints(positive)) };
}

/**
 * What the loss weighs: the mass e/(K − 1) that label smoothing gives to each column but the target's, what the target
 * keeps beyond it, and the guard g of −log(p + g). Below the guard nothing is learnt: the slope of −log(p + g) by a score
 * carries the factor p / (p + g), which is 0 for a probability that rounds to 0.
 */
export function massOf({ smoothing = 0, guard = 0 }: NamedAttrMap, columns: number) {
  const spread = smoothing === 0 ? 0 : (smoothing as number) / (columns - 1);
  return { spread, own: 1 - columns * spread, guard: guard as number };
}

/**
 * The loss of a row without a guard: scores are taken relative to the largest one m, so that what stands against each
 * other is small.
 *
 * @param total Σ e^(s − m).
 * @param rest b Σ (s − m).
 */
export const lossOf = (total: number, highest: number, target: number, own: number, rest: number): number =>
  Math.log(total) - own * (target - highest) - rest;

/** `out[b] = log Σⱼ e^sⱼ − own · s[positive[b]] − spread · Σⱼ sⱼ`; with a guard `−own · log(p + g) − spread · Σⱼ log(pⱼ + g)`. */
export const crossEntropy: OwnKernel = {
  name: 'AisleCrossEntropy',
  run(call) {
    const { memory } = call;
    const { scores, positive, rows, columns } = checked(call);
    const { spread, own, guard } = massOf(call.attrs, columns);
    const out = memory.output([rows], 'float32');
    const p = memory.output([rows, columns], 'float32');
    memory.softmax(scores, p, rows, columns);
    const s = memory.floats(scores);
    const probability = memory.floats(p);
    const to = memory.floats(out);
    const target = memory.ints(positive);
    for (let row = 0, start = 0; row < rows; row++, start += columns) {
      if (guard !== 0) {
        let loss = -own * Math.log(probability[start + target[row]!]! + guard);
        if (spread !== 0) {
          for (let i = start; i < start + columns; i++) loss -= spread * Math.log(probability[i]! + guard);
        }
        to[row] = loss;
        continue;
      }
      // The largest score m has probability e^m / Σ: Σ is its inverse.
      let at = start;
      for (let i = start + 1; i < start + columns; i++) if (s[i]! > s[at]!) at = i;
      const highest = s[at]!;
      let rest = 0;
      if (spread !== 0) for (let i = start; i < start + columns; i++) rest += s[i]! - highest;
      to[row] = lossOf(1 / probability[at]!, highest, s[start + target[row]!]!, own, spread * rest);
    }
    memory.free(p);
    return out;
  },
};

/**
 * `(softmax(s) − own · onehot(positive) − spread) ⊙ dy`. With a guard each −log(pⱼ + g) counts qⱼ = pⱼ / (pⱼ + g):
 * `(p · Σⱼ cⱼ qⱼ − c ⊙ q) ⊙ dy` with c = spread + own · onehot(positive).
 */
export const crossEntropySlope: OwnKernel = {
  name: 'AisleCrossEntropyGrad',
  run(call) {
    const { inputs, memory } = call;
    const { scores, positive, rows, columns } = checked(call);
    const { spread, own, guard } = massOf(call.attrs, columns);
    const out = memory.output(scores.shape, 'float32');
    memory.softmax(scores, out, rows, columns);
    const slope = memory.floats(out);
    const dy = memory.floats(inputs.dy!);
    const target = memory.ints(positive);
    for (let row = 0, start = 0; row < rows; row++, start += columns) {
      const factor = dy[row]!;
      if (guard !== 0) {
        guardedSlope(slope.subarray(start, start + columns), target[row]!, own, spread, guard, factor);
        continue;
      }
      for (let i = start; i < start + columns; i++) slope[i] = (slope[i]! - spread) * factor;
      slope[start + target[row]!]! -= own * factor;
    }
    return out;
  },
};

/** Turns one row's probabilities into its slopes, in place. */
function guardedSlope(
  p: Float32Array,
  target: number,
  own: number,
  spread: number,
  guard: number,
  factor: number,
): void {
  const ownPart = (own * p[target]!) / (p[target]! + guard);
  let total = ownPart;
  if (spread !== 0) for (let i = 0; i < p.length; i++) total += (spread * p[i]!) / (p[i]! + guard);
  for (let i = 0; i < p.length; i++) {
    const part = spread === 0 ? 0 : (spread * p[i]!) / (p[i]! + guard);
    p[i] = (p[i]! * total - part) * factor;
  }
  p[target]! -= ownPart * factor;
}

export const crossEntropyGradient: GradConfig = {
  kernelName: 'AisleCrossEntropy',
  inputsToSave: ['scores', 'positive'],
  gradFunc: (dy, [scores, positive], attrs) => ({
    scores: () =>
      engine().runKernel(
        'AisleCrossEntropyGrad',
        { dy: dy as Tensor, scores: scores!, positive: positive! },
        attrs,
      ) as Tensor,
  }),
};
