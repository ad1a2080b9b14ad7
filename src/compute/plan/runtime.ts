/** Runs plans: one block of memory, one module of WebAssembly. Nothing here knows TensorFlow.js. */
import { RecommenderError } from '../../errors';
import type { NdArray } from '../../types';
import { accesses, damaged, KINDS, OP, type Place, type Plan, PlanError, type Program, stepsOf } from './plan';
import type { Quantiser } from './quantised';

interface Exports {
  finite(x: number, n: number): number;
  run(step: number): number;
  score(c: number, d: number, table: number, bias: number, groups: number, to: number, k: number, best: number): number;
}

/** Where steps and answers lie, and what is behind the block. */
export const BLOCK = 64;
const PAGE = 65536;

/** Numbers of a table from which a copy in bytes is faster. The few answers of a page do not pay for that of a smaller one. */
const LEAST_QUANTISED = 2 ** 19;
/** Answers by a table after which it is copied: what that takes, about as many save. */
const FREQUENT = 32;

const NOTHING: ReadonlyMap<number, number> = new Map();

export interface PlanInput {
  readonly data: ArrayLike<number>;
  readonly shape: readonly number[];
}

/** What scores by the vector of the last session. */
export interface PlanItems {
  /**
   * Scores `[n]`; a view that the next call overwrites.
   *
   * @param added To the scores of columns; default: nothing.
   */
  scores(added?: ReadonlyMap<number, number>): Float32Array;
  /** The k best columns, equal ones in ascending order; what gets -Infinity is none of them. */
  top(k: number, added?: ReadonlyMap<number, number>): { readonly columns: Int32Array; readonly scores: Float32Array };
  /** Table `[n, d]` and bias `[n]`, copied. */
  read(): { readonly table: Float32Array; readonly bias: Float32Array };
  /** Its place is used again. */
  free(): void;
}

export interface RunningPlan {
  readonly plan: Plan;
  readonly memory: WebAssembly.Memory;
  /** Makes the memory larger. @returns The address of so many bytes more. */
  grow(bytes: number): number;
  /**
   * Computes a session.
   *
   * @returns Its vector, and the parts of its state behind it: views that the next call overwrites.
   */
  run(inputs: Readonly<Record<string, PlanInput>>): Float32Array[];
  readonly items: PlanItems;
  /**
   * Other items' table `[n, d]` and bias `[n]`, beside those of the plan.
   *
   * @throws RecommenderError `not-finite`.
   */
  withItems(table: Float32Array, bias: Float32Array): PlanItems;
  /** What an item's score gets, by how many clicks ago it was clicked last. */
  readonly repeats: Float32Array | undefined;
}

/**
 * @param tensor A parameter by its name.
 * @throws PlanError where the plan is not what one can be.
 */
