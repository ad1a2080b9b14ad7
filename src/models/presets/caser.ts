import { type Presets, RECENT } from './preset';

/**
 * Every click of a session is predicted, from as few as one before it: windows over the start of sessions too, one target
 * each, told from all other items at once; the official loss, against few negatives, tells it from unlikely ones only.
 * Without weight decay: through Adam, even a small one takes back what the vectors of rare items learnt before they are
 * seen again.
 */
const BY_CLICK = { d: 64, T: 1, windows: 'all', loss: 'cross-entropy', drop: 0.2, batchSize: 128, l2: 0 };

/** Vectors of length 1, of one table. */
const ONE_TABLE = { ...BY_CLICK, outputTable: 'inputs', scoring: 'cosine', acFc: 'tanh', lrSchedule: 'linear' };

/** And targets told from draws by popularity. */
const COSINE = { ...ONE_TABLE, L: 3, dropoutEmbed: 0.2, loss: 'sampled', sparseUpdates: true };

export const CASER: Presets = {
  eshop: {
    doc: 'small catalogue, long sessions; chosen on a validation week of eshop-clothing-2008',
    config: { ...ONE_TABLE, repeatLags: 50, L: 5, dropoutEmbed: 0.1, temperature: 0.1, learningRate: 0.004, nIter: 6 },
  },
  'yoochoose-100k': {
    doc: 'short anonymous sessions, a few thousand items; the best of a few trials on a validation part of yoochoose-100k',
    config: {
      ...{ ...COSINE, temperature: 1 / 8, repeatLags: 20, logqOf: 'draws', nSample: 2048 },
      ...{ learningRate: 0.004, nIter: 6 },
    },
  },
  diginetica: {
    doc:
      'short anonymous sessions, a large catalogue; the best of a few trials on the latest quarter of Diginetica; ' +
      'passes over the latest sessions as SASRec has them',
    config: {
      ...{ ...COSINE, d: 128, temperature: 0.1, repeatLags: 20, logqOf: 'draws', nSample: 2048 },
      ...{ batchSize: 512, learningRate: 0.003, nIter: 9, ...RECENT },
    },
  },
  beauty: {
    doc: 'long histories without repeats; vectors of length 1 as SASRec has them there, not searched',
    config: {
      ...{ ...COSINE, L: 5, drop: 0.4, dropoutEmbed: 0.3, temperature: 0.1, logqOf: 'draws' },
      ...{ nSample: 4096, batchSize: 256, learningRate: 0.003, nIter: 15 },
    },
  },
};
