/** One IndexedDB database that cannot hang or surprise its caller: deadlines, reopening, closing when it is to be deleted. */
import { promisifyRequest, type UseStore } from 'idb-keyval';
import { RecommenderError } from '../errors';

export interface DatabaseOptions {
  readonly name: string;
  /** Seconds that an operation may take. */
  readonly deadline: number;
  /** Someone deletes the database: another tab of ours, the visitor, or the shop. */
  readonly onDeleted: () => void;
}

const STORE = 'records';

export class Database {
  readonly #options: DatabaseOptions;
  #use: UseStore | undefined;
  #connection: IDBDatabase | undefined;

  constructor(options: DatabaseOptions) {
    this.#options = options;
  }

  /**
   * Runs one transaction. It may run again after a failure, so what it writes must be the same each time.
   *
   * @param work Returns the result; the transaction commits after it unless it throws. It may await requests only.
   * @throws RecommenderError `timeout`; otherwise what IndexedDB says, after which the next call opens it anew.
   */
  async run<T>(
    mode: IDBTransactionMode,
    work: (store: IDBObjectStore) => T | Promise<T>,
    onMissing?: () => void,
  ): Promise<T> {
    let running: IDBTransaction | undefined;
    let over = false;
    this.#use ??= this.#opener(onMissing);
    const use = this.#use;
    const attempt = async () =>
      use(mode, async (store) => {
        running = store.transaction;
        if (over) return abandon(running);
        this.#watch(running.db);
        const done = promisifyRequest(running);
        done.catch(() => {}); // reported below, unless `work` fails first
        const result = await work(store);
        await done;
        return result;
      });
    try {
      return (await inTime(attempt(), this.#options.deadline, 'answer')) as T;
    } catch (error) {
      over = true;
      abandon(running);
      if (this.#use === use) this.close();
      throw error ?? new RecommenderError('io', 'IndexedDB gave no reason.');
    }
  }

  /**
   * As `run`, in a database that is there: one that is not, such as one that was erased, is not made by looking into it.
   *
   * @param none The result where there is no database.
   */
  async inside<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => T | Promise<T>, none: T): Promise<T> {
    let isThere = this.#use !== undefined || (await this.#exists());
    if (!isThere) return none;
    const gone = () => {
      isThere = false;
    };
    return this.run(mode, work, gone).catch((error) => {
      if (isThere) throw error;
      return none;
    });
  }

  /** Deletes the database, in every tab. Emptied first: a tab that is frozen can hold up the deletion, but not that. */
  async delete(): Promise<void> {
    if (globalThis.indexedDB === undefined) return;
    if (!this.#use && !(await this.#exists())) return;
    const emptied = this.run('readwrite', (store) => void store.clear());
    await emptied.catch(() => {});
    await this.drop().catch(() => emptied);
  }

  /** Deletes the database at once, whatever it holds. */
  drop(): Promise<unknown> {
    const { name, deadline } = this.#options;
    this.close();
    return inTime(promisifyRequest(indexedDB.deleteDatabase(name)), deadline, 'delete its data');
  }

  /** Closes the connection; the next `run` opens it again. */
  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
    this.#use = undefined;
  }

  async #exists(): Promise<boolean> {
    const list = async () => indexedDB.databases?.();
    const all = await inTime(list(), this.#options.deadline, 'answer');
    return all === undefined || all.some(({ name }) => name === this.#options.name);
  }

  /** Opens the database with its first transaction, and keeps it open. */
  #opener(onMissing: (() => void) | undefined): UseStore {
    const { name } = this.#options;
    let opened: Promise<IDBDatabase> | undefined;
    return async (mode, work) => {
      if (!opened) {
        const request = indexedDB.open(name);
        request.onupgradeneeded = () => {
          if (!onMissing) return void request.result.createObjectStore(STORE);
          request.transaction!.abort(); // with it goes what was begun of a database
          onMissing();
        };
        opened = promisifyRequest(request);
      }
      return work((await opened).transaction(STORE, mode).objectStore(STORE));
    };
  }

  #watch(connection: IDBDatabase): void {
    if (this.#connection === connection) return;
    this.#connection = connection;
    connection.onclose = () => {
      // Browsers close connections as they like; the next transaction opens another.
      if (this.#connection === connection) this.close();
    };
    connection.onversionchange = ({ newVersion }) => {
      // A connection that stays open would hold up whoever deletes or upgrades the database.
      connection.close();
      if (this.#connection !== connection) return;
      this.close();
      if (newVersion === null) this.#options.onDeleted();
    };
  }
}

/** Undoes what a late or failed transaction has begun; one that opened late is closed, too. */
function abandon(transaction: IDBTransaction | undefined): undefined {
  try {
    transaction?.abort();
  } catch {
    // It was over already.
  }
  transaction?.db.close();
}

async function inTime<T>(work: Promise<T>, seconds: number, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `IndexedDB did not ${what} within ${seconds} s.`;
    timer = setTimeout(() => reject(new RecommenderError('timeout', message)), 1000 * seconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
