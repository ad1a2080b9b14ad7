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
import { RecommenderError } from '../errors';
import type { Augmentation } from '../objectives/augmentations';
import { type Cl4srecConfig, options, removed, sasrecConfig } from './cl4srec-options';
import { coserecHidden, coserecParameters } from './coserec-encoder';
import type { SessionModel } from './model';
import { padClicks } from './padding';
import { checkSasrec, sasrec, sasrecParameters } from './sasrec';

export type { Cl4srecConfig } from './cl4srec-options';

/** SASRec's options that its own network alone has. */
const ONLY_SASREC = [
  'norm',
  'maskPadding',
  'positions',
  'scoring',
  'temperature',
  'repeatLags',
  'init',
] as const satisfies readonly (keyof Cl4srecConfig)[];

export const isCoserec = ({ encoder }: Cl4srecConfig) => encoder === 'coserec';

/** The mask token; CoSeRec's table has its row whether or not a view needs it. */
const specialRows = (config: Cl4srecConfig) => (config.lambda > 0 || isCoserec(config) ? 1 : 0);

/** What makes a view of a session. */
export function augmentations({ cropRatio, maskRatio, reorderRatio }: Cl4srecConfig): Augmentation[] {
  const all = [
    { kind: 'crop', ratio: cropRatio },
    { kind: 'mask', ratio: maskRatio },
    { kind: 'reorder', ratio: reorderRatio },
  ] as const;
  return all.filter(({ ratio }) => ratio > 0);
}

function check(config: Cl4srecConfig): void {
  checkSasrec(sasrecConfig(config), 'cl4srec');
  const refuse = (message: string): never => {
    throw new RecommenderError('bad-config', `cl4srec: ${message}`);
  };
  if (config.lambda > 0 && augmentations(config).length === 0) {
    refuse('"lambda" above 0 needs views: set "cropRatio", "maskRatio" or "reorderRatio" above 0.');
  }
  if (config.lambda === 0 && config.recWeight === 0) refuse('"lambda" and "recWeight" are both 0: nothing is learnt.');
  const other = isCoserec(config) && ONLY_SASREC.find((key) => config[key] !== options[key].default);
  if (other) refuse(`"${other}" belongs to encoder "sasrec"; with encoder "coserec" leave it out.`);
}

export const cl4srec: SessionModel<Cl4srecConfig> = {
  name: 'cl4srec',
  paper:
    'Xie et al., "Contrastive Learning for Sequential Recommendation", ICDE 2022, https://arxiv.org/abs/2010.14395',
  options,
  removed,
  epochsOption: 'numEpochs',
  check,
  parameters: (config, catalogue) =>
    isCoserec(config)
      ? coserecParameters(config, catalogue, specialRows(config))
      : sasrecParameters(sasrecConfig(config), catalogue, specialRows(config)),
  prepare: (sessions, config, catalogue) =>
    isCoserec(config)
      ? padClicks(sessions, { side: 'left', maxLength: config.maxlen, trims: false })
      : sasrec.prepare(sessions, sasrecConfig(config), catalogue),
  encode: (params, prepared, config, run) =>
    isCoserec(config)
      ? gather(coserecHidden(params, prepared, config, run), prepared.last as Tensor1D)
      : sasrec.encode(params, prepared, sasrecConfig(config), run),
  logitScale: (config) => sasrec.logitScale!(sasrecConfig(config)),
  outputs: (params, config) => sasrec.outputs(params, sasrecConfig(config)),
};
