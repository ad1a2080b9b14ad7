/** State of single items: how often the visitor saw them, and the bias trained for each. */
import type { NdArray } from '../../types';
import { CAPS } from './settings';

type Saved = { readonly itemIds: readonly string[]; readonly arrays: Readonly<Record<string, NdArray>> };

/** At most `CAPS.rows` items; a new one takes the place of the one with the fewest events. */
export class ItemBiases {
  readonly #ids: readonly string[];
  readonly #places = new Map<number, number>();
  /** Item columns, 0…n − 1, by row. */
  columns = new Int32Array(0);
  readonly #columns = new Int32Array(CAPS.rows);
  /** Decayed counts, by row. */
  readonly counts = new Float32Array(CAPS.rows);
  /** βᵢ, by row. */
  readonly bias = new Float32Array(CAPS.rows);
  /** Sums of squared gradients of βᵢ, by row. */
  readonly biasSlots = new Float32Array(CAPS.rows);

  constructor(itemIds: readonly string[], saved?: Saved) {
    this.#ids = itemIds;
    if (!saved) return;
    const wanted = new Map(saved.itemIds.slice(0, CAPS.rows).map((id, row) => [id, row]));
    itemIds.forEach((id, column) => {
      const row = wanted.get(id);
      if (row === undefined) return;
      this.#columns[row] = column;
      this.#places.set(column, row);
    });
    this.columns = this.#columns.subarray(0, wanted.size);
    const restore = (into: Float32Array, name: string) => {
      const data = saved.arrays[name]?.data;
      if (data) into.set(data.subarray(0, into.length));
    };
    restore(this.counts, 'rows.count');
    restore(this.bias, 'rows.bias');
    restore(this.biasSlots, 'slot.rows.bias');
  }

  /** One more event of an item; those before it count a little less. */
  count(column: number, decay: number): void {
    for (let r = 0; r < this.columns.length; r++) this.counts[r]! *= decay;
    const row = this.#places.get(column) ?? this.#add(column);
    this.counts[row]! += 1;
  }

  #add(column: number): number {
    let row = this.columns.length;
    if (row < CAPS.rows) {
      this.columns = this.#columns.subarray(0, row + 1);
    } else {
      row = 0;
      for (let r = 1; r < CAPS.rows; r++) if (this.counts[r]! < this.counts[row]!) row = r;
      this.#places.delete(this.columns[row]!);
    }
    this.#columns[row] = column;
    this.#places.set(column, row);
    for (const array of [this.counts, this.bias, this.biasSlots]) array[row] = 0;
    return row;
  }

  /** Forgets the trained biases; the counts stay. */
  reset(): void {
    this.bias.fill(0);
    this.biasSlots.fill(0);
  }

  itemIds(): string[] {
    return Array.from(this.columns, (column) => this.#ids[column]!);
  }

  /** Copies, by the names of a delta. */
  save(): Record<string, NdArray> {
    const r = this.columns.length;
    const flat = (data: Float32Array): NdArray => ({ data: data.slice(0, r), shape: [r] });
    return {
      'rows.count': flat(this.counts),
      'rows.bias': flat(this.bias),
      'slot.rows.bias': flat(this.biasSlots),
    };
  }
}
