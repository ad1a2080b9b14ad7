/** What GRU4Rec's golden files ask for, computed by the product. */
import { type Tensor, type Tensor2D, tensor1d, tensor2d, tidy } from '@tensorflow/tfjs';
import { gru4rec } from '../../../src/models/gru4rec';
import { gru4recBatch, gru4recTraining } from '../../../src/models/gru4rec-training';
import type { State } from '../../../src/models/model';
import { catalogueScores, scoresOf } from '../../../src/nn/scores';
import { Optimiser } from '../../../src/train/optimiser';
import { TrainStep } from '../../../src/train/step';
import type { Sessions } from '../../../src/types';
import { logOf } from '../../train/helpers';
import { drawing, INFERENCE, lossAndGradients } from '../through-training';
import type { Computed, GoldenFile } from './compare';
import { importers } from './importers';
import { imported } from './weights';

const importer = importers.gru4rec;

/** Their indices count from 0, ours from 1. */
const ours = (indices: ArrayLike<number>): Int32Array => Int32Array.from(indices, (i) => i + 1);

export async function gru4recGolden(file: GoldenFile): Promise<Computed> {
  if (file.tensors['inputs/log_session']) return wholeFit(file);
  return { ...(await steps(file)), ...(await losses(file)) };
}

/** Session-parallel inference: hidden states and scores after every step. */
async function steps(file: GoldenFile): Promise<Computed> {
  const { config, catalogue, load } = imported(file, importer, gru4rec);
  const params = load('weights/');
  const input = file.tensors['inputs/steps_in_idx']!;
  const [count, batch] = input.shape as [number, number];
  const previous = file.tensors['inputs/steps_prev_row']!.data;
  const targets = file.tensors['inputs/steps_out_idx']!.data;
  const n = catalogue.items;
  const hidden = config.layers.map((h) => new Float32Array(count * batch * h));
  const scores = new Float32Array(count * batch * n);
  const inBatch = new Float32Array(count * batch * batch);
  let state: State = [];
  for (let t = 0; t < count; t++) {
    const items = input.data.subarray(t * batch, (t + 1) * batch);
    const rows = items.filter((i) => i >= 0).length;
    const before = state;
    const outputs = gru4rec.outputs(params, config);
    let all: Tensor2D | undefined;
    ({ state, all } = tidy(() => {
      const from = previous.subarray(t * batch, t * batch + rows);
      const carried = config.layers.map((h, i) =>
        tensor2d(
          Float32Array.from({ length: rows * h }, (_, cell) => {
            const source = from[Math.floor(cell / h)]!;
            return source < 0 ? 0 : hidden[i]![((t - 1) * batch + source) * h + (cell % h)]!;
          }),
          [rows, h],
        ),
      );
      const clicks = tensor1d(ours(items.subarray(0, rows)), 'int32');
      const next = gru4rec.stepping!.step(params, carried, clicks, config, INFERENCE);
      return { state: [...next], all: catalogueScores(gru4rec.stepping!.vector(next), outputs, n) };
    }));
    for (const value of before) value.dispose();
    for (let i = 0; i < state.length; i++) hidden[i]!.set(await state[i]!.data(), t * batch * config.layers[i]!);
    scores.set(await all!.data(), t * batch * n);
    all!.dispose();
    for (let b = 0; b < rows; b++) {
      for (let j = 0; j < rows; j++) {
        const row = t * batch + b;
        inBatch[row * batch + j] = scores[row * n + targets[t * batch + j]!]!;
      }
    }
  }
  for (const value of [...state, ...Object.values(params)]) value.dispose();
  return {
    'outputs/steps_scores': scores,
    'outputs/steps_inbatch_scores': inBatch,
    ...Object.fromEntries(hidden.map((values, i) => [`outputs/steps_hidden_${i}`, values])),
  };
}

/** Every loss of the file with its gradients, from given hidden states, targets and negatives. */
async function losses(file: GoldenFile): Promise<Computed> {
  const computed: Record<string, ArrayLike<number>> = {};
  const counts = file.tensors['inputs/item_counts']!.data;
  const support = [0, ...counts];
  const x = ours(file.tensors['inputs/loss_X']!.data);
  const y = ours(file.tensors['inputs/loss_Y']!.data);
  const targets = y.subarray(0, x.length);
  const extra = y.subarray(x.length);
  const variants = file.config.losses as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  for (const [name, variant] of Object.entries(variants)) {
    const { config, catalogue, load, entries } = imported(file, importer, gru4rec, support, variant);
    const params = load('weights/');
    const hidden = config.layers.map((_, i) => file.tensors[`inputs/loss_H_${i}`]!);
    const carried = hidden.map(({ data, shape }) => tensor2d(data, shape as [number, number]));
    // Sessions of two events. The state before them comes from the file.
    const sessions = logOf(Array.from(x, (item, b) => [item, targets[b]!]));
    const rows = Array.from(x, (_, b) => ({ start: 2 * b, at: 2 * b, last: 2 * b + 1, carriedFrom: b }));
    const batch = gru4recBatch(rows, extra, { sessions, catalogue, first: 0 }, config);
    const { loss, gradients, state } = lossAndGradients(gru4recTraining, params, batch, config, catalogue, carried);
    computed[`loss/${name}`] = (await loss.data()).slice();
    Object.assign(computed, await entries(`grads/${name}/`, gradients));
    const scores = tidy(() =>
      scoresOf(gru4rec.stepping!.vector(state!), gru4rec.outputs(params, config), tensor1d(y, 'int32')),
    );
    computed['outputs/loss_scores'] = (await scores.data()).slice();
    for (const value of [loss, scores, ...carried, ...state!, ...Object.values(gradients), ...Object.values(params)]) {
      value.dispose();
    }
  }
  return computed;
}

