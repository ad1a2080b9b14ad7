/**
 * What `aisle search` tries of each architecture, beside its presets. Widths stop where a browser's budgets do; an
 * architecture that is not here is searched with ranges of the user's own.
 */
import { choice, linear, log, only, type SearchSpace, wholeLog } from './search-space';

/** So many clicks ago an item may have been clicked to get a score of its own. */
const REPEATS = choice(0, 10, 20, 50);

/** The space that the authors tuned in (README of their code), with smaller layers. */
const GRU4REC: SearchSpace = {
  loss: choice('cross-entropy', 'bpr-max'),
  layers: choice([64], [96], [128], [160], [192], [224], [256]),
  batchSize: choice(32, 48, 64, 80, 96, 128, 192, 256),
  learningRate: log(0.01, 0.25),
  momentum: linear(0, 0.9),
  dropoutPEmbed: linear(0, 0.5),
  dropoutPHidden: linear(0, 0.7),
  sampleAlpha: linear(0, 1),
  logq: only(choice(0, 1), { loss: ['cross-entropy'] }),
  repeatLags: only(REPEATS, { loss: ['cross-entropy'] }),
  bpreg: only(linear(0, 2), { loss: ['bpr-max'] }),
  eluParam: only(choice(0, 0.5, 1), { loss: ['bpr-max'] }),
};

/** Vectors of length 1 or not; the temperature around NISER's, 1/16. */
const SCORING: SearchSpace = {
  scoring: choice('dot', 'cosine'),
  temperature: only(log(0.04, 0.12), { scoring: ['cosine'] }),
};

/** Of a sampled softmax, where the base asks for one. */
const SAMPLED: SearchSpace = {
  nSample: only(choice(512, 1024, 2048, 4096, 8192), { loss: ['sampled'] }),
  sampleAlpha: only(linear(0, 1), { loss: ['sampled'] }),
  logqOf: only(choice('all', 'draws'), { loss: ['sampled'] }),
};

/** Clicks of a step where batches hold sessions of one length. */
const CLICKS = only(choice(128, 256, 512, 1024), { batching: ['same-length'] });

/** Weights of the last epochs averaged, where memory has room for as many copies. */
const AVERAGE: SearchSpace = { averageEpochs: choice(1, 3) };

const SRGNN: SearchSpace = {
  hiddenSize: choice(50, 64, 100, 128),
  step: choice(1, 1, 2),
  batchSize: only(choice(50, 100, 200), { batching: ['prefixes'] }),
  batchClicks: CLICKS,
  lr: log(0.0003, 0.005),
  lrSchedule: choice('step', 'linear'),
  lrDc: only(choice(0.1, 0.3, 0.5), { lrSchedule: ['step'] }),
  lrDcStep: only(choice(2, 3, 5), { lrSchedule: ['step'] }),
  ...SCORING,
  positions: choice('none', 'reverse'),
  dropoutEmbed: linear(0, 0.5),
  repeatLags: only(REPEATS, { loss: ['cross-entropy', 'sampled'] }),
  ...SAMPLED,
  labelSmoothing: only(choice(0, 0.1), { loss: ['cross-entropy'] }),
  l2: log(1e-6, 1e-3),
  edges: choice('binary', 'counted'),
  ...AVERAGE,
};

const SASREC: SearchSpace = {
  hiddenUnits: choice(48, 64, 96, 128),
  numBlocks: choice(1, 2, 3),
  numHeads: choice(1, 2, 4),
  norm: choice('tf', 'pre', 'post'),
  positions: choice('end', 'start'),
  dropoutRate: linear(0.05, 0.5),
  dropoutEmbed: linear(0.05, 0.5),
  ...SCORING,
  repeatLags: only(REPEATS, { loss: ['ce', 'sampled'] }),
  ...SAMPLED,
  lr: log(0.0003, 0.005),
  lrSchedule: choice('constant', 'linear'),
  batchSize: only(choice(16, 32, 64, 128), { batching: ['sessions'] }),
  batchClicks: CLICKS,
  labelSmoothing: only(choice(0, 0.1), { loss: ['ce'] }),
  ...AVERAGE,
};

const CASER: SearchSpace = {
  d: choice(32, 50, 64, 100),
  L: choice(3, 4, 5, 6, 8),
  T: choice(1, 2, 3),
  nv: choice(1, 2, 4, 8),
  nh: choice(4, 8, 16, 32),
  drop: linear(0, 0.6),
  dropoutEmbed: linear(0, 0.5),
  ...SCORING,
  outputTable: choice('own', 'inputs'),
  acConv: choice('relu', 'iden', 'tanh'),
  acFc: choice('relu', 'tanh'),
  profile: choice('session', 'none'), // shared has no vectors of items for outputTable=inputs
  windows: choice('full', 'all'),
  negSamples: only(wholeLog(3, 100), { loss: ['binary'] }),
  repeatLags: only(REPEATS, { loss: ['cross-entropy', 'sampled'] }),
  ...SAMPLED,
  labelSmoothing: only(choice(0, 0.1), { loss: ['cross-entropy'] }),
  learningRate: log(0.0003, 0.005),
  l2: log(1e-7, 1e-3),
  batchSize: choice(128, 256, 512),
  ...AVERAGE,
};

/** The contrastive part on top of SASRec's: shares from 0.1 to 0.9, as the paper tuned them. */
const CL4SREC: SearchSpace = {
  ...SASREC,
  lambda: log(0.01, 1),
  similarity: choice('dot', 'cosine'),
  tau: only(log(0.05, 1), { similarity: ['cosine'] }),
  cropRatio: linear(0.1, 0.9),
  maskRatio: linear(0.1, 0.9),
  reorderRatio: linear(0.1, 0.9),
};

/** Around what the paper found for its four logs; the language model and its objective are fixed with `--set`. */
const TRANSFORMERS4REC: SearchSpace = {
  dModel: choice(64, 96, 128, 192),
  itemEmbeddingDim: choice(64, 96, 128),
  nLayer: choice(1, 2, 3),
  nHead: choice(1, 2, 4, 8),
  inputDropout: linear(0, 0.4),
  dropout: linear(0, 0.3),
  scoring: choice('dot', 'cosine'),
  softmaxTemperature: only(log(0.04, 0.12), { scoring: ['cosine'] }),
  repeatLags: REPEATS,
  labelSmoothing: only(linear(0, 0.9), { sampledSoftmax: [false] }),
  sampleAlpha: only(linear(0, 1), { sampleBy: ['popularity'] }),
  learningRate: log(0.0001, 0.0025),
  weightDecay: log(1e-6, 1e-4),
  batchSize: only(choice(64, 128, 192, 256), { batching: ['sessions'] }),
  batchClicks: CLICKS,
  itemIdEmbeddingsInitStd: linear(0.03, 0.15),
  mlmProbability: only(linear(0.2, 0.6), { objective: ['mlm', 'rtd'] }),
  plmProbability: only(linear(0.4, 0.7), { objective: ['plm'] }),
  maxSpanLength: only(choice(2, 3, 4), { objective: ['plm'] }),
  ...AVERAGE,
};

/** By architecture. */
export const searchSpaces: Readonly<Record<string, SearchSpace>> = {
  gru4rec: GRU4REC,
  srgnn: SRGNN,
  sasrec: SASREC,
  caser: CASER,
  cl4srec: CL4SREC,
  transformers4rec: TRANSFORMERS4REC,
};
