import { tensor1d, tensor2d, tidy } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import { type SasrecConfig, sasrec } from '../../src/models/sasrec';
import { sasrecLoss, sasrecTraining } from '../../src/models/sasrec-training';
import { matrix, outputItems, vector } from '../../src/objectives/batch';
import type { NdArray } from '../../src/types';
import { backends, expectNoTensorsLeft, start } from '../compute/backends/start';
import { logOf, supportOf } from '../train/helpers';
import { epochOf, firstBatch, smallSasrec, uploaded } from './steps';

const ITEMS = 9;

beforeAll(() => start('cpu'));

expectNoTensorsLeft();

const log = logOf([
  [1, 2, 3],
  [4, 5],
  [6, 7, 8, 9, 1, 2],
]);
const catalogue = { items: ITEMS, support: supportOf(log, ITEMS) };
const configOf = (given: Partial<SasrecConfig>) => smallSasrec({ maxlen: 3, ...given });
const rowsOf = (given: Partial<SasrecConfig>) => epochOf(sasrecTraining, configOf(given), log, catalogue);
const batchOf = (given: Partial<SasrecConfig>) => firstBatch(sasrecTraining, configOf(given), log, catalogue);

test('plans Adam as asked', () => {
  const plan = (given: Partial<SasrecConfig>) => sasrecTraining.plan(configure(sasrec, given));
  expect(plan({ weightDecay: 0.1, sparseUpdates: true, loss: 'bce', beta2: 0.999 }).optimiser).toMatchObject({
    weightDecay: { amount: 0.1, kind: 'decoupled' },
    touchedRows: true,
    beta2: 0.999,
  });
  expect(plan({ lr: 0.002 }).optimiser).toMatchObject({
    kind: 'adam',
    learningRate: 0.002,
    beta1: 0.9,
    beta2: 0.98,
    epsilon: 1e-8,
  });
});

test('goes over every session once, or takes those of one length together', () => {
  const sources = (given: Partial<SasrecConfig>) => rowsOf(given).map((batch) => batch.map(({ source }) => source));
  expect(sources({ batchSize: 2 }).map(({ length }) => length)).toEqual([2, 1]);
  expect(sources({}).flat().sort()).toEqual([0, 1, 2]);
  const lengths = { maxlen: 20, batching: 'same-length', batchClicks: 64 } as const;
  expect(sources(lengths).sort((a, b) => a[0]! - b[0]!)).toEqual([[0], [1], [2]]);
  // The latest clicks of a session that is too long.
  const longest = rowsOf({})
    .flat()
    .find(({ source }) => source === 2);
  expect(longest).toEqual({ source: 2, from: 7, firstTarget: 8, end: 11 });
});

test('ce compares a target with the catalogue', () => {
  const { sampled, negatives, targets } = batchOf({});
  expect([sampled, negatives]).toEqual([undefined, undefined]);
  expect([...targets.data].sort()).toEqual([1, 2, 2, 3, 5, 9]);
});

test('sampled compares the targets of a batch with draws, and corrects for their popularity', () => {
  const sampling = { loss: 'sampled', nSample: 7, sampleAlpha: 0.25, logq: 0.5 } as const;
  const { sampled, targets } = batchOf(sampling);
  expect(sampled!.negatives.shape).toEqual([7]);
  const correction = ({ data }: NdArray) =>
    Array.from(data, (item) => Math.fround(0.5 * 0.25 * Math.log(catalogue.support[item]!)));
  expect(Array.from(sampled!.logqTargets!.data)).toEqual(correction(targets));
  expect(Array.from(sampled!.logqNegatives!.data)).toEqual(correction(sampled!.negatives));
});

