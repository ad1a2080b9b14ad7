/** What the store of events is to those who use it. */
import type { StoredEvent } from './records';
import type { Marks } from './transactions';

/** Where events are: `idle` while the database has not answered yet. */
export type StorageState = 'idle' | 'memory' | 'indexeddb';
export type StoreTrouble = 'no-storage' | 'storage-full' | 'storage-short' | 'records-set-aside';

export interface EventStoreOptions {
  /** Name of the database and of the channel between tabs. Default `aisle`. */
  readonly name?: string;
  /** Seconds without an event after which a new session begins: whole sessions make room for newer ones. */
  readonly gap: number;
  /** Seconds that an operation may take before it counts as failed. Default 3. */
  readonly deadline?: number;
  /** Most characters that are stored, keys included; a third is given up when it is reached. Default 500,000. */
  readonly maxSize?: number;
  /** Milliseconds until the second attempt after a failure; each further one waits twice as long, a minute at most. Default 250. */
  readonly retryAfter?: number;
  /** Events that this page did not add: of earlier visits and of other tabs. Each comes once, sorted by time. */
  readonly onEvents: (events: readonly StoredEvent[]) => void;
  /** Events of this page that are stored now: they survive it. */
  readonly onStored: (events: readonly StoredEvent[]) => void;
  /** What was stored is erased, here (`by` this page) or elsewhere: whoever holds a copy drops it, and returns a promise where it writes beside. */
  readonly onErased: (by: 'page' | 'elsewhere') => unknown;
  /**
   * This page has stopped storing, until `open`: `denied` in another tab, or `unknown` where its data is gone and no tab
   * could tell it why.
   */
  readonly onWithdrawn: (consent: 'denied' | 'unknown') => void;
  /** Recording has been paused or resumed, here or elsewhere. `dropped`: what this page tracked after it was paused elsewhere. */
  readonly onPaused: (paused: boolean, dropped: readonly StoredEvent[]) => void;
  /** What is stored of what was learnt has another name: this page has not read it yet, unless it wrote it. */
  readonly onLearnt: (name: string | undefined) => void;
  readonly onState: (state: StorageState) => void;
  /** Less than there should be, and why; undefined where that is over. */
  readonly onTrouble: (code: StoreTrouble, message: string | undefined) => void;
}

export interface EventStore {
  /** Begins to store, what was appended before included. A second call does nothing. */
  open(): void;
  /** Gives an event its identity: this page, and the how-manieth it is here. */
  identify(event: NewEvent): StoredEvent;
  /** Adds an event at once. The promise becomes true when it is stored; false if it was erased, or the store closed, before. */
  append(event: NewEvent | StoredEvent): Promise<boolean>;
  /** Resolves when all that was appended is stored, or as soon as that fails. At once before `open`. */
  flush(): Promise<void>;
  /**
   * Tells every tab, and the device where it is open, that nothing more is to be recorded, or that it is again. It is for
   * the caller not to append meanwhile. Resolves as `flush` does.
   */
  pause(paused: boolean): Promise<void>;
  /** Whether other tabs tell what they store. Where not, `refresh` reads it. */
  readonly hears: boolean;
  /** Reads what is stored and hands out what is new; nothing where the last operation failed. Never rejects. */
  refresh(): Promise<void>;
  /**
   * Makes the database for what is kept beside the events, where nothing is stored yet.
   *
   * @returns The name of its life. Undefined where nothing may be stored, and while another tab is about to delete it, which
   *   takes a moment: then again.
   */
  begin(): Promise<string | undefined>;
  /**
   * One transaction for what is kept beside the events and ends with them. Where it `changes` something, the other tabs are
   * told to look for what it is. Undefined where nothing may be stored, where no event is, or where all was erased
   * meanwhile; otherwise what `body` returns. Rejects with what IndexedDB says.
   */
  beside<T>(
    body: (store: IDBObjectStore, marks: Marks) => Promise<T | undefined>,
    changes?: boolean,
  ): Promise<T | undefined>;
  /**
   * Erases everything in every tab, what waits to be written included.
   *
   * @param goOn Whether to store what comes after it. Default true; otherwise all tabs stop, until `open`.
   * @throws RecommenderError `timeout`, or what IndexedDB says, where it could not be done.
   */
  erase(goOn?: boolean): Promise<void>;
  /** Stops, until `open`. What is stored stays, and what was appended waits. */
  hold(): void;
  /**
   * Stops, until `open`, and deletes what earlier visits stored; the other tabs erase and stop. What this page holds in
   * memory stays. Throws as `erase` does.
   */
  discard(): Promise<void>;
  /** Writes what waits, for as long as one operation may take, and ends. */
  close(): Promise<void>;
}

/** An event before the store has given it an identity. */
export type NewEvent = Pick<StoredEvent, 'itemId' | 'time' | 'event' | 'features'>;
