/** Caser without tensors: options, named as in the official PyTorch code in camelCase, parameters, windows and profiles as arrays. */
import { RecommenderError } from '../errors';
import type { Catalogue, Sessions } from '../types';
import { type CaserReading, PROFILES, readsClicks, readWindows } from './caser-sessions';
import type { ConfigOf, Initialiser, ModelSpec, OptionSpecs, ParameterSpec, Refuse, RemovedOptions } from './model';
import { boolean, choice, integer, number } from './options';
import { repeatsConflict, repeatsOptions, repeatsSpec } from './repeat-bias';
import { sampledOptions, smoothingConflict, smoothingOption } from './sampled-softmax';
import { scoringOptions } from './scoring-options';
import { removed as ofLastEpochs, recentFinetuningOptions } from './weight-averaging';

const OFFICIAL = 'default of the official PyTorch code';
const ACTIVATIONS = ['relu', 'iden', 'tanh', 'sigm'] as const;

const options = {
  d: integer(50, [1, 4096], 'width of the vectors', OFFICIAL),
  L: integer(
    5,
    [1, 512],
    'clicks that the filters see, the most recent ones; one height of horizontal filters for each length up to it',
    OFFICIAL,
  ),
  T: integer(
    3,
    [1, 64],
    'items after the window that each instance predicts; more than one teaches to skip, 1 is strictly the next item',
    OFFICIAL,
  ),
  nv: integer(4, [1, 1024], 'vertical filters', OFFICIAL),
  nh: integer(16, [1, 1024], 'horizontal filters of each height', OFFICIAL),
  drop: number(0.5, [0, 0.95], 'dropout of what the filters found', OFFICIAL),
  dropoutEmbed: number(
    0,
    [0, 0.95],
    'dropout of the item vectors of clicks, in the window and in the profile',
    '0 is the official PyTorch code; as in the other models, where item vectors learn by heart',
  ),
  acConv: choice('relu', ACTIVATIONS, 'activation of the horizontal filters; the vertical ones have none', OFFICIAL),
  acFc: choice('relu', ACTIVATIONS, 'activation of the fully connected layer', OFFICIAL),
  profile: choice(
    'session',
    PROFILES,
    'what stands for general taste: the mean of all items of the session in a second table; the same over the earlier ' +
      'sessions of this device too, which fade; one vector for everybody; nothing; a vector for each user of the log',
    'ours: the paper has users (user), whom a shop without accounts does not know; their vector is zero to strangers',
  ),
  users: integer(0, [0, 100_000_000], 'user: number of users; set by training', 'users of the log'),
  outputTable: choice(
    'own',
    ['own', 'inputs'],
    'what scores items: a table of its own, or the tables that clicks are looked up in; own learns for each item apart ' +
      'that it is clicked again, inputs knows it of all (profile session, device or none)',
    'own is the paper and its code; inputs is ours, near to RecBole’s port, which is no Caser',
  ),
  ...scoringOptions,
  scoring: {
    ...scoringOptions.scoring,
    doc: `${scoringOptions.scoring.doc}; no item has a bias`,
  },
  padding: choice(
    'zero',
    ['zero', 'trained'],
    'vector of the places before the first click of a session that is shorter than L: zero, or learnt as an item’s is',
    'trained is the official code; zero is saner: padding then says nothing',
  ),
  windows: choice(
    'full',
    ['full', 'all'],
    'instances: windows of L + T clicks, one for a session with fewer; or also those with fewer clicks before the targets',
    'full is the official code; all is ours, for sessions that are mostly shorter than L + T',
  ),
  loss: choice(
    'binary',
    ['binary', 'cross-entropy', 'sampled'],
    'binary: each target, and negatives, on their own; cross-entropy: softmax over the catalogue, without negatives; ' +
      'sampled: softmax over nSample items',
    'binary is the paper and its code; cross-entropy is RecBole’s and ours: it asks which of the likely items is next; ' +
      'sampled is ours, for catalogues of tens of thousands of items',
  ),
  ...sampledOptions,
  ...repeatsOptions,
  labelSmoothing: {
    ...smoothingOption,
    source: 'the official code has no softmax to smooth',
  },
  negSamples: integer(3, [1, 100_000], 'binary: negatives of each instance, which its targets share', OFFICIAL),
  negFrom: choice(
    'unseen',
    ['unseen', 'all'],
    'negatives uniform over the items that the session does not hold, or over all: then what was clicked learns to give way',
    'unseen is the official code, which never ranks what a user has had; all is ours, where clicked items are ranked too',
  ),
  batchSize: integer(512, [1, 65536], 'instances a step', OFFICIAL),
  learningRate: number(0.001, [1e-8, 1], 'step size of Adam (β₁ 0.9, β₂ 0.999)', OFFICIAL),
  lrSchedule: choice(
    'constant',
    ['constant', 'linear'],
    'whether learningRate stays, or falls linearly to 0 at the last epoch',
    'constant is the official code; linear is ours, for short trainings that end sharp',
  ),
  l2: number(1e-6, [0, 1], 'weight decay of all parameters, added to the gradient (coupled)', OFFICIAL),
  sparseUpdates: boolean(
    false,
    'binary, sampled: a step updates only the item vectors that it reads, so that its cost does not grow with the catalogue; ' +
      'the others keep their moments, and do not decay',
    'false is the official code; true is what PyTorch calls SparseAdam',
  ),
  nIter: integer(50, [1, 100_000], 'passes over the log at most; validation stops earlier', OFFICIAL),
  ...recentFinetuningOptions,
} satisfies OptionSpecs;

export type CaserConfig = ConfigOf<typeof options>;

const removed = {
  profileLength: 200,
  profileDecay: 0.7,
  profileGap: 30,
  inputScale: 'auto',
  logq: 1,
  negPer: 'instance',
  ...ofLastEpochs,
} satisfies RemovedOptions;

/** Earlier sessions whose weight is worth their place. */
const earlierSessions = ({ profile }: CaserConfig) => (profile === 'device' ? 20 : 0);

function check(config: CaserConfig, refuse: Refuse): void {
  const { profile, users, outputTable, loss, sparseUpdates } = config;
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
  return { ...config, users: users.reduce((most, user) => Math.max(most, user + 1), config.users) };
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
  if (profile === 'user') specs.users = { shape: [users, d], init: vectors, perUser: true };
  if (profile === 'shared') specs.shared = { shape: [1, d], init: vectors };
  if (readsClicks(config)) specs.profiles = { shape: [n + 1, d], init: vectors, rows };
  if (hasOwn) {
    specs.outputs = { shape: [n + 1, width], init: { kind: 'normal', std: 1 / (2 * d) }, rows: 'output', zeroRow };
  }
  if (config.scoring === 'dot') specs.bias = { shape: [n + 1], init: { kind: 'zeros' }, rows: 'output', zeroRow };
  return { ...specs, ...repeatsSpec(config) };
}

const reading = ({ L, profile, users }: CaserConfig): CaserReading => ({ L, profile, users });

export const caserSpec: ModelSpec<CaserConfig> = {
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
  reading,
  prepare: (sessions, config) => readWindows(sessions, reading(config)),
};
