import { tidy } from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { type CaserConfig, caser } from '../../src/models/caser';
import { caserTraining } from '../../src/models/caser-training';
import { configure } from '../../src/models/configuration';
import { upload } from '../../src/models/tensors';
import { backends, start } from '../compute/backends/start';
import { caserLoss, caserVector, type Instance, type ReferenceSettings } from '../reference/caser';
import { drawing, INFERENCE, lossAndGradients, withNegatives } from '../reference/through-training';
import { differencesByWeight, drawWeights, expectGradients, far } from '../reference/weights64';
import { logOf } from '../train/helpers';

const ITEMS = 9;
/**
 * One click, as many as the filters see, more than that, the same item again and again; fewer targets than others, a
 * target that is clicked, a negative drawn twice; earlier sessions, users who are known and one who is not.
 */
const INSTANCES: Instance[] = [
  { items: [4], targets: [2, 5], negatives: [7, 8], user: 1, earlier: [] }, // biome-ignore format: one line each
  { items: [1, 2, 3, 6], targets: [1, 9, 8], negatives: [5, 5], user: 0, earlier: [{ items: [5, 5] }] }, // biome-ignore format: one line each
  { items: [9, 8, 5, 3, 2, 7], targets: [6], negatives: [1, 4], earlier: [{ items: [1, 6] }, { items: [2] }] }, // biome-ignore format: one line each
  { items: [3, 3, 3], targets: [3, 4], negatives: [9, 6], user: 1, earlier: [{ items: [] }, { items: [8, 9, 8] }] }, // biome-ignore format: one line each
];

const cases: readonly Partial<CaserConfig>[] = [
  { profile: 'session' },
  { profile: 'session', padding: 'trained', acConv: 'tanh', acFc: 'iden' },
  { profile: 'device', acConv: 'sigm' },
  { profile: 'device', acFc: 'sigm' },
  { profile: 'shared', padding: 'trained', acConv: 'iden', acFc: 'tanh' },
  { profile: 'none' },
  { profile: 'user', users: 2, padding: 'trained' },
  { profile: 'session', loss: 'cross-entropy' },
  { profile: 'device', outputTable: 'inputs' },
  { profile: 'none', outputTable: 'inputs', loss: 'cross-entropy' },
  { profile: 'session', loss: 'sampled' },
  { profile: 'shared', loss: 'cross-entropy', labelSmoothing: 0.2 },
  { profile: 'session', scoring: 'cosine', acFc: 'tanh', loss: 'sampled', temperature: 0.5 },
  {
    profile: 'device',
    scoring: 'cosine',
    outputTable: 'inputs',
    loss: 'cross-entropy',
    temperature: 1,
  },
  { profile: 'none', scoring: 'cosine', padding: 'trained', acFc: 'iden', temperature: 0.5 },
];
const SAMPLED = { negatives: [2, 5, 6, 2, 8], support: [0, 9, 1, 4, 2, 7, 3, 1, 5, 2], alpha: 0.5, logq: 1 };

const catalogue = { items: ITEMS, support: SAMPLED.support };

describe.each(cases)('%j', (given) => {
  const config = configure(caser, {
    d: 3,
    L: 4,
    nv: 2,
    nh: 3,
    drop: 0,
    negSamples: 2,
    nSample: SAMPLED.negatives.length,
    sampleAlpha: SAMPLED.alpha,
    ...given,
  });
  const cosine = config.scoring === 'cosine';
  const temperature = config.temperature || 1 / 16;
  const factor = cosine ? Math.sqrt(3) / 2 : 1;
  const settings: ReferenceSettings = { ...config, temperature, factor };
  const sampled = config.loss === 'sampled' ? SAMPLED : undefined;
  const { params, reference } = drawWeights(caser, config, catalogue);
  const lossOf = () => caserLoss(reference, INSTANCES, settings, sampled);
  const fixed = config.padding === 'zero' ? ['items', 'profiles', 'outputs', 'bias'] : ['profiles'];
  const differences = differencesByWeight(reference, lossOf, fixed);

  test.each(backends)('has vectors, loss and gradients of the 64-bit reference on %s', async (backend) => {
    await start(backend);
    tidy(() => {
      const inputs = caser.prepare(INSTANCES, config, catalogue);
      const uploaded = upload(params);
      const vectors = caser.encode(uploaded, upload(inputs), config, INFERENCE).arraySync();
      INSTANCES.forEach((instance, b) => {
        expect(far(vectors[b]!, caserVector(reference, instance, settings))).toBeLessThan(
          cosine ? 1e-5 / temperature : 1e-5,
        );
      });
      const sessions = logOf(INSTANCES.map(({ items, targets }) => [...items, ...targets]));
      const log = { sessions, catalogue, first: 0 };
      const rows = INSTANCES.map(({ items, targets }, source) => {
        const from = sessions.offsets[source]!;
        const firstTarget = from + items.length;
        return { source, from, firstTarget, end: firstTarget + targets.length };
      });
      const draws = drawing(sampled?.negatives, SAMPLED.support, SAMPLED.alpha);
      const drawn = caserTraining.batch(rows, log, config, draws);
      const given = INSTANCES.flatMap(({ negatives }) => negatives);
      // What is known of visitors beside the log.
      const batch = { ...(config.loss === 'binary' ? withNegatives(drawn, given) : drawn), inputs };
      const { loss, gradients } = lossAndGradients(caserTraining, uploaded, batch, config, catalogue);
      expect(loss.dataSync()[0]! / lossOf()).toBeCloseTo(1, 5);
      expectGradients(differences, gradients);
    });
  });
});
