import { type Presets, RECENT } from './preset';

/**
 * Sessions are predicted click by click, so positions count from their start: a prefix then stands at test time where it
 * stood in training. With positions from the end the last place would be trained by each session's last click only.
 */
export const BY_CLICK = {
  norm: 'pre',
  positions: 'start',
  loss: 'ce',
  hiddenUnits: 128,
  numHeads: 2,
  maxlen: 50,
  lr: 0.002,
  lrSchedule: 'linear',
};

/**
 * For catalogues of tens of thousands of items: vectors of length 1, so that popular items cannot win by length; a sampled
 * softmax; a repeat bias for items of the session; many small batches of sessions of one length.
 */
export const LARGE_CATALOGUE = {
  ...BY_CLICK,
  scoring: 'cosine',
  temperature: 1 / 12,
  repeatLags: 20,
  innerSize: 256,
  activation: 'gelu',
  dropoutRate: 0.3,
  maxlen: 20,
  loss: 'sampled',
  nSample: 8192,
  sampleAlpha: 0.5,
  logq: 1,
  logqOf: 'draws',
  sparseUpdates: true,
  beta2: 0.999,
  batching: 'same-length',
  batchClicks: 1024,
  numEpochs: 13,
  ...RECENT,
};

/** One target at the end of a history that never repeats an item: positions count from there, and all items compete. */
export const HISTORIES = {
  norm: 'pre',
  positions: 'end',
  maskPadding: 'true',
  scoring: 'cosine',
  temperature: 0.1,
  loss: 'ce',
  hiddenUnits: 64,
  numHeads: 2,
  maxlen: 50,
  dropoutRate: 0.3,
  dropoutEmbed: 0.3,
  lr: 0.001,
  beta2: 0.999,
  batchSize: 256,
  numEpochs: 40,
};

export const SASREC: Presets = {
  eshop: {
    doc: 'small catalogue, long sessions; chosen on a validation week of eshop-clothing-2008',
    config: {
      ...BY_CLICK,
      repeatLags: 50,
      dropoutRate: 0.2,
      batchSize: 16,
      averageEpochs: 3,
      numEpochs: 12,
    },
  },
  'yoochoose-100k': {
    doc: 'short anonymous sessions, a few thousand items; chosen on a validation day of yoochoose-100k',
    config: {
      ...BY_CLICK,
      dropoutRate: 0.3,
      batchSize: 32,
      numEpochs: 8,
    },
  },
  diginetica: {
    doc:
      'short anonymous sessions, a large catalogue; after a run in plain PyTorch on Diginetica, then the best of trials on its ' +
      'latest quarter, and for the passes over the latest sessions on its last tenth',
    config: LARGE_CATALOGUE,
  },
  beauty: {
    doc: 'long histories without repeats; settings of a run in plain PyTorch on Amazon Beauty, not searched here',
    config: HISTORIES,
  },
  gsasrec: {
    doc: 'long histories, large catalogue, gBCE; what the authors of gSASRec ran on MovieLens-1M',
    config: {
      norm: 'tf',
      inputScale: 'none',
      layerNormEps: 1e-5,
      reuseItemEmbeddings: false,
      init: 'torch',
      loss: 'gbce',
      negatives: 256,
      gbceT: 0.75,
      beta2: 0.999,
      hiddenUnits: 128,
      maxlen: 200,
      dropoutRate: 0.5,
      batchSize: 128,
    },
  },
};
