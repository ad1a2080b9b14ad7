/** `results/personal.{json,md}`. */
import type { LogName } from './personal-logs';
import type { RowName } from './personal-rows';
import type { RowFigures } from './personal-statistics';

export interface Result extends RowFigures {
  readonly log: LogName;
  readonly model: string;
  readonly row: RowName;
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

const ROWS: Readonly<Record<RowName, string>> = {
  adapter: 'adapter',
  uncounted: 'adapter without counts',
  mixture: 'mixture',
  full: 'all parameters',
};

const figure = (value: number): string => value.toFixed(4);
const signed = (value: number): string => (value < 0 ? '−' : '+') + Math.abs(value).toFixed(4);
const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;

export function markdown({ protocols, results, simulator }: Report): string {
  const parts = Object.entries(protocols).map(([log, protocol]) => {
    const rows = results.filter((result) => result.log === log);
    if (rows.length === 0) return '';
    const models = [...new Set(rows.map(({ model }) => model))];
    const lines = models.flatMap((model) => {
      const own = rows.filter((row) => row.model === model);
      const { base } = own[0]!;
      return [
        `| ${model} | base | ${figure(base['mrr@20'])} | ${figure(base['hr@10'])} | | | | | |`,
        ...own.flatMap((row) => linesOf(row)),
      ];
    });
    const { visitors, predictions } = rows.reduce((a, b) => (a.visitors >= b.visitors ? a : b));
    return `## ${log}

${protocol}. ${visitors} visitors, ${predictions} predictions.

| model | row | MRR@20 | HR@10 | difference in MRR@20 [95 %] | gate opened | after events | harmed | opened visitors' mean |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
${lines.join('\n')}
`;
  });
  return `# What learning on the device gains

    npm run bench -- personal

Base models learn from other visitors only. Each held-out visitor's events come in order; base and tuned predict the next one
among all items, then the tuned model learns it, as in a page. *Gated*: what the page shows, the tuned model's answer from when the
gate opens, the base's before. *Ungated*: the tuned model from the first event on. *Difference*: paired bootstrap over visitors,
2,000 resamples. *Harmed*: share of visitors worse than by the base at one-sided p < .05 (Student's t over the reciprocal ranks
of their events); gated, of the visitors for whom the gate opened, from then on; ungated, of all. An unharmed world would still show
up to 5 %. Every event is predicted that has one before it in its session, but for a cart or a purchase of the product just seen, which is
only counted. *Mixture*: the visitor's own counts of items, categories and other properties beside the base's scores, with fixed
weights that suit the tuning visitors of the log and model best. *Adapter* is the default: both together, and weights that go on
learning. *All parameters*: \`method: 'full'\`. The base models here were trained without \`--replay\`: they hold no sessions of others, so
neither of the two replays any.

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
  const pairs = results.flatMap((own) => {
    const other = results.find((one) => one.row === row && one.log === own.log && one.model === own.model);
    return own.row === 'adapter' && other ? [{ own, other }] : [];
  });
  if (pairs.length === 0) return '';
  const compared = (['gated', 'ungated'] as const).map((kind) => {
    const more = pairs.map(({ own, other }) => own[kind].difference.mean - other[kind].difference.mean);
    const least = Math.min(...more);
    const rest = least < 0 ? `; where it gains less, by at most ${figure(-least)}` : '';
    return `${kind} in ${more.filter((difference) => difference > 0).length} of ${pairs.length} pairs of log and model${rest}`;
  });
  return `The adapter gains more than the row *${ROWS[row]}*, ${compared.join(', and ')}.`;
}

function linesOf({ row, gated, ungated, visitors, of }: Result): string[] {
  const interval = ({ mean, low, high }: { mean: number; low: number; high: number }): string =>
    `${signed(mean)} [${signed(low)}, ${signed(high)}]`;
  const name = `${ROWS[row]}${visitors < of ? ` (the first ${visitors} visitors)` : ''}`;
  return [
    `| | ${name}, gated | ${figure(gated['mrr@20'])} | ${figure(gated['hr@10'])} | ${interval(gated.difference)} | ${percent(gated.opened)} | ${gated.events} | ${percent(gated.harmed)} | ${signed(gated.openedMean)} |`,
    `| | ${name}, ungated | ${figure(ungated['mrr@20'])} | ${figure(ungated['hr@10'])} | ${interval(ungated.difference)} | | | ${percent(ungated.harmed)} | |`,
  ];
}
