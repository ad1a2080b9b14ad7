/**
 * All parameters of a model, tuned to one visitor: how they learn. What they are is in `full-parameters.ts`.
 *
 *     loss = mean over the event and one replayed session of −log softmax(s (c · Eᵢ + bᵢ))[next item] + ½ α ‖φ‖²
 *
 * Blocks learn by `adagrad-norm.ts` and stay inside their caps. Parameters are plain arrays, and tensors only while an event is
 * predicted or trained on: nothing is held on a device.
 */
import { div, gather, type Tensor, type Tensor1D, tensor1d, tidy } from '@tensorflow/tfjs';
import { readFinite } from '../../compute/executor';
import type { Prepared, SessionModel } from '../../models/model';
import { upload } from '../../models/tensors';
import type { Training } from '../../models/training';
import { catalogueScores } from '../../nn/scores';
import { type BatchArray, outputItems } from '../../objectives/batch';
import { afterAll } from '../../objectives/repeat-bias';
import { type Sample, type SoftmaxBatch, softmaxBatch, softmaxLoss } from '../../objectives/softmax';
import { INFERENCE } from '../../ranking/neural-scorer';
import { random } from '../../session/random';
import type { NdArray, SessionInput } from '../../types';
import { gradientsOf } from '../gradients';
import { yieldToEventLoop } from '../yield-to-event-loop';
import { capNorm, move } from './adagrad-norm';
import { candidatesOf } from './candidates';
import type { FineTuner, FineTunerState } from './fine-tuner';
import { type FrozenModel, type Pair, repeatedColumns, type TuneEvent } from './frozen-model';
import { type BaseNetwork, FullParameters } from './full-parameters';
import { FULL, SAMPLE, SAMPLE_ABOVE } from './settings';
import { crossEntropy, EXCLUDED } from './softmax';

/** Milliseconds of work in one task of the thread, which may be a page's own. */
const TASK = 12;

/** Runs work on a device: between two of them everything is plain arrays. */
export type Compute = <T>(work: () => Promise<T>) => Promise<T>;

/** What a step reads: the event, and maybe a replayed session. */
interface FullBatch extends SoftmaxBatch {
  readonly inputs: Prepared;
  readonly targets: BatchArray<Tensor1D>;
}

/** With the network that computes. */
export interface TunedNetwork<C = unknown> extends BaseNetwork<C> {
  readonly model: SessionModel<C>;
}

export class Full<C = unknown> implements FineTuner {
  readonly #frozen: FrozenModel;
  readonly #network: TunedNetwork<C>;
  readonly #parameters: FullParameters<C>;
  readonly #compute: Compute;
  #step: number;

  /**
   * @param saved What `save` gave, to go on from; copied.
   * @param compute Runs what needs a device, which may be repeated. Default: at once.
   */
  constructor(
    frozen: FrozenModel,
    network: TunedNetwork<C>,
    saved?: FineTunerState,
    compute: Compute = (work) => work(),
  ) {
    this.#compute = compute;
    this.#frozen = frozen;
    this.#network = network;
    this.#parameters = new FullParameters(frozen, network, saved);
    this.#step = saved?.step ?? 0;
  }

