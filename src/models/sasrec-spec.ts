/** SASRec without tensors: options, named as in the official TensorFlow code in camelCase, parameters, and sessions as arrays. */
import type { Catalogue } from '../types';
import type { ConfigOf, Initialiser, ModelSpec, OptionSpecs, ParameterSpec, Refuse, RemovedOptions } from './model';
import { boolean, choice, integer, number } from './options';
import { type Padding, padClicks } from './padding';
import { glorotNormal, glorotUniform } from './parameters';
import { repeatsConflict, repeatsOptions, repeatsSpec } from './repeat-bias';
import { sampledOptions, smoothingConflict, smoothingOption } from './sampled-softmax';
import { scoringOptions } from './scoring-options';
import { removed as ofLastEpochs, recentFinetuningOptions } from './weight-averaging';

const OFFICIAL = 'default of the official TensorFlow code';

const trainingOptions = {
  loss: choice(
    'ce',
    ['ce', 'sampled', 'bce', 'gbce'],
    'ce: softmax over the catalogue; sampled: softmax over nSample items; bce: binary, against sampled negatives; ' +
      'gbce: bce, calibrated',
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

const options = {
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
    ['auto', 'sqrt', 'none'],
    'factor of embedded clicks: √d or 1; auto: √d, with cosine scoring √d/2',
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
function trainingConflict(config: SasrecTrainingConfig): string | undefined {
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

const removed = { nSamplePer: 'batch', sampling: 'shuffle', ...ofLastEpochs } satisfies RemovedOptions;

/** What the form's reference does, unless the configuration says otherwise. */
const choose = (setting: SasrecConfig['maskPadding'], automatic: boolean) =>
  String(setting) === 'auto' ? automatic : String(setting) === 'true';

/** Whether a linear layer follows the joined attention heads. */
export const projectsOutput = ({ outputProjection, norm }: SasrecConfig) => choose(outputProjection, norm !== 'tf');

/** Whether attention leaves out padding keys. */
export const masksPadding = ({ maskPadding, norm }: SasrecConfig) => choose(maskPadding, norm === 'tf');

/** The port gives padding a position of its own, row 0 of the table: it is zero and stays so. */
export const firstPosition = ({ norm }: SasrecConfig) => (norm === 'tf' ? 0 : 1);

/** How each kind of parameter starts. */
interface Starts {
  /** Of tables, `[rows, d]`. */
  readonly table: (rows: number, d: number) => Initialiser;
  /** Of matrices, `[from, to]`; `drawn` is the number of columns of the matrix that it is a part of. */
  readonly matrix: (from: number, to: number, drawn?: number) => Initialiser;
  /** Of the biases of the attention and of the feed-forward layer that read `from` numbers. */
  readonly attentionBias: (from: number) => Initialiser;
  readonly feedBias: (from: number) => Initialiser;
}

const ZEROS: Initialiser = { kind: 'zeros' };
/** PyTorch's linear layers, matrix and bias. */
const byFanIn = (from: number): Initialiser => ({ kind: 'uniform', limit: 1 / Math.sqrt(from) });

function starts({ init, initStd, norm }: SasrecConfig): Starts {
  if (init === 'torch') {
    return {
      table: () => ({ kind: 'normal', std: 1 }),
      matrix: byFanIn,
      attentionBias: byFanIn,
      feedBias: byFanIn,
    };
  }
  if (init === 'normal') {
    const normal = (): Initialiser => ({ kind: 'normal', std: initStd });
    return { table: normal, matrix: normal, attentionBias: () => ZEROS, feedBias: () => ZEROS };
  }
  if (norm === 'tf') {
    const matrix = (from: number, to: number) => glorotUniform(from, to);
    return { table: glorotUniform, matrix, attentionBias: () => ZEROS, feedBias: () => ZEROS };
  }
  return {
    table: glorotNormal,
    matrix: (from, to, drawn = to) => glorotNormal(drawn, from),
    attentionBias: () => ZEROS,
    feedBias: byFanIn,
  };
}

/**
 * @param special Rows of the item table after those of the items, for special tokens; the rest starts as without them.
 */
export function sasrecParameters(
  config: SasrecConfig,
  { items: n }: Catalogue,
  special = 0,
): Record<string, ParameterSpec> {
  const { hiddenUnits: d, innerSize, maxlen, numBlocks, reuseItemEmbeddings } = config;
  const { table, matrix, attentionBias, feedBias } = starts(config);
  const specs: Record<string, ParameterSpec> = {};
  const gainAndBias = (name: string) => {
    specs[`${name}.gain`] = { shape: [d], init: { kind: 'ones' } };
    specs[`${name}.bias`] = { shape: [d], init: ZEROS };
  };
  const inner = innerSize || d;
  const rows = maxlen + firstPosition(config);
  specs.items = { shape: [n + 1 + special, d], init: table(n + 1, d), rows: reuseItemEmbeddings ? 'both' : 'input' };
  if (!reuseItemEmbeddings) specs.outputs = { shape: [n + 1, d], init: table(n + 1, d), rows: 'output' };
  specs.positions = { shape: [rows, d], init: table(rows, d), zeroRow: firstPosition(config) > 0 };
  for (let b = 0; b < numBlocks; b++) {
    const of = `blocks.${b}.attention`;
    gainAndBias(`${of}.norm`);
    // PyTorch keeps query, key and value in one [3d, d] matrix, and draws it as such.
    const parts = { query: 3 * d, key: 3 * d, value: 3 * d, ...(projectsOutput(config) && { output: d }) };
    for (const [part, drawn] of Object.entries(parts)) {
      specs[`${of}.${part}.w`] = { shape: [d, d], init: matrix(d, d, drawn) };
      specs[`${of}.${part}.b`] = { shape: [d], init: attentionBias(d) };
    }
    gainAndBias(`blocks.${b}.feed.norm`);
    for (const [part, from, to] of [
      ['inner', d, inner],
      ['outer', inner, d],
    ] as const) {
      specs[`blocks.${b}.feed.${part}.w`] = { shape: [from, to], init: matrix(from, to) };
      specs[`blocks.${b}.feed.${part}.b`] = { shape: [to], init: feedBias(from) };
    }
  }
  gainAndBias('norm');
  return { ...specs, ...repeatsSpec(config) };
}

/**
 * Whether a batch need not be wider than its longest session: real clicks must see no padding key. On the right,
 * padding is in every click's future.
 */
export const trims = (config: SasrecConfig) => config.positions === 'start' || masksPadding(config);

export function checkSasrec(config: SasrecConfig, refuse: Refuse): void {
  const { hiddenUnits, numHeads } = config;
  if (hiddenUnits % numHeads !== 0) {
    refuse(`"hiddenUnits" must be a multiple of "numHeads", got ${hiddenUnits} and ${numHeads}.`);
  }
  const conflict = trainingConflict(config);
  if (conflict) refuse(conflict);
}

/** Padded on the left for positions counted from the end, on the right for those from the start. */
const reading = (config: SasrecConfig): Padding => ({
  side: config.positions === 'end' ? 'left' : 'right',
  maxLength: config.maxlen,
  trims: trims(config),
});

export const sasrecSpec = {
  name: 'sasrec',
  paper: 'Kang & McAuley, "Self-Attentive Sequential Recommendation", ICDM 2018, https://arxiv.org/abs/1808.09781',
  options,
  removed,
  epochsOption: 'numEpochs',
  check: checkSasrec,
  logitScale: ({ loss }) => (loss === 'ce' || loss === 'sampled' ? 1 : undefined),
  parameters: (config, catalogue) => sasrecParameters(config, catalogue),
  reading,
  prepare: (sessions, config) => padClicks(sessions, reading(config)),
} satisfies ModelSpec<SasrecConfig>;
