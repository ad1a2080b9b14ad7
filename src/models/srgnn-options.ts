/** Configuration of SR-GNN: names of the official PyTorch code in camelCase, and a few keys of our own. */

import type { ConfigOf, OptionSpecs, RemovedOptions } from './model';
import { boolean, choice, integer, number } from './options';
import { repeatsOptions } from './repeat-bias';
import { sampledOptions, smoothingOption } from './sampled-softmax';
import { scoringOptions } from './scoring-options';
import { removed as ofLastEpochs, recentFinetuningOptions } from './weight-averaging';

const OFFICIAL = 'default of the official PyTorch code';

export const options = {
  hiddenSize: integer(100, [1, 4096], 'width d of the vectors', OFFICIAL),
  maxlen: integer(
    50,
    [1, 4096],
    'clicks that the model sees; of longer sessions the most recent ones',
    'ours, as RecBole cuts; the official code takes the longest session of its data',
  ),
  step: integer(1, [1, 64], 'rounds of messages along the edges', OFFICIAL),
  edges: choice(
    'binary',
    ['binary', 'counted'],
    'weight of a transition that occurs several times: once, or as often as it occurs',
    'binary is the official code; counted is the wording of the paper, occurrences divided by the out-degree',
  ),
  readout: choice(
    'hybrid',
    ['hybrid', 'global', 'local'],
    'session vector: attention over all clicks joined with the last click, the attention alone, or the last click alone',
    `${OFFICIAL}; global is its "nonhybrid", local is studied in the paper`,
  ),
  positions: choice(
    'none',
    ['none', 'reverse'],
    'reverse: a learnt vector for each distance from the last click is added to the states that the attention reads',
    'none is the paper; reverse is NISER+ (2019), and GCE-GNN (SIGIR 2020) inside its attention',
  ),
  dropoutEmbed: number(
    0,
    [0, 0.95],
    'dropout of the item vectors that the nodes start from',
    '0 is the official PyTorch code; 0.1 in NISER+',
  ),
  ...scoringOptions,
  loss: choice(
    'cross-entropy',
    ['cross-entropy', 'binary', 'sampled'],
    'softmax over the catalogue: its cross-entropy, or binary: also −log(1 − p) of every other item; sampled: ' +
      'cross-entropy of a softmax over nSample items',
    'cross-entropy is the official code, binary what the paper writes; sampled is ours, for catalogues of tens of ' +
      'thousands of items',
  ),
  ...sampledOptions,
  ...repeatsOptions,
  labelSmoothing: {
    ...smoothingOption,
    source: 'the official code does not smooth',
  },
  batching: choice(
    'prefixes',
    ['prefixes', 'same-length'],
    'prefixes: batchSize of any length; same-length: as many of one length as hold batchClicks, without padding',
    'prefixes is the official code; same-length is ours: most prefixes are short, and padding costs as clicks do',
  ),
  batchSize: integer(100, [1, 65536], 'session prefixes a step', OFFICIAL),
  batchClicks: integer(512, [1, 1_000_000], 'same-length: clicks a step', 'ours: about 100 prefixes of short sessions'),
  lr: number(0.001, [1e-8, 1], 'step size of Adam (β₁ 0.9, β₂ 0.999)', OFFICIAL),
  lrSchedule: choice(
    'step',
    ['step', 'linear'],
    'whether lr falls by lrDc every lrDcStep epochs, or linearly to 0 at the last epoch',
    'step is the official code; linear is ours, for short trainings that end sharp',
  ),
  lrDc: number(0.1, [0, 1], 'step: what lr is multiplied by every lrDcStep epochs', OFFICIAL),
  lrDcStep: integer(3, [1, 100_000], 'step: epochs between two decays of lr', OFFICIAL),
  l2: number(1e-5, [0, 1], 'weight decay of all parameters, added to the gradient (coupled)', OFFICIAL),
  sparseUpdates: boolean(
    false,
    'sampled: a step updates only the item vectors that it reads, so that its cost does not grow with the catalogue; ' +
      'the others keep their moments, and do not decay',
    'false is the official code; true is what PyTorch calls SparseAdam',
  ),
  epoch: integer(30, [1, 100_000], 'passes over the log at most; validation stops earlier', OFFICIAL),
  ...recentFinetuningOptions,
  patience: integer(
    10,
    [1, 100_000],
    'epochs without a better validation after which training ends',
    `${OFFICIAL}, which waits for one of two metrics of the test set`,
  ),
} satisfies OptionSpecs;

export type SrgnnConfig = ConfigOf<typeof options>;

export const removed = {
  cell: 'code',
  inputScale: 'auto',
  init: 'uniform',
  logq: 1,
  decay: 'coupled',
  ...ofLastEpochs,
} satisfies RemovedOptions;
