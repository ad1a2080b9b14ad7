/** Turns traced kernels into the steps of a plan. */
import { BINARY, KINDS, OP, TO_FLOAT, TO_INT, UNARY } from './plan';
import { type Call, contiguous, type Id, sizeOf, type Value } from './trace';

/** A place that is not chosen yet: so many numbers behind the start of an array. */
export interface Ref {
  readonly id: Id;
  readonly offset: number;
}
export interface Step {
  readonly op: number;
  readonly operands: readonly (number | Ref)[];
}
/** Names a kernel that no step computes. The artifact is written without a plan, and says which it was. */
export class UnknownKernel extends Error {}

/** Four numbers, the last ones being those given. */
function four(numbers: readonly number[], first: number): number[] {
  if (numbers.length > 4) throw new UnknownKernel(`a kernel of rank ${numbers.length}`);
  return [...Array<number>(4 - numbers.length).fill(first), ...numbers];
}
const floatBits = (x: number): number => new Int32Array(Float32Array.of(x).buffer)[0]!;
const modulo = (axis: number, rank: number): number => (axis + rank) % rank;

/** What several lists of calls share. */
export interface Lowering {
  /** What is done once, in its order. */
  readonly setup: Step[];
  /** The length of every array that a step makes. */
  readonly made: Map<Id, number>;
  /** Whether an array holds the same numbers for every session. */
  readonly isConstant: (id: Id) => boolean;
  /** The numbers of a literal, if it is one. */
  readonly literal: (id: Id) => Float32Array | Int32Array | undefined;
  /** Panels of constant right matrices, by matrix; plain and transposed. */
  readonly panels: readonly [Map<Id, Id>, Map<Id, Id>];
}

