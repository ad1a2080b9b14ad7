/** Configuration of SASRec: names of the official TensorFlow code in camelCase, and a few keys of our own. */
import type { OptionSpecs } from './model';

export interface SasrecConfig {
  readonly hiddenUnits: number;
  readonly maxlen: number;
  readonly numBlocks: number;
  readonly numHeads: number;
  readonly dropoutRate: number;
  readonly norm: 'tf' | 'pre' | 'post';
  readonly outputProjection: 'auto' | 'true' | 'false';
  readonly maskPadding: 'auto' | 'true' | 'false';
  readonly positions: 'end' | 'start';
  readonly loss: 'ce' | 'sampled' | 'bce';
  readonly negatives: number;
  readonly nSample: number;
  readonly sampleAlpha: number;
  readonly logq: number;
  readonly lr: number;
  readonly lrSchedule: 'constant' | 'linear';
  readonly batchSize: number;
  readonly numEpochs: number;
  readonly sampling: 'shuffle' | 'with-replacement';
  readonly l2Emb: number;
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
  dropoutRate: {
    type: 'number',
    min: 0,
    max: 0.95,
    default: 0.5,
    doc: 'dropout of embedded clicks, attention weights and both feed-forward layers',
    source: `${OFFICIAL}; 0.2 for long histories`,
  },
  norm: {
    type: 'choice',
    choices: ['tf', 'pre', 'post'],
    default: 'tf',
    doc: 'where layers are normalised: tf with residuals from the normalised values, pre before, post after each layer',
    source:
      'tf is the official code, pre and post the PyTorch port of 2025; they differ by at most 3 % in its own runs',
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
  loss: {
    type: 'choice',
    choices: ['ce', 'sampled', 'bce'],
    default: 'ce',
    doc: 'ce: softmax over the catalogue; sampled: softmax over nSample items; bce: binary, against sampled negatives',
    source:
      'bce is the paper; one negative is its largest loss of quality ("Turning Dross Into Gold Loss", RecSys 2023)',
  },
  negatives: {
    type: 'integer',
    min: 1,
    max: 100_000,
    default: 1,
    doc: "bce: negatives of each click, uniform, drawn again while they are in the click's session",
    source: OFFICIAL,
  },
  nSample: {
    type: 'integer',
    min: 1,
    max: 1_000_000,
    default: 2048,
    doc: 'sampled: negatives a step, shared by the batch; those that equal a target are masked for it',
    source: 'as in GRU4Rec; 3,000 a sequence in "Turning Dross Into Gold Loss"',
  },
  sampleAlpha: {
    type: 'number',
    min: 0,
    max: 1,
    default: 0.5,
    doc: 'sampled: negatives are drawn ∝ support^sampleAlpha: 0 uniform, 1 by popularity',
    source: 'as in GRU4Rec',
  },
  logq: {
    type: 'number',
    min: 0,
    max: 1,
    default: 1,
    doc: 'sampled: share of the log of the sampling frequency taken off all scores, targets included',
    source: '1 makes the sampled softmax an unbiased estimate of the full one in the limit',
  },
  lr: {
    type: 'number',
    min: 1e-8,
    max: 1,
    default: 0.001,
    doc: 'step size of Adam (β₁ 0.9, β₂ 0.98)',
    source: OFFICIAL,
  },
  lrSchedule: {
    type: 'choice',
    choices: ['constant', 'linear'],
    default: 'constant',
    doc: 'whether lr stays, or falls linearly to 0 at the last epoch',
    source: `${OFFICIAL}; linear is ours, for short trainings that end sharp`,
  },
  batchSize: { type: 'integer', min: 1, max: 65536, default: 128, doc: 'sessions a step', source: OFFICIAL },
  numEpochs: {
    type: 'integer',
    min: 1,
    max: 100_000,
    default: 201,
    doc: 'passes over the log at most; validation stops earlier',
    source: OFFICIAL,
  },
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
