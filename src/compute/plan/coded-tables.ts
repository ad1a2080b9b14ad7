/**
 * Tables of product quantisation in a plan that is compiled. Items are scored by their codes, and no row is gathered: whoever runs the
 * plan gives, beside the ids of an input, their rows.
 */
import { rowsInput } from './coded-names';
import type { FittedSteps } from './fit';
import type { Ref, Step } from './lower';
import { OP } from './plan';
import type { Id, Value } from './trace';

/** A parameter that the artifact holds as codes. */
export interface CodedParameter {
  readonly name: string;
  /** Rows, numbers of a row, and its pieces. */
  readonly rows: number;
  readonly d: number;
  readonly m: number;
}

const reads = (id: Id, { operands }: Step): boolean =>
  operands.some((operand) => typeof operand === 'object' && operand.id === id);

/** Whether steps do nothing with a table but score its items, and gather rows of it by ids that are given. */
export function isByCodes(id: Id, setup: readonly Step[], programs: readonly FittedSteps[]): boolean {
  const isGathered = ({ op, operands }: Step, given: readonly Id[]): boolean => {
    const [table, ids] = operands as [Ref, Ref];
    return op === OP.gather && table.id === id && table.offset === 0 && given.includes(ids.id);
  };
  return (
    setup.every((step) => !reads(id, step) || step.op === OP.table) &&
    programs.every(({ base, steps }) => {
      const given = Object.values(base.inputs).map((input) => input.id);
      return steps.every((step) => !reads(id, step) || isGathered(step, given));
    })
  );
}

/** Steps that take rows that are given in place of those that are gathered. */
export function takeRows(programs: readonly FittedSteps[], id: Id, { name, d }: CodedParameter): FittedSteps[] {
  const isGather = (step: Step): boolean => step.op === OP.gather && reads(id, step);
  const idsOf = ({ operands }: Step): Ref => operands[1] as Ref;
  const gathered = new Set(
    programs.flatMap(({ base, steps }) => {
      const ids = steps.filter(isGather).map((step) => idsOf(step).id);
      return Object.keys(base.inputs).filter((input) => ids.includes(base.inputs[input]!.id));
    }),
  );
  return programs.map((program) => {
    const { base, steps, words } = program;
    const places = new Map<Id, Value>();
    const inputs: Record<string, Value> = { ...base.inputs };
    for (const input of gathered) {
      const ids = base.inputs[input];
      if (!ids) continue;
      const value = { id: {}, shape: [...ids.shape, d], dtype: 'float32' };
      places.set(ids.id, value);
      inputs[rowsInput(name, input)] = value;
    }
    const times = (coefficients: readonly number[]): number[] => coefficients.map((x) => d * x);
    return {
      ...program,
      base: { ...base, inputs },
      steps: steps.map((step) => {
        if (!isGather(step)) return step;
        const [, , to, count] = step.operands as [Ref, Ref, Ref, number];
        const { id: own, offset } = idsOf(step);
        const from = { id: places.get(own)!.id, offset: d * offset };
        return { ...step, op: OP.move, operands: [from, to, 1, 1, 1, d * count, 0, 0, 0, 1] };
      }),
      words: words.map((word, s) => {
        if (!isGather(steps[s]!)) return word;
        const [, ids, to, count] = word as [number[], number[], number[], number[]];
        return [times(ids), to, [1], [1], [1], times(count), [0], [0], [0], [1]];
      }),
    };
  });
}
