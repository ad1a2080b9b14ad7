/** The rows of the tables of quality: every architecture in its preset, its faithful form beside it, and what counts. */

import { presetOf, presets } from '../../../src/models/presets';
import { AUTO, autoPreset } from '../../../src/models/presets/auto';
import { baselines } from '../../../src/neighbours/index';
import type { Ensemble } from '../../../src/pipeline/compare/ensemble';
import type { LogFacts } from '../../../src/session/log-facts';
import { LOGS, type LogName, PAIRS } from './logs';
import { type Form, readResults } from './record';
import { countersOf, networksOf, tunedName, untuned } from './searches';

type Settings = Readonly<Record<string, unknown>>;

export interface RowPlan {
  readonly name: string;
  readonly model: string;
  readonly form: Form;
  readonly preset?: string;
  readonly set: Settings;
  /** File of the log that says what is known of the items, where the row reads it. */
  readonly catalogue?: string;
  /** Which rows it asks together; nothing is trained for it. */
  readonly blend?: Ensemble;
}

/** What the table of Transformers4Rec puts beside the item's number, on the shop that says what its products are. */
const ABOUT = 'category,colour,catalogue_page';
const SIDE: Readonly<Record<string, Settings>> = {
  concatenation: { features: `${ABOUT},price_usd:numeric` },
  'concatenation, soft one-hot': { features: `${ABOUT},price_usd:soft` },
  'element-wise': { features: `${ABOUT},price_usd:numeric`, aggregation: 'element-wise' },
};
export const SIDE_ROWS = Object.keys(SIDE).map((name) => `xlnet-mlm, ${name}`);

/** What CL4SRec's paper adds its second loss to. */
const OF_CL4SREC = { loss: 'bce', hiddenUnits: 64, numHeads: 2, batchSize: 256, numEpochs: 100 };

/** What the papers and their codes run, where that is not what an option left alone does. */
const FAITHFUL: Readonly<Record<string, Settings>> = {
  'gru4rec, 2016': {
    loss: 'top1',
    constrainedEmbedding: 'false',
    layers: '100',
    batchSize: 50,
    dropoutPHidden: 0.5,
    learningRate: 0.01,
    nSample: 0,
    nEpochs: 10,
  },
  'srgnn, official': { epoch: 10 },
  'sasrec, official': { loss: 'bce', norm: 'tf', numEpochs: 100 },
  'caser, official': { nIter: 50 },
  'cl4srec, paper': OF_CL4SREC,
  'sasrec, as in cl4srec': OF_CL4SREC,
  'xlnet-mlm, paper': { lm: 'xlnet', objective: 'mlm', nEpochs: 10 },
};

/** The best of a grid on the last 2.5 % of Diginetica's training part, see `neighbours.ts`. */
const GRID = {
  k: 500,
  sampleSize: 5000,
  weightingScore: 'div',
  idfWeighting: 5,
  similarity: 'cosine',
  weighting: 'div',
  lastNClicks: 6,
  pushReminders: 'true',
};

/** The rows of a log that count. */
export function countedRowsOf(log: LogName): RowPlan[] {
  const counted = Object.keys(baselines).map((model): RowPlan => ({ name: model, model, form: 'counted', set: {} }));
  const grid: RowPlan[] =
    log === 'diginetica' ? [{ name: 'v-sknn, grid', model: 'v-sknn', form: 'counted', set: GRID }] : [];
  const tuned = Object.entries(countersOf(log)).map(
    ([model, { best }]): RowPlan => ({ name: tunedName(model), model, form: 'counted', set: best.config }),
  );
  return [...counted, ...grid, ...tuned];
}

/**
 * All rows of a log, cheap ones first.
 *
 * @param partner Name of the row that networks are mixed with; as long as there is none, so is no mixture.
 */
export function rowsOf(log: LogName, partner: string | undefined): RowPlan[] {
  const {
    preset,
    only,
    pairs = PAIRS,
    faithful: forms = Object.keys(FAITHFUL),
    shorter = {},
    given = [],
    share,
  } = LOGS[log];
  const improved = Object.keys(presets).flatMap((model): RowPlan[] => {
    if (only !== undefined && model !== only) return [];
    if (model !== 'transformers4rec') return [{ name: model, model, form: 'improved', preset, set: {} }];
    return pairs.map((name) => {
      const [, lm, objective] = /^(.*)-([a-z]+)$/.exec(name)!;
      const own = objective === 'clm' && preset !== AUTO ? `${preset}-clm` : preset;
      return { name, model, form: 'improved', preset: own, set: { lm, objective } };
    });
  });
  const faithful = forms.map((name): RowPlan => {
    const set = { ...FAITHFUL[name], ...shorter[name] };
    const model = name.startsWith('xlnet') ? 'transformers4rec' : name.split(',')[0]!;
    return { name, model, form: 'faithful', set };
  });
  if (only !== undefined) return [...countedRowsOf(log), ...improved];
  const tuned = improved.flatMap((row): RowPlan[] => {
    const search = networksOf(log)[row.name];
    const isPreset = !search || Object.keys(search.best.config).length === 0;
    if (isPreset || search.best.value <= untuned(search, row.name, readResults(log).rows)!) return [];
    return [{ ...row, name: tunedName(row.name), set: { ...row.set, ...search.best.config } }];
  });
  const blended = improved.flatMap((row) => blendsOf(row, partner, given.includes(row.name) ? share : undefined));
  const aside = log === 'eshop' ? sideRows(preset) : [];
  return [...countedRowsOf(log), ...improved, ...tuned, ...aside, ...faithful, ...blended];
}

const sideRows = (preset: string): RowPlan[] =>
  Object.values(SIDE).map((set, i) => ({
    name: SIDE_ROWS[i]!,
    model: 'transformers4rec',
    form: 'improved',
    preset,
    catalogue: 'items.tsv',
    set: { lm: 'xlnet', objective: 'mlm', ...set },
  }));

/** The seeds of a row together, and the row with neighbours: with the share of them that is given, or that validation chooses. */
function blendsOf({ name, model }: RowPlan, partner: string | undefined, weight: number | undefined): RowPlan[] {
  // Scores of GRU4Rec's presets are no logits where they learnt by BPR-max.
  const combine = model === 'gru4rec' ? 'standard' : 'probabilities';
  const row = (blend: Ensemble, kind: string): RowPlan => ({
    name: blend.name,
    model: kind,
    form: 'blended',
    set: {},
    blend,
  });
  return [
    row({ name: `${name}, seeds together`, of: name, combine }, 'ensemble'),
    ...(partner === undefined
      ? []
      : [
          row(
            { name: `${name} with ${partner}`, of: name, with: partner, combine, ...(weight && { weight }) },
            'mixture',
          ),
        ]),
  ];
}

/** What a row's training is given. The facts are those of the training part, where `auto` goes by them. */
export function configOf({ model, preset, set }: RowPlan, facts: LogFacts | undefined): Settings {
  if (preset === undefined) return set;
  const { config } = facts && preset === AUTO ? autoPreset(model, facts, set) : presetOf(model, preset);
  return { ...config, ...set };
}
