import type { Presets } from './preset';

/** A smaller and quicker one than the official code's: larger steps, of prefixes of one length each. */
const QUICK = { hiddenSize: 64, lr: 0.003, batching: 'same-length' };

export const SRGNN: Presets = {
  eshop: {
    doc: 'small catalogue, long sessions; chosen on a validation week of eshop-clothing-2008',
    config: { ...QUICK, maxlen: 10, batchClicks: 800, lrDcStep: 2, epoch: 3 },
  },
  'yoochoose-100k': {
    doc: 'short anonymous sessions, a few thousand items; chosen on a validation day of yoochoose-100k',
    config: { ...QUICK, maxlen: 15, batchClicks: 400, lrDcStep: 3, epoch: 5 },
  },
  diginetica: {
    doc: 'short anonymous sessions, a large catalogue; after single trials on yoochoose-100k and Diginetica, not searched',
    config: {
      ...{ scoring: 'cosine', positions: 'reverse', dropoutEmbed: 0.2, loss: 'sampled', nSample: 2048 },
      ...{ sparseUpdates: true, batching: 'same-length', batchClicks: 1024, maxlen: 15 },
      ...{ lr: 0.003, lrSchedule: 'linear', epoch: 8 },
    },
  },
  beauty: {
    doc: 'long histories without repeats; carried over, not searched',
    config: { ...QUICK, maxlen: 30, batchClicks: 800, lrDcStep: 3, epoch: 8 },
  },
};
