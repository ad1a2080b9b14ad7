/** Configuration of Caser: names of the official PyTorch code in camelCase, and profiles in place of users. */
import { type LastEpochsConfig, lastEpochsOptions } from './last-epochs';
import type { OptionSpecs } from './model';
import { type RepeatsConfig, repeatsOptions } from './repeats';
import { type SampledConfig, type SmoothingConfig, sampledOptions, smoothingOption } from './sampled-softmax';
import { type InputScaleConfig, inputScaleOption, scoringOptions } from './scoring';

export interface CaserConfig extends SampledConfig, SmoothingConfig, InputScaleConfig, RepeatsConfig, LastEpochsConfig {
  readonly d: number;
  readonly L: number;
  readonly T: number;
  readonly nv: number;
  readonly nh: number;
  readonly drop: number;
  readonly dropoutEmbed: number;
  readonly acConv: 'relu' | 'iden' | 'tanh' | 'sigm';
  readonly acFc: 'relu' | 'iden' | 'tanh' | 'sigm';
  readonly profile: 'session' | 'device' | 'shared' | 'none' | 'user';
  readonly profileLength: number;
  readonly profileDecay: number;
  readonly profileGap: number;
  readonly users: number;
  readonly outputTable: 'own' | 'inputs';
  readonly padding: 'zero' | 'trained';
  readonly windows: 'full' | 'all';
  readonly loss: 'binary' | 'cross-entropy' | 'sampled';
  readonly negSamples: number;
  readonly negPer: 'instance' | 'target';
  readonly negFrom: 'unseen' | 'all';
  readonly batchSize: number;
  readonly learningRate: number;
  readonly lrSchedule: 'constant' | 'linear';
  readonly l2: number;
  readonly sparseUpdates: boolean;
  readonly nIter: number;
}

const OFFICIAL = 'default of the official PyTorch code';
const ACTIVATIONS = ['relu', 'iden', 'tanh', 'sigm'];

