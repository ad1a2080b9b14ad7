/**
 * A compiled plan: what computes session vectors and an item table without TensorFlow.js, as steps of `assembly/`.
 *
 * All its arrays lie in one block, at places counted in numbers of 4 bytes: parameters, literals, what is made of them once
 * (`setup`), then what a session needs. Every operand of a step is such a place or a size.
 */

export const OP = {
  gather: 1,
  matmul: 2,
  pack: 3,
  binary: 4,
  unary: 5,
  reduce: 6,
  softmax: 7,
  move: 8,
  concat: 9,
  layerNorm: 10,
  select: 11,
  table: 12,
} as const;

/** A plan that is damaged, or asked for what it does not have. */
export class PlanError extends Error {}
export const damaged = (why: string): PlanError => new PlanError(`The plan is damaged: ${why}.`);

/** Kernels by the number of their operation in `compute/kernels/wasm-simd/assembly/elements.ts`. */
export const BINARY: readonly string[] = [
  'Add',
  'Sub',
  'Multiply',
  'Maximum',
  'Minimum',
  'RealDiv',
  'NotEqual',
  'Equal',
  'Greater',
  'GreaterEqual',
  'Less',
  'LessEqual',
];
const unary = ['Exp', 'Tanh', 'Sigmoid', 'AisleGelu', 'Erf', 'Square', 'Rsqrt', 'Relu', 'Neg', 'Abs', 'Sqrt'] as const;
export const UNARY: readonly string[] = unary;
/** Casts, behind the others: by a length that is computed, a page would load the names. */
export const TO_FLOAT: (typeof unary)['length'] = 11;
export const TO_INT = 12;

/** An array of the block. */
export interface Place {
  readonly at: number;
  readonly length: number;
}

/** What is done for sessions of many sizes. */
export interface Program {
  /** The sizes that vary: of which axis of which input. */
  readonly variables: readonly { readonly name: string; readonly axis: number }[];
  /** Their range. */
  readonly min: readonly number[];
  readonly max: readonly number[];
  /** By the name of the prepared array, or of a part of the state; the lengths are the largest. */
  readonly inputs: Readonly<Record<string, Place>>;
  /** The session's vector; behind it, the parts of the new state. */
  readonly results: readonly Place[];
  /** The steps, and what is added to some words: coefficients of the monomials of the sizes, without the constant. */
  readonly words: Int32Array;
  readonly varying: readonly { readonly at: number; readonly coefficients: readonly number[] }[];
}

/** `1, x, x², y, xy, y², …` */
export function monomials(sizes: readonly number[]): number[] {
  return [1, ...sizes.flatMap((x, i) => [x, ...sizes.slice(0, i + 1).map((y) => x * y)])];
}

/** The steps for these sizes. */
export function stepsOf({ words, varying }: Program, sizes: readonly number[]): Int32Array {
  const steps = words.slice();
  const [, ...values] = monomials(sizes);
  for (const { at, coefficients } of varying) {
    for (const [i, factor] of coefficients.entries()) steps[at]! += factor * values[i]!;
  }
  return steps;
}

export interface Plan {
  /** What the writer of the plan stored beside it, as JSON. */
  readonly model?: Readonly<Record<string, unknown>>;
  /** Numbers of the whole block. */
  readonly size: number;
  /** By the name in the artifact. */
  readonly parameters: Readonly<Record<string, Place>>;
  readonly literals: readonly { readonly at: number; readonly data: Float32Array | Int32Array }[];
  readonly setup: Int32Array;
  readonly programs: readonly Program[];
  /**
   * Where tables are codes of product quantisation: the pieces of a row, by the table's name, and the one that items are scored by, if it
   * is one. `coded-names.ts` says how the parameters in its place, and what sessions need of it, are called.
   */
  readonly coded?: { readonly pieces: Readonly<Record<string, number>>; readonly items?: string };
  /**
   * The item side: `[n / 32][d][32]` numbers, and the bias with -Infinity behind the last item. `repeats`: what an item's score
   * gets, by how many clicks ago it was clicked last.
   *
   * Of items that are scored by codes there is no table; the bias is `[n]`, or 0 for none.
   */
  readonly items: {
    readonly n: number;
    readonly d: number;
    readonly table: number;
    readonly bias: number;
    readonly repeats?: Place;
  };
}

/** Place and extent of an array that a step reads or writes. */
export type Access = readonly [at: number, extent: number];

