/**
 * SR-GNN — Wu et al., "Session-based Recommendation with Graph Neural Networks", AAAI 2019,
 * https://arxiv.org/abs/1811.00855.
 *
 *     A, alias                               the session's graph: `session-graph.ts`
 *     h  = E[nodes]                          then, `step` times:
 *         aᵢₙ  = Aᵢₙ (h Wᵢₙ + bᵢₙ) + bᵢₐₕ
 *         aₒᵤₜ = Aₒᵤₜ (h Wₒᵤₜ + bₒᵤₜ) + bₒₐₕ
 *         h ← cell([aᵢₙ ; aₒᵤₜ], h)           gated unit, see below
 *     Hₜ = h[aliasₜ]                         the states in the order of the clicks, h_last the newest
 *     αₜ = σ(h_last W₁ + c₁ + Hₜ W₂ + c₂) q   soft attention, not normalised
 *     s_g = Σₜ αₜ Hₜ                          over clicks: an item clicked twice counts twice
 *     s_h = [s_g ; h_last] W₃ + c₃            the session
 *     sⱼ = s_h · E[j]                         the input table scores
 *
 * Gated unit:
 *
 *     r, z = σ(a W_r + b_r + h U_r + b′_r), …      c = tanh(a W_c + b_c + r ⊙ (h U_c + b′_c))    h′ = (1 − z) ⊙ c + z ⊙ h
 *
 * Improved by name, off by default:
 *
 *     h  = dropout(E[nodes])                 `dropoutEmbed`
 *     Hₜ = h[aliasₜ] + P[L − t]               `positions: 'reverse'`, h_last with P[0]: Gupta et al., NISER+, 2019
 *     E[nodes], s_h and E[j] of length 1     `scoring: 'cosine'`, see `scoring.ts`
 *
 * Differs from the paper as its authors' code does, where no option says otherwise: the loss is plain cross-entropy over
 * the catalogue, repeated transitions weigh as one, all parameters start uniform, and the gated unit has biases, its reset gate after
 * the recurrent product, and z and 1 − z in each other's place. The official code gives padding a node of its own, which
 * nothing reads; here it is left out.
 */
import {
  add,
  concat,
  expandDims,
  gather,
  matMul,
  mul,
  reshape,
  sigmoid,
  slice,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
} from '@tensorflow/tfjs';
import { RecommenderError } from '../errors';
import { gruResetAfter } from '../nn/gru';
import { linear, linearParams } from '../nn/linear';
import type { Catalogue, SessionInput } from '../types';
import type { Initialiser, ParameterSpec, Params, Prepared, PreparedTensors, Run, SessionModel } from './model';
import { longest } from './padding';
import { repeatsConflict, repeatsOf, repeatsSpec } from './repeat-bias';
import { smoothingConflict } from './sampled-softmax';
import { clickVectors, scaleOf, scoringTable, scoringVector } from './scoring';
import { type SessionGraph, sessionGraph } from './session-graph';
import { options, removed, type SrgnnConfig } from './srgnn-options';

export type { SrgnnConfig } from './srgnn-options';

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

/** h after `step` rounds, `[B · m, d]`: the state of every node of every session. */
export function nodeStates(params: Params, prepared: PreparedTensors, config: SrgnnConfig, { dropout }: Run): Tensor2D {
  const { hiddenSize: d, step } = config;
  const nodes = prepared.nodes as Tensor2D;
  const [B, m] = nodes.shape;
  const wx = params['cell.wx'] as Tensor2D;
  const wh = params['cell.wh'] as Tensor2D;
  const embedded = clickVectors(params.items as Tensor2D, nodes, config, scaleOf(config, d, 'none'));
  let h = dropout(embedded, config.dropoutEmbed);
  /** A (h W + b) + b′ */
  const messages = (side: 'in' | 'out', edges: Tensor3D): Tensor2D => {
    const sent: Tensor3D = reshape(linear(h, linearParams(params, `edges.${side}`)), [B, m, d]);
    return add(reshape(matMul(edges, sent), [B * m, d]), params[`edges.${side}.after`]!);
  };
  for (let round = 0; round < step; round++) {
    const incoming = messages('in', prepared.incoming as Tensor3D);
    const outgoing = messages('out', prepared.outgoing as Tensor3D);
    const product: Tensor2D = matMul(concat([incoming, outgoing], 1), wx); // [B · m, 3d]
    h = gruResetAfter(add(product, params['cell.bx']!), h, wh, params['cell.bh'] as Tensor1D);
  }
  return h;
}

/** s_h, s_g or h_last, `[B, d]`. */
function sessionVectors(params: Params, prepared: PreparedTensors, config: SrgnnConfig, run: Run): Tensor2D {
  const { hiddenSize: d, readout } = config;
  const h = nodeStates(params, prepared, config, run);
  let last: Tensor2D = gather(h, prepared.last as Tensor1D); // [B, d]
  if (readout === 'local') return last;
  const [B, , L] = (prepared.mask as Tensor3D).shape;
  let H: Tensor2D = gather(h, prepared.alias as Tensor1D); // [B · L, d]
  if (prepared.distance) {
    const P = params.positions as Tensor2D;
    H = add(H, gather(P, prepared.distance as Tensor1D));
    last = add(last, slice(P, 0, 1));
  }
  const query = expandDims(linear(last, linearParams(params, 'attention.last')), 1); // [B, 1, d]
  const key = reshape(linear(H, linearParams(params, 'attention.each')), [B, L, d]);
  const gate: Tensor2D = reshape(sigmoid(add(query, key)), [B * L, d]);
  const alpha: Tensor2D = matMul(gate, params['attention.q'] as Tensor2D); // [B · L, 1]
  const weights: Tensor3D = mul(reshape(alpha, [B, 1, L]), prepared.mask!);
  const global: Tensor2D = reshape(matMul(weights, reshape(H, [B, L, d])), [B, d]);
  return readout === 'global' ? global : linear(concat([global, last], 1), linearParams(params, 'hybrid'));
}

export const srgnn: SessionModel<SrgnnConfig> = {
  name: 'srgnn',
  paper:
    'Wu et al., "Session-based Recommendation with Graph Neural Networks", AAAI 2019, https://arxiv.org/abs/1811.00855',
  options,
  removed,
  epochsOption: 'epoch',
  check,
  parameters,
  prepare,
  encode: (params, prepared, config, run) => scoringVector(sessionVectors(params, prepared, config, run), config),
  logitScale: ({ loss }) => (loss === 'binary' ? undefined : 1),
  outputs: (params, config) => ({ table: scoringTable(params.items as Tensor2D, config), ...repeatsOf(params) }),
};
