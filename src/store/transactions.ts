/** What is done to the records inside one transaction. */
import { getMany, promisifyRequest } from 'idb-keyval';
import { within } from './database';
import { ASIDE, decode, type Entry, EVENTS, type StoredEvent, surplus, textOf } from './records';

/** A record that could not be read. */
export interface SetAside {
  readonly key: string;
  readonly reason: string;
  /** How it began. */
  readonly value: string;
}

/** Key of the name of this life of the database: a tab that knows another one learns that it was erased. */
const EPOCH = 'epoch';
/** Key that stands while the visitor wants nothing to be recorded. */
const PAUSED = 'paused';
/** Key of what was learnt from the events; `delta-store.ts` writes it. */
export const LEARNT = 'learnt';
/** Key of the name of what is written there: a tab that knows another one learns that it has changed. */
export const LEARNT_NAME = 'learnt/name';
/** Key that stands while a tab is about to delete a database that holds no event, since when: nobody writes into it. */
const ENDING = 'ending';
/** Milliseconds for which that stands for something. */
const ENDS = 2000;
const MAX_ASIDE = 16;

/** What is said of the whole database. */
export interface Marks {
  /** Undefined before the first write, and where it is damaged. */
  readonly epoch: string | undefined;
  /** What stands where a tab is about to delete it; see `isEnding`. */
  readonly ending: unknown;
  readonly paused: boolean;
  /** The name of what was learnt; undefined where nothing was. */
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

/** What records hold, their characters, those that no release can read, and what is to be said of all that cannot be read. */
export function sortedOut(
  entries: readonly (readonly [key: string, value: unknown])[],
): readonly [events: readonly StoredEvent[], size: number, damaged: readonly Damaged[], trouble: string | undefined] {
  const events: StoredEvent[] = [];
  const damaged: Damaged[] = [];
  let size = 0;
  let count = 0;
  let trouble: string | undefined;
  for (const [key, value] of entries) {
    size += sizeOf(key, value);
    const read = decode(value);
    if ('reason' in read) {
      trouble = `${++count} stored record(s) cannot be read and are passed over: ${read.reason}.`;
      if (!read.foreign) damaged.push([key, value, read.reason]);
    } else for (const event of read) events.push(event);
  }
  return [events, size, damaged, trouble];
}

/** Keeps the newest few: a device that damages everything must not fill up with what it damaged. */
export async function moveAside(store: IDBObjectStore, damaged: readonly Damaged[]): Promise<void> {
  const before = await promisifyRequest(store.getAllKeys(rangeOf(ASIDE)));
  for (const [key] of damaged) store.delete(key);
  for (const key of before.slice(0, Math.max(0, before.length + damaged.length - MAX_ASIDE))) store.delete(key);
  for (const [key, value, reason] of damaged.slice(0, MAX_ASIDE)) {
    store.put({ key, reason, value: textOf(value).slice(0, 1000) } satisfies SetAside, ASIDE + key);
  }
}

/**
 * Deletes what is set aside, then whole sessions, the oldest first, until `target` characters are left at most. Deleting
 * needs no room, so it also helps where the quota is used up.
 *
 * @param gap Seconds without an event that end a session.
 * @returns Characters left.
 */
export async function deleteOldest(store: IDBObjectStore, target: number, gap: number): Promise<number> {
  const entries: Entry[] = (await readEntries(store)).map(([key, value]) => {
    const read = decode(value);
    const time =
      'reason' in read
        ? Number.NEGATIVE_INFINITY
        : read.reduce((newest, event) => Math.max(newest, event.time), Number.NEGATIVE_INFINITY);
    return { key, size: sizeOf(key, value), time };
  });
  store.delete(rangeOf(ASIDE));
  const gone = new Set(surplus(entries, target, gap));
  for (const key of gone) store.delete(key);
  return entries.reduce((sum, { key, size }) => (gone.has(key) ? sum : sum + size), 0);
}

/**
 * Deletes the events of one tab, of none if it is not named. Where no event is left, nothing that was learnt, and no pause
 * stands, all of which is of after the erasure, everything is deleted but the mark of whoever is about to delete the database:
 * in one transaction, so that an event or a pause is there before the mark, or meets it.
 *
 * @param now Milliseconds since 1970: leaves such a mark, unless there is one.
 * @returns Whether nothing is left but that mark: false where there is more, undefined where there is another tab's mark.
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

/** Whether a mark says that a tab is about to delete the database; one that has stood for long is of a tab that died. */
export const isEnding = (mark: unknown): boolean => typeof mark === 'number' && Math.abs(Date.now() - mark) < ENDS;

/** Characters of a record. */
export function sizeOf(key: string, value: unknown): number {
  return key.length + textOf(value).length;
}

/** All keys that begin so. */
export function rangeOf(prefix: string): IDBKeyRange {
  return IDBKeyRange.bound(prefix, `${prefix}\uffff`);
}
