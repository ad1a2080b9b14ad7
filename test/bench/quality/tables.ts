/** Pages and tables from what is committed of the rows; nothing here measures. */

import { isDeepStrictEqual } from 'node:util';
import { configure } from '../../../src/models/configuration';
import { baselines } from '../../../src/neighbours/index';
import { architectures } from '../../../src/pipeline/architectures';
import { combinedText } from '../../../src/pipeline/compare/markdown';
import type { Difference } from '../../../src/pipeline/compare/statistics';
import { markdownTable, whole } from '../../../src/pipeline/format';
import { deviation, mean } from '../figures';
import { type Claim, type Claims, type Counted, NO_CLAIMS, staleness, verdict } from './claims';
import { LOG_NAMES, LOGS, type LogName, type QualityLog } from './logs';
import type { Earlier, Form, Partner, QualityRow, Results } from './record';
import { rowsOf as plannedRows } from './rows';
import { bestCounter, countersOf, networksOf, type Search, tunedName, untuned } from './searches';

/** A row with all its seeds. */
export interface Group {
  readonly name: string;
  readonly model: string;
  readonly form: Form;
  /** A run for each seed; stale ones only if all are. */
  readonly runs: readonly QualityRow[];
}

/** By the log's first metric, the best first. */
export function groupsOf(rows: readonly QualityRow[], { shown }: QualityLog): Group[] {
  const found = new Map<string, QualityRow[]>();
  for (const row of rows) found.set(row.name, [...(found.get(row.name) ?? []), row]);
  const value = ({ runs }: Group) => mean(runs.map(({ metrics }) => metrics.conservative[shown[0]!]!));
  return [...found.values()]
    .map((all) => {
      const current = all.filter(({ stale }) => stale === undefined);
      return current.length > 0 ? current : all;
    })
    .map((runs) => ({ name: runs[0]!.name, model: runs[0]!.model, form: runs[0]!.form, runs }))
    .sort((a, b) => value(b) - value(a));
}

export const table = (titles: readonly string[], rows: readonly (readonly string[])[]): string =>
  markdownTable(titles, rows).join('\n');
export const figure = (value: number, { inPercent }: QualityLog): string =>
  inPercent ? (100 * value).toFixed(2) : value.toFixed(4);

const unit = ({ inPercent }: QualityLog): string => (inPercent ? 'in percent' : 'from 0 to 1');

/** A mean, and how far the seeds lie apart. */
function spread(values: readonly number[], log: QualityLog): string {
  const center = figure(mean(values), log);
  return values.length === 1 ? center : `${center} ± ${figure(deviation(values), log)}`;
}

const isStale = ({ runs }: Group): boolean => runs.some(({ stale }) => stale !== undefined);
export const marked = (group: Group): string => (isStale(group) ? `${group.name}; stale` : group.name);

/** Rows whose figures are not those of this code, by the reason. */
function stale(rows: readonly QualityRow[]): string[] {
  const reasons = new Set(rows.flatMap(({ stale }) => stale ?? []));
  return [...reasons].flatMap((reason) => {
    const of = rows
      .filter((row) => row.stale === reason)
      .map(({ name, seed }) => (rows.filter((row) => row.name === name).length > 1 ? `${name} (seed ${seed})` : name));
    return [`Stale, and not measured again: ${of.join('; ')}. ${reason}`, ''];
  });
}

/** What each row reached. */
function results(groups: readonly Group[], log: QualityLog): string {
  const [first, second] = log.shown as [string, string];
  const titles = ['row', 'form', 'seeds', ...log.shown, `${first}, ties won`, `${second}, ties won`, 'validation'];
  const rows = groups.map((group) => {
    const { form, runs } = group;
    const of = (ties: 'conservative' | 'standard', metric: string) =>
      spread(
        runs.map(({ metrics }) => metrics[ties][metric]!),
        log,
      );
    const chosen = runs.flatMap(({ selected }) => selected?.value ?? []);
    return [
      marked(group),
      form,
      form === 'counted' ? '' : String(runs.length),
      ...log.shown.map((metric) => of('conservative', metric)),
      ...[first, second].map((metric) => of('standard', metric)),
      chosen.length === 0 ? '' : spread(chosen, log),
    ];
  });
  return table(titles, rows);
}

