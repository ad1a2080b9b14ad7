/**
 * Reads stored records, and does what only that can tell: moves damaged ones out of the events, and deletes old ones. Loaded when
 * the store opens, whatever is stored.
 */

import { promisifyRequest } from 'idb-keyval';
import { keysOf, max, parse } from '../captured';
import { isName, MAX_AHEAD, MAX_WORD } from '../limits';
import { CATALOGUE, NOTE } from './device-notes';
import type { StorageProblem } from './interface';
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
/** Key of the time since when, by the clock, there have been events ahead of it: seconds since 1970. */
const AHEAD = 'ahead';

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
function isEvent(value: unknown): value is StoredEvent {
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

/** Whether a time is further ahead than clocks differ. Both in seconds since 1970. */
const isAhead = (time: number, now: number): boolean => time - now > MAX_AHEAD / 1000;

/** Whether a value is an event within the limits, and not ahead of the clock. */
export const isEventAt =
  (now: number) =>
  (value: unknown): value is StoredEvent =>
    isEvent(value) && !isAhead(value.time, now);

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

/** Everything that says which events there are. */
interface Found {
  /** All records of events, readable or not. Default: none. */
  readonly entries?: readonly (readonly [key: string, value: unknown])[];
  /** The mark of events ahead of the clock. */
  readonly aheadSince?: unknown;
}

export const readStored = async (store: IDBObjectStore): Promise<Found> => ({
  entries: await readEntries(store),
  aheadSince: await promisifyRequest<unknown>(store.get(AHEAD)),
});

async function readEntries(store: IDBObjectStore): Promise<[key: string, value: unknown][]> {
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
  /** Those that are neither too old nor ahead of the clock. */
  readonly events: readonly StoredEvent[];
  /** In characters, of all. */
  readonly size: number;
  /** Deletes what is due, marks that events are ahead, and moves what is damaged. Each gives the characters left. */
  readonly cleanings: readonly ((store: IDBObjectStore) => Promise<number>)[];
}

/**
 * Sorts records by what is to be done with them.
 *
 * Events ahead of the clock wait, because the clock may be behind for a while. Once they have been ahead for the retention by this
 * clock, they are older than that by any clock, and go.
 *
 * @param now Seconds since 1970.
 * @param retention Seconds. An event that is older has to go.
 * @param report Takes what is the matter; undefined where it is over.
 * @throws As `assertSound`, where some cannot be read.
 */
export function sortedOut(
  { entries = [], aheadSince }: Found,
  now = 0,
  retention = Number.POSITIVE_INFINITY,
  report: (code: StorageProblem, message?: string) => void = () => {},
): Stored {
  const all: StoredEvent[] = [];
  const damaged: Damaged[] = [];
  let size = 0;
  let count = 0;
  let reason = '';
  for (const [key, value] of entries) {
    const found = decode(value);
    const readable = 'reason' in found ? (found.events ?? []) : found;
    for (const event of readable) all.push(event);
    size += storedSize(key, value, readable);
    if (!('reason' in found)) continue;
    count++;
    reason = found.reason;
    if (!found.foreign) damaged.push([key, value, found.reason, readable]);
  }
  if (count > 0) assertSound();
  // A clock that was set back has to begin again.
  const since = typeof aheadSince === 'number' && aheadSince <= now ? aheadSince : now;
  const isDue = (time: number) => now - (isAhead(time, now) ? since : time) > retention;
  const left = all.filter(({ time }) => !isDue(time));
  const events = left.filter(({ time }) => !isAhead(time, now));
  const ahead = left.length - events.length;
  const mark = ahead > 0 ? since : undefined;
  const cleanings: Stored['cleanings'][number][] = [];
  // Before what is damaged is quarantined: with it goes what was quarantined earlier.
  if (left.length < all.length) cleanings.push((store) => deleteExpired(store, isDue));
  if (mark !== aheadSince) cleanings.push((store) => markAhead(store, mark));
  const young = damaged.map(([key, value, why, readable = []]): Damaged => {
    return [key, value, why, readable.filter(({ time }) => !isDue(time))];
  });
  if (damaged.length > 0) cleanings.push((store) => quarantine(store, young));
  if (count > 0)
    report('records-set-aside', `${count} stored record(s) cannot be read and are passed over: ${reason}.`);
  const what = `${ahead} stored event(s) are more than a day ahead of this device's clock.`;
  report('events-ahead', ahead > 0 ? `${what} They are left out until the clock has come to them.` : undefined);
  return { events, size, cleanings };
}

/** The stored events that wait because they are ahead of the clock. */
export async function readAhead(store: IDBObjectStore, now: number): Promise<readonly StoredEvent[]> {
  const events = (await readEntries(store)).flatMap(([, value]) => contentOf(value).events);
  return events.filter(({ time }) => isAhead(time, now)).sort((a, b) => a.time - b.time);
}

async function markAhead(store: IDBObjectStore, mark: number | undefined): Promise<number> {
  if (mark === undefined) store.delete(AHEAD);
  else store.put(mark, AHEAD);
  return charactersIn(store);
}

const charactersIn = async (store: IDBObjectStore): Promise<number> =>
  sortedOut({ entries: await readEntries(store) }).size;

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
  return charactersIn(store);
}