export const options: OptionSpecs<CaserConfig> = {
  d: { type: 'integer', min: 1, max: 4096, default: 50, doc: 'width of the vectors', source: OFFICIAL },
  L: {
    type: 'integer',
    min: 1,
    max: 512,
    default: 5,
    doc: 'clicks that the filters see, the most recent ones; one height of horizontal filters for each length up to it',
    source: OFFICIAL,
  },
  T: {
    type: 'integer',
    min: 1,
    max: 64,
    default: 3,
    doc: 'items after the window that each instance predicts; more than one teaches to skip, 1 is strictly the next item',
    source: OFFICIAL,
  },
  nv: { type: 'integer', min: 1, max: 1024, default: 4, doc: 'vertical filters', source: OFFICIAL },
  nh: { type: 'integer', min: 1, max: 1024, default: 16, doc: 'horizontal filters of each height', source: OFFICIAL },
  drop: {
    type: 'number',
    min: 0,
    max: 0.95,
    default: 0.5,
    doc: 'dropout of what the filters found',
    source: OFFICIAL,
  },
  dropoutEmbed: {
    type: 'number',
    min: 0,
    max: 0.95,
    default: 0,
    doc: 'dropout of the item vectors of clicks, in the window and in the profile',
    source: '0 is the official PyTorch code; as in the other models, where item vectors learn by heart',
  },
  acConv: {
    type: 'choice',
    choices: ACTIVATIONS,
    default: 'relu',
    doc: 'activation of the horizontal filters; the vertical ones have none',
    source: OFFICIAL,
  },
  acFc: {
    type: 'choice',
    choices: ACTIVATIONS,
    default: 'relu',
    doc: 'activation of the fully connected layer',
    source: OFFICIAL,
  },
  profile: {
    type: 'choice',
    choices: ['session', 'device', 'shared', 'none', 'user'],
    default: 'session',
    doc:
      'what stands for general taste: the mean of all items of the session in a second table; the same over the earlier ' +
      'sessions of this device too, which fade; one vector for everybody; nothing; a vector for each user of the log',
    source:
      'ours: the paper has users (user), whom a shop without accounts does not know; their vector is zero to strangers',
  },
  profileLength: {
    type: 'integer',
    min: 1,
    max: 100_000,
    default: 200,
    doc: 'session, device: most recent clicks that count',
    source: 'ours: longer than nearly all sessions',
  },
  profileDecay: {
    type: 'number',
    min: 0,
    max: 1,
    default: 0.7,
    doc: 'device: weight of the clicks of the session before, its square for the one before that, and so on',
    source: 'ours: the tenth session back counts for less than a thirtieth',
  },
  profileGap: {
    type: 'number',
    min: 0,
    max: 1_000_000,
    default: 30,
    doc: 'device: minutes without a click after which an earlier session is told apart, in the list of all that a visitor clicked',
    source: 'ours: as the library’s sessionGap',
  },
  users: {
    type: 'integer',
    min: 0,
    max: 100_000_000,
    default: 0,
    doc: 'user: number of users; set by training',
    source: 'users of the log',
  },
  outputTable: {
    type: 'choice',
    choices: ['own', 'inputs'],
    default: 'own',
    doc:
      'what scores items: a table of its own, or the tables that clicks are looked up in; own learns for each item apart ' +
      'that it is clicked again, inputs knows it of all (profile session, device or none)',
    source: 'own is the paper and its code; inputs is ours, near to RecBole’s port, which is no Caser',
  },
  ...scoringOptions,
  scoring: {
    ...scoringOptions.scoring,
    doc: `${scoringOptions.scoring.doc}; no item has a bias`,
  },
  inputScale: {
    ...inputScaleOption,
    doc: 'factor of embedded clicks: √d, √d/2 or 1; auto: 1, with cosine scoring √d/2',
    source: '1 is the official PyTorch code; √d/2 is ours, for vectors of length 1',
  },
  padding: {
    type: 'choice',
    choices: ['zero', 'trained'],
    default: 'zero',
    doc: 'vector of the places before the first click of a session that is shorter than L: zero, or learnt as an item’s is',
    source: 'trained is the official code; zero is saner: padding then says nothing',
  },
  windows: {
    type: 'choice',
    choices: ['full', 'all'],
    default: 'full',
    doc: 'instances: windows of L + T clicks, one for a session with fewer; or also those with fewer clicks before the targets',
    source: 'full is the official code; all is ours, for sessions that are mostly shorter than L + T',
  },
  loss: {
    type: 'choice',
    choices: ['binary', 'cross-entropy', 'sampled'],
    default: 'binary',
    doc:
      'binary: each target, and negatives, on their own; cross-entropy: softmax over the catalogue, without negatives; ' +
      'sampled: softmax over nSample items',
    source:
      'binary is the paper and its code; cross-entropy is RecBole’s and ours: it asks which of the likely items is next; ' +
      'sampled is ours, for catalogues of tens of thousands of items',
  },
  ...sampledOptions,
  ...repeatsOptions,
  labelSmoothing: {
    ...smoothingOption,
    source: 'the official code has no softmax to smooth',
  },
  negSamples: {
    type: 'integer',
    min: 1,
    max: 100_000,
    default: 3,
    doc: 'binary: negatives of each instance, or of each target',
    source: OFFICIAL,
  },
  negPer: {
    type: 'choice',
    choices: ['instance', 'target'],
    default: 'instance',
    doc: 'whether the T targets of an instance share negSamples negatives, or each has as many',
    source: 'instance is the official code, target the text of the paper',
  },
  negFrom: {
    type: 'choice',
    choices: ['unseen', 'all'],
    default: 'unseen',
    doc: 'negatives uniform over the items that the session does not hold, or over all: then what was clicked learns to give way',
    source:
      'unseen is the official code, which never ranks what a user has had; all is ours, where clicked items are ranked too',
  },
  batchSize: { type: 'integer', min: 1, max: 65536, default: 512, doc: 'instances a step', source: OFFICIAL },
  learningRate: {
    type: 'number',
    min: 1e-8,
    max: 1,
    default: 0.001,
    doc: 'step size of Adam (β₁ 0.9, β₂ 0.999)',
    source: OFFICIAL,
  },
  lrSchedule: {
    type: 'choice',
    choices: ['constant', 'linear'],
    default: 'constant',
    doc: 'whether learningRate stays, or falls linearly to 0 at the last epoch',
    source: 'constant is the official code; linear is ours, for short trainings that end sharp',
  },
  l2: {
    type: 'number',
    min: 0,
    max: 1,
    default: 1e-6,
    doc: 'weight decay of all parameters, added to the gradient (coupled)',
    source: OFFICIAL,
  },
  sparseUpdates: {
    type: 'boolean',
    default: false,
    doc:
      'binary, sampled: a step updates only the item vectors that it reads, so that its cost does not grow with the catalogue; ' +
      'the others keep their moments, and do not decay',
    source: 'false is the official code; true is what PyTorch calls SparseAdam',
  },
  nIter: {
    type: 'integer',
    min: 1,
    max: 100_000,
    default: 50,
    doc: 'passes over the log at most; validation stops earlier',
    source: OFFICIAL,
  },
  ...lastEpochsOptions,
};
