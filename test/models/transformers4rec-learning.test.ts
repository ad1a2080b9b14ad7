import { memory } from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import { transformers4rec } from '../../src/models/transformers4rec/transformers4rec';
import { transformers4recTraining } from '../../src/models/transformers4rec/transformers4rec-training';
import { neuralScorer } from '../../src/ranking/neural-scorer';
import { random } from '../../src/session/random';
import { Trainer } from '../../src/train/trainer';
import { start } from '../compute/backends/start';
import { slice } from '../soak-slice';
import { logOf, supportOf } from '../train/helpers';

beforeAll(() => start('wasm'));

const ITEMS = 12;
/** Sessions start with two items that differ; the next one goes on by the step between them, around a ring. */
const LOG = Array.from({ length: ITEMS }, (_, first) =>
  [1, 2, 3].map((step) => Array.from({ length: 4 }, (_, t) => 1 + ((first + t * step) % ITEMS))),
).flat();
const generator = random(1, 'order');
const sessions = logOf(Array.from(generator.shuffle(Int32Array.from(LOG, (_, s) => s)), (s) => LOG[s]!));
const catalogue = { items: ITEMS, support: supportOf(sessions, ITEMS) };

const ALL = [
  ...['gru', 'gpt2', 'transformer-xl', 'xlnet'].map((lm) => ({ lm, objective: 'clm' })),
  ...['bert', 'electra', 'xlnet'].flatMap((lm) => ['mlm', 'rtd'].map((objective) => ({ lm, objective }))),
  { lm: 'xlnet', objective: 'plm' },
];
test.each(slice(ALL, ({ lm }) => lm === 'xlnet'))(
  'learns from batches whose sessions all have two clicks: %o',
  async (pair) => {
    const small = { dModel: 8, itemEmbeddingDim: 8, nLayer: 1, nHead: 2, dropout: 0, inputDropout: 0 };
    const given = { ...small, ...pair, batching: 'same-length', batchClicks: 8, labelSmoothing: 0, learningRate: 0.02 };
    const config = configure(transformers4rec, { ...given, nEpochs: 12 });
    const pairs = logOf(LOG.map((items) => items.slice(0, 2)));
    const trainer = new Trainer({ training: transformers4recTraining, config, catalogue, sessions: pairs, seed: 3 });
    const losses: number[] = [];
    for (let epoch = 0; epoch < config.nEpochs; epoch++) losses.push(await trainer.runEpoch());
    trainer.dispose();
    expect(losses.at(-1)).toBeLessThan(losses[0]!);
  },
);

const PAIRS = [
  { lm: 'gru', objective: 'clm' },
  { lm: 'gpt2', objective: 'clm' },
  { lm: 'transformer-xl', objective: 'clm' },
  { lm: 'xlnet', objective: 'clm' },
  { lm: 'bert', objective: 'mlm', learningRate: 0.005, nEpochs: 300 },
  { lm: 'electra', objective: 'rtd', learningRate: 0.005, nEpochs: 300 },
  { lm: 'xlnet', objective: 'mlm', learningRate: 0.005, nEpochs: 300 },
  { lm: 'xlnet', objective: 'plm' },
  { lm: 'xlnet', objective: 'rtd', learningRate: 0.005, nEpochs: 300 },
  { lm: 'gpt2', objective: 'clm', form: 'library' },
  { lm: 'xlnet', objective: 'mlm', form: 'library', dropout: 0, learningRate: 0.005, nEpochs: 300 },
  { lm: 'gru', objective: 'clm', sampledSoftmax: true, maxNSamples: 12, labelSmoothing: 0 },
];

// Objectives that predict few clicks of a batch need many epochs: `npm run soak` gives them.
test.each(slice(PAIRS, ({ lm, objective, nEpochs }) => nEpochs === undefined && (lm === 'gru' || objective === 'plm')))(
  'learns a click that the last two tell together: %o',
  async (given) => {
    const config = configure(transformers4rec, {
      dModel: 32,
      itemEmbeddingDim: 32,
      nLayer: 1,
      nHead: 2,
      totalSeqLength: 6,
      dropout: 0,
      inputDropout: 0,
      initializerRange: 0.1,
      itemIdEmbeddingsInitStd: 0.3,
      labelSmoothing: 0.02,
      learningRate: 0.01,
      weightDecay: 0,
      batchSize: 18,
      mlmProbability: 0.3,
      nEpochs: 120,
      ...given,
    });
    const before = memory().numTensors;
    const trainer = new Trainer({ training: transformers4recTraining, config, catalogue, sessions, seed: 3 });
    for (let epoch = 0; epoch < config.nEpochs; epoch++) await trainer.runEpoch();
    const scorer = neuralScorer(transformers4rec, trainer.params, config, catalogue);
    const asked = LOG.map((items) => ({ items: items.slice(0, 3) }));
    const scores = await scorer.score(asked);
    const hits = LOG.filter((items, s) => {
      const row = scores.subarray(s * ITEMS, (s + 1) * ITEMS);
      return 1 + row.indexOf(Math.max(...row)) === items[3];
    });
    scorer.dispose();
    trainer.dispose();
    expect(hits.length / LOG.length).toBeGreaterThanOrEqual(0.95);
    expect(memory().numTensors).toBe(before);
  },
  300_000,
);
