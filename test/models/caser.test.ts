import { grads, type Tensor, type Tensor3D, tensor3d, tidy } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { type CaserConfig, caser } from '../../src/models/caser';
import { caserTraining } from '../../src/models/caser-training';
import { configure } from '../../src/models/configuration';
import { initialise } from '../../src/models/initialise';
import type { Run } from '../../src/models/model';
import { size } from '../../src/models/parameters';
import { profileClicks } from '../../src/models/profile';
import { upload } from '../../src/models/tensors';
import { maxOverTime } from '../../src/nn/convolution';
import { catalogueScores } from '../../src/nn/scores';
import type { NdArray, SessionInput } from '../../src/types';
import { start } from '../compute/backends/start';
import { INFERENCE } from '../reference/through-training';
import { drawWeights, far } from '../reference/weights64';
import { logOf, supportOf } from '../train/helpers';
import { epochOf, firstBatch, stepOf } from './steps';

const ITEMS = 9;
const catalogue = { items: ITEMS };

beforeAll(() => start('cpu'));

const small = (given: Partial<CaserConfig> = {}): CaserConfig =>
  configure(caser, { d: 4, L: 3, nv: 2, nh: 2, ...given });

function encode(sessions: readonly SessionInput[], config: CaserConfig, run: Run = INFERENCE): number[][] {
  return tidy(() => {
    const { params } = drawWeights(caser, config, catalogue, 0.5);
    const arrays = upload(caser.prepare(sessions, config, catalogue));
    return caser.encode(upload(params), arrays, config, run).arraySync();
  });
}

describe('parameters', () => {
  const count = (given: Partial<CaserConfig>, only: (name: string) => boolean) =>
    Object.entries(caser.parameters(configure(caser, given), catalogue))
      .filter(([name]) => only(name))
      .reduce((total, [, { shape }]) => total + size(shape), 0);

  test('are as many as the official code has', () => {
    expect(count({}, (name) => name.startsWith('vertical'))).toBe(24);
    expect(count({}, (name) => name.startsWith('horizontal'))).toBe(12_080);
    expect(count({}, (name) => name.startsWith('hidden'))).toBe(14_050);
    expect(count({}, (name) => /^(outputs|bias)$/.test(name))).toBe(101 * (ITEMS + 1));
    expect(count({ profile: 'none' }, (name) => /^(outputs|bias)$/.test(name))).toBe(51 * (ITEMS + 1));
    expect(count({ profile: 'user', users: 7 }, (name) => name === 'users')).toBe(350);
    expect(count({ profile: 'shared' }, (name) => name === 'shared')).toBe(50);
  });

  test('start as in the official code, with zero rows for padding unless it is trained', () => {
    const values = (padding: CaserConfig['padding']) =>
      initialise(caser.parameters(configure(caser, { padding, profile: 'session' }), { items: 3000 }), 1);
    const { items, outputs, bias, profiles, ...layers } = values('zero');
    const spread = (data: Float32Array) => Math.sqrt(data.reduce((total, x) => total + x * x, 0) / data.length);
    expect(spread(items!.data) * 50).toBeCloseTo(1, 1);
    expect(spread(profiles!.data) * 50).toBeCloseTo(1, 1);
    expect(spread(outputs!.data) * 100).toBeCloseTo(1, 1);
    expect(spread(bias!.data)).toBe(0);
    expect(spread(items!.data.subarray(0, 50))).toBe(0);
    expect(spread(values('trained').items!.data.subarray(0, 50))).toBeGreaterThan(0);
    const inputs = { vertical: 5, 'horizontal.1': 50, 'horizontal.5': 250, hidden: 280 };
    for (const [name, count] of Object.entries(inputs)) {
      for (const part of ['w', 'b']) {
        const largest = Math.max(...layers[`${name}.${part}`]!.data.map(Math.abs));
        expect(largest, name).toBeLessThanOrEqual(Math.fround(1 / Math.sqrt(count)));
        expect(largest, name).toBeGreaterThan(0.4 / Math.sqrt(count));
      }
    }
  });
});

