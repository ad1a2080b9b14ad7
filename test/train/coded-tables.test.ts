import {
  addN,
  gather,
  grad,
  mul,
  reshape,
  type Scalar,
  sum,
  type Tensor,
  tensor,
  tensor1d,
  tidy,
} from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { CENTROID_COUNT, codedOf } from '../../src/checkpoint/product-codes';
import { configure } from '../../src/models/configuration';
import { gru4recTraining } from '../../src/models/gru4rec-training';
import { initialise } from '../../src/models/initialise';
import { sasrecTraining } from '../../src/models/sasrec-training';
import type { Training } from '../../src/models/training';
import { random } from '../../src/session/random';
import { CodedTables } from '../../src/train/coded-tables';
import { DataParallel, sharedMemory } from '../../src/train/data-parallel';
import { fitModel } from '../../src/train/fit';
import { Trainer, type TrainerOptions } from '../../src/train/trainer';
import type { NdArray } from '../../src/types';
import { expectNoTensorsLeft, start } from '../compute/backends/start';
import { bitsOf, ringLog, supportOf } from './helpers';

const ITEMS = 12;
const M = 3;

/** Codes of a few rows, with centroids of width d that are drawn; row 0 is zeros. */
function table(rows: number, d: number) {
  const { normal, integer } = random(3, 'table');
  const codes = Uint8Array.from({ length: rows * M }, (_, i) => (i < M ? 0 : integer(5)));
  const centroids = Float32Array.from({ length: CENTROID_COUNT * d }, (_, i) => (i < d ? 0 : 0.3 * normal()));
  return codedOf(codes, centroids, M);
}

beforeAll(() => start('wasm'));

describe('a table of codes', () => {
  expectNoTensorsLeft();
  const d = 8;
  const coded = table(ITEMS + 1, d);
  const tables = new CodedTables({ items: coded });
  const learnt = tables.learnt({ items: coded })['items']!;
  const tensorOf = ({ data, shape }: NdArray): Tensor => tensor(data, [...shape]);

  test.each([
    ['all rows', undefined],
    ['some rows, one of them twice', Int32Array.of(7, 0, 3, 7)],
  ] as const)('has what its codes stand for, %s', (_, rows) => {
    const centroids = tensorOf(learnt);
    const given = tables.rows('items', centroids, rows);
    const indices = [...(rows ?? Array(ITEMS + 1).keys())];
    const expected = indices.flatMap((row) => [...coded.data.subarray(d * row, d * (row + 1))]);
    expect([...given.dataSync()]).toEqual(expected);
    centroids.dispose();
    given.dispose();
  });

  // By TensorFlow.js itself: it differentiates the rows, taken piece by piece.
  test('has a gradient of its centroids, summed over the rows that share them', () =>
    tidy(() => {
      const rows = Int32Array.of(7, 0, 3, 7);
      const { normal } = random(4, 'weights');
      const weights = tensor(
        Float32Array.from({ length: rows.length * d }, () => normal()),
        [rows.length, d],
      );
      const starts = [0, 2, 5, d];
      const loss = (centroids: Tensor) => {
        const terms = Array.from(rows).flatMap((row, i) =>
          Array.from({ length: M }, (_, k) => {
            const columns = Array.from({ length: starts[k + 1]! - starts[k]! }, (_, j) => starts[k]! + j);
            const at = columns.map((j) => d * coded.codes[M * row + k]! + j);
            const values = gather(reshape(centroids, [CENTROID_COUNT * d]), tensor1d(at, 'int32'));
            const own = gather(
              reshape(weights, [rows.length * d]),
              tensor1d(
                columns.map((j) => d * i + j),
                'int32',
              ),
            );
            return sum(mul(values, own));
          }),
        );
        return addN(terms) as Scalar;
      };
      const expected = grad(loss)(tensorOf(learnt));
      const all = tables.gradient('items', weights, { shape: [], init: { kind: 'zeros' } }, rows);
      const padded = tables.gradient('items', weights, { shape: [], init: { kind: 'zeros' }, rows: 'both' }, rows);
      const [ours, theirs] = [all.dataSync(), expected.dataSync()];
      for (const [i, x] of theirs.entries()) expect(ours[i]).toBeCloseTo(x, 5);
      expect([...theirs.subarray(0, d)].some((x) => x !== 0)).toBe(true);
      expect([...padded.dataSync()]).toEqual([...ours].map((x, i) => (i < d ? 0 : x)));
    }));
});

