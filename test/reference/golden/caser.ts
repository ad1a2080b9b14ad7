/** What Caser's golden files ask for, computed by the product. */
import { add, gather, mean, mul, slice, sum, type Tensor, type Tensor1D, tensor1d, tidy } from '@tensorflow/tfjs';
import { importers } from '../../../src/checkpoint/imports/index';
import { caser, convolve, hidden } from '../../../src/models/caser';
import { caserTraining } from '../../../src/models/caser-training';
import { upload } from '../../../src/models/tensors';
import { scores as productScores } from '../../../src/nn/scores';
import { negativeLoss, positiveLoss } from '../../../src/objectives/losses';
import { logOf } from '../../train/helpers';
import { drawing, INFERENCE, lossAndGradients, withNegatives } from '../through-training';
import type { Computed, GoldenFile } from './compare';
import { imported, read } from './weights';

export async function caserGolden(file: GoldenFile): Promise<Computed> {
  const { config, catalogue, load, entries } = imported(file, importers.caser, caser);
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
    const found = convolve(params, arrays, config, INFERENCE);
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

  // Sessions of the clicks and then the targets.
  const T = targets.length / batch;
  const wholes = sessions.map(({ items }, b) => [...items, ...targets.subarray(b * T, (b + 1) * T)]);
  const log = { sessions: { ...logOf(wholes), users: Int32Array.from(users) }, catalogue, first: 0 };
  const { offsets } = log.sessions;
  const rows = wholes.map((_, source) => {
    const end = offsets[source + 1]!;
    return { source, from: offsets[source]!, firstTarget: end - T, end };
  });
  const step = withNegatives(caserTraining.batch(rows, log, config, drawing()), negatives);
  const { loss, gradients } = lossAndGradients(caserTraining, params, step, config, catalogue);
  const computed = {
    ...(await read({ 'loss/bce': loss, ...outputs })),
    ...(await entries('grads/', gradients)),
  };
  for (const value of [...Object.values(gradients), ...Object.values(params)]) value.dispose();
  return computed;
}
