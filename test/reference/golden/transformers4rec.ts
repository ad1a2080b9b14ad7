/** What the golden files of Transformers4Rec ask for, computed by the product. */
import {
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
} from '@tensorflow/tfjs-core';
import { importers } from '../../../src/checkpoint/imports/index';
import type { HiddenClicks, Prepared, PreparedArray, Run } from '../../../src/models/model';
import { upload } from '../../../src/models/tensors';
import { transformers4rec } from '../../../src/models/transformers4rec/model';
import { productScores } from '../../../src/objectives/objective';
import { random } from '../../../src/session/random';
import { differentiate } from '../../../src/train/differentiate';
import { discriminationLoss } from '../../../src/train/discriminate';
import type { Computed, GoldenFile } from './compare';
import { sampledSoftmaxGolden } from './sampled-softmax';
import { type Imported, imported } from './weights';

const INFERENCE: Run = { dropout: (x) => x };
const model = transformers4rec;
type Config = Parameters<typeof transformers4rec.training>[0];
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
function prepared(file: GoldenFile, { subject }: Imported<Config>, mode: Mode): Prepared {
  const { config, catalogue } = subject;
  const { batch, length, sessions } = clicksOf(file);
  const schema = file.tensors[`inputs/${mode}/mask_schema`]!;
  const flags = (value: 0 | 1): PreparedArray => ({
    data: Float32Array.from(schema.data, (flag) => Number(flag === value)),
    shape: [schema.data.length, 1],
  });
  if (config.objective === 'clm') {
    // Their columns without a target hold the mask vector, and the last one is empty unless it is read; ours leave out
    // what nothing reads.
    const items = Int32Array.from(file.tensors['inputs/item_ids']!.data, (item, cell) =>
      mode !== 'infer' && cell % length === length - 1 ? 0 : item,
    );
    return { items: { data: items, shape: [batch, length], items: true }, masked: flags(0) };
  }
  if (config.objective === 'plm') {
    const { data: pairs, shape } = file.tensors[`inputs/${mode}/perm_mask`]!;
    const arrays = model.prepare(sessions, config, catalogue, { random: random(1), hidden: hiddenOf(file, 'train') });
    if (mode === 'train') mustEqual(arrays.hiddenPairs!.data, pairs, 'train/perm_mask');
    const { masked: _, ...bare } = arrays;
    const hidden = { ...bare, hiddenPairs: { data: Float32Array.from(pairs), shape } };
    return mode === 'infer' ? hidden : { ...hidden, masked: flags(1) }; // there nothing gives way to the mask vector
  }
  const arrays =
    mode === 'infer'
      ? model.prepare(sessions, config, catalogue)
      : model.prepare(sessions, config, catalogue, { random: random(1), hidden: hiddenOf(file, mode) });
  mustEqual(arrays.masked!.data, flags(1).data, `${mode}/mask_schema`);
  return arrays;
}

