/**
 * Stores this visitor's events on the device. Every page (tab) appends records under keys of its own, so tabs never overwrite
 * each other. Tabs post to each other what they have stored; without a channel they read it.
 *
 * Before `open` nothing is read or written. While the database does not work, events wait in memory and the store tries again,
 * less and less often.
 */

import { promisifyRequest } from 'idb-keyval';
import { max, min } from '../captured';
import { quiet, reasonOf } from '../errors';
import { isListOf, MAX_STORED, MIN_STORED } from '../limits';
import { loaded } from '../loaded';
import { openChannel } from './channel';
import { Database } from './database';
import { Erasures } from './erasures';
import type { EventStore, EventStoreOptions, NewEvent, StorageState } from './interface';
import { Pause } from './pause';
import { encode, keyOf, randomName, type StoredEvent } from './records';
import { storageHealth } from './storage-health';
import { isEnding, type Marks, readMarks, sizeOf, writeMarks } from './transactions';
import { sleep, WaitingEvents } from './waiting';

export type { EventStore, EventStoreOptions, StorageProblem, StorageState } from './interface';

/** Milliseconds until the next attempt to write while another tab is about to delete the database. */
const RETRY_WRITE = 50;

const nothing = (): void => {};

type RecordReader = typeof import('./record-reader');

