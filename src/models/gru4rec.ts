/**
 * GRU4Rec — Hidasi et al., "Session-based Recommendations with Recurrent Neural Networks", ICLR 2016,
 * https://arxiv.org/abs/1511.06939; losses and sampling of Hidasi & Karatzoglou, "Recurrent Neural Networks with Top-k
 * Gains for Session-based Recommendations", CIKM 2018, https://arxiv.org/abs/1706.03847.
 *
 *     xₜ  = E[iₜ]                       click t, embedded (constrained: E = Wy)
 *     h¹ₜ = GRU(xₜ, h¹ₜ₋₁)              h₀ = 0; further layers read the one below
 *     sⱼ  = h_L · Wy[j] + By[j]         score of item j after the session's last click
 *
 * Trained in session-parallel batches without back-propagation through time: the state that comes in is a constant.
 *
 * Differs from the first paper as its authors' code does: no feed-forward layers above the GRU, the input feeds the
 * first layer only. The reset gate acts after the recurrent product, as in cuDNN and PyTorch; in the one-hot layer before it, as
 * in both codes of the authors.
 */

import {
  add,
  expandDims,
  gather,
  matMul,
  notEqual,
  type Tensor1D,
  type Tensor2D,
  unstack,
  where,
  zeros,
} from '@tensorflow/tfjs';
import { gruResetAfter, gruResetBefore } from '../nn/gru';
import { type Gru4RecConfig, gru4recSpec, inputMode, resetsBefore } from './gru4rec-spec';
import type { Params, Run, SessionModel, State, Stepping } from './model';
import { repeatsOf } from './repeat-bias';

export type { Gru4RecConfig } from './gru4rec-spec';

/** One click: every layer's state moves on by one step. */
function step(params: Params, state: State, items: Tensor1D, config: Gru4RecConfig, { dropout }: Run): State {
  const mode = inputMode(config);
  let x =
    mode === 'one-hot'
      ? undefined
      : dropout(gather(params[mode === 'constrained' ? 'items' : 'inputs'] as Tensor2D, items), config.dropoutPEmbed);
  return state.map((old, i) => {
    const h = old as Tensor2D; // [B, hᵢ]
    const wh = params[`gru.${i}.wh`] as Tensor2D;
    const product = x
      ? matMul(x, params[`gru.${i}.wx`] as Tensor2D) // [B, 3hᵢ]
      : (gather(params['gru.0.items'] as Tensor2D, items) as Tensor2D); // a one-hot vector picks a row
    const next = resetsBefore(config, i)
      ? gruResetBefore(add(product, params[`gru.${i}.b`]!), h, wh)
      : gruResetAfter(add(product, params[`gru.${i}.bx`]!), h, wh, params[`gru.${i}.bh`] as Tensor1D);
    x = dropout(next, config.dropoutPHidden);
    return x;
  });
}

export const stepping: Stepping<Gru4RecConfig> = {
  start: ({ layers }, batch) => layers.map((h) => zeros([batch, h])),
  step,
  vector: (state) => state.at(-1) as Tensor2D,
};

export const gru4rec: SessionModel<Gru4RecConfig> = {
  ...gru4recSpec,
  encode(params, { items }, config, run) {
    let state = stepping.start(config, items!.shape[0]!);
    for (const clicks of unstack(items!, 1) as Tensor1D[]) {
      const isClick = expandDims(notEqual(clicks, 0), 1); // [B, 1]
      const next = stepping.step(params, state, clicks, config, run);
      state = next.map((value, i) => where(isClick, value, state[i]!)); // padding leaves the state alone
    }
    return stepping.vector(state);
  },
  stepping,
  outputs: (params) => ({ table: params.items as Tensor2D, bias: params.bias as Tensor1D, ...repeatsOf(params) }),
};
