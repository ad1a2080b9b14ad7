/**
 * A score of their own for items that the session holds already, for every architecture that offers it:
 *
 *     sⱼ ← sⱼ + r[l]     l: how many clicks ago item j was clicked last, 0 for the newest click; l < L
 *
 * Shoppers return to what they looked at: a fifth of the targets on Diginetica, a tenth on eshop. A product of vectors cannot
 * be near every item of a session at once, least of a long one, and a softmax over a sample hardly ever sees the session's own
 * items among its negatives. Ren et al., "RepeatNet: A Repeat Aware Neural Recommendation Machine for Session-based
 * Recommendation", AAAI 2019, learns a mode for repeats; here it is L numbers. They may be negative, too, where nothing is
 * bought twice.
 *
 * Clicks that are hidden, or replaced, to be predicted (mlm, plm, rtd) count from those before them that are seen.
 */

import type { Tensor1D } from '@tensorflow/tfjs';
import type { ConfigOf, OptionSpecs, ParameterSpec, Params } from './model';
import { integer } from './options';

export const repeatsOptions = {
  repeatLags: integer(
    0,
    [0, 1000],
    'L: items of the last L clicks get a learned score on top, one for each number of clicks ago, and are always among those ' +
      'that a target is compared with; 0: none',
    'no reference code of this architecture has it; after RepeatNet (AAAI 2019), which learns a mode for repeats',
  ),
} satisfies OptionSpecs;

export type RepeatsConfig = ConfigOf<typeof repeatsOptions>;

/** The parameter r, where there is one. */
export const repeatsSpec = ({ repeatLags }: RepeatsConfig): Record<string, ParameterSpec> =>
  repeatLags === 0 ? {} : { repeats: { shape: [repeatLags], init: { kind: 'zeros' } } };

/** Its part of what `outputs` returns. */
export const repeatsOf = ({ repeats }: Params): { repeats?: Tensor1D } =>
  repeats ? { repeats: repeats as Tensor1D } : {};

/** Why the option does not go with a loss, in words, or nothing. */
export const repeatsConflict = ({ repeatLags, loss }: RepeatsConfig & { readonly loss: string }, softmax: string) =>
  repeatLags > 0 && loss !== softmax && loss !== 'sampled'
    ? `"repeatLags" needs loss "${softmax}" or "sampled", whose targets all stand beside the session's items, got "${loss}".`
    : undefined;
