/**
 * Notes about this device, such as which backend computes the fastest on it; nothing about who uses it. In the page's
 * memory until they may be stored; then also in the database of the events, which is erased as a whole.
 */
import { get } from 'idb-keyval';
import { Database } from './database';

export interface DeviceNotes {
  /** Counts how often everything was forgotten. */
  readonly life: number;
  /**
   * From now on notes are stored, those in memory at once.
   *
   * @param after What allows it. After a `yes` the first note may make the database; after an `event` was stored it is there,
   *   and where it is not, it has been erased.
   */
  allow(after: 'yes' | 'event'): void;
  /** From now on notes stay in memory. Settles when nothing is being written any more. */
  forbid(): Promise<void>;
  /** Undefined where there is no such note. What is stored may be anything: any script of this origin may write there. */
  read(key: string): Promise<unknown>;
  /**
   * Settles when the note is stored, or kept in memory if it cannot be.
   *
   * @param life In which the note was made; one of an earlier life is dropped.
   */
  write(key: string, note: object, life: number): Promise<void>;
  /**
   * Forgets what is in memory; the database is deleted by others. Notes stay in memory from then on, until they are allowed
   * again. Settles when nothing is being written any more.
   */
  forget(): Promise<void>;
  /** Ends the connection, once what is being written is. Notes stay in memory from then on. */
  close(): Promise<void>;
}

const NOTE = 'note/';

/** Of this page, whichever recommender made them. */
const memory = new Map<string, object>();

/**
 * @param name Name of the database. Default `aisle`, that of the events.
 * @param deadline Seconds that an operation may take. Default 1: it is better to go on without.
 */
export function openDeviceNotes({ name = 'aisle', deadline = 1 } = {}): DeviceNotes {
  const database = new Database({ name, deadline, onDeleted: forgetAll });
  let isAllowed = false;
  let isBroken = false;
  let isClosed = false;
  let mayMake = false;
  let life = 0;
  let last: Promise<unknown> = Promise.resolve();

  function forgetAll(): void {
    life++;
    isAllowed = mayMake = false; // what was erased does not come back because a measurement ends later
    memory.clear();
  }

  /** One after the other, so that whoever erases can wait for the last. */
  async function stored<T>(work: () => Promise<T>): Promise<T | undefined> {
    if (isClosed) return undefined; // it would open the database again, and nobody would close it
    const began = life;
    const run = last.then(async () => {
      // To write into a database that was erased would make it again.
      if (!isAllowed || isBroken || life !== began) return undefined;
      return work().catch(() => {
        // Memory has it; that nothing can be stored is told by the store of the events. To wait once is enough.
        isBroken = true;
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
        store.transaction.commit?.(); // a page that is being left does not come to see its success
      };
      const use = mayMake ? database.run : database.runIfExists;
      mayMake = false;
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
      mayMake = after === 'yes';
      for (const [key, note] of memory) void put(key, note);
    },
    forbid() {
      isAllowed = false;
      return end();
    },
    async read(key) {
      // Another tab may have written since.
      return (await stored(() => get(NOTE + key, database.runIfExists))) ?? memory.get(key);
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
