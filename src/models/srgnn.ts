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
import { gruResetAfter } from '../nn/gru';
import { linear, linearParams } from '../nn/linear';
import type { Params, PreparedTensors, Run, SessionModel } from './model';
import { repeatsOf } from './repeat-bias';
import { clickVectors, scaleOf, scoringTable, scoringVector } from './scoring';
import { type SrgnnConfig, srgnnSpec } from './srgnn-spec';

export type { SrgnnConfig } from './srgnn-spec';

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
  ...srgnnSpec,
  encode: (params, prepared, config, run) => scoringVector(sessionVectors(params, prepared, config, run), config),
  outputs: (params, config) => ({ table: scoringTable(params.items as Tensor2D, config), ...repeatsOf(params) }),
};
