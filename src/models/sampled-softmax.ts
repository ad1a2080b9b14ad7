/**
 * A softmax over the target and a few negatives that the whole batch shares, in place of the catalogue: what every
 * architecture that offers `loss: 'sampled'` has in common, and label smoothing, which only the softmax over the catalogue has.
 *
 *     sⱼ ← sⱼ − logq · log qⱼ      q ∝ support^sampleAlpha, of targets and negatives alike
 *     sⱼ ← sⱼ − logq · log(K qⱼ)    with logqOf=draws: of the K negatives only, Σ q = 1
 *
 * Negatives that equal a target are masked for it. With the correction the gradient is that of the full softmax, in the
 * limit of many negatives: Bengio & Senécal, "Adaptive Importance Sampling to Accelerate Training of a Neural
 * Probabilistic Language Model", IEEE Transactions on Neural Networks 2008. That a target is there for certain, and no draw:
 * Khrylchenko et al., "Correcting the LogQ Correction", RecSys 2025, https://arxiv.org/abs/2507.09331.
 */

import type { ConfigOf, OptionSpecs } from './model';
import { choice, integer, number } from './options';

export const sampledOptions = {
  nSample: integer(
    2048,
    [1, 1_000_000],
    'sampled: negatives that all targets of a batch share; those that equal a target are masked for it',
    'as in GRU4Rec',
  ),
  sampleAlpha: number(
    0.5,
    [0, 1],
    'sampled: negatives are drawn ∝ support^sampleAlpha: 0 uniform, 1 by popularity',
    'as in GRU4Rec',
  ),
  logqOf: choice(
    'all',
    ['all', 'draws'],
    'sampled: whether the correction is taken off targets too, as if they were drawn, or off the draws only, which then stand ' +
      'for the whole catalogue',
    "all is TensorFlow's sampled softmax; draws as a target is there for certain (Correcting the LogQ Correction, RecSys 2025)",
  ),
} satisfies OptionSpecs;

export type SampledConfig = ConfigOf<typeof sampledOptions>;

/** Beside its source, which each architecture says. */
export const smoothingOption = {
  type: 'number',
  min: 0,
  max: 0.99,
  default: 0 as number,
  doc: 'cross-entropy: share of the target that the other items get',
} as const;

/**
 * Why a loss cannot be smoothed, in words, or nothing.
 *
 * @param softmax What the architecture calls the cross-entropy over the catalogue.
 */
export const smoothingConflict = (
  { loss, labelSmoothing }: { readonly loss: string; readonly labelSmoothing: number },
  softmax: string,
): string | undefined =>
  labelSmoothing > 0 && loss !== softmax
    ? `"labelSmoothing" needs loss "${softmax}", where the target has all other items beside it, got "${loss}".`
    : undefined;
