/** Which model for which kind of log, in `docs/models.md`: every figure and verdict from what is committed of the logs. */
import type { Difference } from '../../src/pipeline/compare/statistics';
import { markdownTable } from '../../src/pipeline/format';
import { mean } from '../bench/figures';
import { type Claim, readClaims, verdict } from '../bench/quality/claims';
import { LOGS, type LogName } from '../bench/quality/logs';
import { readResults } from '../bench/quality/record';
import { distinct, figure, type Group, groupsOf } from '../bench/quality/tables';

interface Kind {
  readonly log: LogName;
  readonly kind: string;
  readonly preset: string;
  /** Rows to begin with. */
  readonly first: readonly string[];
  /** A part of the predictions where it is otherwise, and what it is. */
  readonly part?: readonly [name: string, what: string];
  /** What the tables do not say. */
  readonly more?: string;
}

const KINDS: readonly Kind[] = [
  {
    log: 'amazon-beauty',
    kind: 'histories over days, no product twice',
    preset: '`beauty`',
    first: ['sasrec'],
    part: ['same day', 'on the same day as the event before'],
  },
  { log: 'diginetica', kind: 'more than 10,000 products', preset: '`diginetica`', first: ['cl4srec', 'sasrec'] },
  {
    log: 'online-retail',
    kind: 'baskets: six products and more at once, none twice',
    preset: '`eshop`, fitted',
    first: ['sasrec', 'decayed-sr, tuned'],
    more: 'counting takes seconds, a network minutes, and the search over eleven baselines, by which counting was chosen, almost two hours',
  },
  { log: 'eshop', kind: 'visits of six clicks and more', preset: '`eshop`', first: ['caser', 'cl4srec'] },
  { log: 'yoochoose-100k', kind: 'shorter visits', preset: '`yoochoose-100k`', first: ['caser'] },
];

const link = (log: LogName): string => `[${LOGS[log].title}](../test/bench/results/quality-${log}.md)`;
const quoted = (row: string): string => `\`${row}\``;

/** Means over seeds in the two metrics of the log, recall first. */
const reached = ({ runs }: Group, log: LogName, part?: string): number[] =>
  [LOGS[log].shown[1]!, LOGS[log].shown[0]!].map((metric) =>
    mean(
      runs.map(({ metrics, groups }) => (part === undefined ? metrics.conservative : groups![part]!.metrics)[metric]!),
    ),
  );

const told = (group: Group, log: LogName, figures = reached(group, log)): string =>
  `${quoted(group.name)} ${figures.map((value) => figure(value, LOGS[log])).join(' / ')}`;

const ORDER = ['better', 'better, < 5 %', 'tie', 'worse, < 5 %', 'worse'];

/** What claims say of a metric: `better: caser, sasrec; tie: gru4rec`. */
function verdicts(claims: readonly Claim[], differenceOf: (claim: Claim) => Difference, of: number): string {
  const said = claims.map((claim) => [verdict(differenceOf(claim), of), quoted(claim.network.row)] as const);
  return ORDER.flatMap((one) => {
    const rows = said.flatMap(([verdict, row]) => (verdict === one ? [row] : []));
    return rows.length > 0
      ? [`${one}: ${rows.length === claims.length && rows.length > 2 ? 'each network' : rows.join(', ')}`]
      : [];
  }).join('; ');
}

