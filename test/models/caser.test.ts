import { grads, type Tensor, type Tensor3D, tensor3d, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { type CaserConfig, caser } from '../../src/models/caser';
import { configure } from '../../src/models/configuration';
import type { Run } from '../../src/models/model';
import { initialise, size } from '../../src/models/parameters';
import { profileClicks } from '../../src/models/profile';
import { upload } from '../../src/models/tensors';
import { maxOverTime } from '../../src/nn/convolution';
import type { SessionInput } from '../../src/types';
import { start } from '../compute/backends/start';
import { far } from '../reference/weights64';

const ITEMS = 9;
const catalogue = { items: ITEMS };

beforeAll(() => start('cpu'));

const small = (given: Partial<CaserConfig> = {}): CaserConfig =>
  configure(caser, { d: 4, L: 3, nv: 2, nh: 2, ...given });

function encode(sessions: readonly SessionInput[], config: CaserConfig, run: Run = { dropout: (x) => x }): number[][] {
  return tidy(() => {
    const specs = Object.entries(caser.parameters(config, catalogue));
    const normal = { kind: 'normal', std: 0.5 } as const;
    const params = initialise(Object.fromEntries(specs.map(([name, spec]) => [name, { ...spec, init: normal }])), 3);
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
  const shares = (session: SessionInput, over: Partial<CaserConfig>) => {
    const { clicks, weights } = profileClicks([session], small(over));
    return Array.from(clicks!.data, (item, i) => [item, +weights!.data[i]!.toFixed(4)]);
  };

  test('of a session is the mean of all its clicks', () => {
    expect(shares({ items: [4, 5, 4], earlier }, { profile: 'session' })).toEqual([
      [4, 0.3333],
      [5, 0.3333],
      [4, 0.3333],
    ]);
  });

  test('of a device reaches back over its sessions, each weighing less than the one after it', () => {
    expect(shares({ items: [4, 5], earlier }, { profile: 'device', profileDecay: 0.5 })).toEqual([
      [1, 0.0833],
      [2, 0.0833],
      [3, 0.1667],
      [4, 0.3333],
      [5, 0.3333],
    ]);
    expect(shares({ items: [4] }, { profile: 'device' })).toEqual([[4, 1]]);
  });

  test('of a device tells sessions apart by their times where they come in one list', () => {
    const times = [0, 60, 4000, 4060];
    const given = { profileDecay: 0.5 };
    const fading = [
      [1, 0.1667],
      [2, 0.1667],
      [4, 0.3333],
      [5, 0.3333],
    ];
    expect(shares({ items: [1, 2, 4, 5], times }, { ...given, profile: 'device' })).toEqual(fading);
    const equal = fading.map(([item]) => [item, 0.25]);
    expect(shares({ items: [1, 2, 4, 5], times }, { ...given, profile: 'session' })).toEqual(equal);
    expect(shares({ items: [1, 2, 4, 5], times }, { ...given, profile: 'device', profileGap: 120 })).toEqual(equal);
    expect(shares({ items: [1, 2, 4, 5] }, { ...given, profile: 'device' })).toEqual(equal);
  });

  test('counts the most recent clicks only', () => {
    const given = { profile: 'device', profileLength: 2, profileDecay: 1 } as const;
    expect(shares({ items: [5], earlier }, given)).toEqual([
      [3, 0.5],
      [5, 0.5],
    ]);
    expect(shares({ items: Int32Array.of(7, 8, 9) }, { ...given, profile: 'session' })).toEqual([
      [8, 0.5],
      [9, 0.5],
    ]);
  });

  test('is zero without a click, and for a user who is not known', () => {
    expect(shares({ items: [] }, { profile: 'device', profileDecay: 0 })).toEqual([[0, 0]]);
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

test('plans windows, a balanced loss against negatives outside the session, and Adam with coupled decay', () => {
  const plan = (given: Partial<CaserConfig>) => caser.training(configure(caser, given));
  expect(plan({})).toEqual({
    rows: { kind: 'windows', length: 5, targets: 3, partial: false, earlier: 0 },
    batchSize: 512,
    epochs: 50,
    averageEpochs: 1,
    objective: { loss: 'bce', negatives: { kind: 'per-row', count: 3, reject: 'session' }, reduction: 'balanced' },
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
  expect(plan({ negPer: 'target', negSamples: 5 }).objective.negatives).toEqual({
    kind: 'per-position',
    count: 5,
    reject: 'session',
  });
  expect(plan({ negFrom: 'all' }).objective.negatives).toEqual({ kind: 'per-row', count: 3, reject: 'none' });
  expect(plan({ loss: 'cross-entropy', labelSmoothing: 0.1 }).objective).toEqual({
    loss: 'cross-entropy',
    negatives: { kind: 'catalogue' },
    labelSmoothing: 0.1,
    reduction: 'mean',
  });
  expect(plan({ loss: 'sampled', nSample: 7, sampleAlpha: 0.25 }).objective).toEqual({
    loss: 'cross-entropy',
    negatives: { kind: 'shared', inBatch: false, extra: 7, alpha: 0.25 },
    ...{ logq: 1, logqOf: 'all', maskHits: true, reduction: 'mean' },
  });
  expect(plan({ sparseUpdates: true }).optimiser.touchedRows).toBe(true);
  expect(plan({ lrSchedule: 'linear' }).schedule).toEqual({ kind: 'linear' });
  expect(() => plan({ outputTable: 'inputs', profile: 'shared' })).toThrow(/profile=shared has no vectors of items/);
  expect(() => plan({ sparseUpdates: true, loss: 'cross-entropy' })).toThrow(
    /"sparseUpdates" needs loss "binary" or "sampled"/,
  );
  expect(() => plan({ labelSmoothing: 0.1 })).toThrow(/"labelSmoothing" needs loss "cross-entropy".*got "binary"/);
  expect(plan({ windows: 'all', T: 1, profile: 'device' }).rows).toMatchObject({
    targets: 1,
    partial: true,
    earlier: 20,
  });
});
