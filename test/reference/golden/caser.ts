/** What Caser's golden files ask for, computed by the product. */
import { add, gather, mean, mul, slice, sum, type Tensor, type Tensor1D, tensor1d, tidy } from '@tensorflow/tfjs-core';
import { importers } from '../../../src/checkpoint/imports/index';
import { caser, convolve, hidden } from '../../../src/models/caser';
import type { Run } from '../../../src/models/model';
import { upload } from '../../../src/models/tensors';
import { negativeLoss, positiveLoss } from '../../../src/objectives/losses';
import { productScores } from '../../../src/objectives/objective';
import { differentiate } from '../../../src/train/differentiate';
import type { Computed, GoldenFile } from './compare';
import { imported } from './weights';

const INFERENCE: Run = { dropout: (x) => x };

export async function caserGolden(file: GoldenFile): Promise<Computed> {
  const { subject, load, entries } = imported(file, importers.caser, caser);
  const { config, catalogue } = subject;
  const params = load('weights/');
  const { data: sequences, shape } = file.tensors['inputs/sequences']!;
  const [batch, length] = shape as [number, number];
  const users = file.tensors['inputs/users']!.data;
  const sessions = Array.from({ length: batch }, (_, b) => ({
    items: sequences.subarray(b * length, (b + 1) * length).filter((item) => item !== 0),
    user: users[b]!,
  }));
  const inputs = caser.prepare(sessions, config, catalogue);
  if (inputs.items!.data.length !== sequences.length || inputs.items!.data.some((item, i) => item !== sequences[i])) {
    throw new Error('prepare() lays the sessions out otherwise than inputs/sequences.');
  }
  const targets = file.tensors['inputs/targets']!.data as Int32Array;
  const negatives = file.tensors['inputs/negatives']!.data as Int32Array;

  const outputs = tidy((): Record<string, Tensor> => {
    const arrays = upload(inputs);
    const found = convolve(params, arrays, config, { dropout: (x) => x });
    const g = caser.encode(params, arrays, config, INFERENCE);
    const { table, bias } = caser.outputs(params, config);
    const scores = (ids: Int32Array): Tensor1D => {
      const rows = tensor1d(
        ids.map((_, i) => Math.floor((i * batch) / ids.length)),
        'int32',
      );
      const columns = tensor1d(ids, 'int32');
      const products = sum(mul(gather(g, rows), gather(table, columns)), 1) as Tensor1D;
      return add(products, gather(bias!, columns));
    };
    const target = scores(targets);
    const negative = scores(negatives);
    return {
      'outputs/conv_v': slice(found, [0, 0], [batch, config.nv * config.d]),
      'outputs/fc1_input': found,
      'outputs/fc1_output': hidden(params, found),
      'outputs/all_item_scores': productScores(g, { table, ...(bias && { bias }) }),
      'outputs/target_scores': target,
      'outputs/negative_scores': negative,
      'loss/positive': mean(positiveLoss(target)),
      'loss/negative': mean(negativeLoss(negative)),
    };
  });

  const { loss, gradients } = differentiate(
    subject,
    params,
    {
      inputs: [inputs],
      vectorOf: targets.map((_, i) => Math.floor((i * batch) / targets.length)),
      targets,
      negatives: { ids: negatives, perTarget: true, rows: batch },
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
