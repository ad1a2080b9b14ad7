/** One training step of any architecture: batch → loss → gradients → parameters, in place. */
import {
  add,
  cast,
  clone,
  concat,
  dispose,
  engine,
  gather,
  greaterEqual,
  keep,
  maximum,
  mul,
  reshape,
  type Scalar,
  scalar,
  slice,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tensor,
  tensor1d,
  tidy,
  zeros,
} from '@tensorflow/tfjs-core';
import type {
  ParameterSpec,
  Params,
  Prepared,
  PreparedTensors,
  Run,
  SessionModel,
  State,
  TrainingDraw,
  TrainingPlan,
  TrainingRows,
} from '../models/model';
import { upload } from '../models/tensors';
import { dropout } from '../nn/dropout';
import { drawViews, viewGroups } from '../objectives/augmentations';
import { meanSimilarities, ntXent } from '../objectives/contrastive';
import type { Negatives } from '../objectives/negatives';
import { type LossInput, logQ, objectiveLoss } from '../objectives/objective';
import { deriveSeed, type Random, random } from '../session/random';
import type { Catalogue, SessionInput } from '../types';
import type { TrainingBatch } from './batches';
import { type Differentiated, discriminationLoss, replaceTargets, weightedSum } from './discriminate';
import { lengthGroups } from './length-groups';
import type { NegativeSource } from './negative-source';
import { clip, type Optimiser } from './optimiser';
import { type CorrectedRepeats, repeatedBy, repeatedTensors } from './repeats';
import { RowFinder, touch } from './rows';
import { type PartResult, partsOf, type Team, whyNotInParts } from './team';

/** A configured architecture with everything that its training needs to know. */
export interface Trainee<C> {
  readonly model: SessionModel<C>;
  readonly config: C;
  readonly catalogue: Catalogue;
  readonly plan: TrainingPlan;
  readonly specs: Readonly<Record<string, ParameterSpec>>;
}

export function trainee<C>(model: SessionModel<C>, config: C, catalogue: Catalogue): Trainee<C> {
  return { model, config, catalogue, plan: model.training(config), specs: model.parameters(config, catalogue) };
}

/** What one step computes with: plain arrays whose item indices are rows of the tables that it is given. */
export interface StepInput {
  /** What `prepare` made of the batch's sessions: one rectangle, or one for each group of like length. */
  readonly inputs: readonly Prepared[];
  /** State of the rows before their click, for session-parallel batches. */
  readonly carried?: State | undefined;
  /** Which of the model's vectors, of all groups in a row, predicts each target, `[M]`; absent where vector m predicts target m. */
  readonly vectorOf?: Int32Array | undefined;
  readonly targets: Int32Array;
  readonly negatives: Negatives;
  readonly logq?: Float32Array | undefined;
  /** What the sessions hold before each target, and log q of it, for a model with scores for repeats. */
  readonly repeated?: CorrectedRepeats | undefined;
  /**
   * For a contrastive loss: what `prepare` made of 2B views, where each stands in it, and which of them are no negatives of each
   * other, both `[2B]`. Without `places` they stand in their order.
   */
  readonly views?:
    | { readonly inputs: readonly Prepared[]; readonly places?: Int32Array; readonly groups: Int32Array }
    | undefined;
  /** For `objective.replaced`: noise of the draws. */
  readonly noise?: Random | undefined;
}

export interface StepResult {
  readonly loss: Scalar;
  /** By parameter; a parameter that took no part has none. */
  readonly gradients: Readonly<Record<string, Tensor>>;
  /** State of the rows after their click. */
  readonly state?: State | undefined;
  /** What is worth watching beside the loss, by name. */
  readonly measures?: Readonly<Record<string, Scalar>> | undefined;
}

/** Where a session is among the rows of all groups, and its clicks among their cells. */
interface Cells {
  readonly place: number;
  readonly first: number;
  readonly width: number;
}

const together = <T extends Tensor>(parts: readonly T[]): T => (parts.length === 1 ? parts[0]! : concat([...parts]));

/** Whether targets are read at columns of their sessions. */
const readsPositions = ({ kind }: TrainingRows): boolean => kind === 'sequences' || kind === 'masked';

/**
 * Loss and gradients of one batch. The caller disposes everything in the result.
 *
 * @param params Whole tables, or those of the touched rows with indices to match.
 */
