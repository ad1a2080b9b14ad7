/** Operations on the records inside one transaction. */
import { getMany, promisifyRequest } from 'idb-keyval';
import { within } from './database';
import { decode, type Entry, EVENTS, QUARANTINE, type StoredEvent, surplus, textOf } from './records';

/** A record that could not be read, as it is quarantined. */
export interface QuarantinedRecord {
  readonly key: string;
  readonly reason: string;
  /** Its beginning. */
  readonly value: string;
}

/** Key of the name of this life of the database: a tab that knows another name detects the erasure. */
const EPOCH = 'epoch';
/** Key of the mark that recording is paused. */
const PAUSED = 'paused';
/** Key of the adapter, which `delta-store.ts` writes. */
export const LEARNT = 'learnt';
/** Key of the adapter's name: a tab that knows another name detects the change. */
export const LEARNT_NAME = 'learnt/name';
/** Key of the time since which a tab is about to delete the database, which holds no event: no tab writes meanwhile. */
const ENDING = 'ending';
/** Milliseconds for which that mark is valid. */
const ENDS = 2000;
const MAX_QUARANTINED = 16;

/** Marks of the whole database. */
export interface Marks {
  /** Undefined before the first write, or if it is damaged. */
  readonly epoch: string | undefined;
  /** The mark of a tab that is about to delete the database; see `isEnding`. */
  readonly ending: unknown;
  readonly paused: boolean;
  /** The name of the adapter; undefined if there is none. */
  readonly learnt: string | undefined;
}

const asText = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

export async function readMarks(store: IDBObjectStore): Promise<Marks> {
  const [epoch, paused, learnt, ending] = await getMany<unknown>([EPOCH, PAUSED, LEARNT_NAME, ENDING], within(store));
  return { epoch: asText(epoch), paused: paused === true, learnt: asText(learnt), ending };
}

export function writeMarks(store: IDBObjectStore, { epoch, paused }: Pick<Marks, 'epoch' | 'paused'>): void {
  store.put(epoch, EPOCH);
  store.delete(ENDING);
  if (paused) store.put(true, PAUSED);
  else store.delete(PAUSED);
}

/** All records of events, readable or not. */
export async function readEntries(store: IDBObjectStore): Promise<[key: string, value: unknown][]> {
  const range = rangeOf(EVENTS);
  const [keys, values] = await Promise.all([
    promisifyRequest(store.getAllKeys(range)),
    promisifyRequest(store.getAll(range)),
  ]);
  return keys.map((key, i) => [String(key), values[i]]);
}

type Damaged = readonly [key: string, value: unknown, reason: string];

/** The events of the records, their size in characters, the damaged records, and a message if some cannot be read. */
export function sortedOut(
  entries: readonly (readonly [key: string, value: unknown])[],
): readonly [events: readonly StoredEvent[], size: number, damaged: readonly Damaged[], problem: string | undefined] {
  const events: StoredEvent[] = [];
  const damaged: Damaged[] = [];
  let size = 0;
  let count = 0;
  let problem: string | undefined;
  for (const [key, value] of entries) {
    size += sizeOf(key, value);
    const read = decode(value);
    if ('reason' in read) {
      problem = `${++count} stored record(s) cannot be read and are passed over: ${read.reason}.`;
      if (!read.foreign) damaged.push([key, value, read.reason]);
    } else for (const event of read) events.push(event);
  }
  return [events, size, damaged, problem];
}

/** Moves damaged records out of the events. Keeps the newest few, so that a faulty device does not fill up. */
export async function quarantine(store: IDBObjectStore, damaged: readonly Damaged[]): Promise<void> {
  const before = await promisifyRequest(store.getAllKeys(rangeOf(QUARANTINE)));
  for (const [key] of damaged) store.delete(key);
  for (const key of before.slice(0, Math.max(0, before.length + damaged.length - MAX_QUARANTINED))) store.delete(key);
  for (const [key, value, reason] of damaged.slice(0, MAX_QUARANTINED)) {
    store.put({ key, reason, value: textOf(value).slice(0, 1000) } satisfies QuarantinedRecord, QUARANTINE + key);
  }
}

/**
 * Deletes the quarantined records, then whole sessions, the oldest first, until at most `target` characters are left. Deleting
 * needs no space, so it works even if the quota is used up.
 *
 * @param gap Seconds without an event that end a session.
 * @returns Characters left.
 */
export const deleteOldest = (store: IDBObjectStore, target: number, gap: number): Promise<number> =>
  deleteSome(store, (entries) => surplus(entries, target, gap));

/**
 * Deletes the quarantined records, whose age is not known, and those of which every event is older than `before`. Records that
 * cannot be read stay.
 *
 * @param before Seconds since 1970.
 * @returns Characters left.
 */
export const deleteExpired = (store: IDBObjectStore, before: number): Promise<number> =>
  deleteSome(store, (entries) =>
    entries.filter(({ time }) => Number.isFinite(time) && time < before).map(({ key }) => key),
  );

async function deleteSome(store: IDBObjectStore, choose: (entries: Entry[]) => string[]): Promise<number> {
  const entries: Entry[] = (await readEntries(store)).map(([key, value]) => {
    const read = decode(value);
    const time =
      'reason' in read
        ? Number.NEGATIVE_INFINITY
        : read.reduce((newest, event) => Math.max(newest, event.time), Number.NEGATIVE_INFINITY);
    return { key, size: sizeOf(key, value), time };
  });
  store.delete(rangeOf(QUARANTINE));
  const gone = new Set(choose(entries));
  for (const key of gone) store.delete(key);
  return entries.reduce((sum, { key, size }) => (gone.has(key) ? sum : sum + size), 0);
}

/**
 * Deletes the events of `tab`. If then no event, no adapter and no pause is left, deletes everything but the mark of the tab
 * that is about to delete the database. One transaction does both, so an event or a pause is written before the mark or
 * finds it.
 *
 * @param now Milliseconds since 1970: sets the mark, unless another tab has set it.
 * @returns True if nothing but the mark is left, false if there is more, undefined if another tab has set the mark.
 */
export async function emptyOf(store: IDBObjectStore, tab?: string, now?: number): Promise<boolean | undefined> {
  if (tab !== undefined) store.delete(rangeOf(`${EVENTS}${tab}/`));
  const { ending, paused, learnt } = await readMarks(store);
  if (paused || learnt || (await promisifyRequest(store.count(rangeOf(EVENTS)))) > 0) return false;
  store.clear();
  const isOthers = isEnding(ending);
  const mark = isOthers ? ending : now;
  if (mark !== undefined) store.put(mark, ENDING);
  return isOthers ? undefined : true;
}

/** Whether a tab is about to delete the database. An old mark is of a tab that crashed. */
export const isEnding = (mark: unknown): boolean => typeof mark === 'number' && Math.abs(Date.now() - mark) < ENDS;

/** Characters of a record. */
export function sizeOf(key: string, value: unknown): number {
  return key.length + textOf(value).length;
}

/** All keys that begin so. */
export function rangeOf(prefix: string): IDBKeyRange {
  return IDBKeyRange.bound(prefix, `${prefix}\uffff`);
}
