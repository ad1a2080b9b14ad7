/** What the golden files of Transformers4Rec ask for, computed by the product. */
import {
  div,
  engine,
  gather,
  notEqual,
  type Scalar,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tensor1d,
  tensor2d,
  tidy,
} from '@tensorflow/tfjs';
import type { Prepared, Run } from '../../../src/models/model';
import { upload } from '../../../src/models/tensors';
import type { T4RecConfig } from '../../../src/models/transformers4rec/options';
import { lossTemperature } from '../../../src/models/transformers4rec/settings';
import { clickScorers, discriminate, transformers4rec } from '../../../src/models/transformers4rec/transformers4rec';
import {
  prepareMasked,
  type T4RecBatch,
  transformers4recTraining,
} from '../../../src/models/transformers4rec/transformers4rec-training';
import { scores as productScores } from '../../../src/nn/scores';
import { type BatchArray, vector } from '../../../src/objectives/batch';
import type { HiddenClicks } from '../../../src/objectives/masking';
import { replacedLoss } from '../../../src/objectives/replaced-tokens';
import { logOf } from '../../train/helpers';
import { drawing, INFERENCE, lossAndGradients } from '../through-training';
import type { Computed, GoldenFile } from './compare';
import { importers } from './importers';
import { sampledSoftmaxGolden } from './sampled-softmax';
import { type Imported, imported, read } from './weights';

const model = transformers4rec;
type Mode = 'train' | 'eval' | 'infer';

export async function transformers4recGolden(file: GoldenFile): Promise<Computed> {
  if (file.tensors['inputs/sampling_probabilities']) return sampledSoftmaxGolden(file);
  const golden = imported(file, importers.transformers4rec, model);
  const params = golden.load('weights/');
  const computed: Record<string, ArrayLike<number>> = {};
  for (const mode of ['train', 'eval', 'infer'] as const) {
    Object.assign(computed, await outputs(file, golden, params, mode));
    if (mode !== 'infer') Object.assign(computed, await loss(file, golden, params, mode));
  }
  if (file.tensors['inputs/rtd/corrupted_ids']) Object.assign(computed, await replaced(file, golden, params, computed));
  for (const value of Object.values(params)) value.dispose();
  return computed;
}

const clicksOf = ({ tensors }: GoldenFile) => {
  const { data, shape } = tensors['inputs/item_ids']!;
  const [batch, length] = shape as [number, number];
  const rows = Array.from({ length: batch }, (_, b) => data.subarray(b * length, (b + 1) * length) as Int32Array);
  return { batch, length, sessions: rows.map((row) => ({ items: row.filter((item) => item !== 0) })) };
};

/** Which columns of which rows hold a target in that mode. */
function targetsOf({ tensors }: GoldenFile, mode: Mode) {
  const { data } = tensors[`inputs/${mode}/masked_targets`]!;
  const cells = Int32Array.from(data, (_, cell) => cell).filter((cell) => data[cell] !== 0);
  return { cells, items: cells.map((cell) => data[cell]!) };
}

/** The product's arrays; those that the file has too must be equal. */
function prepared(file: GoldenFile, golden: Imported<T4RecConfig>, mode: Mode): Prepared {
  const { config, catalogue } = golden;
  const { batch, length, sessions } = clicksOf(file);
  const schema = file.tensors[`inputs/${mode}/mask_schema`]!;
  const flags = (value: 0 | 1): BatchArray => ({
    data: Float32Array.from(schema.data, (flag) => Number(flag === value)),
    shape: [schema.data.length, 1],
  });
  if (config.objective === 'clm') {
    // Their columns without a target hold the mask vector, and the last one is empty unless it is read; ours leave out
    // what nothing reads.
    const items = Int32Array.from(file.tensors['inputs/item_ids']!.data, (item, cell) =>
      mode !== 'infer' && cell % length === length - 1 ? 0 : item,
    );
    return { items: { data: items, shape: [batch, length], items: 'input' }, masked: flags(0) };
  }
  if (config.objective === 'plm') {
    const { data: pairs, shape } = file.tensors[`inputs/${mode}/perm_mask`]!;
    const arrays = prepareMasked(sessions, hiddenOf(file, golden, 'train'), config, catalogue);
    if (mode === 'train') mustEqual(arrays.hiddenPairs!.data, pairs, 'train/perm_mask');
    const { masked: _, ...bare } = arrays;
    const hidden = { ...bare, hiddenPairs: { data: Float32Array.from(pairs), shape } };
    return mode === 'infer' ? hidden : { ...hidden, masked: flags(1) }; // there nothing gives way to the mask vector
  }
  const arrays =
    mode === 'infer'
      ? model.prepare(sessions, config, catalogue)
      : prepareMasked(sessions, hiddenOf(file, golden, mode), config, catalogue);
  mustEqual(arrays.masked!.data, flags(1).data, `${mode}/mask_schema`);
  return arrays;
}

