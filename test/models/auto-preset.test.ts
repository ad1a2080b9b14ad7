import { describe, expect, test } from 'vitest';
import { readEventsFile } from '../../src/cli/events-file';
import { configure } from '../../src/models/configuration';
import { allModels } from '../../src/models/index';
import { presetOf, presets } from '../../src/models/presets';
import { autoPreset } from '../../src/models/presets/auto';
import { type LogFacts, logFacts } from '../../src/session/log-facts';
import { sharedPathOrNote } from '../shared';

const models = await allModels();
const DAY = 86_400;

/** The logs that presets were chosen on. */
const KNOWN: Readonly<Record<string, LogFacts>> = {
  eshop: { items: 217, events: 139_355, sessions: 16_583, meanLength: 8.4, longLength: 25, repeated: 0.12, span: 4 },
  'yoochoose-100k': {
    ...{ items: 2933, events: 70_278, sessions: 17_794, meanLength: 3.95, longLength: 10, repeated: 0.36, span: 172 },
  },
  diginetica: {
    ...{ items: 43_097, events: 906_140, sessions: 186_670, meanLength: 4.85, longLength: 12, repeated: 0.2, span: 3 },
  },
  beauty: {
    ...{
      items: 12_101,
      events: 198_502,
      sessions: 22_363,
      meanLength: 8.9,
      longLength: 21,
      repeated: 0,
      span: 365 * DAY,
    },
  },
};

describe.each(Object.keys(presets))('--preset auto of %s', (model) => {
  test.each(Object.entries(KNOWN))('is %s as it is, on the log of that name', (name, facts) => {
    const { preset, config } = autoPreset(model, facts);
    expect(preset).toBe(name);
    expect(config).toEqual(presetOf(model, name).config);
  });

  test('is a configuration that the architecture takes, on logs of any size and kind', () => {
    for (const items of [2, 500, 9000, 30_000, 1_000_000]) {
      for (const meanLength of [2, 12, 150]) {
        for (const repeated of [0, 0.3]) {
          for (const span of [undefined, 60, 90 * DAY]) {
            const rest = { events: meanLength * 1000, sessions: 1000, longLength: 3 * meanLength, repeated };
            const facts = { items, meanLength, ...rest, ...(span !== undefined && { span }) };
            const { config, why } = autoPreset(model, facts);
            expect(() => configure(models[model]!, config), why).not.toThrow();
          }
        }
      }
    }
  });
});

describe('what follows the log', () => {
  const { eshop, diginetica, beauty } = KNOWN as Record<string, LogFacts>;

  test('is how much of a session is seen, where sessions are longer, up to 200 clicks', () => {
    expect(autoPreset('sasrec', { ...eshop!, longLength: 50 }).config).toMatchObject({ maxlen: 100 });
    expect(autoPreset('sasrec', { ...eshop!, longLength: 500 }).config).toMatchObject({ maxlen: 200 });
    expect(autoPreset('sasrec', { ...eshop!, longLength: 5 }).config).toMatchObject({ maxlen: 50 });
  });

  test('is the number of negatives: in proportion below, by the root above', () => {
    const half = { ...diginetica!, items: diginetica!.items / 2 };
    expect(autoPreset('sasrec', half).config).toMatchObject({ nSample: 2048 });
    const four = { ...diginetica!, items: 4 * diginetica!.items };
    expect(autoPreset('sasrec', four).config).toMatchObject({ nSample: 8192 });
    expect(autoPreset('sasrec', { ...four, items: 1e7 }).config).toMatchObject({ nSample: 8192 });
  });

  test('is the number of epochs, by the root of the number of events, within bounds', () => {
    const epochs = (events: number) => autoPreset('sasrec', { ...beauty!, events }).config['numEpochs'];
    expect([198_502 / 4, 198_502 * 4, 10, 1e9].map(epochs)).toEqual([80, 20, 160, 20]);
  });

  test('is a sampled softmax for histories in a catalogue of tens of thousands', () => {
    const large = { ...beauty!, items: 50_000 };
    for (const model of ['sasrec', 'cl4srec', 'srgnn', 'caser']) {
      expect(autoPreset(model, large).config, model).toMatchObject({ loss: 'sampled', nSample: 4096 });
    }
    expect(autoPreset('transformers4rec', large).config).toMatchObject({ sampledSoftmax: true });
  });

  test.each(Object.keys(presets))('is no sampled softmax of %s where the user asks for one over all items', (model) => {
    const name = model === 'sasrec' || model === 'cl4srec' ? 'ce' : 'cross-entropy';
    const full = model === 'transformers4rec' ? { sampledSoftmax: 'false' } : { loss: name };
    const smooth = {
      labelSmoothing: '0.1',
      ...(model === 'transformers4rec' ? { objective: 'clm', lm: 'gpt2' } : full),
    };
    for (const facts of Object.values({ ...KNOWN, large: { ...beauty!, items: 50_000 } })) {
      for (const given of [full, smooth]) {
        const { config } = autoPreset(model, facts, given);
        expect(() => configure(models[model]!, { ...config, ...given })).not.toThrow();
      }
    }
  });

  test('is told in one line', () => {
    const { why } = autoPreset('sasrec', { ...eshop!, longLength: 50 });
    expect(why).toBe(
      '217 items, 139,355 events in 16,583 sessions of 8.4 (95 % up to 50), 12.0 % of them on an item of their session, ' +
        'over 4 seconds in the median: long visits to a catalogue that is not large, so the preset eshop; after the log maxlen=100',
    );
  });
});

test('Transformers4Rec learns the next click in the preset for that', () => {
  const { preset, config } = autoPreset('transformers4rec', KNOWN['eshop']!, { lm: 'gpt2', objective: 'clm' });
  expect(preset).toBe('eshop-clm');
  expect(config).toEqual(presetOf('transformers4rec', 'eshop-clm').config);
});

test.each([
  ['yoochoose-100k', ['data', 'yoochoose-100k', 'train.tsv.gz'], 'yoochoose-100k'],
  ['diginetica', ['data', 'diginetica', 'train.tsv.gz'], 'diginetica'],
])('the log %s is told by its numbers', async (name, path, preset) => {
  const file = sharedPathOrNote(...path);
  if (!file) return;
  const log = await readEventsFile(file);
  const facts = logFacts(log, log.itemIds.length);
  const { items, events, longLength } = KNOWN[name]!;
  expect(facts).toMatchObject({ items, events, longLength });
  expect(autoPreset('sasrec', facts)).toMatchObject({ preset, config: presetOf('sasrec', preset).config });
});
