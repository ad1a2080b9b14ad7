import { describe, expect, test } from 'vitest';
import { configure, describe as inWords } from '../../src/models/configuration';
import { gru4rec } from '../../src/models/gru4rec';
import type { OptionSpec } from '../../src/models/model';
import { presetOf, presets } from '../../src/models/presets';
import { allModels } from './all-models';

const models = await allModels();

const refused = (given: Record<string, unknown>, message: RegExp) =>
  expect(() => configure(gru4rec, given)).toThrow(
    expect.objectContaining({ code: 'bad-config', message: expect.stringMatching(message) }),
  );

describe('a configuration', () => {
  test('is the defaults where nothing is given', () => {
    const defaults = Object.fromEntries(Object.entries(gru4rec.options).map(([key, option]) => [key, option.default]));
    expect(configure(gru4rec)).toEqual(defaults);
    expect(configure(gru4rec)).toMatchObject({
      layers: [100],
      loss: 'cross-entropy',
      constrainedEmbedding: true,
      batchSize: 64,
      learningRate: 0.05,
      momentum: 0,
      nSample: 2048,
      sampleAlpha: 0.5,
      bpreg: 1,
      logq: 0,
      nEpochs: 10,
    });
  });

  test('takes the spelling of the official code, and text as the command line has it', () => {
    const official = {
      loss: 'bpr-max',
      constrained_embedding: 'true',
      layers: '224/100',
      dropout_p_embed: '.5',
      dropout_p_hidden: '5e-2',
      n_sample: '2048',
      elu_param: 1,
      sample_alpha: 0.3,
    };
    expect(configure(gru4rec, official)).toMatchObject({
      loss: 'bpr-max',
      constrainedEmbedding: true,
      layers: [224, 100],
      dropoutPEmbed: 0.5,
      dropoutPHidden: 0.05,
      nSample: 2048,
      eluParam: 1,
      sampleAlpha: 0.3,
    });
    expect(configure(gru4rec, { layers: 64 }).layers).toEqual([64]);
    expect(configure(gru4rec, { constrainedEmbedding: '0', embedding: 7 }).constrainedEmbedding).toBe(false);
  });

  test('knows words for numbers, and reads its own result back', () => {
    const config = configure(gru4rec, { constrainedEmbedding: false, embedding: 'layersize' });
    expect(config.embedding).toBe(-1);
    for (const given of [config, JSON.parse(JSON.stringify(config))]) expect(configure(gru4rec, given)).toEqual(config);
  });

  test('with an unknown key names the nearest known one', () => {
    refused({ learning_rat: 0.1 }, /no option "learning_rat"; the nearest is "learningRate"/);
    refused({ dropoutHidden: 0.1 }, /the nearest is "dropoutPHidden"/);
    refused({ toString: 1 }, /no option "toString"/);
    refused({ constructor: 1 }, /no option "constructor"/);
    refused(JSON.parse('{ "__proto__": 1 }'), /no option "__proto__"/);
    refused({ __proto__x: 1 }, /no option "__proto__x"/);
  });

  test.each<[string, unknown, RegExp]>([
    ...['constructor', '__proto__', 'toString', 'yes', ''].map((word): [string, unknown, RegExp] => [
      'constrainedEmbedding',
      word,
      /must be true or false, got "/,
    ]),
    ['learningRate', 0, /"learningRate" must be a number from 1e-8 to 10, got 0/],
    ['learningRate', 'fast', /got "fast"/],
    ['learningRate', '', /got ""/],
    ['learningRate', Number.NaN, /must be a number/],
    ['batchSize', 2.5, /"batchSize" must be a whole number from 1 to 65536, got 2.5/],
    ['dropoutPHidden', 0.96, /from 0 to 0.95, got 0.96/],
    ['layers', '100/x', /"layers" must be whole numbers from 1 to 4096, written 100\/100, got "100\/x"/],
    ['layers', [], /got \[\]/],
    ['layers', '0', /got "0"/],
    ['loss', 'cross_entropy', /one of cross-entropy, bpr-max, top1, top1-max, bpr, got "cross_entropy"/],
    ['constrainedEmbedding', 'yes', /"constrainedEmbedding" must be true or false, got "yes"/],
    ['embedding', 'toString', /a whole number from 0 to 4096 or layersize, got "toString"/],
    ['embedding', -2, /or layersize, got -2/],
    ['nSample', null, /got null/],
    ['nSample', undefined, /got undefined/],
  ])('refuses %s = %j', (key, value, message) => {
    refused({ [key]: value }, message);
  });

  test.each<[Record<string, unknown>, RegExp]>([
    [{ embedding: 50 }, /set constrainedEmbedding=false/],
    [{ loss: 'bpr-max', logq: 1 }, /"logq" corrects cross-entropy only, the loss is bpr-max/],
    [{ nSample: 0, batchSize: 1 }, /batchSize must be at least 2/],
  ])('refuses keys that do not fit together: %j', (given, message) => {
    refused(given, message);
  });
});