describe('the window', () => {
  test('holds the last L clicks, padded on the left to L however short the session', () => {
    const prepared = caser.prepare([{ items: [1, 2, 3, 4] }, { items: [5] }], small(), catalogue);
    expect(prepared.items).toMatchObject({ shape: [2, 3], data: Int32Array.of(2, 3, 4, 0, 0, 5) });
  });

  test('alone decides where no profile reads the clicks before it', () => {
    const sessions = [{ items: [7, 8, 1, 2, 3] }, { items: [1, 2, 3] }];
    for (const profile of ['none', 'shared'] as const) {
      const [long, short] = encode(sessions, small({ profile }));
      expect(far(long!, short!)).toBe(0);
    }
    const [long, short] = encode(sessions, small());
    expect(far(long!.slice(0, 4), short!.slice(0, 4))).toBe(0);
    expect(far(long!.slice(4), short!.slice(4))).toBeGreaterThan(0.01);
  });

  test('is dropped out after the filters, and nowhere else', () => {
    const shapes: number[][] = [];
    const dropout: Run['dropout'] = (x, rate) => {
      expect(rate).toBe(0.25);
      shapes.push(x.shape);
      return x;
    };
    encode([{ items: [1, 2] }], small({ drop: 0.25 }), { dropout });
    expect(shapes).toEqual([[1, 2 * 4 + 2 * 3]]);
  });
});

describe('the maximum over time', () => {
  const values = [
    [
      [1, 5, -2],
      [3, 5, -2],
      [2, 5, -1],
    ],
  ];
  test('is that of each filter', () => {
    const found = tidy(() => maxOverTime(tensor3d(values)).arraySync());
    expect(found).toEqual([[3, 5, -1]]);
  });
  test('sends its gradient to one of several equal ones', () => {
    tidy(() => {
      const [gradient] = grads((x: Tensor) => maxOverTime(x as Tensor3D))([tensor3d(values)]);
      expect(gradient!.arraySync()).toEqual([
        [
          [0, 1, 0],
          [1, 0, 0],
          [0, 0, 1],
        ],
      ]);
    });
  });
});

describe('the profile', () => {
  const earlier = [{ items: [1, 2] }, { items: [3] }];
  const shares = (session: SessionInput, of: 'session' | 'device') => {
    const { clicks, weights } = profileClicks([session], of === 'device');
    return Array.from(clicks!.data, (item, i) => [item, +weights!.data[i]!.toFixed(4)]);
  };

  test('of a session is the mean of all its clicks', () => {
    expect(shares({ items: [4, 5, 4], earlier }, 'session')).toEqual([
      [4, 0.3333],
      [5, 0.3333],
      [4, 0.3333],
    ]);
  });

  test('of a device reaches back over its sessions, each weighing less than the one after it', () => {
    expect(shares({ items: [4, 5], earlier }, 'device')).toEqual([
      [1, 0.1332],
      [2, 0.1332],
      [3, 0.1902],
      [4, 0.2717],
      [5, 0.2717],
    ]);
    expect(shares({ items: [4] }, 'device')).toEqual([[4, 1]]);
  });

  test('of a device tells sessions apart by their times where they come in one list', () => {
    const times = [0, 60, 4000, 4060];
    const fading = [
      [1, 0.2059],
      [2, 0.2059],
      [4, 0.2941],
      [5, 0.2941],
    ];
    expect(shares({ items: [1, 2, 4, 5], times }, 'device')).toEqual(fading);
    const equal = fading.map(([item]) => [item, 0.25]);
    expect(shares({ items: [1, 2, 4, 5], times }, 'session')).toEqual(equal);
    expect(shares({ items: [1, 2, 4, 5], times: [0, 60, 1860, 1900] }, 'device')).toEqual(equal);
    expect(shares({ items: [1, 2, 4, 5] }, 'device')).toEqual(equal);
  });

  test('counts the 200 most recent clicks only', () => {
    const many = Int32Array.from({ length: 250 }, (_, i) => i + 1);
    const items = (of: 'session' | 'device', session: SessionInput) => shares(session, of).map(([item]) => item);
    expect(items('session', { items: many })).toEqual(Array.from(many.subarray(50)));
    expect(items('device', { items: [5], earlier: [{ items: many }] })).toEqual([...many.subarray(51), 5]);
  });

  test('is zero without a click, and for a user who is not known', () => {
    expect(shares({ items: [] }, 'device')).toEqual([[0, 0]]);
    const config = small({ profile: 'user', users: 2 });
    const vectors = encode([{ items: [1] }, { items: [1], user: 2 }, { items: [1], user: 1 }], config);
    expect(far(vectors[0]!.slice(4), [0, 0, 0, 0])).toBe(0);
    expect(vectors[1]).toEqual(vectors[0]);
    expect(far(vectors[2]!.slice(4), [0, 0, 0, 0])).toBeGreaterThan(0.01);
  });

  test('of users needs a log that names them, and takes their number from it', () => {
    const config = configure(caser, { profile: 'user' });
    const log = { items: Int32Array.of(1, 2, 3), times: new Float64Array(3), offsets: Int32Array.of(0, 1, 2, 3) };
    expect(caser.complete!(config, { ...log, users: Int32Array.of(0, 1, 0) }).users).toBe(2);
    expect(() => caser.complete!(config, log)).toThrow(/profile=user needs a log that names its users/);
    expect(caser.complete!(configure(caser, {}), log)).toEqual(configure(caser, {}));
    expect(() => configure(caser, { users: 3 })).toThrow(/"users" is for profile=user, got 3 with profile=session/);
  });
});

