import { type Presets, RECENT } from './preset';

/** Vectors of length 1 and positions from the end, as NISER+ has them. */
const UNIT = {
  scoring: 'cosine',
  positions: 'reverse',
  dropoutEmbed: 0.2,
  batching: 'same-length',
  lr: 0.003,
  lrSchedule: 'linear',
};

/** With a sampled softmax, negatives by popularity. */
const COSINE = { ...UNIT, loss: 'sampled', sparseUpdates: true, maxlen: 15 };

export const SRGNN: Presets = {
  eshop: {
    doc: 'small catalogue, long sessions; chosen on a validation week of eshop-clothing-2008',
    config: {
      ...UNIT,
      hiddenSize: 128,
      temperature: 1 / 8,
      repeatLags: 10,
      maxlen: 10,
      batchClicks: 800,
      epoch: 8,
    },
  },
  'yoochoose-100k': {
    doc: 'short anonymous sessions, a few thousand items; the best of a few trials on a validation part of yoochoose-100k',
    config: {
      ...COSINE,
      hiddenSize: 64,
      temperature: 1 / 8,
      repeatLags: 20,
      logqOf: 'draws',
      nSample: 2048,
      batchClicks: 400,
      epoch: 5,
    },
  },
  diginetica: {
    doc:
      'short anonymous sessions, a large catalogue; the better of two trials on the latest quarter of Diginetica; scores for ' +
      'repeats and passes over the latest sessions as SASRec has them',
    config: {
      ...COSINE,
      hiddenSize: 128,
      dropoutEmbed: 0.35,
      temperature: 1 / 12,
      repeatLags: 20,
      logqOf: 'draws',
      nSample: 8192,
      batchClicks: 1024,
      epoch: 11,
      ...RECENT,
    },
  },
  beauty: {
    doc: 'long histories without repeats; vectors of length 1 as SASRec has them there, not searched',
    config: {
      ...COSINE,
      hiddenSize: 64,
      dropoutEmbed: 0.3,
      temperature: 0.1,
      logqOf: 'draws',
      nSample: 4096,
      maxlen: 20,
      batchClicks: 800,
      epoch: 10,
    },
  },
};
