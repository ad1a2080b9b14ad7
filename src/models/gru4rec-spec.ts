/** GRU4Rec without tensors: options, named as in the official PyTorch code in camelCase, parameters, and sessions as arrays. */
import type { Catalogue } from '../types';
import type { ConfigOf, ModelSpec, OptionSpecs, ParameterSpec, Refuse, RemovedOptions } from './model';
import { boolean, choice, integer, integers, number } from './options';
import { padLeft } from './padding';
import { glorotUniform } from './parameters';
import { repeatsOptions, repeatsSpec } from './repeat-bias';
import { weightAveragingOptions } from './weight-averaging';

const PORT = 'default of the official PyTorch code';

const options = {
  layers: integers([100], [1, 4096], 'units of each GRU layer', PORT),
  loss: choice(
    'cross-entropy',
    ['cross-entropy', 'bpr-max', 'top1', 'top1-max', 'bpr'],
    'loss; the authors recommend cross-entropy on large logs and bpr-max on small ones',
    PORT,
  ),
  finalAct: choice(
    'auto',
    ['auto', 'linear', 'relu', 'tanh', 'selu', 'elu', 'leaky'],
    'activation of the scores before the loss; auto: elu for bpr-max (linear if eluParam is 0), tanh for top1, linear else',
    'final_act of the Theano code; auto follows the PyTorch code and, for top1, the first paper',
  ),
  eluParam: number(0.5, [0, 10], 'scale of elu, slope of leaky', PORT),
  constrainedEmbedding: boolean(true, 'use the output table as input table too, usually best', PORT),
  embedding: integer(
    0,
    [0, 4096],
    'width of a separate input table (needs constrainedEmbedding=false); 0 without constrainedEmbedding: one-hot input',
    PORT,
    { layersize: -1 },
  ),
  dropoutPEmbed: number(
    0,
    [0, 0.95],
    'dropout of the embedded input (not of the same rows as outputs; not in one-hot mode)',
    PORT,
  ),
  dropoutPHidden: number(0, [0, 0.95], "dropout of each layer's new state, which is also what is carried on", PORT),
  batchSize: integer(64, [1, 65536], 'sessions side by side', PORT),
  learningRate: number(0.05, [1e-8, 10], 'step size of Adagrad', PORT),
  momentum: number(0, [0, 0.999], 'momentum of Adagrad', PORT),
  nSample: integer(
    2048,
    [0, 1_000_000],
    'extra negatives a step, shared by the batch; fewer pay where fewer than 5,000 items are active',
    PORT,
  ),
  sampleAlpha: number(0.5, [0, 1], 'extra negatives are drawn ∝ support^sampleAlpha: 0 uniform, 1 by popularity', PORT),
  bpreg: number(1, [0, 100], 'score regularisation of bpr-max', PORT),
  logq: number(
    0,
    [0, 1],
    'share of the log of the sampling frequency taken off the scores, cross-entropy only; usually 0 or 1',
    PORT,
  ),
  nEpochs: integer(10, [1, 10_000], 'passes over the log; 5 are nearly as good', PORT),
  ...repeatsOptions,
  ...weightAveragingOptions,
} satisfies OptionSpecs;

export type Gru4RecConfig = ConfigOf<typeof options>;

const removed = {
  resetGate: 'after',
  logqSplit: 'nominal',
  labelSmoothing: 0,
  recentEpochs: 0,
  recentShare: 0.12,
  recentRate: 0.3,
} satisfies RemovedOptions;

function check(
  { constrainedEmbedding, embedding, loss, logq, nSample, batchSize, repeatLags }: Gru4RecConfig,
  refuse: Refuse,
): void {
  if (constrainedEmbedding && embedding !== 0) {
    refuse(
      '"embedding" is the width of a separate input table; set constrainedEmbedding=false with it, or leave it 0.',
    );
  }
  if (loss !== 'cross-entropy' && logq > 0) refuse(`"logq" corrects cross-entropy only, the loss is ${loss}.`);
  if (repeatLags > 0 && loss !== 'cross-entropy') {
    refuse('"repeatLags" needs loss "cross-entropy": items of the session are columns of their own.');
  }
  if (nSample === 0 && batchSize < 2) refuse('without extra negatives (nSample=0) batchSize must be at least 2.');
}

/** Where the first layer's input comes from. */
export const inputMode = ({ constrainedEmbedding, embedding }: Gru4RecConfig) =>
  constrainedEmbedding ? 'constrained' : embedding !== 0 ? 'separate' : 'one-hot';

/** Whether the reset gate of that layer acts before the recurrent product. */
export const resetsBefore = (config: Gru4RecConfig, layer: number) => layer === 0 && inputMode(config) === 'one-hot';

/** Matrices are drawn gate by gate: the limit is that of one gate's block. */
function parameters(config: Gru4RecConfig, { items: n }: Catalogue): Record<string, ParameterSpec> {
  const { layers, embedding } = config;
  const mode = inputMode(config);
  const last = layers.at(-1)!;
  const specs: Record<string, ParameterSpec> = {};
  let width = mode === 'constrained' ? last : embedding === -1 ? layers[0]! : embedding;
  if (mode === 'separate') specs.inputs = { shape: [n + 1, width], init: glorotUniform(n, width), rows: 'input' };
  layers.forEach((h, i) => {
    if (i === 0 && mode === 'one-hot') {
      specs['gru.0.items'] = { shape: [n + 1, 3 * h], init: glorotUniform(n, h), rows: 'input' };
    } else {
      specs[`gru.${i}.wx`] = { shape: [width, 3 * h], init: glorotUniform(width, h) };
    }
    specs[`gru.${i}.wh`] = { shape: [h, 3 * h], init: glorotUniform(h, h) };
    const biases = resetsBefore(config, i) ? ['b'] : ['bx', 'bh'];
    for (const bias of biases) specs[`gru.${i}.${bias}`] = { shape: [3 * h], init: { kind: 'zeros' } };
    width = h;
  });
  specs.items = {
    shape: [n + 1, last],
    init: glorotUniform(n, last),
    rows: mode === 'constrained' ? 'both' : 'output',
  };
  specs.bias = { shape: [n + 1], init: { kind: 'zeros' }, rows: 'output' };
  return { ...specs, ...repeatsSpec(config) };
}

export const gru4recSpec: ModelSpec<Gru4RecConfig> = {
  name: 'gru4rec',
  paper:
    'Hidasi et al., "Session-based Recommendations with Recurrent Neural Networks", ICLR 2016, https://arxiv.org/abs/1511.06939',
  options,
  removed,
  epochsOption: 'nEpochs',
  check,
  logitScale: ({ loss }) => (loss === 'cross-entropy' ? 1 : undefined),
  parameters,
  reading: () => ({}),
  prepare: padLeft,
};