/** Appends the steps of calls, in their order; what is packed of constants goes into the setup. */
export function lower(calls: readonly Call[], shared: Lowering, steps: Step[]): void {
  const { setup, made, isConstant, panels } = shared;
  const emit = (op: number, ...operands: (number | Ref)[]): void => {
    if (operands.length !== KINDS[op]!.operands) throw new Error(`op ${op} has ${operands.length} operands`);
    steps.push({ op, operands });
  };
  /** A whole array; one that is a part of another is copied first. */
  const ref = (value: Value, offset = 0): Ref => {
    const { id, shape, strides } = value;
    const start = value.offset ?? 0;
    const isWhole = strides?.every((stride, axis) => shape[axis] === 1 || stride === contiguous(shape)[axis]) ?? true;
    if (isWhole) return { id, offset: start + offset };
    const whole: Value = { id: {}, shape, dtype: value.dtype };
    made.set(whole.id, sizeOf(shape));
    view({ id, offset: start }, whole, shape, strides!);
    return { id: whole.id, offset };
  };
  /** What other calls read in another order of its axes, where all of them can. */
  const reordered = new Map<Id, Value>();
  /** Transposes that the product before them has done. */
  const written = new Set<Call>();
  const readers = ({ id }: Value): Call[] =>
    calls.filter(({ inputs }) => Object.values(inputs).some((input) => input.id === id));
  const part = ({ id, offset = 0 }: Value): Ref => ({ id, offset });
  const out = ({ id, shape }: Value, offset = 0): Ref => {
    if (!made.has(id)) made.set(id, sizeOf(shape));
    return { id, offset };
  };

  function product(call: Call): void {
    const { inputs, attrs } = call;
    const seen = (value: Value): Value => reordered.get(value.id) ?? value;
    const [a, b, to] = [seen(inputs['a']!), seen(inputs['b']!), call.outputs[0]!];
    const transposeB = attrs['transposeB'] === true;
    const activation = attrs['activation'] ?? 'linear';
    if (attrs['transposeA'] === true) throw new UnknownKernel(`${call.kernel} of a transposed left side`);
    if (activation !== 'linear' && activation !== 'relu') throw new UnknownKernel(`${call.kernel} with ${activation}`);
    const [m0, k] = a.shape.slice(-2) as [number, number];
    const n = to.shape.at(-1)!;
    const of = (shape: readonly number[]) => sizeOf(shape.slice(0, -2));
    const [batchesA, batchesB] = [of(a.shape), of(b.shape)];
    const isShared = batchesB === 1;
    if (!isShared && batchesA !== batchesB) throw new UnknownKernel(`${call.kernel} with broadcast batches`);
    const [m, batches] = isShared ? [m0 * batchesA, 1] : [m0, batchesA];
    const isFixed = isConstant(b.id) && b.strides === undefined; // a part of a literal is another for every size
    // Room for panels of 8 columns; of a size that varies, as a polynomial.
    const step = (isFixed ? Math.ceil(n / 8) * 8 : n + 7) * k;
    const known = panels[transposeB ? 1 : 0];
    let packed = isFixed ? known.get(b.id) : undefined;
    if (packed === undefined) {
      packed = {};
      made.set(packed, step * batches);
      const right = matrixStrides(b);
      const size = [right?.row ?? (transposeB ? k : n), Number(transposeB), k, n] as const;
      const operands = [
        right ? part(b) : ref(b),
        ...size,
        { id: packed, offset: 0 },
        batches,
        right?.step ?? k * n,
        step,
      ];
      if (isFixed) known.set(b.id, packed);
      (isFixed ? setup : steps).push({ op: OP.pack, operands });
    }
    const bias = inputs['bias'] ? ref(inputs['bias']) : 0;
    const relu = Number(activation === 'relu');
    const from = { id: packed, offset: 0 };
    const left = isShared ? undefined : matrixStrides(a);
    const [aStep, lda] = left ? [left.step, left.row] : [m * k, k];
    // Heads are written side by side, where that is all that is done with them.
    const [joined, ...more] = readers(to);
    const isJoined = !isShared && n % 8 === 0 && joined && more.length === 0 && joinsHeads(joined, to);
    if (isJoined) written.add(joined);
    const [target, toStep, ldc] = isJoined ? [joined.outputs[0]!, n, batches * n] : [to, m * n, n];
    const rows = [m, k, n, relu, batches, aStep, step, toStep, lda, ldc] as const;
    emit(OP.matmul, left ? part(a) : ref(a), from, bias, out(target), ...rows);
  }

  function elementwise(call: Call, op: number): void {
    const [a, b, to] = [call.inputs['a']!, call.inputs['b']!, call.outputs[0]!];
    const strides = ({ shape, strides = contiguous(shape) }: Value) => {
      const own = strides.map((stride, i) => (shape[i] === 1 ? 0 : stride));
      return [...Array<number>(to.shape.length - shape.length).fill(0), ...own];
    };
    const { sizes, views } = merged(to.shape, [strides(a), strides(b)]);
    const [sa, sb] = views.map((view) => four(view, 0)) as [number[], number[]];
    emit(OP.binary, op, part(a), part(b), out(to), ...four(sizes, 1), ...sa, ...sb);
  }

  /** Copies a view of an array to where it is contiguous. */
  function view(from: Ref, to: Value, shape: readonly number[], strides: readonly number[]): void {
    const { sizes, views } = merged(shape, [strides]);
    emit(OP.move, from, out(to), ...four(sizes, 1), ...four(views[0]!, 0));
  }

  function reduced(call: Call, op: number): void {
    const x = call.inputs['x']!;
    const axes = [call.attrs['axis'] ?? call.attrs['reductionIndices']]
      .flat()
      .map((axis) => modulo(axis as number, x.shape.length))
      .sort((a, b) => a - b);
    const isRun = axes.every((axis, i) => axis === axes[0]! + i);
    if (!isRun) throw new UnknownKernel(`${call.kernel} over axes apart`);
    const [from, to] = [axes[0]!, axes.at(-1)! + 1];
    const [outer, count, inner] = [x.shape.slice(0, from), x.shape.slice(from, to), x.shape.slice(to)].map(sizeOf);
    emit(OP.reduce, op, ref(x), out(call.outputs[0]!), outer!, count!, inner!);
  }

  for (let i = 0; i < calls.length; i++) {
    const call = calls[i]!;
    const { kernel, inputs, attrs, outputs } = call;
    const [to] = outputs as [Value];
    const normed = layerNorm(calls, i, shared);
    if (normed) {
      const { x, gain, bias, epsilon } = normed;
      const d = x.shape.at(-1)!;
      const last = calls[i + NORM.length - 1]!.outputs[0]!;
      emit(OP.layerNorm, ref(x), ref(gain), ref(bias), out(last), sizeOf(x.shape) / d, d, floatBits(epsilon));
      i += NORM.length - 1;
      continue;
    }
    const unary = UNARY.indexOf(kernel);
    const binary = BINARY.indexOf(kernel);
    if (unary >= 0) emit(OP.unary, unary, ref(inputs['x']!), out(to), sizeOf(to.shape));
    else if (binary >= 0) elementwise(call, binary);
    else if (kernel === '_FusedMatMul' || kernel === 'BatchMatMul') product(call);
    else if (kernel === 'GatherV2') {
      const [x, indices] = [inputs['x']!, inputs['indices']!];
      if (attrs['axis'] !== 0 || indices.dtype !== 'int32') throw new UnknownKernel('GatherV2 along another axis');
      const width = sizeOf(x.shape.slice(1));
      emit(OP.gather, ref(x), ref(indices), out(to), sizeOf(indices.shape), width, x.shape[0]!);
    } else if (kernel === 'Sum') reduced(call, 0);
    else if (kernel === 'Mean') reduced(call, 1);
    else if (kernel === 'Max') reduced(call, 2);
    else if (kernel === 'Softmax') {
      const n = to.shape.at(-1)!;
      if (modulo(attrs['dim'] as number, to.shape.length) !== to.shape.length - 1) throw new UnknownKernel('Softmax');
      emit(OP.softmax, ref(inputs['logits']!), out(to), sizeOf(to.shape) / n, n);
    } else if (kernel === 'Transpose') {
      if (written.has(call)) continue;
      const x = inputs['x']!;
      const perm = attrs['perm'] as number[];
      const strides = contiguous(x.shape);
      const from = ref(x);
      const turned: Value = { ...to, id: from.id, offset: from.offset, strides: perm.map((axis) => strides[axis]!) };
      const isMatrix = ({ kernel, inputs }: Call) =>
        kernel === 'BatchMatMul' &&
        [inputs['a']!, inputs['b']!].every(({ id, shape }) => id !== to.id || shape.join() === to.shape.join());
      const by = readers(to);
      if (by.length > 0 && matrixStrides(turned) && by.every(isMatrix)) reordered.set(to.id, turned);
      else view(from, to, to.shape, turned.strides!);
    } else if (kernel === 'Slice') {
      const x = inputs['x']!;
      const strides = contiguous(x.shape);
      const begin = [attrs['begin']].flat() as number[];
      const offset = begin.reduce((sum, start, axis) => sum + start * strides[axis]!, 0);
      view(ref(x, offset), to, to.shape, strides);
    } else if (kernel === 'SplitV' || kernel === 'Unpack') {
      const x = (inputs['x'] ?? inputs['value'])!;
      const axis = modulo(attrs['axis'] as number, x.shape.length);
      const strides = contiguous(x.shape);
      let start = 0;
      for (const part of outputs) {
        const isRow = kernel === 'Unpack';
        const kept = isRow ? strides.filter((_, i) => i !== axis) : strides;
        view(ref(x, start * strides[axis]!), part, part.shape, kept);
        start += isRow ? 1 : part.shape[axis]!;
      }
    } else if (kernel === 'Tile') {
      const x = inputs['x']!;
      // Every axis is two: the repetitions, which do not move, and the axis itself.
      const reps = attrs['reps'] as number[];
      const strides = contiguous(x.shape);
      const shape = x.shape.flatMap((size, i) => [reps[i]!, size]);
      view(
        ref(x),
        to,
        shape,
        strides.flatMap((stride) => [0, stride]),
      );
    } else if (kernel === 'Concat' || kernel === 'Pack') {
      const axis = modulo(attrs['axis'] as number, to.shape.length);
      const isRow = kernel === 'Pack';
      const rows = sizeOf(to.shape.slice(0, axis));
      const step = sizeOf(to.shape.slice(axis));
      let offset = 0;
      for (const part of Object.values(inputs)) {
        const width = isRow ? sizeOf(to.shape.slice(axis + 1)) : sizeOf(part.shape.slice(axis));
        emit(OP.concat, ref(part), out(to, offset), rows, width, step);
        offset += width;
      }
    } else if (kernel === 'Select') {
      const [condition, x, y] = [inputs['condition']!, inputs['t']!, inputs['e']!];
      const n = sizeOf(to.shape);
      if ([condition, x, y].some(({ shape }) => sizeOf(shape) !== n)) throw new UnknownKernel('Select that broadcasts');
      emit(OP.select, ref(condition), ref(x), ref(y), out(to), n);
    } else if (kernel === 'Cast') {
      const from = inputs['x']!;
      const n = sizeOf(to.shape);
      const isInt = (dtype: string) => dtype === 'int32';
      if (isInt(from.dtype) === isInt(to.dtype)) view(ref(from), to, [n], [1]);
      else emit(OP.unary, isInt(from.dtype) ? TO_FLOAT : TO_INT, ref(from), out(to), n);
    } else throw new UnknownKernel(kernel);
  }
}

