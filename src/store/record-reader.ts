/**
 * Reads stored records, and does what only that can tell: moves damaged ones out of the events, and deletes old ones. Loaded when
 * the store opens, whatever is stored.
 */

import { promisifyRequest } from 'idb-keyval';
import { keysOf, max, parse } from '../captured';
import { isName, MAX_WORD } from '../limits';
import {
  checksum,
  checksumOf,
  encode,
  isCandidates,
  isFeatures,
  QUARANTINE,
  type StoredEvent,
  textIn,
  VERSION,
} from './records';
import { ofEvents, type QuarantinedRecord, rangeOf, sizeOf } from './transactions';

const MAX_QUARANTINED = 16;

/** A record that cannot be read as a whole, and why. */
export interface Unreadable {
  readonly reason: string;
  /** Whether another release wrote it. Such a record is ignored but not moved, because that release may need it. */
  readonly foreign: boolean;
  /** Those of its events that can be read; absent if there are none. */
  readonly events?: readonly StoredEvent[];
}

/** Reads a record of either version. */
export function decode(value: unknown): readonly StoredEvent[] | Unreadable {
  if (typeof value === 'string') return decodeFirst(value);
  const { version, tab, rows, checksum } = Object(value) as Record<string, unknown>;
  if (typeof version !== 'number') return unreadable('it does not begin as a record does');
  if (version !== VERSION) return foreign(version);
  try {
    if (checksum !== checksumOf(tab, rows)) return unreadable(TORN);
  } catch {
    return unreadable('it is too deep to be a record'); // or holds itself
  }
  return eventsIn(tab, rows);
}

const TORN = 'its checksum is wrong: it is cut off or was changed';
const unreadable = (reason: string, foreign = false): Unreadable => ({ reason, foreign });
const foreign = (version: number): Unreadable =>
  unreadable(`it is of version ${version}, this release reads ${VERSION}`, true);

/** The events of a record's rows. */
function eventsIn(tab: unknown, rows: unknown): readonly StoredEvent[] | Unreadable {
  try {
    const all = (rows as unknown[][]).map((row) => eventOf(tab, row));
    const events = all.filter(isEvent);
    if (events.length > 0 && events.length === all.length) return events;
    if (events.length > 0) return { ...unreadable('some of its events are none, or beyond a limit'), events };
  } catch {
    // rows of another shape
  }
  return unreadable('it does not hold events within the limits');
}

function eventOf(tab: unknown, row: readonly unknown[]): unknown {
  const [number, time, itemId, event, features, said, pageView, transaction] = row;
  const plain = { tab, number, time, itemId, event, ...(typeof transaction === 'string' && { transaction }) };
  const isBare = features === undefined || (row.length > 5 && keysOf(features ?? {}).length === 0);
  const known = isBare ? plain : { ...plain, features };
  if (said == null) return known;
  const candidates = (said as unknown[][]).map(([id, kind, source]) => ({ id, kind, source }));
  return { ...known, candidates, ...(typeof pageView === 'string' && { pageView }) };
}

/** Whether a value is an event within the limits. */
export function isEvent(value: unknown): value is StoredEvent {
  const given = (value ?? {}) as Record<keyof StoredEvent, unknown>;
  const { tab, number, time, itemId, event, features, candidates, pageView, transaction } = given;
  return (
    isName(tab) &&
    isName(itemId) &&
    isName(event, MAX_WORD) &&
    Number.isInteger(number) &&
    Number.isFinite(time) &&
    (features === undefined || isFeatures(features)) &&
    (candidates === undefined || isCandidates(candidates)) &&
    [pageView, transaction].every((text) => text === undefined || text === '' || isName(text))
  );
}

/** Reads a record of version 1. */
function decodeFirst(value: string): readonly StoredEvent[] | Unreadable {
  const [, version, sum, json] = /^(\d+) (\w+) (.*)$/s.exec(value) ?? [];
  if (version === undefined) return unreadable('it does not begin as a record does');
  if (version !== '1') return foreign(Number(version));
  if (checksum(json!) !== sum) return unreadable(TORN);
  try {
    const [tab, rows] = parse(json!);
    return eventsIn(tab, rows);
  } catch {
    return unreadable('it is no JSON');
  }
}

