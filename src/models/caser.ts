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
import { RecommenderError } from '../errors';
import { type Activation, activate } from '../nn/activation';
import { horizontalConvolution, verticalConvolution } from '../nn/convolution';
import { linear, linearParams } from '../nn/linear';
import type { Outputs } from '../nn/scores';
import type { Catalogue, SessionInput, Sessions } from '../types';
import { type CaserConfig, options, removed } from './caser-options';
import type { Initialiser, ParameterSpec, Params, Prepared, PreparedTensors, Run, SessionModel } from './model';
import { padItems } from './padding';
import { profileClicks } from './profile';
import { repeatsConflict, repeatsOf, repeatsSpec } from './repeat-bias';
import { smoothingConflict } from './sampled-softmax';
import { clickVectors, scaleOf, scoringTable, scoringVector } from './scoring';

export type { CaserConfig } from './caser-options';

const ACTIVATIONS = { relu: 'relu', iden: 'linear', tanh: 'tanh', sigm: 'sigmoid' } as const;
const activation = (name: CaserConfig['acConv']): Activation => ({ kind: ACTIVATIONS[name] });

/** Whether P is a mean over clicks. */
const readsClicks = ({ profile }: CaserConfig) => profile === 'session' || profile === 'device';

/** Earlier sessions whose weight is worth their place. */
const earlierSessions = ({ profile }: CaserConfig) => (profile === 'device' ? 20 : 0);

function check(config: CaserConfig): void {
  const { profile, users, outputTable, loss, sparseUpdates } = config;
  const refuse = (sentence: string): never => {
    throw new RecommenderError('bad-config', `caser: ${sentence}`);
  };
  if (profile !== 'user' && users > 0) {
    refuse(`"users" is for profile=user, got ${users} with profile=${profile}; leave it out.`);
  }
  if (outputTable === 'inputs' && (profile === 'shared' || profile === 'user')) {
    refuse(`outputTable=inputs needs a profile of clicks, or none: profile=${profile} has no vectors of items.`);
  }
  if (sparseUpdates && loss === 'cross-entropy') {
    refuse('"sparseUpdates" needs loss "binary" or "sampled": the softmax of "cross-entropy" reads every item vector.');
  }
  const smoothing = smoothingConflict(config, 'cross-entropy');
  if (smoothing) refuse(smoothing);
  const repeats = repeatsConflict(config, 'cross-entropy');
  if (repeats) refuse(repeats);
}

function complete(config: CaserConfig, { users }: Sessions): CaserConfig {
  if (config.profile !== 'user') return config;
  if (!users) {
    throw new RecommenderError(
      'bad-config',
      'caser: profile=user needs a log that names its users; add a user column, or use profile=session.',
    );
  }
  return { ...config, users: users.reduce((most, user) => Math.max(most, user + 1), 0) };
}

function parameters(config: CaserConfig, { items: n }: Catalogue): Record<string, ParameterSpec> {
  const { d, L, nv, nh, profile, users } = config;
  const zeroRow = config.padding === 'zero';
  const vectors: Initialiser = { kind: 'normal', std: 1 / d };
  const width = profile === 'none' ? d : 2 * d;
  const specs: Record<string, ParameterSpec> = {};
  /** Weights and biases as PyTorch starts them: uniform within ±1/√inputs. */
  const layer = (name: string, inputs: number, outputs: number) => {
    const init: Initialiser = { kind: 'uniform', limit: 1 / Math.sqrt(inputs) };
    specs[`${name}.w`] = { shape: [inputs, outputs], init };
    specs[`${name}.b`] = { shape: [outputs], init };
  };
  const hasOwn = config.outputTable === 'own';
  const rows = hasOwn ? 'input' : 'both';
  specs.items = { shape: [n + 1, d], init: vectors, rows, zeroRow };
  layer('vertical', L, nv);
  for (let h = 1; h <= L; h++) layer(`horizontal.${h}`, h * d, nh);
  layer('hidden', nv * d + nh * L, d);
  if (profile === 'user') specs.users = { shape: [users, d], init: vectors };
  if (profile === 'shared') specs.shared = { shape: [1, d], init: vectors };
  if (readsClicks(config)) specs.profiles = { shape: [n + 1, d], init: vectors, rows };
  if (hasOwn) {
    specs.outputs = { shape: [n + 1, width], init: { kind: 'normal', std: 1 / (2 * d) }, rows: 'output', zeroRow };
  }
  if (config.scoring === 'dot') specs.bias = { shape: [n + 1], init: { kind: 'zeros' }, rows: 'output', zeroRow };
  return { ...specs, ...repeatsSpec(config) };
}

/**
 * - `items` `[B, L]`: the last L clicks, padded on the left;
 * - `clicks` `[B, S]`, `weights` `[B, 1, S]`: for `session` and `device`, the items of the profile and their shares;
 * - `user` `[B]`, `known` `[B, 1]`: for `user`, their numbers, and 0 for those who are not known.
 */
function prepare(sessions: readonly SessionInput[], config: CaserConfig): Prepared {
  const { L, profile, users } = config;
  const items = padItems(sessions, 'left', L, L);
  if (readsClicks(config)) return { items, ...profileClicks(sessions, config.profile === 'device') };
  if (profile !== 'user') return { items };
  const known = sessions.map(({ user }) => user !== undefined && user < users);
  const user = Int32Array.from(sessions, (session, b) => (known[b] ? session.user! : 0));
  return {
    items,
    user: { data: user, shape: [user.length] },
    known: { data: Float32Array.from(known, Number), shape: [user.length, 1] },
  };
}

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

export const caser: SessionModel<CaserConfig> = {
  name: 'caser',
  paper:
    'Tang & Wang, "Personalized Top-N Sequential Recommendation via Convolutional Sequence Embedding", WSDM 2018, https://arxiv.org/abs/1809.07426',
  options,
  removed,
  epochsOption: 'nIter',
  check,
  complete,
  knowsUsers: ({ profile }) => profile === 'user',
  earlier: earlierSessions,
  logitScale: ({ loss }) => (loss === 'binary' ? undefined : 1),
  parameters,
  prepare,
  encode,
  outputs,
};
