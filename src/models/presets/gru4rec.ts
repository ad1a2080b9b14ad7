import type { Presets } from './preset';

/** Defaults of the authors' code that they left unchanged. */
const OFTEN = { nSample: 2048, nEpochs: 10 };

const SMALL_SHOP = {
  loss: 'bpr-max',
  layers: [224],
  batchSize: 80,
  dropoutPEmbed: 0.5,
  dropoutPHidden: 0.05,
  learningRate: 0.05,
  momentum: 0.4,
  sampleAlpha: 0.4,
  bpreg: 1.95,
  eluParam: 0.5,
  ...OFTEN,
};

/** GRU4Rec's authors tuned per shop (100 to 200 trials each); one layer, constrained, 10 epochs, 2,048 extra negatives. */
export const GRU4REC: Presets = {
  retailrocket: {
    doc: 'small shop, BPR-max; tuned by the authors on RetailRocket',
    config: SMALL_SHOP,
  },
  diginetica: {
    doc: 'BPR-max; tuned by the authors on Diginetica',
    config: {
      loss: 'bpr-max',
      layers: [512],
      batchSize: 128,
      dropoutPEmbed: 0.5,
      dropoutPHidden: 0.3,
      learningRate: 0.05,
      momentum: 0.15,
      sampleAlpha: 0.3,
      bpreg: 0.9,
      eluParam: 1,
      ...OFTEN,
    },
  },
  yoochoose: {
    doc: 'large shop, cross-entropy; tuned by the authors on Yoochoose',
    config: {
      loss: 'cross-entropy',
      layers: [480],
      batchSize: 48,
      dropoutPHidden: 0.2,
      learningRate: 0.07,
      sampleAlpha: 0.2,
      logq: 1,
    },
  },
  rsc15: {
    doc: 'small network, cross-entropy; the parameter file of the authors for RSC15',
    config: {
      loss: 'cross-entropy',
      layers: [100],
      batchSize: 32,
      dropoutPHidden: 0.4,
      learningRate: 0.2,
      momentum: 0.2,
      sampleAlpha: 0.5,
      logq: 1,
    },
  },
  eshop: {
    doc:
      'small catalogue, long sessions; after an official run on eshop-clothing-2008, twice as wide, with weights averaged: the best of ' +
      'a few trials on a validation week',
    config: {
      loss: 'cross-entropy',
      layers: [256],
      batchSize: 64,
      dropoutPEmbed: 0.2,
      dropoutPHidden: 0.3,
      learningRate: 0.05,
      nSample: 256,
      sampleAlpha: 0,
      averageEpochs: 5,
      nEpochs: 15,
    },
  },
  beauty: {
    doc: 'long histories without repeats, large catalogue; after the options for Yoochoose, not searched',
    config: {
      loss: 'cross-entropy',
      layers: [128],
      batchSize: 64,
      dropoutPEmbed: 0.4,
      dropoutPHidden: 0.2,
      learningRate: 0.05,
      nSample: 2048,
      sampleAlpha: 0.2,
      logq: 1,
      nEpochs: 20,
    },
  },
  'yoochoose-100k': {
    doc: 'short anonymous sessions, a few thousand items; options of an official run on yoochoose-100k',
    config: SMALL_SHOP,
  },
};
