import { matMul, tidy } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import { initialise } from '../../src/models/initialise';
import type { Run } from '../../src/models/model';
import { type SasrecConfig, sasrec } from '../../src/models/sasrec';
import { upload } from '../../src/models/tensors';
import type { NdArray } from '../../src/types';
import { expectNoTensorsLeft, start } from '../compute/backends/start';
import { INFERENCE } from '../reference/through-training';
import { drawWeights, far } from '../reference/weights64';
import { smallSasrec } from './steps';

const ITEMS = 9;

beforeAll(() => start('cpu'));

expectNoTensorsLeft();

const weights = (config: SasrecConfig) => drawWeights(sasrec, config, { items: ITEMS }).params;

describe('gSASRec', () => {
  const given = { reuseItemEmbeddings: false, inputScale: 'none', init: 'torch' } as const;

  test('scores with a table of its own, which starts as PyTorch starts it', () => {
    const config = configure(sasrec, given);
    const specs = sasrec.parameters(config, { items: 400 });
    expect(specs.items).toMatchObject({ shape: [401, 50], rows: 'input' });
    expect(specs.outputs).toMatchObject({ shape: [401, 50], rows: 'output' });
    const values = initialise(specs, 1);
    const largest = (name: string) => Math.max(...values[name]!.data.map(Math.abs));
    const spread = ({ data }: NdArray) => Math.sqrt(Array.from(data).reduce((a, x) => a + x * x, 0) / data.length);
    for (const name of ['items', 'outputs', 'positions']) expect(spread(values[name]!)).toBeCloseTo(1, 1);
    expect(Array.from(values.outputs!.data.subarray(0, 50))).toEqual(Array(50).fill(0));
    for (const name of ['attention.query.w', 'attention.value.b', 'feed.inner.w', 'feed.outer.b']) {
      expect(largest(`blocks.0.${name}`)).toBeLessThanOrEqual(1 / Math.sqrt(50));
      expect(largest(`blocks.0.${name}`)).toBeGreaterThan(0.9 / Math.sqrt(50));
    }
    tidy(() => {
      const params = upload(initialise(specs, 1));
      expect(sasrec.outputs(params, config).table.dataSync()).toEqual(params.outputs!.dataSync());
    });
  });

  test('init=normal draws every matrix and table from N(0, initStd), and no bias', () => {
    const values = initialise(
      sasrec.parameters(configure(sasrec, { init: 'normal', initStd: 0.1 }), { items: 400 }),
      1,
    );
    for (const [name, { data, shape }] of Object.entries(values)) {
      const spread = Math.sqrt(data.reduce((a, x) => a + x * x, 0) / data.length);
      if (shape.length === 2) expect(spread / 0.1, name).toBeCloseTo(1, 1);
      else expect(spread, name).toBe(name.endsWith('gain') ? 1 : 0);
    }
  });
});

test('embedded clicks have a dropout of their own where one is set', () => {
  const ratesOf = (given: Partial<SasrecConfig>): number[] => {
    const rates: number[] = [];
    const config = smallSasrec({ dropoutRate: 0.3, numBlocks: 1, ...given });
    tidy(() => {
      const arrays = upload(sasrec.prepare([{ items: [1, 2, 3] }], config, { items: ITEMS }));
      const run: Run = {
        dropout: (x, rate) => {
          rates.push(rate);
          return x;
        },
      };
      sasrec.encode(upload(weights(config)), arrays, config, run);
    });
    return rates;
  };
  expect(ratesOf({})).toEqual([0.3, 0.3, 0.3, 0.3]);
  expect(ratesOf({ dropoutEmbed: 0 })).toEqual([0, 0.3, 0.3, 0.3]);
  expect(ratesOf({ dropoutEmbed: 0.45 })).toEqual([0.45, 0.3, 0.3, 0.3]);
});

test('cosine scores lie within one over the temperature, however long the vectors', () => {
  const scoresOf = (factor: number, given: Partial<SasrecConfig> = {}) =>
    tidy(() => {
      const config = smallSasrec({ scoring: 'cosine', ...given });
      const values = weights(config);
      values.items!.data.forEach((x, i, data) => {
        data[i] = x * factor;
      });
      const params = upload(values);
      const arrays = upload(sasrec.prepare([{ items: [1, 2, 3] }], config, { items: ITEMS }));
      const c = sasrec.encode(params, arrays, config, INFERENCE);
      return Array.from(matMul(c, sasrec.outputs(params, config).table, false, true).dataSync());
    });
  const scores = scoresOf(1);
  expect(Math.max(...scores.map(Math.abs))).toBeLessThanOrEqual(16.001);
  expect(far(scores, scoresOf(50))).toBeLessThan(1e-3);
  expect(
    far(
      scores,
      scoresOf(1, { temperature: 1 / 8 }).map((x) => 2 * x),
    ),
  ).toBeLessThan(1e-4);
});

describe('configuration', () => {
  test('takes the official spelling and refuses heads that do not fit', () => {
    expect(configure(sasrec, { hidden_units: 64, num_heads: '2', l2_emb: 0.1 })).toMatchObject({
      hiddenUnits: 64,
      numHeads: 2,
      l2Emb: 0.1,
    });
    expect(() => configure(sasrec, { hiddenUnits: 50, numHeads: 3 })).toThrow(/hiddenUnits.*multiple.*50 and 3/);
    expect(configure(sasrec, { negatives: 'auto', temperature: 'auto', dropoutEmbed: 'same' })).toEqual(
      configure(sasrec),
    );
    expect(configure(sasrec, { gbce_t: 0.5, reuse_item_embeddings: false })).toMatchObject({
      gbceT: 0.5,
      reuseItemEmbeddings: false,
    });
  });

  test('refuses options that do not go together, and says why', () => {
    const refused = (given: Partial<SasrecConfig>, message: RegExp) =>
      expect(() => configure(sasrec, given)).toThrow(
        expect.objectContaining({ code: 'bad-config', message: expect.stringMatching(message) }),
      );
    refused({ loss: 'bce', labelSmoothing: 0.1 }, /"labelSmoothing" needs loss "ce".*got "bce"/);
    refused({ sparseUpdates: true }, /"sparseUpdates" needs loss "sampled", "bce" or "gbce"/);
    refused({ sparseUpdates: true, loss: 'bce', l2Emb: 0.1 }, /"sparseUpdates" and "l2Emb" do not go together/);
  });
});

test.each(['pre', 'post'] as const)('the port’s form %s starts its tables by Xavier’s normal', (norm) => {
  const { items, positions } = sasrec.parameters(smallSasrec({ norm }), { items: 9 });
  expect(items!.init).toEqual({ kind: 'normal', std: Math.sqrt(2 / (10 + 6)) });
  expect(positions!.init).toEqual({ kind: 'normal', std: Math.sqrt(2 / (6 + 6)) });
});
