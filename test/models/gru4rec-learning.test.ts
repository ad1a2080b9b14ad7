import { memory } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import { type Gru4RecConfig, gru4rec } from '../../src/models/gru4rec';
import { gru4recTraining } from '../../src/models/gru4rec-training';
import { neuralScorer } from '../../src/ranking/neural-scorer';
import { random } from '../../src/session/random';
import { evaluate } from '../../src/train/evaluate';
import { Trainer } from '../../src/train/trainer';
import type { Sessions } from '../../src/types';
import { start } from '../compute/backends/start';
import { logOf, supportOf } from '../train/helpers';

beforeAll(() => start('wasm'));

const ITEMS = 30;

/** A fixed permutation of the items: what follows each of them. */
const NEXT = random(1, 'next').shuffle(Array.from({ length: ITEMS }, (_, i) => 1 + i));

/** Sessions in which every click follows from the one before it. */
const byLast = (count: number, seed: number): Sessions => {
  const { integer } = random(seed, 'by last');
  return logOf(
    Array.from({ length: count }, () => {
      const session = [1 + integer(ITEMS)];
      while (session.length < 5) session.push(NEXT[session.at(-1)! - 1]!);
      return session;
    }),
  );
};

/**
 * Sessions whose third click follows from the first two together, and from neither alone: the first is 1 … 5, the second
 * 6 … 10, the third 11 … 15 by the sum of both.
 */
const byLastTwo = (count: number, seed: number): Sessions => {
  const { integer } = random(seed, 'by last two');
  return logOf(
    Array.from({ length: count }, () => {
      const [first, second] = [integer(5), integer(5)];
      return [1 + first, 6 + second, 11 + ((first + second) % 5)];
    }),
  );
};

/** Share of the targets that rank first, over all of them or only over the last of each session. */
async function hitRate(
  given: Partial<Gru4RecConfig>,
  [learn, ask]: readonly [Sessions, Sessions],
  protocol: 'events' | 'last-item',
  epochs: number,
): Promise<number> {
  const config = configure(gru4rec, { layers: [32], batchSize: 16, nSample: 16, sampleAlpha: 0, ...given });
  const catalogue = { items: ITEMS, support: supportOf(learn, ITEMS).map((count) => Math.max(1, count)) };
  const before = memory().numTensors;
  const trainer = new Trainer({ training: gru4recTraining, config, catalogue, sessions: learn, seed: 2 });
  for (let epoch = 0; epoch < epochs; epoch++) await trainer.runEpoch();
  const scorer = neuralScorer(gru4rec, trainer.params, config, catalogue);
  const { metrics } = await evaluate(scorer, ask, { protocol, support: catalogue.support });
  scorer.dispose();
  trainer.dispose();
  expect(memory().numTensors).toBe(before);
  return metrics.conservative['recall@1']!;
}

const losses: [string, Partial<Gru4RecConfig>][] = [
  ['cross-entropy', { learningRate: 0.1 }],
  ['cross-entropy with logq, dropout and momentum', { learningRate: 0.1, logq: 1, dropoutPHidden: 0.1, momentum: 0.3 }],
  ['bpr-max', { loss: 'bpr-max', learningRate: 0.1, momentum: 0.3, bpreg: 0.5 }],
  ['cross-entropy, separate embedding', { constrainedEmbedding: false, embedding: 24, learningRate: 0.1 }],
  ['cross-entropy, one-hot', { constrainedEmbedding: false, learningRate: 0.1 }],
];

describe.each(losses)('%s', (_, given) => {
  test('learns what follows the last click', async () => {
    expect(await hitRate(given, [byLast(100, 1), byLast(40, 2)], 'events', 12)).toBeGreaterThanOrEqual(0.95);
  });
});

const ofTwo: [string, Partial<Gru4RecConfig>][] = [
  ['cross-entropy', { learningRate: 0.15 }],
  ['bpr-max', { loss: 'bpr-max', learningRate: 0.15, momentum: 0.3, bpreg: 0.2 }],
];

describe.each(ofTwo)('%s', (_, given) => {
  test('learns what follows the last two clicks together', async () => {
    const logs = [byLastTwo(200, 1), byLastTwo(60, 2)] as const;
    expect(await hitRate(given, logs, 'last-item', 30)).toBeGreaterThanOrEqual(0.95);
  });
});