/** The parts of the predictions that are shown apart. */
function parts(groups: readonly Group[], log: QualityLog): string[] {
  const names = Object.keys(groups[0]?.runs[0]?.groups ?? {});
  if (names.length === 0) return [];
  const metrics = log.shown.slice(0, 2);
  const titles = ['row', ...names.flatMap((name) => metrics.map((metric) => `${name}, ${metric}`))];
  const rows = groups.map(({ name, runs }) => [
    name,
    ...names.flatMap((part) =>
      metrics.map((metric) =>
        spread(
          runs.map(({ groups }) => groups![part]!.metrics[metric]!),
          log,
        ),
      ),
    ),
  ]);
  const counts = names.map((name) => `${name} ${whole(groups[0]!.runs[0]!.groups![name]!.predictions)}`);
  return ['## Apart', '', `Predictions: ${counts.join(', ')}.`, '', table(titles, rows), ''];
}

/** What the training that was tested took, as means over seeds; the most memory. */
function costs(groups: readonly Group[]): string {
  const titles = [
    'row',
    'epochs',
    'seconds',
    'of processor time',
    'evaluation, s',
    'peak MB',
    'parameters',
    'bytes',
    'coverage@20',
    'popularity@20',
    'Gini@20',
    'popularity deviation@20',
    'processor s for 1,000 lists',
    'at',
  ];
  const rows = groups.map(({ name, runs }) => {
    const average = (of: (run: QualityRow) => number) => mean(runs.map(of));
    return [
      name,
      runs
        .flatMap(({ selected, epochs, curve }) => (selected ? `${selected.epoch} of ${curve.length}` : (epochs ?? [])))
        .join(', '),
      ...[average((run) => run.trainSeconds), average((run) => run.processorSeconds)].map(whole),
      whole(average((run) => run.evaluateSeconds)),
      whole(Math.max(...runs.map((run) => run.peakMemoryBytes)) / 1e6),
      whole(runs[0]!.parameters),
      whole(runs[0]!.bytes),
      ...[average((run) => run['coverage@20']), average((run) => run['popularity@20'])].map((v) => v.toFixed(3)),
      measured(runs, ({ exposure }) => exposure?.gini),
      measured(runs, ({ exposure }) => exposure?.popularityDeviation),
      measured(runs, (run) => run.evaluateProcessorSeconds && (1000 * run.evaluateProcessorSeconds) / run.predictions),
      [...new Set(runs.map(({ commit }) => commit))].join(', '),
    ];
  });
  return table(titles, rows);
}

/** The mean over the seeds of which it is known; empty where it is of none. */
function measured(runs: readonly QualityRow[], of: (run: QualityRow) => number | undefined): string {
  const known = runs.map(of).filter((value) => value !== undefined);
  return known.length > 0 ? mean(known).toFixed(3) : '';
}

/** Validation after each epoch, of the first seed. */
function curves(groups: readonly Group[], log: QualityLog): string[] {
  const learnt = groups.filter(({ runs }) => runs[0]!.curve.length > 0);
  if (learnt.length === 0) return [];
  const rows = learnt.map(({ name, runs: [run] }) => [
    name,
    run!.curve.map(({ valid }) => figure(valid['mrr@20']!, log)).join(' '),
    run!.curve.map(({ loss }) => loss.toPrecision(3)).join(' '),
  ]);
  const about = 'Validation mrr@20, which chooses, and loss of each epoch, of the first seed.';
  return ['## Learning', '', about, '', table(['row', 'mrr@20', 'loss'], rows), ''];
}

function published({ published: figures = [], ...log }: QualityLog): string[] {
  if (figures.length === 0) return [];
  const rows = figures.map(({ name, source, metrics }) => [
    name,
    source,
    ...log.shown.map((metric) => (metrics[metric] === undefined ? '' : figure(metrics[metric], log))),
  ]);
  return ['## As published', '', table(['model', 'table of', ...log.shown], rows), ''];
}

const settings = (set: Readonly<Record<string, unknown>>): string =>
  Object.entries(set)
    .map(([key, value]) => ` --set ${key}=${Array.isArray(value) ? value.join('/') : value}`)
    .join('');

