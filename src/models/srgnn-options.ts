/** Configuration of SR-GNN: names of the official PyTorch code in camelCase, and the forms of code and paper by name. */
import { type LastEpochsConfig, lastEpochsOptions } from './last-epochs';
import type { OptionSpecs } from './model';
import { type RepeatsConfig, repeatsOptions } from './repeats';
import { type SampledConfig, type SmoothingConfig, sampledOptions, smoothingOption } from './sampled-softmax';
import { type InputScaleConfig, inputScaleOption, scoringOptions } from './scoring';

export interface SrgnnConfig extends SampledConfig, SmoothingConfig, InputScaleConfig, RepeatsConfig, LastEpochsConfig {
  readonly hiddenSize: number;
  readonly maxlen: number;
  readonly step: number;
  readonly cell: 'code' | 'paper';
  readonly edges: 'binary' | 'counted';
  readonly readout: 'hybrid' | 'global' | 'local';
  readonly positions: 'none' | 'reverse';
  readonly dropoutEmbed: number;
  readonly init: 'uniform' | 'normal';
  readonly loss: 'cross-entropy' | 'binary' | 'sampled';
  readonly batching: 'prefixes' | 'same-length';
  readonly batchSize: number;
  readonly batchClicks: number;
  readonly lr: number;
  readonly lrSchedule: 'step' | 'linear';
  readonly lrDc: number;
  readonly lrDcStep: number;
  readonly l2: number;
  readonly decay: 'coupled' | 'decoupled';
  readonly sparseUpdates: boolean;
  readonly epoch: number;
  readonly patience: number;
}

const OFFICIAL = 'default of the official PyTorch code';

