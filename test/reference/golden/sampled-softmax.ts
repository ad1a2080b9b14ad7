/** What the golden file of Transformers4Rec's sampled softmax asks for, computed by the product. */
import { engine, type Tensor, type Tensor1D, type Tensor2D, tensor1d, tensor2d, tidy } from '@tensorflow/tfjs-core';
import { configure } from '../../../src/models/configuration';
import { transformers4rec } from '../../../src/models/transformers4rec/model';
import { correctionOf, objectiveLoss, scoredColumns } from '../../../src/objectives/objective';
import type { Computed, GoldenFile } from './compare';

export async function sampledSoftmaxGolden({ tensors, config: given }: GoldenFile): Promise<Computed> {
  const config = configure(transformers4rec, {
    form: 'library',
    sampledSoftmax: true,
    maxNSamples: given.max_n_samples,
    softmaxTemperature: given.softmax_temperature,
    labelSmoothing: 0,
  });
  const spec = transformers4rec.training(config).objective;
  const matrix = (name: string): Tensor2D => tensor2d(tensors[name]!.data, tensors[name]!.shape as [number, number]);
  const ids = (name: string): Int32Array => Int32Array.from(tensors[name]!.data);
  const [targets, negatives] = [ids('inputs/targets'), ids('inputs/negatives')];
  const logq = correctionOf(tensors['inputs/sampling_probabilities']!.data, targets, negatives);
  const xs = [matrix('inputs/hidden'), matrix('weights/item_embedding')] as const;

  const found = tidy((): Record<string, Tensor> => {
    const [vectors, table] = xs;
    const input = {
      vectors,
      outputs: { table },
      targets: tensor1d(targets, 'int32') as Tensor1D,
      negatives: tensor1d(negatives, 'int32') as Tensor1D,
      logq: tensor1d(logq),
      items: table.shape[0] - 1,
      nominalBatch: targets.length,
      params: {},
    };
    const { scores, positive } = scoredColumns(spec, input);
    const { value, grads } = engine().gradients(() => objectiveLoss(spec, input), [...xs]);
    return {
      'outputs/logits': scores,
      'outputs/new_targets': positive,
      'loss/cross_entropy': value,
      'grads/hidden': grads[0]!,
      'grads/item_embedding': grads[1]!,
    };
  });
  const computed: Record<string, ArrayLike<number>> = {};
  for (const [name, value] of Object.entries(found)) computed[name] = (await value.data()).slice();
  for (const value of [...xs, ...Object.values(found)]) value.dispose();
  return computed;
}