/** Records of either version whose content is known. */
const KNOWN = [
  [
    'e2/a/0',
    { version: 2, checksum: '1tmkipt', tab: 'a', rows: [[1, 2, 'b', 'view', { c: 3 }, [['d', 'url', 'e']], 'f', 'g']] },
  ],
  ['e/a/0', '1 11nn3si ["a",[[1,2,"b","view"]]]'],
] as const;

/**
 * Makes sure that records of known content are read as they are, before any record is moved or deleted.
 *
 * @throws Error where the page has replaced what reading needs.
 */
function assertSound(): void {
  const [{ size, time }, first] = [entryOf(KNOWN[0]), entryOf(KNOWN[1])];
  const isRead = time === 2 && size === 92 && first.time === 2 && first.size === 39;
  const [[gone], [none]] = [surplus([first], 0, 1), surplus([first], first.size, 1)];
  if (!isRead || gone !== 'e/a/0' || none !== undefined)
    throw new Error('the page has replaced functions that stored events are read with.');
}

/** @throws Error where what was written cannot be read again, by this page or by another one, which has replaced nothing. */
export function assertReadable(stored: unknown): void {
  if ('reason' in decode(stored)) throw new Error('what was written cannot be read again.');
  assertSound();
}

/** All records of events, readable or not. */
export async function readEntries(store: IDBObjectStore): Promise<[key: string, value: unknown][]> {
  const range = ofEvents();
  const keys = await promisifyRequest(store.getAllKeys(range));
  const values = await promisifyRequest(store.getAll(range));
  const entries = keys.map((key, i): [string, unknown] => [String(key), values[i]]);
  return entries.filter(([key]) => /^e2?\//.test(key)); // the page may have replaced `bound`
}

/** A stored value as text. */
export function textOf(value: unknown): string {
  try {
    return textIn(value);
  } catch {
    return `no text but ${typeof value}`; // it is too deep, or holds itself
  }
}

/** Characters of a record of either version. */
const storedSize = (key: string, value: unknown, events: readonly StoredEvent[]): number =>
  typeof value === 'string' ? key.length + value.length : sizeOf(key, events);

/** `readable`: those of its events that can be read, which stay in its place. */
type Damaged = readonly [key: string, value: unknown, reason: string, readable?: readonly StoredEvent[]];

/** What is stored, and what to do about it. */
interface Stored {
  /** Those that are not too old. */
  readonly events: readonly StoredEvent[];
  /** In characters, of all. */
  readonly size: number;
  /** Says that some cannot be read. */
  readonly problem?: string;
  /** Deletes what is too old, and moves what is damaged. Each gives the characters left. */
  readonly cleanings: readonly ((store: IDBObjectStore) => Promise<number>)[];
}

/**
 * Sorts records by what is to be done with them.
 *
 * @param now Seconds since 1970.
 * @param retention Seconds. An event that is further from now has to go; one far ahead has the time of a wrong clock, and would never be old.
 * @throws As `assertSound`, where some cannot be read.
 */
export function sortedOut(
  entries: readonly (readonly [key: string, value: unknown])[],
  now = 0,
  retention = Number.POSITIVE_INFINITY,
): Stored {
  const all: StoredEvent[] = [];
  const damaged: Damaged[] = [];
  let size = 0;
  let count = 0;
  let problem: string | undefined;
  for (const [key, value] of entries) {
    const found = decode(value);
    const readable = 'reason' in found ? (found.events ?? []) : found;
    for (const event of readable) all.push(event);
    size += storedSize(key, value, readable);
    if (!('reason' in found)) continue;
    problem = `${++count} stored record(s) cannot be read and are passed over: ${found.reason}.`;
    if (!found.foreign) damaged.push([key, value, found.reason, readable]);
  }
  if (count > 0) assertSound();
  const isDue = (time: number) => Math.abs(time - now) > retention;
  const events = all.filter(({ time }) => !isDue(time));
  const cleanings: Stored['cleanings'][number][] = [];
  // Before what is damaged is quarantined: with it goes what was quarantined earlier.
  if (events.length < all.length) cleanings.push((store) => deleteExpired(store, isDue));
  if (damaged.length > 0) cleanings.push((store) => quarantine(store, damaged));
  return { events, size, cleanings, ...(problem !== undefined && { problem }) };
}

/**
 * Moves damaged records out of the events, and leaves what can be read of them. Keeps the newest few, so that a faulty device does not
 * fill up.
 *
 * @returns Characters left of the events.
 */
export async function quarantine(store: IDBObjectStore, damaged: readonly Damaged[]): Promise<number> {
  const before = await promisifyRequest(store.getAllKeys(rangeOf(QUARANTINE)));
  for (const [key, , , readable = []] of damaged) {
    if (readable.length > 0) store.put(encode(readable), key);
    else store.delete(key);
  }
  for (const key of before.slice(0, max(0, before.length + damaged.length - MAX_QUARANTINED))) store.delete(key);
  for (const [key, value, reason] of damaged.slice(0, MAX_QUARANTINED)) {
    store.put({ key, reason, value: textOf(value).slice(0, 1000) } satisfies QuarantinedRecord, QUARANTINE + key);
  }
  return sortedOut(await readEntries(store)).size;
}

/**
 * Deletes the quarantined records, then whole sessions, the oldest first, until few enough characters are left. Deleting
 * needs no space, so it works even if the quota is used up.
 *
 * @param most Characters that may be left, given how many there are.
 * @param gap Seconds without an event that end a session.
 * @returns Characters left, and a message if events were deleted.
 */
export async function deleteOldest(
  store: IDBObjectStore,
  most: (all: number) => number,
  gap: number,
): Promise<[left: number, problem?: string]> {
  let before = 0;
  const left = await deleteSome(store, (entries) => {
    before = entries.reduce((sum, { size }) => sum + size, 0);
    return surplus(entries, most(before), gap);
  });
  return left < before ? [left, 'There is room for the newest events only: the oldest were deleted.'] : [left];
}

/**
 * Deletes the quarantined records, whose age is not known, and what is due of the others. What cannot be read stays.
 *
 * @param isDue Of a time in seconds since 1970.
 * @returns Characters left.
 */
async function deleteExpired(store: IDBObjectStore, isDue: (time: number) => boolean): Promise<number> {
  assertSound();
  const entries = await readEntries(store);
  store.delete(rangeOf(QUARANTINE));
  for (const [key, value] of entries) {
    const { events, isWhole } = contentOf(value);
    const kept = events.filter(({ time }) => !isDue(time));
    if (events.length > 0 && kept.length === 0) store.delete(key);
    else if (isWhole && kept.length < events.length) store.put(encode(kept), key);
  }
  return sortedOut(await readEntries(store)).size;
}

async function deleteSome(store: IDBObjectStore, choose: (entries: Entry[]) => string[]): Promise<number> {
  assertSound();
  const entries = (await readEntries(store)).map(entryOf);
  store.delete(rangeOf(QUARANTINE));
  const gone = new Set(choose(entries));
  for (const key of gone) store.delete(key);
  return entries.reduce((sum, { key, size }) => (gone.has(key) ? sum : sum + size), 0);
}

function entryOf([key, value]: readonly [key: string, value: unknown]): Entry {
  const { events } = contentOf(value);
  const time = events.reduce((newest, event) => max(newest, event.time), Number.NEGATIVE_INFINITY);
  return { key, size: storedSize(key, value, events), time };
}

/** What can be read of a record, and whether that is all of it. */
function contentOf(value: unknown): { readonly events: readonly StoredEvent[]; readonly isWhole: boolean } {
  const read = decode(value);
  return 'reason' in read ? { events: read.events ?? [], isWhole: false } : { events: read, isWhole: true };
}

/** A stored record. */
export interface Entry {
  readonly key: string;
  /** Characters of key and value. */
  readonly size: number;
  /** Seconds since 1970 of the newest event. */
  readonly time: number;
}

/**
 * The keys of the records to delete, so that at most `target` characters are left. The oldest sessions go first, each as a
 * whole; of the last session, the oldest records go.
 */
export function surplus(entries: readonly Entry[], target: number, gap: number): string[] {
  const byTime = [...entries].sort((a, b) => a.time - b.time);
  let left = byTime.reduce((sum, { size }) => sum + size, 0);
  const lastStart = byTime.findLastIndex(({ time }, i) => i === 0 || time - byTime[i - 1]!.time > gap);
  const gone: string[] = [];
  for (const [i, { key, size, time }] of byTime.entries()) {
    const opens = i === 0 || time - byTime[i - 1]!.time > gap;
    if (left <= target && (opens || i > lastStart)) break;
    gone.push(key);
    left -= size;
  }
  return gone;
}
