/** Configuration of CL4SRec: that of SASRec, and its second loss. The authors published no code; names are ours. */
import type { OptionSpecs } from './model';
import { type SasrecConfig, options as sasrecOptions } from './sasrec-options';

export interface Cl4srecConfig extends SasrecConfig {
  readonly encoder: 'sasrec' | 'coserec';
  readonly lambda: number;
  readonly recWeight: number;
  readonly cropRatio: number;
  readonly maskRatio: number;
  readonly reorderRatio: number;
  readonly allowSame: boolean;
  readonly similarity: 'dot' | 'cosine';
  readonly tau: number;
  readonly maskDuplicates: boolean;
}

const THREE = 'default of three independent implementations';
const DA = 'default of RecBole-DA; the paper searches 0.1 to 0.9';

/** Where CL4SRec's own default differs from SASRec's: nowhere, or the comparison of the two would be void. */
export const options: OptionSpecs<Cl4srecConfig> = {
  ...sasrecOptions,
  encoder: {
    type: 'choice',
    choices: ['sasrec', 'coserec'],
    default: 'sasrec',
    doc: 'sasrec: a view is its last click’s vector; coserec: post-norm as in BERT, a view is all vectors in a row',
    source: 'sasrec is the paper; coserec is for weights of the CoSeRec code',
  },
  lambda: {
    type: 'number',
    min: 0,
    max: 1000,
    default: 0.1,
    doc: 'λ, the weight of the contrastive loss; at 0 the model is SASRec',
    source: THREE,
  },
  recWeight: {
    type: 'number',
    min: 0,
    max: 1000,
    default: 1,
    doc: 'weight of the next-item loss',
    source: 'the paper; CoSeRec’s rec_weight',
  },
  cropRatio: {
    type: 'number',
    min: 0,
    max: 1,
    default: 0.6,
    doc: 'η, share of the clicks that a cropped view keeps, in a row; 0: no view is cropped',
    source: DA,
  },
  maskRatio: {
    type: 'number',
    min: 0,
    max: 1,
    default: 0.3,
    doc: 'γ, share of the clicks that a masked view hides behind the mask token; 0: no view is masked',
    source: DA,
  },
  reorderRatio: {
    type: 'number',
    min: 0,
    max: 1,
    default: 0.6,
    doc: 'β, share of the clicks that a reordered view shuffles, in a row; 0: no view is reordered',
    source: DA,
  },
  allowSame: {
    type: 'boolean',
    default: true,
    doc: 'whether both views of a session may be made in the same way, with other randomness',
    source: 'true is the paper, false RecBole-DA',
  },
  similarity: {
    type: 'choice',
    choices: ['dot', 'cosine'],
    default: 'dot',
    doc: 'how alike two views are: the product of their vectors, or its cosine',
    source: 'dot is the paper and CoSeRec; with cosine take a tau of 0.1 to 0.5',
  },
  tau: {
    type: 'number',
    min: 0.01,
    max: 1000,
    default: 1,
    doc: 'τ, what similarities are divided by before the softmax; √hiddenUnits where the contrastive loss saturates',
    source: 'the paper, and the default of two implementations',
  },
  maskDuplicates: {
    type: 'boolean',
    default: false,
    doc: 'leave sessions that are equal to a view’s own out of its negatives',
    source: 'false is all implementations; true is ours: equal sessions are false negatives of each other',
  },
};
