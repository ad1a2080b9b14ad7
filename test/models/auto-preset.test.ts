import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import { presetOf, presets } from '../../src/models/presets';
import { AUTO, autoPreset } from '../../src/models/presets/auto';
import { readEventsFile } from '../../src/pipeline/files/events-file';
import { holdOut } from '../../src/session/hold-out';
import { type LogFacts, logFacts } from '../../src/session/log-facts';
import { filesOf } from '../bench/quality/files';
import { LOG_NAMES, LOGS, type LogName } from '../bench/quality/logs';
import { testWithLogs } from '../with-logs';
import { allModels } from './all-models';

const models = await allModels();
const DAY = 86_400;

/** The logs that presets were chosen on, by preset: of each what is learnt from, as counted below. */
const KNOWN: Readonly<Record<string, LogFacts>> = {
  eshop: {
    items: 217,
    events: 139_355,
    sessions: 16_583,
    meanLength: 8.4035,
    longLength: 25,
    repeated: 0.1229,
    span: 4,
  },
  'yoochoose-100k': {
    items: 2933,
    events: 70_278,
    sessions: 17_794,
    meanLength: 3.9495,
    longLength: 10,
    repeated: 0.3598,
    span: 172,
  },
  diginetica: {
    items: 43_097,
    events: 906_140,
    sessions: 186_670,
    meanLength: 4.8542,
    longLength: 12,
    repeated: 0.2002,
    span: 3,
  },
  beauty: {
    items: 12_101,
    events: 153_776,
    sessions: 22_363,
    meanLength: 6.8764,
    longLength: 19,
    repeated: 0,
    span: 210 * DAY,
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

  test.each(Object.keys(KNOWN))('is how much Transformers4Rec sees, whether its preset %s says so or not', (name) => {
    for (const objective of ['mlm', 'clm']) {
      const seen = (facts: LogFacts) =>
        configure<Record<string, unknown>>(
          models['transformers4rec']!,
          autoPreset('transformers4rec', facts, { lm: 'xlnet', objective }).config,
        )['totalSeqLength'] as number;
      const facts = KNOWN[name]!;
      expect(seen({ ...facts, longLength: 2 * facts.longLength })).toBe(2 * seen(facts));
    }
  });

  test('is how much of a session a graph is built of, up to 20 clicks', () => {
    expect(autoPreset('srgnn', { ...eshop!, longLength: 500 }).config).toMatchObject({ maxlen: 20 });
  });

  test('is how many sessions make a batch, where they are longer and counted whole', () => {
    const sessions = (meanLength: number) => autoPreset('sasrec', { ...beauty!, meanLength }).config['batchSize'];
    const { meanLength } = beauty!;
    expect([meanLength / 2, 4 * meanLength, 1000].map(sessions)).toEqual([256, 64, 32]);
    expect(autoPreset('sasrec', { ...eshop!, meanLength: 100 }).config).toMatchObject({ batchSize: 16 });
    // Windows, and sessions side by side: both stay what they are.
    for (const model of ['caser', 'gru4rec']) {
      const { batchSize } = presetOf(model, 'beauty').config;
      expect(autoPreset(model, { ...beauty!, meanLength: 100 }).config, model).toMatchObject({ batchSize });
    }
  });

  test('is the number of negatives: in proportion below, by the root above', () => {
    // With the catalogue, past the size from which on a full softmax becomes a sampled one.
    for (const [model, from] of [
      ['caser', 12_101],
      ['srgnn', 12_101],
      ['sasrec', 20_001],
    ] as const) {
      const draws = [from, 19_999, 20_001, 25_000, 60_000].filter((items) => items >= from);
      const found = draws.map((items) => autoPreset(model, { ...beauty!, items }).config['nSample']);
      const expected = draws.map((items) => Math.min(8192, Math.round(4096 * Math.sqrt(items / beauty!.items))));
      expect(found, model).toEqual(expected);
    }
    const half = { ...diginetica!, items: diginetica!.items / 2 };
    expect(autoPreset('sasrec', half).config).toMatchObject({ nSample: 4096 });
    const four = { ...diginetica!, items: 4 * diginetica!.items };
    expect(autoPreset('caser', four).config).toMatchObject({ nSample: 4096 });
    expect(autoPreset('caser', { ...four, items: 1e7 }).config).toMatchObject({ nSample: 8192 });
  });

  test('is the number of epochs: more where there are fewer events, or fewer of them per item, and fewer from a million on', () => {
    const epochs = (more: Partial<LogFacts>) => autoPreset('sasrec', { ...beauty!, ...more }).config['numEpochs'];
    const { events, items } = beauty!;
    expect([events / 4, events * 4, 10, 2e6, 1e9].map((events) => epochs({ events }))).toEqual([80, 40, 160, 28, 20]);
    expect([1.44 * items, 10 * items, items / 10].map((items) => epochs({ items: Math.round(items) }))).toEqual([
      48, 80, 40,
    ]);
    expect(autoPreset('srgnn', { ...eshop!, items: 4 * 217 }).config).toMatchObject({ epoch: 16 });
  });

  test('are passes over the latest sessions, left out where the last sessions of a log need not be the latest', () => {
    const latest = (span: number | undefined) => {
      const { span: _, ...facts } = diginetica!;
      return autoPreset('sasrec', { ...facts, ...(span !== undefined && { span }) }).config['recentEpochs'];
    };
    expect([60, 2 * DAY, undefined].map(latest)).toEqual([3, undefined, undefined]);
  });

  test('is the width of GRU4Rec, where vectors of all items would not fit', () => {
    const widths = (items: number) => autoPreset('gru4rec', { ...diginetica!, items }).config['layers'];
    expect([200_000, 1_000_000, 1e8].map(widths)).toEqual([[512], [112], [16]]);
  });

  test('keeps to what the user sets, in either spelling', () => {
    const { config } = autoPreset('transformers4rec', diginetica!, { sampled_softmax: 'false' });
    expect(config).not.toHaveProperty('sparseUpdates');
  });

  test('is a sampled softmax for histories in a catalogue of tens of thousands', () => {
    const large = { ...beauty!, items: 50_000 };
    for (const model of ['sasrec', 'cl4srec', 'srgnn', 'caser']) {
      expect(autoPreset(model, large).config, model).toMatchObject({ loss: 'sampled', nSample: 8192 });
    }
    expect(autoPreset('transformers4rec', large).config).toMatchObject({
      sampledSoftmax: true,
      sampleBy: 'popularity',
    });
  });

  test.each(Object.keys(presets))('is no sampled softmax of %s where the user asks for one over all items', (model) => {
    const name = model === 'sasrec' || model === 'cl4srec' ? 'ce' : 'cross-entropy';
    const full = model === 'transformers4rec' ? { sampledSoftmax: 'false' } : { loss: name };
    const smooth = {
      labelSmoothing: '0.1',
      ...(model === 'transformers4rec' ? { objective: 'clm', lm: 'gpt2' } : full),
    };
    for (const facts of Object.values({ ...KNOWN, large: { ...beauty!, items: 50_000 } })) {
      for (const given of model === 'gru4rec' ? [full] : [full, smooth]) {
        const { config } = autoPreset(model, facts, given);
        expect(() => configure(models[model]!, { ...config, ...given })).not.toThrow();
      }
    }
  });

  test('is printed in one line', () => {
    const { why } = autoPreset('sasrec', { ...eshop!, longLength: 50 });
    expect(why).toBe(
      '217 items, 139,355 events in 16,583 sessions of 8.4 (95 % up to 50), 12.3 % of them on an item of their session, ' +
        'over 4 seconds in the median: long visits to a catalogue that is not large, so the preset eshop; after the log maxlen=100',
    );
  });
});

