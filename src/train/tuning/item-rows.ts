/** Numbers for single items: the ones that the visitor saw most often. */
import type { NdArray } from '../../types';
import type { FineTunerState } from './fine-tuner';
import { CAPS } from './settings';

interface ItemRow {
  /** Decayed events, in single precision, as it is saved. */
  count: number;
  readonly values: Float32Array;
  /** Sum of squared gradients of the values. */
  readonly slot: Float32Array;
}

/** At most `CAPS.rows` items by column, 0…n − 1; a new one takes the place of the one with the fewest events. */
export class ItemRows {
  readonly #itemIds: readonly string[];
  readonly #width: number;
  readonly #rows = new Map<number, ItemRow>();

  constructor(itemIds: readonly string[], width: number, saved?: Pick<FineTunerState, 'arrays' | 'itemIds'>) {
    this.#itemIds = itemIds;
    this.#width = width;
    if (!saved) return;
    const { 'rows.count': counts, 'rows.values': values, 'slot.rows.values': slots } = saved.arrays;
    const wanted = new Map(saved.itemIds.map((id, r) => [id, r]));
    const columns = new Map(itemIds.flatMap((id, column) => (wanted.has(id) ? [[id, column] as const] : [])));
    saved.itemIds.slice(0, CAPS.rows).forEach((id, r) => {
      const row = this.#add(columns.get(id)!);
      row.count = counts?.data[r] ?? 0;
      if (values) row.values.set(values.data.subarray(r * width, (r + 1) * width));
      row.slot[0] = slots?.data[r] ?? 0;
    });
  }

  entries(): IterableIterator<[number, ItemRow]> {
    return this.#rows.entries();
  }

  /** One more event of an item; those before it count a little less. */
  count(column: number, decay: number): void {
    for (const row of this.#rows.values()) row.count = Math.fround(row.count * decay);
    const row = this.#rows.get(column) ?? this.#add(column);
    row.count = Math.fround(row.count + 1);
  }

  #add(column: number): ItemRow {
    if (this.#rows.size >= CAPS.rows) {
      const fewest = [...this.#rows].reduce((least, entry) => (entry[1].count < least[1].count ? entry : least));
      this.#rows.delete(fewest[0]);
    }
    const row = { count: 0, values: new Float32Array(this.#width), slot: new Float32Array(1) };
    this.#rows.set(column, row);
    return row;
  }

  /** Forgets the trained values; the counts stay. */
  reset(): void {
    for (const { values, slot } of this.#rows.values()) {
      values.fill(0);
      slot.fill(0);
    }
  }

  /** Copies, by the names of a delta. */
  save(): Pick<FineTunerState, 'itemIds' | 'arrays'> {
    const rows = [...this.#rows.values()];
    const values = new Float32Array(rows.length * this.#width);
    rows.forEach((row, r) => {
      values.set(row.values, r * this.#width);
    });
    const flat = (data: Float32Array): NdArray => ({ data, shape: [rows.length] });
    return {
      itemIds: [...this.#rows.keys()].map((column) => this.#itemIds[column]!),
      arrays: {
        'rows.count': flat(Float32Array.from(rows, ({ count }) => count)),
        'rows.values': { data: values, shape: [rows.length, this.#width] },
        'slot.rows.values': flat(Float32Array.from(rows, ({ slot }) => slot[0]!)),
      },
    };
  }
}