/** What the operands of a step are, by the step's number: how many, and which, from 1, are places and sizes of at least 1. */
export const KINDS: readonly { readonly operands: number; readonly places: number[]; readonly sizes: number[] }[] = [
  { operands: 0, places: [], sizes: [] },
  { operands: 6, places: [1, 2, 3], sizes: [4, 5, 6] }, // gather
  { operands: 14, places: [1, 2, 3, 4], sizes: [5, 6, 7, 9, 14] }, // matmul
  { operands: 9, places: [1, 6], sizes: [4, 5, 7] }, // pack
  { operands: 16, places: [2, 3, 4], sizes: [5, 6, 7, 8] }, // binary
  { operands: 4, places: [2, 3], sizes: [4] }, // unary
  { operands: 6, places: [2, 3], sizes: [4, 5, 6] }, // reduce
  { operands: 4, places: [1, 2], sizes: [3, 4] }, // softmax
  { operands: 10, places: [1, 2], sizes: [3, 4, 5, 6] }, // move
  { operands: 5, places: [1, 2], sizes: [3, 4] }, // concat
  { operands: 7, places: [1, 2, 3, 4], sizes: [5, 6] }, // layerNorm
  { operands: 5, places: [1, 2, 3, 4], sizes: [5] }, // select
  { operands: 4, places: [1, 4], sizes: [2, 3] }, // table
];

/** The reach of four sizes with strides. */
const reach = (sizes: ArrayLike<number>, strides: ArrayLike<number>): number => {
  let last = 0;
  for (let i = 0; i < 4; i++) last += (sizes[i]! - 1) * strides[i]!;
  return last + 1;
};
const up = (n: number, to: number): number => Math.ceil(n / to) * to;

/** What a step reads and writes. @param o Its operands, from 1. */
export function accesses(op: number, o: ArrayLike<number>): Access[] {
  const w = (i: number): number => o[i]!;
  const part = (from: number): number[] => [w(from), w(from + 1), w(from + 2), w(from + 3)];
  switch (op) {
    case OP.gather:
      return [
        [w(1), w(6) * w(5)],
        [w(2), w(4)],
        [w(3), w(4) * w(5)],
      ];
    case OP.matmul: {
      const [m, k, n, batches] = [w(5) - 1, w(6), up(w(7), 8), w(9) - 1];
      return [
        [w(1), batches * w(10) + m * w(13) + k],
        [w(2), batches * w(11) + n * k],
        ...(w(3) === 0 ? [] : [[w(3), n] as Access]),
        [w(4), batches * w(12) + m * w(14) + n],
      ];
    }
    case OP.pack: {
      const [ldb, k, n, batches] = [w(2), w(4), w(5), w(7) - 1];
      return [
        [w(1), batches * w(8) + (w(3) ? (n - 1) * ldb + k : (k - 1) * ldb + n)],
        [w(6), batches * w(9) + up(n, 8) * k],
      ];
    }
    case OP.binary: {
      const sizes = part(5);
      return [
        [w(2), reach(sizes, part(9))],
        [w(3), reach(sizes, part(13))],
        [w(4), sizes.reduce((a, b) => a * b)],
      ];
    }
    case OP.unary:
      return [
        [w(2), w(4)],
        [w(3), w(4)],
      ];
    case OP.reduce:
      return [
        [w(2), w(4) * w(5) * w(6)],
        [w(3), w(4) * w(6)],
      ];
    case OP.softmax:
      return [
        [w(1), w(3) * w(4)],
        [w(2), w(3) * w(4)],
      ];
    case OP.move: {
      const sizes = part(3);
      return [
        [w(1), reach(sizes, part(7))],
        [w(2), sizes.reduce((a, b) => a * b)],
      ];
    }
    case OP.concat:
      return [
        [w(1), w(3) * w(4)],
        [w(2), (w(3) - 1) * w(5) + w(4)],
      ];
    case OP.layerNorm:
      return [
        [w(1), w(5) * w(6)],
        [w(2), w(6)],
        [w(3), w(6)],
        [w(4), w(5) * w(6)],
      ];
    case OP.select:
      return [
        [w(1), w(5)],
        [w(2), w(5)],
        [w(3), w(5)],
        [w(4), w(5)],
      ];
    default: // table
      return [
        [w(1), w(2) * w(3)],
        [w(4), up(w(2), 32) * w(3)],
      ];
  }
}
