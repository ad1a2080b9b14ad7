/** One training step of any model: rows → batch → loss → gradients → parameters, in place. */
import {
  dispose,
  gather,
  type Scalar,
  scalar,
  type Tensor,
  type Tensor1D,
  tensor,
  tensor1d,
  tidy,
} from '@tensorflow/tfjs';
import type { ParameterSpec, Run, State } from '../models/model';
import type { Training } from '../models/training';
import { dropout } from '../nn/dropout';
import type { Streams, TrainingLog } from '../objectives/batch';
import { deriveSeed, random } from '../session/random';
import type { CodedTables } from './coded-tables';
import { type DataParallel, type ShardResult, shardsOf, whyIndivisible } from './data-parallel';
import { type Gradients, gradientsOf } from './gradients';
import { clip, type Optimiser } from './optimiser';
import { RowFinder, type TouchedRows } from './row-finder';

/** The random streams of an epoch or of a step. */
export const streamsOf =
  (seed: number, number: number): Streams =>
  (name) =>
    random(seed, name, number);

/** What a training trains, and with what. */
export interface TrainingTask<C> {
  readonly training: Training<C>;
  readonly config: C;
  readonly specs: Readonly<Record<string, ParameterSpec>>;
  readonly log: TrainingLog;
  /** Tables that are codes, whose centroids are the parameters. Default: none. */
  readonly coded?: CodedTables;
}

/** Trains one set of parameters, step by step. Owns the carried state and the measures, not the parameters and the optimiser. */
export class TrainStep<C> {
  /** State of the running sessions after the last step. */
  state: State | undefined;
  /** What the last step measured beside its loss. */
  measures: Readonly<Record<string, Scalar>> | undefined;
  readonly #finder: RowFinder | undefined;

  /**
   * @param seed Together with a step's number it fixes everything that the step draws.
   * @param parallel Shares every step with other threads.
   * @throws RangeError for a training whose steps threads cannot share.
   */
  constructor(
    readonly task: TrainingTask<C>,
    readonly params: Readonly<Record<string, Tensor>>,
    readonly optimiser: Optimiser,
    readonly seed: number,
    readonly parallel?: DataParallel,
  ) {
    const { training, config, specs } = task;
    const why = parallel && whyIndivisible(training, config);
    if (why) throw new RangeError(`TrainStep: threads cannot share a batch: ${why}.`);
    if (optimiser.spec.touchedRows) {
      const tables = Object.values(specs).filter(({ rows }) => rows);
      const shared = tables.some(({ rows }) => rows === 'both');
      this.#finder = new RowFinder(Math.max(...tables.map(({ shape }) => shape[0]!)), shared);
    }
  }

  /**
   * Runs one step.
   *
   * @param step Number of the step over the whole training, from 0.
   * @returns The loss, which the caller disposes.
   */
  run(rows: readonly unknown[], step: number, learningRate: number): Scalar {
    return this.parallel
      ? this.#runShared(this.parallel, rows, step, learningRate)
      : this.#run(rows, step, learningRate);
  }

