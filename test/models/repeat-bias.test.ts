/** Scores of their own for items that a session holds: in the loss, beside a 64-bit reference, and where models are asked. */
import { dispose, memory, tensor2d, tidy } from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import { type Gru4RecConfig, gru4rec } from '../../src/models/gru4rec';
import { gru4recBatch, gru4recTraining } from '../../src/models/gru4rec-training';
import { models } from '../../src/models/index';
import { initialise } from '../../src/models/initialise';
import { type SasrecConfig, sasrec } from '../../src/models/sasrec';
import { type SasrecBatch, sasrecTraining } from '../../src/models/sasrec-training';
import { upload } from '../../src/models/tensors';
import { transformers4rec } from '../../src/models/transformers4rec/transformers4rec';
import { transformers4recTraining } from '../../src/models/transformers4rec/transformers4rec-training';
import { outputItems, vector } from '../../src/objectives/batch';
import { repeatBatch } from '../../src/objectives/repeat-bias';
import { popularityLogQ, softmaxBatch } from '../../src/objectives/softmax';
import { neuralScorer } from '../../src/ranking/neural-scorer';
import { openSession } from '../../src/ranking/session-scorer';
import { lagsOf } from '../../src/session/lags';
import { random } from '../../src/session/random';
import { gradientsOf } from '../../src/train/gradients';
import { streamsOf } from '../../src/train/step';
import { Trainer } from '../../src/train/trainer';
import type { NdArray } from '../../src/types';
import { backends, start } from '../compute/backends/start';
import { outputTable, predictions } from '../reference/sasrec';
import { differencesByWeight, drawWeights, expectGradients, type Weights } from '../reference/weights64';
import { logOf, supportOf } from '../train/helpers';
import { runOf, stepOf, uploaded } from './steps';

const ITEMS = 8;
const SUPPORT = [0, 9, 4, 1, 7, 2, 3, 5, 6];
const DRAWN = [3, 1, 4, 4, 7, 2]; // twice the same, targets, and items of sessions
const ALPHA = 0.75;
const LAGS = 3;
/** A target that the session holds, at several lags and beyond the last; repeats of repeats; one click. */
const SESSIONS = [
  [5, 2],
  [3, 3, 3, 7],
  [1, 8, 2, 8, 4, 1],
  [4, 1, 4, 1, 5],
];
const SIZE = { hiddenUnits: 4, maxlen: 5, numBlocks: 1 };

/** Before target m: the items within the last LAGS clicks, and the number of clicks ago of each. */
const held = SESSIONS.flatMap((session) =>
  session.slice(1).map((_, t) => {
    const past = session.slice(0, t + 1).reverse();
    return new Map([...new Set(past.slice(0, LAGS))].map((item) => [item, past.indexOf(item)]));
  }),
);

