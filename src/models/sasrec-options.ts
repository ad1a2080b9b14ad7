/** Configuration of SASRec: names of the official TensorFlow code in camelCase, and a few keys of our own. */
import type { OptionSpecs } from './model';
import { type SasrecTrainingConfig, trainingOptions } from './sasrec-training';
import { type InputScaleConfig, inputScaleOption, scoringOptions } from './scoring';

export interface SasrecConfig extends SasrecTrainingConfig, InputScaleConfig {
  readonly hiddenUnits: number;
  readonly maxlen: number;
  readonly numBlocks: number;
  readonly numHeads: number;
  readonly innerSize: number;
  readonly activation: 'auto' | 'relu' | 'gelu' | 'silu';
  readonly dropoutRate: number;
  readonly dropoutEmbed: number;
  readonly norm: 'tf' | 'pre' | 'post';
  readonly layerNormEps: number;
  readonly outputProjection: 'auto' | 'true' | 'false';
  readonly maskPadding: 'auto' | 'true' | 'false';
  readonly positions: 'end' | 'start';
  readonly reuseItemEmbeddings: boolean;
  readonly init: 'auto' | 'torch' | 'normal';
  readonly initStd: number;
}

const OFFICIAL = 'default of the official TensorFlow code';

export const options: OptionSpecs<SasrecConfig> = {
  hiddenUnits: { type: 'integer', min: 1, max: 4096, default: 50, doc: 'width d of the vectors', source: OFFICIAL },
  maxlen: {
    type: 'integer',
    min: 1,
    max: 4096,
    default: 50,
    doc: 'clicks that the model sees; of longer sessions the most recent ones',
    source: `${OFFICIAL}; 200 for long histories such as MovieLens`,
  },
  numBlocks: {
    type: 'integer',
    min: 1,
    max: 64,
    default: 2,
    doc: 'blocks of attention and feed-forward',
    source: OFFICIAL,
  },
  numHeads: {
    type: 'integer',
    min: 1,
    max: 256,
    default: 1,
    doc: 'attention heads; hiddenUnits must be a multiple',
    source: OFFICIAL,
  },
  innerSize: {
    type: 'integer',
    min: 1,
    max: 65536,
    words: { auto: 0 },
    default: 0,
    doc: 'width of the feed-forward layers; auto: hiddenUnits',
    source: `${OFFICIAL}, which does not widen; the name is RecBole's`,
  },
  activation: {
    type: 'choice',
    choices: ['auto', 'relu', 'gelu', 'silu'],
    default: 'auto',
    doc: 'between the feed-forward layers: relu, gelu in its exact form, or silu; auto: relu',
    source: OFFICIAL,
  },
  dropoutRate: {
    type: 'number',
    min: 0,
    max: 0.95,
    default: 0.5,
    doc: 'dropout of embedded clicks, attention weights and both feed-forward layers',
    source: `${OFFICIAL}; 0.2 for long histories`,
  },
  dropoutEmbed: {
    type: 'number',
    min: 0,
    max: 0.95,
    words: { same: -1 },
    default: -1,
    doc: 'dropout of embedded clicks, where it is not that of the other layers',
    source: 'all reference codes have one rate',
  },
  norm: {
    type: 'choice',
    choices: ['tf', 'pre', 'post'],
    default: 'tf',
    doc: 'where layers are normalised: tf with residuals from the normalised values, pre before, post after each layer',
    source:
      'tf is the official code, pre and post the PyTorch port of 2025; they differ by at most 3 % in its own runs',
  },
  layerNormEps: {
    type: 'number',
    min: 0,
    max: 1,
    default: 1e-8,
    doc: 'added to the variance where layers are normalised',
    source: `${OFFICIAL}, and of the port; 1e-5 in gSASRec`,
  },
  outputProjection: {
    type: 'choice',
    choices: ['auto', 'true', 'false'],
    default: 'auto',
    doc: 'one more linear layer after the attention heads are joined; auto: not in tf, in pre and post',
    source: 'auto is what the reference of each form does; tf with it is the PyTorch port of 2020',
  },
  maskPadding: {
    type: 'choice',
    choices: ['auto', 'true', 'false'],
    default: 'auto',
    doc: 'keep attention off padding; auto: in tf, not in pre and post. With it short sessions cost less',
    source: 'auto is what the reference of each form does',
  },
  positions: {
    type: 'choice',
    choices: ['end', 'start'],
    default: 'end',
    doc: 'count positions from the end (the newest click has the last one) or from the start of the session',
    source: 'end is all reference codes; with start earlier clicks keep their vectors when one more comes',
  },
  inputScale: {
    ...inputScaleOption,
    doc: 'factor of embedded clicks: √d, √d/2 or 1; auto: √d, with cosine scoring √d/2',
    source: '√d is the official TensorFlow code, none gSASRec; √d/2 is ours, for vectors of length 1',
  },
  reuseItemEmbeddings: {
    type: 'boolean',
    default: true,
    doc: 'score with the table that embeds the clicks; false: with a table of its own',
    source: 'true is the paper and its codes, false the default of gSASRec',
  },
  ...scoringOptions,
  init: {
    type: 'choice',
    choices: ['auto', 'torch', 'normal'],
    default: 'auto',
    doc: "how weights start: auto as in the form's code; torch: tables N(0, 1), layers by fan-in; normal: N(0, initStd)",
    source: 'auto is Glorot, torch what gSASRec leaves to PyTorch, normal the habit of BERT and RecBole',
  },
  initStd: {
    type: 'number',
    min: 1e-6,
    max: 10,
    default: 0.02,
    doc: 'standard deviation of init=normal',
    source: 'BERT, RecBole and CoSeRec',
  },
  ...trainingOptions,
};
