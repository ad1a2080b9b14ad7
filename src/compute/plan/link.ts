/**
 * Puts traces of one model together into a plan: what is done once, what for each session, and where everything lies.
 *
 * Sizes differ from session to session. The sessions that are traced are samples: every word of their steps is fitted by a
 * polynomial of degree 2 of what varies, such as the length, and holds for all sizes between.
 */
import { type Lowering, lower, type Ref, type Step } from './lower';
import { type Family, monomials, OP, type Place, type Plan } from './plan';
import { type Call, contiguous, type Id, sizeOf, type Trace, type Value } from './trace';

/** One traced session. */
export interface Sample {
  /** By the name of the prepared array, or of a part of the state. */
  readonly inputs: Readonly<Record<string, Value>>;
  readonly trace: Trace;
}

export type ItemPart = 'table' | 'bias' | 'repeats';

export interface Sources {
  /** Names of parameters in the artifact, by array. */
  readonly parameters: ReadonlyMap<Id, { readonly name: string; readonly length: number }>;
  /** The item side, of n items; `parts` are what its trace results in. */
  readonly items: { readonly trace: Trace; readonly n: number; readonly parts: readonly ItemPart[] };
  readonly samples: readonly Sample[];
}

/** The samples do not tell how steps follow from sizes. */
export class NoFit extends Error {}

interface Member {
  readonly dims: readonly number[];
  readonly inputs: Readonly<Record<string, Value>>;
  readonly results: readonly Value[];
  readonly calls: readonly Call[];
}

/** Arrays begin at multiples of 16 numbers, and have room for 8 more: steps of SIMD may read behind an end. */
const roomOf = (length: number): number => Math.ceil((length + 8) / 16) * 16;

export function link({ parameters, items, samples }: Sources): Plan {
  const constants = new Constants();
  for (const [id, { name }] of parameters) constants.name(id, `parameter ${name}`);
  const { literals } = constants;
  const lowering: Lowering = {
    setup: [],
    made: new Map(),
    isConstant: (id) => constants.has(id),
    literal: (id) => literals.get(id),
    panels: [new Map(), new Map()],
  };

  // What all sessions have in common is done once.
  const settled = [items.trace, ...samples.map(({ trace }) => trace)].map((trace) => constants.settle(trace));
  const keysOf = (calls: readonly Settled[]) => new Set(calls.flatMap(({ key }) => key ?? []));
  const all = settled.slice(1).map(keysOf);
  const common = keysOf(settled[0]!);
  for (const key of all[0] ?? []) if (all.every((keys) => keys.has(key))) common.add(key);
  const isDone = new Set<string>();
  for (const { call, key } of settled.flat()) {
    if (key === undefined || !common.has(key) || isDone.has(key)) continue;
    isDone.add(key);
    lower([constants.same(call)], lowering, lowering.setup);
  }
  const members = samples.map(({ inputs, trace }, i): Member => {
    const own = settled[i + 1]!.filter(({ key }) => key === undefined || !common.has(key)).map(({ call }) => call);
    for (const { outputs } of own) for (const { id } of outputs) constants.forget(id);
    return { dims: [], inputs, results: trace.results, calls: own.map((call) => constants.same(call)) };
  });

  // The item side.
  const partOf = (part: ItemPart): Value | undefined => {
    const value = items.trace.results[items.parts.indexOf(part)];
    return value && constants.sameValue(value);
  };
  const [tableOf, biasOf, repeatsOf] = [partOf('table')!, partOf('bias'), partOf('repeats')];
  const { n } = items;
  const d = tableOf.shape[1]!;
  const width = Math.ceil(n / 32) * 32;
  const table: Id = {};
  lowering.made.set(table, width * d);
  // Row 0 is padding.
  lowering.setup.push({ op: OP.table, operands: [{ id: tableOf.id, offset: d }, n, d, { id: table, offset: 0 }] });
  const bias: Id = {};
  literals.set(bias, new Float32Array(width).fill(Number.NEGATIVE_INFINITY, n));
  if (biasOf) {
    const to = { id: bias, offset: 0 };
    lowering.setup.push({ op: OP.move, operands: [{ id: biasOf.id, offset: 1 }, to, 1, 1, 1, n, 0, 0, 0, 1] });
  }

  const drafts = grouped(members, ({ inputs }) => Object.keys(inputs).join()).flatMap((alike) => {
    const variables = variablesOf(alike);
    const sized = alike.map((member) => ({
      ...member,
      dims: variables.map(({ name, axis }) => member.inputs[name]!.shape[axis]!),
    }));
    const key = ({ dims, calls }: Member) => `${dims.map((size) => size === 1)} ${calls.map(({ kernel }) => kernel)}`;
    return grouped(sized, key).map((group) => ({ ...draft(group, lowering, literals), variables }));
  });

  // Where everything lies.
  const places = new Map<Id, number>();
  let size = 16; // place 0 is nothing
  const put = (id: Id, length: number): void => {
    places.set(id, size);
    size += roomOf(length);
  };
  for (const [id, { length }] of parameters) put(id, length);
  const used = new Set<Id>([bias]);
  for (const { operands } of [lowering.setup, ...drafts.map(({ steps }) => steps)].flat()) {
    for (const operand of operands) if (typeof operand === 'object') used.add(operand.id);
  }
  for (const [id, data] of literals) if (used.has(id)) put(id, data.length);
  for (const { operands } of lowering.setup) {
    for (const operand of operands) {
      if (typeof operand === 'object' && !places.has(operand.id)) put(operand.id, lowering.made.get(operand.id)!);
    }
  }
  const start = size;
  const families = drafts.map((one) => {
    const { family, end } = arranged(one, start, places, lowering.made);
    size = Math.max(size, end);
    return family;
  });
  return {
    size,
    parameters: Object.fromEntries(
      [...parameters].map(([id, { name, length }]) => [name, { at: places.get(id)!, length }]),
    ),
    literals: [...literals].filter(([id]) => used.has(id)).map(([id, data]) => ({ at: places.get(id)!, data })),
    setup: Int32Array.from(
      lowering.setup.flatMap(({ op, operands }) => [
        op,
        ...operands.map((operand) =>
          typeof operand === 'object' ? places.get(operand.id)! + operand.offset : operand,
        ),
      ]),
    ),
    families,
    items: {
      n,
      d,
      table: places.get(table)!,
      bias: places.get(bias)!,
      ...(repeatsOf && { repeats: { at: places.get(repeatsOf.id)!, length: sizeOf(repeatsOf.shape) } }),
    },
  };
}