  async predict({ item, vector, session, hidden = new Set() }: TuneEvent): Promise<Pair> {
    const { table, bias, itemIds, scale } = this.#frozen;
    const n = itemIds.length;
    const own = Int32Array.from(this.#parameters.rows.entries(), ([column]) => column);
    const { columns, placeOf, weights } = candidatesOf(n, item, own, this.#step);
    const scores = await this.#compute(() => this.#scores(session!));
    const repeated = new Map(repeatedColumns(this.#frozen, session));
    const d = vector!.length;
    const candidates = columns ?? Int32Array.from({ length: n }, (_, column) => column);
    const tuned = Float64Array.from(candidates, (column) => scale * scores[column]!);
    const base = Float64Array.from(candidates, (column) => {
      let product = (bias?.[column] ?? 0) + (repeated.get(column) ?? 0);
      for (let k = 0; k < d; k++) product += vector![k]! * table[column * d + k]!;
      return scale * product;
    });
    for (const other of hidden) {
      const place = placeOf(other - 1);
      if (place === undefined || other === item) continue;
      base[place] = EXCLUDED;
      tuned[place] = EXCLUDED;
    }
    const target = placeOf(item - 1)!;
    return { base: crossEntropy(base, target, weights), tuned: crossEntropy(tuned, target, weights) };
  }

  /** The tuned model's scores of all items, `[n]`. */
  async #scores(session: SessionInput): Promise<Float32Array> {
    const { model, config, catalogue } = this.#network;
    const prepared = model.prepare([session], config, catalogue);
    const tuned = this.tuned();
    const scores = tidy(() => {
      const params = upload(tuned);
      const vectors = model.encode(params, upload(prepared), config, INFERENCE);
      return catalogueScores(vectors, model.outputs(params, config), catalogue.items); // [1, n]
    });
    const values = await readFinite(scores);
    const repeats = tuned.repeats?.data as Float32Array | undefined;
    for (const [column, part] of repeatedColumns({ ...(repeats && { repeats }) }, session)) values[column]! += part;
    return values;
  }

  async update({ item, session }: TuneEvent): Promise<void> {
    const { model, config, catalogue, replay = [] } = this.#network;
    const other = replay[this.#step % replay.length];
    const sessions = other ? [session!, other.session] : [session!];
    const targets = Int32Array.from(other ? [item, other.target] : [item]);
    const repeatLags = this.#parameters.specs.repeats?.shape[0] ?? 0;
    const batch: FullBatch = {
      inputs: model.prepare(sessions, config, catalogue),
      targets: outputItems(targets),
      ...softmaxBatch(targets, sessions, afterAll(sessions), this.#sample(), repeatLags),
    };
    const columns = Int32Array.from(this.#parameters.rows.entries(), ([column]) => column);
    await yieldToEventLoop(TASK);
    const gradients = await this.#compute(() => this.#gradients(batch, columns));
    await yieldToEventLoop(TASK);
    const { rates, caps, anchor } = FULL;
    for (const [name, { values, slot, unit }] of this.#parameters.blocks) {
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
    for (const [r, [, { values, slot }]] of [...this.#parameters.rows.entries()].entries()) {
      const own = new Float32Array(values.length);
      for (const [name, { at, width, unit }] of this.#parameters.tables) {
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
  #sample(): Sample | undefined {
    const { items } = this.#network.catalogue;
    if (items <= SAMPLE_ABOVE) return undefined;
    const draws = random(0, 'candidates', this.#step);
    return { negatives: Int32Array.from({ length: SAMPLE }, () => 1 + draws.integer(items)) };
  }

  /** By parameter; of tables the rows of these columns, one after the other. */
  async #gradients(batch: FullBatch, columns: Int32Array): Promise<Map<string, Float32Array>> {
    const { model, config, catalogue } = this.#network;
    const temperature = 1 / this.#frozen.scale;
    const loss: Training<C, never, FullBatch>['loss'] = (params, b, _, run) => {
      const c = model.encode(params, b.inputs, config, run);
      const total = softmaxLoss(c, model.outputs(params, config), b, run.items, { temperature });
      return { loss: div(total, b.targets.shape[0]) };
    };
    const found = tidy(() => {
      const params = upload(this.tuned());
      const run = { ...INFERENCE, state: undefined, items: catalogue.items };
      const { gradients } = gradientsOf(loss, this.#parameters.specs, params, batch, config, run);
      return Object.fromEntries(
        Object.entries(gradients).flatMap(([name, gradient]): [string, Tensor][] => {
          if (this.#parameters.blocks.has(name)) return [[name, gradient]];
          if (!this.#parameters.tables.has(name) || columns.length === 0) return [];
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
    const arrays = Object.entries(found).map(async ([name, gradient]): Promise<[string, Float32Array]> => {
      return [name, await readFinite(gradient)];
    });
    return new Map(await Promise.all(arrays));
  }

  count({ item }: TuneEvent): void {
    this.#parameters.rows.count(item - 1, FULL.decay);
  }

  reset(): void {
    this.#parameters.reset();
  }

  save(): FineTunerState {
    return { ...this.#parameters.save(), step: this.#step };
  }

  /** As `FullParameters.tuned`. */
  tuned(): Record<string, NdArray> {
    return this.#parameters.tuned();
  }
}