type Options = TrainerOptions<Record<string, unknown>>;
const log = ringLog(ITEMS);
const catalogue = { items: ITEMS, support: supportOf(log, ITEMS) };
const sas = { hiddenUnits: 8, maxlen: 4, numHeads: 2, batchSize: 16, dropoutRate: 0.2, lr: 0.01 };
const cases = [
  ['gru4rec', gru4recTraining, { layers: [8], batchSize: 10, nSample: 6, learningRate: 0.1 }],
  ['sasrec', sasrecTraining, sas],
  ['sasrec, by touched rows', sasrecTraining, { ...sas, loss: 'sampled', nSample: 5, sparseUpdates: true }],
] as const;

describe.each(cases)('training of %s from codes', (_, given, config) => {
  expectNoTensorsLeft();
  const training = given as unknown as Training<Record<string, unknown>>;
  const complete = configure(training.network, config);
  const fresh = initialise(training.network.parameters(complete, catalogue), 5);
  const name = 'items';
  const start = table(fresh[name]!.shape[0]!, fresh[name]!.shape[1]!);
  const options: Options = {
    training,
    config: complete,
    catalogue,
    sessions: log,
    seed: 5,
    params: { ...fresh, [name]: start },
  };

  test('moves centroids, keeps codes, and learns', async () => {
    const { weights, epochs } = await fitModel({ ...options, epochs: 6, valid: log });
    const after = weights[name] as typeof start;
    expect(after.codes).toEqual(start.codes);
    expect(after.shape).toEqual(start.shape);
    expect(after.centroids).not.toEqual(start.centroids);
    expect([...after.data.subarray(0, after.shape[1])]).toEqual(Array(after.shape[1]!).fill(0));
    const unused = CENTROID_COUNT - 1;
    const row = (centroids: Float32Array) => [...centroids.subarray(unused * after.shape[1]!)];
    expect(row(after.centroids)).toEqual(row(start.centroids));
    expect(epochs.at(-1)!.loss).toBeLessThan(0.95 * epochs[0]!.loss);
    expect(epochs.at(-1)!.valid!['mrr@20']).toBeGreaterThan(epochs[0]!.valid!['mrr@20']!);
  });

  test('goes on from what it saved, to the bit', async () => {
    const whole = new Trainer(options);
    for (let i = 0; i < 3; i++) await whole.runEpoch();
    const first = new Trainer(options);
    await first.runEpoch();
    const second = new Trainer(options, await first.save());
    for (let i = 0; i < 2; i++) await second.runEpoch();
    expect(bitsOf(await second.weights())).toEqual(bitsOf(await whole.weights()));
    for (const trainer of [whole, first, second]) trainer.dispose();
  });
});

test('threads that share steps share the gradients of centroids', async () => {
  const training = sasrecTraining as unknown as Training<Record<string, unknown>>;
  const config = configure(training.network, { ...sas, dropoutRate: 0 });
  const fresh = initialise(training.network.parameters(config, catalogue), 5);
  const params = { ...fresh, items: table(fresh['items']!.shape[0]!, 8) };
  const options: Options = { training, config, catalogue, sessions: log, seed: 5, params };
  const layout = Object.fromEntries(
    Object.entries(fresh).map(([name, { data }]) => [name, name === 'items' ? CENTROID_COUNT * 8 : data.length]),
  );
  const parallel = new DataParallel(sharedMemory(layout), layout, 0, 1);
  const [together, alone] = await Promise.all(
    [{ ...options, parallel }, options].map(async (given) => {
      const trainer = new Trainer(given);
      await trainer.runEpoch();
      const { items } = await trainer.weights();
      trainer.dispose();
      return items!.data;
    }),
  );
  for (const [i, x] of alone!.entries()) expect(together![i]).toBeCloseTo(x, 3);
  expect(together).not.toEqual(params.items.centroids);
});