/** Targets of each session, and for a permutation their places in its order: who sees more of them comes later. */
function hiddenOf(file: GoldenFile, mode: Mode): HiddenClicks[] {
  const { length, sessions } = clicksOf(file);
  const targets = file.tensors[`inputs/${mode}/masked_targets`]!.data;
  const pairs = file.tensors[`inputs/${mode}/perm_mask`]?.data;
  return sessions.map(({ items }, b) => {
    const isTarget = Uint8Array.from(items, (_, t) => Number(targets[b * length + t] !== 0));
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
async function outputs(file: GoldenFile, golden: Imported<Config>, params: Record<string, Tensor>, mode: Mode) {
  const { config, catalogue } = golden.subject;
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
    const vectors = model.positions!.encode(params, upload(arrays), config, run);
    const scores = (rows: Tensor2D) => productScores(rows, model.outputs(params, config));
    const at = (index: ArrayLike<number>) => gather(vectors, tensor1d(Int32Array.from(index), 'int32'));
    const found: Record<string, Tensor> = {};
    for (const [name, x] of Object.entries(seen)) {
      found[name === 'inputs' ? 'inputs_embeds' : name.replace('.', '_')] = x;
    }
    if (mode !== 'infer') return { ...found, predictions: scores(at(cells)) };
    if (mask) {
      const real = { data: Float32Array.from(mask.data), shape: [mask.data.length, 1] };
      found.hidden_with_attention_mask = model.positions!.encode(
        params,
        upload({ ...arrays, real }),
        config,
        INFERENCE,
      );
    }
    // What the product recommends by; for plm the reference asks again for the last click, which is hidden.
    const asked = () => model.encode(params, upload(model.prepare(sessions, config, catalogue)), config, INFERENCE);
    const last = config.objective === 'plm' ? at(cells) : asked();
    return { ...found, scores: scores(last) };
  });
  const entries = await read(tensors, `outputs/${mode}/`);
  return mode === 'infer' ? entries : { ...entries, [`outputs/${mode}/labels`]: targetsOf(file, mode).items };
}

async function read(tensors: Readonly<Record<string, Tensor>>, prefix: string) {
  const entries: Record<string, ArrayLike<number>> = {};
  for (const [name, value] of Object.entries(tensors)) {
    entries[prefix + name] = (await value.data()).slice();
  }
  for (const value of new Set(Object.values(tensors))) value.dispose(); // one may stand under two names
  return entries;
}

/** The loss of the hidden clicks, and in training its gradients. */
async function loss(file: GoldenFile, golden: Imported<Config>, params: Record<string, Tensor>, mode: Mode) {
  const { subject, entries } = golden;
  const { replaced: _, ...objective } = subject.plan.objective;
  const { cells, items } = targetsOf(file, mode);
  const { loss, gradients } = differentiate(
    { ...subject, plan: { ...subject.plan, objective } },
    params,
    {
      inputs: [prepared(file, golden, mode)],
      vectorOf: cells,
      targets: Int32Array.from(items),
      negatives: { ids: new Int32Array(0), perTarget: false },
    },
    INFERENCE,
  );
  const computed = {
    [`loss/${mode}`]: (await loss.data()).slice(),
    ...(mode === 'train' && (await entries('grads/train/', gradients))),
  };
  for (const value of [loss, ...Object.values(gradients)]) value.dispose();
  return computed;
}

const JOINT = /^loss\/rtd_joint_mlm_plus_(\d+(?:\.\d+)?)x_disc$/;

/** Telling replaced clicks, with and without a look at padding, and together with the loss of the hidden ones. */
async function replaced(file: GoldenFile, golden: Imported<Config>, params: Record<string, Tensor>, known: Computed) {
  const { subject, entries } = golden;
  const { config, specs } = subject;
  const { data: ids, shape } = file.tensors['inputs/rtd/corrupted_ids']!;
  const arrays = prepared(file, golden, 'train');
  const { masked: _, ...bare } = arrays;
  const real = { data: Float32Array.from(file.tensors['inputs/rtd/attention_mask']!.data), shape: [ids.length, 1] };
  const corrupted = () => tensor2d(ids, shape as [number, number], 'int32');
  const lossOf = (over: 'all' | 'clicks', inputs: Prepared): Scalar => {
    const tensors = upload(inputs);
    const items = corrupted();
    const labels = notEqual(items, tensors.items!) as Tensor2D;
    return discriminationLoss(model, params, tensors, { items, labels }, { over }, config, INFERENCE);
  };

  const found = tidy((): Record<string, Tensor> => {
    let hidden: Tensor | undefined;
    const observe = (name: string, x: Tensor): void => {
      if (name === 'hidden') hidden = x;
    };
    const run: Run = { ...INFERENCE, observe };
    const logits = (inputs: Prepared, run: Run): Tensor1D =>
      model.discriminate!(params, { ...upload(inputs), items: corrupted() }, config, run);
    return {
      'outputs/rtd/discriminator_logits': logits(bare, run),
      'outputs/rtd/discriminator_logits_with_attention_mask': logits({ ...bare, real }, INFERENCE),
      'outputs/rtd/hidden': hidden!,
      'loss/rtd_discriminator': lossOf('all', arrays),
      'loss/rtd_discriminator_with_attention_mask': lossOf('clicks', { ...arrays, real }),
    };
  });
  const computed = await read(found, '');

  const joint = Object.keys(file.tensors).find((name) => JOINT.test(name));
  if (joint === undefined) return computed;
  const weight = Number(JOINT.exec(joint)![1]);
  const names = Object.keys(specs);
  const { grads } = tidy(() => ({
    grads: engine().gradients(() => lossOf('all', arrays), Object.values(params), undefined, true).grads,
  }));
  const told = Object.fromEntries(names.flatMap((name, i) => (grads[i] ? [[name, grads[i]]] : [])));
  const gradients = await entries('', told);
  for (const value of Object.values(told)) value.dispose();
  computed[joint] = [known['loss/train']![0]! + weight * computed['loss/rtd_discriminator']![0]!];
  for (const [name, values] of Object.entries(gradients)) {
    const ofMasked = known[`grads/train/${name}`]!;
    computed[`grads/rtd_joint/${name}`] = Array.from(values, (x, i) => ofMasked[i]! + weight * x);
  }
  return computed;
}
