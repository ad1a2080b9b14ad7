/** The pieces of work that `torch_peer.py` times, as ours. */
import type { TrainingWorkload } from './learner-steps';

export const GRU4REC: TrainingWorkload = {
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
const SASREC: TrainingWorkload = {
  model: 'sasrec',
  set: { norm: 'pre', hiddenUnits: 64, maxlen: 50, numBlocks: 2, numHeads: 2, dropoutRate: 0, batchSize: 128 },
  items: 10_000,
  sessions: 2048,
  sessionLength: 51,
};

export const SASREC_BCE: TrainingWorkload = { ...SASREC, set: { ...SASREC.set, loss: 'bce', negatives: 1 } };

/** The full softmax at the last ten positions of every row, as the peer's. */
export const SASREC_CE: TrainingWorkload = { ...SASREC, set: { ...SASREC.set, loss: 'ce' }, lastTargets: 10 };

/** A small shop's catalogue and the sessions that such shops have. */
const SHOP = { items: 2933, sessions: 2000 };

const SRGNN: TrainingWorkload = { model: 'srgnn', set: {}, ...SHOP, sessionLength: 10 };

const CASER: TrainingWorkload = { model: 'caser', set: {}, ...SHOP, sessionLength: 10 };

const CL4SREC: TrainingWorkload = {
  model: 'cl4srec',
  set: {
    norm: 'pre',
    positions: 'start',
    loss: 'ce',
    hiddenUnits: 64,
    numHeads: 2,
    numBlocks: 2,
    maxlen: 20,
    dropoutRate: 0.2,
    batchSize: 128,
  },
  ...SHOP,
  sessionLength: 21,
};

const transformer = (lm: string, objective: string): TrainingWorkload => ({
  model: 'transformers4rec',
  set: { lm, objective, dModel: 64, itemEmbeddingDim: 64, nLayer: 2, nHead: 2, totalSeqLength: 20, batchSize: 128 },
  ...SHOP,
  sessionLength: 20,
});

/** The architectures that the peer does not train, at the sizes of their defaults and of a small shop. */
export const OTHERS = {
  srgnn: SRGNN,
  caser: CASER,
  cl4srec: CL4SREC,
  'gpt2-clm': transformer('gpt2', 'clm'),
  'bert-mlm': transformer('bert', 'mlm'),
  'xlnet-plm': transformer('xlnet', 'plm'),
  'electra-rtd': transformer('electra', 'rtd'),
} satisfies Readonly<Record<string, TrainingWorkload>>;

/** Everything that `npm run bench -- train` trains, by its name there. */
export const WORKLOADS: Readonly<Record<string, TrainingWorkload>> = {
  gru4rec: GRU4REC,
  'sasrec-bce': SASREC_BCE,
  'sasrec-ce': SASREC_CE,
  ...OTHERS,
};
