/** What SASRec's golden files ask for, computed by the product. */
import { gather, matMul, mul, sum, type Tensor, type Tensor2D, tensor1d, tidy } from '@tensorflow/tfjs';
import { importers } from '../../../src/checkpoint/imports/index';
import { sasrec, sasrecHidden } from '../../../src/models/sasrec';
import { sasrecTraining } from '../../../src/models/sasrec-training';
import { upload } from '../../../src/models/tensors';
import { sequences } from '../../../src/objectives/examples';
import { logOf } from '../../train/helpers';
import { drawing, INFERENCE, lossAndGradients, withNegatives } from '../through-training';
import type { Computed, GoldenFile } from './compare';
import { imported, read } from './weights';

export async function sasrecGolden(file: GoldenFile): Promise<Computed> {
  const { config, catalogue, load, entries } = imported(file, importers.sasrec, sasrec);
  const params = load('weights/');
  const { data: items, shape } = file.tensors['inputs/seq']!;
  const [batch, length] = shape as [number, number];
  const sessions = Array.from({ length: batch }, (_, b) => ({
    items: items.subarray(b * length, (b + 1) * length).filter((item) => item !== 0),
  }));
  const inputs = sasrec.prepare(sessions, config, catalogue);
  if (inputs.items!.data.some((item, i) => item !== items[i])) {
    throw new Error('prepare() lays the sessions out otherwise than inputs/seq.');
  }
  const positives = file.tensors['inputs/pos']!.data as Int32Array;
  const negatives = file.tensors['inputs/neg']!.data as Int32Array;

  const outputs = tidy((): Record<string, Tensor> => {
    const features = sasrecHidden(params, upload(inputs), config, INFERENCE, false); // [B · L, d]
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
  const wholes = sessions.map(({ items }, b) => [...items, positives[(b + 1) * length - 1]!]);
  const log = { sessions: logOf(wholes), catalogue, first: 0 };
  const step = sasrecTraining.batch(sequences(log, config.maxlen), log, config, drawing());
  if (step.targets.data.join() !== real.map((i) => positives[i]!).join()) {
    throw new Error('batch() predicts other items than inputs/pos.');
  }
  const { loss, gradients } = lossAndGradients(
    sasrecTraining,
    params,
    withNegatives(
      step,
      real.map((i) => negatives[i]!),
    ),
    config,
    catalogue,
  );
  const computed = {
    ...(await read({ 'loss/bce': loss, ...outputs })),
    ...(await entries('grads/', gradients)),
  };
  for (const value of [...Object.values(gradients), ...Object.values(params)]) value.dispose();
  return computed;
}
