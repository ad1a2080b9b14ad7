/**
 * All parameters of a model, tuned to one visitor.
 *
 *     θ    = θ₀ + u φ        u the length of θ₀, so that φ counts in shares of it
 *     loss = mean over the event and one replayed session of −log softmax(s (c · Eᵢ + bᵢ))[next item] + ½ α ‖φ‖²
 *
 * Matrices and vectors are one block each; of tables with a row for each item only those rows move that belong to items which
 * the visitor met, each a block of its own, in lengths of a usual row. Blocks learn by `adagrad-norm.ts` and stay inside their
 * caps. Parameters are plain arrays, and tensors only while an event is predicted or learnt: nothing is held on a device.
 */
import { add, dispose, gather, matMul, slice, type Tensor, type Tensor2D, tensor1d, tidy } from '@tensorflow/tfjs-core';
import type { ParameterSpec, SessionModel } from '../../models/model';
import { upload } from '../../models/tensors';
import { INFERENCE } from '../../ranking/neural-scorer';
import { random } from '../../session/random';
import type { Catalogue, ItemIndex, NdArray, SessionInput } from '../../types';
import { breathe } from '../breathe';
import { differentiate, type StepInput, type Trainee } from '../step';
import { capNorm, move } from './adagrad-norm';
import { candidatesOf } from './candidates';
import type { Ground, Pair, TuneEvent } from './ground';
import { ItemRows } from './item-rows';
import type { Learner, SavedLearner } from './learner';
import { FULL, SAMPLE, SAMPLE_ABOVE } from './settings';
import { crossEntropy, HIDDEN } from './softmax';

/** A base model as its artifact holds it. Nothing here is ever written to. */
export interface BaseNetwork<C = unknown> {
  readonly model: SessionModel<C>;
  /** As `configure` returns it. */
  readonly config: C;
  readonly catalogue: Catalogue;
  /** Its parameters by name, and maybe others. */
  readonly tensors: Readonly<Record<string, NdArray>>;
  /** Sessions of others, with the item that came next. Default none. */
  readonly replay?: readonly { readonly session: SessionInput; readonly target: ItemIndex }[];
}

/** A parameter that learns as one block: φ, and the sum of its squared gradients. */
interface Block {
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
/** Milliseconds of work in one task of the thread, which may be a page's own. */
const BREATH = 12;

export class Full<C = unknown> implements Learner {
  readonly #ground: Ground;
  readonly #network: BaseNetwork<C>;
  readonly #trainee: Trainee<C>;
  readonly #blocks = new Map<string, Block>();
  readonly #tables = new Map<string, Table>();
  readonly #rows: ItemRows;
  #step: number;

  /** @param saved What `save` gave, to go on from; copied. */
  constructor(ground: Ground, network: BaseNetwork<C>, saved?: SavedLearner) {
    this.#ground = ground;
    this.#network = network;
    const { model, config, catalogue, tensors } = network;
    const specs = model.parameters(config, catalogue);
    const isSampled = catalogue.items > SAMPLE_ABOVE;
    const { scale = 1 } = ground;
    this.#trainee = {
      ...{ model, config, catalogue, specs },
      plan: {
        ...model.training(config),
        rows: { kind: 'prefixes', maxLength: Number.MAX_SAFE_INTEGER },
        objective: {
          loss: 'cross-entropy',
          negatives: isSampled ? { kind: 'shared', inBatch: true, extra: SAMPLE, alpha: 0 } : { kind: 'catalogue' },
          ...(isSampled && { maskHits: true }),
          reduction: 'mean',
          temperature: 1 / scale,
        },
      },
    };
    let width = 0;
    for (const [name, spec] of Object.entries(specs)) {
      const { data } = tensors[name]!;
      if (spec.rows) {
        const own = data.length / spec.shape[0]!;
        this.#tables.set(name, { at: width, width: own, unit: lengthOf(data) / Math.sqrt(spec.shape[0]!) || 1 });
        width += own;
      } else if (data.length <= FULL.most) this.#blocks.set(name, blockOf(name, spec, data, saved));
    }
    this.#rows = new ItemRows(ground.itemIds, width, saved);
    this.#step = saved?.step ?? 0;
  }

