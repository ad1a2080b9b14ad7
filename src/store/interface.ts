/** The interface of the event store. */
import type { StoredEvent } from './records';
import type { Marks } from './transactions';

/** Where events are: `idle` while the database has not answered yet. */
export type StorageState = 'idle' | 'memory' | 'indexeddb';
export type StorageProblem = 'no-storage' | 'storage-full' | 'storage-short' | 'records-set-aside' | 'events-ahead';

export interface EventStoreOptions {
  /** Name of the database and of the channel between tabs. Default `aisle`. */
  readonly name?: string;
  /** Seconds without an event after which a new session begins: whole sessions make room for newer ones. */
  readonly gap: number;
  /** Seconds that an operation may take before it counts as failed. Default 3. */
  readonly deadline?: number;
  /** Most characters to store, keys included; at the limit the oldest third is deleted. Default `MAX_STORED`. */
  readonly maxSize?: number;
  /**
   * Seconds after which an event is passed over, and deleted the next time that events are read. What is ahead of the clock waits as
   * long.
   */
  readonly retention: number;
  /** Seconds since 1970: what is old, and what is ahead. */
  readonly now: () => number;
  /** Milliseconds until the second attempt after a failure; each further wait doubles, up to a minute. Default 250. */
  readonly retryAfter?: number;
  /** Events of earlier visits and of other tabs, each once, sorted by time. */
  readonly onEvents: (events: readonly StoredEvent[]) => void;
  /** Events of this page that are stored now, so that they outlive it. */
  readonly onStored: (events: readonly StoredEvent[]) => void;
  /** Everything stored is erased, `by` this page or elsewhere. Drop all copies; return a promise that settles when other writes have ended. */
  readonly onErased: (by: 'page' | 'elsewhere') => unknown;
  /**
   * This page does not store until `open`: consent was `denied` in another tab, or is `unknown` because the data is gone
   * and this page could not hear why.
   */
  readonly onWithdrawn: (consent: 'denied' | 'unknown') => void;
  /** Recording was paused or resumed, here or elsewhere. `dropped`: events that this page tracked after a pause elsewhere. */
  readonly onPaused: (paused: boolean, dropped: readonly StoredEvent[]) => void;
  /** The stored adapter has another name. Unless this page wrote it, this page has not read it yet. */
  readonly onLearnt: (name: string | undefined) => void;
  readonly onState: (state: StorageState) => void;
  /** A problem begins, with a message, or ends (undefined). */
  readonly onProblem: (code: StorageProblem, message: string | undefined) => void;
}

export interface EventStore {
  /** Starts to store, including what was appended before. A second call does nothing. */
  open(): void;
  /** Gives an event its identity: this page and its number here. */
  identify(event: NewEvent): StoredEvent;
  /** Adds an event at once. Resolves to true when it is stored, to false if it was erased or the store closed before. */
  append(event: NewEvent | StoredEvent): Promise<boolean>;
  /** Resolves when all that was appended is stored, or as soon as that fails. At once before `open`. */
  flush(): Promise<void>;
  /**
   * Pauses or resumes recording in every tab, and on the device if the store is open. The caller must not append while it is
   * paused. Resolves as `flush` does.
   */
  pause(paused: boolean): Promise<void>;
  /** Whether other tabs post what they store. If not, `refresh` reads it. */
  readonly hears: boolean;
  /**
   * Reads the stored events and hands out the new ones, unless the last operation failed. Never rejects.
   *
   * @param mayHaveMissed Whether this page did not hear the other tabs for a while. Default false. If the database is gone, consent
   *   is unknown, as without a channel.
   */
  refresh(mayHaveMissed?: boolean): Promise<void>;
  /**
   * Creates the database if nothing is stored yet, for records beside the events.
   *
   * @returns The name of its life. Undefined if nothing may be stored, or while another tab is about to delete the database: try
   *   again a moment later.
   */
  begin(): Promise<string | undefined>;
  /**
   * Runs one transaction on records beside the events, which are erased with them. If it `changes` something, the other tabs
   * read again. Rejects with the error of IndexedDB.
   *
   * @returns The result of `body`; undefined if nothing may be stored, no event is stored, or everything was erased meanwhile.
   */
  beside<T>(
    body: (store: IDBObjectStore, marks: Marks) => Promise<T | undefined>,
    changes?: boolean,
  ): Promise<T | undefined>;
  /**
   * Erases everything in every tab, including what waits to be written.
   *
   * @param goOn Whether to store later events. Default true; otherwise all tabs stop until `open`.
   * @throws RecommenderError `timeout`, or the error of IndexedDB.
   */
  erase(goOn?: boolean): Promise<void>;
  /** Stops until `open`. Stored events stay, and appended events wait. */
  hold(): void;
  /**
   * Stops until `open`, and deletes what earlier visits stored; the other tabs erase and stop. The events in this page's
   * memory stay. Throws as `erase` does.
   */
  discard(): Promise<void>;
  /** Writes what waits, within the deadline of one operation, and closes the store. */
  close(): Promise<void>;
}

/** An event before the store has given it an identity. */
export type NewEvent = Omit<StoredEvent, 'tab' | 'number'>;
