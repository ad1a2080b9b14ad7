/**
 * What training counts for the strategies that need no model: `strategies.json`.
 *
 * `bought-together`. A basket is the set of items bought in one session; if no two purchases go together often enough, the set of items
 * put into the cart. Of |B| baskets, s(i) have item i, and s(i, j) have both.
 *
 *     confidence(i → j) = s(i, j) / s(i)                   the score: the share of those who bought i that bought j, too
 *     lift(i, j)        = |B| · s(i, j) / (s(i) · s(j))    above 1: they are together more often than by chance
 *     s(i, j) ≥ 3                                          the least support
 *
 * `trending`. The newest event's time is the end of the log; the age of an event counts from there.
 *
 *     a(i)  = Σ 2^(−age / 2 days)       over the events of i in the last 7 days, at least 5
 *     b(i)  = n(i) · Σ a / Σ n          n(i): its events in the 28 days before; b: what a(i) would be if nothing had changed
 *     score = (a(i) − b(i)) / √(b(i) + 1)      above 0: by how many deviations of a count it has grown
 *
 * A log of a week or less has no days before: then b is 0, and the order is that of a.
 *
 * Support and confidence: Agrawal, Imieliński & Swami, SIGMOD 1993, https://doi.org/10.1145/170035.170072. Lift: Brin, Motwani, Ullman &
 * Tsur, SIGMOD 1997, https://doi.org/10.1145/253260.253325.
 */
import type { BoughtTogether, Strategies, Trending } from '../checkpoint/artifact';
import { countPairs } from '../neighbours/pairs';
import { countSupport, type EventLog } from '../session/event-log';
import { DAY } from '../session/time';
import type { ItemIndex, Sessions } from '../types';
import { defined } from './defined';
import { whole } from './format';
import { inform, type Observer } from './observer';

const LEAST_SUPPORT = 3;
const LEAST_EVENTS = 5;
/** Complements of one item, and trending items, that are written. */
const MAX_PAIRS = 20;
const MAX_TRENDING = 500;
const NEWEST = 7 * DAY;
const BEFORE = 28 * DAY;
const HALF_LIFE = 2 * DAY;
/** Names of the kinds of events in public logs and exports. */
const KINDS = {
  purchase: ['purchase', 'transaction', 'order', 'buy'],
  cart: ['cart', 'add_to_cart', 'addtocart'],
} as const;

type CountedLog = Pick<EventLog, 'sessions' | 'itemIds' | 'events' | 'eventNames'>;

/**
 * Counts a log.
 *
 * @param itemIds Items of the model: `itemIds[k]` is the id of index k + 1. Others are counted, and left out.
 * @returns Undefined if the log has neither times nor baskets.
 */
export function countStrategies(
  log: CountedLog,
  itemIds: readonly string[],
  observer: Observer,
): Strategies | undefined {
  const indexOf = new Map(itemIds.map((id, k) => [id, k + 1]));
  const known = Int32Array.from([0, ...log.itemIds.map((id) => indexOf.get(id) ?? 0)]);
  const boughtTogether = complements(log, known, 'purchase') ?? complements(log, known, 'cart');
  const trending = trendingItems(log, known);
  if (boughtTogether) {
    const { of, baskets, pairs } = boughtTogether;
    const rows = Object.keys(pairs).length;
    inform(observer, `bought-together: ${whole(rows)} items, by ${whole(baskets)} baskets of the event "${of}"`);
  } else if (log.eventNames) {
    const why = `no two items are together in ${LEAST_SUPPORT} baskets of purchases or carts`;
    inform(observer, `bought-together: none, since ${why}. Slots show their fallback.`);
  }
  return boughtTogether || trending ? defined({ boughtTogether, trending }) : undefined;
}

/** Undefined if no item has a complement. */
function complements(log: CountedLog, known: Int32Array, of: BoughtTogether['of']): BoughtTogether | undefined {
  const baskets = basketsOf(log, KINDS[of]);
  const { items, offsets } = baskets;
  const count = offsets.length - 1;
  const n = log.itemIds.length;
  const support = countSupport(items, n);
  const found = countPairs(
    baskets,
    n,
    (at, basket, add) => {
      for (let other = offsets[basket]!; other < offsets[basket + 1]!; other++) if (other !== at) add(items[other]!, 1);
    },
    {
      weigh: (i, j, together) => {
        const isChance = count * together <= support[i]! * support[j]!;
        return together < LEAST_SUPPORT || isChance || known[j] === 0 ? 0 : together / support[i]!;
      },
      keep: () => MAX_PAIRS,
    },
  );
  const pairs: Record<string, number[]> = {};
  for (let item = 1; item <= n; item++) {
    const row: number[] = [];
    for (let at = found.offsets[item]!; at < found.offsets[item + 1]!; at++) {
      row.push(known[found.items[at]!]!, rounded(found.weights[at]!));
    }
    if (known[item]! > 0 && row.length > 0) pairs[known[item]!] = row;
  }
  return Object.keys(pairs).length > 0 ? { of, baskets: count, pairs } : undefined;
}

/** The baskets of a log as sessions, each item once. */
function basketsOf({ sessions, events, eventNames = [] }: CountedLog, names: readonly string[]): Sessions {
  const isOf = eventNames.map((name) => names.includes(name.toLowerCase()));
  const items: ItemIndex[] = [];
  const offsets = [0];
  for (let s = 0; events && s + 1 < sessions.offsets.length; s++) {
    const basket = new Set<ItemIndex>();
    for (let e = sessions.offsets[s]!; e < sessions.offsets[s + 1]!; e++) {
      if (isOf[events[e]!]) basket.add(sessions.items[e]!);
    }
    if (basket.size === 0) continue;
    items.push(...basket);
    offsets.push(items.length);
  }
  return { items: Int32Array.from(items), times: new Float64Array(items.length), offsets: Int32Array.from(offsets) };
}

/** Undefined for a log without times. */
function trendingItems({ sessions: { items, times }, itemIds }: CountedLog, known: Int32Array): Trending | undefined {
  let until = 0;
  for (const time of times) if (time > until) until = time;
  if (until === 0) return undefined;
  const n = itemIds.length;
  const recent = new Float64Array(n + 1);
  const newest = new Int32Array(n + 1);
  const before = new Int32Array(n + 1);
  items.forEach((item, e) => {
    const age = until - times[e]!;
    if (age < NEWEST) {
      recent[item]! += 2 ** (-age / HALF_LIFE);
      newest[item]!++;
    } else if (age < NEWEST + BEFORE) before[item]!++;
  });
  const total = (counts: Iterable<number>): number => {
    let sum = 0;
    for (const value of counts) sum += value;
    return sum;
  };
  const scale = total(recent) / Math.max(1, total(before));
  const found: { readonly item: ItemIndex; readonly score: number }[] = [];
  for (let item = 1; item <= n; item++) {
    if (newest[item]! < LEAST_EVENTS || known[item] === 0) continue;
    const expected = before[item]! * scale;
    const score = rounded((recent[item]! - expected) / Math.sqrt(expected + 1));
    if (score > 0) found.push({ item: known[item]!, score });
  }
  found.sort((a, b) => b.score - a.score || a.item - b.item);
  return { until, items: found.slice(0, MAX_TRENDING).flatMap(({ item, score }) => [item, score]) };
}

const rounded = (score: number): number => Math.round(1000 * score) / 1000;