/** What rows are mixed with, and why. */
function partnerText({ name, metric, reached }: Partner, log: QualityLog): string {
  const figures = Object.entries(reached)
    .sort(([, a], [, b]) => b - a)
    .map(([row, value]) => `${row} ${figure(value, log)}`);
  return (
    `Networks are mixed with ${name}, which of these reached the best ${metric} on the validation part: ${figures.join('; ')}. ` +
    (log.share === undefined
      ? 'The share of each mixture was chosen there, too.'
      : `The share was chosen there, too, for SASRec; networks without a validation take ${log.share} as well, which an earlier form of SASRec had chosen.`)
  );
}

/** What the test part was asked before, with settings that were given up since. */
function before(earlier: readonly Earlier[], groups: readonly Group[], log: QualityLog): string[] {
  if (earlier.length === 0) return [];
  const names = groups.map(({ name }) => name);
  const shown = log.shown.slice(0, 2);
  const rows = [...earlier]
    .sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name))
    .map(({ name, seed, commit, epochs, metrics }) => [
      name,
      String(seed),
      ...shown.map((metric) => figure(metrics[metric]!, log)),
      String(epochs ?? ''),
      commit,
    ]);
  const unlike = earlier.flatMap(({ name, seed, commit, metrics }) => {
    const now = groups.find((group) => group.name === name)?.runs.find((run) => run.seed === seed);
    const isUnlike =
      now?.commit === commit && shown.some((metric) => metrics[metric] !== now.metrics.conservative[metric]);
    return isUnlike ? [`${name}, seed ${seed}`] : [];
  });
  return [
    '## Tested before',
    '',
    'Rows whose settings, epochs or code have changed since: the test part was asked with those too. What replaced them was chosen on ' +
      'validation parts, or is the same, measured again.' +
      (unlike.length > 0
        ? ` Trained twice from one commit, with other figures, for a reason that was not kept: ${unlike.join('; ')}.`
        : ''),
    '',
    table(['row', 'seed', ...shown, 'epochs', 'at'], rows),
    '',
  ];
}

const signed = (value: number, log: QualityLog): string => `${value < 0 ? '−' : '+'}${figure(Math.abs(value), log)}`;

/** A difference from a row, its interval, and what follows. */
function differenceText(
  difference: Difference,
  row: string,
  metric: string,
  rows: readonly QualityRow[],
  log: QualityLog,
): string {
  const [mean, low, high] = [difference.mean, difference.low, difference.high].map((value) => signed(value, log));
  return `${mean} [${low}, ${high}] ${verdictBeside(difference, row, metric, rows)}`;
}

function verdictBeside(difference: Difference, row: string, metric: string, rows: readonly QualityRow[]): string {
  return verdict(difference, rows.find(({ name }) => name === row)!.metrics.conservative[metric]!);
}

/** The rows of counting whose settings differ. */
export const distinct = (counted: readonly Counted[]): Counted[] =>
  counted.filter(({ keys }, i) => counted.findIndex((other) => other.keys[0] === keys[0]) === i);

/** Networks beside the counting that is best on the validation part, and on the test. */
function besideCounting({ counted, networks }: Claims, rows: readonly QualityRow[], log: QualityLog): string[] {
  if (networks.length === 0) return [];
  const metrics = log.shown.slice(0, 2);
  const [first] = metrics as [string];
  const { counter, besideBest, dropped } = networks[0]!;
  const others = metrics.filter((metric) => besideBest[metric]!.row !== counter.row);
  const differences = networks.map((claim) => {
    const old = staleness(claim, counted, rows);
    return [
      claim.network.row,
      String(claim.network.keys.length),
      ...metrics.map((metric) => differenceText(claim.differences[metric]!, claim.counter.row, metric, rows, log)),
      ...others.map((metric) => {
        const { row, ...difference } = claim.besideBest[metric]!;
        return differenceText(difference, row, metric, rows, log);
      }),
      old === undefined ? '' : `stale: ${old}`,
    ];
  });
  const own = (strata: Claim['strata'], name: string) => strata[name]!.map(({ value }) => figure(value, log));
  const divided = Object.entries(networks[0]!.strata).flatMap(([name, parts]) => [
    table(
      [`${first} by ${name}`, ...parts.map(({ label, predictions }) => `${label} (${whole(predictions)})`)],
      [
        ...distinct(counted).map(({ row, strata }) => [row, ...own(strata, name)]),
        ...networks.map(({ network, strata }) => [network.row, ...own(strata, name)]),
      ],
    ),
    '',
  ]);
  return [
    '## Beside tuned counting',
    '',
    `Row − ${counter.row}, the mean over seeds, on the same predictions, with the 95 % interval of a paired bootstrap over ` +
      'sessions: "better" or "worse" where it excludes 0, else "tie"; "< 5 %" where the difference is less than 5 % of that row\'s figure. The interval is that of other sessions, not of other seeds. ' +
      (others.length > 0
        ? 'Where another row of counting is the best of the test part in a metric, the difference from that one follows: the test itself chose it, which is the strictest for networks. '
        : '') +
      'Then the predictions divided in four ways, with their number; of rows of counting with equal settings one stands for all. ' +
      `Nothing predicts ${whole(dropped.events)} clicks on items that the training part lacks, nor what was then in ` +
      `${whole(dropped.sessions)} sessions of a single click: they are left out for all rows.`,
    '',
    table(
      ['row', 'seeds', ...metrics, ...others.map((metric) => `${metric}, − ${besideBest[metric]!.row}`), ''],
      differences,
    ),
    '',
    ...divided,
  ];
}

