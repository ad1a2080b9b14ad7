/** One training step of any architecture: batch → loss → gradients → parameters, in place. */
import {
  cast,
  dispose,
  gather,
  greaterEqual,
  keep,
  maximum,
  mul,
  reshape,
  type Scalar,
  scalar,
  type Tensor,
  type Tensor1D,
  tensor,
  tensor1d,
  tidy,
} from '@tensorflow/tfjs-core';
import type { Run, State } from '../models/model';
import { dropout } from '../nn/dropout';
import { drawViews, viewGroups } from '../objectives/augmentations';
import { logQ } from '../objectives/objective';
import { deriveSeed, random } from '../session/random';
import type { SessionInput } from '../types';
import type { TrainingBatch } from './batches';
import { differentiate, readsPositions, type StepInput } from './differentiate';
import { prepareInGroups } from './length-groups';
import type { NegativeSource } from './negative-source';
import { clip, type Optimiser } from './optimiser';
import { repeatedBy } from './repeats';
import { RowFinder, touch } from './rows';
import { type PartResult, partsOf, type Team, whyNotInParts } from './team';
import type { Trainee } from './types';

/** Trains one set of parameters, step by step. Owns the carried state and the optimiser, not the parameters. */
export class Learner<C> {
  /** State of the running sessions after the last step of a session-parallel epoch. */
  carried: State | undefined;
  /** What the last step measured beside its loss; stays the learner's. */
  measures: Readonly<Record<string, Scalar>> | undefined;
  readonly #finder: RowFinder | undefined;

  /**
   * @param seed Of dropout; together with a step's number it fixes every mask.
   * @param draw Gives each step its negatives.
   * @param team Shares every step with other threads.
   */
  constructor(
    readonly subject: Trainee<C>,
    readonly params: Readonly<Record<string, Tensor>>,
    readonly optimiser: Optimiser,
    readonly seed: number,
    readonly draw: NegativeSource,
    readonly team?: Team,
  ) {
    const { plan, specs } = subject;
    const why = team && whyNotInParts(plan);
    if (why) throw new RangeError(`Learner: a batch cannot be shared between threads: ${why}.`);
    const { negatives, l2 } = plan.objective;
    if (plan.optimiser.touchedRows && negatives.kind !== 'catalogue') {
      if (l2 && l2.weight > 0)
        throw new RangeError('Learner: a norm over whole tables needs an optimiser over all rows.');
      const shared = Object.values(specs).some(({ rows }) => rows === 'both');
      const rows = Object.values(specs).map((spec) => (spec.rows ? spec.shape[0]! : 0));
      this.#finder = new RowFinder(Math.max(...rows), shared);
    }
  }

  /**
   * Runs one step.
   *
   * @param step Number of the step over the whole training, from 0.
   * @returns The loss, which the caller disposes.
   */
  run(batch: TrainingBatch, step: number, learningRate: number): Scalar {
    if (this.team) return this.#runShared(this.team, batch, step, learningRate);
    const input = this.#input(batch, step);
    const run = this.#runOf(step);
    const touched = this.#finder && touch(this.#finder, input);
    return tidy(() => {
      const rows = touched && {
        input: tensor1d(touched.rows.input, 'int32'),
        output: tensor1d(touched.rows.output, 'int32'),
        both: tensor1d(touched.rows.both, 'int32'),
      };
      const rowsOf = (name: string): Tensor1D | undefined => {
        const role = this.subject.specs[name]!.rows;
        return rows && role && rows[role];
      };
      const params: Record<string, Tensor> = {};
      for (const [name, param] of Object.entries(this.params)) {
        const rows = rowsOf(name);
        params[name] = rows ? gather(param, rows) : param;
      }
      const { loss, gradients, state, measures } = differentiate(this.subject, params, touched?.step ?? input, run);
      this.#update(gradients, rowsOf, learningRate, step);
      this.#carry(state);
      this.measures = measures;
      return loss;
    });
  }

