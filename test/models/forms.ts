/** The forms of every architecture that a table of tests goes through; a new architecture joins by being registered. */
import { models } from '../../src/models/index';
import type { Training } from '../../src/models/training';

type Given = Readonly<Record<string, unknown>>;

/** What stands for the defaults where they are more than a test needs. */
export const SMALL: Readonly<Record<string, Given>> = {
  transformers4rec: { dModel: 16, itemEmbeddingDim: 16, nHead: 2, totalSeqLength: 8, learningRate: 0.01 },
};

/** Besides the defaults. */
const FORMS: readonly (readonly [name: string, config: Readonly<Record<string, unknown>>])[] = [
  ['gru4rec', { layers: '12/9' }],
  ['gru4rec', { layers: '12', constrainedEmbedding: false }],
  ['sasrec', { norm: 'pre', numHeads: 2 }],
  ['sasrec', { norm: 'post', positions: 'start', loss: 'bce', dropoutRate: 0, lr: 0.01 }],
  ['srgnn', { step: 2, edges: 'counted' }],
  ['srgnn', { readout: 'global', maxlen: 7 }],
  ['srgnn', { readout: 'local' }],
  ['srgnn', { scoring: 'cosine', positions: 'reverse', dropoutEmbed: 0.1, loss: 'sampled', nSample: 6, lr: 0.01 }],
  ['srgnn', { scoring: 'cosine', maxlen: 7, loss: 'sampled', nSample: 6, sparseUpdates: true, lr: 0.01 }],
  ['transformers4rec', { ...SMALL.transformers4rec, lm: 'gru', objective: 'clm' }],
  ['transformers4rec', { ...SMALL.transformers4rec, lm: 'gpt2', objective: 'clm' }],
  ['transformers4rec', { ...SMALL.transformers4rec, lm: 'transformer-xl', objective: 'clm' }],
  ['transformers4rec', { ...SMALL.transformers4rec, lm: 'xlnet', objective: 'clm' }],
  ['transformers4rec', { ...SMALL.transformers4rec, lm: 'xlnet', objective: 'plm' }],
  ['transformers4rec', { ...SMALL.transformers4rec, lm: 'bert', objective: 'mlm', features: 'hour' }],
  ['transformers4rec', { ...SMALL.transformers4rec, lm: 'bert', objective: 'rtd' }],
  ['transformers4rec', { ...SMALL.transformers4rec, lm: 'electra', objective: 'mlm' }],
  ['transformers4rec', { ...SMALL.transformers4rec, lm: 'electra', objective: 'rtd' }],
  ['transformers4rec', { ...SMALL.transformers4rec, lm: 'xlnet', objective: 'rtd' }],
  ['transformers4rec', { ...SMALL.transformers4rec, lm: 'bert', objective: 'mlm', form: 'library', dInner: 32 }],
  [
    'transformers4rec',
    {
      ...SMALL.transformers4rec,
      lm: 'xlnet',
      objective: 'clm',
      scoring: 'cosine',
      labelSmoothing: 0,
      sampledSoftmax: true,
      sampleBy: 'popularity',
      maxNSamples: 6,
    },
  ],
  ['cl4srec', { encoder: 'coserec', lr: 0.01 }],
  ['cl4srec', { norm: 'post', lambda: 0.3, loss: 'bce', dropoutRate: 0, lr: 0.01 }],
  ['sasrec', { loss: 'gbce', negatives: 4, reuseItemEmbeddings: false, lr: 0.01 }],
  ['sasrec', { scoring: 'cosine', dropoutRate: 0, lr: 0.01 }],
  ['caser', { profile: 'none', padding: 'trained', T: 1, windows: 'all' }],
  ['caser', { profile: 'shared', acConv: 'tanh', acFc: 'sigm', learningRate: 0.02 }],
  ['caser', { profile: 'device' }],
  ['caser', { scoring: 'cosine', T: 1, dropoutEmbed: 0.1, loss: 'sampled', nSample: 6, sparseUpdates: true }],
];

/** The training of every architecture, by name. */
export const trainings: Readonly<Record<string, Training>> = Object.fromEntries(
  await Promise.all(
    Object.entries(models).map(async ([name, { training }]) => [name, (await training()) as Training] as const),
  ),
);

/** Title, name, options. */
export const forms = [...Object.keys(models).map((name) => [name, SMALL[name] ?? {}] as const), ...FORMS].map(
  ([name, given]) => [`${name} ${JSON.stringify(given)}`, name, given] as const,
);
