/**
 * The simulated log beside the real ones: lengths, popularity, repeats, and what the counting baselines reach.
 *
 *     node test/run.mjs test/bench/simulator-statistics.ts [SEED]
 *
 * Prints Markdown. The real logs are measured here and now, with the same code; one that is missing in `../shared/data`
 * (docs/logs.md) is left out, with a message, and without any nothing is said of their range.
 */
import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { configure } from '../../src/models/configuration';
import { baselines } from '../../src/neighbours/index';
import { markdownTable } from '../../src/pipeline/format';
import { eventLines } from '../../src/pipeline/simulate/files';
import { DEFAULT_OPTIONS, simulate } from '../../src/pipeline/simulate/simulate';
import { type EventLog, reindex } from '../../src/session/event-log';
import { splitLog } from '../../src/session/split';
import { summarise } from '../../src/session/summary';
import { evaluate } from '../../src/train/evaluate';
import { personalGain } from '../pipeline/simulate/personal';
import { readText } from '../session/helpers';
import { sharedPath } from '../shared';

/** Files of each real log, oldest first. */
const REAL_LOGS: Readonly<Record<string, readonly string[]>> = {
  'yoochoose-100k': ['train.tsv.gz', 'test.tsv.gz'],
  diginetica: ['train.tsv.gz', 'test.tsv.gz'],
  'eshop-clothing-2008': ['sessions.tsv.gz'],
  'online-retail': ['sessions.tsv.gz'],
};

const BASELINES = ['pop', 's-pop', 'markov', 'sr', 'item-knn'];

type Statistics = Record<string, number>;

/** Every statistic that is compared; sessions of one event are left out, as the real logs mostly have none. */
async function statisticsOf(log: EventLog): Promise<Statistics> {
  const { length, popularity, repeats } = summarise(log);
  const statistics: Statistics = {
    'mean length': length.mean,
    'median length': length.median,
    'p90 length': length.p90,
    'max length': length.max,
    'Gini of popularity': popularity.gini,
    'events of top 1 % items': popularity.top.find(({ share }) => share === 0.01)!.events,
    'events of top 10 % items': popularity.top.find(({ share }) => share === 0.1)!.events,
    'steps that repeat the item': repeats.immediate,
    'targets seen in the session': repeats.seen,
  };
  const { train, test } = splitLog(log, { test: { share: 0.1 } });
  const { sessions } = reindex(test, train.itemIds).log;
  const catalogue = { items: train.itemIds.length, support: train.support };
  for (const name of BASELINES) {
    const model = baselines[name]!;
    const config = configure(model, {});
    const scorer = model.scorer(model.fit(train.sessions, catalogue, config), catalogue, config);
    const { metrics } = await evaluate(scorer, sessions, { protocol: 'events', support: train.support, ks: [20] });
    statistics[`${name} HR@20`] = metrics.conservative['recall@20']!;
    statistics[`${name} MRR@20`] = metrics.conservative['mrr@20']!;
  }
  return statistics;
}

function read(text: Iterable<string | Uint8Array>, name: string): Promise<EventLog> {
  async function* bytes() {
    for (const part of text) yield typeof part === 'string' ? Buffer.from(part) : part;
  }
  return readText(bytes(), name);
}

/** A real log from its files, the header kept once; undefined where it is missing. */
async function realLog(name: string): Promise<EventLog | undefined> {
  const parts: Uint8Array[] = [];
  for (const file of REAL_LOGS[name]!) {
    const path = sharedPath('data', name, file);
    if (!path) return undefined;
    const bytes = gunzipSync(await readFile(path));
    parts.push(parts.length === 0 ? bytes : bytes.subarray(bytes.indexOf('\n') + 1));
  }
  return read(parts, name);
}

const seed = Number(process.argv[2] ?? DEFAULT_OPTIONS.seed);
const simulated = simulate({ ...DEFAULT_OPTIONS, seed });
const logs: [string, Statistics][] = [
  ['simulated', await statisticsOf(await read(eventLines(simulated), 'simulated'))],
];
for (const name of Object.keys(REAL_LOGS)) {
  const log = await realLog(name);
  if (log) logs.push([name, await statisticsOf(log)]);
  else console.error(`Left out: ${name} is not in ../shared/data; docs/logs.md says where it is published.`);
}

const visitorEvents = new Map<number, number>();
let bounces = 0;
for (let s = 0; s < simulated.visitors.length; s++) {
  const events = simulated.offsets[s + 1]! - simulated.offsets[s]!;
  if (events === 1) bounces++;
  visitorEvents.set(simulated.visitors[s]!, (visitorEvents.get(simulated.visitors[s]!) ?? 0) + events);
}
const busy = [...visitorEvents.values()].filter((events) => events >= 20).length;

const show = (value: number): string => (Number.isInteger(value) ? `${value}` : value.toPrecision(3));
const isBeside = logs.length > 1;
const titles = ['', ...logs.map(([name]) => name), ...(isBeside ? ["inside the real logs' range"] : [])];
let inside = 0;
const names = Object.keys(logs[0]![1]);
const rows = names.map((name) => {
  const [ours, ...real] = logs.map(([, statistics]) => statistics[name]!);
  const isInside = ours! >= Math.min(...real) && ours! <= Math.max(...real);
  if (isInside) inside++;
  return [name, ...[ours!, ...real].map(show), ...(isBeside ? [isInside ? 'yes' : 'no'] : [])];
});
console.log(markdownTable(titles, rows).join('\n'));
console.log(`\n${isBeside ? `Inside: ${inside} of ${names.length}. ` : ''}Seed ${seed}.`);
const { items, sessions, visitors } = DEFAULT_OPTIONS;
console.log(
  `Simulated: ${items} products, ${sessions} sessions, ${visitors} visitors, ${simulated.items.length} events;`,
);
console.log(`${bounces} sessions of one event; ${busy} visitors with at least 20 events.`);

const { predictions, population, personal } = personalGain(simulated);
console.log(
  `\nNext click of visitors with at least 20 earlier events (${predictions} predictions in the last tenth), MRR@20:`,
);
console.log(
  `${show(population)} from what followed the last item, ${show(personal)} mixed with the visitor's own past.`,
);
