/** The pieces of work that `torch_peer.py` times, as ours. */
import type { LearnerWork } from './learner-steps';

export const GRU4REC: LearnerWork = {
  model: 'gru4rec',
  set: {
    layers: [100],
    batchSize: 64,
    nSample: 2048,
    sampleAlpha: 0,
    loss: 'cross-entropy',
    constrainedEmbedding: true,
  },
  items: 10_000,
  sessions: 4000,
  sessionLength: 50,
};

/** Fifty clicks are read, so a session has one more. */
const SASREC: LearnerWork = {
  model: 'sasrec',
  set: { norm: 'pre', hiddenUnits: 64, maxlen: 50, numBlocks: 2, numHeads: 2, dropoutRate: 0, batchSize: 128 },
  items: 10_000,
  sessions: 2048,
  sessionLength: 51,
};

export const SASREC_BCE: LearnerWork = { ...SASREC, set: { ...SASREC.set, loss: 'bce', negatives: 1 } };

/** The full softmax at the last ten positions of every row, as the peer's. */
export const SASREC_CE: LearnerWork = { ...SASREC, set: { ...SASREC.set, loss: 'ce' }, lastTargets: 10 };