/** The reference's `fit()`: the product's rows, steps and optimiser, with the recorded negatives. */
async function wholeFit(file: GoldenFile): Promise<Computed> {
  const sessions = logSessions(file);
  const n = file.config.n_items as number;
  const support = new Int32Array(n + 1);
  for (const item of sessions.items) support[item]!++;
  const { config, catalogue, specs, load, entries } = imported(file, importer, gru4rec, support);
  const plan = gru4recTraining.plan(config);
  const params = load('before/');
  const recorded = file.tensors['inputs/steps_negatives'];
  const extra = recorded?.shape[1] ?? 0;
  const optimiser = new Optimiser(plan.optimiser, params);
  const losses: number[] = [];
  const training: typeof gru4recTraining = {
    ...gru4recTraining,
    batch: (rows, log) => {
      const step = losses.length;
      return gru4recBatch(rows, ours(recorded?.data.subarray(step * extra, (step + 1) * extra) ?? []), log, config);
    },
  };
  const log = { sessions, catalogue, first: 0 };
  const trainStep = new TrainStep({ training, config, specs, log }, params, optimiser, 0);
  for (let epoch = 0; epoch < plan.epochs; epoch++) {
    for (const rows of training.rows(log, config, drawing())) {
      const clicks = (back: number) => Int32Array.from(rows, ({ at }) => sessions.items[at + back]!);
      sameBatch(file, clicks(1), 'inputs/steps_target_idx', losses.length, config.batchSize);
      sameBatch(file, clicks(0), 'inputs/steps_in_idx', losses.length, config.batchSize);
      const loss = trainStep.run(rows, losses.length, plan.optimiser.learningRate);
      losses.push((await loss.data())[0]!);
      loss.dispose();
    }
    trainStep.forget(); // sessions of the next epoch start over
  }
  const slots = (slot: string): Record<string, Tensor> =>
    Object.fromEntries(
      Object.entries(optimiser.slots)
        .filter(([name]) => name.endsWith(`.${slot}`))
        .map(([name, value]) => [name.slice(0, -slot.length - 1), value]),
    );
  const computed = {
    'loss/steps': losses,
    ...(await entries('after/', params)),
    ...(await entries('opt_acc/', slots('accumulator'))),
    ...(await entries('opt_mom/', slots('velocity'))),
  };
  optimiser.dispose();
  for (const value of Object.values(params)) value.dispose();
  return computed;
}

/** The recorded log, sessions by the time of their first event, or with `time_sort: false` by their number. */
function logSessions({ tensors, config }: GoldenFile): Sessions {
  if (config.train_random_order) {
    throw new Error('"train_random_order" must be false: the file does not hold the order that was drawn.');
  }
  const session = tensors['inputs/log_session']!.data;
  const item = tensors['inputs/log_item']!.data;
  const time = tensors['inputs/log_time']!.data;
  const rows = Array.from(session, (_, i) => i).sort((a, b) => session[a]! - session[b]! || time[a]! - time[b]!);
  const groups = new Map<number, number[]>();
  for (const i of rows) groups.set(session[i]!, [...(groups.get(session[i]!) ?? []), i]);
  const ordered = [...groups.values()];
  if (config.time_sort !== false) ordered.sort((a, b) => time[a[0]!]! - time[b[0]!]!);
  const offsets = [0];
  for (const group of ordered) offsets.push(offsets.at(-1)! + group.length);
  return {
    items: ours(ordered.flat().map((i) => item[i]!)),
    times: Float64Array.from(ordered.flat(), (i) => time[i]!),
    offsets: Int32Array.from(offsets),
  };
}

function sameBatch(file: GoldenFile, got: Int32Array, name: string, step: number, batch: number): void {
  const row = file.tensors[name]!.data.subarray(step * batch, (step + 1) * batch);
  const expected = ours(row.filter((i) => i >= 0));
  if (expected.length !== got.length || expected.some((id, i) => id !== got[i])) {
    throw new Error(`step ${step} of ${name}: expected items ${expected.join(' ')}, got ${got.join(' ')}.`);
  }
}
