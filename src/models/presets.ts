import { nearestName, RecommenderError } from '../errors';

/** Named configurations, each with the data that chose it. `--set` changes single keys of one. */
export interface Preset {
  readonly doc: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** GRU4Rec's authors tuned per shop (100 to 200 trials each); one layer, constrained, 10 epochs, 2,048 extra negatives. */
const GRU4REC: Readonly<Record<string, Preset>> = {
  retailrocket: {
    doc: 'small shop, BPR-max; tuned by the authors on RetailRocket',
    config: {
      loss: 'bpr-max',
      layers: [224],
      batchSize: 80,
      dropoutPEmbed: 0.5,
      dropoutPHidden: 0.05,
      learningRate: 0.05,
      momentum: 0.4,
      sampleAlpha: 0.4,
      bpreg: 1.95,
      eluParam: 0.5,
    },
  },
  diginetica: {
    doc: 'BPR-max; tuned by the authors on Diginetica',
    config: {
      loss: 'bpr-max',
      layers: [512],
      batchSize: 128,
      dropoutPEmbed: 0.5,
      dropoutPHidden: 0.3,
      learningRate: 0.05,
      momentum: 0.15,
      sampleAlpha: 0.3,
      bpreg: 0.9,
      eluParam: 1,
    },
  },
  yoochoose: {
    doc: 'large shop, cross-entropy; tuned by the authors on Yoochoose',
    config: {
      loss: 'cross-entropy',
      layers: [480],
      batchSize: 48,
      dropoutPHidden: 0.2,
      learningRate: 0.07,
      sampleAlpha: 0.2,
      logq: 1,
    },
  },
  rsc15: {
    doc: 'small network, cross-entropy; the parameter file of the authors for RSC15',
    config: {
      loss: 'cross-entropy',
      layers: [100],
      batchSize: 32,
      dropoutPHidden: 0.4,
      learningRate: 0.2,
      momentum: 0.2,
      sampleAlpha: 0.5,
      logq: 1,
    },
  },
};

/**
 * Sessions are predicted click by click, so positions count from their start: a prefix then stands at test time where it
 * stood in training. With positions from the end the last place would be trained by each session's last click only.
 */
const BY_CLICK = {
  norm: 'pre',
  positions: 'start',
  loss: 'ce',
  hiddenUnits: 128,
  numHeads: 2,
  maxlen: 50,
  lr: 0.002,
  lrSchedule: 'linear',
};

const SASREC: Readonly<Record<string, Preset>> = {
  eshop: {
    doc: 'small catalogue, long sessions; chosen on a validation week of eshop-clothing-2008',
    config: {
      ...BY_CLICK,
      dropoutRate: 0.1,
      batchSize: 16,
      numEpochs: 10,
    },
  },
  'yoochoose-100k': {
    doc: 'short anonymous sessions, a few thousand items; chosen on a validation day of yoochoose-100k',
    config: {
      ...BY_CLICK,
      dropoutRate: 0.3,
      batchSize: 32,
      numEpochs: 8,
    },
  },
  gsasrec: {
    doc: 'long histories, large catalogue, gBCE; what the authors of gSASRec ran on MovieLens-1M',
    config: {
      norm: 'tf',
      inputScale: 'none',
      layerNormEps: 1e-5,
      reuseItemEmbeddings: false,
      init: 'torch',
      loss: 'gbce',
      negatives: 256,
      gbceT: 0.75,
      beta2: 0.999,
      hiddenUnits: 128,
      maxlen: 200,
      dropoutRate: 0.5,
      batchSize: 128,
    },
  },
};

/** By architecture, then by name. */
export const presets: Readonly<Record<string, Readonly<Record<string, Preset>>>> = { gru4rec: GRU4REC, sasrec: SASREC };

/** @throws RecommenderError `bad-config` for a name that the architecture does not have. */
export function presetOf(model: string, name: string): Preset {
  const known = (Object.hasOwn(presets, model) && presets[model]) || {};
  if (Object.hasOwn(known, name)) return known[name]!;
  const names = Object.keys(known);
  const nearest = nearestName(name, names);
  const rest =
    names.length === 0 ? 'it has none.' : `it has ${names.join(', ')}${nearest ? `; did you mean ${nearest}?` : '.'}`;
  throw new RecommenderError('bad-config', `${model} has no preset "${name}": ${rest}`);
}