  /** The same with a batch in parts, of which this thread differentiates its own. Part p of step t draws as step t·P + p. */
  #runShared(team: Team, batch: TrainingBatch, step: number, learningRate: number): Scalar {
    const parts = partsOf(batch);
    for (const p of team.own) {
      const part = parts[p];
      const result = part && this.#resultOf(part, step * parts.length + p);
      team.publish(p, result, part ? part.targets.length / batch.targets.length : 0);
    }
    const sum = team.sum();
    return tidy(() => {
      const gradients = Object.entries(sum.gradients).map(([name, data]) => {
        return [name, tensor(data, this.params[name]!.shape)] as const;
      });
      this.#update(Object.fromEntries(gradients), () => undefined, learningRate, step);
      return scalar(sum.loss);
    });
  }

  #resultOf(part: TrainingBatch, draw: number): PartResult {
    const read = (value: Tensor): Float32Array => value.dataSync() as Float32Array;
    let result: PartResult | undefined;
    // Not returned from `tidy`, which looks for tensors in every element of an array that it is given.
    tidy(() => {
      const input = this.#input(part, draw);
      const { loss, gradients } = differentiate(this.subject, this.params, input, this.#runOf(draw));
      result = {
        loss: read(loss)[0]!,
        gradients: Object.fromEntries(Object.entries(gradients).map(([name, value]) => [name, read(value)])),
      };
    });
    return result!;
  }

  #runOf(draw: number): Run {
    let call = 0;
    return { dropout: (x, rate) => dropout(x, rate, deriveSeed(this.seed, 'dropout', draw, call++)) };
  }

  #update(
    gradients: Readonly<Record<string, Tensor>>,
    rowsOf: (name: string) => Tensor1D | undefined,
    learningRate: number,
    step: number,
  ): void {
    const { optimiser } = this.subject.plan;
    const clipped = optimiser.kind === 'adam' && optimiser.clipNorm ? clip(gradients, optimiser.clipNorm) : gradients;
    for (const [name, gradient] of Object.entries(clipped)) {
      this.optimiser.update(name, this.params[name]!, gradient, rowsOf(name), learningRate, step + 1);
    }
  }

  #input(batch: TrainingBatch, step: number): StepInput {
    const { model, config, catalogue, plan } = this.subject;
    const negatives = this.draw(batch, step);
    const logQOf = (targets: Int32Array) =>
      catalogue.support && logQ(plan.objective, catalogue.support, targets, negatives.ids, plan.batchSize);
    if (batch.input.kind === 'clicks') {
      const { items, carriedFrom } = batch.input;
      this.#continue(carriedFrom);
      const inputs = [{ items: { data: items, shape: [items.length], items: true as const } }];
      const { targets } = batch;
      const repeated = repeatedBy(this.subject, batch, targets, negatives);
      return { inputs, carried: this.carried, targets, negatives, logq: logQOf(targets), repeated };
    }
    const { sessions } = batch.input;
    const { row, click } = batch.origin!;
    const { rows } = plan;
    const { inputs, cells } = prepareInGroups(this.subject, sessions, {
      random: random(this.seed, 'prepare', step),
      ...(batch.hidden && { hidden: batch.hidden }),
    });
    const views = this.#views(sessions, step);
    if (!readsPositions(rows)) {
      const { targets } = batch;
      const repeated = repeatedBy(this.subject, batch, targets, negatives);
      return { inputs, vectorOf: row, targets, negatives, logq: logQOf(targets), repeated, views };
    }
    const cellOf = (m: number, click: number): number => {
      const b = row[m]!;
      const { first, width } = cells[b]!;
      return first + model.positions!.column(click, sessions[b]!.items.length, width, config);
    };
    const vectorOf = row.map((_, m) => cellOf(m, click[m]!));
    const ahead = rows.kind === 'masked' && rows.masking.kind === 'next' ? 1 : 0;
    const isRelabelled = rows.kind === 'masked' && rows.labels === 'prepared';
    const targets = isRelabelled ? click.map((t, m) => inputs[0]!.items!.data[cellOf(m, t + ahead)]!) : batch.targets;
    const repeated = repeatedBy(this.subject, batch, targets, negatives);
    const noise = plan.objective.replaced && random(this.seed, 'replace', step);
    return { inputs, vectorOf, targets, negatives, logq: logQOf(targets), repeated, noise, views };
  }

  #views(sessions: readonly SessionInput[], step: number): StepInput['views'] {
    const { catalogue, plan } = this.subject;
    const { contrastive } = plan.objective;
    if (!contrastive || contrastive.weight === 0) return undefined;
    const views = drawViews(sessions, contrastive, catalogue.items + 1, random(this.seed, 'views', step));
    const { inputs, cells } = prepareInGroups(this.subject, views);
    const places = Int32Array.from(cells, ({ place }) => place);
    return { inputs, places, groups: viewGroups(sessions, contrastive.maskDuplicates) };
  }

  /** Lines the carried state up with the rows of a session-parallel batch; sessions that start have a zero state. */
  #continue(carriedFrom: Int32Array): void {
    const { model, config } = this.subject;
    const before = this.carried;
    if (!before) {
      this.carried = tidy(() => model.stepping!.start(config, carriedFrom.length).map(keep));
      return;
    }
    const unchanged = before[0]!.shape[0] === carriedFrom.length && carriedFrom.every((from, b) => from === b);
    if (unchanged) return;
    this.carried = tidy(() => {
      const from = tensor1d(carriedFrom, 'int32');
      const goesOn = cast(greaterEqual(from, 0), 'float32');
      const source = maximum(from, scalar(0, 'int32'));
      return before.map((value) => {
        const factor = reshape(goesOn, [carriedFrom.length, ...value.shape.slice(1).map(() => 1)]);
        return keep(mul(gather(value, source), factor));
      });
    });
    for (const value of before) value.dispose();
  }

  #carry(state: State | undefined): void {
    this.forget();
    this.carried = state;
  }

  /** Drops the carried state: sessions of the next epoch start from zero. What the last step measured goes with it. */
  forget(): void {
    for (const value of this.carried ?? []) value.dispose();
    this.carried = undefined;
    dispose(this.measures ?? []);
    this.measures = undefined;
  }
}