/** Arrays that hold the same for every session, and which of them are one. */
class Constants {
  readonly literals = new Map<Id, Float32Array | Int32Array>();
  readonly #keys = new Map<Id, string>();
  readonly #numbers = new Map<string, string>();
  readonly #first = new Map<string, Id>();

  has(id: Id): boolean {
    return this.#keys.has(id);
  }
  forget(id: Id): void {
    this.#keys.delete(id);
  }
  /** @returns A short name for the key. */
  name(id: Id, key: string): string {
    const number = this.#numbers.get(key) ?? `#${this.#numbers.size}`;
    this.#numbers.set(key, number);
    this.#keys.set(id, number);
    if (!this.#first.has(number)) this.#first.set(number, id);
    return number;
  }
  sameValue(value: Value): Value {
    return { ...value, id: this.#first.get(this.#keys.get(value.id) ?? '') ?? value.id };
  }
  /** The call on the arrays that stand for all that are the same. */
  same(call: Call): Call {
    const inputs = Object.entries(call.inputs).map(([name, value]) => [name, this.sameValue(value)]);
    return { ...call, inputs: Object.fromEntries(inputs) };
  }
  /** Names what is constant, and the calls that depend on constants alone. */
  settle({ calls, literals }: Trace): Settled[] {
    for (const [id, data] of literals) {
      this.name(id, `${data instanceof Int32Array ? 'integers' : 'numbers'} ${data.join()}`);
      const { id: first } = this.sameValue({ id, shape: [], dtype: '' });
      if (!this.literals.has(first)) this.literals.set(first, data);
    }
    return calls.map((call) => {
      const inputs = Object.entries(call.inputs);
      if (!inputs.every(([, { id }]) => this.has(id))) return { call };
      const described = inputs.map(([name, { id, shape }]) => `${name} ${shape} ${this.#keys.get(id)}`);
      const key = `${call.kernel} ${JSON.stringify(call.attrs)} ${described}`;
      for (const [i, { id }] of call.outputs.entries()) this.name(id, `${key} ${i}`);
      return { call, key };
    });
  }
}

interface Settled {
  readonly call: Call;
  /** What makes two calls the same, of those that depend on constants alone. */
  readonly key?: string;
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
function variablesOf(samples: readonly Pick<Sample, 'inputs'>[]): Variable[] {
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

interface Draft {
  readonly base: Member;
  /** Of the largest member. */
  readonly steps: readonly Step[];
  /** Coefficients of each numeric word and of each offset, by step and operand. */
  readonly words: readonly (readonly (readonly number[])[])[];
  readonly least: readonly number[];
}

/** The steps of members that call the same kernels. */
function draft(group: readonly Member[], lowering: Lowering, literals: Constants['literals']): Draft {
  const volume = ({ dims }: Member) => dims.reduce((a, b) => a * b, 1);
  const base = group.reduce((a, b) => (volume(b) > volume(a) ? b : a));
  const lists = group.map((member) => {
    const calls = member === base ? base.calls : unified(member, base, literals);
    const steps: Step[] = [];
    lower(calls, lowering, steps);
    return steps;
  });
  const steps = lists[group.indexOf(base)]!;
  // At its size the base may coincide with another size of the model, and be written otherwise.
  const others = group.flatMap((member, i) =>
    member === base && group.length > 1 ? [] : [{ member, steps: lists[i]! }],
  );
  const least = base.dims.map((_, v) => Math.min(...group.map(({ dims }) => dims[v]!)));
  if (lists.some((list) => list.map(({ op }) => op).join() !== steps.map(({ op }) => op).join())) {
    throw new NoFit('Samples of the same kernels have other steps.');
  }
  const fitted = fitting(others.map(({ member }) => member.dims));
  const words = steps.map(({ operands }, s) =>
    operands.map((operand, o) => {
      const all = others.map(({ steps: list }) => list[s]!.operands[o]!);
      if (all.some((other) => typeof other !== typeof operand))
        throw new NoFit('An operand is an array in some samples.');
      return fitted(all.map((other) => (typeof other === 'object' ? other.offset : other)));
    }),
  );
  return { base, steps, words, least };
}

/** The member's calls with its literals as parts of the base's. */
function unified(member: Member, base: Member, literals: Constants['literals']): Call[] {
  return member.calls.map((call, c) => {
    const inputs = Object.entries(call.inputs).map(([name, value]) => {
      const other = base.calls[c]!.inputs[name];
      const [own, whole] = [literals.get(value.id), other && literals.get(other.id)];
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
function fitting(points: readonly (readonly number[])[]): (values: readonly number[]) => number[] {
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

/** Places for what one session needs: an array gives its place back behind the last step that reads it. */
function arranged(
  { base, steps, words, least, variables }: Draft & { readonly variables: readonly Variable[] },
  start: number,
  fixed: ReadonlyMap<Id, number>,
  made: ReadonlyMap<Id, number>,
): { readonly family: Family; readonly end: number } {
  const last = new Map<Id, number>();
  steps.forEach(({ operands }, i) => {
    for (const operand of operands) if (typeof operand === 'object') last.set(operand.id, i);
  });
  for (const { id } of [...Object.values(base.inputs), ...base.results]) last.set(id, Number.POSITIVE_INFINITY);
  const places = new Map<Id, number>();
  const rooms = new Map<Id, number>();
  let end = start;
  let gaps: { at: number; room: number }[] = [];
  const put = (id: Id, length: number): void => {
    const room = roomOf(length);
    rooms.set(id, room);
    const gap = gaps.filter((one) => one.room >= room).sort((a, b) => a.room - b.room)[0];
    if (gap) {
      places.set(id, gap.at);
      gap.at += room;
      gap.room -= room;
      return;
    }
    places.set(id, end);
    end += room;
  };
  for (const { id, shape } of Object.values(base.inputs)) put(id, sizeOf(shape));
  steps.forEach(({ operands }, i) => {
    const ids = new Set((operands.filter((operand) => typeof operand === 'object') as Ref[]).map(({ id }) => id));
    for (const id of ids) {
      if (fixed.has(id) || places.has(id)) continue;
      const length = made.get(id);
      if (length === undefined) throw new NoFit('A step reads what nothing makes.');
      put(id, length);
    }
    for (const id of ids) {
      if (last.get(id) === i && places.has(id)) gaps.push({ at: places.get(id)!, room: rooms.get(id)! });
    }
    gaps = joined(gaps);
  });
  const where = (id: Id): number => fixed.get(id) ?? places.get(id)!;
  const flat = steps.flatMap(({ op, operands }, s) => [
    [op],
    ...operands.map((operand, o) => {
      const [constant, ...others] = words[s]![o]!;
      return [constant! + (typeof operand === 'object' ? where(operand.id) : 0), ...others];
    }),
  ]);
  const place = ({ id, shape }: Value): Place => ({ at: where(id), length: sizeOf(shape) });
  return {
    end,
    family: {
      variables,
      least,
      most: base.dims,
      inputs: Object.fromEntries(Object.entries(base.inputs).map(([name, value]) => [name, place(value)])),
      results: base.results.map(place),
      words: Int32Array.from(flat, ([constant]) => constant!),
      varying: flat.flatMap(([, ...others], at) => (others.length > 0 ? [{ at, coefficients: others }] : [])),
    },
  };
}

/** Gaps side by side become one. */
function joined(gaps: readonly { at: number; room: number }[]): { at: number; room: number }[] {
  const all: { at: number; room: number }[] = [];
  for (const gap of [...gaps].sort((a, b) => a.at - b.at)) {
    const before = all.at(-1);
    if (before && before.at + before.room === gap.at) before.room += gap.room;
    else if (gap.room > 0) all.push({ ...gap });
  }
  return all;
}
