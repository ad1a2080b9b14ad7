import { tidy } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import { initialise } from '../../src/models/initialise';
import { size } from '../../src/models/parameters';
import { sessionGraph } from '../../src/models/session-graph';
import { type SrgnnConfig, srgnn } from '../../src/models/srgnn';
import { srgnnTraining } from '../../src/models/srgnn-training';
import { upload } from '../../src/models/tensors';
import { catalogueScores } from '../../src/nn/scores';
import { Optimiser } from '../../src/train/optimiser';
import { TrainStep } from '../../src/train/step';
import type { NdArray } from '../../src/types';
import { start } from '../compute/backends/start';
import { INFERENCE } from '../reference/through-training';
import { drawWeights } from '../reference/weights64';
import { logOf, supportOf } from '../train/helpers';
import { epochOf, firstBatch, stepOf } from './steps';

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
  });

  test('all start uniform within ±1/√d', () => {
    const values = initialise(srgnn.parameters(configure(srgnn, { hiddenSize: 64 }), { items: 500 }), 1);
    const spread = 1 / 8 / Math.sqrt(3);
    for (const [name, { data }] of Object.entries(values)) {
      expect(Math.max(...data.map(Math.abs)), name).toBeLessThanOrEqual(1 / 8);
      if (data.length < 2000) continue;
      expect(Math.sqrt(data.reduce((total, x) => total + x * x, 0) / data.length) / spread, name).toBeCloseTo(1, 1);
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
      return srgnn.encode(upload(params), upload(inputs), config, INFERENCE).arraySync();
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
  const log = logOf([[1, 2, 3], [4], [5, 6]]);
  const catalogue = { items: 9, support: supportOf(log, 9) };

  test('plans Adam with coupled decay and a rate that falls by steps, or linearly where asked', () => {
    const plan = (given: Partial<SrgnnConfig>) => srgnnTraining.plan(configure(srgnn, given));
    expect(plan({ patience: 3 }).patience).toBe(3);
    expect(plan({})).toEqual({
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
      epochs: 30,
      averageEpochs: 1,
      patience: 10,
    });
    const { optimiser, schedule } = plan({
      loss: 'sampled',
      sparseUpdates: true,
      lrSchedule: 'linear',
    });
    expect(optimiser).toMatchObject({ weightDecay: { amount: 1e-5, kind: 'coupled' }, touchedRows: true });
    expect(schedule).toEqual({ kind: 'linear' });
  });

  test('learns from every prefix, of which it sees the latest clicks', () => {
    const prefixes = (given: Partial<SrgnnConfig>) => epochOf(srgnnTraining, configure(srgnn, given), log, catalogue);
    const [first, ...others] = prefixes({});
    expect(others).toEqual([]);
    expect(first!.toSorted((a, b) => a.end - b.end)).toEqual([
      { source: 0, from: 0, firstTarget: 1, end: 2 },
      { source: 0, from: 0, firstTarget: 2, end: 3 },
      { source: 2, from: 4, firstTarget: 5, end: 6 },
    ]);
    expect(prefixes({ batchSize: 2 }).map(({ length }) => length)).toEqual([2, 1]);
    expect(prefixes({ maxlen: 1 })[0]!.every(({ from, firstTarget }) => firstTarget - from === 1)).toBe(true);
  });

  test('compares targets with the catalogue, or with draws that it corrects for their popularity', () => {
    const batchOf = (given: Partial<SrgnnConfig>) => firstBatch(srgnnTraining, configure(srgnn, given), log, catalogue);
    expect(batchOf({}).sampled).toBeUndefined();
    const { sampled, targets } = batchOf({ loss: 'sampled', nSample: 7, sampleAlpha: 0.25 });
    expect(sampled!.negatives.shape).toEqual([7]);
    const correction = ({ data }: NdArray) =>
      Array.from(data, (item) => Math.fround(0.25 * Math.log(catalogue.support[item]!)));
    expect(Array.from(sampled!.logqTargets!.data)).toEqual(correction(targets));
    expect(Array.from(sampled!.logqNegatives!.data)).toEqual(correction(sampled!.negatives));
  });

  test('binary learns by a binary cross-entropy over the softmax, and label smoothing reaches the loss', () => {
    const config = configure(srgnn, { hiddenSize: 4 });
    const { params } = drawWeights(srgnn, config, catalogue);
    const batch = firstBatch(srgnnTraining, config, log, catalogue);
    const lossOf = (given: Partial<SrgnnConfig>) =>
      stepOf(srgnnTraining, params, batch, { ...config, ...given }, catalogue).loss;
    const scores = tidy(() => {
      const vectors = srgnn.encode(upload(params), upload(batch.inputs), config, INFERENCE);
      return catalogueScores(vectors, srgnn.outputs(upload(params), config), 9).arraySync();
    });
    const mean = (of: (p: number[], own: number) => number) =>
      scores.reduce((total, s, b) => {
        const sum = s.reduce((all, x) => all + Math.exp(x), 0);
        return (
          total +
          of(
            s.map((x) => Math.exp(x) / sum),
            batch.targets.data[b]! - 1,
          )
        );
      }, 0) / scores.length;
    const binary = mean((p, own) => p.reduce((all, x, j) => all - Math.log(j === own ? x : 1 - x), 0));
    expect(lossOf({ loss: 'binary' }) / binary).toBeCloseTo(1, 5);
    const smooth = mean((p, own) => p.reduce((all, x, j) => all - (j === own ? 0.9 : 0.1 / 8) * Math.log(x), 0));
    expect(lossOf({ labelSmoothing: 0.1 }) / smooth).toBeCloseTo(1, 5);
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
    const specs = srgnn.parameters(config, catalogue);
    const params = upload(initialise(specs, 1));
    const before = initialise(specs, 1);
    const optimiser = new Optimiser(srgnnTraining.plan(config).optimiser, params);
    const shown = {
      sessions: logOf([
        [1, 2, 1, 3],
        [4, 5],
      ]),
      catalogue,
      first: 0,
    };
    const step = new TrainStep({ training: srgnnTraining, config, specs, log: shown }, params, optimiser, 1);
    const rows = [
      { source: 0, from: 0, firstTarget: 3, end: 4 },
      { source: 1, from: 4, firstTarget: 5, end: 6 },
    ];
    step.run(rows, 0, 0.001).dispose();
    for (const [name, param] of Object.entries(params)) {
      const moved = Array.from(await param.data(), (x, i) => Math.abs(x - before[name]!.data[i]!));
      expect(Math.min(...moved), name).toBeGreaterThan(1e-4);
      expect(Math.max(...moved), name).toBeLessThan(1.01e-3);
      param.dispose();
    }
    optimiser.dispose();
  });
});