/** Each architecture beside tuned counting, on the logs where both were asked the same; then which verdicts the test's own best changes. */
export function besideSummary(resultsOf: (log: LogName) => Results, claimsOf: (log: LogName) => Claims): string {
  const logs = LOG_NAMES.map((name) => {
    const { rows } = resultsOf(name);
    return { name, log: LOGS[name], rows, groups: groupsOf(rows, LOGS[name]), claims: claimsOf(name) };
  }).filter(({ claims }) => claims.networks.length > 0);
  if (logs.length === 0) return '';
  const models = [...new Set(logs.flatMap(({ groups }) => groups.filter(isLearnt).map(({ model }) => model)))].sort();
  const titles = logs.map(
    ({ name, log, claims }) =>
      `[${log.title}](../test/bench/results/quality-${name}.md), − ${claims.networks[0]!.counter.row}, ${log.shown[1]}; ${log.shown[0]}, ${unit(log)}`,
  );
  const lines = models.map((model) => [
    model,
    ...logs.map(({ log, rows, groups, claims: { counted, networks } }) => {
      const claim = networks.find(({ network }) => network.row === chosen(groups, model)?.name);
      if (!claim) return 'not compared';
      const [first, second] = log.shown as [string, string];
      const figures = [second, first].map((metric) => {
        const beside = differenceText(claim.differences[metric]!, claim.counter.row, metric, rows, log);
        const { row, ...difference } = claim.besideBest[metric]!;
        if (row === claim.counter.row) return beside;
        return `${beside} (− ${row}: ${differenceText(difference, row, metric, rows, log)})`;
      });
      const seeds = claim.network.keys.length === 1 ? 'one seed' : `${claim.network.keys.length} seeds`;
      return `${figures.join('; ')}; ${seeds}${staleness(claim, counted, rows) ? '; stale' : ''}`;
    }),
  ]);
  const changed = logs.flatMap(({ log, rows, claims }) =>
    log.shown.slice(0, 2).flatMap((metric) => {
      const { row } = claims.networks[0]!.besideBest[metric]!;
      const other = claims.networks.flatMap(({ network, counter, differences, besideBest }) => {
        const before = verdictBeside(differences[metric]!, counter.row, metric, rows);
        const after = verdictBeside(besideBest[metric]!, row, metric, rows);
        return before === after ? [] : [`\`${network.row}\` ${after} (${before})`];
      });
      return other.length > 0 ? [`* ${log.title}, ${metric}, − ${row}: ${other.join('; ')}`] : [];
    }),
  );
  const stricter =
    changed.length > 0
      ? `Verdicts that the best of counting on the test changes, with those of the table:\n\n${changed.join('\n')}`
      : 'The best of counting on the test changes no verdict of the table.';
  return `${table(['model', ...titles], lines)}\n\n${stricter}`;
}

