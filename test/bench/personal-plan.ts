/** The rows of `npm run bench -- personal` and what each follows from; nothing here measures. */
import { createHash } from 'node:crypto';
import { presetOf } from '../../src/models/presets';
import { GATE } from '../../src/train/tuning/gate';
import { ADAPTER, type AdapterSettings, CAPS, FULL, SAMPLE, SAMPLE_ABOVE } from '../../src/train/tuning/settings';
import { DEMO_MODELS } from '../demo/demo-models';

export const LOG_NAMES = ['simulator', 'beauty', 'eshop'] as const;
export type LogName = (typeof LOG_NAMES)[number];
/** Events of a visitor that figures are reported of, at least. */
export const LONG = 20;

export const MODEL_NAMES = ['gru4rec', 'sasrec', 'caser', 'cl4srec', 'srgnn', 'transformers4rec'] as const;
export type ModelName = (typeof MODEL_NAMES)[number];

type Settings = Readonly<Record<string, unknown>>;

const demo = (name: string): Settings => DEMO_MODELS.find((model) => model.name === name)!.set;
export const SEED = 1;
/** To be raised where a change of the code changes what is measured on a log, and the settings do not show it. */
const VERSIONS: Readonly<Record<LogName, number>> = { simulator: 2, beauty: 1, eshop: 2 };

/** Small networks for Beauty: what a few minutes on one core allow. */
const WIDE = { hiddenUnits: 64, numBlocks: 1, maxlen: 30 };

/** What each base model is: the demo shop's, the preset of the log, or for Beauty the demo's in another size. */
export const SETTINGS: Readonly<Record<LogName, Readonly<Record<ModelName, Settings>>>> = {
  simulator: {
    gru4rec: demo('gru4rec'),
    srgnn: demo('srgnn'),
    sasrec: demo('sasrec'),
    caser: demo('caser'),
    cl4srec: demo('cl4srec'),
    transformers4rec: demo('gpt2-clm'),
  },
  eshop: {
    gru4rec: presetOf('gru4rec', 'eshop').config,
    srgnn: presetOf('srgnn', 'eshop').config,
    sasrec: presetOf('sasrec', 'eshop').config,
    caser: presetOf('caser', 'eshop').config,
    cl4srec: presetOf('cl4srec', 'eshop').config,
    transformers4rec: presetOf('transformers4rec', 'eshop-clm').config,
  },
  beauty: {
    gru4rec: { ...demo('gru4rec'), nSample: 1024, nEpochs: 10 },
    srgnn: { ...demo('srgnn'), hiddenSize: 64, maxlen: 15, epoch: 3 },
    sasrec: { ...demo('sasrec'), ...WIDE, dropoutRate: 0.3, numEpochs: 5 },
    caser: {
      d: 48,
      L: 5,
      T: 1,
      windows: 'all',
      loss: 'cross-entropy',
      drop: 0.3,
      batchSize: 128,
      l2: 0,
      learningRate: 0.004,
      nIter: 4,
    },
    cl4srec: { ...demo('cl4srec'), ...WIDE, dropoutRate: 0.3, numEpochs: 4 },
    transformers4rec: { ...demo('gpt2-clm'), dModel: 64, itemEmbeddingDim: 64, totalSeqLength: 30, nEpochs: 5 },
  },
};

export const ROW_NAMES = ['adapter', 'uncounted', 'mixture', 'full'] as const;
export type RowName = (typeof ROW_NAMES)[number];

const STILL: AdapterSettings['rates'] = { shift: 0, gain: 0, bias: 0, item: 0, weights: 0 };

/** The adapter without the counted terms. */
export const UNCOUNTED: AdapterSettings = {
  ...ADAPTER,
  rates: { ...ADAPTER.rates, item: 0, weights: 0 },
  weights: { base: 1, item: 0, category: 0, facet: 0 },
};

/** The counts alone: weights of the visitor's own items, and of each property. */
export const mixtureOf = (item: number, taste: number): AdapterSettings => ({
  ...ADAPTER,
  rates: STILL,
  weights: { base: 1, item, category: taste, facet: taste },
});

/** Of these, a mixture takes what suits the tuning visitors of its log and model best. */
export const MIXTURES = [0, 0.05, 0.1, 0.2].flatMap((item) =>
  [0, 0.05, 0.1, 0.2].map((taste) => ({ item, taste, settings: mixtureOf(item, taste) })),
);

const METHODS: Readonly<Record<RowName, unknown>> = {
  adapter: ADAPTER,
  uncounted: UNCOUNTED,
  mixture: MIXTURES,
  full: { FULL, SAMPLE, SAMPLE_ABOVE },
};
/** To be raised where a change of the code changes what is learnt on every log, and the settings do not show it. */
const LEARNING = 1;

/** Names a base model by everything that it follows from but the code: a changed preset is another base. */
export const baseKey = (log: LogName, model: ModelName): string =>
  digest(model, SETTINGS[log][model], SEED, VERSIONS[log]);

/** Names a row by everything that it follows from but the code: one with another key is stale, and measured again. */
export const rowKey = (log: LogName, model: ModelName, row: RowName): string =>
  digest(baseKey(log, model), row, METHODS[row], CAPS, GATE, LEARNING);

/** Short, and the same whatever the order of keys. */
function digest(...values: readonly unknown[]): string {
  const sorted = (_: string, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  return createHash('sha256').update(JSON.stringify(values, sorted)).digest('hex').slice(0, 12);
}
