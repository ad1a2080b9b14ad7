/** The kernels behind `nn/bpr-max.ts`, which has the equations: one softmax and one pass over the scores. */
import { engine, type GradConfig, type NamedTensorInfoMap, type Tensor } from '@tensorflow/tfjs';
import { targetsOf } from './cross-entropy';
import { float32, type Kernel } from './kernel';
import { checkRows, TINY } from './row-shapes';

/**
 * Below this share of the negatives in the softmax over all columns their own softmax is computed separately: as quotients
 * of 32-bit numbers it would lose digits, then vanish.
 */
const SMALL_SHARE = 1e-12;

/** Keeps 0/0 away where both vanish; no sum of probabilities notices it. */
const NOTHING = 1e-300;

interface Work {
  readonly columns: number;
  readonly r: Float32Array;
  /** Softmax over all columns, `[rows, columns]`; the row function leaves w in it, 0 at the target. */
  readonly p: Float32Array;
}

/** Rows and columns of the scores. */
const sizesOf = ({ r, positive }: NamedTensorInfoMap) => checkRows(r!, positive!, 'bprMax');

/** Σ w σ of the row at `start`, and Σ w r². Leaves w in p, and σ(rᵢ − rⱼ) in `sigma` where it is passed. */
function weigh({ r, p, columns }: Work, start: number, at: number, sigma: Float32Array | undefined): [number, number] {
  const end = start + columns;
  const own = p[at]!;
  let share = 0;
  for (let j = start; j < end; j++) share += p[j]!;
  share -= own;
  if (!(share > SMALL_SHARE)) return weighAnew(r, p, start, end, at, sigma);
  let ranking = 0;
  let squares = 0;
  const scale = 1 / share;
  p[at] = 0;
  for (let j = start; j < end; j++) {
    const e = p[j]!;
    const w = e * scale;
    // e^rⱼ / e^rᵢ is the quotient of the probabilities: no exponential is needed. Where both vanish w does too.
    const s = own / (own + e + NOTHING);
    ranking += w * s;
    squares += w * r[j]! * r[j]!;
    p[j] = w;
    if (sigma) sigma[j - start] = s;
  }
  return [ranking, squares];
}

/** The same in double precision, for rows whose target outscores all others by far. */
function weighAnew(
  r: Float32Array,
  p: Float32Array,
  start: number,
  end: number,
  at: number,
  sigma: Float32Array | undefined,
): [number, number] {
  let highest = Number.NEGATIVE_INFINITY;
  for (let j = start; j < end; j++) if (j !== at) highest = Math.max(highest, r[j]!);
  let total = 0;
  for (let j = start; j < end; j++) if (j !== at) total += Math.exp(r[j]! - highest);
  let ranking = 0;
  let squares = 0;
  for (let j = start; j < end; j++) {
    const w = j === at ? 0 : Math.exp(r[j]! - highest) / total;
    const s = 1 / (1 + Math.exp(r[j]! - r[at]!));
    ranking += w * s;
    squares += w * r[j]! * r[j]!;
    p[j] = w;
    if (sigma) sigma[j - start] = s;
  }
  return [ranking, squares];
}

/** `out[b] = −log(Σ w σ + 1e-24) + bpreg Σ w r²`. */
export const bprMax: Kernel = {
  name: 'AisleBprMax',
  plan({ inputs, attrs }) {
    const { rows, columns } = sizesOf(inputs);
    const bpreg = attrs.bpreg as number;
    return {
      outputs: float32([rows]),
      scratch: float32([rows, columns]),
      prepare: ({ softmax }, [, p]) => softmax(inputs.r!, p!, rows, columns),
      compute(views, [out, p]) {
        const target = targetsOf(inputs.positive!, views, columns, 'bprMax');
        const work: Work = { columns, r: views.floats(inputs.r!), p: views.floats(p!) };
        const to = views.floats(out!);
        for (let row = 0, start = 0; row < rows; row++, start += columns) {
          const [ranking, squares] = weigh(work, start, start + target[row]!, undefined);
          to[row] = -Math.log(ranking + TINY) + bpreg * squares;
        }
      },
    };
  },
};

export const bprMaxGrad: Kernel = {
  name: 'AisleBprMaxGrad',
  plan({ inputs, attrs }) {
    const { rows, columns } = sizesOf(inputs);
    const bpreg = attrs.bpreg as number;
    return {
      outputs: float32([rows, columns]),
      prepare: ({ softmax }, [out]) => softmax(inputs.r!, out!, rows, columns),
      compute(views, [out]) {
        const target = targetsOf(inputs.positive!, views, columns, 'bprMax');
        const [scores, slope, dy] = [views.floats(inputs.r!), views.floats(out!), views.floats(inputs.dy!)];
        const work: Work = { columns, r: scores, p: slope };
        const sigma = new Float32Array(columns);
        for (let row = 0, start = 0; row < rows; row++, start += columns) {
          const at = start + target[row]!;
          const [ranking, squares] = weigh(work, start, at, sigma);
          const factor = dy[row]!;
          const pull = factor / (ranking + TINY);
          const push = factor * bpreg;
          let own = 0;
          for (let j = start; j < start + columns; j++) {
            const w = slope[j]!;
            const s = sigma[j - start]!;
            const x = scores[j]!;
            const turn = w * s * (1 - s); // w σ′
            own += turn;
            slope[j] = pull * (turn - w * (s - ranking)) + push * w * (x * x - squares + 2 * x);
          }
          slope[at] = -pull * own;
        }
      },
    };
  },
};

export const bprMaxGradient: GradConfig = {
  kernelName: 'AisleBprMax',
  inputsToSave: ['r', 'positive'],
  gradFunc: (dy, [r, positive], attrs) => ({
    r: () => engine().runKernel('AisleBprMaxGrad', { dy: dy as Tensor, r: r!, positive: positive! }, attrs) as Tensor,
  }),
};