/** By the formulas of `repeat-bias.ts` and `sampled-softmax.ts`, target by target. */
function lossOf(weights: Weights, { loss, scoring, logqOf }: SasrecConfig): number {
  const cosine = scoring === 'cosine';
  const made = predictions(weights, SESSIONS, {
    ...SIZE,
    numHeads: 1,
    positions: 'start' as const,
    norm: 'pre' as const,
    cosine,
    ...(cosine && { temperature: 1 / 16, inputScale: 1 }),
  });
  const items = outputTable(weights, ITEMS, cosine);
  const r = weights.repeats!.data;
  const all = SUPPORT.slice(1).reduce((sum, count) => sum + count ** ALPHA, 0);
  const losses = made.map(({ vector, target }, m) => {
    const lags = held[m]!;
    const score = (item: number) =>
      vector.reduce((sum, value, k) => sum + value * items[item]![k]!, 0) + (lags.has(item) ? r[lags.get(item)!]! : 0);
    const alike = (item: number) => Math.log(SUPPORT[item]! ** ALPHA);
    const certain = (item: number) => score(item) - (logqOf === 'all' ? alike(item) : 0);
    const drawn = (item: number) =>
      score(item) - (logqOf === 'all' ? alike(item) : Math.log((DRAWN.length * SUPPORT[item]! ** ALPHA) / all));
    const others =
      loss === 'ce'
        ? Array.from({ length: ITEMS }, (_, i) => i + 1).flatMap((item) => (item === target ? [] : [score(item)]))
        : [
            ...[...lags.keys()].flatMap((item) => (item === target ? [] : [certain(item)])),
            ...DRAWN.flatMap((item) => (item === target || lags.has(item) ? [] : [drawn(item)])),
          ];
    const own = loss === 'ce' ? score(target) : certain(target);
    return Math.log([own, ...others].reduce((sum, s) => sum + Math.exp(s), 0)) - own;
  });
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

const cases: [string, Partial<SasrecConfig>][] = [
  ['the full softmax', { loss: 'ce' }],
  ['the full softmax of cosines', { loss: 'ce', scoring: 'cosine' }],
  ['a sampled softmax that corrects all', { loss: 'sampled', logqOf: 'all' }],
  ['a sampled softmax that corrects draws', { loss: 'sampled', logqOf: 'draws', scoring: 'cosine' }],
];

describe.each(cases)('%s', (_, given) => {
  const config = configure(sasrec, {
    ...SIZE,
    numHeads: 1,
    norm: 'pre',
    positions: 'start',
    dropoutRate: 0,
    repeatLags: LAGS,
    sampleAlpha: ALPHA,
    logq: 1,
    nSample: DRAWN.length,
    ...given,
  });
  const { reference, params } = drawWeights(sasrec, config, { items: ITEMS });
  const felt = Object.fromEntries(Object.entries(reference).filter(([name]) => !name.endsWith('key.b')));
  const differences = differencesByWeight(felt, () => lossOf(reference, config), ['items', 'positions']);

  test.each(backends)('has the loss and the gradients of the 64-bit reference on %s', async (backend) => {
    await start(backend);
    const before = memory().numTensors;
    const sessions = SESSIONS.map((session) => ({ items: session.slice(0, -1) }));
    const prepared = sasrec.prepare(sessions, config, { items: ITEMS });
    const width = prepared.items!.shape[1]!;
    const row = Int32Array.from(sessions.flatMap(({ items }, b) => items.map(() => b)));
    const click = Int32Array.from(sessions.flatMap(({ items }) => items.map((_, t) => t)));
    const targets = Int32Array.from(SESSIONS.flatMap((session) => session.slice(1)));
    const isSampled = config.loss === 'sampled';
    const negatives = Int32Array.from(DRAWN);
    const sample = isSampled ? { negatives, logq: popularityLogQ(config, SUPPORT) } : undefined;
    const places = { row, before: click.map((t) => t + 1) };
    const batch: SasrecBatch = {
      inputs: [prepared],
      positions: vector(row.map((b, m) => b * width + click[m]!)),
      targets: outputItems(targets),
      ...softmaxBatch(targets, sessions, places, sample, LAGS),
    };
    const at = upload(params);
    const specs = sasrec.parameters(config, { items: ITEMS });
    const { loss, gradients } = gradientsOf(sasrecTraining.loss, specs, at, batch, config, runOf(ITEMS));
    expect(loss.dataSync()[0]! / lossOf(reference, config)).toBeCloseTo(1, 4);
    expectGradients(differences, gradients);
    dispose([loss, ...Object.values(gradients), ...Object.values(at)]);
    expect(memory().numTensors).toBe(before);
  });
});

test.each(backends)(
  'columns that the batch shares leave what a session holds to columns of its own, on %s',
  async (backend) => {
    await start(backend);
    const before = memory().numTensors;
    const draws = random(6, 'in batch');
    const normals = (length: number) => Float32Array.from({ length }, () => draws.normal());
    const d = 4;
    const [vectors, table, bias] = [normals(3 * d), normals((ITEMS + 1) * d), normals(ITEMS + 1)];
    const repeats = Float32Array.of(0.5, -1, 2);
    const sessions = [[4, 6], [1, 2, 1], [7]];
    const [targets, extra] = [Int32Array.of(4, 8, 6), Int32Array.of(1, 6, 3)];
    const score = (m: number, item: number) => {
      const past = sessions[m]!.toReversed();
      const product = vectors.subarray(m * d, (m + 1) * d).reduce((sum, x, k) => sum + x * table[item * d + k]!, 0);
      return product + bias[item]! + (past.includes(item) ? repeats[past.indexOf(item)]! : 0);
    };
    // Row 0 holds its own target and a draw, row 1 a draw, row 2 nothing.
    const columns = [
      [4, 8, 1, 3, 6],
      [8, 4, 6, 6, 3, 1, 2],
      [6, 4, 8, 1, 6, 3, 7],
    ];
    const expected = columns.reduce((sum, items, m) => {
      const scores = items.map((item) => score(m, item));
      return sum + Math.log(scores.reduce((total, s) => total + Math.exp(s), 0)) - scores[0]!;
    }, 0);
    const log = logOf(sessions.map((clicks, m) => [...clicks, targets[m]!]));
    const rows = sessions.map(({ length }, m) => {
      const start = log.offsets[m]!;
      return { start, at: start + length - 1, last: start + length, carriedFrom: m };
    });
    const config = configure(gru4rec, { layers: [d], batchSize: 1, repeatLags: 3 });
    const batch = gru4recBatch(rows, extra, { sessions: log, catalogue: { items: ITEMS }, first: 0 }, config);
    const array = (data: ArrayLike<number>, ...shape: number[]): NdArray => ({ data: Float32Array.from(data), shape });
    const zeros = (...shape: number[]) => array(Array(shape.reduce((a, b) => a * b, 1)).fill(0), ...shape);
    const loss = tidy(() => {
      const params = upload({
        items: array(table, ITEMS + 1, d),
        bias: array(bias, ITEMS + 1),
        repeats: array(repeats, 3),
        // The update gate is shut: the state after the step is the one before it.
        'gru.0.bx': array(
          Array.from({ length: 3 * d }, (_, j) => (j >= d && j < 2 * d ? 1000 : 0)),
          3 * d,
        ),
        'gru.0.wx': zeros(d, 3 * d),
        'gru.0.wh': zeros(d, 3 * d),
        'gru.0.bh': zeros(3 * d),
      });
      const run = { ...runOf(ITEMS), state: [tensor2d(vectors, [3, d])] };
      return gru4recTraining.loss(params, uploaded(batch), config, run).loss.dataSync();
    });
    expect(loss[0]! / expected).toBeCloseTo(1, 5);
    expect(memory().numTensors).toBe(before);
  },
);

/** Every architecture in its smallest form. */
const SMALL: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  gru4rec: { layers: [4], nSample: 3 },
  sasrec: { hiddenUnits: 4, maxlen: 4, numBlocks: 1, dropoutRate: 0 },
  cl4srec: { hiddenUnits: 4, maxlen: 4, numBlocks: 1, dropoutRate: 0 },
  srgnn: { hiddenSize: 4, maxlen: 4 },
  caser: { d: 4, L: 3, nv: 2, nh: 2, loss: 'cross-entropy', T: 1, windows: 'all', profile: 'none', drop: 0 },
  transformers4rec: {
    dModel: 8,
    itemEmbeddingDim: 8,
    nLayer: 1,
    nHead: 2,
    totalSeqLength: 4,
    lm: 'gpt2',
    objective: 'clm',
  },
};

