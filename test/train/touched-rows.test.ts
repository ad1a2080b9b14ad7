import { memory } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import { models } from '../../src/models/index';
import { Trainer } from '../../src/train/trainer';
import type { NdArray } from '../../src/types';
import { start } from '../compute/backends/start';
import { bitsOf, logOf, supportOf } from './helpers';

const ITEMS = 60;
/** Items above 12 are clicked by nobody. */
const log = logOf([
  [1, 2, 3, 4, 2],
  [5, 6],
  [7, 8, 9, 1, 5, 3],
  [10, 11, 12],
  [2, 2, 9],
]);
const catalogue = { items: ITEMS, support: supportOf(log, ITEMS).map((count) => count + 1) };

const small = { d: 4, L: 3, nv: 2, nh: 2, negSamples: 3, l2: 0, batchSize: 64 };
const attentive = { hiddenUnits: 4, maxlen: 4, numBlocks: 1, dropoutRate: 0 };
const tiny = {
  dModel: 8,
  itemEmbeddingDim: 8,
  nLayer: 1,
  nHead: 2,
  totalSeqLength: 6,
  labelSmoothing: 0,
  sampledSoftmax: true,
  maxNSamples: 4,
  weightDecay: 0,
  dropout: 0,
  inputDropout: 0,
};

/** Every model that can train by touched rows, and what leaves its optimiser nothing to do elsewhere. */
const CASES: readonly [string, Readonly<Record<string, unknown>>][] = [
  ['caser', { ...small, drop: 0 }],
  ['caser', { ...small, drop: 0, profile: 'none', padding: 'trained' }],
  ['caser', { ...small, drop: 0, outputTable: 'inputs' }],
  ['sasrec', { ...attentive, loss: 'bce' }],
  ['sasrec', { ...attentive, loss: 'gbce', negatives: 3, reuseItemEmbeddings: false }],
  ['cl4srec', { ...attentive, loss: 'sampled', nSample: 4 }],
  ['sasrec', { ...attentive, loss: 'sampled', nSample: 4 }],
  ['sasrec', { ...attentive, loss: 'sampled', nSample: 4, repeatLags: 3, logqOf: 'draws' }],
  ['transformers4rec', { ...tiny, lm: 'gpt2', objective: 'clm' }],
  ['transformers4rec', { ...tiny, lm: 'gpt2', objective: 'clm', repeatLags: 3 }],
  ['transformers4rec', { ...tiny, lm: 'xlnet', objective: 'plm' }],
  ['transformers4rec', { ...tiny, lm: 'bert', objective: 'mlm', form: 'library', dInner: 16 }],
  ['transformers4rec', { ...tiny, lm: 'electra', objective: 'rtd' }],
];

/** The weights after so many passes in one batch each. */
async function trained(name: string, given: Readonly<Record<string, unknown>>, passes: number) {
  const training = await models[name]!.training();
  const { network } = training;
  const config = configure<Record<string, unknown>>(network, given);
  const trainer = new Trainer({ training, config, catalogue, sessions: log, seed: 4 });
  const before = await trainer.weights();
  for (let pass = 0; pass < passes; pass++) await trainer.runEpoch();
  const after = await trainer.weights();
  const specs = network.parameters(config, catalogue);
  trainer.dispose();
  return { before, after, tables: Object.keys(specs).filter((name) => specs[name]!.rows !== undefined) };
}

const rowsThatDiffer = (a: NdArray, b: NdArray): number[] => {
  const [rows, width] = [a.shape[0]!, a.data.length / a.shape[0]!];
  const [x, y] = [bitsOf({ t: a }).t!, bitsOf({ t: b }).t!];
  return Array.from({ length: rows }, (_, r) => r).filter((r) =>
    x.slice(r * width, (r + 1) * width).some((bits, k) => bits !== y[r * width + k]),
  );
};

describe.each(CASES)('%s %j with sparseUpdates', (name, given) => {
  beforeAll(() => start('cpu'));

  test('takes the same first step as without', async () => {
    const before = memory().numTensors;
    const whole = await trained(name, given, 1);
    const sparse = await trained(name, { ...given, sparseUpdates: true }, 1);
    expect(whole.tables.length).toBeGreaterThan(0);
    for (const [parameter, { data }] of Object.entries(whole.after)) {
      const other = sparse.after[parameter]!.data;
      data.forEach((value, k) => {
        expect(Math.abs(value - other[k]!), `${parameter}[${k}]`).toBeLessThan(2e-5);
      });
    }
    expect(memory().numTensors, 'tensors left behind').toBe(before);
  });

  test('leaves the rows that no step reads as they are, moments and decay notwithstanding', async () => {
    const decay = name === 'caser' ? { l2: 0.01 } : { weightDecay: 0.01 };
    const { before, after, tables } = await trained(name, { ...given, ...decay, sparseUpdates: true }, 3);
    for (const table of tables) {
      const moved = rowsThatDiffer(before[table]!, after[table]!);
      expect(moved.length, table).toBeGreaterThan(3);
      expect(moved.length, table).toBeLessThan(ITEMS);
    }
    const whole = await trained(name, { ...given, ...decay }, 3);
    expect(rowsThatDiffer(whole.before.items!, whole.after.items!).length).toBeGreaterThanOrEqual(ITEMS);
  });
});
