/** The logs of `npm run bench -- personal`: who is held out, whom the settings were chosen on, and what the rest teach. */

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { CatalogueItem } from '../../src/checkpoint/artifact';
import { isFurtherStep } from '../../src/engine/fine-tune';
import { readEventsFile } from '../../src/pipeline/files/events-file';
import { catalogueItem } from '../../src/pipeline/simulate/products';
import { simulate } from '../../src/pipeline/simulate/simulate';
import { EVENT_NAMES } from '../../src/pipeline/simulate/visit';
import { type ClickLog, countSupport } from '../../src/session/event-log';
import { random } from '../../src/session/random';
import { sharedPath } from '../shared';
import { LONG, type LogName, SEED } from './personal-plan';

/** One visitor's events, oldest first, as item indices 1…n. */
export interface HeldOutVisitor {
  readonly id: string;
  readonly items: Int32Array;
  /** Seconds since 1970. */
  readonly times: Float64Array;
  /** Number of each event's session, from 0. */
  readonly sessions: Int32Array;
  /** 1 where an event is a further step with the product of the event before: a page counts it, but does not predict it. */
  readonly isStep: Uint8Array;
}

export interface PersonalLog {
  readonly name: LogName;
  /** Sessions of the other visitors. */
  readonly log: ClickLog;
  readonly itemIds: readonly string[];
  readonly support: Int32Array;
  readonly products: readonly CatalogueItem[];
  /** Whom figures are reported of. */
  readonly reported: readonly HeldOutVisitor[];
  /** Whom rates, weights and the gate were chosen on. */
  readonly tuning: readonly HeldOutVisitor[];
  /** Whether items that the visitor has had are left out of the ranking. */
  readonly dropsSeen: boolean;
  /** Events of held-out visitors whose items nobody else touched: they are left out. */
  readonly unknown: number;
  readonly protocol: string;
}

/** As in the demo shop, with half as many visitors again, since so many are held out. */
const SIMULATION = { items: 610, sessions: 60_000, visitors: 13_500, seed: SEED };

/** A session of somebody, before it is known who is held out. */
interface Session {
  readonly visitor: string;
  readonly items: readonly string[];
  readonly times: readonly number[];
  /** Kinds of events; absent where all are of one kind. */
  readonly kinds?: readonly string[];
}

export function openLog(name: LogName): Promise<PersonalLog> {
  return { simulator, beauty, eshop }[name]();
}

async function simulator(): Promise<PersonalLog> {
  const { shop, offsets, visitors, items, times, events } = simulate(SIMULATION);
  const ids = shop.products.map(({ id }) => id);
  const sessions = Array.from(visitors, (visitor, s): Session => {
    const [from, end] = [offsets[s]!, offsets[s + 1]!];
    return {
      visitor: `v${visitor + 1}`,
      items: Array.from(items.subarray(from, end), (item) => ids[item]!),
      times: [...times.subarray(from, end)],
      kinds: Array.from(events.subarray(from, end), (kind) => EVENT_NAMES[kind]!),
    };
  });
  const counts = eventsOf(sessions);
  const visits = new Map<string, number>();
  for (const { visitor } of sessions) visits.set(visitor, (visits.get(visitor) ?? 0) + 1);
  const returning = [...counts.keys()].filter((id) => counts.get(id)! >= LONG && visits.get(id)! >= 2);
  const drawn = shuffled(returning, 'held out');
  return cut('simulator', sessions, shop.products.map(catalogueItem), {
    reported: new Set(drawn.slice(0, 2000)),
    tuning: new Set(drawn.slice(2000, 2400)),
    dropsSeen: false,
    protocol:
      `the simulator's shop of ${SIMULATION.items} products, ${SIMULATION.sessions} sessions, ${SIMULATION.visitors} visitors, ` +
      `seed ${SEED}, all kinds of events; 2,000 returning visitors with at least ${LONG} events, held out whole; settings ` +
      'chosen on others like them',
  });
}

async function beauty(): Promise<PersonalLog> {
  const read = (name: string) => readFileSync(needed('data/amazon-beauty', name));
  const days = gunzipSync(read('times.txt.gz')).toString().trim().split('\n');
  const sessions = read('sequences.txt')
    .toString()
    .trim()
    .split('\n')
    .map((line, u): Session => {
      const [visitor, ...items] = line.split(' ');
      const [, ...times] = days[u]!.split(' ');
      // A day holds many: the seconds only keep the order.
      return { visitor: visitor!, items, times: times.map((day, e) => Number(day) + e) };
    });
  const [, ...rows] = gunzipSync(read('items.tsv.gz')).toString().trimEnd().split('\n');
  const products = rows.map((row): CatalogueItem => {
    const [id, , brand, categories] = row.split('\t');
    const category = categories!.split(' | ')[0]!.split(' > ').filter(Boolean);
    return { id: id!, ...(brand && { brand }), category };
  });
  const long = (least: number, most: number) =>
    sessions.filter(({ items }) => items.length >= least && items.length <= most).map(({ visitor }) => visitor);
  const others = shuffled(long(15, LONG - 1), 'tuning');
  return cut('beauty', sessions, products, {
    reported: new Set(long(LONG, Number.POSITIVE_INFINITY)),
    tuning: new Set(others.slice(0, 300)),
    dropsSeen: true,
    protocol:
      `Amazon Beauty, 5-core: the users with at least ${LONG} events, held out whole; items that the user has had are left ` +
      `out of the ranking; settings chosen on 300 users with 15 to ${LONG - 1} events, held out likewise`,
  });
}

