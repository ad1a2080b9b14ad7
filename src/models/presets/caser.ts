import { type Presets, RECENT } from './preset';

/**
 * Every click of a session is predicted, from as few as one before it: windows also cover the start of sessions, with one
 * target each. The softmax compares a target with all items; the official loss has few negatives, most of them unlikely.
 * No weight decay: through Adam, even a small one shrinks the vectors of rare items to zero between two updates.
 */
const BY_CLICK = { d: 64, T: 1, windows: 'all', loss: 'cross-entropy', drop: 0.2, batchSize: 128, l2: 0 };

/** Vectors of length 1, of one table. */
const ONE_TABLE = { ...BY_CLICK, outputTable: 'inputs', scoring: 'cosine', acFc: 'tanh', lrSchedule: 'linear' };

/** With a sampled softmax, negatives by popularity. */
const COSINE = { ...ONE_TABLE, L: 3, dropoutEmbed: 0.2, loss: 'sampled', sparseUpdates: true };

export const CASER: Presets = {
  eshop: {
    doc: 'small catalogue, long sessions; chosen on a validation week of eshop-clothing-2008',
    config: { ...ONE_TABLE, repeatLags: 50, L: 5, dropoutEmbed: 0.1, temperature: 0.1, learningRate: 0.004, nIter: 6 },
  },
  'yoochoose-100k': {
    doc: 'short anonymous sessions, a few thousand items; the best of a few trials on a validation part of yoochoose-100k',
    config: {
      ...COSINE,
      temperature: 1 / 8,
      repeatLags: 20,
      logqOf: 'draws',
      nSample: 2048,
      learningRate: 0.004,
      nIter: 6,
    },
  },
  diginetica: {
    doc:
      'short anonymous sessions, a large catalogue; the best of a few trials on the latest quarter of Diginetica; ' +
      'passes over the latest sessions as SASRec has them',
    config: {
      ...COSINE,
      d: 128,
      temperature: 0.1,
      repeatLags: 20,
      logqOf: 'draws',
      nSample: 2048,
      batchSize: 512,
      learningRate: 0.003,
      nIter: 9,
      ...RECENT,
    },
  },
  beauty: {
    doc: 'long histories without repeats; vectors of length 1 as SASRec has them there, not searched',
    config: {
      ...COSINE,
      L: 5,
      drop: 0.4,
      dropoutEmbed: 0.3,
      temperature: 0.1,
      logqOf: 'draws',
      nSample: 4096,
      batchSize: 256,
      learningRate: 0.003,
      nIter: 15,
    },
  },
};