  #run(rows: readonly unknown[], step: number, learningRate: number): Scalar {
    const { training, config, specs, log, coded } = this.task;
    const given = training.batch(rows, log, config, streamsOf(this.seed, step));
    const touched = this.#finder?.touch(given);
    return tidy(() => {
      const indices = touched && {
        input: tensor1d(touched.rows.input, 'int32'),
        output: tensor1d(touched.rows.output, 'int32'),
        both: tensor1d(touched.rows.both, 'int32'),
      };
      const rowsOf = (name: string): Tensor1D | undefined => {
        const role = specs[name]!.rows;
        return role && !coded?.has(name) ? indices?.[role] : undefined;
      };
      const params: Record<string, Tensor> = {};
      for (const [name, param] of Object.entries(this.params)) {
        const touchedRows = rowsOf(name);
        params[name] = touchedRows ? gather(param, touchedRows) : param;
      }
      const batch = touched?.batch ?? given;
      const found = this.#gradientsOf(params, batch, step, touched?.rows);
      this.forget();
      this.state = found.state;
      this.measures = found.measures;
      this.#update(found.gradients, rowsOf, learningRate, step);
      return found.loss;
    });
  }

  /** The same with a batch in shards, of which this thread differentiates its own. Shard s of step t draws as step t·S + s. */
  #runShared(parallel: DataParallel, rows: readonly unknown[], step: number, learningRate: number): Scalar {
    const { training } = this.task;
    const sizeOf = (row: unknown) => training.size!(row);
    const targets = (of: readonly unknown[]) => of.reduce((sum: number, row) => sum + sizeOf(row).targets, 0);
    const shards = shardsOf(rows, sizeOf);
    const from = performance.now();
    for (const s of parallel.own) {
      const shard = shards[s]!;
      const result = shard.length > 0 ? this.#resultOf(shard, step * shards.length + s) : undefined;
      parallel.publish(s, result, targets(shard) / targets(rows));
    }
    const sum = parallel.allReduce(performance.now() - from);
    return tidy(() => {
      const gradients = Object.entries(sum.gradients).map(([name, data]) => {
        return [name, tensor(data, this.params[name]!.shape)] as const;
      });
      this.#update(Object.fromEntries(gradients), () => undefined, learningRate, step);
      return scalar(sum.loss);
    });
  }

  #resultOf(shard: readonly unknown[], draw: number): ShardResult {
    const { training, config, log } = this.task;
    const read = (value: Tensor): Float32Array => value.dataSync() as Float32Array;
    let result: ShardResult | undefined;
    // Not returned from `tidy`, which looks for tensors in every element of an array that it is given.
    tidy(() => {
      const batch = training.batch(shard, log, config, streamsOf(this.seed, draw));
      const { loss, gradients } = this.#gradientsOf(this.params, batch, draw);
      result = {
        loss: read(loss)[0]!,
        gradients: Object.fromEntries(Object.entries(gradients).map(([name, value]) => [name, read(value)])),
      };
    });
    return result!;
  }

  /** @param touched The rows that `params` has of tables. Default: all. */
  #gradientsOf(
    params: Readonly<Record<string, Tensor>>,
    batch: unknown,
    draw: number,
    touched?: TouchedRows,
  ): Gradients {
    const { training, config, specs, coded } = this.task;
    const run = this.#runOf(draw);
    if (!coded) return gradientsOf(training.loss, specs, params, batch, config, run);
    const rowsOf = (name: string) => specs[name]!.rows && touched?.[specs[name]!.rows];
    const tables = Object.entries(params).map(([name, x]) => {
      return [name, coded.has(name) ? coded.rows(name, x, rowsOf(name)) : x] as const;
    });
    const found = gradientsOf(training.loss, specs, Object.fromEntries(tables), batch, config, run);
    const gradients = Object.entries(found.gradients).map(([name, gradient]) => {
      const ofCentroids = coded.has(name) ? coded.gradient(name, gradient, specs[name]!, rowsOf(name)) : gradient;
      return [name, ofCentroids] as const;
    });
    return { ...found, gradients: Object.fromEntries(gradients) };
  }

  #runOf(draw: number): Run & { state: State | undefined; items: number } {
    let call = 0;
    return {
      dropout: (x, rate) => dropout(x, rate, deriveSeed(this.seed, 'dropout', draw, call++)),
      state: this.state,
      items: this.task.log.catalogue.items,
    };
  }

  #update(
    gradients: Readonly<Record<string, Tensor>>,
    rowsOf: (name: string) => Tensor1D | undefined,
    learningRate: number,
    step: number,
  ): void {
    const { spec } = this.optimiser;
    const clipped = spec.kind === 'adam' && spec.clipNorm ? clip(gradients, spec.clipNorm) : gradients;
    for (const [name, gradient] of Object.entries(clipped)) {
      this.optimiser.update(name, this.params[name]!, gradient, rowsOf(name), learningRate, step + 1);
    }
  }

  /** Disposes the carried state and the last step's measures. Called before an epoch, it lets the sessions start from zero. */
  forget(): void {
    dispose([...(this.state ?? [])]);
    dispose(this.measures ?? []);
    this.state = undefined;
    this.measures = undefined;
  }
}
