/** An architecture that Aisle does not have comes in by one entry of the registry, and everything else knows it. */

import { join } from 'node:path';
import { div, gather, matMul, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createRecommender } from '../src/index';
import { models } from '../src/models/index';
import type { ModelSpec, Prepared, SessionModel } from '../src/models/model';
import type { Training } from '../src/models/training';
import { type BatchArray, inputItems, outputItems } from '../src/objectives/batch';
import { shuffled } from '../src/objectives/batching';
import { type Example, prefixes, targetsOf } from '../src/objectives/examples';
import { catalogueCrossEntropy } from '../src/objectives/softmax';
import { sessionInput } from '../src/session/event-log';
import { serveArtifact } from './cli/serve';

interface ToyConfig {
  readonly width: number;
  readonly learningRate: number;
  readonly epochs: number;
}

/**
 * Toy — a bilinear model of the last click, after Mnih & Hinton, "Three New Graphical Models", ICML 2007.
 *
 *     c  = E[x_L] W
 *     sⱼ = c · E[j]
 */
const toySpec: ModelSpec<ToyConfig> = {
  name: 'toy',
  paper: 'a toy',
  options: {
    width: { type: 'integer', min: 1, max: 64, default: 16, doc: 'columns of the item table', source: 'ours' },
    learningRate: { type: 'number', min: 0, max: 1, default: 0.05, doc: 'step size', source: 'ours' },
    epochs: { type: 'integer', min: 1, max: 100, default: 20, doc: 'passes', source: 'ours' },
  },
  epochsOption: 'epochs',
  logitScale: () => 1,
  parameters: ({ width: d }, { items: n }) => ({
    items: { shape: [n + 1, d], init: { kind: 'normal', std: 0.3 }, rows: 'both' },
    w: { shape: [d, d], init: { kind: 'normal', std: 0.3 } },
  }),
  prepare: (sessions) => ({ last: inputItems(Int32Array.from(sessions, ({ items }) => items[items.length - 1]!)) }),
};

const toy: SessionModel<ToyConfig> = {
  ...toySpec,
  encode: ({ items, w }, { last }) => matMul(gather(items as Tensor2D, last as Tensor1D), w as Tensor2D),
  outputs: ({ items }) => ({ table: items as Tensor2D }),
};

interface ToyBatch {
  readonly inputs: Prepared;
  readonly targets: BatchArray<Tensor1D>;
}

/** Every prefix predicts the next click, by the softmax over the catalogue. */
const toyTraining: Training<ToyConfig, Example, ToyBatch> = {
  network: toy,
  plan: ({ learningRate, epochs }) => ({
    epochs,
    optimiser: {
      kind: 'adam',
      learningRate,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      weightDecay: { amount: 0, kind: 'decoupled' },
      touchedRows: false,
    },
    schedule: { kind: 'constant' },
  }),
  rows: (log, _, streams) => shuffled(prefixes(log, 50), 32, streams('order')),
  batch: (rows, { sessions, catalogue }, config) => ({
    inputs: toy.prepare(
      rows.map(({ source, from, firstTarget }) => sessionInput(sessions, source, from, firstTarget)),
      config,
      catalogue,
    ),
    targets: outputItems(targetsOf(rows, sessions)),
  }),
  loss(params, { inputs, targets }, config, run) {
    const c = toy.encode(params, inputs, config, run);
    const total = catalogueCrossEntropy(c, toy.outputs(params, config), targets, run.items, {});
    return { loss: div(total, targets.shape[0]) };
  },
  size: ({ from, firstTarget }) => ({ clicks: firstTarget - from, targets: 1 }),
};

let program: typeof import('./cli/program');
let log: typeof import('./cli/ring-log');
beforeAll(async () => {
  models['toy'] = { spec: async () => toySpec, network: async () => toy, training: async () => toyTraining };
  program = await import('./cli/program');
  log = await import('./cli/ring-log');
});
afterAll(() => {
  delete models['toy'];
});

test('a toy trains, is saved, loaded, evaluated and inspected, and recommends on the command line and in a page', async () => {
  const { aisle, file, folder } = program;
  const data = await file('ring.csv', log.RING_LOG);
  const out = join(await folder(), 'toys');
  expect(await aisle('train', '--data', data, '--model', 'toy', '--out', out, '--set', 'width=12')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('Trained toy on'),
  });
  const tested = await aisle('evaluate', '--artifact', out, '--data', data, '--json');
  expect(JSON.parse(tested.stdout).metrics.conservative['recall@1']).toBe(1);
  const { stdout } = await aisle('inspect', out);
  expect(stdout).toContain('architecture toy');
  const answer = await aisle('recommend', '--artifact', out, '--item', 'p"4', '--backend', 'cpu', '--json');
  const { items } = JSON.parse(answer.stdout);
  expect(items[0]).toMatchObject({ itemId: 'p"5', reason: 'neural' });

  const { modelUrl, close } = await serveArtifact(out);
  onTestFinished(close);
  const recommender = await createRecommender({ modelUrl, backend: 'cpu' });
  onTestFinished(() => recommender.dispose());
  recommender.track('p"4');
  expect(await recommender.recommend({ k: 20 })).toEqual(items);
});

test('its options are checked and explained as those of every other', async () => {
  const { aisle, file, folder } = program;
  const { stdout } = await aisle('train', '--model', 'toy', '--help');
  expect(stdout).toContain(
    'width=16\n      columns of the item table\n      a whole number from 1 to 64; source: ours',
  );
  const data = await file('ring.csv', log.RING_LOG);
  const out = join(await folder(), 'toys');
  expect(await aisle('train', '--data', data, '--model', 'toy', '--out', out, '--set', 'widht=3')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('toy has no option "widht"; the nearest is "width"'),
  });
});
