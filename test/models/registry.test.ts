/** What every architecture holds to, in its default form and in those of `FORMS`; a new one joins by being registered. */
import { memory, tensor1d, tidy } from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import { allModels } from '../../src/models/index';
import type { Run, SessionModel } from '../../src/models/model';
import { initialise } from '../../src/models/parameters';
import { upload } from '../../src/models/tensors';
import { random } from '../../src/session/random';
import { Trainer, type TrainerOptions } from '../../src/train/trainer';
import type { Catalogue, NdArray, SessionInput } from '../../src/types';
import { start } from '../compute/backends/start';
import { sessionsOf } from '../neighbours/fixtures';
import { far } from '../reference/weights64';

/** What stands for the defaults where they are more than a test needs. */
const SMALL: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  transformers4rec: { dModel: 16, itemEmbeddingDim: 16, nHead: 2, totalSeqLength: 8, learningRate: 0.01 },
};

/** Besides the defaults. */
const FORMS: readonly (readonly [name: string, config: Readonly<Record<string, unknown>>])[] = [
  ['gru4rec', { layers: '12/9', resetGate: 'before' }],
  ['gru4rec', { layers: '12', constrainedEmbedding: false }],
  ['sasrec', { norm: 'pre', numHeads: 2 }],
  ['sasrec', { norm: 'post', positions: 'start', loss: 'bce', dropoutRate: 0, lr: 0.01 }],
  ['srgnn', { step: 2, cell: 'paper', edges: 'counted' }],
  ['srgnn', { readout: 'global', maxlen: 7 }],
  ['srgnn', { readout: 'local' }],
  ['srgnn', { scoring: 'cosine', positions: 'reverse', dropoutEmbed: 0.1, loss: 'sampled', nSample: 6, lr: 0.01 }],
  ['srgnn', { scoring: 'cosine', maxlen: 7, loss: 'sampled', nSample: 6, sparseUpdates: true, lr: 0.01 }],
  ['transformers4rec', { ...SMALL.transformers4rec, lm: 'gru', objective: 'clm' }],
  ['transformers4rec', { ...SMALL.transformers4rec, lm: 'gpt2', objective: 'clm' }],
  ['transformers4rec', { ...SMALL.transformers4rec, lm: 'transformer-xl', objective: 'clm' }],
  ['transformers4rec', { ...SMALL.transformers4rec, lm: 'xlnet', objective: 'clm' }],
  ['transformers4rec', { ...SMALL.transformers4rec, lm: 'xlnet', objective: 'plm' }],
  ['transformers4rec', { ...SMALL.transformers4rec, lm: 'bert', objective: 'mlm', features: 'hour' }],
  ['transformers4rec', { ...SMALL.transformers4rec, lm: 'bert', objective: 'rtd' }],
  ['transformers4rec', { ...SMALL.transformers4rec, lm: 'electra', objective: 'mlm' }],
  ['transformers4rec', { ...SMALL.transformers4rec, lm: 'electra', objective: 'rtd' }],
  ['transformers4rec', { ...SMALL.transformers4rec, lm: 'xlnet', objective: 'rtd' }],
  ['transformers4rec', { ...SMALL.transformers4rec, lm: 'bert', objective: 'mlm', form: 'library', dInner: 32 }],
  [
    'transformers4rec',
    {
      ...{ ...SMALL.transformers4rec, lm: 'xlnet', objective: 'clm', scoring: 'cosine', labelSmoothing: 0 },
      ...{ sampledSoftmax: true, sampleBy: 'popularity', maxNSamples: 6 },
    },
  ],
  ['cl4srec', { encoder: 'coserec', lr: 0.01 }],
  ['cl4srec', { norm: 'post', lambda: 0.3, loss: 'bce', dropoutRate: 0, lr: 0.01 }],
  ['sasrec', { loss: 'gbce', negatives: 4, reuseItemEmbeddings: false, lr: 0.01 }],
  ['sasrec', { scoring: 'cosine', dropoutRate: 0, lr: 0.01 }],
  ['caser', { profile: 'none', padding: 'trained', T: 1, windows: 'all' }],
  ['caser', { profile: 'shared', acConv: 'tanh', acFc: 'sigm', learningRate: 0.02 }],
  ['caser', { profile: 'device', negPer: 'target' }],
  ['caser', { scoring: 'cosine', T: 1, dropoutEmbed: 0.1, loss: 'sampled', nSample: 6, sparseUpdates: true }],
];

