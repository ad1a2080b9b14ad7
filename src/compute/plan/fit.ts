/**
 * Finds steps for all sizes from those of sample sessions: every word is fitted by a polynomial of degree 2 of the sizes that vary,
 * such as the number of clicks, and holds for all sizes between.
 */
import { type Lowering, lower, type Step } from './lower';
import { monomials } from './plan';
import { type Call, contiguous, type Id, type Value } from './trace';

/** The samples do not tell how steps follow from sizes. */
export class NoFit extends Error {}

/** What one sample session calls. */
export interface SampleCalls {
  /** By the name of the prepared array, or of a part of the state. */
  readonly inputs: Readonly<Record<string, Value>>;
  readonly results: readonly Value[];
  readonly calls: readonly Call[];
}
interface SizedCalls extends SampleCalls {
  /** The sizes that vary, in the order of the variables. */
  readonly dims: readonly number[];
}

/**
 * Steps for each range of sizes in which samples call the same kernels.
 *
 * @param isWhole Whether there are no sizes but those of the samples: few need no fit.
 */
export function fitSamples(samples: readonly SampleCalls[], lowering: Lowering, isWhole: boolean): FittedSteps[] {
  return grouped(samples, ({ inputs }) => Object.keys(inputs).join()).flatMap((alike) => {
    const variables = variablesOf(alike);
    const sized = alike.map((sample) => ({
      ...sample,
      dims: variables.map(({ name, axis }) => sample.inputs[name]!.shape[axis]!),
    }));
    const key = ({ dims, calls }: SizedCalls) =>
      `${dims.map((size) => size === 1)} ${calls.map(({ kernel }) => kernel)}`;
    const fitted = (group: readonly SizedCalls[]): FittedSteps => ({ variables, ...fitGroup(group, lowering) });
    return grouped(sized, key).flatMap((group) => {
      try {
        return [fitted(group)];
      } catch (error) {
        if (!isWhole || !(error instanceof NoFit)) throw error;
        return group.map((one) => fitted([one]));
      }
    });
  });
}

function grouped<T>(all: readonly T[], keyOf: (one: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const one of all) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one]);
  return [...groups.values()];
}

interface Variable {
  readonly name: string;
  readonly axis: number;
}

/** Sizes of inputs that vary, without those that follow from others by a constant. */
function variablesOf(samples: readonly Pick<SampleCalls, 'inputs'>[]): Variable[] {
  const found: { variable: Variable; sizes: number[] }[] = [];
  for (const [name, { shape }] of Object.entries(samples[0]!.inputs)) {
    shape.forEach((_, axis) => {
      const sizes = samples.map(({ inputs }) => inputs[name]!.shape[axis]!);
      const follows = (from: readonly number[]) => sizes.every((size, i) => size - from[i]! === sizes[0]! - from[0]!);
      if (follows(sizes.map(() => 0)) || found.some((other) => follows(other.sizes))) return;
      found.push({ variable: { name, axis }, sizes });
    });
  }
  return found.map(({ variable }) => variable);
}

/** Steps of a range of sizes. */
export interface FittedSteps {
  readonly variables: readonly Variable[];
  readonly base: SizedCalls;
  /** Of the largest sample. */
  readonly steps: readonly Step[];
  /** Coefficients of each numeric word and of each offset, by step and operand. */
  readonly words: readonly (readonly (readonly number[])[])[];
  readonly min: readonly number[];
}

/** The steps of samples that call the same kernels. */
function fitGroup(group: readonly SizedCalls[], lowering: Lowering): Omit<FittedSteps, 'variables'> {
  const volume = ({ dims }: SizedCalls) => dims.reduce((a, b) => a * b, 1);
  const base = group.reduce((a, b) => (volume(b) > volume(a) ? b : a));
  const lists = group.map((sample) => {
    const calls = sample === base ? base.calls : shareLiterals(sample, base, lowering);
    const steps: Step[] = [];
    lower(calls, lowering, steps);
    return steps;
  });
  const steps = lists[group.indexOf(base)]!;
  // At its size the base may coincide with another size of the model, and be written otherwise.
  const others = group.flatMap((sample, i) =>
    sample === base && group.length > 1 ? [] : [{ sample, steps: lists[i]! }],
  );
  const min = base.dims.map((_, v) => Math.min(...group.map(({ dims }) => dims[v]!)));
  if (lists.some((list) => list.map(({ op }) => op).join() !== steps.map(({ op }) => op).join())) {
    throw new NoFit('Samples of the same kernels have other steps.');
  }
  if (!lists.every((list) => usesArraysAs(list, steps)))
    throw new NoFit('Samples of the same kernels pass other arrays.');
  const points = others.map(({ sample }) => sample.dims);
  const isSame = (v: number): boolean => points.every((point) => point[v] === points[0]![v]);
  if (base.dims.some((size, v) => isSame(v) && size !== points[0]![v]))
    throw new NoFit('A size varies in the largest sample alone.');
  const fitted = polynomialFit(points);
  const words = steps.map(({ operands }, s) =>
    operands.map((_, o) => {
      const all = others.map(({ steps: list }) => list[s]!.operands[o]!);
      return fitted(all.map((other) => (typeof other === 'object' ? other.offset : other)));
    }),
  );
  return { base, steps, words, min };
}

