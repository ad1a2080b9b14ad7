/** Batches with negatives that a reference was given too, and their loss and gradients as a training step computes them. */
import type { Tensor2D } from '@tensorflow/tfjs';
import type { Params, Run, State } from '../../src/models/model';
import type { Training } from '../../src/models/training';
import type { BatchArray, Streams } from '../../src/objectives/batch';
import { type Random, random } from '../../src/session/random';
import { type Gradients, gradientsOf } from '../../src/train/gradients';
import type { Catalogue } from '../../src/types';

export const INFERENCE: Run = { dropout: (x) => x };

/** Without dropout. The caller disposes everything in the result. */
export function lossAndGradients<C, B>(
  { network, loss }: Pick<Training<C, never, B>, 'network' | 'loss'>,
  params: Params,
  batch: B,
  config: C,
  catalogue: Catalogue,
  state?: State,
): Gradients {
  const run = { ...INFERENCE, state, items: catalogue.items };
  return gradientsOf(loss, network.parameters(config, catalogue), params, batch, config, run);
}

/** A batch with other negatives than it drew, in the same shape: a reference's may be items that ours never are. */
export function withNegatives<B extends { readonly negatives?: BatchArray<Tensor2D> }>(
  batch: B,
  data: ArrayLike<number>,
): B {
  const drawn = batch.negatives!;
  if (drawn.data.length !== data.length) {
    throw new Error(`a batch has ${drawn.data.length} negatives, the reference ${data.length}.`);
  }
  return { ...batch, negatives: { ...drawn, data: Int32Array.from(data) } };
}

/**
 * The streams of a step that draws these negatives, in this order.
 *
 * @param items Absent: whatever it draws.
 * @param support With `alpha`: draws by popularity give these items for these two only.
 */
export function drawing(items?: ArrayLike<number>, support: ArrayLike<number> = [], alpha = 1): Streams {
  if (!items) return (name) => random(1, name);
  let next = 0;
  const take = (): number => {
    if (next === items.length)
      throw new Error(`a batch draws more than the ${items.length} negatives that it is given.`);
    return items[next++]!;
  };
  const mass = (item: number): number => support[item]! ** alpha;
  const massBefore = (end: number): number => {
    let sum = 0;
    for (let item = 1; item < end; item++) sum += mass(item);
    return sum;
  };
  const negatives: Random = {
    ...random(1, 'negatives'),
    integer: () => take() - 1,
    uniform() {
      const item = take();
      return (massBefore(item) + mass(item) / 2) / massBefore(support.length);
    },
  };
  return (name) => (name === 'negatives' ? negatives : random(1, name));
}