const models = await allModels();
const ITEMS = 12;
const catalogue: Catalogue = { items: ITEMS, support: Int32Array.from({ length: ITEMS + 1 }, (_, i) => i) };
const INFERENCE: Run = { dropout: (x) => x };
/** One click, repeats, all the same, an item straight after itself, and more clicks than items. */
const SESSIONS = [[5], [3, 7, 3, 3], [8, 8, 8], [1, 2, 3, 4, 9], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 6, 6, 1]];

const cases = [...Object.keys(models).map((name) => [name, SMALL[name] ?? {}] as const), ...FORMS].map(
  ([name, given]) => [`${name} ${JSON.stringify(given)}`, models[name] as SessionModel<unknown>, given] as const,
);

beforeAll(() => start('wasm'));

let tensors: number;
beforeEach(() => {
  tensors = memory().numTensors;
});
afterEach(() => {
  expect(memory().numTensors, 'tensors left behind').toBe(tensors);
});

test.each(Object.entries(models))('%s takes a batch of more than a hundred thousand sessions', (name, model) => {
  // A step may take 65,536 sessions in two views each, or a million clicks of sessions of one length.
  const sessions = Array.from({ length: 150_000 }, (_, s) => ({ items: [1 + (s % ITEMS)] }));
  const prepared = model.prepare(sessions, configure<unknown>(model, SMALL[name]), catalogue);
  const read = Object.values(prepared).find(({ items }) => items)!;
  expect(read.shape[0]).toBe(sessions.length);
  const width = read.data.length / sessions.length;
  const last = read.data.slice(-width);
  expect([...last]).toContain(1 + (149_999 % ITEMS));
});

