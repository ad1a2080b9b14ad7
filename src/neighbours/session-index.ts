/**
 * The sessions that session neighbours look through, indexed by item and by recency: typed arrays, a few bytes an event.
 *
 * A query takes the `sampleSize` most recent of all sessions that share an item with it. Those can only be among the
 * `sampleSize` most recent sessions of each of its items, so no other session is stored: the answers are the same.
 */
import type { Catalogue, ItemIndex, NdArray, NdArrays, Sessions } from '../types';
import { float32, int32, mismatch, supportOf } from './baseline';

export const SECONDS_PER_DAY = 86_400;

/** Stored sessions are numbered 0…S−1 by the time of their last event: the higher, the more recent. */
export interface SessionIndex {
  /** Session s has the distinct items `offsets[s]` … `offsets[s + 1] - 1`, in the order of their last clicks. */
  readonly offsets: Int32Array;
  readonly items: Int32Array;
  /** Position of an item's last click in its session, from 1, repeats counted. */
  readonly positions: Int32Array;
  /** Seconds since 1970 of each session's last event, `[S]`. */
  readonly times: Float64Array;
  /** Item i is in the sessions `of[starts[i]]` … `of[starts[i + 1] - 1]`, the most recent first. */
  readonly starts: Int32Array;
  readonly of: Int32Array;
  /** ln(sessions of the log / events of the item), `[n + 1]`; 0 for items that the log does not have. */
  readonly idf: Float64Array;
}

/** Names of the index's arrays in an artifact. */
export const SESSIONS = [
  ...['offsets', 'items', 'positions', 'days', 'seconds', 'count'].map((name) => `sessions.${name}`),
  'items.events',
];

/** The arrays of an artifact, by name: what `readSessionIndex` reads. */
export function writeSessionIndex(
  sessions: Sessions,
  catalogue: Catalogue,
  sampleSize: number,
): Record<string, NdArray> {
  const order = byLastEvent(sessions);
  const stored = mostRecentOfAnyItem(sessions, order, catalogue.items, sampleSize);
  const events = stored.reduce((sum, s) => sum + sessions.offsets[s + 1]! - sessions.offsets[s]!, 0);
  const offsets = new Int32Array(stored.length + 1);
  const items = new Int32Array(events);
  const positions = new Int32Array(events);
  const days = new Int32Array(stored.length);
  const seconds = new Float32Array(stored.length);
  let at = 0;
  stored.forEach((s, k) => {
    const from = sessions.offsets[s]!;
    const to = sessions.offsets[s + 1]!;
    const last = new Map<ItemIndex, number>();
    for (let e = from; e < to; e++) {
      const item = sessions.items[e]!;
      last.delete(item); // so that the order is that of the last clicks
      last.set(item, e - from + 1);
    }
    for (const [item, position] of last) {
      items[at] = item;
      positions[at] = position;
      at++;
    }
    offsets[k + 1] = at;
    const time = sessions.times[to - 1]!;
    days[k] = Math.floor(time / SECONDS_PER_DAY);
    seconds[k] = time - days[k]! * SECONDS_PER_DAY;
  });
  const counts = Int32Array.from(supportOf(sessions, catalogue));
  const flat = (data: Int32Array | Float32Array): NdArray => ({ data, shape: [data.length] });
  return {
    'sessions.offsets': flat(offsets),
    'sessions.items': flat(items.slice(0, at)),
    'sessions.positions': flat(positions.slice(0, at)),
    // A second of our days has no place among the 24 bits of a float32; a second of one day has.
    'sessions.days': flat(days),
    'sessions.seconds': flat(seconds),
    'sessions.count': flat(Int32Array.of(sessions.offsets.length - 1)),
    'items.events': flat(counts),
  };
}

/** Sessions with at least one event, by the time of the last one; equal times as in the log. */
function byLastEvent({ offsets, times }: Sessions): number[] {
  const order: number[] = [];
  for (let s = 0; s + 1 < offsets.length; s++) if (offsets[s + 1]! > offsets[s]!) order.push(s);
  return order.sort((a, b) => times[offsets[a + 1]! - 1]! - times[offsets[b + 1]! - 1]!);
}

/** Those that are among the `count` most recent sessions of at least one item, oldest first. */
function mostRecentOfAnyItem(sessions: Sessions, order: readonly number[], n: number, count: number): number[] {
  const found = new Int32Array(n + 1);
  const counted = new Int32Array(n + 1).fill(-1); // the session that last counted this item
  const stored: number[] = [];
  for (const s of order.toReversed()) {
    let isStored = false;
    for (let e = sessions.offsets[s]!; e < sessions.offsets[s + 1]!; e++) {
      const item = sessions.items[e]!;
      if (counted[item] === s) continue;
      counted[item] = s;
      if (found[item]! < count) isStored = true;
      found[item]!++;
    }
    if (isStored) stored.push(s);
  }
  return stored.reverse();
}

/**
 * The index of an artifact, checked so that a query never reads or writes out of bounds.
 *
 * @throws RecommenderError `weights-mismatch`
 */
export function readSessionIndex(arrays: NdArrays, { items: n }: Catalogue): SessionIndex {
  const days = int32(arrays, 'sessions.days');
  const seconds = float32(arrays, 'sessions.seconds', days.length);
  const offsets = int32(arrays, 'sessions.offsets', days.length + 1);
  const items = int32(arrays, 'sessions.items');
  const positions = int32(arrays, 'sessions.positions', items.length);
  const [count] = int32(arrays, 'sessions.count', 1);
  const events = int32(arrays, 'items.events', n + 1);
  if (offsets[0] !== 0 || offsets[days.length] !== items.length) {
    throw mismatch('sessions.offsets', `offsets from 0 to ${items.length}`, `${offsets[0]} to ${offsets.at(-1)}`);
  }
  for (let s = 0; s < days.length; s++) {
    if (offsets[s]! > offsets[s + 1]!) throw mismatch('sessions.offsets', 'ascending offsets', `a step down at ${s}`);
  }
  for (let i = 0; i < items.length; i++) {
    const item = items[i]!;
    if (!(item >= 1 && item <= n)) throw mismatch('sessions.items', `item indices 1…${n}`, `${item} at ${i}`);
  }
  return {
    offsets,
    items,
    positions,
    times: Float64Array.from(days, (day, s) => day * SECONDS_PER_DAY + seconds[s]!),
    ...sessionsByItem(offsets, items, n),
    idf: Float64Array.from(events, (own) => (own > 0 ? Math.log(count! / own) : 0)),
  };
}

function sessionsByItem(offsets: Int32Array, items: Int32Array, n: number): { starts: Int32Array; of: Int32Array } {
  const starts = new Int32Array(n + 2);
  for (const item of items) starts[item + 1]!++;
  for (let i = 1; i < starts.length; i++) starts[i]! += starts[i - 1]!;
  const next = starts.slice();
  const of = new Int32Array(items.length);
  for (let s = offsets.length - 2; s >= 0; s--) {
    for (let e = offsets[s]!; e < offsets[s + 1]!; e++) of[next[items[e]!]!++] = s;
  }
  return { starts, of };
}
