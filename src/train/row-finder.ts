/**
 * The rows of the item tables that one step touches.
 *
 * A step that reads 2,000 of a million items works on small tables of those rows: it gathers them, differentiates by
 * them, updates them, and its cost does not grow with the catalogue. An id that occurs several times has one row there,
 * so its gradients are summed before the optimiser sees them.
 */
import { mapArrays } from '../objectives/batch';

/** Item indices behind the rows of each role's small tables; entry 0 is padding. */
export type TouchedRows = Readonly<Record<'input' | 'output' | 'both', Int32Array>>;

/** Finds touched rows; made once per training, since it keeps one number for every item. */
export class RowFinder {
  readonly #row: Int32Array;
  readonly #shared: boolean;

  /**
   * @param rows Rows of the largest table.
   * @param shared Whether a table serves as input and output: then both kinds of index point into one list, outputs
   *   first, so that output-only tables (a bias) are its beginning and are not touched by inputs.
   */
  constructor(rows: number, shared: boolean) {
    this.#row = new Int32Array(rows).fill(-1);
    this.#shared = shared;
  }

  /** The rows that a batch touches, and the batch with its item indices renumbered to them. */
  touch<B>(batch: B): { readonly rows: TouchedRows; readonly batch: B } {
    const row = this.#row;
    let list: number[] = [];
    const numberOf = (item: number): number => {
      if (row[item]! < 0) row[item] = list.push(item) - 1;
      return row[item]!;
    };
    const forget = (): void => {
      for (const item of list) row[item] = -1;
      list = [];
    };
    const renumber = (given: unknown, role: 'input' | 'output') =>
      mapArrays(given, (array) => (array.items === role ? { ...array, data: array.data.map(numberOf) } : array));
    numberOf(0); // padding is row 0 of every small table too
    const scored = renumber(batch, 'output');
    const output = Int32Array.from(list);
    if (!this.#shared) {
      forget();
      numberOf(0);
    }
    const all = renumber(scored, 'input') as B;
    const input = Int32Array.from(list);
    forget();
    return { rows: { input, output, both: input }, batch: all };
  }
}