export const options: OptionSpecs<SrgnnConfig> = {
  hiddenSize: { type: 'integer', min: 1, max: 4096, default: 100, doc: 'width d of the vectors', source: OFFICIAL },
  maxlen: {
    type: 'integer',
    min: 1,
    max: 4096,
    default: 50,
    doc: 'clicks that the model sees; of longer sessions the most recent ones',
    source: 'ours, as RecBole cuts; the official code takes the longest session of its data',
  },
  step: {
    type: 'integer',
    min: 1,
    max: 64,
    default: 1,
    doc: 'rounds of messages along the edges',
    source: OFFICIAL,
  },
  cell: {
    type: 'choice',
    choices: ['code', 'paper'],
    default: 'code',
    doc: 'gated unit: code with the reset gate after the recurrent product and with biases; paper with it before, and none',
    source: 'code is the official PyTorch code, so that its weights load; paper is equations 1 to 5 of the paper',
  },
  edges: {
    type: 'choice',
    choices: ['binary', 'counted'],
    default: 'binary',
    doc: 'weight of a transition that occurs several times: once, or as often as it occurs',
    source: 'binary is the official code; counted is the wording of the paper, occurrences divided by the out-degree',
  },
  readout: {
    type: 'choice',
    choices: ['hybrid', 'global', 'local'],
    default: 'hybrid',
    doc: 'session vector: attention over all clicks joined with the last click, the attention alone, or the last click alone',
    source: `${OFFICIAL}; global is its "nonhybrid", local is studied in the paper`,
  },
  positions: {
    type: 'choice',
    choices: ['none', 'reverse'],
    default: 'none',
    doc: 'reverse: a learnt vector for each distance from the last click is added to the states that the attention reads',
    source: 'none is the paper; reverse is NISER+ (2019), and GCE-GNN (SIGIR 2020) inside its attention',
  },
  dropoutEmbed: {
    type: 'number',
    min: 0,
    max: 0.95,
    default: 0,
    doc: 'dropout of the item vectors that the nodes start from',
    source: '0 is the official PyTorch code; 0.1 in NISER+',
  },
  ...scoringOptions,
  inputScale: {
    ...inputScaleOption,
    doc: 'factor of embedded clicks: √d, √d/2 or 1; auto: 1, with cosine scoring √d/2',
    source: '1 is the official PyTorch code; √d/2 is ours, for vectors of length 1',
  },
  init: {
    type: 'choice',
    choices: ['uniform', 'normal'],
    default: 'uniform',
    doc: 'start of all parameters: uniform within ±1/√hiddenSize, or normal with standard deviation 0.1',
    source: 'uniform is the official code, normal the paper',
  },
  loss: {
    type: 'choice',
    choices: ['cross-entropy', 'binary', 'sampled'],
    default: 'cross-entropy',
    doc:
      'softmax over the catalogue: its cross-entropy, or binary: also −log(1 − p) of every other item; sampled: ' +
      'cross-entropy of a softmax over nSample items',
    source:
      'cross-entropy is the official code, binary what the paper writes; sampled is ours, for catalogues of tens of ' +
      'thousands of items',
  },
  ...sampledOptions,
  ...repeatsOptions,
  labelSmoothing: {
    ...smoothingOption,
    source: 'the official code does not smooth',
  },
  batching: {
    type: 'choice',
    choices: ['prefixes', 'same-length'],
    default: 'prefixes',
    doc: 'prefixes: batchSize of any length; same-length: as many of one length as hold batchClicks, without padding',
    source:
      'prefixes is the official code; same-length is ours: most prefixes are short, and padding costs as clicks do',
  },
  batchSize: { type: 'integer', min: 1, max: 65536, default: 100, doc: 'session prefixes a step', source: OFFICIAL },
  batchClicks: {
    type: 'integer',
    min: 1,
    max: 1_000_000,
    default: 512,
    doc: 'same-length: clicks a step',
    source: 'ours: about 100 prefixes of short sessions',
  },
  lr: {
    type: 'number',
    min: 1e-8,
    max: 1,
    default: 0.001,
    doc: 'step size of Adam (β₁ 0.9, β₂ 0.999)',
    source: OFFICIAL,
  },
  lrSchedule: {
    type: 'choice',
    choices: ['step', 'linear'],
    default: 'step',
    doc: 'whether lr falls by lrDc every lrDcStep epochs, or linearly to 0 at the last epoch',
    source: 'step is the official code; linear is ours, for short trainings that end sharp',
  },
  lrDc: {
    type: 'number',
    min: 0,
    max: 1,
    default: 0.1,
    doc: 'step: what lr is multiplied by every lrDcStep epochs',
    source: OFFICIAL,
  },
  lrDcStep: {
    type: 'integer',
    min: 1,
    max: 100_000,
    default: 3,
    doc: 'step: epochs between two decays of lr',
    source: OFFICIAL,
  },
  l2: {
    type: 'number',
    min: 0,
    max: 1,
    default: 1e-5,
    doc: 'weight decay of all parameters',
    source: OFFICIAL,
  },
  decay: {
    type: 'choice',
    choices: ['coupled', 'decoupled'],
    default: 'coupled',
    doc: 'l2 as a term of the gradient (coupled, Adam), or apart from it (decoupled, AdamW)',
    source: 'coupled is the official code; Loshchilov & Hutter, "Decoupled Weight Decay Regularization", ICLR 2019',
  },
  sparseUpdates: {
    type: 'boolean',
    default: false,
    doc:
      'sampled: a step updates only the item vectors that it reads, so that its cost does not grow with the catalogue; ' +
      'the others keep their moments, and do not decay',
    source: 'false is the official code; true is what PyTorch calls SparseAdam',
  },
  epoch: {
    type: 'integer',
    min: 1,
    max: 100_000,
    default: 30,
    doc: 'passes over the log at most; validation stops earlier',
    source: OFFICIAL,
  },
  ...lastEpochsOptions,
  patience: {
    type: 'integer',
    min: 1,
    max: 100_000,
    default: 10,
    doc: 'epochs without a better validation after which training ends',
    source: `${OFFICIAL}, which waits for one of two metrics of the test set`,
  },
};