test.each(Object.entries(models))('%s documents every option, and its defaults are allowed values', (_, model) => {
  const config = configure<Record<string, unknown>>(model, {});
  expect(configure<Record<string, unknown>>(model, config)).toEqual(config);
  for (const [key, option] of Object.entries(model.options as Record<string, OptionSpec>)) {
    expect(option.doc.length, key).toBeGreaterThan(5);
    expect(option.source.length, key).toBeGreaterThan(5);
    expect(inWords(option), key).not.toBe('');
  }
});

describe.each(Object.entries(models).filter(([, { removed }]) => removed))(
  'the removed options of %s',
  (name, model) => {
    const removed = Object.entries(model.removed ?? {});
    const spellings = removed.flatMap(([key, left]) => [left].flat().map((value) => [key, value] as const));

    test.each(spellings)('%s = %j is read, as text too, and is no part of the configuration', (key, value) => {
      for (const given of [value, String(value)]) expect(configure(model, { [key]: given })).toEqual(configure(model));
    });

    test.each(removed)('%s is refused unless it is %j', (key, left) => {
      expect(model.options).not.toHaveProperty(key);
      const [value] = [left].flat();
      const others = [typeof value === 'boolean' ? !value : 0.123, 'other', null, ''];
      for (const other of others.filter((other) => other !== value)) {
        const got = typeof other === 'string' ? `"${other}"` : String(other);
        const message = `${name}: "${key}" is no longer an option and always ${JSON.stringify(value)}, got ${got}.`;
        expect(() => configure(model, { [key]: other })).toThrow(
          expect.objectContaining({ code: 'bad-config', message: expect.stringContaining(message) }),
        );
      }
    });
  },
);

describe('presets', () => {
  test('are configurations that the architecture takes', () => {
    for (const [architecture, named] of Object.entries(presets)) {
      const model = models[architecture]!;
      for (const [name, { doc, config }] of Object.entries(named)) {
        expect(configure<Record<string, unknown>>(model, config), name).toMatchObject(config);
        expect(doc.length, name).toBeGreaterThan(10);
      }
    }
  });

  test('has every architecture for each kind of log', () => {
    const kinds = ['eshop', 'yoochoose-100k', 'diginetica', 'beauty'];
    for (const name of Object.keys(models)) {
      expect(Object.keys(presets[name]!), name).toEqual(expect.arrayContaining(kinds));
    }
  });

  test('of GRU4Rec are the published tunings', () => {
    expect(presetOf('gru4rec', 'retailrocket').config).toMatchObject({ layers: [224], bpreg: 1.95, sampleAlpha: 0.4 });
    expect(presetOf('gru4rec', 'rsc15').config).toMatchObject({ layers: [100], momentum: 0.2, logq: 1 });
  });

  test.each(['retailroket', 'toString', ''])('refuse the name "%s" and list the known ones', (name) => {
    expect(() => presetOf('gru4rec', name)).toThrow(
      expect.objectContaining({ code: 'bad-config', message: expect.stringMatching(/it has .*retailrocket/) }),
    );
  });

  test('name auto among the known ones, and suggest it', () => {
    expect(() => presetOf('gru4rec', 'aut')).toThrow(
      /, auto, which picks one by the log, and none; did you mean auto\?$/,
    );
  });

  test('of an architecture without any, or of none, are refused', () => {
    for (const architecture of ['markov', 'constructor']) {
      expect(() => presetOf(architecture, 'best')).toThrow(/has no preset "best": it has none/);
    }
  });
});
