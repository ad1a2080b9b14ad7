/** What is committed of the rows, `results/personal.json`, and its pages; nothing here measures. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AdapterSettings } from '../../src/train/tuning/settings';
import {
  LOG_NAMES,
  LONG,
  type LogName,
  MIXTURES,
  MODEL_NAMES,
  type ModelName,
  type RowName,
  rowKey,
} from './personal-plan';
import type { RowFigures } from './personal-statistics';
import { RESULTS } from './results';

export interface Result extends RowFigures {
  readonly log: LogName;
  readonly model: ModelName;
  readonly row: RowName;
  /** As `rowKey` was when the row was measured. */
  readonly key?: string;
  /** Visitors that there are. */
  readonly of: number;
  readonly settings: unknown;
  readonly commit: string;
  readonly command: string;
}

export interface Report {
  readonly seed: number;
  readonly simulator: string;
  readonly protocols: Readonly<Record<string, string>>;
  readonly configurations: Readonly<Record<string, { readonly config: unknown; readonly epochs: number }>>;
  readonly adapter: unknown;
  readonly gate: unknown;
  readonly results: readonly Result[];
}

export const REPORT_FILE = join(RESULTS, 'personal.json');
export const readReport = (): Report => JSON.parse(readFileSync(REPORT_FILE, 'utf8'));

/** Whether another base model, or another way of learning, would be measured today. */
export const isStale = ({ log, model, row, key }: Pick<Result, 'log' | 'model' | 'row' | 'key'>): boolean =>
  key !== rowKey(log, model, row);

const ROWS: Readonly<Record<RowName, string>> = {
  adapter: 'adapter',
  uncounted: 'adapter without counts',
  mixture: 'mixture',
  full: 'all parameters',
};

const figure = (value: number): string => value.toFixed(4);
const signed = (value: number): string => (value < 0 ? '−' : '+') + Math.abs(value).toFixed(4);
const whole = (value: number): string => value.toLocaleString('en');
/** Nothing for what was not measured when the row was. */
const percent = (value: number | undefined): string => (value === undefined ? '' : `${(100 * value).toFixed(1)} %`);

export function personalPage({ protocols, results, simulator }: Report): string {
  const parts = Object.entries(protocols).map(([log, protocol]) => {
    const rows = results.filter((result) => result.log === log);
    if (rows.length === 0) return '';
    const models = [...new Set(rows.map(({ model }) => model))];
    const lines = models.flatMap((model) => {
      const own = rows.filter((row) => row.model === model);
      const bases = own.map(
        ({ base }) => `| ${model} | base | ${figure(base['mrr@20'])} | ${figure(base['hr@10'])} | | | | | | |`,
      );
      return own.flatMap((row, i) => [...(bases[i] === bases[i - 1] ? [] : [bases[i]!]), ...linesOf(row)]);
    });
    const { visitors, predictions } = rows.reduce((a, b) => (a.visitors >= b.visitors ? a : b));
    return `## ${log}

${protocol}. ${visitors} visitors, ${predictions} predictions.

| model | row | MRR@20 | HR@10 | difference in MRR@20 [95 %] | gate opened | after events | significantly worse | lower | opened visitors' mean |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
${lines.join('\n')}
`;
  });
  return `# What learning on the device gains

    npm run bench -- personal

Base models learn from other visitors only, and each is loaded as a page loads it: the frozen model that the learners start from
is made by the function that the page calls (\`src/engine/frozen-model.ts\`). Each held-out visitor's events come in order; base and tuned
predict the next one among all items, then the tuned model learns it, as in a page. Every event is predicted that has one before it
in its session, except for a cart or a purchase of the product just seen, which is only counted. Base models have the epochs of their
settings and no validation part, so the scale of their scores is what their loss says; where it says none, as of the simulator's Caser,
it is fitted on the tuning visitors.

* *Gated*: what the page shows, the tuned model's answer from when the gate opens, the base's before. *Ungated*: the tuned model
  from the first event on.
* *Difference*: paired bootstrap over visitors, 2,000 resamples.
* *Significantly worse*: share of visitors whose MRR@20 is lower than by the base at one-sided p < .05, by Student's paired t-test
  over the visitor's events, each a difference of two reciprocal ranks. Up to 5 % would be where nobody is worse off but by chance.
* *Lower*: share of the same visitors whose MRR@20 is lower at all, by chance or not. Empty where the row is older than this column.
* *After events*: how many events the gate took to open, the median of these visitors; of an even number the greater of the middle two.
* Both shares are, gated, of the visitors for whom the gate opened, counted from then on; ungated, of all.
* Only visitors with at least ${LONG} events are followed: the shares say nothing of visitors with fewer.
* *Base*, a second time: what follows was measured on another training of it, by the same settings. Each difference is to its own.
* *Stale*: the settings of the base model or of learning have changed since the row was measured. No sentence counts such a row.
* *Mixture*: the visitor's own counts of items, categories and other properties beside the base's scores, with fixed weights that
  suit the tuning visitors of the log and model best. *Adapter* is the default: both together, and weights that go on learning.
  *All parameters*: \`method: 'full'\`. The base models here were trained without \`--replay\`: they hold no sessions of others, so
  neither of the two replays any.
* Beauty's base models are small and have 3 to 10 epochs: on a base that knows more, learning may gain less.

Rates, starting weights and the gate (\`src/train/tuning/settings.ts\`, \`gate.ts\`) were chosen on tuning visitors of whom no figure is
reported: 100 to 150 of the simulator's with GRU4Rec, SASRec and Caser, 138 of eshop's and 40 to 60 of Beauty's with GRU4Rec.
Some fifty settings were tried there. One look at reported figures came in between: with an earlier choice the simulator's rows of
GRU4Rec, SASRec and Caser were computed, and SASRec's gate opened for 25.5 % of its visitors; weights and rates were then chosen
once more, again by the tuning visitors alone, before any other figure was seen.
The simulator is that of commit ${simulator}. Configurations, seed, commits and commands are in \`personal.json\`.

${[beside(results, 'mixture'), beside(results, 'full')].filter(Boolean).join('\n')}

${parts.filter(Boolean).join('\n')}`;
}