/** Whether each array of some steps stands for one array of others, wherever it is an operand. */
function usesArraysAs(steps: readonly Step[], others: readonly Step[]): boolean {
  const pairs = new Map<Id, Id>();
  return steps.every(({ operands }, s) =>
    operands.every((operand, o) => {
      const other = others[s]!.operands[o]!;
      if (typeof operand !== 'object' || typeof other !== 'object') return typeof operand === typeof other;
      const known = pairs.get(operand.id) ?? other.id;
      pairs.set(operand.id, known);
      return known === other.id;
    }),
  );
}

/** The sample's calls with its literals as parts of the base's. */
function shareLiterals(sample: SizedCalls, base: SizedCalls, { literal }: Lowering): Call[] {
  return sample.calls.map((call, c) => {
    const inputs = Object.entries(call.inputs).map(([name, value]) => {
      const other = base.calls[c]!.inputs[name];
      const [own, whole] = [literal(value.id), other && literal(other.id)];
      if (!own || !whole || !other || other.id === value.id) return [name, value];
      const part = blockOf(value, own, other, whole);
      if (!part) throw new NoFit(`A literal of ${call.kernel} is no part of that of the longest sample.`);
      return [name, part];
    });
    return { ...call, inputs: Object.fromEntries(inputs) };
  });
}

/** The value as a block of a larger one, at its start, its end or in its middle along each axis. */
function blockOf(value: Value, own: ArrayLike<number>, other: Value, whole: ArrayLike<number>): Value | undefined {
  const { shape } = value;
  if (shape.length !== other.shape.length || shape.some((size, axis) => size > other.shape[axis]!)) return undefined;
  const strides = contiguous(other.shape);
  const dense = contiguous(shape);
  const offsets = shape.reduce(
    (before, size, axis) => {
      const left = other.shape[axis]! - size;
      const starts = new Set([0, left, ...(left % 2 === 0 ? [left / 2] : [])]);
      return before.flatMap((offset) => [...starts].map((start) => offset + start * strides[axis]!));
    },
    [0],
  );
  const offset = offsets.find((from) => {
    for (let i = 0; i < own.length; i++) {
      const at = shape.reduce((sum, size, axis) => sum + (Math.floor(i / dense[axis]!) % size) * strides[axis]!, from);
      if (own[i] !== whole[at]) return false;
    }
    return true;
  });
  return offset === undefined ? undefined : { ...value, id: other.id, offset, strides };
}

/** Fits polynomials of degree 2 at points. @throws NoFit where one does not go through all values, or is not whole. */
function polynomialFit(points: readonly (readonly number[])[]): (values: readonly number[]) => number[] {
  const rows = points.map(monomials);
  const count = rows[0]!.length;
  return (values) => {
    if (values.every((value) => value === values[0])) return [values[0]!];
    const free = monomials(points[0]!.filter((size, v) => points.some((point) => point[v] !== size)));
    if (points.length <= free.length) throw new NoFit(`${points.length} samples are too few.`);
    const matrix = rows.map((row, i) => [...row, values[i]!]);
    // Gauss-Jordan, with the largest pivot.
    const pivots: number[] = [];
    let rank = 0;
    for (let column = 0; column < count && rank < matrix.length; column++) {
      let best = rank;
      for (let r = rank; r < matrix.length; r++) {
        if (Math.abs(matrix[r]![column]!) > Math.abs(matrix[best]![column]!)) best = r;
      }
      if (Math.abs(matrix[best]![column]!) < 1e-9) continue;
      [matrix[rank], matrix[best]] = [matrix[best]!, matrix[rank]!];
      const pivot = matrix[rank]![column]!;
      matrix[rank] = matrix[rank]!.map((x) => x / pivot);
      for (const [r, row] of matrix.entries()) {
        const factor = r === rank ? 0 : row[column]!;
        if (factor !== 0) for (let i = 0; i <= count; i++) row[i]! -= factor * matrix[rank]![i]!;
      }
      pivots.push(column);
      rank++;
    }
    const coefficients = Array<number>(count).fill(0);
    pivots.forEach((column, r) => {
      coefficients[column] = Math.round(matrix[r]![count]!) + 0; // no -0
    });
    const holds = rows.every((row, i) => row.reduce((sum, x, c) => sum + x * coefficients[c]!, 0) === values[i]);
    if (!holds) throw new NoFit(`No polynomial of degree 2 goes through ${values.join()} at ${points.join(' ')}.`);
    return coefficients;
  };
}