export function startPlan(
  module: WebAssembly.Module,
  plan: Plan,
  tensor: (name: string) => Pick<NdArray, 'data'> | undefined,
): RunningPlan {
  const { n, d, table, bias } = plan.items;
  const width = Math.ceil(n / 32) * 32;
  /** Columns of the plan's own table: none where items are codes. */
  const columns = plan.coded?.items ? 0 : width;
  checkPlan(plan, columns);
  checkSteps(plan.setup, plan.size);
  const words = 1 + Math.max(plan.setup.length, ...plan.programs.map(({ words }) => words.length));
  const stepsAt = BLOCK + plan.size;
  const memory = new WebAssembly.Memory({ initial: Math.ceil((4 * (stepsAt + words)) / PAGE) });
  let floats = new Float32Array(memory.buffer);
  let ints = new Int32Array(memory.buffer);
  const { run, score, finite } = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Exports;

  for (const [name, { at, length }] of Object.entries(plan.parameters)) {
    const data = tensor(name)?.data;
    if (data?.length !== length)
      throw new PlanError(`The parameter ${name} has ${data?.length} numbers, not ${length}.`);
    floats.set(data, BLOCK + at);
  }
  for (const { at, data } of plan.literals) (data instanceof Int32Array ? ints : floats).set(data, BLOCK + at);
  floats.fill(0, BLOCK + bias, BLOCK + bias + columns);
  floats.fill(Number.NEGATIVE_INFINITY, BLOCK + bias + n, BLOCK + bias + columns);
  let vector: Place | undefined;
  /** The program and sizes whose steps are in memory. */
  let current: Program | undefined;
  let sizes: readonly number[] = [];
  load(plan.setup);
  execute();

  function load(steps: Int32Array): void {
    ints.set(steps, stepsAt);
    ints[stepsAt + steps.length] = 0;
    for (let at = 0; at < steps.length; ) {
      const { operands, places } = KINDS[steps[at]!]!;
      ints[stepsAt + at] = steps[at]! | (operands << 8);
      for (const place of places) {
        // 0 is no array, which only a bias may be.
        if (steps[at + place] !== 0) ints[stepsAt + at + place] = 4 * (BLOCK + steps[at + place]!);
      }
      at += 1 + operands;
    }
  }
  function execute(): void {
    const wrong = run(4 * stepsAt);
    if (wrong > 0) throw new PlanError(`Step ${wrong} reads a row that its table does not have.`);
  }
  /** In numbers: where all scores are put, or the best, and how many numbers have room there. */
  let answerAt = 0;
  let room = 0;
  let quantiser: Quantiser | undefined;
  async function fetchQuantiser(): Promise<void> {
    const { loadQuantiser } = await import('./quantised');
    quantiser = await loadQuantiser(memory, plan.items);
  }
  /** Places of copies, by the address of their table. */
  const copies = new Map<number, number>();
  /** @param tableAt @param biasAt In numbers. */
  function itemsAt(tableAt: number, biasAt: number, free: () => void): PlanItems {
    const [table, bias] = [4 * tableAt, 4 * biasAt];
    let answers = 0;
    let quantised: ReturnType<Quantiser['copy']> | undefined;
    function topQuantised(c: number, k: number): number | undefined {
      // Without the code, 32 bits answer as well.
      if (++answers < FREQUENT || n * d < LEAST_QUANTISED) return undefined;
      if (answers === FREQUENT && !quantiser)
        fetchQuantiser().catch(() => {
          answers = 0; // it is tried again
        });
      if (!quantiser) return undefined;
      try {
        const own = copies.get(table) ?? grow(quantiser.bytes);
        copies.set(table, own);
        quantised ??= quantiser.copy({ table, bias, own });
      } catch {
        quantiser = undefined; // there is no memory for it
      }
      return quantised?.(c, k, 4 * answerAt);
    }
    /** @param k 0: all scores. */
    function scored(k: number, added: ReadonlyMap<number, number> = NOTHING): number {
      const length = k > 0 ? 2 * k : width;
      if (length > room) {
        const more = Math.max(length, 2 * room); // the former room is lost
        [answerAt, room] = [grow(4 * more) / 4, more];
      }
      const at = 4 * answerAt;
      const before = Array.from(added, ([column]) => floats[biasAt + column]!);
      for (const [column, more] of added) floats[biasAt + column]! += more;
      const c = 4 * (BLOCK + vector!.at);
      const found =
        (k > 0 ? topQuantised(c, k) : undefined) ?? score(c, d, table, bias, width / 32, k > 0 ? 0 : at, k, at);
      let i = 0;
      for (const [column] of added) floats[biasAt + column] = before[i++]!;
      return found;
    }
    return {
      scores(added) {
        scored(0, added);
        return floats.subarray(answerAt, answerAt + n);
      },
      top(most, added) {
        const k = Math.min(most, n);
        const found = scored(k, added);
        const columns = ints.subarray(answerAt + k, answerAt + k + found);
        if (columns.some((column) => column >= n)) throw damaged('it has more items than it says');
        return { columns, scores: floats.subarray(answerAt, answerAt + found) };
      },
      read() {
        const packed = floats.subarray(tableAt, tableAt + width * d);
        const table = new Float32Array(n * d);
        for (let i = 0; i < n; i++) for (let j = 0; j < d; j++) table[i * d + j] = packed[packedAt(i, j, d)]!;
        return { table, bias: floats.slice(biasAt, biasAt + n) };
      },
      free,
    };
  }
  function grow(bytes: number): number {
    const end = memory.buffer.byteLength;
    memory.grow(Math.ceil(bytes / PAGE));
    floats = new Float32Array(memory.buffer);
    ints = new Int32Array(memory.buffer);
    return end;
  }
  /** @param tableAt @param biasAt In numbers. */
  function checkItems(tableAt: number, biasAt: number): void {
    if (finite(4 * tableAt, width * d) !== 0) checkFinite(floats.subarray(tableAt, tableAt + width * d));
    checkFinite(floats.subarray(biasAt, biasAt + n));
  }
  /** Places of items that are free, in numbers. */
  const spare: number[] = [];
  const items = itemsAt(BLOCK + table, BLOCK + bias, () => {});
  const place = plan.items.repeats;
  const repeats = place && floats.slice(BLOCK + place.at, BLOCK + place.at + place.length);
  if (repeats) checkFinite(repeats);
  if (columns) checkItems(BLOCK + table, BLOCK + bias);

  return {
    plan,
    memory,
    grow,
    items,
    withItems(table, bias) {
      spare[0] ??= grow(4 * width * (d + 1)) / 4;
      const [at] = spare;
      const biasAt = at + width * d;
      floats.fill(0, at, biasAt);
      for (let i = 0; i < n; i++) for (let j = 0; j < d; j++) floats[at + packedAt(i, j, d)] = table[i * d + j]!;
      floats.fill(Number.NEGATIVE_INFINITY, biasAt, biasAt + width);
      floats.set(bias, biasAt);
      checkItems(at, biasAt);
      spare.shift();
      return itemsAt(at, biasAt, () => void spare.push(at));
    },
    run(inputs) {
      const names = Object.keys(inputs);
      const program = plan.programs.find(
        (one) =>
          names.length === Object.keys(one.inputs).length &&
          names.every((name) => name in one.inputs) &&
          one.variables.every(({ name, axis }, i) => {
            const size = inputs[name]!.shape[axis]!;
            return size >= one.min[i]! && size <= one.max[i]!;
          }),
      );
      if (!program) throw new PlanError('The plan has no steps for a session of this size.');
      const asked = program.variables.map(({ name, axis }) => inputs[name]!.shape[axis]!);
      if (program !== current || asked.some((size, i) => size !== sizes[i])) {
        const steps = stepsOf(program, asked);
        checkSteps(steps, plan.size);
        load(steps);
        [current, sizes] = [program, asked];
      }
      for (const [name, { at, length }] of Object.entries(program.inputs)) {
        const { data } = inputs[name]!;
        if (data.length > length) throw new PlanError(`The input ${name} is too long.`);
        (data instanceof Int32Array ? ints : floats).set(data, BLOCK + at);
      }
      execute();
      [vector] = program.results;
      const { at } = vector!;
      checkFinite(floats.subarray(BLOCK + at, BLOCK + at + d));
      return program.results.map(({ at, length }) => floats.subarray(BLOCK + at, BLOCK + at + length));
    },
    repeats,
  };
}

