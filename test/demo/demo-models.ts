/** The demo shop's models: small networks, so that all of them together stay light. The first is the page's default. */
export interface DemoModel {
  /** In the page's address: `?model=sasrec`. */
  readonly name: string;
  readonly title: string;
  readonly model: string;
  /** Below the site. */
  readonly folder: string;
  readonly set: Readonly<Record<string, string | number | boolean>>;
}

/** Every click is predicted from those before it, in a few passes whose step size falls to nothing. */
const BY_CLICK = {
  norm: 'pre',
  positions: 'start',
  loss: 'ce',
  hiddenUnits: 48,
  numBlocks: 1,
  maxlen: 20,
  dropoutRate: 0.1,
  batching: 'same-length',
  batchClicks: 512,
  lr: 0.004,
  lrSchedule: 'linear',
  numEpochs: 4,
};
const T4R = {
  dModel: 48,
  itemEmbeddingDim: 48,
  nLayer: 1,
  nHead: 2,
  labelSmoothing: 0,
  batching: 'same-length',
  batchClicks: 512,
  learningRate: 0.004,
};

export const DEMO_MODELS: readonly DemoModel[] = [
  {
    name: 'gru4rec',
    title: 'GRU4Rec',
    model: 'gru4rec',
    folder: 'models/demo',
    set: {
      layers: 64,
      constrainedEmbedding: true,
      loss: 'cross-entropy',
      batchSize: 64,
      nSample: 256,
      sampleAlpha: 0.5,
      learningRate: 0.1,
      dropoutPEmbed: 0.2,
      dropoutPHidden: 0.2,
    },
  },
  {
    name: 'srgnn',
    title: 'SR-GNN',
    model: 'srgnn',
    folder: 'models/srgnn',
    set: { hiddenSize: 48, maxlen: 15, lr: 0.004, lrDcStep: 2, batching: 'same-length', batchClicks: 1024, epoch: 3 },
  },
  { name: 'sasrec', title: 'SASRec', model: 'sasrec', folder: 'models/sasrec', set: BY_CLICK },
  {
    name: 'caser',
    title: 'Caser',
    model: 'caser',
    folder: 'models/caser',
    set: {
      d: 32,
      L: 5,
      T: 1,
      windows: 'all',
      negFrom: 'all',
      negSamples: 20,
      drop: 0.2,
      batchSize: 256,
      learningRate: 0.003,
      nIter: 5,
    },
  },
  {
    name: 'cl4srec',
    title: 'CL4SRec',
    model: 'cl4srec',
    folder: 'models/cl4srec',
    set: { ...BY_CLICK, numEpochs: 3, lambda: 0.1, similarity: 'cosine', tau: 0.5 },
  },
  {
    name: 'xlnet-mlm',
    title: 'XLNet, hidden clicks',
    model: 'transformers4rec',
    folder: 'models/xlnet-mlm',
    set: { ...T4R, lm: 'xlnet', objective: 'mlm', nEpochs: 4 },
  },
  {
    name: 'gpt2-clm',
    title: 'GPT-2, next click',
    model: 'transformers4rec',
    folder: 'models/gpt2-clm',
    set: { ...T4R, lm: 'gpt2', objective: 'clm', nEpochs: 3 },
  },
];
