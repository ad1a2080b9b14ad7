/** Operations on the records inside one transaction. */
import { promisifyRequest } from 'idb-keyval';
import { EVENTS, FIRST_EVENTS, lengthOf, type StoredEvent } from './records';

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
  // One after the other: of requests that nobody awaits a failure would reach the page.
  const read = (key: string) => promisifyRequest<unknown>(store.get(key));
  return {
    epoch: asText(await read(EPOCH)),
    paused: (await read(PAUSED)) === true,
    learnt: asText(await read(LEARNT_NAME)),
    ending: await read(ENDING),
  };
}

export function writeMarks(store: IDBObjectStore, { epoch, paused }: Pick<Marks, 'epoch' | 'paused'>): void {
  store.put(epoch, EPOCH);
  store.delete(ENDING);
  if (paused) store.put(true, PAUSED);
  else store.delete(PAUSED);
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
  if (paused || learnt || (await promisifyRequest(store.count(ofEvents()))) > 0) return false;
  store.clear();
  const isOthers = isEnding(ending);
  const mark = isOthers ? ending : now;
  if (mark !== undefined) store.put(mark, ENDING);
  return isOthers ? undefined : true;
}

/** Whether a tab is about to delete the database. An old mark is of a tab that crashed. */
export const isEnding = (mark: unknown): boolean => typeof mark === 'number' && Math.abs(Date.now() - mark) < ENDS;

/** Characters of a record beside its rows. */
const AROUND = 48;

/** Characters of a record. */
export const sizeOf = (key: string, events: readonly StoredEvent[]): number => key.length + AROUND + lengthOf(events);

export const ofEvents = (): IDBKeyRange => IDBKeyRange.bound(FIRST_EVENTS, `${EVENTS}\uffff`);

/** All keys that begin so. */
export function rangeOf(prefix: string): IDBKeyRange {
  return IDBKeyRange.bound(prefix, `${prefix}\uffff`);
}
