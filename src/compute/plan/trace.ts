/** Writes down the kernels that a function calls. */
import { engine, type Tensor, type TensorInfo, tidy } from '@tensorflow/tfjs';

/** One array of numbers; shapes and views of it differ, it does not. */
export type Id = object;

export interface Value {
  readonly id: Id;
  readonly shape: readonly number[];
  readonly dtype: string;
  /** Where it is a part of a larger array: where it begins there, and how far apart its numbers are along each axis. */
  readonly offset?: number;
  readonly strides?: readonly number[];
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
/** Strides of an array that is whole. */
export const contiguous = (shape: readonly number[]): number[] => shape.map((_, i) => sizeOf(shape.slice(i + 1)));

export interface Call {
  readonly kernel: string;
  readonly inputs: Readonly<Record<string, Value>>;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly outputs: readonly Value[];
}

export interface Trace {
  /** Calls that depend on a source, in their order. */
  readonly calls: readonly Call[];
  readonly results: readonly Value[];
  /** What is neither a source nor made from one, of what the calls read. */
  readonly literals: ReadonlyMap<Id, Float32Array | Int32Array>;
}

/** Kernels whose output is their input, under another shape. */
const VIEWS = new Set(['Reshape', 'Identity', 'ExpandDims']);

type RunKernel = (kernel: string, inputs: Record<string, Input>, attrs?: Record<string, unknown>) => Input;
type Input = Tensor | readonly Tensor[] | null | undefined;

/** Of a plan, what is true is 1. */
function numbersOf(tensor: Tensor): Float32Array | Int32Array {
  const data = tensor.dataSync();
  return data instanceof Int32Array ? data.slice() : Float32Array.from(data as ArrayLike<number>);
}

/**
 * @param run Computes on the active backend; what it returns are the results.
 * @param sources What a plan is given: it may hold other numbers another time.
 */
export function trace(run: () => readonly Tensor[], sources: readonly TensorInfo[]): Trace {
  const made = new Set<Id>(sources.map(({ dataId }) => dataId));
  const views = new Map<Id, Id>();
  const literals = new Map<Id, Float32Array | Int32Array>();
  const calls: Call[] = [];
  const tensorValue = ({ dataId, shape, dtype }: TensorInfo): Value => ({
    id: views.get(dataId) ?? dataId,
    shape: [...shape],
    dtype,
  });
  const target = engine() as unknown as { runKernel: RunKernel };
  const original = target.runKernel;
  target.runKernel = function (kernel, inputs, attrs = {}) {
    const given = Object.entries(inputs).flatMap(([name, tensors]) =>
      tensors === null || tensors === undefined
        ? []
        : [tensors]
            .flat()
            .map((tensor, i): [string, Tensor] => [Array.isArray(tensors) ? `${name}${i}` : name, tensor as Tensor]),
    );
    const read = Object.fromEntries(given.map(([name, tensor]) => [name, tensorValue(tensor)]));
    const isMade = Object.values(read).some(({ id }) => made.has(id));
    if (isMade && !VIEWS.has(kernel)) {
      for (const [name, tensor] of given) {
        const { id } = read[name]!;
        // Now: it may be gone later.
        if (!made.has(id) && !literals.has(id)) literals.set(id, numbersOf(tensor));
      }
    }
    const output = original.call(this, kernel, inputs, attrs);
    const outputs = [output].flat() as Tensor[];
    if (isMade && VIEWS.has(kernel)) {
      const { id } = Object.values(read)[0]!;
      for (const { dataId } of outputs) if (dataId !== id) views.set(dataId, id);
    } else if (isMade) {
      for (const { dataId } of outputs) made.add(dataId);
      calls.push({ kernel, inputs: read, attrs, outputs: outputs.map(tensorValue) });
    }
    return output;
  };
  try {
    let results: readonly Value[] = [];
    tidy(() => {
      results = run().map(tensorValue);
    });
    return { calls, results, literals };
  } finally {
    target.runKernel = original;
  }
}
