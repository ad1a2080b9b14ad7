/**
 * What a kernel of our own is, on the two backends that compute in memory that JavaScript sees.
 *
 * A kernel first plans, without a look at any number, what it will make. Only then is memory allocated, and only then does
 * the kernel get views of it. On WASM all tensors lie on one heap: an allocation may grow it, and that empties every view
 * taken before, so that a kernel would read and write nothing. Here it cannot hold a view while anything is allocated.
 */
import type {
  DataType,
  KernelBackend,
  KernelConfig,
  NamedAttrMap,
  NamedTensorInfoMap,
  TensorInfo,
} from '@tensorflow/tfjs';
import { mistake } from '../../backend-fault';

export type Values = Float32Array | Int32Array | Uint8Array;

/** A tensor to be made. */
export interface TensorSpec {
  readonly shape: readonly number[];
  readonly dtype: DataType;
}

export const float32 = (shape: readonly number[]): TensorSpec => ({ shape, dtype: 'float32' });

/** What a kernel plans by. */
export interface KernelCall {
  readonly inputs: NamedTensorInfoMap;
  readonly attrs: NamedAttrMap;
  readonly backend: KernelBackend;
  /** How many tensors share these numbers. */
  references(tensor: TensorInfo): number;
}

/** The numbers of tensors, never copies. */
export interface Views {
  view(tensor: TensorInfo): Values;
  /** As `view`, for tensors that are known to hold 32-bit floats. */
  floats(tensor: TensorInfo): Float32Array;
  /** As `view`, for indices. */
  ints(tensor: TensorInfo): Int32Array;
}

/** What TensorFlow.js computes for a kernel of ours. It may allocate: there are no views beside it. */
export interface Routines {
  /** The softmax of every row of x, `[rows, columns]`, into `out`, which may be x itself. */
  softmax(x: TensorInfo, out: TensorInfo, rows: number, columns: number): void;
}

/** What a kernel makes, and how. Numbers of new tensors are undefined until written. */
export interface KernelPlan<V extends Views = Views, R extends Routines = Routines> {
  /** What it returns: a tensor, or a list. */
  readonly outputs: TensorSpec | readonly TensorSpec[];
  /** One more tensor, freed after the call. */
  readonly scratch?: TensorSpec | undefined;
  /** Bytes of memory for WebAssembly of our own, at `workspace` of its views. */
  readonly workspace?: number;
  /** Inputs that are written. */
  readonly changes?: readonly TensorInfo[];
  /** Comes first. `made` are the outputs, then the scratch. */
  readonly prepare?: ((routines: R, made: readonly TensorInfo[]) => void) | undefined;
  /** Comes last; nothing is allocated any more. What it throws frees what was made. */
  readonly compute?: ((views: V, made: readonly TensorInfo[]) => void) | undefined;
}

/** The same numbers once more: nothing is made. */
export interface Alias {
  readonly alias: TensorInfo;
}

export interface Kernel<P = KernelPlan> {
  readonly name: string;
  /** @returns `undefined`: not for this; the kernel that is replaced does it. */
  readonly plan: (call: KernelCall) => P | Alias | undefined;
}

/** The memory of one backend: all that may allocate, or take a view. */
export interface Memory<V extends Views = Views, R extends Routines = Routines> {
  readonly views: V;
  readonly routines: R;
  make(spec: TensorSpec): TensorInfo;
  free(tensor: TensorInfo): void;
  share(tensor: TensorInfo): void;
  references(tensor: TensorInfo): number;
  /** Called after a tensor was written that a backend may keep packed copies of. */
  changed(tensor: TensorInfo): void;
  reserve(bytes: number): void;
}

function carryOut<V extends Views, R extends Routines>(
  plan: KernelPlan<V, R> | Alias,
  memory: Memory<V, R>,
): TensorInfo | TensorInfo[] {
  if ('alias' in plan) {
    const { dataId, shape, dtype } = plan.alias;
    memory.share(plan.alias);
    return { dataId, shape: [...shape], dtype }; // a tensor would be taken for the result itself
  }
  const { outputs, scratch, workspace, changes } = plan;
  const isList = Array.isArray(outputs);
  const specs = isList ? (outputs as readonly TensorSpec[]) : [outputs as TensorSpec];
  const made: TensorInfo[] = [];
  try {
    for (const spec of specs) made.push(memory.make(spec));
    if (scratch) made.push(memory.make(scratch));
    if (workspace) memory.reserve(workspace);
    plan.prepare?.(memory.routines, made);
    plan.compute?.(memory.views, made);
  } catch (error) {
    for (const tensor of made) memory.free(tensor);
    throw error;
  }
  if (scratch) memory.free(made.pop()!);
  if (changes) for (const tensor of changes) memory.changed(tensor);
  return isList ? made : made[0]!;
}

/**
 * The kernel as TensorFlow.js wants it.
 *
 * @param before The kernel that it replaces, for what it does not do itself.
 */
export function kernelConfig<V extends Views, R extends Routines>(
  backendName: string,
  { name, plan }: Kernel<KernelPlan<V, R>>,
  memoryOf: (backend: KernelBackend) => Memory<V, R>,
  before?: KernelConfig,
): KernelConfig {
  return {
    ...before,
    kernelName: name,
    backendName,
    kernelFunc(call) {
      const backend = call.backend as KernelBackend;
      const memory = memoryOf(backend);
      const { references } = memory;
      const made = planned(() => plan({ inputs: call.inputs, attrs: call.attrs ?? {}, backend, references }));
      if (made) return carryOut(made, memory);
      if (!before) throw new Error(`${name}: no kernel for these inputs.`);
      return before.kernelFunc(call);
    },
  };
}

/** No number is computed yet, so errors here are bugs, not faults of the device. */
function planned<T>(plan: () => T): T {
  try {
    return plan();
  } catch (error) {
    throw mistake(error as Error);
  }
}

/** @throws Error if an index is not in [0, limit − 1]. `what` says whose, and of what. */
export function checkIndices(indices: Int32Array, limit: number, what: string): void {
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!;
    // Negated, so that NaN is refused too.
    if (!(index >= 0 && index < limit)) throw mistake(new Error(`${what} ${index} is not in [0, ${limit - 1}].`));
  }
}
