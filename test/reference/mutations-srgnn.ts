// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are pieces of sources.
/** Where ports of SR-GNN go astray, by its TensorFlow code, RecBole's port and its paper: each as an edit of our sources. */
import type { Mutation } from './mutation';

const MODEL = 'src/models/srgnn.ts';
const SPEC = 'src/models/srgnn-spec.ts';
const SESSIONS = 'src/models/srgnn-sessions.ts';
const TRAINING = 'src/models/srgnn-training.ts';
const GRAPH = 'src/models/session-graph.ts';
const GRU = 'src/nn/gru.ts';

const reference = ['test/models/srgnn-reference.test.ts'];
const model = ['test/models/srgnn.test.ts'];
const imports = ['test/checkpoint/imports.test.ts'];

export const mutations: readonly Mutation[] = [
  {
    error: 'SR-GNN: incoming side of the TensorFlow code, successors weighted by in-degree',
    file: GRAPH,
    edits: [['incoming[a * m + b] = weights[b * m + a]! / into', 'incoming[b * m + a] = weights[b * m + a]! / into']],
    tests: model,
  },
  {
    error: 'SR-GNN: incoming and outgoing halves exchanged',
    file: MODEL,
    edits: [['concat([incoming, outgoing], 1)', 'concat([outgoing, incoming], 1)']],
    tests: reference,
  },
  {
    error: 'SR-GNN: adjacency not normalised',
    file: GRAPH,
    edits: [['weights[a * m + b]! / outOf', 'weights[a * m + b]!']],
    tests: model,
  },
  {
    error: 'SR-GNN: transitions counted where the code has 0/1',
    file: GRAPH,
    edits: [["edges === 'counted' ? weights[edge]! + 1 : 1", 'weights[edge]! + 1']],
    tests: model,
  },
  {
    error: 'SR-GNN: no self-loop for an item straight after itself',
    file: GRAPH,
    edits: [['weights[edge] = edges', 'if (alias[t] !== alias[t + 1]) weights[edge] = edges']],
    tests: model,
  },
  {
    error: 'SR-GNN: bias of the edge transform added after the edges, not multiplied by their row sum',
    file: MODEL,
    edits: [
      [
        'reshape(linear(h, linearParams(params, `edges.${side}`)), [B, m, d])',
        'reshape(matMul(h, params[`edges.${side}.w`] as Tensor2D), [B, m, d])',
      ],
      [
        'add(reshape(matMul(edges, sent), [B * m, d]), params[`edges.${side}.after`]!)',
        'add(reshape(matMul(edges, sent), [B * m, d]), add(params[`edges.${side}.after`]!, params[`edges.${side}.b`]!))',
      ],
    ],
    tests: reference,
  },
  {
    error: 'SR-GNN: one matrix for both directions',
    file: MODEL,
    edits: [['linearParams(params, `edges.${side}`)', "linearParams(params, 'edges.in')"]],
    tests: reference,
  },
  {
    error: 'SR-GNN: reset gate before the product as in the paper',
    file: MODEL,
    edits: [
      [
        "gruResetAfter(add(product, params['cell.bx']!), h, wh, params['cell.bh'] as Tensor1D)",
        "gruResetBefore(add(add(product, params['cell.bx']!), params['cell.bh']!), h, wh)",
      ],
      ['import { gruResetAfter }', 'import { gruResetAfter, gruResetBefore }'],
    ],
    tests: reference,
  },
  {
    error: 'SR-GNN: roles of z and 1 − z exchanged, as in RecBole',
    file: GRU,
    edits: [['add(c, mul(z, sub(h, c)))', 'add(h, mul(z, sub(c, h)))']],
    tests: reference,
  },
  {
    error: 'SR-GNN: one round of messages whatever is asked',
    file: MODEL,
    edits: [['round < step', 'round < 1']],
    tests: reference,
  },
  {
    error: 'SR-GNN: attention normalised by a softmax over the clicks',
    file: MODEL,
    edits: [
      ['mul(reshape(alpha, [B, 1, L]), prepared.mask!)', 'mul(softmax(reshape(alpha, [B, 1, L])), prepared.mask!)'],
      ['  sigmoid,\n', '  sigmoid,\n  softmax,\n'],
    ],
    tests: reference,
  },
  {
    error: 'SR-GNN: padding in the sum over clicks',
    file: MODEL,
    edits: [['mul(reshape(alpha, [B, 1, L]), prepared.mask!)', 'reshape(alpha, [B, 1, L])']],
    tests: reference,
  },
  {
    error: 'SR-GNN: the sum runs over nodes: a repeated item counts once',
    file: SESSIONS,
    edits: [
      [
        'mask.fill(1, b * L, b * L + n)',
        'graph.alias.forEach((node, t) => (mask[b * L + t] = +(graph.alias.indexOf(node) === t)))',
      ],
    ],
    tests: reference,
  },
  {
    error: 'SR-GNN: last item read at the last column, padding included',
    file: SESSIONS,
    edits: [['last[b] = row(n - 1)', 'last[b] = row(L - 1)']],
    tests: reference,
  },
  {
    error: 'SR-GNN: local before global in the hybrid vector',
    file: MODEL,
    edits: [['concat([global, last], 1)', 'concat([last, global], 1)']],
    tests: reference,
  },
  {
    error: 'SR-GNN: the projected last state in the hybrid vector, as in the TensorFlow code',
    file: MODEL,
    edits: [
      [
        "concat([global, last], 1), linearParams(params, 'hybrid')",
        "concat([global, linear(last, linearParams(params, 'attention.last'))], 1), linearParams(params, 'hybrid')",
      ],
    ],
    tests: reference,
  },
  {
    error: 'SR-GNN: nonhybrid means the last item alone',
    file: 'src/checkpoint/imports/srgnn.ts',
    edits: [["nonhybrid ? 'global' : 'hybrid'", "nonhybrid ? 'local' : 'hybrid'"]],
    tests: imports,
  },
  {
    error: 'SR-GNN: decoupled weight decay',
    file: TRAINING,
    edits: [
      ["weightDecay: { amount: config.l2, kind: 'coupled' }", "weightDecay: { amount: config.l2, kind: 'decoupled' }"],
    ],
    tests: model,
  },
  {
    error: 'SR-GNN: the padding row kept from weight decay',
    file: SPEC,
    edits: [["rows: 'both', zeroRow: false", "rows: 'both'"]],
    tests: model,
  },
  {
    error: 'SR-GNN: learning rate lowered from the start, not from the fourth epoch',
    file: 'src/train/optimiser.ts',
    edits: [['Math.floor(epoch / schedule.every)', 'Math.ceil(epoch / schedule.every)']],
    tests: ['test/train/optimiser.test.ts'],
  },
  {
    error: 'SR-GNN: whole sessions as training rows instead of every prefix',
    file: TRAINING,
    edits: [
      [
        'const examples = prefixes(log, maxlen);',
        'const { offsets } = log.sessions;\n    const examples = prefixes(log, maxlen).filter(({ source, end }) => end === offsets[source + 1]!);',
      ],
    ],
    tests: [...reference, ...model],
  },
  {
    error: 'SR-GNN: a gated unit started by layer defaults, not uniform in ±1/√d',
    file: SPEC,
    edits: [["{ kind: 'uniform', limit: 1 / Math.sqrt(d) }", "{ kind: 'uniform', limit: 1 / d }"]],
    tests: ['test/models/parameters.test.ts', ...model],
  },
  {
    error: 'SR-GNN: ε of Adam as TensorFlow.js has it, 1e-7',
    file: 'src/models/training.ts',
    edits: [['epsilon: 1e-8', 'epsilon: 1e-7']],
    tests: model,
  },
  {
    error: 'SR-GNN: the session’s oldest clicks kept where it is too long',
    file: SESSIONS,
    edits: [
      [
        'Array.prototype.slice.call(items, Math.max(0, items.length - maxlen))',
        'Array.prototype.slice.call(items, 0, maxlen)',
      ],
    ],
    tests: model,
  },
  {
    error: 'SR-GNN: attention asks with the embedding of the last item, not with its state',
    file: MODEL,
    edits: [
      [
        "linear(last, linearParams(params, 'attention.last'))",
        "linear(gather(params.items as Tensor2D, gather(reshape(prepared.nodes as Tensor2D, [-1]), prepared.last as Tensor1D)) as Tensor2D, linearParams(params, 'attention.last'))",
      ],
    ],
    tests: reference,
  },
  {
    error: 'SR-GNN: positions counted from the start of the session',
    file: SESSIONS,
    edits: [['distance[b * L + t] = n - 1 - t', 'distance[b * L + t] = t']],
    tests: reference,
  },
];
