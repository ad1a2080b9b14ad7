/** What `aisle train` prints on each log with no flag but the model, `results/train-alone.json`, and its page. */
import { markdownTable, whole } from '../../../src/pipeline/format';
import { METRICS, type Measured, nameOf } from '../../../src/pipeline/validation';
import { readResult, writeResult } from '../results';

export const MODEL = 'gru4rec';
/** Shops of `aisle simulate` by their flags: one as it comes, one of few products, one where most are rare, one of regulars. */
export const SHOPS = {
  simulator: { items: 600, sessions: 6000, seed: 1 },
  'simulator-few': { items: 60, sessions: 4000, seed: 2 },
  'simulator-rare': { items: 6000, sessions: 12_000, seed: 3 },
  'simulator-regulars': { items: 600, sessions: 12_000, visitors: 400, seed: 4 },
} as const;
export type ShopName = keyof typeof SHOPS;

const shopOf = (name: ShopName) =>
  `the simulator’s shop, \`${Object.entries(SHOPS[name])
    .map(([flag, value]) => `--${flag} ${value}`)
    .join(' ')}\``;

/** What each log is, in the order of the page. */
export const LOGS = {
  'yoochoose-100k': 'yoochoose-100k, training part',
  eshop: 'eshop-clothing-2008',
  simulator: shopOf('simulator'),
  'simulator-few': shopOf('simulator-few'),
  'simulator-rare': shopOf('simulator-rare'),
  'simulator-regulars': shopOf('simulator-regulars'),
  diginetica: 'diginetica, training part',
  'online-retail': 'online-retail, training part',
  'amazon-beauty': 'amazon-beauty',
} as const;
export type Log = keyof typeof LOGS;

/** A training of one log. */
export interface LogResult {
  /** The line that compares the network with counting. */
  readonly line: string;
  readonly preset: string;
  /** Of all trainings, without the comparison; and of the comparison. */
  readonly seconds: number;
  readonly comparisonSeconds: number;
  readonly threads: number;
  readonly epochs: number;
  readonly bestEpoch: number;
  readonly predictions: number;
  readonly network: Measured;
  /** All that were compared, the best first. */
  readonly counting: readonly Measured[];
  readonly refit: { readonly events: number; readonly items: number };
  readonly commit: string;
  readonly machine: string;
}

export type Results = { readonly [log in Log]?: LogResult };

/** How many counting rows the page shows. */
const SHOWN = 3;

export const readTrainAlone = (): Results => readResult('train-alone', {});

export const writeTrainAlone = (results: Results): void => writeResult('train-alone', results);

export function trainAlonePage(results: Results): string {
  const titles = ['log', 'preset', 'the printed line', `the best ${SHOWN} counting models, MRR@20 / Recall@20`];
  const rows = (Object.keys(LOGS) as Log[]).flatMap((log) => {
    const row = results[log];
    return row ? [cellsOf(LOGS[log], row)] : [];
  });
  const machines = new Set(Object.values(results).map(({ machine }) => machine));
  return `# \`aisle train\` with no flag but the model

    node test/run.mjs test/bench/train-alone.ts [--logs NAME,…]

What \`aisle train --data LOG --model ${MODEL} --out my-model\` does and prints, one seed each. The printed line is of the newest tenth of
the log, which has chosen the epoch of the network, too: it is no test. The test parts of yoochoose and Diginetica were not
asked; the newest tenth of eshop and of Beauty overlaps what their quality pages test. Counting models have their default settings: with searched
ones, session neighbours and others may be better than here, and than the network ([what was measured](../../../docs/claims.md)).
Simulated shops are of four kinds: as it comes, of few products, where most are rare, and of regulars.
The lines of f7ff9e4d and 9f04a475 do not say yet in which metric a model is better. The training on Diginetica was begun by an
earlier commit, and interrupted; seconds are of a machine that other work shared.

${markdownTable([...titles, 'best epoch', 'trained again on', 'seconds, of the comparison', 'threads', 'commit'], rows).join('\n')}

${[...machines].join('; ')}. All rows, with all their metrics, are in [train-alone.json](train-alone.json).
`;
}

function cellsOf(log: string, row: LogResult): string[] {
  const counting = row.counting.slice(0, SHOWN).map((one) => {
    const figures = METRICS.map((metric) => one.metrics[metric]!.toFixed(4).replace(/^0/, ''));
    return `${nameOf(one)} ${figures.join(' / ')}`;
  });
  return [
    ...[log, row.preset, row.line, counting.join('; '), `${row.bestEpoch} of ${row.epochs}`],
    `${whole(row.refit.events)} events of ${whole(row.refit.items)} items`,
    ...[`${whole(row.seconds)}, ${whole(row.comparisonSeconds)}`, `${row.threads}`, row.commit],
  ];
}
