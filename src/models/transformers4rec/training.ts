/** How Transformers4Rec learns. */
import { lastEpochs } from '../last-epochs';
import type { MaskingSpec, NegativeSpec, ObjectiveSpec, TrainingPlan } from '../model';
import { sampledSoftmax } from '../sampled-softmax';
import type { T4RecConfig } from './options';
import { seesPadding } from './settings';

export const training = (config: T4RecConfig): TrainingPlan => ({
  rows: {
    kind: 'masked',
    maxLength: config.totalSeqLength,
    masking: masking(config),
    labels: config.swapLabels ? 'prepared' : 'log',
    prefixes: config.trainOnPrefixes,
    ...(config.batching === 'same-length' && { sameLength: { clicks: config.batchClicks } }),
  },
  batchSize: config.batchSize,
  epochs: config.nEpochs,
  ...lastEpochs(config),
  objective: objective(config),
  optimiser: {
    kind: 'adam',
    learningRate: config.learningRate,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: { amount: config.weightDecay, kind: 'decoupled' },
    touchedRows: config.sparseUpdates,
    ...(config.maxGradNorm > 0 && { clipNorm: config.maxGradNorm }),
  },
  schedule: { kind: config.lrSchedule },
});

function masking(config: T4RecConfig): MaskingSpec {
  switch (config.objective) {
    case 'clm':
      return { kind: 'next', only: config.trainOnLastItemSeqOnly ? 'last' : 'all' };
    case 'mlm':
    case 'rtd':
      return { kind: 'tokens', probability: config.mlmProbability };
    case 'plm':
      return { kind: 'spans', probability: config.plmProbability, maxSpan: config.maxSpanLength };
  }
}

/** The library's: a score of e^−655 is none, and the softmax does not mind that it is not lower. */
const HIT = -655.04;

/** What targets are compared with. */
function softmax(config: T4RecConfig): ObjectiveSpec {
  const { form, maxNSamples, sampleAlpha, logq, logqOf } = config;
  const full = { loss: 'cross-entropy', reduction: 'mean' } as const;
  if (!config.sampledSoftmax) {
    return { ...full, negatives: { kind: 'catalogue' }, paddingColumn: form === 'library' };
  }
  if (config.sampleBy === 'popularity') return sampledSoftmax({ nSample: maxNSamples, sampleAlpha, logq, logqOf });
  const negatives: NegativeSpec = {
    ...{ kind: 'shared', inBatch: false, extra: 2 * maxNSamples, alpha: 1 },
    distribution: 'log-uniform',
  };
  return { ...full, negatives, logq, maskHits: HIT };
}

function objective(config: T4RecConfig): ObjectiveSpec {
  return {
    ...softmax(config),
    labelSmoothing: config.labelSmoothing,
    labelSmoothingOver: config.form === 'paper' ? 'others' : 'all',
    // Vectors that score by cosine are divided by it themselves.
    temperature: config.scoring === 'cosine' ? 1 : config.softmaxTemperature || 1,
    ...(config.objective === 'rtd' && {
      replaced: {
        weight: config.rtdDiscriminatorLossWeight,
        generatorWeight: config.rtdGeneratorLossWeight,
        candidates: config.rtdSampleFromBatch ? 'batch' : 'catalogue',
        over: seesPadding(config) ? 'all' : 'clicks',
      },
    }),
  };
}
