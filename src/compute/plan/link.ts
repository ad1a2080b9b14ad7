/**
 * Puts traces of one model together into a plan: what is done once, what for each session, and where everything lies.
 */

import { centroidsOf, codesOf } from './coded-names';
import { type CodedParameter, isByCodes, takeRows } from './coded-tables';
import { type FittedSteps, fitSamples, NoFit, type SampleCalls } from './fit';
import { type Lowering, lower, type Ref, type Step } from './lower';
import { OP, type Place, type Plan, type Program } from './plan';
import { type Call, type Id, sizeOf, type Trace, type Value } from './trace';

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
  /** Parameters that the artifact holds as codes. */
  readonly coded: readonly CodedParameter[];
  /** Whether sessions have no sizes but those of the samples. */
  readonly isWhole: boolean;
}

/** Arrays begin at multiples of 16 numbers, and have room for 8 more: SIMD may read behind an end, and products write up to 7 there. */
const roomOf = (length: number): number => Math.ceil((length + 8) / 16) * 16;

export function link({ parameters, items, samples, coded, isWhole }: Sources): Plan {
  const constants = new Constants();
  for (const [id, { name }] of parameters) constants.intern(id, `parameter ${name}`);
  const { literals } = constants;
  const lowering: Lowering = {
    setup: [],
    made: new Map(),
    isConstant: (id) => constants.has(id),
    literal: (id) => literals.get(id),
    panels: [new Map(), new Map()],
  };

  // What all sessions have in common is done once.
  const traced = [items.trace, ...samples.map(({ trace }) => trace)].map((trace) => constants.findConstants(trace));
  const keysOf = (calls: readonly ConstantCall[]) => new Set(calls.flatMap(({ key }) => key ?? []));
  const all = traced.slice(1).map(keysOf);
  const common = keysOf(traced[0]!);
  for (const key of all[0] ?? []) if (all.every((keys) => keys.has(key))) common.add(key);
  const isDone = new Set<string>();
  for (const { call, key } of traced.flat()) {
    if (key === undefined || !common.has(key) || isDone.has(key)) continue;
    isDone.add(key);
    lower([constants.canonical(call)], lowering, lowering.setup);
  }
  const members = samples.map(({ inputs, trace }, i): SampleCalls => {
    const own = traced[i + 1]!.filter(({ key }) => key === undefined || !common.has(key)).map(({ call }) => call);
    for (const { outputs } of own) for (const { id } of outputs) constants.forget(id);
    return { inputs, results: trace.results, calls: own.map((call) => constants.canonical(call)) };
  });

  // The item side.
  const partOf = (part: ItemPart): Value | undefined => {
    const value = items.trace.results[items.parts.indexOf(part)];
    return value && constants.canonicalValue(value);
  };
  const [tableOf, biasOf, repeatsOf] = [partOf('table')!, partOf('bias'), partOf('repeats')];
  const { n } = items;
  const d = tableOf.shape[1]!;
  const width = Math.ceil(n / 32) * 32;
  const table: Id = {};
  lowering.made.set(table, width * d);
  // Row 0 is padding.
  const dense: Step[] = [{ op: OP.table, operands: [{ id: tableOf.id, offset: d }, n, d, { id: table, offset: 0 }] }];
  const bias: Id = {};
  if (biasOf) {
    const to = { id: bias, offset: 0 };
    dense.push({ op: OP.move, operands: [{ id: biasOf.id, offset: 1 }, to, 1, 1, 1, n, 0, 0, 0, 1] });
  }
  lowering.setup.push(...dense);

  let fitted = fitSamples(members, lowering, isWhole);

  const byCodes = new Map<Id, CodedParameter>();
  for (const [id, { name }] of parameters) {
    const one = coded.find((other) => other.name === name);
    if (!one || !isByCodes(id, lowering.setup, fitted)) continue;
    byCodes.set(id, one);
    fitted = takeRows(fitted, id, one);
  }
  const scored = byCodes.get(tableOf.id);
  const setup = scored ? lowering.setup.filter((step) => !dense.includes(step)) : lowering.setup;

  // Where everything lies.
  const places = new Map<Id, number>();
  let size = 16; // place 0 is nothing
  const put = (id: Id, length: number): void => {
    places.set(id, size);
    size += roomOf(length);
  };
  const given: Record<string, Place> = {};
  const give = (id: Id, name: string, length: number): void => {
    put(id, length);
    given[name] = { at: places.get(id)!, length };
  };
  for (const [id, { name, length }] of parameters) {
    const one = byCodes.get(id);
    if (!one) give(id, name, length);
    else if (one === scored) {
      give(id, codesOf(name), Math.ceil((one.rows * one.m) / 4));
      give({}, centroidsOf(name), 256 * one.d);
    }
  }
  if (!scored) put(bias, width);
  const used = new Set<Id>();
  for (const { operands } of [setup, ...fitted.map(({ steps }) => steps)].flat()) {
    for (const operand of operands) if (typeof operand === 'object') used.add(operand.id);
  }
  for (const [id, data] of literals) if (used.has(id)) put(id, data.length);
  for (const { operands } of setup) {
    for (const operand of operands) {
      if (typeof operand === 'object' && !places.has(operand.id)) put(operand.id, lowering.made.get(operand.id)!);
    }
  }
  const start = size;
  const programs = fitted.map((one) => {
    const { program, end } = allocate(one, start, places, lowering.made);
    size = Math.max(size, end);
    return program;
  });
  return {
    size,
    parameters: given,
    literals: [...literals].filter(([id]) => used.has(id)).map(([id, data]) => ({ at: places.get(id)!, data })),
    setup: Int32Array.from(
      setup.flatMap(({ op, operands }) => [
        op,
        ...operands.map((operand) =>
          typeof operand === 'object' ? places.get(operand.id)! + operand.offset : operand,
        ),
      ]),
    ),
    programs,
    ...(byCodes.size > 0 && {
      coded: {
        pieces: Object.fromEntries([...byCodes.values()].map(({ name, m }) => [name, m])),
        ...(scored && { items: scored.name }),
      },
    }),
    items: {
      n,
      d,
      ...(scored
        ? { table: 0, bias: biasOf ? places.get(biasOf.id)! + 1 : 0 }
        : { table: places.get(table)!, bias: places.get(bias)! }),
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
  intern(id: Id, key: string): string {
    const number = this.#numbers.get(key) ?? `#${this.#numbers.size}`;
    this.#numbers.set(key, number);
    this.#keys.set(id, number);
    if (!this.#first.has(number)) this.#first.set(number, id);
    return number;
  }
  canonicalValue(value: Value): Value {
    return { ...value, id: this.#first.get(this.#keys.get(value.id) ?? '') ?? value.id };
  }
  /** The call on the arrays that stand for all that are the same. */
  canonical(call: Call): Call {
    const inputs = Object.entries(call.inputs).map(([name, value]) => [name, this.canonicalValue(value)]);
    return { ...call, inputs: Object.fromEntries(inputs) };
  }
  /** Names what is constant, and the calls that depend on constants alone. */
  findConstants({ calls, literals }: Trace): ConstantCall[] {
    for (const [id, data] of literals) {
      this.intern(id, `${data instanceof Int32Array ? 'integers' : 'numbers'} ${data.join()}`);
      const { id: first } = this.canonicalValue({ id, shape: [], dtype: '' });
      if (!this.literals.has(first)) this.literals.set(first, data);
    }
    return calls.map((call) => {
      const inputs = Object.entries(call.inputs);
      if (!inputs.every(([, { id }]) => this.has(id))) return { call };
      const described = inputs.map(([name, { id, shape }]) => `${name} ${shape} ${this.#keys.get(id)}`);
      const key = `${call.kernel} ${JSON.stringify(call.attrs)} ${described}`;
      for (const [i, { id }] of call.outputs.entries()) this.intern(id, `${key} ${i}`);
      return { call, key };
    });
  }
}

interface ConstantCall {
  readonly call: Call;
  /** What makes two calls the same, of those that depend on constants alone. */
  readonly key?: string;
}

/** Places for what one session needs: an array gives its place back behind the last step that reads it. */
function allocate(
  { base, steps, words, min, variables }: FittedSteps,
  start: number,
  fixed: ReadonlyMap<Id, number>,
  made: ReadonlyMap<Id, number>,
): { readonly program: Program; readonly end: number } {
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
    gaps = mergeGaps(gaps);
  });
  const where = (id: Id): number => {
    const at = fixed.get(id) ?? places.get(id);
    if (at === undefined) throw new NoFit('A result is an array in another order of its axes.');
    return at;
  };
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
    program: {
      variables,
      min,
      max: base.dims,
      inputs: Object.fromEntries(Object.entries(base.inputs).map(([name, value]) => [name, place(value)])),
      results: base.results.map(place),
      words: Int32Array.from(flat, ([constant]) => constant!),
      varying: flat.flatMap(([, ...others], at) => (others.length > 0 ? [{ at, coefficients: others }] : [])),
    },
  };
}

/** Gaps side by side become one. */
function mergeGaps(gaps: readonly { at: number; room: number }[]): { at: number; room: number }[] {
  const all: { at: number; room: number }[] = [];
  for (const gap of [...gaps].sort((a, b) => a.at - b.at)) {
    const before = all.at(-1);
    if (before && before.at + before.room === gap.at) before.room += gap.room;
    else if (gap.room > 0) all.push({ ...gap });
  }
  return all;
}
