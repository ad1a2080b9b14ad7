import { tidy } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import { initialise, size } from '../../src/models/parameters';
import { sessionGraph } from '../../src/models/session-graph';
import { type SrgnnConfig, srgnn } from '../../src/models/srgnn';
import { upload } from '../../src/models/tensors';
import { trainee } from '../../src/train/differentiate';
import { Optimiser } from '../../src/train/optimiser';
import { Learner } from '../../src/train/step';
import { start } from '../compute/backends/start';

beforeAll(() => start('cpu'));

const half = 1 / 2;
const third = Math.fround(1 / 3);

describe('the graph of a session', () => {
  test.each([
    {
      session: [1, 2, 3, 2, 4],
      nodes: [1, 2, 3, 4],
      alias: [0, 1, 2, 1, 3],
      incoming: [[0, 0, 0, 0], [half, 0, half, 0], [0, 1, 0, 0], [0, 1, 0, 0]], // biome-ignore format: rows of a matrix
      outgoing: [[0, 1, 0, 0], [0, 0, half, half], [0, 1, 0, 0], [0, 0, 0, 0]], // biome-ignore format: rows of a matrix
    },
    {
      session: [5, 7, 5, 7, 9],
      nodes: [5, 7, 9],
      alias: [0, 1, 0, 1, 2],
      incoming: [[0, 1, 0], [1, 0, 0], [0, 1, 0]], // biome-ignore format: rows of a matrix
      outgoing: [[0, 1, 0], [half, 0, half], [0, 0, 0]], // biome-ignore format: rows of a matrix
    },
    { session: [3, 3, 8], nodes: [3, 8], alias: [0, 0, 1], incoming: [[1, 0], [1, 0]], outgoing: [[half, half], [0, 0]] }, // biome-ignore format: one line
    { session: [4], nodes: [4], alias: [0], incoming: [[0]], outgoing: [[0]] },
    { session: [], nodes: [], alias: [], incoming: [], outgoing: [] },
  ])('$session', ({ session, ...expected }) => {
    const { incoming, outgoing, ...graph } = sessionGraph(session, 'binary');
    const rows = (edges: Float32Array) =>
      expected.nodes.map((_, v) =>
        Array.from(edges.subarray(v * expected.nodes.length, (v + 1) * expected.nodes.length)),
      );
    expect({ ...graph, incoming: rows(incoming), outgoing: rows(outgoing) }).toEqual(expected);
  });

  test('weighs a transition by how often it occurs only where edges are counted', () => {
    const session = [5, 7, 5, 7, 5, 9];
    expect(Array.from(sessionGraph(session, 'binary').outgoing.subarray(0, 3))).toEqual([0, half, half]);
    expect(Array.from(sessionGraph(session, 'counted').outgoing.subarray(0, 3))).toEqual([
      0,
      Math.fround(2 / 3),
      third,
    ]);
    expect(sessionGraph([5, 7, 5, 7, 9], 'counted')).toEqual({
      ...sessionGraph([5, 7, 5, 7, 9], 'binary'),
      outgoing: Float32Array.of(0, 1, 0, half, 0, half, 0, 0, 0),
    });
  });
});

describe('parameters', () => {
  const count = (given: Partial<SrgnnConfig>, only: (name: string) => boolean) =>
    Object.entries(srgnn.parameters(configure(srgnn, given), { items: 9 }))
      .filter(([name]) => only(name))
      .reduce((total, [, { shape }]) => total + size(shape), 0);
  const inGraph = (name: string) => /^(edges|cell)/.test(name);
  const inReadout = (name: string) => /^(attention|hybrid)/.test(name);

  test('are as many as the official code has', () => {
    expect(count({}, inGraph)).toBe(111_000);
    expect(count({}, inReadout)).toBe(40_400);
    expect(count({ readout: 'global' }, inReadout)).toBe(20_300);
    expect(count({ readout: 'local' }, inReadout)).toBe(0);
    expect(count({ cell: 'paper' }, inGraph)).toBe(111_000 - 600);
  });

  test('all start uniform within ±1/√d, or normal with standard deviation 0.1', () => {
    for (const init of ['uniform', 'normal'] as const) {
      const values = initialise(srgnn.parameters(configure(srgnn, { init, hiddenSize: 64 }), { items: 500 }), 1);
      const spread = init === 'uniform' ? 1 / 8 / Math.sqrt(3) : 0.1;
      for (const [name, { data }] of Object.entries(values)) {
        if (init === 'uniform') expect(Math.max(...data.map(Math.abs)), name).toBeLessThanOrEqual(1 / 8);
        if (data.length < 2000) continue;
        expect(Math.sqrt(data.reduce((total, x) => total + x * x, 0) / data.length) / spread, name).toBeCloseTo(1, 1);
      }
    }
  });
});

