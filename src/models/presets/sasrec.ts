import type { Presets } from './preset';

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

export const SASREC: Presets = {
  eshop: {
    doc: 'small catalogue, long sessions; chosen on a validation week of eshop-clothing-2008',
    config: {
      ...BY_CLICK,
      dropoutRate: 0.1,
      batchSize: 16,
      numEpochs: 10,
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
