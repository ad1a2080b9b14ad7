/**
 * All parameters of a model as they differ for one visitor: the part of `full.ts` that needs no training code.
 *
 *     θ = θ₀ + u φ        u the length of θ₀, so that φ counts in shares of it
 *
 * Matrices and vectors are one block each; of tables with a row for each item only those rows move that belong to items which
 * the visitor met, each a block of its own, in lengths of a usual row. All are plain arrays.
 */
import type { ModelSpec, ParameterSpec } from '../../models/model';
import type { Catalogue, ItemIndex, NdArray, SessionInput } from '../../types';
import type { FineTunerState } from './fine-tuner';
import type { FrozenModel } from './frozen-model';
import { ItemRows } from './item-rows';
import { FULL } from './settings';

/** A base model as its artifact holds it. Nothing here is ever written to. */
export interface BaseNetwork<C = unknown> {
  readonly model: ModelSpec<C>;
  /** As `configure` returns it. */
  readonly config: C;
  readonly catalogue: Catalogue;
  /** Its parameters by name, and maybe others. */
  readonly tensors: Readonly<Record<string, NdArray>>;
  /** Sessions of others, with the item that came next. Default none. */
  readonly replay?: readonly { readonly session: SessionInput; readonly target: ItemIndex }[];
}

/** A parameter that learns as one block: φ, and the sum of its squared gradients. */
export interface Block {
  readonly values: Float32Array;
  readonly slot: Float32Array;
  /** u. */
  readonly unit: number;
}

/** A table of items: where its row begins among an item's numbers, and how long a usual row is. */
interface Table {
  readonly at: number;
  readonly width: number;
  readonly unit: number;
}

const BLOCK = 'block.';

export class FullParameters<C = unknown> {
  readonly specs: Readonly<Record<string, ParameterSpec>>;
  readonly blocks = new Map<string, Block>();
  readonly tables = new Map<string, Table>();
  readonly rows: ItemRows;
  readonly #tensors: BaseNetwork['tensors'];

  /** @param saved What `save` gave, to go on from; copied. */
  constructor(
    { itemIds }: Pick<FrozenModel, 'itemIds'>,
    { model, config, catalogue, tensors }: Omit<BaseNetwork<C>, 'replay'>,
    saved?: Pick<FineTunerState, 'arrays' | 'itemIds'>,
  ) {
    this.specs = model.parameters(config, catalogue);
    this.#tensors = tensors;
    let width = 0;
    for (const [name, spec] of Object.entries(this.specs)) {
      const { data } = tensors[name]!;
      if (spec.rows) {
        const own = data.length / spec.shape[0]!;
        this.tables.set(name, { at: width, width: own, unit: lengthOf(data) / Math.sqrt(spec.shape[0]!) || 1 });
        width += own;
      } else if (data.length <= FULL.most) this.blocks.set(name, blockOf(name, spec, data, saved));
    }
    this.rows = new ItemRows(itemIds, width, saved);
  }

  reset(): void {
    this.rows.reset();
    for (const { values, slot } of this.blocks.values()) {
      values.fill(0);
      slot.fill(0);
    }
  }

  save(): Pick<FineTunerState, 'arrays' | 'itemIds'> {
    const { itemIds, arrays } = this.rows.save();
    const blocks = [...this.blocks].flatMap(([name, { values, slot }]): [string, NdArray][] => [
      [BLOCK + name, { data: values.slice(), shape: [values.length] }],
      [`slot.${BLOCK}${name}`, { data: slot.slice(), shape: [1] }],
    ]);
    return { itemIds, arrays: { ...arrays, ...Object.fromEntries(blocks) } };
  }

  /** Every parameter of the tuned model by name, as an artifact would hold it. Those that do not differ are the base's own. */
  tuned(): Record<string, NdArray> {
    return Object.fromEntries(
      Object.keys(this.specs).map((name): [string, NdArray] => {
        const { data, shape } = this.#tensors[name]!;
        const block = this.blocks.get(name);
        if (block) {
          const { values, unit } = block;
          return [name, { data: Float32Array.from(data, (start, k) => start + unit * values[k]!), shape }];
        }
        const table = this.tables.get(name);
        if (!table) return [name, { data, shape }];
        const { at, width, unit } = table;
        const rows = Float32Array.from(data);
        for (const [column, { values }] of this.rows.entries()) {
          for (let k = 0; k < width; k++) rows[(column + 1) * width + k]! += unit * values[at + k]!;
        }
        return [name, { data: rows, shape }];
      }),
    );
  }
}

function blockOf(
  name: string,
  { shape }: ParameterSpec,
  data: ArrayLike<number>,
  saved?: Pick<FineTunerState, 'arrays'>,
): Block {
  const { length } = data;
  const restored = (key: string, size: number): Float32Array => {
    const before = saved?.arrays[key]?.data;
    return before?.length === size ? Float32Array.from(before) : new Float32Array(size);
  };
  // A vector that starts at 0 has no length of its own.
  const unit = lengthOf(data) || FULL.zero * Math.sqrt(length);
  return {
    values: restored(
      BLOCK + name,
      shape.reduce((product, side) => product * side, 1),
    ),
    slot: restored(`slot.${BLOCK}${name}`, 1),
    unit,
  };
}

/** ‖values‖₂. */
function lengthOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < values.length; k++) sum += values[k]! * values[k]!;
  return Math.sqrt(sum);
}