function row({ log, kind, preset, first, part, more }: Kind): string[] {
  const groups = groupsOf(readResults(log).rows, LOGS[log]);
  const named = (name: string) => groups.find((group) => group.name === name)!;
  const counted = groups.filter(({ form }) => form === 'counted');
  const [recall, other] = [LOGS[log].shown[1]!, LOGS[log].shown[0]!];
  const best = (metric: 0 | 1) =>
    counted.reduce((a, b) => (reached(b, log)[metric]! > reached(a, log)[metric]! ? b : a));
  const counters = [...new Set([best(1), best(0)])];
  const { networks: claims } = readClaims(log);
  const beside = claims[0] && named(claims[0].counter.row);
  const percent = (metric: 0 | 1) => {
    const rival = reached(best(metric), log)[metric]!;
    return first
      .map((name) => `${quoted(name)} ${((reached(named(name), log)[metric]! / rival - 1) * 100).toFixed(1)} %`)
      .join(', ');
  };
  const models = new Set(groups.flatMap(({ form, model }) => (form === 'improved' ? [model] : [])));
  for (const { network } of claims) models.delete(named(network.row).model);
  const missing = models.size > 0 ? `. Not compared yet: ${[...models].map(quoted).join(', ')}` : '';
  const inMetric = (metric: string, m: 0 | 1, rival: Group, differenceOf: (claim: Claim) => Difference) =>
    `${metric} ${verdicts(claims, differenceOf, reached(rival, log)[m]!)}`;
  const onTest = ([0, 1] as const).flatMap((m) => {
    const metric = [recall, other][m]!;
    const rival = claims[0]?.besideBest[metric]?.row;
    if (rival === undefined || rival === beside?.name) return [];
    const said = inMetric(metric, m, named(rival), ({ besideBest }) => besideBest[metric]!);
    return [`. Beside ${quoted(rival)}, the best on the test: in ${said}`];
  });
  const onValidation = (metric: string, m: 0 | 1) =>
    inMetric(metric, m, beside!, ({ differences }) => differences[metric]!);
  const which = beside
    ? `by the interval beside ${quoted(beside.name)}, the best on the validation part: in ${onValidation(recall, 0)}. In ${onValidation(other, 1)}${onTest.join('')}${missing}`
    : `more than the best counting row, without an interval: ${recall} ${percent(0)}; ${other} ${percent(1)}; under 5 % is a tie`;
  const apart =
    part && [...first.map(named), ...counters].map((group) => told(group, log, reached(group, log, part[0])));
  return [
    `${kind} (${link(log)})`,
    preset,
    `${first.map((name) => told(named(name), log)).join(', ')} (${recall} / ${other}${LOGS[log].inPercent ? ', in percent' : ''})`,
    counters.map((group) => told(group, log)).join(', '),
    `${which}${apart ? `. And ${part[1]}, without an interval: ${apart.join(', ')}` : ''}${more === undefined ? '' : `. And ${more}`}`,
  ];
}

/** The best rows of a part of the predictions, log by log, where the part is not the whole. */
function bestIn(division: string, label: string): string {
  const logs = (Object.keys(LOGS) as LogName[]).flatMap((log) => {
    const { counted, networks } = readClaims(log);
    const rows = [...distinct(counted), ...networks.map(({ network: { row }, strata }) => ({ row, strata }))];
    const found = rows.flatMap(({ row, strata }) => {
      const parts = strata[division]!;
      const part = parts.find((part) => part.label === label);
      return part && parts.length > 1 ? [{ row, value: part.value }] : [];
    });
    const [first, second] = found.sort((a, b) => b.value - a.value);
    if (!first || !second) return [];
    const text = [first, second].map(({ row, value }) => `${quoted(row)} ${figure(value, LOGS[log])}`).join(', ');
    return [`${link(log)}, ${LOGS[log].shown[0]}: ${text}`];
  });
  return logs.join('; ');
}

export function whichModel(): string {
  return markdownTable(
    ['log', 'preset', 'begin with', 'the best counting, by the test itself', 'which is better'],
    KINDS.map(row),
  ).join('\n');
}

/** What the divisions of the predictions say: the best two of each log, of all that counts and the networks beside it. */
export function whichForClicks(): string {
  const rows = [
    [
      'the next product was clicked at most 5 times',
      bestIn('how often the next item was clicked in training', 'at most 5 times'),
    ],
    ['the next product is new to the visit', bestIn('the next item', 'is new to it')],
    ['the next product was in the visit', bestIn('the next item', 'was in the session')],
  ];
  return markdownTable(['predictions where', 'the best two rows'], rows).join('\n');
}
