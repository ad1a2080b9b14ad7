/**
 * Losses of rows of scores on a GPU, written once for WGSL and GLSL: sums and maxima over a row's columns, then one
 * formula. `nn/cross-entropy.ts` and `nn/bpr-max.ts` have the equations.
 *
 * In formulas `s` is the score of column j, `isOwn` whether j is the target's, `own_score` the target's score, `slope`
 * what comes from above. Target columns out of range cannot be refused here, since they are on the GPU.
 */
import type { NamedAttrMap } from '@tensorflow/tfjs';
import { massOf, TINY } from './row-shapes';

/** A number of the row: a value of its own, or a sum or the largest of a value over the columns. */
export interface Step {
  readonly name: string;
  readonly kind: 'value' | 'sum' | 'max';
  readonly value: string;
}

export interface RowLossProgram {
  /** Tells the programs of one kernel apart. */
  readonly variant: string;
  /** Once per row, in this order; later ones may use earlier ones. */
  readonly steps: readonly Step[];
  /** Once per column, for gradients: names and values. */
  readonly perColumn: readonly (readonly [name: string, value: string])[];
  readonly result: string;
}

/** `test ? yes : no` in the language of the backend. */
export type Pick = (test: string, yes: string, no: string) => string;

export interface RowLoss {
  readonly kernel: string;
  /** Name of the input that holds the scores. */
  readonly scores: 'scores' | 'r';
  /** Whether the result is a gradient per score. Otherwise it is a loss per row. */
  readonly hasGradient: boolean;
  /** Numbers that the formulas use by these names. */
  numbersOf(attrs: NamedAttrMap, columns: number): Readonly<Record<string, number>>;
  plan(numbers: Readonly<Record<string, number>>, pick: Pick): RowLossProgram;
}

const max = (name: string, value: string): Step => ({ name, kind: 'max', value });
const sum = (name: string, value: string): Step => ({ name, kind: 'sum', value });
const value = (name: string, value: string): Step => ({ name, kind: 'value', value });

const P = '(exp(s - highest) / z)';
const SOFTMAX = [max('highest', 's'), sum('z', 'exp(s - highest)')];
const OWN_P = value('p_own', 'exp(own_score - highest) / z');

const variantOf = ({ spread, guard }: Readonly<Record<string, number>>) =>
  `${spread === 0 ? 'sharp' : 'smooth'}-${guard === 0 ? 'plain' : 'guarded'}`;

const crossEntropy: RowLoss = {
  kernel: 'AisleCrossEntropy',
  scores: 'scores',
  hasGradient: false,
  numbersOf: massOf,
  plan(numbers) {
    const isSmooth = numbers.spread !== 0;
    const rest = isSmooth ? ' - spread * rest' : '';
    const shared = { variant: variantOf(numbers), perColumn: [] };
    if (numbers.guard !== 0) {
      const steps = [...SOFTMAX, OWN_P, ...(isSmooth ? [sum('rest', `log(${P} + guard)`)] : [])];
      return { ...shared, steps, result: `-own * log(p_own + guard)${rest}` };
    }
    const steps = [...SOFTMAX, ...(isSmooth ? [sum('rest', 's - highest')] : [])];
    return { ...shared, steps, result: `log(z) - own * (own_score - highest)${rest}` };
  },
};

const crossEntropyGrad: RowLoss = {
  kernel: 'AisleCrossEntropyGrad',
  scores: 'scores',
  hasGradient: true,
  numbersOf: massOf,
  plan(numbers, pick) {
    const variant = variantOf(numbers);
    if (numbers.guard === 0) {
      const result = `(${P} - spread - ${pick('isOwn', 'own', '0.0')}) * slope`;
      return { variant, steps: SOFTMAX, perColumn: [], result };
    }
    const isSmooth = numbers.spread !== 0;
    const steps = [
      ...SOFTMAX,
      OWN_P,
      value('part', 'own * p_own / (p_own + guard)'),
      ...(isSmooth ? [sum('rest', `${P} / (${P} + guard)`)] : []),
      value('mass', isSmooth ? 'part + spread * rest' : 'part'),
    ];
    const others = isSmooth ? ' - spread * p / (p + guard)' : '';
    const result = `(p * mass${others} - ${pick('isOwn', 'part', '0.0')}) * slope`;
    return { variant, steps, perColumn: [['p', P]], result };
  },
};

const bprMaxSteps = (pick: Pick) => {
  const w = pick('isOwn', '0.0', 'exp(s - highest) / z');
  const sigma = '(1.0 / (1.0 + exp(s - own_score)))';
  const steps = [
    max('highest', pick('isOwn', '-3.0e38', 's')),
    sum('z', pick('isOwn', '0.0', 'exp(s - highest)')),
    sum('ranking', `${w} * ${sigma}`),
    sum('squares', `${w} * s * s`),
  ];
  return { w, sigma, steps };
};

const bprMax: RowLoss = {
  kernel: 'AisleBprMax',
  scores: 'r',
  hasGradient: false,
  numbersOf: ({ bpreg }) => ({ bpreg: bpreg as number }),
  plan: (_numbers, pick) => ({
    variant: 'all',
    steps: bprMaxSteps(pick).steps,
    perColumn: [],
    result: `-log(ranking + ${TINY}) + bpreg * squares`,
  }),
};

const bprMaxGrad: RowLoss = {
  kernel: 'AisleBprMaxGrad',
  scores: 'r',
  hasGradient: true,
  numbersOf: ({ bpreg }) => ({ bpreg: bpreg as number }),
  plan(_numbers, pick) {
    const { w, sigma, steps } = bprMaxSteps(pick);
    const rank = `(turn - w * (sigma - ranking)) / (ranking + ${TINY})`;
    const others = `${rank} + bpreg * w * (s * s - squares + 2.0 * s)`;
    return {
      variant: 'all',
      steps: [...steps, sum('turns', `${w} * ${sigma} * (1.0 - ${sigma})`)],
      perColumn: [
        ['w', w],
        ['sigma', sigma],
        ['turn', 'w * sigma * (1.0 - sigma)'],
      ],
      result: `slope * ${pick('isOwn', `(-turns / (ranking + ${TINY}))`, `(${others})`)}`,
    };
  },
};

export const rowLosses: readonly RowLoss[] = [crossEntropy, crossEntropyGrad, bprMax, bprMaxGrad];
