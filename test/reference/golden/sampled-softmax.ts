/** What the golden file of Transformers4Rec's sampled softmax asks for, computed by the product. */
import { div, engine, type Tensor, type Tensor2D, tensor2d, tidy, zeros } from '@tensorflow/tfjs';
import { configure } from '../../../src/models/configuration';
import { toTensor } from '../../../src/models/tensors';
import { transformers4rec } from '../../../src/models/transformers4rec/transformers4rec';
import {
  softmaxOptions,
  type T4RecBatch,
  transformers4recTraining,
} from '../../../src/models/transformers4rec/transformers4rec-training';
import { mapArrays, type Uploaded } from '../../../src/objectives/batch';
import { nextClicks } from '../../../src/objectives/masking';
import { sampledScores, softmaxLoss } from '../../../src/objectives/softmax';
import { random } from '../../../src/session/random';
import { logOf } from '../../train/helpers';
import type { Computed, GoldenFile } from './compare';

/** The score of a negative that is the target. */
const HIT = -655.04;

export async function sampledSoftmaxGolden({ tensors, config: given }: GoldenFile): Promise<Computed> {
  const tau = given.softmax_temperature as number;
  const n = given.n_items as number;
  const { min_id: first = 1 } = given;
  if (first !== 1)
    throw new Error(`"min_id" must be 1, got ${JSON.stringify(first)}: padding, item 0, is never drawn.`);
  const config = configure(transformers4rec, {
    form: 'library',
    lm: 'gru',
    objective: 'clm',
    sampledSoftmax: true,
    maxNSamples: given.max_n_samples,
    softmaxTemperature: tau,
    labelSmoothing: 0,
  });
  const ids = (name: string): Int32Array => Int32Array.from(tensors[name]!.data);
  const [targets, negatives] = [ids('inputs/targets'), ids('inputs/negatives')];
  const matrix = (name: string): Tensor2D => tensor2d(tensors[name]!.data, tensors[name]!.shape as [number, number]);
  const xs = [matrix('inputs/hidden'), matrix('weights/item_embedding')] as const;

  // One session whose clicks after the first are the targets. Item 1 is the most popular one, item n the least.
  const session = [1, ...targets];
  const support = Int32Array.from({ length: n + 1 }, (_, item) => n + 1 - item);
  const log = { sessions: logOf([session]), catalogue: { items: n, support }, first: 0 };
  const softmax = softmaxOptions(config, n);
  const row = { source: 0, from: 0, end: session.length, hidden: nextClicks(session.length) };
  let draw = 0;
  // The inverse of the sampler's distribution function, in the middle of the item's step.
  const uniform = () => Math.log(negatives[draw++ % negatives.length]! + 0.5) / Math.log(n + 1);
  const draws = { ...random(1), uniform };
  const batch = transformers4recTraining.batch([row], log, config, () => draws);
  if (batch.sampled!.negatives.data.join() !== negatives.join()) {
    throw new Error('batch() draws other items than inputs/negatives.');
  }

  const found = tidy((): Record<string, Tensor> => {
    const step = mapArrays(batch, toTensor) as Uploaded<T4RecBatch>;
    const [table, sampled] = [xs[1], step.sampled!];
    const divided = {
      ...sampled,
      logqTargets: div(sampled.logqTargets!, tau),
      logqNegatives: div(sampled.logqNegatives!, tau),
    } as typeof sampled;
    const f = () => div(softmaxLoss(xs[0], { table }, step, n, softmax), targets.length);
    const { value, grads } = engine().gradients(f, [...xs]);
    return {
      'outputs/logits': sampledScores(div(xs[0], tau), { table }, step.targets, divided, undefined, HIT / tau),
      'outputs/new_targets': zeros([targets.length], 'int32'),
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
