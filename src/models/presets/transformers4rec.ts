import { type Presets, RECENT } from './preset';

/** For every language model; `--set lm=… --set objective=…` names them. */
const SMALL = {
  dModel: 64,
  itemEmbeddingDim: 64,
  nLayer: 1,
  nHead: 2,
  labelSmoothing: 0,
  learningRate: 0.004,
  batching: 'same-length',
};
/** A pass predicts fewer clicks than with clm, each from both sides: more hidden clicks, and no dropout. */
const MASKED = { ...SMALL, itemEmbeddingDim: 128, mlmProbability: 0.4, learningRate: 0.002, dropout: 0 };
const NEXT = { ...SMALL, lm: 'gpt2', objective: 'clm' };
/**
 * For thousands of items and more: the language model reads and predicts vectors of length 1. They are short at the start, so
 * that Adam turns them fast. Negatives are drawn by popularity.
 */
const COSINE = {
  scoring: 'cosine',
  form: 'library',
  inputLayer: 'none',
  padding: 'hidden',
  sameLength: 'false',
  memLen: 0,
  itemIdEmbeddingsInitStd: 0.007,
  initializerRange: 0.02,
  layerNormEps: 1e-5,
  inputDropout: 0,
  dropout: 0.3,
  sampledSoftmax: true,
  sampleBy: 'popularity',
  logqOf: 'draws',
  maxNSamples: 4096,
  sparseUpdates: true,
  maxGradNorm: 0,
};
const LARGE_CATALOGUE = {
  ...SMALL,
  ...COSINE,
  dModel: 128,
  itemEmbeddingDim: 128,
  nLayer: 2,
  dInner: 256,
  softmaxTemperature: 1 / 12,
  repeatLags: 20,
  batchClicks: 1024,
  learningRate: 0.002,
  ...RECENT,
};
const HISTORIES = { totalSeqLength: 50, nLayer: 2, learningRate: 0.001, dropout: 0.3, batchClicks: 512 };

export const TRANSFORMERS4REC: Presets = {
  eshop: {
    doc: 'small catalogue, long sessions, for mlm, plm and rtd; chosen on a validation week of eshop-clothing-2008',
    config: { ...MASKED, repeatLags: 50, trainOnPrefixes: true, batchClicks: 256, nEpochs: 4 },
  },
  'eshop-clm': {
    doc: 'the same for clm',
    config: { ...NEXT, repeatLags: 50, totalSeqLength: 50, learningRate: 0.003, batchClicks: 128, nEpochs: 8 },
  },
  'yoochoose-100k': {
    doc: 'short anonymous sessions, a few thousand items, for mlm, plm and rtd; chosen on a validation day of yoochoose-100k',
    config: { ...MASKED, batchClicks: 128, nEpochs: 20 },
  },
  'yoochoose-100k-clm': {
    doc: 'for clm, with vectors of length 1; the best of a few trials on a validation part of yoochoose-100k',
    config: { ...NEXT, scoring: 'cosine', batchClicks: 128, nEpochs: 5 },
  },
  diginetica: {
    doc:
      'short anonymous sessions, a large catalogue, for mlm, plm and rtd: the network of diginetica-clm, whose passes teach fewer ' +
      'clicks and are more; carried over, not searched',
    config: { ...LARGE_CATALOGUE, mlmProbability: 0.4, nEpochs: 20 },
  },
  'diginetica-clm': {
    doc: 'short anonymous sessions, a large catalogue, for clm; after single trials on the latest quarter of Diginetica, not searched',
    config: { ...LARGE_CATALOGUE, lm: 'gpt2', objective: 'clm', nEpochs: 13 },
  },
  beauty: {
    doc: 'long histories without repeats, for mlm, plm and rtd; carried over, not searched',
    config: { ...MASKED, ...HISTORIES, mlmProbability: 0.3, nEpochs: 60 },
  },
  'beauty-clm': {
    doc: 'for clm, with vectors of length 1 as SASRec has them there, not searched',
    config: { ...NEXT, ...COSINE, ...HISTORIES, inputDropout: 0.3, softmaxTemperature: 0.1, nEpochs: 25 },
  },
};