/** Targets of each session, and for a permutation their places in its order: who sees more of them comes later. */
function hiddenOf(file: GoldenFile, { config }: Imported<T4RecConfig>, mode: Mode): HiddenClicks[] {
  const { length, sessions } = clicksOf(file);
  const before = Number(config.objective === 'clm'); // a next click stands in the column of the click before it
  const targets = file.tensors[`inputs/${mode}/masked_targets`]!.data;
  const pairs = file.tensors[`inputs/${mode}/perm_mask`]?.data;
  return sessions.map(({ items }, b) => {
    const isTarget = Uint8Array.from(items, (_, t) => Number(t >= before && targets[b * length + t - before] !== 0));
    const rank = (t: number) => {
      const row = pairs!.subarray((b * length + t) * length, (b * length + t + 1) * length);
      return isTarget[t] ? isTarget.filter((flag, j) => flag && row[j] === 0).length : -1;
    };
    return { targets: isTarget, ...(pairs && { ranks: Int32Array.from(items, (_, t) => rank(t)) }) };
  });
}

function mustEqual(ours: ArrayLike<number>, theirs: ArrayLike<number>, what: string): void {
  if (ours.length !== theirs.length || Array.from(ours).some((x, i) => x !== theirs[i])) {
    throw new Error(`prepare() lays the sessions out otherwise than inputs/${what}.`);
  }
}

/** Hidden states, attention and scores. */
async function outputs(file: GoldenFile, golden: Imported<T4RecConfig>, params: Record<string, Tensor>, mode: Mode) {
  const { config, catalogue } = golden;
  const { sessions } = clicksOf(file);
  const arrays = prepared(file, golden, mode);
  const seen: Record<string, Tensor> = {};
  const cells = targetsOf(file, mode).cells;
  const mask = file.tensors[`inputs/${mode}/attention_mask`];
  const tensors = tidy((): Record<string, Tensor> => {
    const observe = (name: string, x: Tensor): void => {
      seen[name] = x;
    };
    const run: Run = { ...INFERENCE, observe };
    const vectors = clickScorers(params, upload(arrays), config, run);
    // The library divides all scores by the temperature, the product with dot scoring those of the loss.
    const scores = (rows: Tensor2D) => div(productScores(rows, model.outputs(params, config)), lossTemperature(config));
    const at = (index: ArrayLike<number>) => gather(vectors, tensor1d(Int32Array.from(index), 'int32'));
    const found: Record<string, Tensor> = {};
    for (const [name, x] of Object.entries(seen)) {
      found[name === 'inputs' ? 'inputs_embeds' : name.replace('.', '_')] = x;
    }
    if (mode !== 'infer') return { ...found, predictions: scores(at(cells)) };
    if (mask) {
      const real = { data: Float32Array.from(mask.data), shape: [mask.data.length, 1] };
      found.hidden_with_attention_mask = clickScorers(params, upload({ ...arrays, real }), config, INFERENCE);
    }
    // What the product recommends by; for plm the reference asks again for the last click, which is hidden.
    const asked = () => model.encode(params, upload(model.prepare(sessions, config, catalogue)), config, INFERENCE);
    const last = config.objective === 'plm' ? at(cells) : asked();
    return { ...found, scores: scores(last) };
  });
  const entries = await read(tensors, `outputs/${mode}/`);
  return mode === 'infer' ? entries : { ...entries, [`outputs/${mode}/labels`]: targetsOf(file, mode).items };
}