test('Transformers4Rec learns the next click in the preset for that', () => {
  const { preset, config } = autoPreset('transformers4rec', KNOWN['eshop']!, { lm: 'gpt2', objective: 'clm' });
  expect(preset).toBe('eshop-clm');
  expect(config).toEqual(presetOf('transformers4rec', 'eshop-clm').config);
});

describe('the log of each preset', () => {
  const folder = mkdtempSync(join(tmpdir(), 'aisle-auto-preset-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  const isOwn = (name: LogName) => LOGS[name].preset !== AUTO && LOGS[name].only === undefined;

  const checkFacts = async (name: LogName, data: string) => {
    const log = LOGS[name];
    const { train } = await filesOf(name, log, data, folder);
    const all = await readEventsFile(train);
    const learnt = holdOut(all, log.holdout ?? 0);
    const facts = logFacts(learnt, learnt.itemIds.length);
    const { meanLength, repeated, span, ...counts } = KNOWN[log.preset]!;
    expect(facts).toMatchObject(counts);
    expect(facts.meanLength).toBeCloseTo(meanLength, 4);
    expect(facts.repeated).toBeCloseTo(repeated, 4);
    expect(Math.abs(facts.span! - span!)).toBeLessThan(60);
    for (const model of Object.keys(presets)) {
      const { preset, config } = autoPreset(model, facts);
      expect(preset, model).toBe(log.preset);
      expect(config, model).toEqual(presetOf(model, preset).config);
    }
  };

  for (const name of LOG_NAMES.filter(isOwn)) {
    testWithLogs(`${name} is recognised by its numbers`, [LOGS[name].folder], (data) => checkFacts(name, data!));
  }
});

describe('at its borders', () => {
  /** So many sessions of so many clicks, each on an item of its own but the last `repeats` of the first session. */
  function log({ items = 500, sessions = 4, length = 4, repeats = 0, span = 2 * DAY, longer = 0 }): LogFacts {
    const clicks: number[] = [];
    const times: number[] = [];
    const offsets = [0];
    for (let s = 0; s < sessions; s++) {
      const count = length + (s < longer ? 1 : 0);
      for (let e = 0; e < count; e++) {
        clicks.push(s === 0 && e >= count - repeats ? 1 : 1 + e);
        times.push(span === 0 ? 0 : 1 + (e * span) / (count - 1));
      }
      offsets.push(clicks.length);
    }
    const columns = { items: Int32Array.from(clicks), times: Float64Array.from(times) };
    return logFacts({ sessions: { ...columns, offsets: Int32Array.from(offsets) } }, items);
  }
  const short = { span: 60 };

  test.each([
    ['a day from first to last click', { span: DAY }, 'beauty'],
    ['a minute less than a day', { span: DAY - 60 }, 'yoochoose-100k'],
    ['no times', { span: 0 }, 'beauty'],
    ['one click of 100 on an item of its session', { sessions: 50, length: 3, repeats: 1 }, 'yoochoose-100k'],
    ['one click of 102 on an item of its session', { sessions: 51, length: 3, repeats: 1 }, 'beauty'],
    ['long histories in a large catalogue', { items: 1_000_000 }, 'beauty'],
    ['visits to 10,000 items', { ...short, items: 10_000 }, 'yoochoose-100k'],
    ['visits to 10,001 items', { ...short, items: 10_001 }, 'diginetica'],
    ['long visits to 10,001 items', { ...short, items: 10_001, length: 20 }, 'diginetica'],
    ['visits of six clicks', { ...short, length: 6 }, 'eshop'],
    ['visits of nearly six clicks', { ...short, sessions: 100, length: 5, longer: 99 }, 'yoochoose-100k'],
  ])('%s', (_, made, preset) => {
    for (const model of Object.keys(presets)) expect(autoPreset(model, log(made)).preset, model).toBe(preset);
  });

  test('histories learn by a softmax over all of 20,000 items, and by a sampled one of more', () => {
    const loss = (items: number) => autoPreset('sasrec', log({ items })).config['loss'];
    expect([20_000, 20_001].map(loss)).toEqual(['ce', 'sampled']);
  });
});
