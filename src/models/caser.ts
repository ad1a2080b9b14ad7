/**
 * Caser — Tang & Wang, "Personalized Top-N Sequential Recommendation via Convolutional Sequence Embedding", WSDM 2018,
 * https://arxiv.org/abs/1809.07426.
 *
 *     X  = E[the last L clicks]                        [L, d], padding before the first click
 *     v_k = Σ_l w_k[l] X[l] + b_k                      nv vertical filters over each dimension
 *     o_h = maxᵢ φc(⟨F_h, X[i … i + h − 1]⟩ + b_h)      nh horizontal filters of each height h = 1 … L
 *     z  = φa(dropout([v ; o]) W₁ + b₁)                 [d]
 *     g  = [z ; P]                                     P: the user, or what stands for general taste
 *     sⱼ = g · W₂[j] + b₂[j]                           a table of its own scores
 *
 *     P = U[user]                                      `user`, 0 for a user who is not known
 *     P = p                                            `shared`, the same for everybody
 *     P = Σᵢ wᵢ E_p[i] / Σᵢ wᵢ                         `session`, `device`: over all clicks i, older than the last L too
 *                                                      wᵢ = 1 in this session, 0.7ᵏ in the k-th before it
 *     g = z                                            `none`
 *
 * Each window of L clicks predicts the T items after it, in a binary loss against uniform negatives. Options of ours:
 * cross-entropy over the catalogue or a sample of it, W₂ = [E ; E_p], and `scoring: 'cosine'`, see `scoring.ts`: E[x],
 * E_p[x], g and W₂[j] have length 1, and there is no b₂.
 *
 * Differs from the paper: sessions stand where it has users, whose place the profile takes. Differs from the official
 * code: places without a target are not trained, and padding is a zero vector (`padding: 'trained'` learns it).
 */
import {
  concat,
  gather,
  matMul,
  mul,
  reshape,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  tile,
} from '@tensorflow/tfjs';
import { type Activation, activate } from '../nn/activation';
import { horizontalConvolution, verticalConvolution } from '../nn/convolution';
import { linear, linearParams } from '../nn/linear';
import type { Outputs } from '../nn/scores';
import { type CaserConfig, caserSpec } from './caser-spec';
import type { Params, PreparedTensors, Run, SessionModel } from './model';
import { repeatsOf } from './repeat-bias';
import { clickVectors, scaleOf, scoringTable, scoringVector } from './scoring';

export type { CaserConfig } from './caser-spec';

const ACTIVATIONS = { relu: 'relu', iden: 'linear', tanh: 'tanh', sigm: 'sigmoid' } as const;
const activation = (name: CaserConfig['acConv']): Activation => ({ kind: ACTIVATIONS[name] });

/** The vectors of clicks in E or E_p, `[B, W, d]`. */
function embedded(table: Tensor, clicks: Tensor, config: CaserConfig, { dropout }: Run): Tensor3D {
  const { d, dropoutEmbed } = config;
  const [batch, width] = (clicks as Tensor2D).shape;
  const x = clickVectors(table as Tensor2D, clicks, config, scaleOf(config, d, 'none'));
  // A call more would draw other masks for `drop`.
  const dropped = dropoutEmbed > 0 ? dropout(x, dropoutEmbed) : x;
  return reshape(dropped, [batch, width, d]);
}

/** [v ; o], `[B, nv · d + nh · L]`: what the filters find. */
export function convolve(params: Params, prepared: PreparedTensors, config: CaserConfig, run: Run): Tensor2D {
  const { L, acConv } = config;
  const X = embedded(params.items!, prepared.items!, config, run); // [B, L, d]
  const v = verticalConvolution(X, linearParams(params, 'vertical'));
  const φc = activation(acConv);
  const o = Array.from({ length: L }, (_, i) =>
    horizontalConvolution(X, linearParams(params, `horizontal.${i + 1}`), i + 1, φc),
  );
  return concat([v, ...o], 1);
}

/** [v ; o] W₁ + b₁, `[B, d]`. */
export const hidden = (params: Params, found: Tensor2D): Tensor2D => linear(found, linearParams(params, 'hidden'));

/** What scores, `[B, 2d]`: g; or z alone. */
function encode(params: Params, prepared: PreparedTensors, config: CaserConfig, run: Run): Tensor2D {
  const found = run.dropout(convolve(params, prepared, config, run), config.drop);
  const z = activate(hidden(params, found), activation(config.acFc));
  const P = profileOf(params, prepared, config, run);
  return scoringVector(P ? concat([z, P], 1) : z, config);
}

function profileOf(params: Params, prepared: PreparedTensors, config: CaserConfig, run: Run): Tensor2D | undefined {
  const { d, profile } = config;
  const [batch] = (prepared.items as Tensor2D).shape;
  switch (profile) {
    case 'none':
      return undefined;
    case 'shared':
      return tile(params.shared as Tensor2D, [batch, 1]);
    case 'user':
      return mul(gather(params.users as Tensor2D, prepared.user as Tensor1D), prepared.known!);
    default: {
      const clicked = embedded(params.profiles!, prepared.clicks!, config, run); // [B, S, d]
      return reshape(matMul(prepared.weights as Tensor3D, clicked), [batch, d]);
    }
  }
}

/** W₂ and b₂. */
function outputs(params: Params, config: CaserConfig): Outputs {
  const { outputs: own, items, profiles, bias } = params;
  const table = own ?? (profiles ? concat([items!, profiles], 1) : items);
  return {
    table: scoringTable(table as Tensor2D, config),
    ...(bias && { bias: bias as Tensor1D }),
    ...repeatsOf(params),
  };
}

export const caser: SessionModel<CaserConfig> = { ...caserSpec, encode, outputs };