describe.each(cases)('%s', (_, model, given) => {
  const config = configure(model, given);
  const plan = model.training(config);

  /** Random weights everywhere, biases too; rows that stay at zero excepted. */
  function weights(): Record<string, NdArray<Float32Array>> {
    const specs = Object.entries(model.parameters(config, catalogue));
    const normal = { kind: 'normal', std: 0.3 } as const;
    return initialise(Object.fromEntries(specs.map(([name, spec]) => [name, { ...spec, init: normal }])), 7);
  }
  function encode(sessions: readonly (readonly number[])[]): number[][] {
    return tidy(() => {
      const inputs: SessionInput[] = sessions.map((items) => ({ items }));
      const prepared = upload(model.prepare(inputs, config, catalogue));
      return model.encode(upload(weights()), prepared, config, INFERENCE).arraySync();
    });
  }

  /** Clicks that the model sees at most; of a model that steps, any number. */
  const longest = plan.rows.kind === 'session-parallel' ? 40 : maximum(plan.rows);
  const clicks = (count: number, seed: number): number[] => {
    const { integer } = random(seed, 'clicks');
    return Array.from({ length: count }, () => 1 + integer(ITEMS));
  };

  test('gives one finite vector a session, as wide as its output table', () => {
    const vectors = encode(SESSIONS);
    const { table, bias } = tidy(() => {
      const outputs = model.outputs(upload(weights()), config);
      return { table: outputs.table.shape, bias: outputs.bias?.shape };
    });
    expect(vectors).toHaveLength(SESSIONS.length);
    expect(table[0]).toBeGreaterThan(ITEMS);
    if (bias) expect(bias).toEqual([table[0]]);
    for (const vector of vectors) {
      expect(vector).toHaveLength(table[1]);
      expect(vector.every(Number.isFinite)).toBe(true);
    }
  });

  test('gives a session the same vector alone, in a batch of any width, and in any order', () => {
    const together = encode(SESSIONS);
    const turned = encode([...SESSIONS].reverse()).reverse();
    SESSIONS.forEach((session, b) => {
      expect(far(encode([session])[0]!, together[b]!)).toBeLessThan(1e-5);
      expect(far(turned[b]!, together[b]!)).toBeLessThan(1e-5);
    });
  });

  test('tells sessions apart by their last click, and each from all the others', () => {
    const vectors = encode([...SESSIONS, [6], [3, 7, 3, 4]]);
    for (let i = 0; i < vectors.length; i++) {
      for (let j = 0; j < i; j++) expect(far(vectors[i]!, vectors[j]!), `${i} and ${j}`).toBeGreaterThan(1e-4);
    }
  });

  test('reads sessions of one click, of the maximum, and beyond it', () => {
    const full = clicks(longest, 1);
    const [one, most, beyond] = encode([[full.at(-1)!], full, [...clicks(3, 2), ...full]]);
    for (const vector of [one!, most!, beyond!]) expect(vector.every(Number.isFinite)).toBe(true);
    if (longest > 1) expect(far(one!, most!)).toBeGreaterThan(1e-4);
    if (cutsAt(longest)) expect(far(beyond!, most!)).toBeLessThan(1e-5);
  });

  /** Whether clicks before the newest `count` are not read at all. */
  const cutsAt = (count: number): boolean =>
    Object.values(model.prepare([{ items: clicks(count + 3, 3) }], config, catalogue))
      .filter(({ items }) => items)
      .every(({ shape }) => shape[1]! <= count);

  // The others see prefixes only, or fill gaps from both sides.
  const fillsGaps = plan.rows.kind === 'masked' && plan.rows.masking.kind !== 'next';
  if ((model.positions ?? model.stepping) && !fillsGaps) {
    test('leaves the vectors of earlier clicks alone, bit for bit, when a later one changes', async () => {
      await start('cpu');
      const before = vectorsAfterEachClick([1, 2, 3, 4, 5]);
      const after = vectorsAfterEachClick([1, 2, 3, 9, 8]);
      expect(after.slice(0, 3)).toEqual(before.slice(0, 3));
      expect(far(after[3]!, before[3]!)).toBeGreaterThan(1e-4);
      await start('wasm');
    });
  }

  /** In one pass over the session. */
  function vectorsAfterEachClick(session: readonly number[]): number[][] {
    const { positions, stepping } = model;
    return tidy(() => {
      const params = upload(weights());
      if (positions) {
        const prepared = model.prepare([{ items: session }], config, catalogue);
        const width = prepared.items!.shape[1]!;
        const rows = positions.encode(params, upload(prepared), config, INFERENCE).arraySync();
        return session.map((_, t) => rows[positions.column(t, session.length, width, config)]!);
      }
      let state = stepping!.start(config, 1);
      return session.map((item) => {
        state = stepping!.step(params, state, tensor1d([item], 'int32'), config, INFERENCE);
        return stepping!.vector(state).arraySync()[0]!;
      });
    });
  }

  describe('in training', () => {
    const log = sessionsOf([...SESSIONS.slice(1), [4, 2, 9, 11], [10, 1, 7, 12, 5], [6, 3], [2, 8, 5, 1]]);
    const options = (): TrainerOptions<unknown> => ({ model, config, catalogue, sessions: log, seed: 3, epochs: 12 });

    test('moves every parameter that a step reads, stays finite, and learns', async () => {
      const trainer = new Trainer(options());
      const before = initialise(model.parameters(config, catalogue), 3);
      const losses: number[] = [];
      for (let epoch = 0; epoch < 12; epoch++) losses.push(await trainer.runEpoch());
      const after = await trainer.weights();
      trainer.dispose();
      expect(losses.every(Number.isFinite)).toBe(true);
      const late = losses.slice(-3).reduce((a, b) => a + b, 0) / 3;
      expect(late).toBeLessThan(losses[0]!);
      for (const [name, { data }] of Object.entries(after)) {
        expect(data.every(Number.isFinite), name).toBe(true);
        expect(far(data, before[name]!.data), `${name} moved`).toBeGreaterThan(0);
      }
    });

    test('resumes to the very weights of an uninterrupted run', async () => {
      const whole = new Trainer(options());
      await whole.runEpoch();
      const saved = await whole.save();
      await whole.runEpoch();
      const expected = await whole.save();
      whole.dispose();
      const resumed = new Trainer(options(), saved);
      await resumed.runEpoch();
      const { arrays, ...counts } = await resumed.save();
      const { arrays: wanted, ...wantedCounts } = expected;
      expect(counts).toEqual(wantedCounts);
      expect(Object.keys(arrays)).toEqual(Object.keys(wanted));
      for (const [name, { data }] of Object.entries(arrays)) {
        expect(bytesOf(data).equals(bytesOf(wanted[name]!.data)), name).toBe(true);
      }
      resumed.dispose();
    });
  });
});

/** To compare bit for bit, and fast. */
const bytesOf = ({ buffer, byteOffset, byteLength }: NdArray['data']): Buffer =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);

function maximum(rows: Exclude<ReturnType<SessionModel['training']>['rows'], { kind: 'session-parallel' }>): number {
  return rows.kind === 'windows' ? rows.length : rows.maxLength;
}
