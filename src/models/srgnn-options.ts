/** Configuration of SR-GNN: names of the official PyTorch code in camelCase, and the forms of code and paper by name. */
import type { OptionSpecs } from './model';

export interface SrgnnConfig {
  readonly hiddenSize: number;
  readonly maxlen: number;
  readonly step: number;
  readonly cell: 'code' | 'paper';
  readonly edges: 'binary' | 'counted';
  readonly readout: 'hybrid' | 'global' | 'local';
  readonly init: 'uniform' | 'normal';
  readonly loss: 'cross-entropy' | 'binary';
  readonly batching: 'prefixes' | 'same-length';
  readonly batchSize: number;
  readonly batchClicks: number;
  readonly lr: number;
  readonly lrDc: number;
  readonly lrDcStep: number;
  readonly l2: number;
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
  init: {
    type: 'choice',
    choices: ['uniform', 'normal'],
    default: 'uniform',
    doc: 'start of all parameters: uniform within ±1/√hiddenSize, or normal with standard deviation 0.1',
    source: 'uniform is the official code, normal the paper',
  },
  loss: {
    type: 'choice',
    choices: ['cross-entropy', 'binary'],
    default: 'cross-entropy',
    doc: 'softmax over the catalogue: its cross-entropy, or binary: also −log(1 − p) of every other item',
    source: 'cross-entropy is the official code, binary what the paper writes',
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
  lrDc: {
    type: 'number',
    min: 0,
    max: 1,
    default: 0.1,
    doc: 'what lr is multiplied by every lrDcStep epochs',
    source: OFFICIAL,
  },
  lrDcStep: {
    type: 'integer',
    min: 1,
    max: 100_000,
    default: 3,
    doc: 'epochs between two decays of lr',
    source: OFFICIAL,
  },
  l2: {
    type: 'number',
    min: 0,
    max: 1,
    default: 1e-5,
    doc: 'weight decay of all parameters, added to the gradient (coupled)',
    source: OFFICIAL,
  },
  epoch: {
    type: 'integer',
    min: 1,
    max: 100_000,
    default: 30,
    doc: 'passes over the log at most; validation stops earlier',
    source: OFFICIAL,
  },
  patience: {
    type: 'integer',
    min: 1,
    max: 100_000,
    default: 10,
    doc: 'epochs without a better validation after which training ends',
    source: `${OFFICIAL}, which waits for one of two metrics of the test set`,
  },
};