describe.each(Object.keys(SMALL))('%s', (name) => {
  const catalogue = { items: ITEMS, support: SUPPORT };
  const LONG = [2, 5, 1, 5, 3, 4];

  test('scores items of the last clicks by so much more, whoever stands beside them', async () => {
    await start('cpu');
    const model = await models[name]!.network();
    const config = configure<Record<string, unknown>>(model, { ...SMALL[name], repeatLags: LAGS });
    const drawn = initialise(model.parameters(config, catalogue), 3);
    const lifts = [0.5, -1.25, 2];
    const ask = async (repeats: number[], sessions: number[][]) => {
      const params = upload({ ...drawn, repeats: { data: Float32Array.from(repeats), shape: [LAGS] } });
      const scorer = neuralScorer(model, params, config, catalogue);
      const scores = await scorer.score(sessions.map((items) => ({ items })));
      scorer.dispose();
      dispose(params);
      return sessions.map((_, b) => Array.from(scores.subarray(b * ITEMS, (b + 1) * ITEMS)));
    };
    const plain = await ask([0, 0, 0], [LONG, [7]]);
    const lifted = await ask(lifts, [LONG, [7]]);
    const added = (b: number) => lifted[b]!.map((score, i) => Number((score - plain[b]![i]!).toFixed(4)));
    // 4 was clicked last, then 3, then 5; 1 and 2 before that.
    expect(added(0)).toEqual([0, 0, -1.25, 0.5, 2, 0, 0, 0]);
    expect(added(1)).toEqual([0, 0, 0, 0, 0, 0, 0.5, 0]);
  });

  test('walks and goes on with sessions as it scores them', async () => {
    await start('cpu');
    const model = await models[name]!.network();
    const config = configure<Record<string, unknown>>(model, { ...SMALL[name], repeatLags: LAGS });
    const drawn = initialise(model.parameters(config, catalogue), 3);
    const params = upload({ ...drawn, repeats: { data: Float32Array.of(0.5, -1.25, 2), shape: [LAGS] } });
    const scorer = neuralScorer(model, params, config, catalogue);
    const session = openSession(scorer);
    const walked: number[][] = [];
    const visit = (scores: Float32Array) => void walked.push(Array.from(scores));
    await scorer.scoreSequences?.(logOf([LONG]), visit);
    for (let clicks = 1; clicks < LONG.length; clicks++) {
      const items = LONG.slice(0, clicks);
      const expected = Array.from(await scorer.score([{ items }]));
      const asked = Array.from(await session.score({ items }));
      for (const scores of scorer.scoreSequences ? [asked, walked[clicks - 1]!] : [asked]) {
        for (const [i, score] of scores.entries()) expect(score).toBeCloseTo(expected[i]!, 5);
      }
    }
    session.dispose();
    scorer.dispose();
    dispose(params);
  });

  test('learns that shoppers come back to the click before the last', async () => {
    await start('cpu');
    const training = await models[name]!.training();
    const sessions = logOf(
      Array.from({ length: 40 }, (_, s) => [1 + (s % ITEMS), 1 + ((s + 3) % ITEMS), 1 + (s % ITEMS)]),
    );
    const config = configure<unknown>(training.network, { ...SMALL[name], repeatLags: LAGS, batchSize: 8 });
    const trainer = new Trainer({
      training,
      config,
      catalogue: { items: ITEMS, support: supportOf(sessions, ITEMS) },
      sessions,
      seed: 4,
    });
    for (let pass = 0; pass < 12; pass++) await trainer.runEpoch();
    const { repeats } = await trainer.weights();
    trainer.dispose();
    const [now, before] = repeats!.data as Float32Array;
    expect(before).toBeGreaterThan(0);
    expect(now).toBeLessThan(0);
  });
});

