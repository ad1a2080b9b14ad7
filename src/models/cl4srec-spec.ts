/**
 * CL4SRec without tensors: SASRec's options and those of its second loss, parameters, and sessions as arrays. The authors published no
 * code; names are ours.
 */
import type { Augmentation } from '../objectives/augmentations';
import type { Catalogue } from '../types';
import type { ConfigOf, Initialiser, ModelSpec, OptionSpecs, ParameterSpec, Refuse, RemovedOptions } from './model';
import { choice, number } from './options';
import { type Padding, padClicks } from './padding';
import { checkSasrec, type SasrecConfig, sasrecParameters, sasrecSpec } from './sasrec-spec';

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

const { outputProjection, inputScale, reuseItemEmbeddings, gbceT, l2Emb, ...shared } = sasrecSpec.options;

/** Where CL4SRec's own default differs from SASRec's: nowhere, or the comparison of the two would be void. */
const options = {
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

const removed = { ...sasrecSpec.removed, ...LEFT, allowSame: true, maskDuplicates: false } satisfies RemovedOptions;

/** With all of SASRec's options. */
export const sasrecConfig = (config: Cl4srecConfig): Cl4srecConfig & SasrecConfig => ({ ...config, ...LEFT });

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

function check(config: Cl4srecConfig, refuse: Refuse): void {
  checkSasrec(sasrecConfig(config), refuse);
  if (config.lambda > 0 && augmentations(config).length === 0) {
    refuse('"lambda" above 0 needs views: set "cropRatio", "maskRatio" or "reorderRatio" above 0.');
  }
  if (config.lambda === 0 && config.recWeight === 0) refuse('"lambda" and "recWeight" are both 0: nothing is learnt.');
  const other = isCoserec(config) && ONLY_SASREC.find((key) => config[key] !== options[key].default);
  if (other) refuse(`"${other}" belongs to encoder "sasrec"; with encoder "coserec" leave it out.`);
}

/**
 * Parameters of CoSeRec's encoder.
 *
 * @param special Rows of the item table after those of the items.
 */
function coserecParameters(
  { hiddenUnits: d, innerSize, maxlen, numBlocks, initStd }: Cl4srecConfig,
  { items: n }: Catalogue,
  special: number,
): Record<string, ParameterSpec> {
  const normal: Initialiser = { kind: 'normal', std: initStd };
  const specs: Record<string, ParameterSpec> = {};
  const linear = (name: string, from: number, to: number) => {
    specs[`${name}.w`] = { shape: [from, to], init: normal };
    specs[`${name}.b`] = { shape: [to], init: { kind: 'zeros' } };
  };
  const norm = (name: string) => {
    specs[`${name}.gain`] = { shape: [d], init: { kind: 'ones' } };
    specs[`${name}.bias`] = { shape: [d], init: { kind: 'zeros' } };
  };
  const inner = innerSize || 4 * d;
  specs.items = { shape: [n + 1 + special, d], init: normal, rows: 'both' };
  specs.positions = { shape: [maxlen, d], init: normal };
  norm('norm');
  for (let b = 0; b < numBlocks; b++) {
    for (const part of ['query', 'key', 'value', 'output']) linear(`blocks.${b}.attention.${part}`, d, d);
    norm(`blocks.${b}.attention.norm`);
    linear(`blocks.${b}.feed.inner`, d, inner);
    linear(`blocks.${b}.feed.outer`, inner, d);
    norm(`blocks.${b}.feed.norm`);
  }
  return specs;
}

const reading = (config: Cl4srecConfig): Padding =>
  isCoserec(config)
    ? { side: 'left', maxLength: config.maxlen, trims: false }
    : sasrecSpec.reading(sasrecConfig(config));

export const cl4srecSpec: ModelSpec<Cl4srecConfig> = {
  name: 'cl4srec',
  paper:
    'Xie et al., "Contrastive Learning for Sequential Recommendation", ICDE 2022, https://arxiv.org/abs/2010.14395',
  options,
  removed,
  epochsOption: 'numEpochs',
  check,
  logitScale: (config) => sasrecSpec.logitScale(sasrecConfig(config)),
  parameters: (config, catalogue) =>
    isCoserec(config)
      ? coserecParameters(config, catalogue, specialRows(config))
      : sasrecParameters(sasrecConfig(config), catalogue, specialRows(config)),
  reading,
  prepare: (sessions, config) => padClicks(sessions, reading(config)),
};
