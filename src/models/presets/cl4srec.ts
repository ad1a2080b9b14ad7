import type { Presets } from './preset';
import { BY_CLICK, HISTORIES, LARGE_CATALOGUE } from './sasrec';

/** SASRec's recipe in one block, in batches of one length, with the contrastive loss beside it. */
const CONTRASTIVE = { ...BY_CLICK, numBlocks: 1, similarity: 'cosine', tau: 0.5, batching: 'same-length' };

export const CL4SREC: Presets = {
  eshop: {
    doc: 'small catalogue, long sessions; chosen on a validation week of eshop-clothing-2008',
    config: { ...CONTRASTIVE, repeatLags: 50, lambda: 0.02, dropoutRate: 0.2, batchClicks: 128, numEpochs: 12 },
  },
  'yoochoose-100k': {
    doc: 'short anonymous sessions, a few thousand items; chosen on a validation day of yoochoose-100k',
    config: {
      ...CONTRASTIVE,
      lambda: 0.1,
      hiddenUnits: 64,
      maxlen: 20,
      lr: 0.004,
      dropoutRate: 0.2,
      batchClicks: 256,
      numEpochs: 5,
    },
  },
  diginetica: {
    doc: "short anonymous sessions, a large catalogue; SASRec's of that name with the second loss, whose weight was not searched",
    config: { ...LARGE_CATALOGUE, lambda: 0.1, similarity: 'cosine', tau: 0.5 },
  },
  beauty: {
    doc: "long histories without repeats; SASRec's of that name with the second loss, whose weight was not searched",
    config: { ...HISTORIES, lambda: 0.1, similarity: 'cosine', tau: 0.5 },
  },
};
