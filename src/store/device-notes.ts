/**
 * Notes beside the events: which backend is the fastest, what slots showed last, a catalogue. They are in the page's memory
 * until they may be stored, and then also in the database of the events, which is erased as a whole.
 */
import { promisifyRequest } from 'idb-keyval';
import type { RecommenderError } from '../errors';
import { Database } from './database';

export interface DeviceNotes {
  /** Counts the erasures. */
  readonly life: number;
  /**
   * Stores the notes from now on, those in memory at once.
   *
   * @param after What allows it. After a `yes` the first note may create the database. After an `event` was stored the database
   *   exists; if it is missing, it was erased.
   */
  allow(after: 'yes' | 'event'): void;
  /** Keeps notes in memory from now on. Settles when all writes have ended. */
  forbid(): Promise<void>;
  /** Undefined if there is no such note. The value may be anything, because any script of this origin can write there. */
  read(key: string): Promise<unknown>;
  /**
   * Settles when the note is stored, or in memory if it cannot be stored.
   *
   * @param life The value of `life` when the note was made; a note of an earlier life is dropped.
   */
  write(key: string, note: object, life: number): Promise<void>;
  /**
   * Forgets the notes in memory; the event store deletes the database. Later notes stay in memory until `allow`. Settles when
   * all writes have ended.
   */
  forget(): Promise<void>;
  /** Closes the connection after the running write. Later notes stay in memory. */
  close(): Promise<void>;
}

/** How the keys of notes begin. */
export const NOTE = 'note/';
/** The note that the network has, too: the first to go where the device is full. */
export const CATALOGUE = 'catalogue';

/** Shared by all recommenders of this page. */
const memory = new Map<string, object>();

/**
 * @param name Name of the database. Default `aisle`, that of the events.
 * @param deadline Seconds that an operation may take. Default 1.
 */
export function openDeviceNotes({ name = 'aisle', deadline = 1 } = {}): DeviceNotes {
  const database = new Database({ name, deadline, onDeleted: forgetAll });
  let isAllowed = false;
  let isBroken = false;
  let isClosed = false;
  let mayCreate = false;
  let life = 0;
  let last: Promise<unknown> = Promise.resolve();

  function forgetAll(): void {
    life++;
    isAllowed = mayCreate = false; // a benchmark that ends later must not restore what was erased
    memory.clear();
  }

  /** Runs one operation at a time, so that an erasure can wait for the last. */
  async function stored<T>(work: () => Promise<T>): Promise<T | undefined> {
    if (isClosed) return undefined; // it would open the database again without closing it
    const began = life;
    const run = last.then(async () => {
      // A write would create the erased database again.
      if (!isAllowed || isBroken || life !== began) return undefined;
      return work().catch((error: unknown) => {
        // The note is in memory, the event store reports the problem, and one deadline is enough.
        isBroken ||= (error as Partial<RecommenderError> | null)?.code === 'timeout';
        return undefined;
      });
    });
    last = run;
    return run;
  }

  const put = (key: string, note: object): Promise<unknown> =>
    stored(async () => {
      const write = (store: IDBObjectStore): void => {
        store.put(note, NOTE + key);
        store.transaction.commit?.(); // a page that is being left gets no success event
      };
      const use = mayCreate ? database.run : database.runIfExists;
      mayCreate = false;
      return use('readwrite', write);
    });

  async function end(): Promise<void> {
    await last;
    database.close();
  }

  return {
    get life() {
      return life;
    },
    allow(after) {
      if (isAllowed) return;
      isAllowed = true;
      mayCreate = after === 'yes';
      for (const [key, note] of memory) void put(key, note);
    },
    forbid() {
      isAllowed = false;
      return end();
    },
    async read(key) {
      // Another tab may have written since.
      const get = (store: IDBObjectStore) => promisifyRequest<unknown>(store.get(NOTE + key));
      return (await stored(() => database.runIfExists('readonly', get))) ?? memory.get(key);
    },
    async write(key, note, made) {
      if (made !== life) return;
      memory.set(key, note);
      if (isAllowed) await put(key, note);
    },
    forget() {
      forgetAll();
      return end();
    },
    close() {
      isClosed = true;
      return end();
    },
  };
}
