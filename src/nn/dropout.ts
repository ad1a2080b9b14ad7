import { engine, type Tensor } from '@tensorflow/tfjs';

/**
 * Inverted dropout: each number is zeroed with probability `rate`, the others are divided by 1 − rate, so that the mean
 * stays. Whether number i stays depends on (seed, i) alone: the same on every backend, every machine and in the gradient,
 * so that a resumed run repeats an uninterrupted one. Draw a new seed for every call.
 *
 * @param rate Share to drop, 0 ≤ rate < 1; 0 returns `x` itself.
 * @param seed An integer.
 * @throws RangeError if rate or seed is not in range.
 * @see Srivastava et al., "Dropout", JMLR 2014
 */
export function dropout<T extends Tensor>(x: T, rate: number, seed: number): T {
  if (!(rate >= 0 && rate < 1)) throw new RangeError(`dropout: the rate must be at least 0 and below 1, got ${rate}.`);
  if (!Number.isSafeInteger(seed)) throw new RangeError(`dropout: the seed must be an integer, got ${seed}.`);
  if (rate === 0) return x;
  return engine().runKernel('AisleDropout', { x }, { rate, seed }) as T;
}