export function differentiate<C>(
  { model, config, catalogue, plan, specs }: Trainee<C>,
  params: Params,
  input: StepInput,
  run: Run,
): StepResult {
  const names = Object.keys(params);
  const { replaced } = plan.objective;
  let state: State | undefined;
  let measures: Record<string, Scalar> | undefined;
  let asked: Tensor2D | undefined;
  const { value, grads } = tidy((): Differentiated => {
    const inputs = input.inputs.map(upload);
    const [whole] = inputs as [PreparedTensors];
    const views = input.views && {
      inputs: input.views.inputs.map(upload),
      places: input.views.places && tensor1d(input.views.places, 'int32'),
      groups: tensor1d(input.views.groups, 'int32'),
    };
    const targets = tensor1d(input.targets, 'int32');
    const { ids, perTarget, rows: ofRows } = input.negatives;
    const rows = ofRows ?? input.targets.length;
    const negatives = perTarget ? tensor(ids, [rows, ids.length / rows], 'int32') : tensor1d(ids, 'int32');
    const vectorOf = input.vectorOf && tensor1d(input.vectorOf, 'int32');
    const rowOf = (perRow: number) =>
      tensor1d(
        input.vectorOf!.map((v) => Math.floor(v / perRow)),
        'int32',
      );
    const lossInput = (vectors: Tensor2D, rowVectors: Tensor2D): LossInput => ({
      vectors,
      rowVectors,
      ...(vectorOf && ofRows && { asked: { vector: vectorOf, row: rowOf(rowVectors.shape[0] / ofRows) } }),
      outputs: model.outputs(params, config),
      targets,
      negatives: negatives as Tensor1D | Tensor2D,
      ...(input.logq && { logq: tensor1d(input.logq) }),
      ...(input.repeated && { repeated: repeatedTensors(input.repeated, input.targets.length) }),
      items: catalogue.items,
      nominalBatch: plan.batchSize,
      params,
    });
    const forward = (): Scalar => {
      let vectors: Tensor2D;
      if (input.carried) {
        state = model.stepping!.step(params, input.carried, whole.items as Tensor1D, config, run).map(keep);
        vectors = model.stepping!.vector(state);
      } else if (readsPositions(plan.rows)) {
        vectors = together(inputs.map((group) => model.positions!.encode(params, group, config, run)));
      } else {
        vectors = model.encode(params, whole, config, run);
      }
      const rowVectors = vectors;
      if (vectorOf) vectors = gather(vectors, vectorOf);
      if (replaced) asked = keep(vectors);
      const loss = objectiveLoss(plan.objective, lossInput(vectors, rowVectors));
      const { contrastive } = plan.objective;
      const { mainWeight = 1 } = contrastive ?? {};
      const main: Scalar = mainWeight === 1 ? loss : mul(loss, mainWeight);
      if (!contrastive || !views) return main;
      const view = model.view ?? model.encode;
      const inTheirOrder = together(views.inputs.map((group) => view(params, group, config, run)));
      const encoded = views.places ? gather(inTheirOrder, views.places) : inTheirOrder;
      const second = ntXent(encoded, views.groups, contrastive);
      const { positive, negative } = meanSimilarities(encoded, contrastive.similarity);
      measures = {
        contrastive: keep(clone(second)),
        positiveSimilarity: keep(positive),
        negativeSimilarity: keep(negative),
      };
      return add(main, mul(second, contrastive.weight));
    };
    // tf.valueAndGrads refuses parameters without a gradient, such as a position that no session of the batch reaches.
    const gradientsOf = (loss: () => Scalar) => engine().gradients(loss, Object.values(params), undefined, true);
    const predicted = gradientsOf(forward);
    if (!replaced) return predicted;
    const asking = lossInput(asked!, asked!);
    const corrupted = replaceTargets(plan.objective, asking, input.vectorOf!, whole.items as Tensor2D, input.noise!);
    asked!.dispose();
    const told = gradientsOf(() => discriminationLoss(model, params, whole, corrupted, replaced, config, run));
    return weightedSum(predicted, replaced.generatorWeight, told, replaced.weight);
  });
  const gradients: Record<string, Tensor> = {};
  names.forEach((name, i) => {
    const gradient = grads[i];
    if (!gradient) return;
    const { rows, zeroRow = rows !== undefined } = specs[name]!;
    // Padding stays at zero, whatever attends to it. Running sessions have none.
    gradients[name] = zeroRow === true && !input.carried ? withoutFirstRow(gradient) : gradient;
  });
  return { loss: value as Scalar, gradients, state, measures };
}

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
    const { inputs, cells } = this.#prepared(sessions, {
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

  /** What `prepare` makes of sessions, in groups of like length where that saves padding, and where each session's cells are. */
  #prepared(
    sessions: readonly SessionInput[],
    draw?: TrainingDraw,
  ): { readonly inputs: readonly Prepared[]; readonly cells: readonly Cells[] } {
    const { model, config, catalogue, plan } = this.subject;
    const { rows, objective } = plan;
    // Others need all in one rectangle: noise and replacements are drawn for it, draws of a row belong to its cells.
    const isApart =
      rows.kind === 'sequences' && model.positions!.trims?.(config) && objective.negatives.kind !== 'per-row';
    const all = Int32Array.from(sessions.keys());
    const groups = isApart ? lengthGroups(sessions.map(({ items }) => Math.min(items.length, rows.maxLength))) : [all];
    const cells: Cells[] = [];
    let [first, place] = [0, 0];
    const inputs = groups.map((group) => {
      const prepared = model.prepare(
        Array.from(group, (b) => sessions[b]!),
        config,
        catalogue,
        draw,
      );
      const width = prepared.items?.shape[1] ?? 0;
      for (const b of group) {
        cells[b] = { first, width, place: place++ };
        first += width;
      }
      return prepared;
    });
    return { inputs, cells };
  }

  #views(sessions: readonly SessionInput[], step: number): StepInput['views'] {
    const { catalogue, plan } = this.subject;
    const { contrastive } = plan.objective;
    if (!contrastive || contrastive.weight === 0) return undefined;
    const views = drawViews(sessions, contrastive, catalogue.items + 1, random(this.seed, 'views', step));
    const { inputs, cells } = this.#prepared(views);
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

function withoutFirstRow(gradient: Tensor): Tensor {
  const masked = tidy(() => concat([zeros([1, ...gradient.shape.slice(1)]), slice(gradient, 1)]));
  gradient.dispose();
  return masked;
}