async function eshop(): Promise<PersonalLog> {
  const {
    sessions: flat,
    itemIds,
    sessionIds,
  } = await readEventsFile(needed('data/eshop-clothing-2008', 'sessions.tsv.gz'), { minLength: 1 });
  const sessions = sessionIds.map((visitor, s): Session => {
    const [from, end] = [flat.offsets[s]!, flat.offsets[s + 1]!];
    const items = Array.from(flat.items.subarray(from, end), (item) => itemIds[item - 1]!);
    return { visitor, items, times: [...flat.times.subarray(from, end)] };
  });
  const [, ...rows] = readFileSync(needed('data/eshop-clothing-2008', 'items.tsv'), 'utf8').trimEnd().split('\n');
  const products = rows.map((row): CatalogueItem => {
    const [id, category, colour] = row.split('\t');
    return { id: id!, category: [category!], features: { colour: colour! } };
  });
  const day = (text: string): number => Date.parse(text) / 1000;
  const [tuneFrom, testFrom] = [day('2008-06-20'), day('2008-07-04')];
  const long = (from: number, to: number) =>
    sessions.filter(({ items, times }) => items.length >= LONG && times[0]! >= from && times[0]! < to);
  const before = sessions.filter(({ times }) => times[0]! < testFrom);
  const test = long(testFrom, Number.POSITIVE_INFINITY);
  return cut('eshop', [...before, ...test], products, {
    reported: new Set(test.map(({ visitor }) => visitor)),
    tuning: new Set(long(tuneFrom, testFrom).map(({ visitor }) => visitor)),
    dropsSeen: false,
    protocol:
      `eshop-clothing-2008: the sessions of at least ${LONG} clicks from 4 to 31 July, base models trained on what was before; ` +
      'settings chosen on the long sessions of 20 June to 3 July, held out likewise',
  });
}

const shuffled = (ids: readonly string[], name: string): string[] =>
  Array.from(random(SEED, name).shuffle(Int32Array.from(ids.keys())), (at) => ids[at]!);

function needed(folder: string, file: string): string {
  const path = sharedPath(folder, file);
  if (path === undefined) throw new Error(`Not here: ../shared/${folder}/${file}, so nothing to measure on.`);
  return path;
}

const eventsOf = (sessions: readonly Session[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const { visitor, items } of sessions) counts.set(visitor, (counts.get(visitor) ?? 0) + items.length);
  return counts;
};

interface Cut {
  readonly reported: ReadonlySet<string>;
  readonly tuning: ReadonlySet<string>;
  readonly dropsSeen: boolean;
  readonly protocol: string;
}

/** Other visitors' sessions as a log, items numbered as they appear there, and the held-out visitors in its numbers. */
function cut(
  name: LogName,
  sessions: readonly Session[],
  products: readonly CatalogueItem[],
  { reported, tuning, dropsSeen, protocol }: Cut,
): PersonalLog {
  const isHeldOut = ({ visitor }: Session) => reported.has(visitor) || tuning.has(visitor);
  const taught = sessions
    .filter((session) => !isHeldOut(session) && session.items.length >= 2)
    .sort((a, b) => a.times[0]! - b.times[0]!);
  const indices = new Map<string, number>();
  const items = Int32Array.from(
    taught.flatMap(({ items }) => items),
    (id) => {
      if (!indices.has(id)) indices.set(id, indices.size + 1);
      return indices.get(id)!;
    },
  );
  const offsets = new Int32Array(taught.length + 1);
  taught.forEach((session, s) => {
    offsets[s + 1] = offsets[s]! + session.items.length;
  });
  const times = Float64Array.from(taught.flatMap(({ times }) => times));
  let unknown = 0;
  const of = (ids: ReadonlySet<string>): HeldOutVisitor[] => {
    const own = new Map<string, Session[]>();
    for (const session of sessions) {
      if (!ids.has(session.visitor)) continue;
      const list = own.get(session.visitor);
      if (list) list.push(session);
      else own.set(session.visitor, [session]);
    }
    return [...own].map(([id, list]) => {
      const events = list
        .sort((a, b) => a.times[0]! - b.times[0]!)
        .flatMap(({ items, times, kinds }, session) => {
          const clicks = items.map((itemId, e) => ({ itemId, time: times[e]!, event: kinds?.[e] ?? 'view' }));
          return clicks.map((click, e) => ({
            item: click.itemId,
            session,
            time: click.time,
            isStep: isFurtherStep(clicks[e - 1], click),
          }));
        });
      const known = events.filter(({ item }) => indices.has(item));
      unknown += events.length - known.length;
      return {
        id,
        items: Int32Array.from(known, ({ item }) => indices.get(item)!),
        times: Float64Array.from(known, ({ time }) => time),
        sessions: Int32Array.from(known, ({ session }) => session),
        isStep: Uint8Array.from(known, ({ isStep }) => Number(isStep)),
      };
    });
  };
  return {
    name,
    products,
    dropsSeen,
    protocol,
    log: { sessions: { items, times, offsets } },
    itemIds: [...indices.keys()],
    support: countSupport(items, indices.size),
    reported: of(reported),
    tuning: of(tuning),
    get unknown() {
      return unknown;
    },
  };
}