test('bce and gbce compare each target with as many draws of its own as asked', () => {
  const shapeOf = (given: Partial<SasrecConfig>) => batchOf(given).negatives!.shape;
  expect(shapeOf({ loss: 'bce' })).toEqual([6, 1]);
  expect(shapeOf({ loss: 'bce', negatives: 4 })).toEqual([6, 4]);
  expect(shapeOf({ loss: 'gbce' })).toEqual([6, 256]);
  expect(shapeOf({ loss: 'gbce', negatives: 8 })).toEqual([6, 8]);
});

describe.each(backends)('the losses on %s', (backend) => {
  beforeAll(() => start(backend));

  /** Scores of two vectors, (1, 0) and (0, 1), for items 1 to 4. */
  const TABLE = [
    [0, 0],
    [2.0, 0.1],
    [-0.5, 1.0],
    [0.3, -0.4],
    [-1.2, 0.7],
  ];
  const logistic = (x: number) => 1 / (1 + Math.exp(-x));

  function lossOf(
    given: Partial<SasrecConfig>,
    targets: readonly number[],
    negatives: readonly (readonly number[])[] | undefined,
    table: readonly (readonly number[])[] = TABLE,
    bias?: readonly number[],
  ): number {
    const batch = {
      inputs: [],
      positions: vector(Int32Array.from(targets.keys())),
      targets: outputItems(Int32Array.from(targets)),
      ...(negatives && { negatives: matrix(Int32Array.from(negatives.flat()), targets.length) }),
    };
    return tidy(() => {
      const outputs = { table: tensor2d(table as number[][]), ...(bias && { bias: tensor1d(bias as number[]) }) };
      const all = tensor2d([[1, 0], [0, 1]]); // biome-ignore format: rows of a matrix
      const params = { items: outputs.table };
      return sasrecLoss(all, outputs, params, uploaded(batch), smallSasrec(given), table.length - 1).dataSync()[0]!;
    });
  }

  test('bce compares each target with negatives of its own', () => {
    const negatives = [
      [2, 4],
      [3, 3],
    ];
    const bias = [0, 0.1, -0.2, 0.3, 0];
    const rows = [1, 2].map((target, m) => {
      const s = (item: number) => TABLE[item]![m]! + bias[item]!;
      const against = negatives[m]!.reduce((total, k) => total - Math.log(1 - logistic(s(k))), 0);
      return against - Math.log(logistic(s(target)));
    });
    const loss = lossOf({ loss: 'bce' }, [1, 2], negatives, TABLE, bias);
    expect(Math.abs(loss - (rows[0]! + rows[1]!) / 2)).toBeLessThan(1e-5);
  });

  test('bce stays finite where a logistic function saturates', () => {
    const table = [
      [0, 0],
      [-500, 500],
      [0, 0],
      [0, -500],
    ];
    const sum = 2 * lossOf({ loss: 'bce' }, [1, 1], [[2], [3]], table);
    expect(Math.abs(sum - (500 + Math.log(2)))).toBeLessThan(1e-3);
  });

  test('ce ranks the target among all items, and label smoothing reaches it', () => {
    const rows = [1, 2].map((target, m) => {
      const scores = TABLE.slice(1).map((row) => row[m]!);
      const all = Math.log(scores.reduce((total, s) => total + Math.exp(s), 0));
      const part = (share: number) => (total: number, s: number, j: number) =>
        total + (j === target - 1 ? 1 - share : share / 3) * (all - s);
      return [0, 0.3].map((share) => scores.reduce(part(share), 0));
    });
    [0, 0.3].forEach((labelSmoothing, i) => {
      const expected = (rows[0]![i]! + rows[1]![i]!) / 2;
      expect(Math.abs(lossOf({ labelSmoothing }, [1, 2], undefined) - expected)).toBeLessThan(1e-5);
    });
  });

  test('the squares of the item table are added to the loss', () => {
    const squares = TABLE.flat().reduce((total, x) => total + x * x, 0);
    const added = lossOf({ l2Emb: 0.1 }, [1, 2], undefined) - lossOf({}, [1, 2], undefined);
    expect(Math.abs(added - 0.1 * squares)).toBeLessThan(1e-5);
  });
});