/** Axes of size 1 left out, neighbours that move as one joined: fewer and longer rows. */
function merged(shape: readonly number[], views: readonly (readonly number[])[]) {
  const sizes: number[] = [];
  const strides = views.map((): number[] => []);
  for (const [axis, size] of shape.entries()) {
    if (size === 1) continue;
    const isJoined = sizes.length > 0 && views.every((view, v) => strides[v]!.at(-1) === view[axis]! * size);
    if (isJoined) sizes[sizes.length - 1]! *= size;
    else sizes.push(size);
    for (const [v, view] of views.entries()) strides[v]!.splice(isJoined ? -1 : sizes.length, 1, view[axis]!);
  }
  return sizes.length > 0 ? { sizes, views: strides } : { sizes: [1], views: views.map(() => [1]) };
}

/** How far apart rows and matrices are, where numbers of a row are side by side and all but one of the first axes are of size 1. */
function matrixStrides({ shape, strides }: Value): { readonly row: number; readonly step: number } | undefined {
  if (strides?.at(-1) !== 1) return undefined;
  const [axis = 0, ...more] = shape.flatMap((size, i) => (size > 1 && i < shape.length - 2 ? [i] : []));
  return more.length > 0 ? undefined : { row: strides.at(-2)!, step: strides[axis]! };
}