  async predict({ item, vector, session, hidden = new Set() }: TuneEvent): Promise<Pair> {
    const { table, bias, itemIds, scale = 1 } = this.#ground;
    const n = itemIds.length;
    const own = Int32Array.from(this.#rows.entries(), ([column]) => column);
    const { columns, placeOf, weights } = candidatesOf(n, item, own, this.#step);
    const scores = await this.#scores(session!);
    const d = vector!.length;
    const candidates = columns ?? Int32Array.from({ length: n }, (_, column) => column);
    const tuned = Float64Array.from(candidates, (column) => scale * scores[column]!);
    const base = Float64Array.from(candidates, (column) => {
      let product = bias?.[column] ?? 0;
      for (let k = 0; k < d; k++) product += vector![k]! * table[column * d + k]!;
      return scale * product;
    });
    for (const other of hidden) {
      const place = placeOf(other - 1);
      if (place === undefined || other === item) continue;
      base[place] = HIDDEN;
      tuned[place] = HIDDEN;
    }
    const target = placeOf(item - 1)!;
    return { base: crossEntropy(base, target, weights), tuned: crossEntropy(tuned, target, weights) };
  }

  /** The tuned model's scores of all items, `[n]`. */
  async #scores(session: SessionInput): Promise<Float32Array> {
    const { model, config, catalogue } = this.#network;
    const prepared = model.prepare([session], config, catalogue);
    const scores = tidy(() => {
      const params = upload(this.tuned());
      const { table, bias } = model.outputs(params, config);
      const vectors = model.encode(params, upload(prepared), config, INFERENCE);
      const items = slice(table, [1, 0], [catalogue.items, -1]);
      const products: Tensor2D = matMul(vectors, items, false, true); // [1, n]
      return bias ? add<Tensor2D>(products, slice(bias, 1, catalogue.items)) : products;
    });
    try {
      return (await scores.data()) as Float32Array;
    } finally {
      scores.dispose();
    }
  }

  async learn({ item, session }: TuneEvent): Promise<void> {
    const { model, config, catalogue, replay = [] } = this.#network;
    const other = replay[this.#step % replay.length];
    const sessions = other ? [session!, other.session] : [session!];
    const input: StepInput = {
      inputs: model.prepare(sessions, config, catalogue),
      targets: Int32Array.from(other ? [item, other.target] : [item]),
      negatives: { ids: this.#negatives(), perTarget: false },
    };
    const columns = Int32Array.from(this.#rows.entries(), ([column]) => column);
    await breathe(BREATH);
    const gradients = await this.#gradients(input, columns);
    await breathe(BREATH);
    const { rates, caps, anchor } = FULL;
    for (const [name, { values, slot, unit }] of this.#blocks) {
      const gradient = gradients.get(name);
      if (!gradient) continue;
      move(
        { values, slots: slot, slot: 0 },
        gradient.map((x) => unit * x),
        rates.block,
        anchor,
      );
      capNorm(values, caps.block);
    }
    for (const [r, [, { values, slot }]] of [...this.#rows.entries()].entries()) {
      const own = new Float32Array(values.length);
      for (const [name, { at, width, unit }] of this.#tables) {
        const rows = gradients.get(name)?.subarray(r * width, (r + 1) * width);
        if (rows)
          own.set(
            rows.map((x) => unit * x),
            at,
          );
      }
      move({ values, slots: slot, slot: 0 }, own, rates.row, anchor);
      capNorm(values, caps.row);
    }
    this.#step++;
  }

  /** Of a large catalogue, items that the loss is taken over besides the targets. */
  #negatives(): Int32Array {
    const { items } = this.#network.catalogue;
    if (items <= SAMPLE_ABOVE) return new Int32Array(0);
    const draws = random(0, 'candidates', this.#step);
    return Int32Array.from({ length: SAMPLE }, () => 1 + draws.integer(items));
  }

  /** By parameter; of tables the rows of these columns, one after the other. */
  async #gradients(input: StepInput, columns: Int32Array): Promise<Map<string, Float32Array>> {
    const found = tidy(() => {
      const params = upload(this.tuned());
      const { gradients } = differentiate(this.#trainee, params, input, INFERENCE);
      return Object.fromEntries(
        Object.entries(gradients).flatMap(([name, gradient]): [string, Tensor][] => {
          if (this.#blocks.has(name)) return [[name, gradient]];
          if (!this.#tables.has(name) || columns.length === 0) return [];
          return [
            [
              name,
              gather(
                gradient,
                tensor1d(
                  columns.map((column) => column + 1),
                  'int32',
                ),
              ),
            ],
          ];
        }),
      );
    });
    try {
      const arrays = Object.entries(found).map(async ([name, gradient]): Promise<[string, Float32Array]> => {
        return [name, (await gradient.data()) as Float32Array];
      });
      return new Map(await Promise.all(arrays));
    } finally {
      dispose(found);
    }
  }

  count({ item }: TuneEvent): void {
    this.#rows.count(item - 1, FULL.decay);
  }

  reset(): void {
    this.#rows.reset();
    for (const { values, slot } of this.#blocks.values()) {
      values.fill(0);
      slot.fill(0);
    }
  }

  save(): SavedLearner {
    const { itemIds, arrays } = this.#rows.save();
    const blocks = [...this.#blocks].flatMap(([name, { values, slot }]): [string, NdArray][] => [
      [BLOCK + name, { data: values.slice(), shape: [values.length] }],
      [`slot.${BLOCK}${name}`, { data: slot.slice(), shape: [1] }],
    ]);
    return { itemIds, arrays: { ...arrays, ...Object.fromEntries(blocks) }, step: this.#step };
  }

  /** Every parameter of the tuned model by name, as an artifact would hold it. Those that do not differ are the base's own. */
  tuned(): Record<string, NdArray> {
    const { tensors } = this.#network;
    return Object.fromEntries(
      Object.keys(this.#trainee.specs).map((name): [string, NdArray] => {
        const { data, shape } = tensors[name]!;
        const block = this.#blocks.get(name);
        if (block) {
          const { values, unit } = block;
          return [name, { data: Float32Array.from(data, (start, k) => start + unit * values[k]!), shape }];
        }
        const table = this.#tables.get(name);
        if (!table) return [name, { data, shape }];
        const { at, width, unit } = table;
        const rows = Float32Array.from(data);
        for (const [column, { values }] of this.#rows.entries()) {
          for (let k = 0; k < width; k++) rows[(column + 1) * width + k]! += unit * values[at + k]!;
        }
        return [name, { data: rows, shape }];
      }),
    );
  }
}

function blockOf(name: string, { shape }: ParameterSpec, data: ArrayLike<number>, saved?: SavedLearner): Block {
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
