/**
 * The rows of the item tables that one step touches.
 *
 * A step that reads 2,000 of a million items works on small tables of those rows: it gathers them, differentiates by
 * them, updates them, and its cost does not grow with the catalogue. An id that occurs several times has one row there,
 * so its gradients are summed before the optimiser sees them.
 */
import type { PreparedArray } from '../models/model';

/** Which table rows a step works on, and the step's indices renumbered to them. */
export interface TouchedRows {
  /** Item indices behind the rows of each role's small tables; entry 0 is padding. */
  readonly rows: { readonly input: Int32Array; readonly output: Int32Array; readonly both: Int32Array };
  readonly inputs: Readonly<Record<string, PreparedArray>>;
  readonly targets: Int32Array;
  readonly negatives: Int32Array;
}

/** Finds touched rows; made once per training, since it keeps one number for every item. */
export class RowFinder {
  readonly #row: Int32Array;
  readonly #shared: boolean;

  /**
   * @param items Rows of the largest table.
   * @param shared Whether a table serves as input and output: then both kinds of index point into one list, outputs
   *   first, so that output-only tables (a bias) are its beginning and are not touched by inputs.
   */
  constructor(items: number, shared: boolean) {
    this.#row = new Int32Array(items).fill(-1);
    this.#shared = shared;
  }

  find(inputs: Readonly<Record<string, PreparedArray>>, targets: Int32Array, negatives: Int32Array): TouchedRows {
    const row = this.#row;
    const list: number[] = [];
    const number = (ids: Int32Array): Int32Array => {
      const renumbered = new Int32Array(ids.length);
      for (let i = 0; i < ids.length; i++) {
        const id = ids[i]!;
        if (row[id]! < 0) row[id] = list.push(id) - 1;
        renumbered[i] = row[id]!;
      }
      return renumbered;
    };
    const take = (): Int32Array => Int32Array.from(list);
    const forget = (): void => {
      for (const id of list) row[id] = -1;
      list.length = 0;
    };
    const numberInputs = () =>
      Object.fromEntries(
        Object.entries(inputs).map(([name, array]) => [
          name,
          array.items ? { ...array, data: number(array.data as Int32Array) } : array,
        ]),
      );

    number(Int32Array.of(0)); // padding is row 0 of every small table too
    const output = { targets: number(targets), negatives: number(negatives), rows: take() };
    if (!this.#shared) {
      forget();
      number(Int32Array.of(0));
    }
    const renumbered = numberInputs();
    const input = take();
    forget();
    return {
      rows: { input, output: output.rows, both: input },
      inputs: renumbered,
      targets: output.targets,
      negatives: output.negatives,
    };
  }
}

/** One list of ids after the other. */
export function joined(first: Int32Array, second: Int32Array): Int32Array {
  const both = new Int32Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

type Arrays = Readonly<Record<string, PreparedArray>>;

/** What of a step names items. */
interface Touching {
  readonly inputs: readonly Arrays[];
  readonly views?: { readonly inputs: readonly Arrays[] } | undefined;
  readonly targets: Int32Array;
  readonly negatives: { readonly ids: Int32Array };
  readonly repeated?: { readonly ids: Int32Array } | undefined;
}

/** The rows that a step touches, and the step with its indices renumbered to them. */
export function touch<S extends Touching>(finder: RowFinder, step: S): { rows: TouchedRows['rows']; step: S } {
  const { inputs, views, targets, negatives, repeated } = step;
  const all = [...inputs, ...(views?.inputs ?? [])];
  const nameOf = (name: string, i: number) => `${i}.${name}`;
  const named = all.flatMap((arrays, i) =>
    Object.entries(arrays).map(([name, array]) => [nameOf(name, i), array] as const),
  );
  const outputs = repeated ? joined(targets, repeated.ids) : targets;
  const found = finder.find(Object.fromEntries(named), outputs, negatives.ids);
  const renumbered = all.map((arrays, i) =>
    Object.fromEntries(Object.keys(arrays).map((name) => [name, found.inputs[nameOf(name, i)]!])),
  );
  return {
    rows: found.rows,
    step: {
      ...step,
      inputs: renumbered.slice(0, inputs.length),
      targets: found.targets.subarray(0, targets.length),
      negatives: { ...negatives, ids: found.negatives },
      ...(repeated && { repeated: { ...repeated, ids: found.targets.subarray(targets.length) } }),
      ...(views && { views: { ...views, inputs: renumbered.slice(inputs.length) } }),
    },
  };
}