test('drops the vectors of clicks where asked, and draws no mask for them where not', () => {
  const ratesOf = (given: Partial<CaserConfig>): number[] => {
    const config = small({ drop: 0.4, ...given });
    const rates: number[] = [];
    encode([{ items: [1, 2, 3] }], config, {
      dropout: (x, rate) => {
        rates.push(rate);
        return x;
      },
    });
    return rates;
  };
  expect(ratesOf({})).toEqual([0.4]);
  expect(ratesOf({ dropoutEmbed: 0.2 })).toEqual([0.2, 0.4, 0.2]);
});

describe('training', () => {
  const log = logOf([
    [1, 2, 3, 4, 5, 6],
    [7, 8],
    [9, 1, 9],
  ]);
  const known = { ...catalogue, support: supportOf(log, ITEMS) };
  const batchOf = (given: Partial<CaserConfig>) => firstBatch(caserTraining, small(given), log, known);

  test('plans Adam with coupled decay', () => {
    const plan = (given: Partial<CaserConfig>) => caserTraining.plan(configure(caser, given));
    expect(plan({})).toEqual({
      epochs: 50,
      averageEpochs: 1,
      optimiser: {
        kind: 'adam',
        learningRate: 0.001,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weightDecay: { amount: 1e-6, kind: 'coupled' },
        touchedRows: false,
      },
      schedule: { kind: 'constant' },
    });
    expect(plan({ sparseUpdates: true }).optimiser.touchedRows).toBe(true);
    expect(plan({ lrSchedule: 'linear' }).schedule).toEqual({ kind: 'linear' });
  });

  test.each<[Partial<CaserConfig>, RegExp]>([
    [{ outputTable: 'inputs', profile: 'shared' }, /profile=shared has no vectors of items/],
    [{ sparseUpdates: true, loss: 'cross-entropy' }, /"sparseUpdates" needs loss "binary" or "sampled"/],
    [{ labelSmoothing: 0.1 }, /"labelSmoothing" needs loss "cross-entropy".*got "binary"/],
  ])('refuses %o', (given, message) => {
    expect(() => configure(caser, given)).toThrow(message);
  });

  test('binary compares each window with draws outside its session, or from all items', () => {
    const shapeOf = (given: Partial<CaserConfig>) => batchOf(given).negatives!.shape;
    const windows = new Set(batchOf({}).window.data).size;
    expect(shapeOf({})).toEqual([windows, 3]);
    expect(shapeOf({ negSamples: 5 })).toEqual([windows, 5]);
    const inside = (given: Partial<CaserConfig>) => {
      const [rows] = epochOf(caserTraining, small(given), log, known);
      const { negatives } = batchOf(given);
      return Array.from(negatives!.data).filter((item, k) => {
        const { source } = rows![Math.floor(k / negatives!.shape[1]!)]!;
        return log.items.subarray(log.offsets[source]!, log.offsets[source + 1]!).includes(item);
      });
    };
    expect(inside({ negSamples: 100 })).toEqual([]);
    expect(inside({ negSamples: 100, negFrom: 'all' }).length).toBeGreaterThan(50);
  });

  test('sampled compares all targets with the same draws and corrects for their popularity', () => {
    const { sampled, targets, negatives } = batchOf({ loss: 'sampled', nSample: 7, sampleAlpha: 0.25 });
    expect(negatives).toBeUndefined();
    expect(sampled!.negatives.shape).toEqual([7]);
    const correction = ({ data }: NdArray) =>
      Array.from(data, (item) => Math.fround(0.25 * Math.log(known.support[item]!)));
    expect(Array.from(sampled!.logqTargets!.data)).toEqual(correction(targets));
    expect(Array.from(sampled!.logqNegatives!.data)).toEqual(correction(sampled!.negatives));
    const { sampled: none, negatives: neither } = batchOf({ loss: 'cross-entropy' });
    expect([none, neither]).toEqual([undefined, undefined]);
  });

  test('reads the last sessions of a device for its profile alone', () => {
    expect(caser.earlier!(configure(caser, { profile: 'device' }))).toBe(20);
    expect(caser.earlier!(configure(caser, {}))).toBe(0);
  });

  test('binary weighs targets and negatives alike whatever their numbers', () => {
    const config = small({ negSamples: 4 });
    const { params } = drawWeights(caser, config, known);
    const batch = firstBatch(caserTraining, config, log, known);
    const { vectors, table, bias } = tidy(() => {
      const outputs = caser.outputs(upload(params), config);
      return {
        vectors: caser.encode(upload(params), upload(batch.inputs), config, INFERENCE).arraySync(),
        table: outputs.table.arraySync(),
        bias: outputs.bias!.arraySync(),
      };
    });
    const { window, targets, negatives } = batch;
    const score = (row: number, item: number) =>
      vectors[row]!.reduce((sum, x, k) => sum + x * table[item]![k]!, bias[item]!);
    const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    const logistic = (x: number) => 1 / (1 + Math.exp(-x));
    const positive = mean(Array.from(targets.data, (item, m) => -Math.log(logistic(score(window.data[m]!, item)))));
    const negative = mean(
      Array.from(negatives!.data, (item, k) => -Math.log(1 - logistic(score(Math.floor(k / 4), item)))),
    );
    expect(stepOf(caserTraining, params, batch, config, known).loss / (positive + negative)).toBeCloseTo(1, 5);
  });

  test('label smoothing reaches the loss', () => {
    const config = small({ loss: 'cross-entropy' });
    const { params } = drawWeights(caser, config, known);
    const batch = firstBatch(caserTraining, config, log, known);
    const { scores } = tidy(() => {
      const g = caser.encode(upload(params), upload(batch.inputs), config, INFERENCE);
      return { scores: catalogueScores(g, caser.outputs(upload(params), config), ITEMS).arraySync() };
    });
    const losses = Array.from(batch.targets.data, (target, m) => {
      const s = scores[batch.window.data[m]!]!;
      const log = Math.log(s.reduce((sum, x) => sum + Math.exp(x), 0));
      return s.reduce((sum, x, j) => sum + (j === target - 1 ? 0.9 : 0.1 / (ITEMS - 1)) * (log - x), 0);
    });
    const expected = losses.reduce((a, b) => a + b, 0) / losses.length;
    const smoothed = { ...config, labelSmoothing: 0.1 };
    expect(stepOf(caserTraining, params, batch, smoothed, known).loss / expected).toBeCloseTo(1, 5);
  });
});