/** Numbers of a block, and multiplications of a session: far more than a model needs, and little enough to end. */
const MOST_NUMBERS = 2 ** 28;
const MOST_WORK = 2 ** 33;

/** Whether everything but the steps stays inside the block. */
function checkPlan({ size, parameters, literals, programs, items }: Plan, columns: number): void {
  const { n, d, table, bias, repeats } = items;
  if (![size, n, d].every((count) => isCount(count) && count > 0) || size > MOST_NUMBERS)
    throw damaged(`it has ${n} items of ${d} numbers in ${size}`);
  const places: Place[] = [
    ...Object.values(parameters),
    ...literals.map(({ at, data }) => ({ at, length: data.length })),
    ...programs.flatMap(({ inputs, results }) => [...Object.values(inputs), ...results]),
    { at: table, length: columns * d },
    { at: bias, length: columns },
    ...(repeats ? [repeats] : []),
  ];
  for (const { at, length } of places) {
    if (!isCount(at) || !isCount(length) || at + length > size)
      throw damaged(`${length} numbers at ${at} leave its block`);
  }
  if (programs.length === 0 || programs.some(({ results }) => !(results[0] && results[0].length >= d)))
    throw damaged('a session has no vector');
}

/** Place of number j of item i in a packed table. */
const packedAt = (i: number, j: number, d: number): number => (i >> 5) * 32 * d + 32 * j + (i & 31);

/** A comparison with NaN is false: no score would be among the best. @throws RecommenderError `not-finite`. */
export function checkFinite(values: Float32Array): void {
  let poison = 0; // 0 · x is NaN where x is not finite: no branch
  for (let i = 0; i < values.length; i++) poison += 0 * values[i]!;
  if (poison === 0) return;
  const wrong = values.find((value) => value - value !== 0);
  throw new RecommenderError('not-finite', `A computed number is ${wrong}, expected a finite one.`);
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/** Whether every step is one that there is, stays inside the block, and ends. */
function checkSteps(steps: Int32Array, size: number): void {
  let work = 0;
  for (let at = 0; at < steps.length; ) {
    const op = steps[at]!;
    const { operands: count = 0, sizes = [] } = KINDS[op] ?? {};
    if (count === 0 || at + count >= steps.length) throw damaged(`there is no step ${op} at word ${at}`);
    const operands = steps.subarray(at, at + 1 + count);
    // The last operand of a normalisation is a number.
    const checked = op === OP.layerNorm ? operands.subarray(0, count) : operands;
    if (sizes.some((i) => operands[i]! < 1) || checked.some((operand) => operand < 0))
      throw damaged(`an operand at word ${at} is out of range`);
    for (const [place, extent] of accesses(op, operands)) {
      if (!(place + extent <= size)) throw damaged(`a step at word ${at} leaves its block`);
      work += extent;
    }
    if (op === OP.matmul) work += (operands[5]! + 3) * operands[6]! * (operands[7]! + 7) * operands[9]!; // whole tiles
    if (op === OP.pack) work += operands[4]! * operands[5]! * operands[7]!;
    if (work > MOST_WORK) throw damaged('its steps are too much work');
    at += 1 + count;
  }
}
