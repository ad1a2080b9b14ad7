/**
 * CL4SRec — Xie et al., "Contrastive Learning for Sequential Recommendation", ICDE 2022, https://arxiv.org/abs/2010.14395.
 *
 *     c       = f(x)ₙ                       f is SASRec, the session its last click's vector
 *     L_main  = SASRec's loss               over every click
 *     aₖ(x)   crop keeps ⌊ηn⌋ clicks in a row, mask hides ⌊γn⌋ clicks, reorder shuffles ⌊βn⌋ clicks in a row
 *     z, z′   = f(a(x))ₙ, f(a′(x))ₙ         two views of each of the batch's B sessions
 *     L_cl    = −log( exp(z·z′/τ) / ( exp(z·z′/τ) + Σ over the 2(B − 1) views of other sessions exp(z·z₋/τ) ) )
 *     L       = recWeight L_main + λ L_cl
 *
 * The authors published no code; what the paper leaves open follows three independent implementations. A hidden click is
 * the mask token n + 1, a click like any other for attention, with a row of its own in the item table that is never
 * scored: codes that hide clicks behind padding take them out of the attention. Crops and shuffled blocks may reach the
 * last click, which CoSeRec's never do. No projection head, no scaling of z unless `similarity` is cosine.
 *
 * For inference this is SASRec. With λ = 0 it is SASRec in training too: same parameters, same losses, bit for bit.
 */
import { gather, type Tensor1D } from '@tensorflow/tfjs';
import { type Cl4srecConfig, cl4srecSpec, isCoserec, sasrecConfig } from './cl4srec-spec';
import { coserecHidden } from './coserec-encoder';
import type { SessionModel } from './model';
import { sasrec } from './sasrec';

export type { Cl4srecConfig } from './cl4srec-spec';

export const cl4srec: SessionModel<Cl4srecConfig> = {
  ...cl4srecSpec,
  encode: (params, prepared, config, run) =>
    isCoserec(config)
      ? gather(coserecHidden(params, prepared, config, run), prepared.last as Tensor1D)
      : sasrec.encode(params, prepared, sasrecConfig(config), run),
  outputs: (params, config) => sasrec.outputs(params, sasrecConfig(config)),
};
