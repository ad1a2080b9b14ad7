/**
 * A visitor's adapter: a few vectors, rows and weights beside a frozen model, with gradients in closed form.
 *
 *     q      = c ⊙ (1 + g) + û / (s Ē)                                  c the session, Ē the usual length of a row of E
 *     rawᵢ   = s (q · Eᵢ + bᵢ + rₗ)                                     rₗ if the session holds item i, see `models/repeats.ts`
 *     logitᵢ = m rawᵢ + βᵢ + w₀ prior(i) + Σ_a w_a prior(a(i))
 *     loss   = −log softmax(logit)[next item] + ½ α ‖θ − θ₀‖²
 *
 * û and g are `[d]`; β has a number for each item that the visitor touched; m, w₀ and w_f weigh the base against what the
 * visitor's own counts say (`visitor-priors.ts`): a product of experts. At θ₀ all but the weights are 0.
 *
 * With δᵢ = softmax(logit)ᵢ − [i is next] and z = Σ δᵢ Eᵢ:
 *
 *     ∂û = m z / Ē     ∂g = m s z ⊙ c     ∂βᵢ = δᵢ     ∂m = Σ δᵢ rawᵢ     ∂w_a = Σ δᵢ prior(a(i))
 *
 * Every part learns by `adagrad-norm.ts` and stays inside its cap. The sums are plain loops in double precision, so that the
 * same events teach the same on every backend.
 */

import { deriveSeed } from '../../session/random';
import type { NdArray, SessionInput } from '../../types';
import { capNorm, clamp, move } from './adagrad-norm';
import { type Candidates, candidatesOf } from './candidates';
import type { FineTuner, FineTunerState } from './fine-tuner';
import { type FrozenModel, type Pair, repeatedColumns, type TuneEvent } from './frozen-model';
import { ItemBiases } from './item-biases';
import { ADAPTER, type AdapterSettings, CAPS } from './settings';
import { crossEntropy, EXCLUDED } from './softmax';
import { attributePriors, Popularity, visitorPrior } from './visitor-priors';

/** The item side of a tuned model: score of item i = c · table[i] + bias[i], in the base's own unit. */
export interface FoldedItems {
  /** `[n, d]`. */
  readonly table: Float32Array;
  /** `[n]`. */
  readonly bias: Float32Array;
  /** What turns these scores into logits: m s. */
  readonly scale: number;
}

/** Of the loss without its anchor, by part; rows in the order of the touched items. */
export interface AdapterGradients {
  readonly shift: Float64Array;
  readonly gain: Float64Array;
  readonly weights: Float64Array;
  readonly bias: Float64Array;
}

/** Of a probability, in the sum over the catalogue. */
const NEGLIGIBLE = 1e-9;

export class Adapter implements FineTuner {
  readonly #frozen: FrozenModel;
  readonly #settings: AdapterSettings;
  readonly #popularity: Popularity;
  readonly #d: number;
  readonly #scale: number;
  /** Ē: root of the mean squared length of the rows of E. */
  readonly #length: number;
  readonly #startWeights: Float32Array;
  /** û, g; m, w₀ and one weight an attribute; sums of squared gradients of each. */
  readonly #shift: Float32Array;
  readonly #gain: Float32Array;
  readonly #weights: Float32Array;
  readonly #slots: Float32Array;
  readonly #weightSlots: Float32Array;
  /** The properties that the weights are of, each as a hash of its name: beside another catalogue, its weight is found by it. */
  readonly #attributes: Int32Array;
  readonly #rows: ItemBiases;
  #step = 0;
  /** Of the event that was predicted last: its candidates, their raw scores, and their logits, which then become δ. */
  #candidates: Candidates = candidatesOf(0, 0, new Int32Array(0), 0);
  #raw = new Float64Array(0);
  #base = new Float64Array(0);
  #delta = new Float64Array(0);
  #attributePriors: readonly Float64Array[] = [];
  readonly #q: Float64Array;