describe('a session', () => {
  const config = configure(srgnn, { hiddenSize: 6, maxlen: 4 });
  const params = initialise(srgnn.parameters(config, { items: 9 }), 1);
  const encode = (...sessions: number[][]): number[][] =>
    tidy(() => {
      const inputs = srgnn.prepare(
        sessions.map((items) => ({ items })),
        config,
        { items: 9 },
      );
      return srgnn.encode(upload(params), upload(inputs), config, { dropout: (x) => x }).arraySync();
    });

  test('that is too long keeps its most recent clicks', () => {
    expect(encode([9, 8, 1, 2, 1, 3])).toEqual(encode([1, 2, 1, 3]));
    expect(encode([9, 8, 1, 2, 1, 3])).not.toEqual(encode([2, 1, 3]));
  });

  test('is read as typed arrays and lists alike', () => {
    const inputs = (items: ArrayLike<number>) => srgnn.prepare([{ items }], config, { items: 9 });
    expect(inputs(Int32Array.of(9, 8, 1, 2, 1, 3))).toEqual(inputs([9, 8, 1, 2, 1, 3]));
  });

  test('takes no more room than its batch needs', () => {
    const { nodes, mask, incoming } = srgnn.prepare([{ items: [5, 5, 5] }, { items: [2, 3] }], config, { items: 9 });
    expect([nodes!.shape, mask!.shape, incoming!.shape]).toEqual([
      [2, 2],
      [2, 1, 3],
      [2, 2, 2],
    ]);
  });
});

describe('training', () => {
  test('learns from every prefix by Adam with coupled decay and a rate that falls by steps', () => {
    expect(srgnn.training(configure(srgnn, { patience: 3 })).patience).toBe(3);
    expect(srgnn.training(configure(srgnn, {}))).toEqual({
      rows: { kind: 'prefixes', maxLength: 50 },
      objective: { loss: 'cross-entropy', negatives: { kind: 'catalogue' }, labelSmoothing: 0, reduction: 'mean' },
      optimiser: {
        kind: 'adam',
        learningRate: 0.001,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weightDecay: { amount: 1e-5, kind: 'coupled' },
        touchedRows: false,
      },
      schedule: { kind: 'step', every: 3, factor: 0.1 },
      batchSize: 100,
      epochs: 30,
      averageEpochs: 1,
      patience: 10,
    });
  });

  test('samples negatives, decays apart from the gradient and lets the rate fall linearly where asked', () => {
    const plan = (given: Partial<SrgnnConfig>) => srgnn.training(configure(srgnn, given));
    const { objective, optimiser, schedule } = plan({
      ...{ loss: 'sampled', nSample: 7, sampleAlpha: 0.25, logq: 0.5, sparseUpdates: true },
      ...{ decay: 'decoupled', lrSchedule: 'linear' },
    });
    expect(objective).toEqual({
      loss: 'cross-entropy',
      negatives: { kind: 'shared', inBatch: false, extra: 7, alpha: 0.25 },
      logq: 0.5,
      logqOf: 'all',
      maskHits: true,
      reduction: 'mean',
    });
    expect(optimiser).toMatchObject({ weightDecay: { amount: 1e-5, kind: 'decoupled' }, touchedRows: true });
    expect(schedule).toEqual({ kind: 'linear' });
    expect(plan({ labelSmoothing: 0.1 }).objective.labelSmoothing).toBe(0.1);
  });

  test.each<[Partial<SrgnnConfig>, RegExp]>([
    [{ positions: 'reverse', readout: 'local' }, /"positions" are read by the attention.*readout=local/],
    [{ labelSmoothing: 0.1, loss: 'sampled' }, /"labelSmoothing" needs loss "cross-entropy".*got "sampled"/],
    [{ sparseUpdates: true }, /"sparseUpdates" needs loss "sampled".*"cross-entropy" reads every item vector/],
  ])('refuses %o', (given, message) => {
    expect(() => configure(srgnn, given)).toThrow(
      expect.objectContaining({ code: 'bad-config', message: expect.stringMatching(message) }),
    );
  });

  test('drops item vectors as nodes start from them, and nothing else', () => {
    const config = configure(srgnn, { hiddenSize: 4, dropoutEmbed: 0.3 });
    const dropped: (readonly [number, readonly number[]])[] = [];
    tidy(() => {
      const inputs = srgnn.prepare([{ items: [1, 2, 1] }], config, { items: 9 });
      const params = upload(initialise(srgnn.parameters(config, { items: 9 }), 1));
      srgnn.encode(params, upload(inputs), config, {
        dropout: (x, rate) => {
          dropped.push([rate, x.shape]);
          return x;
        },
      });
    });
    expect(dropped).toEqual([[0.3, [2, 4]]]);
  });

  test('moves every parameter, rows that no session shows by their decay alone', async () => {
    const config = configure(srgnn, { hiddenSize: 4 });
    const catalogue = { items: 9 };
    const subject = trainee(srgnn, config, catalogue);
    const params = upload(initialise(subject.specs, 1));
    const before = initialise(subject.specs, 1);
    const optimiser = new Optimiser(subject.plan.optimiser, params);
    const none = { ids: new Int32Array(0), perTarget: false };
    const learner = new Learner(subject, params, optimiser, 1, () => none);
    const sessions = [{ items: [1, 2, 1] }, { items: [4] }];
    const origin = { row: Int32Array.of(0, 1), click: Int32Array.of(2, 0) };
    learner.run({ input: { kind: 'sessions', sessions }, targets: Int32Array.of(3, 5), origin }, 0, 0.001).dispose();
    for (const [name, param] of Object.entries(params)) {
      const moved = Array.from(await param.data(), (x, i) => Math.abs(x - before[name]!.data[i]!));
      expect(Math.min(...moved), name).toBeGreaterThan(1e-4);
      expect(Math.max(...moved), name).toBeLessThan(1.01e-3);
      param.dispose();
    }
    optimiser.dispose();
  });
});
