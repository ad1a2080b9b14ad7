/** How SASRec trains: its losses, batches and optimiser, as configuration and as plan. */
import { type LastEpochsConfig, lastEpochs, lastEpochsOptions } from './last-epochs';
import type { ObjectiveSpec, OptionSpecs, TrainingPlan, TrainingRows } from './model';
import { type RepeatsConfig, repeatsConflict, repeatsOptions } from './repeats';
import {
  type SampledConfig,
  type SmoothingConfig,
  sampledOptions,
  sampledSoftmax,
  smoothingConflict,
  smoothingOption,
} from './sampled-softmax';

export interface SasrecTrainingConfig extends SampledConfig, SmoothingConfig, RepeatsConfig, LastEpochsConfig {
  readonly loss: 'ce' | 'sampled' | 'bce' | 'gbce';
  readonly negatives: number;
  readonly gbceT: number;
  readonly nSamplePer: 'batch' | 'sequence';
  readonly lr: number;
  readonly lrSchedule: 'constant' | 'linear';
  readonly beta2: number;
  readonly weightDecay: number;
  readonly decay: 'coupled' | 'decoupled';
  readonly sparseUpdates: boolean;
  readonly batching: 'sessions' | 'same-length';
  readonly batchSize: number;
  readonly batchClicks: number;
  readonly numEpochs: number;
  readonly sampling: 'shuffle' | 'with-replacement';
  readonly l2Emb: number;
}

const OFFICIAL = 'default of the official TensorFlow code';

export const trainingOptions: OptionSpecs<SasrecTrainingConfig> = {
  loss: {
    type: 'choice',
    choices: ['ce', 'sampled', 'bce', 'gbce'],
    default: 'ce',
    doc:
      'ce: softmax over the catalogue; sampled: softmax over nSample items; bce: binary, against sampled negatives; ' +
      'gbce: bce calibrated by gbceT',
    source:
      'bce is the paper; one negative is its largest loss of quality ("Turning Dross Into Gold Loss", RecSys 2023). ' +
      'gbce is gSASRec, for catalogues too large for ce',
  },
  negatives: {
    type: 'integer',
    min: 1,
    max: 100_000,
    words: { auto: 0 },
    default: 0,
    doc:
      'negatives of each click, uniform. auto: 1 in bce, which draws again while they are in the session; 256 in gbce, ' +
      'which does not',
    source: `1 is ${OFFICIAL.replace('default of ', '')}, 256 what gSASRec recommends`,
  },
  gbceT: {
    type: 'number',
    min: 0,
    max: 1,
    default: 0.75,
    doc: 'gbce: calibration t; 0 is bce, 1 gives calibrated probabilities',
    source: 'recommended by gSASRec (Petrov & Macdonald, RecSys 2023)',
  },
  ...sampledOptions,
  nSample: {
    ...sampledOptions.nSample,
    doc: 'sampled: negatives of a batch, or of a sequence; those that equal a target are masked for it',
    source: 'as in GRU4Rec; 3,000 a sequence in "Turning Dross Into Gold Loss"',
  },
  nSamplePer: {
    type: 'choice',
    choices: ['batch', 'sequence'],
    default: 'batch',
    doc: 'sampled: whether all sessions of a batch share nSample negatives, or the clicks of each have as many of their own',
    source: 'batch as in GRU4Rec, many times cheaper; sequence as in "Turning Dross Into Gold Loss", there uniform',
  },
  labelSmoothing: {
    ...smoothingOption,
    doc: 'ce: share of the target that the other items get',
    source: 'no reference code smooths',
  },
  ...repeatsOptions,
  lr: { type: 'number', min: 1e-8, max: 1, default: 0.001, doc: 'step size of Adam (β₁ 0.9)', source: OFFICIAL },
  lrSchedule: {
    type: 'choice',
    choices: ['constant', 'linear'],
    default: 'constant',
    doc: 'whether lr stays, or falls linearly to 0 at the last epoch',
    source: `${OFFICIAL}; linear is ours, for short trainings that end sharp`,
  },
  beta2: {
    type: 'number',
    min: 0,
    max: 0.999999,
    default: 0.98,
    doc: "β₂ of Adam, the memory of the gradient's size",
    source: `${OFFICIAL}; 0.999 in gSASRec`,
  },
  weightDecay: {
    type: 'number',
    min: 0,
    max: 1,
    default: 0,
    doc: 'pull of every weight towards 0',
    source: 'no reference code has it',
  },
  decay: {
    type: 'choice',
    choices: ['coupled', 'decoupled'],
    default: 'decoupled',
    doc: 'weightDecay as a term of the gradient (coupled, Adam), or apart from it (decoupled, AdamW)',
    source: 'Loshchilov & Hutter, "Decoupled Weight Decay Regularization", ICLR 2019',
  },
  sparseUpdates: {
    type: 'boolean',
    default: false,
    doc:
      'sampled, bce, gbce: a step updates only the item vectors that it reads, so that its cost does not grow with the ' +
      'catalogue; the others keep their moments too',
    source: 'false is all reference codes; true is what PyTorch calls SparseAdam',
  },
  batching: {
    type: 'choice',
    choices: ['sessions', 'same-length'],
    default: 'sessions',
    doc: 'sessions: batchSize of any length; same-length: as many of one length as hold batchClicks, without padding',
    source: 'sessions is all reference codes; same-length is ours: several times more steps in the same time',
  },
  batchSize: { type: 'integer', min: 1, max: 65536, default: 128, doc: 'sessions a step', source: OFFICIAL },
  batchClicks: {
    type: 'integer',
    min: 1,
    max: 1_000_000,
    default: 1024,
    doc: 'same-length: predictions a step',
    source: 'ours: small batches of short sessions learn faster than many sessions at once',
  },
  numEpochs: {
    type: 'integer',
    min: 1,
    max: 100_000,
    default: 201,
    doc: 'passes over the log at most; validation stops earlier',
    source: OFFICIAL,
  },
  ...lastEpochsOptions,
  sampling: {
    type: 'choice',
    choices: ['shuffle', 'with-replacement'],
    default: 'shuffle',
    doc: 'shuffle: every session once an epoch; with-replacement: as many, drawn at random',
    source: 'the official code draws users with replacement; sessions are many and short, and none should be missed',
  },
  l2Emb: {
    type: 'number',
    min: 0,
    max: 1,
    default: 0,
    doc: 'weight of the sum of squares of the item table in the loss',
    source: `${OFFICIAL}; the term itself as in the PyTorch port`,
  },
};