/** In how many pairs of log and model the adapter gains more than another row does, and the most that it gains less. */
function beside(results: readonly Result[], row: RowName): string {
  const current = results.filter((result) => !isStale(result));
  const pairs = current.flatMap((own) => {
    const other = current.find((one) => one.row === row && one.log === own.log && one.model === own.model);
    return own.row === 'adapter' && other ? [{ own, other }] : [];
  });
  if (pairs.length === 0) return '';
  const compared = (['gated', 'ungated'] as const).map((kind) => {
    const more = pairs.map(({ own, other }) => own[kind].difference.mean - other[kind].difference.mean);
    const least = Math.min(...more);
    const rest = least < 0 ? `; where it gains less, by at most ${figure(-least)}` : '';
    return `${kind} in ${more.filter((difference) => difference > 0).length} of ${pairs.length} pairs of log and model${rest}`;
  });
  return `The adapter gains more than the row *${ROWS[row]}*, ${compared.join(', and ')}.${row === 'mixture' ? edges(pairs.map(({ other }) => other)) : ''}`;
}

/** How many mixtures chose the largest weight that they were offered. */
function edges(mixtures: readonly Result[]): string {
  const most = Math.max(...MIXTURES.map(({ item }) => item));
  const isAtEdge = ({ settings }: Result) =>
    Object.entries((settings as AdapterSettings).weights).some(([name, weight]) => name !== 'base' && weight === most);
  return ` ${mixtures.filter(isAtEdge).length} of the ${mixtures.length} mixtures have the largest weight of their grid, ${most}, beside the base's 1: a wider grid might gain more.`;
}

function linesOf(result: Result): string[] {
  const { row, gated, ungated, visitors, of } = result;
  const interval = ({ mean, low, high }: { mean: number; low: number; high: number }): string =>
    `${signed(mean)} [${signed(low)}, ${signed(high)}]`;
  const name = `${ROWS[row]}${visitors < of ? ` (the first ${visitors} visitors)` : ''}${isStale(result) ? ' (stale)' : ''}`;
  return [
    `| | ${name}, gated | ${figure(gated['mrr@20'])} | ${figure(gated['hr@10'])} | ${interval(gated.difference)} | ${percent(gated.opened)} | ${gated.events} | ${percent(gated.worse)} | ${percent(gated.lower)} | ${signed(gated.openedMean)} |`,
    `| | ${name}, ungated | ${figure(ungated['mrr@20'])} | ${figure(ungated['hr@10'])} | ${interval(ungated.difference)} | | | ${percent(ungated.worse)} | ${percent(ungated.lower)} | |`,
  ];
}

const TITLES: Readonly<Record<LogName, string>> = {
  simulator: "the simulator's shop",
  beauty: 'Amazon Beauty',
  eshop: 'eshop-clothing-2008',
};

/** What the adapter gains behind its gate, on each log, over all architectures whose rows are not stale. */
export function personalSummary({ results }: Report): string {
  const lines = LOG_NAMES.map((log) => {
    const rows = results.filter((result) => result.log === log && result.row === 'adapter' && !isStale(result));
    if (rows.length === 0) return `| ${TITLES[log]} | stale | | | | | |`;
    const range = (values: readonly (number | undefined)[], text: (value: number) => string): string => {
      const known = values.filter((value) => value !== undefined).sort((a, b) => a - b);
      if (known.length < values.length) return 'not measured';
      const [least, most] = [text(known[0]!), text(known.at(-1)!)];
      return least === most ? least : `${least} to ${most}`;
    };
    const above = rows.filter(({ gated }) => gated.difference.low > 0);
    const of = (value: (row: Result) => number | undefined, text: (value: number) => string) =>
      range(rows.map(value), text);
    const opened = of(({ gated, visitors }) => Math.round(gated.opened * visitors), whole);
    const cells = [
      whole(rows[0]!.visitors),
      of(({ gated }) => gated.difference.mean, signed),
      `${above.length} of ${rows.length}`,
      `${opened} (${of(({ gated }) => gated.opened, percent)})`,
      of(({ gated }) => gated.worse, percent),
      of(({ gated }) => gated.lower, percent),
    ];
    const stale = MODEL_NAMES.filter((model) => !rows.some((row) => row.model === model));
    const note = stale.length > 0 ? `; stale: ${stale.join(', ')}` : '';
    return `| ${TITLES[log]}${note} | ${cells.join(' | ')} |`;
  });
  return [
    `| log | visitors with at least ${LONG} events | difference in MRR@20, from 0 to 1 | intervals above 0 | gate opened for | of these significantly worse | of these lower |`,
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n');
}
