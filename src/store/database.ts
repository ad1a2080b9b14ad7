/**
 * One IndexedDB database behind `UseStore`, the interface of the verbs of idb-keyval. It adds
 * a deadline to every operation, opens a lost connection again, and closes the connection when the database is deleted.
 */
import { promisifyRequest, type UseStore } from 'idb-keyval';
import { within } from '../abort';
import { quiet, RecommenderError } from '../errors';

export interface DatabaseOptions {
  readonly name: string;
  /** Seconds that an operation may take. */
  readonly deadline: number;
  /** Called when another tab, the visitor or the shop deletes the database. */
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
   * Runs one transaction, which fails if the page is left meanwhile. The caller may repeat it after a failure, so it must write the same
   * each time.
   *
   * @param work Returns the result; the transaction commits afterwards unless `work` throws. It may await requests only.
   * @throws RecommenderError `timeout`; otherwise the error of IndexedDB. The next call opens the database again.
   */
  readonly run: UseStore = (mode, work) => this.#run(mode, work);

  async #run<T>(
    mode: IDBTransactionMode,
    work: (store: IDBObjectStore) => T | PromiseLike<T>,
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
        const done = completed(running);
        quiet(() => done); // reported below, unless `work` fails first
        const result = await work(store);
        await done;
        return result;
      });
    // A page in WebKit's cache keeps the transaction that it has begun, and every other page of the shop waits for it:
    // https://github.com/jakearchibald/idb-keyval/issues/180
    const leave = () => {
      abandon(running);
      this.close();
    };
    globalThis.addEventListener?.('pagehide', leave);
    try {
      return (await inTime(attempt(), this.#options.deadline, 'answer')) as T;
    } catch (error) {
      over = true;
      abandon(running);
      if (this.#use === use) this.close();
      throw error ?? new RecommenderError('io', 'IndexedDB gave no reason.');
    } finally {
      globalThis.removeEventListener?.('pagehide', leave);
    }
  }

  /**
   * Like `run`, but does not create a missing database, such as one that was erased.
   *
   * @param none The result if there is no database. Default undefined.
   */
  readonly runIfExists = async <T>(
    mode: IDBTransactionMode,
    work: (store: IDBObjectStore) => T | PromiseLike<T>,
    none?: T,
  ): Promise<T> => {
    let exists = this.#use !== undefined || (await this.#exists());
    if (!exists) return none as T;
    const onMissing = () => {
      exists = false;
    };
    try {
      return await this.#run(mode, work, onMissing);
    } catch (error) {
      if (exists) throw error;
      return none as T;
    }
  };

  /** Deletes the database, in every tab. Clears it first, because a frozen tab can delay the deletion but not the clearing. */
  async delete(): Promise<void> {
    if (!globalThis.indexedDB || globalThis.origin === 'null') return; // which has none
    if (!this.#use && !(await this.#exists())) return;
    const cleared = this.runIfExists('readwrite', (store) => {
      store.clear();
      store.transaction.commit?.(); // the visitor may leave at once
    });
    await quiet(() => cleared);
    await this.drop().catch(() => cleared);
  }

  /** Deletes the database without clearing it first. */
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
    // In a frame without an origin Chromium rejects once more, which nobody could handle; there `open` says why not.
    const list = async () => (globalThis.origin === 'null' ? undefined : indexedDB.databases?.());
    const all = await inTime(list(), this.#options.deadline, 'answer');
    return !all || all.some(({ name }) => name === this.#options.name);
  }

  /** Opens the database with its first transaction, and keeps it open until `close`. */
  #opener(onMissing: (() => void) | undefined): UseStore {
    let opened: Promise<IDBDatabase> | undefined;
    const use: UseStore = async (mode, work) => {
      opened ??= this.#open(onMissing);
      const connection = await opened;
      if (this.#use !== use) {
        connection.close(); // it came too late
        throw new Error('it was closed');
      }
      this.#watch(connection);
      return work(connection.transaction(STORE, mode).objectStore(STORE));
    };
    return use;
  }

  /** @param version Default: that of the database, or 1. */
  async #open(onMissing: (() => void) | undefined, version?: number): Promise<IDBDatabase> {
    const request = indexedDB.open(this.#options.name, version);
    request.onupgradeneeded = () => {
      if (!onMissing) {
        if (request.result.objectStoreNames.contains(STORE)) request.result.deleteObjectStore(STORE);
        return void request.result.createObjectStore(STORE);
      }
      request.transaction!.abort(); // so that no database is created
      onMissing();
    };
    const connection = await promisifyRequest(request);
    if (isOurs(connection)) return connection;
    // Another script has made a database of this name.
    connection.close();
    onMissing?.();
    if (onMissing) throw new Error();
    return this.#open(onMissing, connection.version + 1);
  }

  #watch(connection: IDBDatabase): void {
    if (this.#connection === connection) return;
    this.#connection = connection;
    connection.onclose = () => {
      // A browser may close a connection at any time; the next transaction opens another.
      if (this.#connection === connection) this.close();
    };
    connection.onversionchange = ({ newVersion }) => {
      // An open connection would delay the deletion or upgrade.
      connection.close();
      if (this.#connection !== connection) return;
      this.close();
      if (newVersion === null) this.#options.onDeleted();
    };
  }
}

/** Whether there is the store for records, under keys of their own. A store that has no `keyPath` at all is a lie of the page. */
const isOurs = (connection: IDBDatabase): boolean =>
  connection.objectStoreNames.contains(STORE) && connection.transaction(STORE).objectStore(STORE).keyPath == null;

/** Settles when the transaction ends. With listeners, since the verbs of idb-keyval set `oncomplete` and `onabort`. */
function completed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.addEventListener('complete', () => resolve());
    transaction.addEventListener('abort', () => reject(transaction.error));
  });
}

/** Aborts a late or failed transaction and closes its connection. */
function abandon(transaction: IDBTransaction | undefined): undefined {
  try {
    transaction?.abort();
  } catch {
    // It had already ended.
  }
  transaction?.db.close();
}

const inTime = <T>(work: Promise<T>, seconds: number, what: string): Promise<T> =>
  within(seconds, work, `IndexedDB did not ${what} within ${seconds} s.`);
