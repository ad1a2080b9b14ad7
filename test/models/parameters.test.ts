import { describe, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import { type Gru4RecConfig, gru4rec } from '../../src/models/gru4rec';
import { finalActivation, gru4recTraining } from '../../src/models/gru4rec-training';
import { initialise } from '../../src/models/initialise';
import { padItems } from '../../src/models/padding';
import { glorotNormal, size } from '../../src/models/parameters';
import { logOf, supportOf } from '../train/helpers';
import { epochOf, firstBatch } from './steps';

const N = 400;
const configOf = (given: Partial<Gru4RecConfig>) => configure(gru4rec, given);
const start = (given: Partial<Gru4RecConfig>, seed = 1, items = N) =>
  initialise(gru4rec.parameters(configOf(given), { items }), seed);

describe('GRU4Rec starts', () => {
  const limit = (rows: number, columns: number) => Math.sqrt(6 / (rows + columns));
  const SEPARATE = { constrainedEmbedding: false, embedding: 20 };
  const ONE_HOT = { constrainedEmbedding: false };

  test.each<[string, Partial<Gru4RecConfig>, Record<string, number>]>([
    [
      'constrained',
      { layers: [30, 50] },
      {
        items: limit(N, 50),
        'gru.0.wx': limit(50, 30),
        'gru.0.wh': limit(30, 30),
        'gru.1.wx': limit(30, 50),
        'gru.1.wh': limit(50, 50),
      },
    ],
    [
      'separate',
      { ...SEPARATE, layers: [30] },
      {
        items: limit(N, 30),
        inputs: limit(N, 20),
        'gru.0.wx': limit(20, 30),
        'gru.0.wh': limit(30, 30),
      },
    ],
    [
      'one-hot',
      { ...ONE_HOT, layers: [30] },
      {
        items: limit(N, 30),
        'gru.0.items': limit(N, 30),
        'gru.0.wh': limit(30, 30),
      },
    ],
  ])('%s: every matrix uniform within its own limit, gate by gate', (_, given, limits) => {
    const values = start(given);
    for (const [name, bound] of Object.entries(limits)) {
      const { data, shape } = values[name]!;
      const real = data.subarray(shape[0] === N + 1 ? shape[1] : 0);
      const largest = real.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      expect(largest, name).toBeLessThanOrEqual(bound);
      expect(largest / bound, name).toBeGreaterThan(0.99);
      // The standard deviation of a uniform draw is its limit / √3, its mean 0.
      const mean = real.reduce((a, x) => a + x, 0) / real.length;
      const deviation = Math.sqrt(real.reduce((a, x) => a + (x - mean) ** 2, 0) / real.length);
      expect(deviation / (bound / Math.sqrt(3)), name).toBeGreaterThan(0.95);
      expect(deviation / (bound / Math.sqrt(3)), name).toBeLessThan(1.05);
      expect(Math.abs(mean) / bound, name).toBeLessThan(0.06);
    }
    const matrices = Object.keys(values).filter((name) => values[name]!.shape.length > 1);
    expect(matrices.sort()).toEqual(Object.keys(limits).sort());
  });

  test('with zero biases, in every mode, the item bias among them', () => {
    for (const given of [{}, SEPARATE, ONE_HOT]) {
      const values = start(given);
      const biases = Object.entries(values).filter(([, { shape }]) => shape.length === 1);
      expect(biases.map(([name]) => name)).toContain('bias');
      for (const [name, { data }] of biases)
        expect(
          data.every((x) => x === 0),
          name,
        ).toBe(true);
    }
  });

  test('with a zero row for padding in every item table', () => {
    for (const given of [{}, SEPARATE, ONE_HOT]) {
      for (const [name, { data, shape }] of Object.entries(start(given))) {
        if (shape[0] !== N + 1) continue;
        const width = size(shape.slice(1));
        expect(
          data.subarray(0, width).every((x) => x === 0),
          name,
        ).toBe(true);
        if (shape.length > 1)
          expect(
            data.subarray(width).every((x) => x !== 0),
            name,
          ).toBe(true);
      }
    }
  });

  test('with the number of parameters that the codes have', () => {
    const inner = (given: Partial<Gru4RecConfig>) =>
      Object.entries(gru4rec.parameters(configOf(given), { items: N }))
        .filter(([name]) => name.startsWith('gru.'))
        .reduce((total, [, { shape }]) => total + size(shape), 0);
    expect(inner({})).toBe(60_600);
  });

  test('alike for a seed, otherwise for another, each parameter from a stream of its own', () => {
    expect(start({})).toEqual(start({}));
    expect(start({}, 2).items!.data).not.toEqual(start({}).items!.data);
    // A second layer changes what the first one's matrices are only where their shapes change.
    expect(start({ layers: [100, 100] })['gru.0.wh']).toEqual(start({ layers: [100] })['gru.0.wh']);
    expect(start({ layers: [100, 100] })['gru.1.wh']!.data).not.toEqual(start({})['gru.0.wh']!.data);
  });

  test('with one table for input and output only where the embedding is constrained', () => {
    const roles = (given: Partial<Gru4RecConfig>) =>
      Object.fromEntries(
        Object.entries(gru4rec.parameters(configOf(given), { items: N }))
          .filter(([, { rows }]) => rows)
          .map(([name, { rows }]) => [name, rows]),
      );
    expect(roles({})).toEqual({ items: 'both', bias: 'output' });
    expect(roles(SEPARATE)).toEqual({ inputs: 'input', items: 'output', bias: 'output' });
    expect(roles(ONE_HOT)).toEqual({ 'gru.0.items': 'input', items: 'output', bias: 'output' });
  });
});

test('a normal start has the deviation that it names', () => {
  const { w } = initialise({ w: { shape: [200, 100], init: glorotNormal(200, 100) } }, 4);
  const deviation = Math.sqrt(w!.data.reduce((a, x) => a + x * x, 0) / w!.data.length);
  expect(deviation / Math.sqrt(2 / 300)).toBeCloseTo(1, 1);
});

describe('what GRU4Rec’s options become', () => {
  const sessions = logOf([
    [1, 2, 3],
    [4, 5, 6, 7],
    [8, 1],
  ]);
  /** Items 9 and 10 have no event. */
  const catalogue = { items: 10, support: supportOf(sessions, 10) };
  const batchOf = (given: Partial<Gru4RecConfig>) => firstBatch(gru4recTraining, configOf(given), sessions, catalogue);

  test('the plan: epochs and Adagrad over the rows that a step touches', () => {
    expect(gru4recTraining.plan(configOf({ nEpochs: 3, learningRate: 0.07, momentum: 0.4 }))).toEqual({
      epochs: 3,
      averageEpochs: 1,
      optimiser: { kind: 'adagrad', learningRate: 0.07, momentum: 0.4, epsilon: 1e-6, touchedRows: true },
      schedule: { kind: 'constant' },
    });
  });

  test('so many sessions side by side, and so many extra items by their popularity', () => {
    const rows = epochOf(gru4recTraining, configOf({ batchSize: 2 }), sessions, catalogue);
    expect(rows[0]).toHaveLength(2);
    const { clicks, columns, carriedFrom } = batchOf({ batchSize: 2, nSample: 17, sampleAlpha: 0.4 });
    expect([...clicks.data, ...carriedFrom]).toEqual([1, 4, -1, -1]);
    expect([...columns.data].slice(0, 2)).toEqual([2, 5]);
    expect(columns.data).toHaveLength(2 + 17);
    const unseen = (sampleAlpha: number) =>
      batchOf({ nSample: 500, sampleAlpha }).columns.data.filter((item) => item > 8).length;
    expect(unseen(0)).toBeGreaterThan(50);
    expect(unseen(0.4)).toBe(0);
  });

  test('without extra items, batches of two sessions at least', () => {
    const fewest = (nSample: number) =>
      epochOf(gru4recTraining, configOf({ nSample }), sessions, catalogue).at(-1)!.length;
    expect([fewest(0), fewest(1)]).toEqual([2, 1]);
  });

  test('each loss has the activation that its authors pair with it, unless another is asked for', () => {
    const of = (given: Partial<Gru4RecConfig>) => finalActivation(configOf(given));
    expect(of({ loss: 'bpr-max' })).toEqual({ kind: 'elu', alpha: 0.5 });
    expect(of({ loss: 'bpr-max', eluParam: 1 })).toEqual({ kind: 'elu', alpha: 1 });
    expect(of({ loss: 'bpr-max', eluParam: 0 })).toEqual({ kind: 'linear' });
    expect(of({ loss: 'top1' })).toEqual({ kind: 'tanh' });
    for (const loss of ['top1-max', 'bpr', 'cross-entropy'] as const) expect(of({ loss })).toEqual({ kind: 'linear' });
    expect(of({ loss: 'top1-max', finalAct: 'leaky', eluParam: 0.1 })).toEqual({ kind: 'leaky', alpha: 0.1 });
  });
});

describe('padded sessions', () => {
  const sessions = [{ items: [1, 2, 3] }, { items: [4] }, { items: [] }];

  test('stand at the side asked for, as wide as the longest', () => {
    expect(padItems(sessions, 'left')).toEqual({
      data: Int32Array.of(1, 2, 3, 0, 0, 4, 0, 0, 0),
      shape: [3, 3],
      items: 'input',
    });
    expect(Array.from(padItems(sessions, 'right').data)).toEqual([1, 2, 3, 4, 0, 0, 0, 0, 0]);
  });

  test('keep their most recent clicks, and are at least one column wide', () => {
    expect(Array.from(padItems(sessions, 'left', 2).data)).toEqual([2, 3, 0, 4, 0, 0]);
    expect(padItems([{ items: [] }], 'left').shape).toEqual([1, 1]);
  });
});
