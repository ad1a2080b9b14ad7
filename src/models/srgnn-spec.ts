/** SR-GNN without tensors: options, named as in the official PyTorch code in camelCase, parameters, and sessions as graphs. */
import { RecommenderError } from '../errors';
import type { Catalogue, SessionInput } from '../types';
import type { ConfigOf, Initialiser, ModelSpec, OptionSpecs, ParameterSpec, Prepared, RemovedOptions } from './model';
import { boolean, choice, integer, number } from './options';
import { longest } from './padding';
import { repeatsConflict, repeatsOptions, repeatsSpec } from './repeat-bias';
import { sampledOptions, smoothingConflict, smoothingOption } from './sampled-softmax';
import { scoringOptions } from './scoring-options';
import { type SessionGraph, sessionGraph } from './session-graph';
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

const removed = {
  cell: 'code',
  inputScale: 'auto',
  init: 'uniform',
  logq: 1,
  decay: 'coupled',
  ...ofLastEpochs,
} satisfies RemovedOptions;

function check(config: SrgnnConfig): void {
  const { readout, positions, loss, sparseUpdates } = config;
  const refuse = (sentence: string): never => {
    throw new RecommenderError('bad-config', `srgnn: ${sentence}`);
  };
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

/**
 * For B sessions of at most L clicks on at most m distinct items:
 *
 * - `nodes` `[B, m]`: item of each node, 0 where a session has fewer;
 * - `incoming`, `outgoing` `[B, m, m]`: edges, 0 where there is no node;
 * - `alias` `[B · L]`: the row of `[B · m]` that holds the node of each click; any row at padding;
 * - `mask` `[B, 1, L]`: 1 at clicks, 0 at padding;
 * - `last` `[B]`: the row of `[B · m]` that holds the node of the last click;
 * - `distance` `[B · L]`, for `positions`: how many clicks came after each, 0 at padding.
 */
function prepare(sessions: readonly SessionInput[], { maxlen, edges, positions }: SrgnnConfig): Prepared {
  const graphs = sessions.map(({ items }) =>
    sessionGraph(Array.prototype.slice.call(items, Math.max(0, items.length - maxlen)), edges),
  );
  const B = sessions.length;
  const L = longest(graphs.map(({ alias }) => alias.length));
  const m = longest(graphs.map(({ nodes }) => nodes.length));
  const nodes = new Int32Array(B * m);
  const alias = new Int32Array(B * L);
  const mask = new Float32Array(B * L);
  const last = new Int32Array(B);
  const distance = new Int32Array(B * L);
  graphs.forEach((graph, b) => {
    nodes.set(graph.nodes, b * m);
    const row = (t: number) => b * m + (graph.alias[t] ?? 0);
    const n = graph.alias.length;
    for (let t = 0; t < L; t++) alias[b * L + t] = row(t);
    for (let t = 0; t < n; t++) distance[b * L + t] = n - 1 - t;
    mask.fill(1, b * L, b * L + n);
    last[b] = row(n - 1);
  });
  return {
    nodes: { data: nodes, shape: [B, m], items: 'input' },
    incoming: { data: padded(graphs, 'incoming', m), shape: [B, m, m] },
    outgoing: { data: padded(graphs, 'outgoing', m), shape: [B, m, m] },
    alias: { data: alias, shape: [B * L] },
    mask: { data: mask, shape: [B, 1, L] },
    last: { data: last, shape: [B] },
    ...(positions === 'reverse' && { distance: { data: distance, shape: [B * L] } }),
  };
}

/** Square matrices of different sizes in the corners of squares of one size. */
function padded(graphs: readonly SessionGraph[], side: 'incoming' | 'outgoing', m: number): Float32Array {
  const data = new Float32Array(graphs.length * m * m);
  graphs.forEach(({ nodes: { length }, [side]: edges }, b) => {
    for (let v = 0; v < length; v++) data.set(edges.subarray(v * length, (v + 1) * length), (b * m + v) * m);
  });
  return data;
}

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
  prepare,
};