export function createEventStore(options: EventStoreOptions): EventStore {
  const { name = 'aisle', gap, deadline = 3, maxSize = MAX_STORED, retryAfter = 250 } = options;
  const { retention, now, onEvents, onStored, onErased, onWithdrawn, onPaused, onLearnt, onState, onProblem } = options;
  // Begins with the time, so that of events of equal times those of the older page come first.
  const tab = Date.now().toString(36) + randomName();
  const database = new Database({ name, deadline, onDeleted: vanish });
  const erasures = new Erasures(database);
  const channel = openChannel(name, onMessage);
  const { report, mend } = storageHealth(onProblem);
  let shownState: StorageState | undefined;
  const known = new Set<string>();
  const waiting = new WaitingEvents();
  const pause = new Pause();
  let state: 'new' | 'open' | 'closed' = 'new';
  let [epoch, learnt]: (string | undefined)[] = [];
  let [size, numbers, sequence, failures] = [0, 0, 0, 0];
  let isLoaded = false;
  /** Whether this page may have missed messages of other tabs since it has read. */
  let hasMissed = false;
  /** Whether a read may create the database: the first read after `open` does, to find out whether events can be stored. */
  let mayCreate = false;
  /** Counts erasures, after which earlier work does nothing, and stops, after which a running read starts again. */
  let [life, stops] = [0, 0];
  /** Loaded when the store opens: a page that may not store does not need it. */
  let reader: RecordReader | undefined;
  let draining: Promise<void> | undefined;
  /** Settles when the message of an erasure that this tab has noticed by itself has come: it may be a denial. */
  let heard: Promise<void> | undefined;
  let wake: (() => void) | undefined;
  /** Settles the running `flush` calls. */
  const flushing: (() => void)[] = [];

  const isOpen = (): boolean => state === 'open';
  type Body<T> = (store: IDBObjectStore, marks: Marks) => Promise<T>;

  /** Reads in one transaction of this life of the database; `none` if there is no database. */
  const look = <T>(body: Body<T>, none: T): Promise<T | undefined> =>
    work(body, 'readonly', () => mayCreate && !hasMissed, none);

  /** Writes in one such transaction. */
  const change = <T>(body: Body<T>): Promise<T | undefined> => work<T | undefined>(body, 'readwrite', () => false);

  /**
   * @param creates Whether it creates a missing database.
   * @returns The result of `body`; undefined if everything was erased meanwhile.
   */
  async function work<T>(
    body: Body<T>,
    mode: IDBTransactionMode,
    creates: () => boolean,
    none?: T,
  ): Promise<T | undefined> {
    const began = life;
    await erasures.over;
    if (life !== began || !isOpen()) return undefined;
    let erased = epoch !== undefined || hasMissed; // true if the database is missing
    let marks: Marks | undefined;
    const whole = async (store: IDBObjectStore) => {
      marks = await readMarks(store);
      erased = life !== began || (epoch !== undefined && marks.epoch !== epoch);
      return erased || state === 'new' ? undefined : body(store, marks); // `hold` may have come meanwhile
    };
    let result: T | undefined;
    try {
      result = await (creates() ? database.run(mode, whole) : database.runIfExists(mode, whole, none));
    } catch (error) {
      if (life === began) throw error;
    }
    if (state === 'closed') database.close();
    if (life !== began) return undefined;
    if (erased) {
      vanish();
      return undefined;
    }
    epoch ??= marks?.epoch;
    const paused = pause.update(marks?.paused === true);
    if (paused !== undefined) onPaused(paused, paused ? waiting.drop() : []);
    if (marks?.learnt !== learnt) {
      learnt = marks?.learnt;
      onLearnt(learnt);
    }
    return result;
  }

  /** Reads everything, hands out the new events, and has the records of old or damaged ones deleted or moved. */
  async function load(): Promise<void> {
    const began = life + stops;
    const { readStored, sortedOut } = await loadReader();
    const found = await look(readStored, {});
    if (!found || life + stops !== began) return; // erased or stopped meanwhile; the loop reads again
    const { events, size: total, cleanings } = sortedOut(found, now(), retention, report);
    size = total;
    isLoaded = true;
    hasMissed = false;
    mayCreate = false;
    hand(events.filter(isNew));
    for (const clean of cleanings) size = (await change(clean)) ?? 0;
  }

  async function loadReader(): Promise<RecordReader> {
    reader ??= await loaded(import('./record-reader'));
    return reader;
  }

  function isNew(event: StoredEvent): boolean {
    const identity = `${event.tab}/${event.number}`;
    return event.tab !== tab && !known.has(identity) && !!known.add(identity);
  }

  function hand(events: StoredEvent[]): void {
    if (events.length > 0) onEvents(events.sort((a, b) => a.time - b.time));
  }

  /**
   * Writes into this life of the database, or begins one.
   *
   * @param paused The mark to set; undefined leaves it.
   * @param done Called after the write. If it is not called, the loop tries again as long as there is something to write.
   */
  async function add(
    paused: boolean | undefined,
    put: (store: IDBObjectStore) => void,
    done: () => unknown,
  ): Promise<void> {
    const created = randomName();
    const began = life;
    await heard;
    if (life !== began) return;
    let ends = false;
    const body = async (store: IDBObjectStore, marks: Marks) => {
      ends = isEnding(marks.ending);
      if (ends || (paused === undefined && pause.forbids(marks.paused))) return undefined;
      const now = marks.epoch ?? created;
      writeMarks(store, { epoch: now, paused: paused ?? marks.paused });
      put(store);
      store.transaction.commit?.(); // a page that is being left gets no success event
      return now;
    };
    const written = await work<string | undefined>(body, 'readwrite', () => epoch === undefined && !hasMissed);
    if (ends) await sleep(RETRY_WRITE).over; // the loop tries again
    if (!written || life !== began) return;
    epoch = written;
    await done();
  }

  /** Writes one record. Every attempt has the same key and content. */
  async function write(events: readonly StoredEvent[]): Promise<void> {
    const key = keyOf(tab, sequence);
    const value = encode(events);
    const put = (store: IDBObjectStore) => void store.put(value, key);
    await add(undefined, put, async () => {
      const began = life;
      // Apart from the write, which a page that is being left must not delay.
      const stored = await look((store) => promisifyRequest<unknown>(store.get(key)), undefined);
      if (life !== began) return;
      reader!.assertReadable(stored);
      sequence++;
      size += sizeOf(key, events);
      waiting.stored(events.at(-1)!.number);
      channel?.post({ epoch, events });
      onStored(events);
    });
  }

  function writePause(): Promise<void> {
    const paused = pause.on;
    return add(paused, nothing, () => pause.written(paused));
  }

  async function makeRoom(most: (all: number) => number): Promise<void> {
    const { deleteOldest } = await loadReader();
    const [left, problem] = (await change((store) => deleteOldest(store, most, gap, now()))) ?? [0];
    size = left;
    if (problem) report('storage-short', problem);
  }

  function show(next: StorageState): void {
    if (!isOpen() || next === shownState) return;
    shownState = next;
    onState(next);
  }

  const isBusy = (): boolean => isOpen() && (!isLoaded || pause.due || waiting.length > 0);

  function settleFlushes(): void {
    for (const settle of flushing.splice(0)) settle();
  }

  /** The only loop: it reads first, then writes what waits, and tries again after failures. */
  async function drain(): Promise<void> {
    try {
      while (isBusy()) {
        try {
          if (!isLoaded) await load();
          if (size > maxSize) await makeRoom(() => (2 / 3) * maxSize);
          if (waiting.length > 0) await write(waiting.batch());
          else if (pause.due) await writePause();
          failures = 0;
          mend();
          show('indexeddb');
        } catch (error) {
          if (isOpen()) await recover(error);
        }
      }
    } catch {
      // The page has broken what `recover` needs: the next event tries again.
    }
    draining = undefined;
    quiet(settleFlushes);
  }

  async function recover(error: unknown): Promise<void> {
    failures++;
    const isFull = (error as Partial<Error> | null)?.name === 'QuotaExceededError';
    if (isFull && failures <= 3) {
      waiting.shrink(); // a smaller record may still fit
      // The device has less space than `maxSize`: the older half goes, also of what other tabs have stored.
      return failures === 1 ? quiet(() => makeRoom((all) => max(all / 2, MIN_STORED))) : undefined;
    }
    // The next attempt opens a closed connection again; one failure is not reported.
    if (failures === 1 && isLoaded) return;
    show('memory');
    const message = `Events are kept in this page's memory and end with it: ${reasonOf(error)}`;
    report(isFull ? 'storage-full' : 'no-storage', message);
    settleFlushes();
    const pause = sleep(min(60_000, retryAfter * 2 ** (failures - 1)));
    wake = pause.wake;
    await pause.over;
  }

  function start(): void {
    if (isBusy()) draining ??= drain();
  }

  /** Ends a life of the database: nothing that waits is written into the next one. */
  function endLife(): void {
    life++;
    mayCreate = false;
    epoch = undefined;
    learnt = undefined;
    size = 0;
    failures = 0;
    pause.erased();
    known.clear();
    waiting.drop();
    // The problems of the last life are over.
    mend(true);
    if (shownState === 'memory') show('idle');
    wake?.();
  }

  function forget(by: 'page' | 'elsewhere'): unknown {
    endLife();
    return onErased(by);
  }

  /** The data is gone, perhaps because consent was denied. Where no message tells, only a new consent stores again. */
  function vanish(): void {
    // The deletion of an empty database changes nothing. A tab that erases posts that.
    const hears = channel && !hasMissed;
    if (hears && size === 0 && learnt === undefined) pause.erased(pause.due);
    else forget('elsewhere');
    epoch = undefined;
    heard = sleep(RETRY_WRITE).over;
    if (!hears && isOpen()) withdraw('unknown');
  }

  function withdraw(consent: 'denied' | 'unknown'): void {
    stop();
    waiting.drop(); // also of a page that was not storing
    onWithdrawn(consent);
  }

  function stop(): void {
    if (isOpen()) state = 'new';
    stops++;
    isLoaded = false;
    shownState = undefined;
    mend();
    wake?.();
    settleFlushes();
  }

  /** A message of another tab, or of any script of this origin, so it is checked. */
  function onMessage(message: unknown): void {
    const { epoch: theirs, events, erased, stopped, paused, changed } = (message ?? {}) as Record<string, unknown>;
    // Denied consent erases a stored visit, but not one that is only in this page's memory.
    // A tab that was frozen, or is busy, gets the message late: what it has stored in a later life stays. A denial is for all lives.
    const isOther = theirs !== epoch;
    if ((erased === true && !(isOther && theirs && epoch)) || (stopped === true && isOpen())) {
      quiet(() => erasures.sweep(forget('elsewhere'), tab)); // a device that does not answer has written nothing
    }
    if (stopped === true) withdraw('denied');
    if (typeof paused === 'boolean' && paused !== pause.on) setPaused(paused);
    if (changed === true && isOpen() && isLoaded) quiet(() => look(async () => {}, undefined));
    if (!(isOpen() && isLoaded && isListOf(events, reader!.isEventAt(now())))) return;
    // The message may be older than an erasure, so the database is read.
    if (isOther || !epoch) quiet(load);
    else {
      const fresh = events.filter(isNew);
      if (fresh.length > 0) size += sizeOf(keyOf(tab, sequence), fresh);
      hand(fresh);
    }
  }

  function setPaused(paused: boolean): void {
    pause.set(paused);
    onPaused(paused, []);
    start();
  }

  function flush(): Promise<void> {
    if (!isBusy() || shownState === 'memory') return Promise.resolve();
    return new Promise((settle) => flushing.push(settle));
  }

  const identify = (event: NewEvent): StoredEvent => ({ tab, number: numbers++, ...event });

  return {
    open() {
      if (state !== 'new') return;
      state = 'open';
      mayCreate = true;
      hasMissed = false;
      pause.opened();
      show('idle');
      start();
    },
    identify,
    append(event) {
      if (state === 'closed') return Promise.resolve(false);
      const stored = waiting.add('tab' in event ? event : identify(event));
      start();
      return stored;
    },
    flush,
    pause(paused) {
      channel?.post({ paused });
      setPaused(paused);
      return flush();
    },
    hears: channel !== undefined,
    async refresh(mayHaveMissed = false) {
      if (!isOpen()) return;
      hasMissed ||= mayHaveMissed;
      if (failures === 0) await quiet(load);
      if (hasMissed) await quiet(load); // the connection may have been lost
      if (hasMissed) {
        isLoaded = false; // so the loop reads, and reports what fails
        start();
      }
    },
    async begin() {
      if (isOpen() && !epoch) await add(undefined, nothing, nothing);
      return epoch;
    },
    async beside(body, changes = false) {
      if (!isOpen() || !epoch) return undefined;
      const result = await (changes ? change(body) : look(body, undefined));
      if (changes && result) {
        channel?.post({ changed: true });
        learnt = String(result); // until the marks are read again: there is a record, whose deletion is noticed
      }
      return result;
    },
    erase(goOn = true) {
      if (!goOn) stop();
      channel?.post({ epoch, erased: true, stopped: !goOn });
      forget('page');
      return erasures.erase();
    },
    hold: stop,
    discard() {
      channel?.post({ stopped: true });
      stop();
      endLife();
      return erasures.erase();
    },
    async close() {
      if (state === 'closed') return;
      wake?.();
      const late = sleep(failures > 0 ? 0 : 1000 * deadline);
      await Promise.race([draining, late.over]);
      late.wake();
      state = 'closed';
      erasures.end();
      wake?.();
      waiting.drop();
      settleFlushes();
      channel?.close();
      database.close();
    },
  };
}