/** Why two training options do not go together, in words, or nothing. */
export function trainingConflict(config: SasrecTrainingConfig): string | undefined {
  const { loss, sparseUpdates, l2Emb, batching, sampling } = config;
  const smoothing = smoothingConflict(config, 'ce');
  if (smoothing) return smoothing;
  const repeats = repeatsConflict(config, 'ce');
  if (repeats) return repeats;
  if (loss === 'sampled' && config.nSamplePer === 'sequence') {
    if (config.repeatLags > 0) {
      return '"repeatLags" needs "nSamplePer" batch: draws of a sequence do not know what it holds.';
    }
    if (config.logqOf === 'draws') return '"logqOf" draws needs "nSamplePer" batch, whose draws stand for all items.';
  }
  if (sparseUpdates && loss === 'ce') {
    return '"sparseUpdates" needs loss "sampled", "bce" or "gbce": the softmax of "ce" reads every item vector.';
  }
  if (sparseUpdates && l2Emb > 0) {
    return '"sparseUpdates" and "l2Emb" do not go together: the penalty moves every item vector. Use "weightDecay".';
  }
  if (batching === 'same-length' && sampling !== 'shuffle') {
    return `"batching" same-length needs "sampling" shuffle, got "${sampling}".`;
  }
  return undefined;
}

function objective(config: SasrecTrainingConfig): ObjectiveSpec {
  const { loss, negatives, gbceT, nSample, nSamplePer, sampleAlpha, labelSmoothing, l2Emb } = config;
  const l2 = { weight: l2Emb, params: ['items'], power: 2 } as const;
  switch (loss) {
    case 'ce':
      return { loss: 'cross-entropy', negatives: { kind: 'catalogue' }, labelSmoothing, reduction: 'mean', l2 };
    case 'sampled': {
      const perRow = { kind: 'per-row', count: nSample, reject: 'none', alpha: sampleAlpha } as const;
      return { ...sampledSoftmax(config), ...(nSamplePer === 'sequence' && { negatives: perRow }), l2 };
    }
    case 'bce': {
      const spec = { kind: 'per-position', count: negatives || 1, reject: 'session' } as const;
      return { loss: 'bce', negatives: spec, reduction: 'mean', l2 };
    }
    case 'gbce': {
      const spec = { kind: 'per-position', count: negatives || 256, reject: 'none' } as const;
      return { loss: 'gbce', negatives: spec, calibration: gbceT, reduction: 'mean', l2 };
    }
  }
}

function rows(config: SasrecTrainingConfig, maxLength: number): TrainingRows {
  const { batching, batchClicks, sampling } = config;
  const scheme = { kind: 'sequences', maxLength, sampling } as const;
  return batching === 'same-length' ? { ...scheme, sameLength: { clicks: batchClicks } } : scheme;
}

/** The plan of a configuration whose model sees `maxLength` clicks. */
export const trainingPlan = (config: SasrecTrainingConfig, maxLength: number): TrainingPlan => ({
  rows: rows(config, maxLength),
  batchSize: config.batchSize,
  epochs: config.numEpochs,
  ...lastEpochs(config),
  objective: objective(config),
  optimiser: {
    kind: 'adam',
    learningRate: config.lr,
    beta1: 0.9,
    beta2: config.beta2,
    epsilon: 1e-8,
    weightDecay: { amount: config.weightDecay, kind: config.decay },
    touchedRows: config.sparseUpdates,
  },
  schedule: { kind: config.lrSchedule },
});