/** What a step reads of the file's sessions and targets, with the file's arrays where ours leave out what nothing reads. */
function batchOf(file: GoldenFile, golden: Imported<T4RecConfig>, mode: Mode): T4RecBatch {
  const { config, catalogue } = golden;
  const log = { sessions: logOf(clicksOf(file).sessions.map(({ items }) => Array.from(items))), catalogue, first: 0 };
  const { offsets } = log.sessions;
  const rows = hiddenOf(file, golden, mode).map((hidden, source) => {
    return { source, from: offsets[source]!, end: offsets[source + 1]!, hidden };
  });
  const batch = transformers4recTraining.batch(rows, log, config, drawing());
  const { cells, items } = targetsOf(file, mode);
  mustEqual(batch.targets.data, items, `${mode}/masked_targets`);
  if (config.objective === 'mlm' || config.objective === 'rtd') return batch;
  return { ...batch, inputs: prepared(file, golden, mode), cells, positions: vector(cells) };
}

/** The loss of the hidden clicks, and in training its gradients. */
async function loss(file: GoldenFile, golden: Imported<T4RecConfig>, params: Record<string, Tensor>, mode: Mode) {
  const { config, catalogue, entries } = golden;
  const alone = config.objective === 'rtd' ? { ...config, objective: 'mlm' as const } : config;
  const batch = batchOf(file, golden, mode);
  const { loss, gradients } = lossAndGradients(transformers4recTraining, params, batch, alone, catalogue);
  const computed = {
    [`loss/${mode}`]: (await loss.data()).slice(),
    ...(mode === 'train' && (await entries('grads/train/', gradients))),
  };
  for (const value of [loss, ...Object.values(gradients)]) value.dispose();
  return computed;
}

const JOINT = /^loss\/rtd_joint_mlm_plus_(\d+(?:\.\d+)?)x_disc$/;

/** Telling replaced clicks, with and without a look at padding, and together with the loss of the hidden ones. */
async function replaced(
  file: GoldenFile,
  golden: Imported<T4RecConfig>,
  params: Record<string, Tensor>,
  known: Computed,
) {
  const { config, specs, entries } = golden;
  const { data: ids, shape } = file.tensors['inputs/rtd/corrupted_ids']!;
  const arrays = prepared(file, golden, 'train');
  const { masked: _, ...bare } = arrays;
  const real = { data: Float32Array.from(file.tensors['inputs/rtd/attention_mask']!.data), shape: [ids.length, 1] };
  const corrupted = () => tensor2d(ids, shape as [number, number], 'int32');
  const lossOf = (over: 'all' | 'clicks', inputs: Prepared): Scalar => {
    const { items: clicks, ...rest } = upload(inputs);
    const items = corrupted();
    const labels = notEqual(items, clicks!) as Tensor2D;
    const logits = discriminate(params, { ...rest, items }, config, INFERENCE);
    return replacedLoss(logits, labels, over === 'all' ? undefined : clicks);
  };

  const found = tidy((): Record<string, Tensor> => {
    let hidden: Tensor | undefined;
    const observe = (name: string, x: Tensor): void => {
      if (name === 'hidden') hidden = x;
    };
    const run: Run = { ...INFERENCE, observe };
    const logits = (inputs: Prepared, run: Run): Tensor1D =>
      discriminate(params, { ...upload(inputs), items: corrupted() }, config, run);
    return {
      'outputs/rtd/discriminator_logits': logits(bare, run),
      'outputs/rtd/discriminator_logits_with_attention_mask': logits({ ...bare, real }, INFERENCE),
      'outputs/rtd/hidden': hidden!,
      'loss/rtd_discriminator': lossOf('all', bare),
      'loss/rtd_discriminator_with_attention_mask': lossOf('clicks', { ...bare, real }),
    };
  });
  const computed = await read(found, '');

  const joint = Object.keys(file.tensors).find((name) => JOINT.test(name));
  if (joint === undefined) return computed;
  const weight = Number(JOINT.exec(joint)![1]);
  const names = Object.keys(specs);
  const { grads } = tidy(() => ({
    grads: engine().gradients(() => lossOf('all', bare), Object.values(params), undefined, true).grads,
  }));
  const notices = Object.fromEntries(names.flatMap((name, i) => (grads[i] ? [[name, grads[i]]] : [])));
  const gradients = await entries('', notices);
  for (const value of Object.values(notices)) value.dispose();
  computed[joint] = [known['loss/train']![0]! + weight * computed['loss/rtd_discriminator']![0]!];
  for (const [name, values] of Object.entries(gradients)) {
    const ofMasked = known[`grads/train/${name}`]!;
    computed[`grads/rtd_joint/${name}`] = Array.from(values, (x, i) => ofMasked[i]! + weight * x);
  }
  return computed;
}
