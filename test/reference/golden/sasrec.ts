/** What SASRec's golden files ask for, computed by the product. */
import { gather, matMul, mul, sum, type Tensor, type Tensor2D, tensor1d, tidy } from '@tensorflow/tfjs-core';
import { importers } from '../../../src/checkpoint/imports/index';
import type { Run } from '../../../src/models/model';
import { sasrec } from '../../../src/models/sasrec';
import { upload } from '../../../src/models/tensors';
import { differentiate } from '../../../src/train/differentiate';
import type { Computed, GoldenFile } from './compare';
import { imported } from './weights';

const INFERENCE: Run = { dropout: (x) => x };

export async function sasrecGolden(file: GoldenFile): Promise<Computed> {
  const { subject, load, entries } = imported(file, importers.sasrec, sasrec);
  const { config, catalogue } = subject;
  const params = load('weights/');
  const { data: sequences, shape } = file.tensors['inputs/seq']!;
  const [batch, length] = shape as [number, number];
  const sessions = Array.from({ length: batch }, (_, b) => ({
    items: sequences.subarray(b * length, (b + 1) * length).filter((item) => item !== 0),
  }));
  const inputs = sasrec.prepare(sessions, config, catalogue);
  if (inputs.items!.data.some((item, i) => item !== sequences[i])) {
    throw new Error('prepare() lays the sessions out otherwise than inputs/seq.');
  }
  const positives = file.tensors['inputs/pos']!.data as Int32Array;
  const negatives = file.tensors['inputs/neg']!.data as Int32Array;

  const outputs = tidy((): Record<string, Tensor> => {
    const features = sasrec.positions!.encode(params, upload(inputs), config, INFERENCE); // [B · L, d]
    const last = gather(
      features,
      tensor1d(
        Array.from({ length: batch }, (_, b) => (b + 1) * length - 1),
        'int32',
      ),
    );
    const table = params.items as Tensor2D;
    const logits = (ids: Int32Array) => sum(mul(features, gather(table, tensor1d(ids, 'int32'))), 1);
    return {
      'outputs/log_feats': features,
      'outputs/all_item_logits': matMul(last, table, false, true),
      'outputs/pos_logits': logits(positives),
      'outputs/neg_logits': logits(negatives),
    };
  });

  const real = Int32Array.from(positives, (_, i) => i).filter((i) => positives[i] !== 0);
  const { loss, gradients } = differentiate(
    subject,
    params,
    {
      inputs: [inputs],
      vectorOf: real,
      targets: real.map((i) => positives[i]!),
      negatives: { ids: real.map((i) => negatives[i]!), perTarget: true },
    },
    INFERENCE,
  );
  const computed: Record<string, ArrayLike<number>> = {
    'loss/bce': (await loss.data()).slice(),
    ...(await entries('grads/', gradients)),
  };
  for (const [name, value] of Object.entries(outputs)) computed[name] = (await value.data()).slice();
  for (const value of [loss, ...Object.values(outputs), ...Object.values(gradients), ...Object.values(params)]) {
    value.dispose();
  }
  return computed;
}