test('a hidden click is predicted from what stands before it and is not hidden', () => {
  const sessions = [{ items: [1, 2, 1, 3, 2] }];
  const hidden = [{ targets: Uint8Array.of(0, 1, 0, 1, 0) }];
  const places = { row: Int32Array.of(0, 0), before: Int32Array.of(1, 3), hidden };
  const none = new Int32Array(0);
  const { held, lags, targetLags } = repeatBatch(sessions, places, 10, Int32Array.of(2, 3), none);
  expect({ shape: held.shape, held: [...held.data], lags: [...lags.data], targetLags: [...targetLags.data] }).toEqual({
    shape: [2, 1],
    held: [1, 1],
    lags: [0, 0],
    targetLags: [10, 10],
  });
});

test.each([
  ['mlm', [0, 0, 1, 0]],
  ['clm', [0, 1, 1, 1]], // read at the click before
])('a batch of %s knows what stands before its targets', (objective, targets) => {
  const config = configure(transformers4rec, {
    ...SMALL.transformers4rec,
    objective,
    lm: 'xlnet',
    repeatLags: LAGS,
  });
  const rows = [{ source: 0, from: 0, end: 4, hidden: { targets: Uint8Array.from(targets) } }];
  const log = { sessions: logOf([[1, 2, 3, 4]]), catalogue: { items: ITEMS, support: SUPPORT }, first: 0 };
  const batch = transformers4recTraining.batch(rows, log, config, streamsOf(1, 0));
  const { held, lags } = batch.repeats!;
  const m = batch.targets.data.indexOf(3);
  const ofThree = ({ data, shape }: NdArray) => Array.from(data.subarray(m * shape[1]!, (m + 1) * shape[1]!));
  expect([ofThree(held).slice(0, 2), ofThree(lags).slice(0, 2)]).toEqual([
    [2, 1],
    [0, 1],
  ]);
  expect(
    ofThree(held)
      .slice(2)
      .every((item) => item === 0),
  ).toBe(true);
});