  /** @param saved What `save` gave, to go on from; copied. */
  constructor(frozen: FrozenModel, saved?: FineTunerState, settings: AdapterSettings = ADAPTER) {
    const { table, itemIds, scale, attributes = [] } = frozen;
    this.#frozen = frozen;
    this.#settings = settings;
    this.#d = table.length / itemIds.length;
    this.#scale = scale;
    this.#length = rootMeanSquare(table) * Math.sqrt(this.#d) || 1;
    this.#popularity = new Popularity(frozen);
    const { base, item, category, facet } = settings.weights;
    const ofAttributes = attributes.map(({ name }) => (name.startsWith('category ') ? category : facet));
    this.#startWeights = Float32Array.from([base, item, ...ofAttributes]);
    const restored = (name: string, start: Float32Array): Float32Array => {
      const data = saved?.arrays[name]?.data;
      return data?.length === start.length ? Float32Array.from(data) : start.slice();
    };
    this.#attributes = Int32Array.from(attributes, ({ name }) => deriveSeed(0, name));
    const before = saved?.arrays['attributes']?.data ?? this.#attributes;
    /** Of base, item and the properties; what the catalogue of that time did not have starts over. */
    const restoredWeights = (name: string, start: Float32Array): Float32Array => {
      const data = saved?.arrays[name]?.data;
      if (data?.length !== 2 + before.length) return start.slice();
      const places = [0, 1, ...Array.from(this.#attributes, (number) => before.indexOf(number) + 2)];
      return start.map((value, j) => (j > 1 && places[j] === 1 ? value : data[places[j]!]!));
    };
    this.#shift = restored('shift', new Float32Array(this.#d));
    this.#gain = restored('gain', new Float32Array(this.#d));
    this.#weights = restoredWeights('weights', this.#startWeights);
    this.#slots = restored('slot.vectors', new Float32Array(2));
    this.#weightSlots = restoredWeights('slot.weights', new Float32Array(this.#startWeights.length));
    this.#rows = new ItemBiases(itemIds, saved);
    this.#q = new Float64Array(this.#d);
    this.#step = saved?.step ?? 0;
  }

  predict({ item, vector, session, hidden = new Set() }: TuneEvent): Pair {
    this.#candidates = candidatesOf(this.#frozen.itemIds.length, item, this.#rows.columns, this.#step);
    const { placeOf, weights } = this.#candidates;
    this.#score(vector!, session);
    this.#addPriors();
    for (const other of hidden) {
      const place = placeOf(other - 1);
      if (place === undefined || other === item) continue;
      this.#base[place] = EXCLUDED;
      this.#delta[place] = EXCLUDED;
    }
    const target = placeOf(item - 1)!;
    return { base: crossEntropy(this.#base, target, weights), tuned: crossEntropy(this.#delta, target, weights) };
  }

  update({ vector }: TuneEvent): void {
    const { rates, anchor } = this.#settings;
    const gradients = this.gradients(vector!);
    this.#replay(gradients);
    const rows = this.#rows;
    move({ values: this.#shift, slots: this.#slots, slot: 0 }, gradients.shift, rates.shift, anchor);
    move({ values: this.#gain, slots: this.#slots, slot: 1 }, gradients.gain, rates.gain, anchor);
    for (let j = 0; j < this.#weights.length; j++) {
      const block = { values: this.#weights.subarray(j, j + 1), slots: this.#weightSlots, slot: j };
      const start = this.#startWeights[j]!;
      move({ ...block, start }, gradients.weights.subarray(j, j + 1), j === 1 ? rates.item : rates.weights, anchor);
    }
    for (let r = 0; r < rows.columns.length; r++) {
      const block = { values: rows.bias.subarray(r, r + 1), slots: rows.biasSlots, slot: r };
      move(block, gradients.bias.subarray(r, r + 1), rates.bias, anchor);
    }
    capNorm(this.#shift, CAPS.shift);
    clamp(this.#gain, -CAPS.gain, CAPS.gain);
    clamp(rows.bias, -CAPS.bias, CAPS.bias);
    clamp(this.#weights.subarray(0, 1), ...CAPS.baseWeight);
    clamp(this.#weights.subarray(1), -CAPS.weight, CAPS.weight);
    this.#step++;
  }

  count({ item }: TuneEvent): void {
    this.#rows.count(item - 1, this.#settings.decay);
  }

  reset(): void {
    for (const array of [this.#shift, this.#gain, this.#slots, this.#weightSlots]) array.fill(0);
    this.#weights.set(this.#startWeights);
    this.#rows.reset();
  }

  save(): FineTunerState {
    const flat = (data: Float32Array): NdArray => ({ data: data.slice(), shape: [data.length] });
    return {
      itemIds: this.#rows.itemIds(),
      arrays: {
        shift: flat(this.#shift),
        gain: flat(this.#gain),
        weights: flat(this.#weights),
        attributes: { data: this.#attributes.slice(), shape: [this.#attributes.length] },
        'slot.vectors': flat(this.#slots),
        'slot.weights': flat(this.#weightSlots),
        ...this.#rows.save(),
      },
      step: this.#step,
    };
  }

  /**
   * The adapter as an item side, so that recommending by a tuned model costs what it costs by the base:
   *
   *     table′ᵢ = (1 + g) ⊙ Eᵢ     bias′ᵢ = û · Eᵢ / (s Ē) + bᵢ + (βᵢ + priors) / (m s)
   */
  fold(): FoldedItems {
    const { table, bias, itemIds } = this.#frozen;
    const [d, rows] = [this.#d, this.#rows];
    const priors = this.#priorsOfAttributes();
    const own = new Map(Array.from(rows.columns, (column, r) => [column, rows.bias[r]! + this.#itemPart(r)]));
    const unit = this.#weights[0]! * this.#scale;
    const biases = Float32Array.from({ length: itemIds.length }, (_, i) => {
      let shifted = 0;
      for (let k = 0; k < d; k++) shifted += this.#shift[k]! * table[i * d + k]!;
      const counted = this.#attributePart(priors, i) + (own.get(i) ?? 0);
      return shifted / (this.#scale * this.#length) + (bias?.[i] ?? 0) + counted / unit;
    });
    return { table: table.map((value, at) => value * (1 + this.#gain[at % d]!)), bias: biases, scale: unit };
  }

  /** Of the event that was predicted last. */
  gradients(vector: Float32Array): AdapterGradients {
    const { attributes = [] } = this.#frozen;
    const { columns, placeOf } = this.#candidates;
    const [delta, rows, m, s] = [this.#delta, this.#rows, this.#weights[0]!, this.#scale];
    const weights = new Float64Array(this.#weights.length);
    for (let place = 0; place < delta.length; place++) weights[0]! += delta[place]! * this.#raw[place]!;
    attributes.forEach(({ codes }, f) => {
      const priors = this.#attributePriors[f]!;
      let sum = 0;
      for (let place = 0; place < delta.length; place++) {
        sum += delta[place]! * priors[codes[columns ? columns[place]! : place]!]!;
      }
      weights[2 + f] = sum;
    });
    const bias = new Float64Array(rows.columns.length);
    const z = this.#pull();
    rows.columns.forEach((column, r) => {
      const value = delta[placeOf(column)!]!;
      weights[1]! += value * this.#itemPrior(r);
      bias[r] = value;
    });
    return {
      shift: z.map((value) => (m * value) / this.#length),
      gain: z.map((value, k) => m * s * value * vector[k]!),
      weights,
      bias,
    };
  }

  /** z = Σ δᵢ Eᵢ. */
  #pull(): Float64Array {
    const { table } = this.#frozen;
    const { columns } = this.#candidates;
    const [delta, d] = [this.#delta, this.#d];
    const z = new Float64Array(d);
    for (let place = 0; place < delta.length; place++) {
      const value = delta[place]!;
      // What is this unlikely moves nothing that float32 could hold.
      if (Math.abs(value) < NEGLIGIBLE) continue;
      const at = (columns ? columns[place]! : place) * d;
      for (let k = 0; k < d; k++) z[k]! += value * table[at + k]!;
    }
    return z;
  }

  /** Adds what one session of others says of û and g; the visitor's counts and rows are nothing to them. */
  #replay({ shift, gain }: AdapterGradients): void {
    const { replay, itemIds } = this.#frozen;
    const weight = this.#settings.replay;
    if (!replay || replay.targets.length === 0 || weight === 0) return;
    const at = this.#step % replay.targets.length;
    const vector = replay.vectors.subarray(at * this.#d, (at + 1) * this.#d);
    const target = replay.targets[at]!;
    this.#candidates = candidatesOf(itemIds.length, target, this.#rows.columns, this.#step);
    this.#score(vector, replay.sessions?.[at]);
    this.#delta.set(this.#raw);
    crossEntropy(this.#delta, this.#candidates.placeOf(target - 1)!, this.#candidates.weights);
    this.#pull().forEach((value, k) => {
      shift[k]! += (weight * value) / this.#length;
      gain[k]! += weight * this.#scale * value * vector[k]!;
    });
  }

  /** Base logits, and raw scores of the tuned model, of the candidates. */
  #score(vector: Float32Array, session: SessionInput | undefined): void {
    const { table, bias, itemIds } = this.#frozen;
    const { columns, placeOf } = this.#candidates;
    const [d, q, s] = [this.#d, this.#q, this.#scale];
    const n = columns ? columns.length : itemIds.length;
    if (this.#raw.length !== n) {
      this.#raw = new Float64Array(n);
      this.#base = new Float64Array(n);
      this.#delta = new Float64Array(n);
    }
    for (let k = 0; k < d; k++) q[k] = vector[k]! * (1 + this.#gain[k]!) + this.#shift[k]! / (s * this.#length);
    const [bases, raws] = [this.#base, this.#raw];
    for (let place = 0; place < n; place++) {
      const column = columns ? columns[place]! : place;
      const at = column * d;
      let base = bias ? bias[column]! : 0;
      let raw = base;
      for (let k = 0; k < d; k++) {
        const value = table[at + k]!;
        base += value * vector[k]!;
        raw += value * q[k]!;
      }
      bases[place] = s * base;
      raws[place] = s * raw;
    }
    for (const [column, part] of repeatedColumns(this.#frozen, session)) {
      const place = placeOf(column);
      if (place === undefined) continue;
      bases[place]! += s * part;
      raws[place]! += s * part;
    }
  }

  /** Logits of the raw scores. */
  #addPriors(): void {
    const { columns, placeOf } = this.#candidates;
    const { attributes = [] } = this.#frozen;
    const [raw, logits, m] = [this.#raw, this.#delta, this.#weights[0]!];
    for (let place = 0; place < raw.length; place++) logits[place] = m * raw[place]!;
    this.#attributePriors = this.#priorsOfAttributes();
    attributes.forEach(({ codes }, f) => {
      const [priors, weight] = [this.#attributePriors[f]!, this.#weights[2 + f]!];
      for (let place = 0; place < logits.length; place++) {
        logits[place]! += weight * priors[codes[columns ? columns[place]! : place]!]!;
      }
    });
    this.#rows.columns.forEach((column, r) => {
      this.#delta[placeOf(column)!]! += this.#rows.bias[r]! + this.#itemPart(r);
    });
  }

  #priorsOfAttributes(): Float64Array[] {
    const { columns, counts } = this.#rows;
    return attributePriors(this.#frozen, this.#popularity, columns, counts, this.#settings.shrink.facet);
  }

  #itemPrior(r: number): number {
    const share = this.#popularity.items[this.#rows.columns[r]!]!;
    return visitorPrior(this.#rows.counts[r]!, share, this.#settings.shrink.item);
  }

  #itemPart(r: number): number {
    return this.#weights[1]! * this.#itemPrior(r);
  }

  #attributePart(priors: readonly Float64Array[], column: number): number {
    const { attributes = [] } = this.#frozen;
    let sum = 0;
    for (let f = 0; f < attributes.length; f++)
      sum += this.#weights[2 + f]! * priors[f]![attributes[f]!.codes[column]!]!;
    return sum;
  }
}

function rootMeanSquare(values: Float32Array): number {
  let sum = 0;
  for (let k = 0; k < values.length; k++) sum += values[k]! * values[k]!;
  return Math.sqrt(sum / values.length);
}
