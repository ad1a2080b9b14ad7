import { matMul, memory, tidy } from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import { type SasrecConfig, sasrec } from '../../src/models/sasrec';
import { sasrecTraining } from '../../src/models/sasrec-training';
import { upload } from '../../src/models/tensors';
import { Trainer } from '../../src/train/trainer';
import type { Sessions } from '../../src/types';
import { start } from '../compute/backends/start';
import { INFERENCE } from '../reference/through-training';

beforeAll(() => start('wasm'));

/** What comes after the middle click follows from the first one: 1 … 3 and 2 … 4. The middle tells nothing. */
const LOG = Array.from({ length: 48 }, (_, i) => [1 + (i % 2), 5 + (i % 3), 3 + (i % 2)]);
const ITEMS = 7;

const sessions: Sessions = {
  items: Int32Array.from(LOG.flat()),
  times: new Float64Array(LOG.length * 3),
  offsets: Int32Array.from({ length: LOG.length + 1 }, (_, s) => 3 * s),
};
const support = Array.from({ length: ITEMS + 1 }, (_, item) => LOG.flat().filter((clicked) => clicked === item).length);

const cases: Partial<SasrecConfig>[] = [
  { norm: 'tf', loss: 'ce' },
  { norm: 'tf', loss: 'bce', negatives: 2 },
  { norm: 'tf', loss: 'sampled', nSample: 4, positions: 'start' },
  { norm: 'tf', loss: 'sampled', nSample: 4, batching: 'same-length', batchClicks: 32 },
  { norm: 'pre', loss: 'ce', positions: 'start' },
  { norm: 'post', loss: 'ce', l2Emb: 1e-5 },
  { loss: 'gbce', negatives: 4, reuseItemEmbeddings: false, inputScale: 'none' },
  { loss: 'gbce', negatives: 4, sparseUpdates: true },
  {
    norm: 'pre',
    positions: 'start',
    scoring: 'cosine',
    activation: 'gelu',
    innerSize: 32,
    loss: 'sampled',
    nSample: 4,
  },
  { loss: 'ce', batching: 'same-length', batchClicks: 32, labelSmoothing: 0.05, weightDecay: 0.001 },
];

test.each(cases)('learns what the click before the last tells: %o', async (given) => {
  const config = configure(sasrec, {
    hiddenUnits: 16,
    maxlen: 4,
    numHeads: 2,
    dropoutRate: 0.1,
    lr: 0.02,
    batchSize: 16,
    ...given,
  });
  const catalogue = { items: ITEMS, support };
  const before = memory().numTensors;
  const trainer = new Trainer({ training: sasrecTraining, config, catalogue, sessions, seed: 6 });
  const losses: number[] = [];
  for (let epoch = 0; epoch < 20; epoch++) losses.push(await trainer.runEpoch());
  expect(losses.at(-1)!).toBeLessThan(losses[0]! * 0.75);
  tidy(() => {
    const { params } = trainer;
    const prepared = sasrec.prepare([{ items: [1, 6] }, { items: [2, 6] }], config, catalogue);
    const vectors = sasrec.encode(params, upload(prepared), config, INFERENCE);
    const scores = matMul(vectors, sasrec.outputs(params, config).table, false, true).arraySync() as number[][];
    const best = scores.map((row) => 1 + row.slice(1).indexOf(Math.max(...row.slice(1))));
    expect(best).toEqual([3, 4]);
    expect(Array.from(params.items!.dataSync().subarray(0, 16)).every((x) => x === 0)).toBe(true);
    if (config.norm !== 'tf') {
      expect(Array.from(params.positions!.dataSync().subarray(0, 16)).every((x) => x === 0)).toBe(true);
    }
  });
  trainer.dispose();
  expect(memory().numTensors).toBe(before);
});
