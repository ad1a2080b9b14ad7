/** SR-GNN without tensors: options, named as in the official PyTorch code in camelCase, parameters, and sessions as graphs. */
import type { Catalogue } from '../types';
import type { ConfigOf, Initialiser, ModelSpec, OptionSpecs, ParameterSpec, Refuse, RemovedOptions } from './model';
import { boolean, choice, integer, number } from './options';
import { repeatsConflict, repeatsOptions, repeatsSpec } from './repeat-bias';
import { sampledOptions, smoothingConflict, smoothingOption } from './sampled-softmax';
import { scoringOptions } from './scoring-options';
import { EDGES, POSITIONS, readGraphs, type SrgnnReading } from './srgnn-sessions';
import { removed as ofLastEpochs, recentFinetuningOptions } from './weight-averaging';

const OFFICIAL = 'default of the official PyTorch code';

const options = {
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
    EDGES,
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
    POSITIONS,
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

const removed = {
  cell: 'code',
  inputScale: 'auto',
  init: 'uniform',
  logq: 1,
  decay: 'coupled',
  ...ofLastEpochs,
} satisfies RemovedOptions;

function check(config: SrgnnConfig, refuse: Refuse): void {
  const { readout, positions, loss, sparseUpdates } = config;
  if (positions === 'reverse' && readout === 'local') {
    refuse('"positions" are read by the attention, which readout=local does not have.');
  }
  const smoothing = smoothingConflict(config, 'cross-entropy');
  if (smoothing) refuse(smoothing);
  const repeats = repeatsConflict(config, 'cross-entropy');
  if (repeats) refuse(repeats);
  if (sparseUpdates && loss !== 'sampled') {
    refuse(`"sparseUpdates" needs loss "sampled": the softmax of "${loss}" reads every item vector.`);
  }
}

function parameters(config: SrgnnConfig, { items: n }: Catalogue): Record<string, ParameterSpec> {
  const { hiddenSize: d, readout } = config;
  const init: Initialiser = { kind: 'uniform', limit: 1 / Math.sqrt(d) };
  const specs: Record<string, ParameterSpec> = {};
  const of = (name: string, ...shape: number[]) => {
    specs[name] = { shape, init };
  };
  const affine = (name: string, rows: number, columns: number) => {
    of(`${name}.w`, rows, columns);
    of(`${name}.b`, columns);
  };
  // As in the official code row 0 is a row like the others: no score reads it, but weight decay moves it.
  specs.items = { shape: [n + 1, d], init, rows: 'both', zeroRow: false };
  for (const side of ['in', 'out']) {
    affine(`edges.${side}`, d, d);
    of(`edges.${side}.after`, d); // b_iah, b_oah
  }
  of('cell.wx', 2 * d, 3 * d); // columns r, z, c
  of('cell.wh', d, 3 * d);
  of('cell.bx', 3 * d);
  of('cell.bh', 3 * d);
  if (readout !== 'local') {
    affine('attention.last', d, d); // W₁, c₁
    affine('attention.each', d, d); // W₂, c₂
    of('attention.q', d, 1);
  }
  if (config.positions === 'reverse') of('positions', config.maxlen, d); // row 0: the last click
  if (readout === 'hybrid') affine('hybrid', 2 * d, d); // W₃, c₃
  return { ...specs, ...repeatsSpec(config) };
}

const reading = ({ maxlen, edges, positions }: SrgnnConfig): SrgnnReading => ({ maxlen, edges, positions });

export const srgnnSpec: ModelSpec<SrgnnConfig> = {
  name: 'srgnn',
  paper:
    'Wu et al., "Session-based Recommendation with Graph Neural Networks", AAAI 2019, https://arxiv.org/abs/1811.00855',
  options,
  removed,
  epochsOption: 'epoch',
  check,
  logitScale: ({ loss }) => (loss === 'binary' ? undefined : 1),
  parameters,
  reading,
  prepare: (sessions, config) => readGraphs(sessions, reading(config)),
};
