/** Loss and gradients of one batch, for any architecture and objective. */
import {
  add,
  clone,
  concat,
  engine,
  gather,
  keep,
  mul,
  type Scalar,
  slice,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tensor,
  tensor1d,
  tidy,
  zeros,
} from '@tensorflow/tfjs-core';
import type { Params, Prepared, PreparedTensors, Run, SessionModel, State, TrainingRows } from '../models/model';
import { upload } from '../models/tensors';
import { meanSimilarities, ntXent } from '../objectives/contrastive';
import type { Negatives } from '../objectives/negatives';
import { type LossInput, objectiveLoss } from '../objectives/objective';
import type { Random } from '../session/random';
import type { Catalogue } from '../types';
import { type Differentiated, discriminationLoss, replaceTargets, weightedSum } from './discriminate';
import { type CorrectedRepeats, repeatedTensors } from './repeats';
import type { Trainee } from './types';

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

const together = <T extends Tensor>(parts: readonly T[]): T => (parts.length === 1 ? parts[0]! : concat([...parts]));

/** Whether targets are read at columns of their sessions. */
export const readsPositions = ({ kind }: TrainingRows): boolean => kind === 'sequences' || kind === 'masked';

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

function withoutFirstRow(gradient: Tensor): Tensor {
  const masked = tidy(() => concat([zeros([1, ...gradient.shape.slice(1)]), slice(gradient, 1)]));
  gradient.dispose();
  return masked;
}