/** How counting and networks were tuned. */
function searches(name: LogName, rows: readonly QualityRow[], log: QualityLog): string[] {
  const lines = (found: Readonly<Record<string, Search>>, asItIs: (search: Search, row: string) => number) =>
    Object.entries(found)
      .sort(([, a], [, b]) => b.best.value - a.best.value)
      .map(([row, search]) => [
        row,
        whole(search.trials.length),
        ...[asItIs(search, row), search.best.value].map((value) => figure(value, log)),
        whole(search.seconds),
      ]);
  const [counters, networks] = [countersOf(name), networksOf(name)];
  const counted = lines(counters, ({ trials }) => trials[0]!.value!);
  const learnt = lines(networks, (search, row) => untuned(search, row, rows)!);
  if (counted.length === 0) return [];
  const { metric } = Object.values(counters)[0]!;
  const titles = (what: string) => [what, 'trials', `${metric} as it is`, `${metric} of the best trial`, 'seconds'];
  return [
    '',
    '## Searches',
    '',
    `Settings drawn with seed 1 from the space of each baseline (\`aisle search --trials 27\`; fewer where the space holds fewer), on the ` +
      `validation part, by ${metric}; the first trial is the baseline as it is. The best is the row "tuned", which asked the test part once. ` +
      `[All trials](searches-${name}.json), by \`node test/run.mjs test/bench/searches.ts ${name}\`; seconds are of a machine that did other work, too.`,
    '',
    table(titles('baseline'), counted),
    ...(learnt.length === 0
      ? []
      : [
          '',
          'Of networks as many, by the same command with `--rows`, the first the preset, by successive halving: all for a few epochs, the best third for ' +
            "three times as many, up to the preset's. A preset that was left behind has here what its row has at its best epoch. The best trial is a " +
            'row "tuned" only where it is above that.',
          '',
          table(titles('network'), learnt),
        ]),
  ];
}

/** How each row is made again. */
const recipe = ({ name, runs }: Group): string => {
  const [run] = runs;
  if (run!.blended) return `- ${name}: ${[...new Set(runs.map(({ blended }) => combinedText(blended!)))].join('; ')}`;
  const preset = run!.preset === undefined ? '' : ` --preset ${run!.preset}`;
  return `- ${name}: \`--model ${run!.model}${preset}${settings(run!.set)}\``;
};

/** The page of one log. */
export function page(name: LogName, { rows, partner, earlier = [] }: Results, claims: Claims = NO_CLAIMS): string {
  const log = LOGS[name];
  const groups = groupsOf(rows, log);
  const machines = [...new Set(rows.map(({ machine }) => machine))];
  const predictions = rows[0] ? `${whole(rows[0].predictions)} predictions. ` : '';
  const retrained =
    log.holdout === undefined
      ? ' For so many epochs the model learns again from all of the training part, a step size that falls doing so over them; so do ' +
        'other seeds, which choose none.'
      : '';
  const given = log.given
    ? ` To save hours there is no validation of ${log.given.join('; ')}: they have the epochs of their settings.`
    : '';
  return [
    `# Quality on ${log.title}`,
    '',
    `    node test/run.mjs test/bench/quality.ts ${name}`,
    '',
    `${log.about} ${predictions}Targets lose ties; figures ${unit(log)}.`,
    '',
    'Where there are several seeds, means ± standard deviation. "validation" is mrr@20 of the epoch that was chosen.' +
      `${retrained}${given} The test part was asked once for each row and seed that is reported${earlier.length > 0 ? '; what else it was asked stands under "Tested before"' : ''}. ` +
      '"improved" rows have the preset of the log, "tuned" ones among them what a search found better, "faithful" ones the form and the ' +
      'loss of the paper or its code; "blended" ones ask several rows together, and cost what these do together.',
    '',
    results(groups, log),
    '',
    ...stale(rows),
    ...besideCounting(claims, rows, log),
    ...parts(groups, log),
    ...published(log),
    ...before(earlier, groups, log),
    '## Cost',
    '',
    `Of the training that was tested: by the clock, on a machine that did other work too, and of processor time. Machine: ${machines.join('; ')}.`,
    '',
    'Gini@20: how unequally items share the top-20 lists, 0 where each is in as many. Popularity deviation@20: Jensen–Shannon divergence, in bits, between how rare and popular items, by fifths of the clicks in training, share these lists and the targets, 0 where lists hold popular items as often as visitors click them. Processor seconds for 1,000 lists include reading the log and the artifact, which is most of them on a small log. All three are empty in rows that were measured before they were.',
    '',
    costs(groups),
    '',
    ...curves(groups, log),
    '## Settings',
    '',
    ...groups.map(recipe),
    ...(partner ? ['', partnerText(partner, log)] : []),
    ...searches(name, rows, log),
    '',
  ].join('\n');
}

