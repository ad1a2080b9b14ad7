/** Configuration of SASRec: names of the official TensorFlow code in camelCase, and a few keys of our own. */

import type { ConfigOf, OptionSpecs, RemovedOptions } from './model';
import { boolean, choice, integer, number } from './options';
import { repeatsConflict, repeatsOptions } from './repeat-bias';
import { sampledOptions, smoothingConflict, smoothingOption } from './sampled-softmax';
import { scoringOptions } from './scoring-options';
import { removed as ofLastEpochs, recentFinetuningOptions } from './weight-averaging';

const OFFICIAL = 'default of the official TensorFlow code';

const trainingOptions = {
  loss: choice(
    'ce',
    ['ce', 'sampled', 'bce', 'gbce'],
    'ce: softmax over the catalogue; sampled: softmax over nSample items; bce: binary, against sampled negatives; ' +
      'gbce: bce calibrated by gbceT',
    'bce is the paper; one negative is its largest loss of quality ("Turning Dross Into Gold Loss", RecSys 2023). ' +
      'gbce is gSASRec, for catalogues too large for ce',
  ),
  negatives: integer(
    0,
    [1, 100_000],
    'negatives of each click, uniform. auto: 1 in bce, which draws again while they are in the session; 256 in gbce, ' +
      'which does not',
    `1 is ${OFFICIAL.replace('default of ', '')}, 256 what gSASRec recommends`,
    { auto: 0 },
  ),
  gbceT: number(
    0.75,
    [0, 1],
    'gbce: calibration t; 0 is bce, 1 gives calibrated probabilities',
    'recommended by gSASRec (Petrov & Macdonald, RecSys 2023)',
  ),
  ...sampledOptions,
  logq: number(
    1,
    [0, 1],
    'sampled: share of the log of the sampling frequency taken off all scores, targets included',
    '1 makes the sampled softmax an unbiased estimate of the full one in the limit',
  ),
  labelSmoothing: {
    ...smoothingOption,
    doc: 'ce: share of the target that the other items get',
    source: 'no reference code smooths',
  },
  ...repeatsOptions,
  lr: number(0.001, [1e-8, 1], 'step size of Adam (β₁ 0.9)', OFFICIAL),
  lrSchedule: choice(
    'constant',
    ['constant', 'linear'],
    'whether lr stays, or falls linearly to 0 at the last epoch',
    `${OFFICIAL}; linear is ours, for short trainings that end sharp`,
  ),
  beta2: number(0.98, [0, 0.999999], "β₂ of Adam, the memory of the gradient's size", `${OFFICIAL}; 0.999 in gSASRec`),
  weightDecay: number(0, [0, 1], 'pull of every weight towards 0', 'no reference code has it'),
  decay: choice(
    'decoupled',
    ['coupled', 'decoupled'],
    'weightDecay as a term of the gradient (coupled, Adam), or apart from it (decoupled, AdamW)',
    'Loshchilov & Hutter, "Decoupled Weight Decay Regularization", ICLR 2019',
  ),
  sparseUpdates: boolean(
    false,
    'sampled, bce, gbce: a step updates only the item vectors that it reads, so that its cost does not grow with the ' +
      'catalogue; the others keep their moments too',
    'false is all reference codes; true is what PyTorch calls SparseAdam',
  ),
  batching: choice(
    'sessions',
    ['sessions', 'same-length'],
    'sessions: batchSize of any length; same-length: as many of one length as hold batchClicks, without padding',
    'sessions is all reference codes; same-length is ours: several times more steps in the same time',
  ),
  batchSize: integer(128, [1, 65536], 'sessions a step', OFFICIAL),
  batchClicks: integer(
    1024,
    [1, 1_000_000],
    'same-length: predictions a step',
    'ours: small batches of short sessions learn faster than many sessions at once',
  ),
  numEpochs: integer(201, [1, 100_000], 'passes over the log at most; validation stops earlier', OFFICIAL),
  ...recentFinetuningOptions,
  l2Emb: number(
    0,
    [0, 1],
    'weight of the sum of squares of the item table in the loss',
    `${OFFICIAL}; the term itself as in the PyTorch port`,
  ),
} satisfies OptionSpecs;

type SasrecTrainingConfig = ConfigOf<typeof trainingOptions>;

