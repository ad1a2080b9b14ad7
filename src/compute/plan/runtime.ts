/** Runs plans: one block of memory, one module of WebAssembly. Nothing here knows TensorFlow.js. */
import { type Binary, compileFirst } from '../wasm-module';
import { accesses, damaged, KINDS, OP, type Place, type Plan, PlanError, type Program, stepsOf } from './plan';

/** The faster first: it multiplies and adds in one instruction, by relaxed SIMD. */
const BINARIES: readonly Binary[] = [{ load: () => import('./binary-fused') }, { load: () => import('./binary') }];

/** What carries out plans; undefined where the engine has no SIMD. */
export const loadPlanModule = (): Promise<WebAssembly.Module | undefined> => compileFirst(BINARIES);

interface Exports {
  run(step: number): number;
  score(c: number, d: number, table: number, bias: number, groups: number, to: number, k: number, best: number): number;
}

/** Where steps and answers lie, and what is behind the block. */
const BLOCK = 64;

const NOTHING: ReadonlyMap<number, number> = new Map();

export interface PlanInput {
  readonly data: ArrayLike<number>;
  readonly shape: readonly number[];
}

export interface RunningPlan {
  readonly plan: Plan;
  /**
   * Computes a session.
   *
   * @returns Its vector, and the parts of its state behind it: views that the next call overwrites.
   */
  run(inputs: Readonly<Record<string, PlanInput>>): Float32Array[];
  /**
   * Scores `[n]` by the vector of the last session; a view that the next call overwrites.
   *
   * @param added To the scores of columns; default: nothing.
   */
  scores(added?: ReadonlyMap<number, number>): Float32Array;
  /** The k best columns of the last session, equal ones in ascending order; what gets -Infinity is none of them. */
  top(k: number, added?: ReadonlyMap<number, number>): { readonly columns: Int32Array; readonly scores: Float32Array };
  /** What an item's score gets, by how many clicks ago it was clicked last. */
  readonly repeats: Float32Array | undefined;
}

/**
 * @param parameter The numbers of a parameter, by name.
 * @throws PlanError where the plan is not what one can be.
 */
export function startPlan(
  module: WebAssembly.Module,
  plan: Plan,
  parameter: (name: string) => Float32Array | undefined,
): RunningPlan {
  checkPlan(plan);
  checkSteps(plan.setup, plan.size);
  const words = 1 + Math.max(plan.setup.length, ...plan.programs.map(({ words }) => words.length));
  const { n, d, table, bias } = plan.items;
  const width = Math.ceil(n / 32) * 32;
  /** In numbers: the block, the steps, scores, then the best. */
  const stepsAt = BLOCK + plan.size;
  const scoresAt = Math.ceil((stepsAt + words) / 16) * 16;
  const bestAt = scoresAt + width;
  const memory = new WebAssembly.Memory({ initial: Math.ceil((4 * (bestAt + 2 * width)) / 65536) });
  const floats = new Float32Array(memory.buffer);
  const ints = new Int32Array(memory.buffer);
  const { run, score } = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Exports;

  for (const [name, { at, length }] of Object.entries(plan.parameters)) {
    const data = parameter(name);
    if (data?.length !== length)
      throw new PlanError(`The parameter ${name} has ${data?.length} numbers, not ${length}.`);
    floats.set(data, BLOCK + at);
  }
  for (const { at, data } of plan.literals) (data instanceof Int32Array ? ints : floats).set(data, BLOCK + at);
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
  function scored(to: number, k: number, added: ReadonlyMap<number, number> = NOTHING): number {
    const at = BLOCK + bias;
    const before = [...added.keys()].map((column) => floats[at + column]!);
    for (const [column, more] of added) floats[at + column]! += more;
    const found = score(4 * (BLOCK + vector!.at), d, 4 * (BLOCK + table), 4 * at, width / 32, to, k, 4 * bestAt);
    [...added.keys()].forEach((column, i) => {
      floats[at + column] = before[i]!;
    });
    return found;
  }
  const { repeats } = plan.items;

  return {
    plan,
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
      // A comparison with NaN is false, so that no score would be among the best.
      for (let i = BLOCK + at; i < BLOCK + at + d; i++) {
        if (floats[i]! - floats[i]! !== 0) throw new PlanError(`The session's vector has the number ${floats[i]}.`);
      }
      return program.results.map(({ at, length }) => floats.subarray(BLOCK + at, BLOCK + at + length));
    },
    scores(added) {
      scored(4 * scoresAt, 0, added);
      return floats.subarray(scoresAt, scoresAt + n);
    },
    top(most, added) {
      const k = Math.min(most, n);
      const found = scored(0, k, added);
      return {
        columns: ints.subarray(bestAt + k, bestAt + k + found),
        scores: floats.subarray(bestAt, bestAt + found),
      };
    },
    repeats: repeats && floats.subarray(BLOCK + repeats.at, BLOCK + repeats.at + repeats.length),
  };
}

/** Numbers of a block, and multiplications of a session: far more than a model needs, and little enough to end. */
const MOST_NUMBERS = 2 ** 28;
const MOST_WORK = 2 ** 33;

/** Whether everything but the steps stays inside the block. */
function checkPlan({ size, parameters, literals, programs, items }: Plan): void {
  const { n, d, table, bias, repeats } = items;
  const width = Math.ceil(n / 32) * 32;
  if (!isCount(size) || size > MOST_NUMBERS) throw damaged(`${size} numbers are too many`);
  if (![n, d].every((count) => isCount(count) && count > 0)) throw damaged(`it has ${n} items of ${d} numbers`);
  const places: Place[] = [
    ...Object.values(parameters),
    ...literals.map(({ at, data }) => ({ at, length: data.length })),
    ...programs.flatMap(({ inputs, results }) => [...Object.values(inputs), ...results]),
    { at: table, length: width * d },
    { at: bias, length: width },
    ...(repeats ? [repeats] : []),
  ];
  for (const { at, length } of places) {
    if (!isCount(at) || !isCount(length) || at + length > size)
      throw damaged(`${length} numbers at ${at} leave its block`);
  }
  if (programs.length === 0) throw damaged('it has no steps for any session');
  for (const { results } of programs)
    if (!(results[0] && results[0].length >= d)) throw damaged('a session has no vector');
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
    if (sizes.some((i) => operands[i]! < 1)) throw damaged(`a size at word ${at} is not positive`);
    // The last operand of a normalisation is a number.
    for (let i = 1; i <= count; i++) {
      if (operands[i]! < 0 && !(op === OP.layerNorm && i === count))
        throw damaged(`an operand at word ${at} is negative`);
    }
    for (const [place, extent] of accesses(op, operands)) {
      if (!(place + extent <= size)) throw damaged(`a step at word ${at} leaves its block`);
      work += extent;
    }
    if (op === OP.matmul) work += operands[5]! * operands[6]! * operands[7]! * operands[9]!;
    if (op === OP.pack) work += operands[4]! * operands[5]! * operands[7]!;
    if (work > MOST_WORK) throw damaged('its steps are too much work');
    at += 1 + count;
  }
}