/** `[1, heads, T, d]` → `[1, T, heads, d]`. */
const joinsHeads = ({ kernel, inputs, attrs }: Call, { shape }: Value): boolean =>
  kernel === 'Transpose' &&
  shape.length === 4 &&
  shape[0] === 1 &&
  String(attrs['perm']) === '0,2,1,3' &&
  inputs['x']!.shape.join() === shape.join();

/** The kernels of `nn/layer-norm.ts` where the backend has none for the whole layer. */
const NORM = ['Mean', 'Sub', 'Square', 'Mean', 'Add', 'Rsqrt', 'Multiply', 'Multiply', 'Add'];

function layerNorm(calls: readonly Call[], at: number, { literal, isConstant }: Lowering) {
  const of = calls.slice(at, at + NORM.length);
  if (!NORM.every((name, i) => of[i]?.kernel === name)) return undefined;
  const x = of[0]!.inputs['x']!;
  const axis = of[0]!.attrs['axis'];
  if (modulo([axis].flat()[0] as number, x.shape.length) !== x.shape.length - 1) return undefined;
  // Each reads what the one before it has made, and a constant.
  const chain = [0, 1, 2, 3, 4, 5, 6, 7].every((i) =>
    Object.values(of[i + 1]!.inputs).some(({ id }) => id === of[i]!.outputs[0]!.id),
  );
  const constant = (i: number): Value | undefined => Object.values(of[i]!.inputs).find(({ id }) => isConstant(id));
  const [epsilon, gain, bias] = [constant(4), constant(7), constant(8)];
  const isRow = (value: Value | undefined): value is Value =>
    value !== undefined && sizeOf(value.shape) === x.shape.at(-1);
  if (!chain || of[1]!.inputs['a']!.id !== x.id || !epsilon || !isRow(gain) || !isRow(bias)) return undefined;
  const number = literal(epsilon.id);
  return number?.length === 1 ? { x, gain, bias, epsilon: number[0]! } : undefined;
}
