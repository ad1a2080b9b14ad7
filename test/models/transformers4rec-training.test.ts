import { memory } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import { initialise } from '../../src/models/parameters';
import { upload } from '../../src/models/tensors';
import { transformers4rec } from '../../src/models/transformers4rec/model';
import { random } from '../../src/session/random';
import { epochBatches, type TrainingBatch } from '../../src/train/batches';
import { differentiate, trainee } from '../../src/train/differentiate';
import { Optimiser } from '../../src/train/optimiser';
import { Learner } from '../../src/train/step';
import { start } from '../compute/backends/start';
import { logOf } from '../train/helpers';

const ITEMS = 30;
const SEED = 5;
/** Items above 9 are clicked by nobody. */
const log = logOf([
  [1, 2, 3, 4],
  [5, 6],
  [7, 8, 9, 1, 2],
]);
const catalogue = { items: ITEMS };

beforeAll(() => start('cpu'));

const small = (given: Record<string, unknown>) =>
  configure(transformers4rec, {
    ...{ dModel: 8, itemEmbeddingDim: 8, nHead: 2, nLayer: 1, totalSeqLength: 6, dropout: 0, inputDropout: 0 },
    ...given,
  });
type Config = ReturnType<typeof small>;

const batchOf = (config: Config): TrainingBatch => {
  const { rows } = transformers4rec.training(config);
  return [...epochBatches(rows, log, { batchSize: 9, fewestRows: 1, seed: SEED, epoch: 0 })][0]!;
};

/** The loss of a first step over the whole log, by a learner. */
function lossOf(config: Config, batch: TrainingBatch, model = transformers4rec): number {
  const subject = trainee(model, config, catalogue);
  const params = upload(initialise(subject.specs, 3));
  const optimiser = new Optimiser(subject.plan.optimiser, params);
  const learner = new Learner(subject, params, optimiser, SEED, () => ({ ids: new Int32Array(0), perTarget: false }));
  const loss = learner.run(batch, 0, 0.01);
  const value = loss.dataSync()[0]!;
  loss.dispose();
  optimiser.dispose();
  for (const param of Object.values(params)) param.dispose();
  return value;
}

/** The same loss of the clicks that swap noise leaves, if these are what must be predicted. */
function lossOfTargets(config: Config, batch: TrainingBatch, targetsOf: (items: Int32Array) => Int32Array): number {
  if (batch.input.kind !== 'sessions') throw new Error('expected sessions');
  const subject = trainee(transformers4rec, config, catalogue);
  const params = upload(initialise(subject.specs, 3));
  const inputs = transformers4rec.prepare(batch.input.sessions, config, catalogue, {
    random: random(SEED, 'prepare', 0),
    hidden: batch.hidden!,
  });
  const width = inputs.items!.shape[1]!;
  const { row, click } = batch.origin!;
  const vectorOf = row.map((b, m) => b * width + click[m]!);
  const targets = targetsOf(inputs.items!.data as Int32Array);
  const negatives = { ids: new Int32Array(0), perTarget: false };
  const step = { inputs: [inputs], vectorOf, targets, negatives, noise: random(SEED, 'replace', 0) };
  const { loss, gradients } = differentiate(subject, params, step, { dropout: (x) => x });
  const value = loss.dataSync()[0]!;
  for (const tensor of [loss, ...Object.values(gradients), ...Object.values(params)]) tensor.dispose();
  return value;
}

describe.each([
  { lm: 'gpt2', objective: 'clm' },
  { lm: 'xlnet', objective: 'mlm' },
  { lm: 'electra', objective: 'rtd' },
])('swap noise in training: $lm with $objective', (pair) => {
  const ahead = pair.objective === 'clm' ? 1 : 0;

  test.each([true, false])('what must be predicted is what noise left there only with swapLabels: %s', (swapLabels) => {
    const before = memory().numTensors;
    const config = small({ ...pair, stochasticSharedEmbeddingsReplacementProb: 0.8, swapLabels });
    const batch = batchOf(config);
    const { row, click } = batch.origin!;
    const left = (items: Int32Array) => {
      const width = items.length / 3;
      return row.map((b, m) => items[b * width + click[m]! + ahead]!);
    };
    const swapped = lossOfTargets(config, batch, left);
    const clicked = lossOfTargets(config, batch, () => batch.targets);
    expect(Math.abs(swapped - clicked)).toBeGreaterThan(1e-4);
    expect(lossOf(config, batch)).toBeCloseTo(swapLabels ? swapped : clicked, 6);
    expect(memory().numTensors, 'tensors left behind').toBe(before);
  });
});

test.each([true, false])('replacements come from the batch alone with rtdSampleFromBatch: %s', (rtdSampleFromBatch) => {
  const config = small({ lm: 'electra', objective: 'rtd', rtdSampleFromBatch });
  const batch = batchOf(config);
  const met = new Set<number>();
  const watched: typeof transformers4rec = {
    ...transformers4rec,
    discriminate(params, prepared, ...rest) {
      for (const item of prepared.items!.dataSync()) if (item > 0) met.add(item);
      return transformers4rec.discriminate!(params, prepared, ...rest);
    },
  };
  lossOf(config, batch, watched);
  // At the start all items are about as likely, and two in three of them nobody clicked.
  expect([...met].some((item) => item > 9)).toBe(!rtdSampleFromBatch);
});

test.each([true, false])('with trainOnLastItemSeqOnly %s sessions teach their last click alone', (only) => {
  const { targets } = batchOf(small({ lm: 'gpt2', objective: 'clm', trainOnLastItemSeqOnly: only }));
  const sorted = [...targets].sort((a, b) => a - b);
  expect(sorted).toEqual(only ? [2, 4, 6] : [1, 2, 2, 3, 4, 6, 8, 9]);
});
