/** A fresh IndexedDB for each test, and pages that share it. */
import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { promisifyRequest } from 'idb-keyval';
import { createEventStore, type EventStore, type EventStoreOptions } from '../../src/store/event-store';
import type { StoredEvent } from '../../src/store/records';

export interface Page {
  readonly store: EventStore;
  /** Events that the store handed out, in the order in which it did. */
  readonly events: StoredEvent[];
  /** States and troubles, in words, as they were notices. */
  readonly notices: string[];
}

let databases = 0;
let name = '';
const open: EventStore[] = [];

export const freshDatabase = (): void => {
  globalThis.indexedDB = new IDBFactory();
  name = `test-${databases++}`;
};

export const closeAll = async (): Promise<void> => {
  await Promise.all(open.splice(0).map((store) => store.close()));
};

/** In place of `BroadcastChannel`: hears nothing of other pages, as in the browser's back/forward cache. */
export class DeafChannel {
  postMessage(): void {}
  close(): void {}
}

/** A page that may store; `open: false` for one that may not yet. */
export function page({ opened = true, ...options }: Partial<EventStoreOptions> & { opened?: boolean } = {}): Page {
  const events: StoredEvent[] = [];
  const notices: string[] = [];
  const store = createEventStore({
    name,
    gap: 1800,
    retention: Number.POSITIVE_INFINITY,
    now: () => Date.now() / 1000,
    deadline: 20,
    retryAfter: 5,
    onEvents: (some) => events.push(...some),
    onStored: () => {},
    onErased: () => {
      events.length = 0;
      notices.push('erased');
    },
    onWithdrawn: (consent) => notices.push(`withdrawn: ${consent}`),
    onPaused: (paused, dropped) =>
      notices.push([paused ? 'paused' : 'resumed', ...dropped.map(({ itemId }) => itemId)].join(' ')),
    onLearnt: () => {},
    onState: (state) => notices.push(state),
    onProblem: (code, message) => notices.push(message === undefined ? `${code} is over` : `${code}: ${message}`),
    ...options,
  });
  open.push(store);
  if (opened) store.open();
  return { store, events, notices };
}

export const view = (itemId: string, time: number, event = 'view') => ({ itemId, time, event });

/** Name of the database of this test. */
export const databaseName = (): string => name;

/** What a page that is opened now finds, as "item time". */
export async function stored(): Promise<string[]> {
  const reader = page();
  await reader.store.refresh();
  await reader.store.close();
  return reader.events.map(({ itemId, time }) => `${itemId} ${time}`);
}

/** Every key and value, by plain IndexedDB; undefined where there is no database at all. */
export async function dump(): Promise<Map<string, unknown> | undefined> {
  const all = await indexedDB.databases();
  if (!all.some((one) => one.name === name)) return undefined;
  const found = new Map<string, unknown>();
  await raw((store) => {
    store.openCursor().onsuccess = ({ target }) => {
      const cursor = (target as IDBRequest<IDBCursorWithValue | null>).result;
      if (!cursor) return;
      found.set(String(cursor.key), cursor.value);
      cursor.continue();
    };
  });
  return found;
}

/** One transaction by plain IndexedDB, as a foreign script would make it. */
export async function raw(work: (store: IDBObjectStore) => void): Promise<void> {
  const db = await promisifyRequest(indexedDB.open(name));
  const transaction = db.transaction('records', 'readwrite');
  work(transaction.objectStore('records'));
  await new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
  db.close();
}

export const deleteFromOutside = (): Promise<unknown> => promisifyRequest(indexedDB.deleteDatabase(name));
