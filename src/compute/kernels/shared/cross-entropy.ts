/** The kernels behind `nn/cross-entropy.ts`: softmax cross-entropy in two passes, where plain ops take nine. */
import {
  engine,
  type GradConfig,
  type NamedAttrMap,
  type NamedTensorInfoMap,
  type Tensor,
  type TensorInfo,
} from '@tensorflow/tfjs';
import { checkIndices, float32, type Kernel, type Views } from './kernel';
import { checkRows, massOf } from './row-shapes';

/** Rows and columns of the scores, and what the loss weighs. */
export function crossEntropySizes({ scores, positive }: NamedTensorInfoMap, attrs: NamedAttrMap) {
  const { rows, columns } = checkRows(scores!, positive!, 'crossEntropy');
  return { rows, columns, ...massOf(attrs, columns) };
}

/** The targets' columns. @throws Error if one is out of range. */
export function targetsOf(positive: TensorInfo, { ints }: Views, columns: number, loss: string): Int32Array {
  const targets = ints(positive);
  checkIndices(targets, columns, `${loss}: column`);
  return targets;
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
export const crossEntropy: Kernel = {
  name: 'AisleCrossEntropy',
  plan({ inputs, attrs }) {
    const { rows, columns, spread, own, guard } = crossEntropySizes(inputs, attrs);
    return {
      outputs: float32([rows]),
      scratch: float32([rows, columns]),
      prepare: ({ softmax }, [, p]) => softmax(inputs.scores!, p!, rows, columns),
      compute(views, [out, p]) {
        const target = targetsOf(inputs.positive!, views, columns, 'crossEntropy');
        const [s, probability, to] = [views.floats(inputs.scores!), views.floats(p!), views.floats(out!)];
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
      },
    };
  },
};

/**
 * `(softmax(s) − own · onehot(positive) − spread) ⊙ dy`. With a guard each −log(pⱼ + g) counts qⱼ = pⱼ / (pⱼ + g):
 * `(p · Σⱼ cⱼ qⱼ − c ⊙ q) ⊙ dy` with c = spread + own · onehot(positive).
 */
export const crossEntropyGrad: Kernel = {
  name: 'AisleCrossEntropyGrad',
  plan({ inputs, attrs }) {
    const { rows, columns, spread, own, guard } = crossEntropySizes(inputs, attrs);
    return {
      outputs: float32([rows, columns]),
      prepare: ({ softmax }, [out]) => softmax(inputs.scores!, out!, rows, columns),
      compute(views, [out]) {
        const target = targetsOf(inputs.positive!, views, columns, 'crossEntropy');
        const [slope, dy] = [views.floats(out!), views.floats(inputs.dy!)];
        for (let row = 0, start = 0; row < rows; row++, start += columns) {
          const factor = dy[row]!;
          if (guard !== 0) {
            guardedGradient(slope.subarray(start, start + columns), target[row]!, own, spread, guard, factor);
            continue;
          }
          for (let i = start; i < start + columns; i++) slope[i] = (slope[i]! - spread) * factor;
          slope[start + target[row]!]! -= own * factor;
        }
      },
    };
  },
};

/** Turns one row's probabilities into its slopes, in place. */
function guardedGradient(
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
