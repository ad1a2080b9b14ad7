/** What is done to the records inside one transaction. */
import { promisifyRequest } from 'idb-keyval';
import { ASIDE, decode, type Entry, EVENTS, surplus } from './records';

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
const MAX_ASIDE = 16;

/** What is said of the whole database. */
export interface Marks {
  /** Undefined before the first write, and where it is damaged. */
  readonly epoch: string | undefined;
  readonly paused: boolean;
  /** The name of what was learnt; undefined where nothing was. */
  readonly learnt: string | undefined;
}

const asText = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

export async function readMarks(store: IDBObjectStore): Promise<Marks> {
  const [epoch, paused, learnt]: unknown[] = await Promise.all(
    [EPOCH, PAUSED, LEARNT_NAME].map((key) => promisifyRequest(store.get(key))),
  );
  return { epoch: asText(epoch), paused: paused === true, learnt: asText(learnt) };
}

export function writeMarks(store: IDBObjectStore, { epoch, paused }: Omit<Marks, 'learnt'>): void {
  store.put(epoch, EPOCH);
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

/** Keeps the newest few: a device that damages everything must not fill up with what it damaged. */
export async function moveAside(store: IDBObjectStore, damaged: readonly [string, unknown, string][]): Promise<void> {
  const before = await promisifyRequest(store.getAllKeys(rangeOf(ASIDE)));
  for (const [key] of damaged) store.delete(key);
  for (const key of before.slice(0, Math.max(0, before.length + damaged.length - MAX_ASIDE))) store.delete(key);
  for (const [key, value, reason] of damaged.slice(0, MAX_ASIDE)) {
    store.put({ key, reason, value: String(value).slice(0, 1000) } satisfies SetAside, ASIDE + key);
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
    const time = 'reason' in read ? Number.NEGATIVE_INFINITY : Math.max(...read.map((event) => event.time));
    return { key, size: sizeOf(key, value), time };
  });
  store.delete(rangeOf(ASIDE));
  const gone = new Set(surplus(entries, target, gap));
  for (const key of gone) store.delete(key);
  return entries.reduce((sum, { key, size }) => (gone.has(key) ? sum : sum + size), 0);
}

/**
 * Deletes the events of one tab, of none if it is not named; where no event is left, everything.
 *
 * @returns Whether nothing is left.
 */
export async function deleteOf(store: IDBObjectStore, tab?: string): Promise<boolean> {
  if (tab !== undefined) store.delete(rangeOf(`${EVENTS}${tab}/`));
  const left = await promisifyRequest(store.count(rangeOf(EVENTS)));
  if (left === 0) store.clear();
  return left === 0;
}

/** Characters of a record. */
export function sizeOf(key: string, value: unknown): number {
  return key.length + String(value).length;
}

/** All keys that begin so. */
export function rangeOf(prefix: string): IDBKeyRange {
  return IDBKeyRange.bound(prefix, `${prefix}\uffff`);
}
