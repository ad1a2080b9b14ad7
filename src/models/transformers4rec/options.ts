/**
 * Configuration of Transformers4Rec: names of the paper's code and of the library in camelCase. `auto` is what the form's
 * code does; `settings.ts` says what that is.
 */
import type { ConfigOf, OptionSpecs, RemovedOptions } from '../model';
import { boolean, choice, integer, number } from '../options';
import { repeatsOptions } from '../repeat-bias';
import { sampledOptions } from '../sampled-softmax';
import { scoringOptions } from '../scoring-options';
import { removed as ofLastEpochs, recentFinetuningOptions } from '../weight-averaging';

export const LANGUAGE_MODELS = ['gru', 'gpt2', 'transformer-xl', 'bert', 'electra', 'xlnet'] as const;
export const OBJECTIVES = ['clm', 'mlm', 'plm', 'rtd'] as const;
export type LanguageModelName = (typeof LANGUAGE_MODELS)[number];
export type ObjectiveName = (typeof OBJECTIVES)[number];

const FIRST_RUN = 'ours: sized for a browser; the paper tuned it for each log';
const PAPER = "the paper's code";
/** The form decides unless a number is given. */
const AUTO = { auto: -1 };
export const options = {
  form: choice(
    'paper',
    ['paper', 'library'],
    "whose network and defaults: the paper's own code, or the library released after it",
    'the tables of the paper come from its own code',
  ),
  lm: choice(
    'xlnet',
    LANGUAGE_MODELS,
    'language model; clm: gru, gpt2, transformer-xl, xlnet; mlm and rtd: bert, electra, xlnet; plm: xlnet',
    'XLNet with mlm or rtd is best in the paper',
  ),
  objective: choice(
    'mlm',
    OBJECTIVES,
    'what is learnt: the next click (clm), hidden clicks (mlm), in random order (plm), which were replaced (rtd)',
    "the library's examples; the paper's runs with side information",
  ),
  dModel: integer(64, [2, 4096], "width of the language model's vectors", FIRST_RUN),
  itemEmbeddingDim: integer(64, [1, 4096], 'width of the item table', `${FIRST_RUN}, 320 to 448 there`),
  nLayer: integer(2, [1, 64], 'layers', FIRST_RUN),
  nHead: integer(4, [1, 256], 'attention heads; dModel must be a multiple unless dHead is given', FIRST_RUN),
  dHead: integer(
    -1,
    [1, 4096],
    'width of a head of transformer-xl; auto: 64',
    'paper and library leave 64, whatever dModel is',
    AUTO,
  ),
  dInner: integer(
    -1,
    [1, 65_536],
    'width inside the feed-forward layers; auto: 4 dModel, in the library form of bert 3072',
    'the library sets a name that bert does not read',
    AUTO,
  ),
  hiddenAct: choice(
    'gelu',
    ['gelu', 'gelu_new', 'relu', 'silu', 'tanh'],
    'activation inside the feed-forward layers; gelu is the exact one, gelu_new its approximation by tanh; transformer-xl always has relu',
    'all runs of the paper; the library',
  ),
  totalSeqLength: integer(20, [2, 4096], 'clicks that the model sees; of longer sessions the most recent ones', PAPER),
  sameLength: choice(
    'auto',
    ['auto', 'true', 'false'],
    'transformer-xl: whether keys further back than memLen are hidden; auto: not in paper, in library',
    'with memLen 1 the library attends to the click itself only',
  ),
  memLen: integer(
    -1,
    [0, 64],
    'transformer-xl: empty slots before the first click that attention may rest on; auto: paper 0, library 1',
    'sessions are fed whole, so a memory is never filled',
    AUTO,
  ),
  clampLen: integer(
    -1,
    [0, 4096],
    'transformer-xl and xlnet: distances beyond it count as it; 0: none; auto: transformer-xl 1000, xlnet none',
    'Hugging Face',
    AUTO,
  ),
  inputLayer: choice(
    'auto',
    ['auto', 'tanh', 'relu', 'none'],
    'what merges the features of a click into dModel columns; none: the item vector as it is; auto: paper tanh, library relu',
    "each form's code; none is the library without a projection",
  ),
  inputNorm: boolean(true, 'normalise the vector of each feature before they are merged', `${PAPER} and the library`),
  inputDropout: number(0.1, [0, 0.95], 'dropout of the merged features', FIRST_RUN),
  dropout: number(
    -1,
    [0, 0.95],
    'dropout in the language model; auto: paper 0.1, library 0.3, but 0.1 for bert',
    'ours in paper, where it was tuned; the library sets 0.3, by a name that bert does not read',
    AUTO,
  ),
  layerNormEps: number(
    -1,
    [0, 1],
    'ε of layer norms; auto: paper 1e-12, library 0.03; transformer-xl 1e-5, gpt2 in library 1e-5',
    'the library sets a name that gpt2 and transformer-xl do not read',
    AUTO,
  ),
  initializerRange: number(-1, [0, 10], 'spread of weights at the start; auto: paper 0.02, library 0.01', PAPER, AUTO),
  itemIdEmbeddingsInitStd: number(0.09, [1e-6, 10], 'spread of the item table at the start', 'tuned, 0.03 to 0.15'),
  padding: choice(
    'auto',
    ['auto', 'hidden', 'seen'],
    'whether attention sees padding; seen: batches are always totalSeqLength wide; auto: paper hidden, library seen',
    'ours in paper, so that short sessions cost less; the library never hides it',
  ),
  maskPosition: choice(
    'trained',
    ['trained', 'beyond'],
    'where the next click of a session of totalSeqLength is asked for: the oldest is dropped, or one position beyond',
    'ours: the library asks at a position that training never reached',
  ),
  features: {
    type: 'text',
    form: 'a list such as category,price:soft,age:numeric,hour:cyclic:24, or empty',
    default: '',
    doc:
      'side information, columns of the log or else of the catalogue, and hour, weekday, age: name, name:kind or name:kind:size; kinds: categorical (size: values), ' +
      'numeric (size: columns it is projected to), soft (size: numbers mixed), cyclic (size: period)',
    source: 'none in the main table of the paper',
  },
  aggregation: choice(
    'concat',
    ['concat', 'element-wise', 'element-wise-plain'],
    'how features join the item vector x: beside it, as x ⊙ (1 + Σ f), or as x ⊙ Σ f; then each is projected to its width',
    'paper; the library lacks the "1 +"',
  ),
  mlmProbability: number(
    0.3,
    [0.01, 0.95],
    'mlm, rtd: share of clicks that are hidden',
    `${FIRST_RUN}, 0.2 to 0.6 there`,
  ),
  plmProbability: number(0.5, [0.01, 0.99], 'plm: share of clicks that are predicted', 'tuned, 0.4 to 0.7'),
  maxSpanLength: integer(4, [1, 64], 'plm: longest run of clicks predicted together', 'tuned, 2 to 4'),
  trainOnPrefixes: boolean(
    false,
    'mlm, plm, rtd: learn from every prefix of a session, too. The click that a shop asks for has none after it; of hidden clicks ' +
      'only those at the end of a session are such',
    'ours: eshop MRR .218 to .247',
  ),
  labelSmoothing: number(
    0.1,
    [0, 0.95],
    'target mass on other items: shared by the others in paper, by all in library',
    `${FIRST_RUN}: 0 to 0.9`,
  ),
  scoring: {
    ...scoringOptions.scoring,
    doc: `${scoringOptions.scoring.doc}; no item has a bias`,
  },
  softmaxTemperature: number(
    0,
    [0.001, 100],
    'scores are divided by it, with dot scoring in the loss only; auto: 1, with cosine scoring 1/16',
    `1 is ${PAPER}; 1/16 NISER`,
    { auto: 0 },
  ),
  sampledSoftmax: boolean(false, 'compare targets with maxNSamples draws, not with all items', 'the library'),
  maxNSamples: integer(
    100,
    [1, 1_000_000],
    'sampledSoftmax: with sampleBy=log-uniform half the draws, whose repeats are dropped; with popularity the draws of a batch',
    'the library',
  ),
  sampleBy: choice(
    'log-uniform',
    ['log-uniform', 'popularity'],
    'sampledSoftmax: whether items are drawn log-uniform by popularity rank, or ∝ support^sampleAlpha as in the other models',
    'log-uniform is the library: most draws are of the same few items',
  ),
  sampleAlpha: { ...sampledOptions.sampleAlpha, doc: 'sampleBy=popularity: 0 draws uniformly, 1 by popularity' },
  logqOf: {
    ...sampledOptions.logqOf,
    doc: sampledOptions.logqOf.doc.replace('sampled:', 'sampleBy=popularity:'),
  },
  ...repeatsOptions,
  sparseUpdates: boolean(
    false,
    'sampledSoftmax: a step updates only the item vectors that it reads, so that its cost does not grow with the catalogue; ' +
      'the others keep their moments, and do not decay',
    'paper and library update all rows; true is what PyTorch calls SparseAdam',
  ),
  learningRate: number(5e-4, [1e-8, 1], 'step size of AdamW (β₁ 0.9, β₂ 0.999)', `${FIRST_RUN}, 1e-4 to 2e-3`),
  weightDecay: number(1e-5, [0, 1], 'decoupled weight decay', 'tuned, 1e-6 to 1e-4'),
  maxGradNorm: number(1, [0, 1e6], 'largest norm of all gradients together; 0: any', 'its trainer'),
  batching: choice(
    'sessions',
    ['sessions', 'same-length'],
    'sessions: batchSize of any length; same-length: as many of one length as hold batchClicks, without padding',
    'sessions is the paper and the library; same-length is ours: several times more steps in the same time',
  ),
  batchSize: integer(128, [1, 65_536], 'sessions a step', FIRST_RUN),
  batchClicks: integer(1024, [1, 1_000_000], 'same-length: clicks a step', 'as in SASRec'),
  nEpochs: integer(10, [1, 10_000], 'passes over the log', PAPER),
  ...recentFinetuningOptions,
} satisfies OptionSpecs;

export type T4RecConfig = ConfigOf<typeof options>;

export const removed = {
  ageSince: '',
  attnDropout: ['auto', -1],
  otherEmbeddingsInitStd: 0.09,
  featuresSameSizeItemEmbedding: false,
  embeddingSizeMultiplier: 2,
  numericProjectionDim: 0,
  softEmbeddingCardinality: 10,
  softEmbeddingDim: 8,
  plmMaskInput: 'auto',
  trainOnLastItemSeqOnly: false,
  rtdTiedGenerator: true,
  rtdSampleFromBatch: true,
  rtdDiscriminatorLossWeight: 1,
  rtdGeneratorLossWeight: 1,
  logq: 1,
  stochasticSharedEmbeddingsReplacementProb: 0,
  swapLabels: false,
  lrSchedule: 'linear',
  ...ofLastEpochs,
} satisfies RemovedOptions;