/**
 * One table over all logs: what counts best, by the test itself, which favours it; what a search over settings found best on the
 * validation part, and which models it left out; then each architecture, of several forms or pairs the one that was best on the
 * validation part; then how many of the rows that are planned there are.
 */
export function summary(resultsOf: (log: LogName) => Results): string {
  const logs = LOG_NAMES.map((name) => {
    const { rows, partner } = resultsOf(name);
    return { name, log: LOGS[name], partner, groups: groupsOf(rows, LOGS[name]) };
  }).filter(({ log, groups }) => log.only === undefined && groups.some(isLearnt));
  const models = [...new Set(logs.flatMap(({ groups }) => groups.filter(isLearnt).map(({ model }) => model)))].sort();
  const cell = (log: QualityLog, group: Group | undefined): string => {
    if (!group) return '';
    const [first, second] = log.shown as [string, string];
    const of = (metric: string) =>
      spread(
        group.runs.map(({ metrics }) => metrics.conservative[metric]!),
        log,
      );
    const called = group.name === group.model ? '' : ` (${group.name})`;
    const onNewDays = (metric: string) => mean(group.runs.map(({ groups }) => groups!['new day']!.metrics[metric]!));
    const apart = group.runs[0]!.groups
      ? `; new day ${[second, first].map((metric) => figure(onNewDays(metric), log)).join(' / ')}`
      : '';
    return `${of(second)} / ${of(first)}${called}${apart}${isStale(group) ? '; stale' : ''}`;
  };
  const titles = logs.map(
    ({ name, log }) =>
      `[${log.title}](../test/bench/results/quality-${name}.md), ${log.shown[1]} / ${log.shown[0]} ${unit(log)}`,
  );
  const measured = logs.map(({ name, partner, groups }) => {
    const planned = plannedRows(name, partner?.name).filter(({ form }) => form !== 'blended');
    const there = groups.filter((group) => planned.some((row) => group.name === row.name));
    const stale = there.filter(isStale).length;
    return `${there.length - stale} of ${planned.length}${stale > 0 ? `, and ${stale} stale` : ''}`;
  });
  const counted = logs.map(({ log, groups }) => {
    const best = groups.find(({ form }) => form === 'counted');
    return cell(log, best && { ...best, model: '' });
  });
  const tuned = logs.map(({ name, log, groups }) => {
    const best = bestCounter(name);
    const row = best && groups.find((group) => group.name === tunedName(best));
    return row ? cell(log, { ...row, model: '' }) : '';
  });
  const untuned = logs.map(({ name }) => {
    const searched = countersOf(name);
    return (
      Object.keys(baselines)
        .filter((model) => !Object.hasOwn(searched, model))
        .join(', ') || 'none'
    );
  });
  const unsearched = logs.map(({ name, groups }) => {
    const searched = groups.filter((group) => Object.hasOwn(networksOf(name), group.name)).map(({ model }) => model);
    return models.filter((model) => !searched.includes(model)).join(', ') || 'none';
  });
  const lines = models.flatMap((model) => {
    const published = logs.map(({ log, groups }) => {
      const group = groups.find((group) => group.model === model && isPublished(group));
      return cell(log, group && { ...group, model: '' });
    });
    return [
      [model, ...logs.map(({ log, groups }) => cell(log, chosen(groups, model)))],
      ...(published.some(Boolean) ? [[`${model}, as published`, ...published]] : []),
    ];
  });
  if (logs.length === 0) return '';
  return table(
    ['model', ...titles],
    [
      ['the best counting row by the test itself, tuned or not', ...counted],
      ...(tuned.some(Boolean)
        ? [
            ['the counting model that the search found best on the validation part', ...tuned],
            ['counting models that were not searched', ...untuned],
            ['architectures whose settings were not searched', ...unsearched],
          ]
        : []),
      ...lines,
      ['rows measured, without the blended ones', ...measured],
    ],
  );
}

const isPublished = ({ form, name }: Pick<Group, 'form' | 'name'>): boolean =>
  form === 'faithful' && !name.includes('as in');

const settingsOf = (model: string, given: QualityRow['config']): QualityRow['config'] =>
  configure<QualityRow['config']>(architectures[model]!, given);

/**
 * The options in which the rows of each architecture differ from its published form, over all logs; then where that form may
 * take fewer epochs than the architecture's own default.
 */