/**
 * Deletes the quarantined records, then whole sessions, the oldest first, until few enough characters are left. Deleting
 * needs no space, so it works even if the quota is used up. Where the device is full, the copy of a catalogue goes before any event: the
 * network has it, too.
 *
 * @param most Characters that may be left, given how many there are; where the device is full, a share of them.
 * @param gap Seconds without an event that end a session.
 * @param now Seconds since 1970: events ahead of it go first.
 * @returns Characters left, and a message if events were deleted.
 */
export async function deleteOldest(
  store: IDBObjectStore,
  most: (all: number) => number,
  gap: number,
  now: number,
): Promise<[left: number, problem?: string]> {
  let before = 0;
  const copy = sizeOfCatalogue(await promisifyRequest(store.get(CATALOGUE_NOTE)));
  const left = await deleteSome(store, (entries) => {
    before = entries.reduce((sum, { size }) => sum + size, 0);
    const room = most(before + copy);
    // Only a share of all depends on the copy: then the device is full.
    if (room !== most(before)) store.delete(CATALOGUE_NOTE);
    return surplus(entries, room, gap, now);
  });
  return left < before ? [left, 'There is room for the newest events only: the oldest were deleted.'] : [left];
}

const CATALOGUE_NOTE = NOTE + CATALOGUE;

/** Bytes of what `live-catalogue.ts` has stored; 0 for anything else. */
function sizeOfCatalogue(note: { readonly files?: unknown } | undefined): number {
  const files = note?.files instanceof Map ? [...note.files.values()] : [];
  return files.reduce((sum, file) => sum + (Number(file?.byteLength) || 0), 0);
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
  return charactersIn(store);
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
 * The keys of the records to delete, so that at most `target` characters are left. Those ahead of `now` go first, then the oldest
 * sessions, each as a whole; of the last session, the oldest records go.
 */
export function surplus(
  entries: readonly Entry[],
  target: number,
  gap: number,
  now = Number.POSITIVE_INFINITY,
): string[] {
  const rank = ({ time }: Entry) => Number(!isAhead(time, now));
  const byTime = [...entries].sort((a, b) => rank(a) - rank(b) || a.time - b.time);
  const opensAt = (i: number) => i === 0 || Math.abs(byTime[i]!.time - byTime[i - 1]!.time) > gap;
  let left = byTime.reduce((sum, { size }) => sum + size, 0);
  const lastStart = byTime.findLastIndex((_, i) => opensAt(i));
  const gone: string[] = [];
  for (const [i, { key, size }] of byTime.entries()) {
    if (left <= target && (opensAt(i) || i > lastStart)) break;
    gone.push(key);
    left -= size;
  }
  return gone;
}
