import type { Presets } from './preset';

/**
 * Every click of a session is predicted, from as few as one before it, and what was clicked may come again: windows over
 * the start of sessions too, one target each, negatives from all items. Without weight decay: through Adam, even a small one
 * takes back what the vectors of rare items learnt before they are seen again.
 */
const BY_CLICK = {
  ...{ d: 64, T: 1, windows: 'all', negFrom: 'all', negSamples: 20 },
  ...{ drop: 0.2, batchSize: 128, learningRate: 0.004, l2: 0 },
};

export const CASER: Presets = {
  eshop: {
    doc: 'small catalogue, long sessions; chosen on a validation week of eshop-clothing-2008',
    config: { ...BY_CLICK, L: 5, nIter: 5 },
  },
  'yoochoose-100k': {
    doc: 'short anonymous sessions, a few thousand items; chosen on a validation day of yoochoose-100k',
    config: { ...BY_CLICK, L: 3, nIter: 10 },
  },
};
