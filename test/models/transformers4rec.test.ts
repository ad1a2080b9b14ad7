import { memory, norm, type Tensor2D, tensor1d, tensor2d, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import type { Run } from '../../src/models/model';
import { initialise } from '../../src/models/parameters';
import { upload } from '../../src/models/tensors';
import { elementWise, featureVectors } from '../../src/models/transformers4rec/features';
import { transformers4rec } from '../../src/models/transformers4rec/model';
import { LANGUAGE_MODELS, OBJECTIVES } from '../../src/models/transformers4rec/options';
import { permutationMask, swapped } from '../../src/models/transformers4rec/prepare';
import { sizeOf } from '../../src/models/transformers4rec/settings';
import { objectiveLoss } from '../../src/objectives/objective';
import { random } from '../../src/session/random';
import { replaceClicks } from '../../src/train/discriminate';
import type { SessionInput } from '../../src/types';
import { start } from '../compute/backends/start';

const ITEMS = 9;
const inference: Run = { dropout: (x) => x };
type Config = Parameters<typeof transformers4rec.training>[0];

beforeAll(() => start('cpu'));

const VALID = [
  { lm: 'gru', objective: 'clm' },
  { lm: 'gpt2', objective: 'clm' },
  { lm: 'transformer-xl', objective: 'clm' },
  { lm: 'bert', objective: 'mlm' },
  { lm: 'bert', objective: 'rtd' },
  { lm: 'electra', objective: 'mlm' },
  { lm: 'electra', objective: 'rtd' },
  { lm: 'xlnet', objective: 'clm' },
  { lm: 'xlnet', objective: 'mlm' },
  { lm: 'xlnet', objective: 'plm' },
  { lm: 'xlnet', objective: 'rtd' },
];
const FORMS = ['paper', 'library'].flatMap((form) => VALID.map((pair) => ({ form, ...pair })));

const small = (given: Record<string, unknown>): Config =>
  configure(transformers4rec, { dModel: 8, itemEmbeddingDim: 6, nHead: 2, totalSeqLength: 6, dInner: 8, ...given });

const paramsOf = (config: Config) => {
  const specs = transformers4rec.parameters(config, { items: ITEMS });
  const wide = Object.entries(specs).map(([name, spec]) => [name, { ...spec, init: { kind: 'normal', std: 0.5 } }]);
  return initialise(Object.fromEntries(wide), 2);
};

/** The session vectors as plain numbers. */
function encode(config: Config, sessions: readonly SessionInput[], params = paramsOf(config)): number[][] {
  return tidy(() => {
    const arrays = upload(transformers4rec.prepare(sessions, config, { items: ITEMS }));
    return transformers4rec.encode(upload(params), arrays, config, inference).arraySync();
  });
}

function close(a: readonly (readonly number[])[], b: readonly (readonly number[])[]): void {
  const far = a.flatMap((row, i) => row.map((x, j) => Math.abs(x - b[i]![j]!)));
  expect(Math.max(...far)).toBeLessThan(5e-6);
}

test('every pair of language model and objective is either one of the eleven, or refused with the reason', () => {
  for (const lm of LANGUAGE_MODELS) {
    for (const objective of OBJECTIVES) {
      const isValid = VALID.some((pair) => pair.lm === lm && pair.objective === objective);
      if (isValid) expect(configure(transformers4rec, { lm, objective }).lm).toBe(lm);
      else {
        expect(() => configure(transformers4rec, { lm, objective })).toThrow(
          new RegExp(`lm=${lm} cannot learn by objective=${objective}: .{30,} It learns by `),
        );
      }
    }
  }
});

test.each([
  [{ dModel: 10, nHead: 4 }, '"dModel" must be a multiple of "nHead", got 10 and 4'],
  [{ dModel: 9, nHead: 3 }, '"dModel" must be even'],
  [{ dHead: 8 }, '"dHead" is for lm=transformer-xl'],
  [{ lm: 'transformer-xl', objective: 'clm', sameLength: 'true', memLen: 0 }, 'a click would see nothing'],
  [
    { inputLayer: 'none', itemEmbeddingDim: 32 },
    'inputLayer=none needs "itemEmbeddingDim" to be "dModel", got 32 and 64',
  ],
  [{ inputLayer: 'none', features: 'hour' }, 'features that stand beside the item vector must be merged'],
  [{ objective: 'rtd', rtdTiedGenerator: false, dModel: 20 }, 'needs a multiple of 8, got 20'],
  [{ sampledSoftmax: true }, '"labelSmoothing" is for the full softmax'],
  [{ lm: 'xlnet', objective: 'clm', trainOnPrefixes: true }, '"trainOnPrefixes" is for mlm, plm and rtd'],
  [{ sparseUpdates: true }, '"sparseUpdates" needs sampledSoftmax=true'],
  [
    { objective: 'rtd', sampledSoftmax: true, labelSmoothing: 0, rtdSampleFromBatch: false, sparseUpdates: true },
    '"sparseUpdates" needs rtdSampleFromBatch=true',
  ],
  [{ features: 'category:cathegorical' }, 'the nearest is categorical'],
  [{ features: 'hour,hour' }, 'it is named twice'],
  [{ features: 'brand,items:numeric' }, '"items" are what every click has already. Rename the column'],
  [{ features: 'price.projection:soft,price' }, 'its weights would be called as those of "price.projection"'],
  [{ features: 'age:cyclic' }, 'a cyclic feature needs its period'],
  [{ features: 'category:categorical:2.5' }, '"2.5" is not a whole number above 0'],
])('refuses %o, saying why', (given, sentence) => {
  expect(() => configure(transformers4rec, given)).toThrow(sentence);
});

test('a categorical feature whose number of values nobody tells is refused by name', () => {
  const config = small({ features: 'brand' });
  expect(() => transformers4rec.parameters(config, { items: ITEMS })).toThrow('Write brand:categorical:SIZE');
});

test.each(['paper', 'library'])('plm in form %s asks at a column that nobody sees, whatever stands in it', (form) => {
  const config = small({ form, lm: 'xlnet', objective: 'plm' });
  const params = paramsOf(config);
  const sessions = [[4], [1, 5, 3], [7, 8, 1, 2, 9]].map((items) => ({ items }));
  const prepared = transformers4rec.prepare(sessions, config, { items: ITEMS });
  const filled = Int32Array.from(prepared.items!.data);
  for (const cell of prepared.last!.data) filled[cell] = 6;
  const answer = (items: Int32Array, given: typeof params) =>
    tidy(() => {
      const arrays = upload({ ...prepared, items: { ...prepared.items!, data: items } });
      return transformers4rec.encode(upload(given), arrays, config, inference).arraySync();
    });
  const before = answer(prepared.items!.data as Int32Array, params);
  expect(answer(filled, params)).toEqual(before);
  // In the library's form the mask vector stands there.
  const { mask } = params;
  expect(mask !== undefined).toBe(form === 'library');
  if (mask) expect(answer(filled, { ...params, mask: { ...mask, data: mask.data.map((x) => 1 - x) } })).toEqual(before);
});

test.each([
  ['gpt2', 'clm', { inner: 128, epsilon: 1e-5, dropout: 0.3, attentionDropout: 0.3, headWidth: 4, clamp: 0 }],
  [
    'transformer-xl',
    'clm',
    { inner: 128, epsilon: 1e-5, dropout: 0.3, attentionDropout: 0, headWidth: 64, clamp: 1000 },
  ],
  ['bert', 'mlm', { inner: 3072, epsilon: 0.03, dropout: 0.1, attentionDropout: 0.1, headWidth: 4, positions: 22 }],
  ['electra', 'mlm', { inner: 128, epsilon: 0.03, dropout: 0.3, attentionDropout: 0.1, headWidth: 4, positions: 22 }],
  ['xlnet', 'plm', { inner: 128, epsilon: 0.03, dropout: 0.3, attentionDropout: 0.3, headWidth: 4, clamp: 0 }],
])('the library sets %s as its helpers do, whatever was meant', (lm, objective, expected) => {
  const given = { form: 'library', dModel: 32, nHead: 8, totalSeqLength: 20 };
  expect(sizeOf(configure(transformers4rec, { ...given, lm, objective }))).toMatchObject(expected);
  const { epsilon, inner } = sizeOf(configure(transformers4rec, { ...given, form: 'paper', lm, objective }));
  expect({ epsilon, inner }).toEqual({ epsilon: lm === 'transformer-xl' ? 1e-5 : 1e-12, inner: 128 });
});

test('weights start as the codes start them: residual projections, gains of norms, the item table and the mask', () => {
  const startsOf = (given: Record<string, unknown>) => {
    const specs = transformers4rec.parameters(small({ nLayer: 3, ...given }), { items: ITEMS });
    return Object.fromEntries(Object.entries(specs).map(([name, { init }]) => [name, init]));
  };
  const gpt2 = startsOf({ lm: 'gpt2', objective: 'clm' });
  const residual = { kind: 'normal', std: 0.02 / Math.sqrt(6) };
  expect(gpt2['lm.layers.2.attention.output.w']).toEqual(residual);
  expect(gpt2['lm.layers.0.feed.outer.w']).toEqual(residual);
  expect(gpt2['lm.layers.0.feed.inner.w']).toEqual({ kind: 'normal', std: 0.02 });
  expect(gpt2['lm.layers.0.feed.norm.gain']).toEqual({ kind: 'ones' });
  const xl = startsOf({ lm: 'transformer-xl', objective: 'clm' });
  for (const layer of ['attention', 'feed']) {
    expect(xl[`lm.layers.1.${layer}.norm.gain`]).toEqual({ kind: 'normal', mean: 1, std: 0.02 });
  }
  const bert = startsOf({ lm: 'bert', objective: 'mlm', itemIdEmbeddingsInitStd: 0.07 });
  expect(bert.items).toEqual({ kind: 'normal', std: 0.07 });
  expect(bert.mask).toEqual({ kind: 'normal', std: 0.001 });
  expect(bert.bias).toEqual({ kind: 'zeros' });
  // The library's helpers ask for 0.01.
  expect(startsOf({ form: 'library', lm: 'xlnet', objective: 'mlm' })['lm.layers.0.feed.inner.w']).toEqual({
    ...{ kind: 'normal', std: 0.01 },
  });
});

test.each(['paper', 'library'])('layers around the language model start as linear ones of PyTorch do, %s', (form) => {
  const config = small({ form, lm: 'bert', objective: 'rtd', dModel: 16, rtdTiedGenerator: false });
  const specs = transformers4rec.parameters(config, { items: ITEMS });
  const rows = { merge: 6, 'discriminator.merge': 6, output: 4, 'discriminator.dense': 16, 'discriminator.score': 16 };
  for (const [name, read] of Object.entries(rows)) {
    const init = { kind: 'uniform', limit: 1 / Math.sqrt(read) };
    expect(specs[`${name}.w`], name).toMatchObject({ shape: [read, expect.any(Number)], init });
    expect(specs[`${name}.b`]!.init, name).toEqual(init);
  }
});

test('what the options say of training reaches the plan', () => {
  const given = {
    ...{ lm: 'electra', objective: 'rtd', softmaxTemperature: 0.7, maxGradNorm: 0.5, weightDecay: 0.1 },
    ...{ rtdDiscriminatorLossWeight: 3, rtdGeneratorLossWeight: 2, rtdSampleFromBatch: true, labelSmoothing: 0.4 },
  };
  const plan = transformers4rec.training(small(given));
  expect(plan).toMatchObject({
    rows: { kind: 'masked', labels: 'log' },
    objective: {
      ...{ temperature: 0.7, labelSmoothing: 0.4, labelSmoothingOver: 'others', paddingColumn: false },
      replaced: { weight: 3, generatorWeight: 2, candidates: 'batch', over: 'clicks' },
    },
    optimiser: { kind: 'adam', clipNorm: 0.5, weightDecay: { amount: 0.1, kind: 'decoupled' } },
    schedule: { kind: 'linear' },
  });
  const other = transformers4rec.training(
    small({
      ...given,
      form: 'library',
      rtdSampleFromBatch: false,
      swapLabels: true,
      lrSchedule: 'constant',
      maxGradNorm: 0,
    }),
  );
  expect(other).toMatchObject({
    rows: { labels: 'prepared' },
    objective: { labelSmoothingOver: 'all', paddingColumn: true, replaced: { candidates: 'catalogue', over: 'all' } },
    schedule: { kind: 'constant' },
  });
  expect(other.optimiser).not.toHaveProperty('clipNorm');
});

test('draws by popularity, or log-uniform as the library does, and corrects by as much as asked', () => {
  const given = { sampledSoftmax: true, maxNSamples: 5, labelSmoothing: 0, logq: 0.5 };
  expect(transformers4rec.training(small(given)).objective).toMatchObject({
    negatives: { kind: 'shared', inBatch: false, extra: 10, distribution: 'log-uniform' },
    logq: 0.5,
    maskHits: -655.04,
  });
  const { objective } = transformers4rec.training(small({ ...given, sampleBy: 'popularity', sampleAlpha: 0.3 }));
  expect(objective).toMatchObject({
    negatives: { kind: 'shared', inBatch: false, extra: 5, alpha: 0.3 },
    ...{ logq: 0.5, maskHits: true, reduction: 'mean', temperature: 1 },
  });
});

test('by cosine, items have no bias, and the temperature, 1/16 unless given, is in the scores and not in the loss', () => {
  const largest = (config: ReturnType<typeof small>) =>
    tidy(() => {
      const params = upload(paramsOf(config));
      const arrays = upload(transformers4rec.prepare([{ items: [3, 1, 4] }], config, { items: ITEMS }));
      const c = transformers4rec.encode(params, arrays, config, inference);
      const { table, bias } = transformers4rec.outputs(params, config);
      expect(bias).toBeUndefined();
      expect(transformers4rec.training(config).objective.temperature).toBe(1);
      const lengths = norm(table, 2, 1).arraySync() as number[];
      for (const length of lengths.slice(1)) expect(length).toBeCloseTo(1, 4);
      return norm(c).dataSync()[0]!;
    });
  expect(largest(small({ scoring: 'cosine' }))).toBeCloseTo(16, 3);
  expect(largest(small({ scoring: 'cosine', softmaxTemperature: 0.5 }))).toBeCloseTo(2, 4);
});

describe.each(FORMS)('$form: $lm with $objective', (given) => {
  const config = small(given);
  const sessions = [[4], [2, 2, 2], [1, 5, 3], [7, 8, 1, 2, 9, 4], [3, 7, 8, 1, 2, 9, 4]].map((items) => ({ items }));

  test('a batch answers as its sessions do one by one, in any order', () => {
    const together = encode(config, sessions);
    close(
      together,
      sessions.map((session) => encode(config, [session])[0]!),
    );
    close(encode(config, sessions.toReversed()), together.toReversed());
  });

  test('of a session that is too long only the newest clicks count', () => {
    const [longest] = encode(config, [sessions.at(-1)!]);
    const changed = [5, ...sessions.at(-1)!.items.slice(1)];
    expect(encode(config, [{ items: changed }])[0]).toEqual(longest);
  });

  test('frees all that it makes', () => {
    const params = paramsOf(config);
    const before = memory().numTensors;
    encode(config, sessions, params);
    expect(memory().numTensors).toBe(before);
  });

  if (given.objective === 'clm') {
    test('a later click leaves the vectors before it as they are, bit for bit', () => {
      const vectors = (items: number[]): number[][] =>
        tidy(() => {
          const arrays = upload(transformers4rec.prepare([{ items }], config, { items: ITEMS }));
          return transformers4rec.positions!.encode(upload(paramsOf(config)), arrays, config, inference).arraySync();
        });
      const before = vectors([3, 1, 4, 1, 5]);
      const after = vectors([3, 1, 4, 9, 2]);
      expect(after.slice(0, 3)).toEqual(before.slice(0, 3));
      expect(after[3]).not.toEqual(before[3]);
    });
  } else {
    test('the last click counts, since it is the next one that is asked for', () => {
      expect(encode(config, [{ items: [3, 1, 4] }])).not.toEqual(encode(config, [{ items: [3, 1, 5] }]));
    });
  }
});

test("Transformer-XL as the library sets it attends to the click itself only; the paper's form to all before it", () => {
  const weightsOf = (form: string): number[][] => {
    const config = small({ form, lm: 'transformer-xl', objective: 'clm', nLayer: 1, nHead: 1 });
    return tidy(() => {
      let weights: number[][] = [];
      const observe: Run['observe'] = (name, x) => {
        if (name === 'attention.0') weights = (x.arraySync() as number[][][][])[0]![0]!;
      };
      const arrays = upload(transformers4rec.prepare([{ items: [1, 2, 3, 4] }], config, { items: ITEMS }));
      transformers4rec.encode(upload(paramsOf(config)), arrays, config, { ...inference, observe });
      return weights;
    });
  };
  // One empty slot stands before the four clicks.
  const clicks = [0, 1, 2, 3];
  expect(weightsOf('library')).toEqual(clicks.map((i) => [0, 1, 2, 3, 4].map((j) => Number(j === i + 1))));
  const seen = weightsOf('paper').map((row) => row.map((w) => w > 0));
  expect(seen).toEqual(clicks.map((i) => clicks.map((j) => j <= i)));
});

test('a permutation hides targets from all that come before them in its order, themselves included', () => {
  const mask = permutationMask({ targets: Uint8Array.of(0, 1, 0, 1), ranks: Int32Array.of(-1, 3, -1, 1) }, 4);
  expect([0, 1, 2, 3].map((i) => Array.from(mask.subarray(4 * i, 4 * i + 4)))).toEqual([
    [0, 1, 0, 1],
    [0, 1, 0, 0],
    [0, 1, 0, 1],
    [0, 1, 0, 1],
  ]);
});

test('a soft one-hot number mixes the rows of its table', () => {
  const config = small({ features: 'price:soft:3', softEmbeddingDim: 2 });
  const vectors = tidy(() => {
    const params = {
      'features.price.w': tensor2d([[1, -1, 0.5]]),
      'features.price.b': tensor1d([0, 0.2, -0.1]),
      'features.price.table': tensor2d([1, 0, 0, 1, 1, 1], [3, 2]),
    };
    return featureVectors(params, { 'feature.price': tensor2d([[0.7]]) }, config)[0]!.vectors.arraySync();
  });
  expect(vectors[0]![0]).toBeCloseTo(0.844651, 5);
  expect(vectors[0]![1]).toBeCloseTo(0.484223, 5);
});

test('features meet the item element by element, with and without the "1 +"', () => {
  const joined = (plusOne: boolean) =>
    tidy(() => {
      const [x, f, g] = [
        [2, -1],
        [0.5, 0],
        [0, 1],
      ].map((row) => tensor2d([row]));
      return elementWise(x!, [f!, g!], plusOne).arraySync();
    });
  expect(joined(true)).toEqual([[3, -2]]);
  expect(joined(false)).toEqual([[1, -1]]);
});

test.each([
  ['paper', 0.949438],
  ['library', 0.874438],
])('label smoothing shares its mass as in the %s form', (form, expected) => {
  // Logits 1, 2, 0, −1, 0.5 of five columns; in the library's form padding is one of them.
  const objective = transformers4rec.training(small({ form, labelSmoothing: 0.2 })).objective;
  const logits = [1, 2, 0, -1, 0.5];
  const loss = tidy(() => {
    const table: Tensor2D = tensor2d((form === 'paper' ? [9, ...logits] : logits).map((x) => [x]));
    return objectiveLoss(objective, {
      vectors: tensor2d([[1]]),
      outputs: { table },
      targets: tensor1d([form === 'paper' ? 2 : 1], 'int32'),
      negatives: tensor1d([], 'int32'),
      items: form === 'paper' ? 5 : 4,
      nominalBatch: 1,
      params: {},
    }).dataSync()[0]!;
  });
  expect(loss).toBeCloseTo(expected, 5);
});

test('draws take the places of the targets, and one of the same item is no replacement', () => {
  const corrupted = tidy(() => {
    const items = tensor2d([[5, 6, 7, 8]], [1, 4], 'int32');
    return replaceClicks(items, Int32Array.of(1, 3), tensor1d([9, 8], 'int32')).arraySync();
  });
  expect(corrupted).toEqual([[5, 9, 7, 8]]);
  expect(corrupted[0]!.map((item, t) => Number(item !== [5, 6, 7, 8][t]))).toEqual([0, 1, 0, 0]);
});

describe('swap noise', () => {
  const values = Int32Array.from({ length: 4000 }, (_, i) => (i % 4 === 3 ? 0 : 1 + (i % 7)));

  test('exchanges about its share of what is not padding, for values of the same batch', () => {
    const after = swapped(values, 0.2, random(4));
    expect(after.every((value, i) => (value === 0) === (values[i] === 0))).toBe(true);
    // Of those exchanged one in seven meets its own value.
    const changed = after.filter((value, i) => value !== values[i]).length / 3000;
    expect(changed).toBeGreaterThan(0.2 * (6 / 7) - 0.03);
    expect(changed).toBeLessThan(0.2 * (6 / 7) + 0.03);
  });

  test('leaves targets alone unless asked, and each feature is exchanged on its own', () => {
    const config = small({
      stochasticSharedEmbeddingsReplacementProb: 0.5,
      features: 'category',
      objective: 'clm',
    });
    const catalogue = {
      items: ITEMS,
      features: { category: { data: Int32Array.from({ length: ITEMS + 1 }, (_, i) => i), shape: [ITEMS + 1] } },
    };
    const sessions = [
      [1, 2, 3, 4],
      [5, 6, 7, 8, 9],
    ].map((items) => ({ items }));
    const draw = () => ({ random: random(8) });
    const { items, 'feature.category': categories } = transformers4rec.prepare(sessions, config, catalogue, draw());
    const { items: still } = transformers4rec.prepare(sessions, small({ objective: 'clm' }), catalogue, draw());
    expect(items!.data).not.toEqual(still!.data);
    expect(categories!.data).not.toEqual(items!.data);
    expect(transformers4rec.training(config).rows).toMatchObject({ labels: 'log' });
    expect(transformers4rec.training({ ...config, swapLabels: true }).rows).toMatchObject({ labels: 'prepared' });
  });
});

test('swap noise takes from every click of the batch, the last ones too that only serve as targets', () => {
  const config = small({ stochasticSharedEmbeddingsReplacementProb: 0.9, objective: 'clm', lm: 'gpt2' });
  const sessions = [{ items: [1, 2, 3] }, { items: [4, 5, 6, 7] }];
  const met = new Set<number>();
  for (let seed = 0; seed < 20; seed++) {
    const { items } = transformers4rec.prepare(sessions, config, { items: ITEMS }, { random: random(seed) });
    expect(items!.shape).toEqual([2, 4]);
    for (const read of [items!.data.subarray(0, 2), items!.data.subarray(4, 7)]) for (const item of read) met.add(item);
  }
  expect([...met].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

test('hours and weekdays come from the clicks’ times where the log has no such column; a missing one is 0', () => {
  const config = small({ features: 'hour,weekday:categorical', objective: 'clm' });
  const monday = 4 * 86_400; // 5 January 1970
  const session = { items: [1, 2], times: [monday + 6 * 3600 + 59, monday + 86_400 + 18 * 3600] };
  const catalogue = { items: ITEMS };
  const prepared = transformers4rec.prepare([session, { items: [3, 4] }], config, catalogue);
  const [s6, c6, s18, c18, ...missing] = prepared['feature.hour']!.data;
  expect([s6, c6, s18, c18].map((x) => Math.round(x!))).toEqual([1, 0, -1, -0]);
  expect(missing).toEqual([0, 0, 0, 0]);
  expect(Array.from(prepared['feature.weekday']!.data)).toEqual([1, 2, 0, 0]);
});