export function additions(resultsOf: (log: LogName) => Results): string {
  const logs = LOG_NAMES.map((name) => ({ title: LOGS[name].title, plans: plannedRows(name, undefined), name }));
  const published = logs.flatMap(({ title, plans }) => plans.filter(isPublished).map((plan) => ({ ...plan, title })));
  const lines = Object.keys(architectures).flatMap((model) => {
    const form = published.find((plan) => plan.model === model)!;
    const before = settingsOf(model, form.set);
    const improved = logs.flatMap(({ name }) =>
      resultsOf(name).rows.filter((row) => row.model === model && row.form === 'improved'),
    );
    const changed = new Set(
      improved.flatMap(({ config }) =>
        Object.entries(settingsOf(model, config)).flatMap(([key, value]) =>
          isDeepStrictEqual(value, before[key]) ? [] : [key],
        ),
      ),
    );
    return changed.size > 0
      ? [
          `* [${model}](models/${model}.md): ${[...changed]
            .sort()
            .map((key) => `\`${key}\``)
            .join(', ')}`,
        ]
      : [];
  });
  const shorter = new Map<string, string[]>();
  for (const { model, name, set, title } of published) {
    const { epochsOption } = architectures[model]!;
    const [now, usual] = [set, {}].map((given) => settingsOf(model, given)[epochsOption] as number) as [number, number];
    const form = `${name}, for ${usual}`;
    if (now < usual) shorter.set(form, [...(shorter.get(form) ?? []), `${now} on ${title}`]);
  }
  const epochs = [...shorter].map(([form, logs]) => `${form}: ${logs.join(', ')}`);
  return [
    ...lines.sort(),
    `* Epochs at most, where a published form takes fewer than its architecture by default: ${epochs.join('; ')}`,
  ].join('\n');
}

/** One log in a sentence: the best architecture and the best of counting, each chosen by the test itself. */
export function headline(name: LogName, results: Results, { networks }: Claims): string {
  const log = LOGS[name];
  const groups = groupsOf(results.rows, log);
  const [first, second] = log.shown as [string, string];
  const cell = (group: Group) => {
    const { runs } = group;
    const of = (metric: string) =>
      spread(
        runs.map(({ metrics }) => metrics.conservative[metric]!),
        log,
      );
    const seeds = runs[0]!.form === 'counted' ? '' : `, ${runs.length === 1 ? 'one seed' : `${runs.length} seeds`}`;
    return `${of(second)} / ${of(first)} (${marked(group)}${seeds})`;
  };
  const network = groups.find(isLearnt);
  const counted = groups.find(({ form }) => form === 'counted');
  if (!network || !counted) throw new Error(`${log.title} has no rows to compare.`);
  const metrics = [second, first].map((metric) =>
    metric.replace(/^mrr|^ndcg/, (name) => name.toUpperCase()).replace(/^r/, 'R'),
  );
  const claim = networks.find(({ network: { row } }) => row === network.name);
  const [best, rival] = [network, counted].map(({ runs }) =>
    [second, first].map((metric) => mean(runs.map(({ metrics }) => metrics.conservative[metric]!))),
  ) as [number[], number[]];
  const isClose = best.every((value, m) => Math.abs(value - rival[m]!) < 0.05 * rival[m]!);
  const interval = claim
    ? `in ${first} ${differenceText(claim.differences[first]!, claim.counter.row, first, results.rows, log)} beside ${claim.counter.row}`
    : isClose
      ? 'under 5 %, a tie without an interval'
      : 'no interval was computed';
  return (
    `**Quality**: ${metrics.join(' / ')} ${unit(log)} on ${log.title}: the best network ${cell(network)}, the best counting ${cell(counted)}; ` +
    `each best on the test; ${interval}.`
  );
}

export const isLearnt = ({ form }: Group): boolean => form === 'improved' || form === 'faithful';

/** The best on the validation part; where some have none, as all of a log may, the preset goes before the faithful form. */
function chosen(groups: readonly Group[], model: string): Group | undefined {
  const mine = groups.filter((group) => isLearnt(group) && group.model === model);
  const value = ({ runs }: Group) => mean(runs.flatMap(({ selected }) => selected?.value ?? []));
  if (mine.some((group) => Number.isNaN(value(group)))) return mine.find(({ form }) => form === 'improved') ?? mine[0];
  return mine.reduce<Group | undefined>(
    (best, group) => (best && value(best) >= value(group) ? best : group),
    undefined,
  );
}
