import type { Command } from 'commander';
import { FEATURE_PREFIX, USERS_TENSOR } from '../../checkpoint/artifact';
import { show } from '../../checkpoint/json';
import { configure } from '../../models/configuration';
import { architectures } from '../../pipeline/architectures';
import type { ArtifactSummary } from '../../pipeline/artifact-summary';
import { whole } from '../../pipeline/format';
import { inspect, isArtifact } from '../../pipeline/inspect';
import type { FileSummary } from '../../pipeline/read-events';
import { isoTime } from '../../session/split';
import { contextOf, print } from '../context';
import { addEventsOptions, EVENTS_FILES, type EventsFlags, readOptions } from '../options';
import { observe } from '../progress';
import { table } from '../table';

interface InspectFlags extends EventsFlags {
  readonly json?: boolean;
}

/** `aisle inspect`: what an events file, or an artifact, holds. */
export function register(program: Command): void {
  const command = program
    .command('inspect')
    .description('summarise an events file or an artifact folder')
    .argument('<input>', `artifact folder, or ${EVENTS_FILES}`);
  addEventsOptions(command)
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nEvery session counts here, those of one event too (--min-length 1).\n\nExample:\n  $ aisle inspect events.tsv.gz\n',
    )
    .action(async (path: string, flags: InspectFlags, self: Command) => {
      const context = contextOf(self);
      const summary = await inspect(path, { read: readOptions(flags), ...observe(context) });
      print(context, flags, summary, () =>
        isArtifact(summary) ? describeArtifact(path, summary) : describeLog(summary),
      );
    });
}

const BAR = 40;

/** A summary for a terminal: a few lines of counts, then the two distributions as bars. */
function describeLog(summary: FileSummary): string {
  const { file, length, popularity, repeats, time, eventKinds, events, otherColumns } = summary;
  const lines = [
    file,
    `  events    ${whole(events)}`,
    `  sessions  ${whole(summary.sessions)}, ${whole(summary.sessionsOfTwoOrMore)} of two or more events`,
    `  items     ${whole(summary.items)}, ${whole(popularity.itemsBelowFiveEvents)} with fewer than five events`,
  ];
  if (summary.users !== undefined) lines.push(`  users     ${whole(summary.users)}`);
  if (time) lines.push(`  time      ${isoTime(time.first)} to ${isoTime(time.last)}`);
  if (otherColumns.length > 0) lines.push(`  features  ${otherColumns.join(', ')}`);
  lines.push(
    `  repeats   ${percent(repeats.immediate)} of the steps stay on the item, ` +
      `${percent(repeats.seen)} go to one of the session`,
  );
  lines.push(
    '',
    `Session length: mean ${length.mean.toFixed(2)}, median ${length.median}, 90 % up to ${length.p90}, longest ${length.max}`,
  );
  const most = Math.max(...length.distribution.map((bar) => bar.sessions));
  for (const { from, to, sessions } of length.distribution) {
    const range = to === undefined ? `over ${from - 1}` : from === to ? `${from}` : `${from}–${to}`;
    lines.push(row(range, sessions / most, whole(sessions), sessions / summary.sessions));
  }
  lines.push('', `Popularity: share of the events on the most clicked items (Gini ${popularity.gini.toFixed(2)})`);
  for (const { share, items, events: part } of popularity.top)
    lines.push(row(`top ${percent(share, 0)}`, part, `${whole(items)} items`, part));
  if (eventKinds.length > 0) lines.push('', 'Kinds of events');
  const rows = eventKinds.reduce((sum, kind) => sum + kind.events, 0);
  const width = Math.max(...eventKinds.map(({ name }) => name.length));
  for (const { name, events: count } of eventKinds)
    lines.push(row(name.padStart(width), count / rows, whole(count), count / rows));
  return `${lines.join('\n')}\n`;
}

function row(label: string, length: number, count: string, share: number): string {
  const bar = '█'.repeat(Math.round(length * BAR)).padEnd(BAR);
  return `  ${label.padStart(9)} ${bar} ${count.padStart(11)} ${percent(share).padStart(7)}`;
}

function percent(share: number, digits = 1): string {
  return `${(share * 100).toFixed(digits)} %`;
}

function describeArtifact(path: string, artifact: ArtifactSummary): string {
  const {
    name,
    version,
    architecture,
    items,
    parameters,
    events,
    products,
    bytes,
    files,
    config,
    scale,
    mix,
    licence,
  } = artifact;
  const lines = [
    path,
    `  model       ${name} ${version}, architecture ${architecture}${mix ? `, with ${show(mix.architecture)} inside, share ${show(mix.share)}` : ''}`,
    `  items       ${whole(items)}, from ${whole(events)} events`,
    `  parameters  ${whole(parameters)}`,
    `  catalogue   ${products === undefined ? 'none' : `${whole(products)} products`}`,
    `  reads       ${readsOf(artifact)}`,
    `  scale       ${scale ?? 'not fitted'}`,
    `  licence     ${licence}`,
    `  files       ${whole(bytes)} bytes`,
    ...table(
      Object.entries(files).map(([file, size]) => [`    ${file}`, whole(size)]),
      [-29, 12],
    ),
    '',
    'Configuration',
    ...table(
      Object.entries(config).map(([key, value]) => [`  ${key}`, `${Array.isArray(value) ? value.join('/') : value}`]),
      [-27, -1],
    ),
    '',
    'Tensors',
    ...table(
      artifact.tensors.map(({ name, type, shape }) => [`  ${name}`, type, `[${shape.join(', ')}]`]),
      [-27, -6, -1],
    ),
    '',
    'Model card',
    '',
    artifact.modelCard.trimEnd(),
  ];
  return `${lines.join('\n')}\n`;
}

/** What the model reads beside item ids. */
function readsOf({ architecture, config, features = {}, tensors }: ArtifactSummary): string {
  const clicks = Object.entries(features).map(([name, feature]) => {
    const kinds = { number: 'a number', angle: 'an angle', age: 'of the item' };
    return `${name} (${feature.kind === 'category' ? `${whole(feature.values.length)} values` : kinds[feature.kind]})`;
  });
  const items = tensors.flatMap(({ name }) =>
    name.startsWith(FEATURE_PREFIX) ? name.slice(FEATURE_PREFIX.length) : [],
  );
  const spec = Object.hasOwn(architectures, architecture) ? architectures[architecture]! : undefined;
  // What neither a column nor the catalogue has comes from the time of a click, and is in the configuration alone.
  const times = (spec?.features?.(configure(spec, config)) ?? []).flatMap(({ name, otherwise }) =>
    otherwise === 'time' && !Object.hasOwn(features, name) && !items.includes(name) ? name : [],
  );
  const users = tensors.find(({ name }) => name === USERS_TENSOR)?.shape[0] ?? 0;
  const parts = [
    ...(clicks.length > 0 ? [`of clicks: ${clicks.join(', ')}`] : []),
    ...(times.length > 0 ? [`of the time of clicks: ${times.join(', ')}`] : []),
    ...(items.length > 0 ? [`of items: ${items.join(', ')}`] : []),
    ...(users > 0 ? [`who of ${whole(users)} users asks`] : []),
  ];
  return parts.length > 0 ? parts.join('; ') : 'item ids alone';
}