export const options = {
  hiddenUnits: integer(50, [1, 4096], 'width d of the vectors', OFFICIAL),
  maxlen: integer(
    50,
    [1, 4096],
    'clicks that the model sees; of longer sessions the most recent ones',
    `${OFFICIAL}; 200 for long histories such as MovieLens`,
  ),
  numBlocks: integer(2, [1, 64], 'blocks of attention and feed-forward', OFFICIAL),
  numHeads: integer(1, [1, 256], 'attention heads; hiddenUnits must be a multiple', OFFICIAL),
  innerSize: integer(
    0,
    [1, 65536],
    'width of the feed-forward layers; auto: hiddenUnits',
    `${OFFICIAL}, which does not widen; the name is RecBole's`,
    { auto: 0 },
  ),
  activation: choice(
    'auto',
    ['auto', 'relu', 'gelu', 'silu'],
    'between the feed-forward layers: relu, gelu in its exact form, or silu; auto: relu',
    OFFICIAL,
  ),
  dropoutRate: number(
    0.5,
    [0, 0.95],
    'dropout of embedded clicks, attention weights and both feed-forward layers',
    `${OFFICIAL}; 0.2 for long histories`,
  ),
  dropoutEmbed: number(
    -1,
    [0, 0.95],
    'dropout of embedded clicks, where it is not that of the other layers',
    'all reference codes have one rate',
    { same: -1 },
  ),
  norm: choice(
    'tf',
    ['tf', 'pre', 'post'],
    'where layers are normalised: tf with residuals from the normalised values, pre before, post after each layer',
    'tf is the official code, pre and post the PyTorch port of 2025; they differ by at most 3 % in its own runs',
  ),
  layerNormEps: number(
    1e-8,
    [0, 1],
    'added to the variance where layers are normalised',
    `${OFFICIAL}, and of the port; 1e-5 in gSASRec`,
  ),
  outputProjection: choice(
    'auto',
    ['auto', 'true', 'false'],
    'one more linear layer after the attention heads are joined; auto: not in tf, in pre and post',
    'auto is what the reference of each form does; tf with it is the PyTorch port of 2020',
  ),
  maskPadding: choice(
    'auto',
    ['auto', 'true', 'false'],
    'keep attention off padding; auto: in tf, not in pre and post. With it short sessions cost less',
    'auto is what the reference of each form does',
  ),
  positions: choice(
    'end',
    ['end', 'start'],
    'count positions from the end (the newest click has the last one) or from the start of the session',
    'end is all reference codes; with start earlier clicks keep their vectors when one more comes',
  ),
  inputScale: choice(
    'auto',
    ['auto', 'sqrt', 'half-sqrt', 'none'],
    'factor of embedded clicks: √d, √d/2 or 1; auto: √d, with cosine scoring √d/2',
    '√d is the official TensorFlow code, none gSASRec; √d/2 is ours, for vectors of length 1',
  ),
  reuseItemEmbeddings: boolean(
    true,
    'score with the table that embeds the clicks; false: with a table of its own',
    'true is the paper and its codes, false the default of gSASRec',
  ),
  ...scoringOptions,
  init: choice(
    'auto',
    ['auto', 'torch', 'normal'],
    "how weights start: auto as in the form's code; torch: tables N(0, 1), layers by fan-in; normal: N(0, initStd)",
    'auto is Glorot, torch what gSASRec leaves to PyTorch, normal the habit of BERT and RecBole',
  ),
  initStd: number(0.02, [1e-6, 10], 'standard deviation of init=normal', 'BERT, RecBole and CoSeRec'),
  ...trainingOptions,
} satisfies OptionSpecs;

export type SasrecConfig = ConfigOf<typeof options>;

/** Why two training options do not go together, in words, or nothing. */
export function trainingConflict(config: SasrecTrainingConfig): string | undefined {
  const { loss, sparseUpdates, l2Emb } = config;
  const smoothing = smoothingConflict(config, 'ce');
  if (smoothing) return smoothing;
  const repeats = repeatsConflict(config, 'ce');
  if (repeats) return repeats;
  if (sparseUpdates && loss === 'ce') {
    return '"sparseUpdates" needs loss "sampled", "bce" or "gbce": the softmax of "ce" reads every item vector.';
  }
  if (sparseUpdates && l2Emb > 0) {
    return '"sparseUpdates" and "l2Emb" do not go together: the penalty moves every item vector. Use "weightDecay".';
  }
  return undefined;
}

export const removed = { nSamplePer: 'batch', sampling: 'shuffle', ...ofLastEpochs } satisfies RemovedOptions;
