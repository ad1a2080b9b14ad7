import { memory, tensor1d, tensor2d, tidy } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import type { Run } from '../../src/models/model';
import { upload } from '../../src/models/tensors';
import { elementWise, featureVectors } from '../../src/models/transformers4rec/feature-vectors';
import { LANGUAGE_MODELS, OBJECTIVES, type T4RecConfig } from '../../src/models/transformers4rec/options';
import { lossTemperature, sizeOf } from '../../src/models/transformers4rec/settings';
import { clickScorers, transformers4rec } from '../../src/models/transformers4rec/transformers4rec';
import type { SessionInput } from '../../src/types';
import { start } from '../compute/backends/start';
import { INFERENCE } from '../reference/through-training';
import { drawWeights } from '../reference/weights64';

const ITEMS = 9;

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

const small = (given: Record<string, unknown>): T4RecConfig =>
  configure(transformers4rec, { dModel: 8, itemEmbeddingDim: 6, nHead: 2, totalSeqLength: 6, dInner: 8, ...given });

const paramsOf = (config: T4RecConfig) => drawWeights(transformers4rec, config, { items: ITEMS }, 0.5).params;

/** The session vectors as plain numbers. */
function encode(config: T4RecConfig, sessions: readonly SessionInput[], params = paramsOf(config)): number[][] {
  return tidy(() => {
    const arrays = upload(transformers4rec.prepare(sessions, config, { items: ITEMS }));
    return transformers4rec.encode(upload(params), arrays, config, INFERENCE).arraySync();
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
  [{ inputLayer: 'none', features: 'hour' }, 'features must be merged with the item vector'],
  [{ sampledSoftmax: true }, '"labelSmoothing" is for the full softmax'],
  [{ lm: 'xlnet', objective: 'clm', trainOnPrefixes: true }, '"trainOnPrefixes" is for mlm, plm and rtd'],
  [{ sparseUpdates: true }, '"sparseUpdates" needs sampledSoftmax=true'],
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
  expect(() => transformers4rec.parameters(config, { items: ITEMS })).toThrow('write brand:categorical:SIZE');
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
      return transformers4rec.encode(upload(given), arrays, config, INFERENCE).arraySync();
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
    kind: 'normal',
    std: 0.01,
  });
});

test.each(['paper', 'library'])('layers around the language model start as linear ones of PyTorch do, %s', (form) => {
  const config = small({ form, lm: 'bert', objective: 'rtd', dModel: 16 });
  const specs = transformers4rec.parameters(config, { items: ITEMS });
  const rows = { merge: 6, output: 16, 'discriminator.dense': 16, 'discriminator.score': 16 };
  for (const [name, read] of Object.entries(rows)) {
    const init = { kind: 'uniform', limit: 1 / Math.sqrt(read) };
    expect(specs[`${name}.w`], name).toMatchObject({ shape: [read, expect.any(Number)], init });
    expect(specs[`${name}.b`]!.init, name).toEqual(init);
  }
});

test('by cosine, items have no bias, and the temperature, 1/16 unless given, is in the scores and not in the loss', () => {
  const largest = (config: ReturnType<typeof small>) =>
    tidy(() => {
      const params = upload(paramsOf(config));
      const arrays = upload(transformers4rec.prepare([{ items: [3, 1, 4] }], config, { items: ITEMS }));
      const c = transformers4rec.encode(params, arrays, config, INFERENCE);
      const { table, bias } = transformers4rec.outputs(params, config);
      expect(bias).toBeUndefined();
      expect(lossTemperature(config)).toBe(1);
      const rows = table.arraySync() as number[][];
      for (const row of rows.slice(1)) expect(Math.hypot(...row)).toBeCloseTo(1, 4);
      return Math.hypot(...c.dataSync());
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
          return clickScorers(upload(paramsOf(config)), arrays, config, INFERENCE).arraySync();
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
      transformers4rec.encode(upload(paramsOf(config)), arrays, config, { ...INFERENCE, observe });
      return weights;
    });
  };
  // One empty slot stands before the four clicks.
  const clicks = [0, 1, 2, 3];
  expect(weightsOf('library')).toEqual(clicks.map((i) => [0, 1, 2, 3, 4].map((j) => Number(j === i + 1))));
  const seen = weightsOf('paper').map((row) => row.map((w) => w > 0));
  expect(seen).toEqual(clicks.map((i) => clicks.map((j) => j <= i)));
});

test('a soft one-hot number mixes the rows of its table', () => {
  const config = small({ features: 'price:soft:3' });
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
