/** Configuration of CL4SRec: that of SASRec, and its second loss. The authors published no code; names are ours. */

import type { ConfigOf, OptionSpecs, RemovedOptions } from './model';
import { choice, number } from './options';
import { removed as ofSasrec, type SasrecConfig, options as sasrecOptions } from './sasrec-options';

/** SASRec's options that CL4SRec leaves at their defaults. */
const LEFT = {
  outputProjection: 'auto',
  inputScale: 'auto',
  reuseItemEmbeddings: true,
  gbceT: 0.75,
  l2Emb: 0,
} as const satisfies Partial<SasrecConfig>;

const THREE = 'default of three independent implementations';
const DA = 'default of RecBole-DA; the paper searches 0.1 to 0.9';

const { outputProjection, inputScale, reuseItemEmbeddings, gbceT, l2Emb, ...shared } = sasrecOptions;

/** Where CL4SRec's own default differs from SASRec's: nowhere, or the comparison of the two would be void. */
export const options = {
  ...shared,
  encoder: choice(
    'sasrec',
    ['sasrec', 'coserec'],
    'sasrec: a view is its last click’s vector; coserec: post-norm as in BERT, a view is all vectors in a row',
    'sasrec is the paper; coserec is for weights of the CoSeRec code',
  ),
  lambda: number(0.1, [0, 1000], 'λ, the weight of the contrastive loss; at 0 the model is SASRec', THREE),
  recWeight: number(1, [0, 1000], 'weight of the next-item loss', 'the paper; CoSeRec’s rec_weight'),
  cropRatio: number(
    0.6,
    [0, 1],
    'η, share of the clicks that a cropped view keeps, in a row; 0: no view is cropped',
    DA,
  ),
  maskRatio: number(
    0.3,
    [0, 1],
    'γ, share of the clicks that a masked view hides behind the mask token; 0: no view is masked',
    DA,
  ),
  reorderRatio: number(
    0.6,
    [0, 1],
    'β, share of the clicks that a reordered view shuffles, in a row; 0: no view is reordered',
    DA,
  ),
  similarity: choice(
    'dot',
    ['dot', 'cosine'],
    'how alike two views are: the product of their vectors, or its cosine',
    'dot is the paper and CoSeRec; with cosine take a tau of 0.1 to 0.5',
  ),
  tau: number(
    1,
    [0.01, 1000],
    'τ, what similarities are divided by before the softmax; √hiddenUnits where the contrastive loss saturates',
    'the paper, and the default of two implementations',
  ),
} satisfies OptionSpecs;

export type Cl4srecConfig = ConfigOf<typeof options>;

export const removed = { ...ofSasrec, ...LEFT, allowSame: true, maskDuplicates: false } satisfies RemovedOptions;

/** With all of SASRec's options. */
export const sasrecConfig = (config: Cl4srecConfig): Cl4srecConfig & SasrecConfig => ({ ...config, ...LEFT });