test.each([
  ['transformers4rec', { lm: 'xlnet', objective: 'mlm', sampledSoftmax: true, maxNSamples: 3, labelSmoothing: 0 }],
  ['caser', { T: 3, windows: 'full', loss: 'sampled', nSample: 3 }],
])('a batch of %s without a click before any target learns as without a repeat bias', async (name, given) => {
  await start('cpu');
  const training = await models[name]!.training();
  const catalogue = { items: ITEMS, support: SUPPORT };
  const log = { sessions: logOf([[1, 2], [3, 4]]), catalogue, first: 0 }; // biome-ignore format: one line
  const learnt = (repeatLags: number) => {
    const config = configure<unknown>(training.network, { ...SMALL[name], ...given, repeatLags });
    const rows = [0, 1].map((source) => {
      const [from, end] = [2 * source, 2 * source + 2];
      return { source, from, firstTarget: from, end, hidden: { targets: Uint8Array.of(1, 0) } };
    });
    const params = initialise(training.network.parameters(config, catalogue), 5);
    return stepOf(training, params, training.batch(rows, log, config, streamsOf(1, 0)), config, catalogue);
  };
  const { loss, gradients } = learnt(LAGS);
  const { repeats, ...others } = gradients;
  expect(repeats).toEqual(new Float32Array(LAGS));
  expect({ loss, gradients: others }).toEqual(learnt(0));
});

test('a batch may have hundreds of thousands of negatives', () => {
  const config: Gru4RecConfig = configure(gru4rec, { layers: [4], repeatLags: LAGS });
  const log = { sessions: logOf([[1, 2, 3, 4]]), catalogue: { items: ITEMS, support: SUPPORT }, first: 0 };
  const extra = Int32Array.from({ length: 200_000 }, (_, i) => 1 + (i % 4));
  const { repeats } = gru4recBatch([{ start: 0, at: 2, last: 3, carriedFrom: -1 }], extra, log, config);
  const negative = (k: number) => repeats!.shared!.data[k]! < 0;
  expect([0, 1, 2, 3, 4, 200_000].map(negative)).toEqual([false, true, true, true, false, false]);
});

test('lags count from the newest click, to the last time an item was clicked, as far back as asked', () => {
  expect([...lagsOf([7, 5, 7, 2, 2], 10)]).toEqual([
    [2, 0],
    [7, 2],
    [5, 3],
  ]);
  expect([...lagsOf([7, 5, 7, 2, 2], 2)]).toEqual([[2, 0]]);
  expect([...lagsOf([7, 5, 7, 2, 2], 10, 2)]).toEqual([
    [5, 0],
    [7, 1],
  ]);
  expect([...lagsOf([7, 5, 7, 2, 2], 10, 3, Uint8Array.of(0, 0, 1, 0, 0))]).toEqual([
    [5, 1],
    [7, 2],
  ]);
});

test.each([
  ['gru4rec', { loss: 'bpr-max' }, '"repeatLags" needs loss "cross-entropy"'],
  ['sasrec', { loss: 'bce' }, '"repeatLags" needs loss "ce" or "sampled"'],
  ['srgnn', { loss: 'binary' }, '"repeatLags" needs loss "cross-entropy" or "sampled"'],
  ['caser', { loss: 'binary' }, '"repeatLags" needs loss "cross-entropy" or "sampled"'],
  ['cl4srec', { encoder: 'coserec' }, '"repeatLags" belongs to encoder "sasrec"'],
])('%s with %o refuses them', async (name, given, message) => {
  const model = await models[name]!.network();
  expect(() => configure(model, { ...given, repeatLags: 5 })).toThrow(message);
});

test('log-uniform draws are not corrected as draws', () => {
  const given = { objective: 'clm', lm: 'gpt2', sampledSoftmax: true, labelSmoothing: 0, logqOf: 'draws' };
  expect(() => configure(transformers4rec, given)).toThrow('"logqOf" draws needs sampleBy=popularity');
});
