/**
 * This visitor's events, kept on the device. Every page (tab) appends records under keys of its own, so tabs never write
 * over each other; they tell each other what was stored where the browser lets them, and read it where not.
 *
 * Before `open` nothing is read or written. Without a database that works, events wait in memory and the store tries again,
 * less and less often.
 */
import { reasonOf } from '../errors';
import { openChannel } from './channel';
import { Database } from './database';
import { Erasures } from './erasures';
import type { EventStore, EventStoreOptions, NewEvent, StorageState } from './interface';
import { Pause } from './pause';
import { encode, inOrder, isEvent, keyOf, randomName, type StoredEvent } from './records';
import {
  deleteOldest,
  isEnding,
  type Marks,
  moveAside,
  readEntries,
  readMarks,
  sizeOf,
  sortedOut,
  writeMarks,
} from './transactions';
import { troublesOf } from './troubles';
import { sleep, WaitingEvents } from './waiting';

export type { EventStore, EventStoreOptions, StorageState, StoreTrouble } from './interface';

/** Milliseconds until the next attempt to write where another tab is about to delete the database. */
const LOOK = 50;

const nothing = (): void => {};

export function createEventStore(options: EventStoreOptions): EventStore {
  const { name = 'aisle', gap, deadline = 3, maxSize = 500_000, retryAfter = 250 } = options;
  const { onEvents, onStored, onErased, onWithdrawn, onPaused, onLearnt, onState, onTrouble } = options;
  // Of events of one time, those of the older page come first.
  const tab = Date.now().toString(36) + randomName();
  const database = new Database({ name, deadline, onDeleted: vanish });
  const erasures = new Erasures(database);
  const channel = openChannel(name, hear);
  const { trouble, mend } = troublesOf(onTrouble);
  let told: StorageState | undefined;
  const known = new Set<string>();
  const waiting = new WaitingEvents();
  const pause = new Pause();
  let state: 'new' | 'open' | 'closed' = 'new';
  let [epoch, learnt]: (string | undefined)[] = [];
  let [size, numbers, sequence, failures] = [0, 0, 0, 0];
  let loaded = false;
  /** Whether a look may make the database: the first one after `open`, which finds out whether events can be stored. */
  let mayMake = false;
  /** Counts erasures: work that began before one does nothing after it. And stops: what was being read is read again. */
  let [life, stops] = [0, 0];
  let draining: Promise<void> | undefined;
  let wake: (() => void) | undefined;
  /** Who waits for a `flush`. */
  const flushing: (() => void)[] = [];

  const isOpen = (): boolean => state === 'open';
  type Body<T> = (store: IDBObjectStore, marks: Marks) => Promise<T>;

  /** Reads in one transaction of this life of the database; `none` where there is no database. */
  const look = <T>(body: Body<T>, none: T): Promise<T | undefined> => work(body, 'readonly', () => mayMake, none);

  /** Writes in one such transaction. */
  const change = <T>(body: Body<T>): Promise<T | undefined> => work<T | undefined>(body, 'readwrite', () => false);

  /**
   * @param makes Whether it makes the database where there is none.
   * @returns What `body` does; undefined where all was erased meanwhile.
   */
  async function work<T>(
    body: Body<T>,
    mode: IDBTransactionMode,
    makes: () => boolean,
    none?: T,
  ): Promise<T | undefined> {
    const began = life;
    await erasures.over;
    if (life !== began || !isOpen()) return undefined;
    let erased = epoch !== undefined; // as it is where the database is gone
    let marks: Marks | undefined;
    const whole = async (store: IDBObjectStore) => {
      marks = await readMarks(store);
      erased = life !== began || (epoch !== undefined && marks.epoch !== epoch);
      return erased ? undefined : body(store, marks);
    };
    const transaction = makes() ? database.run(mode, whole) : database.runIfExists(mode, whole, none);
    const result = await transaction.catch((error) => {
      if (life === began) throw error;
      return undefined;
    });
    if (state === 'closed') database.close();
    if (life !== began) return undefined;
    if (erased) {
      vanish();
      return undefined;
    }
    epoch ??= marks?.epoch;
    const paused = pause.meet(marks?.paused === true);
    if (paused !== undefined) onPaused(paused, paused ? waiting.drop() : []);
    if (marks?.learnt !== learnt) {
      learnt = marks?.learnt;
      onLearnt(learnt);
    }
    return result;
  }

  /** Reads everything, hands out what is new, and moves what is damaged. */
  async function load(): Promise<void> {
    const began = life + stops;
    const entries = await look(readEntries, []);
    if (entries === undefined || life + stops !== began) return; // erased or stopped meanwhile; the loop reads again
    const [events, total, damaged, unreadable] = sortedOut(entries);
    size = total;
    loaded = true;
    mayMake = false;
    if (unreadable) trouble('records-set-aside', unreadable);
    hand(events.filter(isNew));
    if (damaged.length > 0) await change((store) => moveAside(store, damaged));
  }

  function isNew(event: StoredEvent): boolean {
    const identity = `${event.tab}/${event.number}`;
    return event.tab !== tab && !known.has(identity) && known.add(identity) !== undefined;
  }

  function hand(events: StoredEvent[]): void {
    if (events.length > 0) onEvents(events.sort(inOrder));
  }

  /**
   * Writes into this life of the database, or begins one.
   *
   * @param paused What the device is to say; undefined for what it says.
   * @param done Called when it is written; not where it is to be tried again, if there is still something to write.
   */
  async function add(
    paused: boolean | undefined,
    put: (store: IDBObjectStore) => void,
    done: () => void,
  ): Promise<void> {
    const created = randomName();
    const began = life;
    let ends = false;
    const body = async (store: IDBObjectStore, marks: Marks) => {
      ends = isEnding(marks.ending);
      if (ends || (paused === undefined && pause.forbids(marks.paused))) return undefined;
      const now = marks.epoch ?? created;
      writeMarks(store, { epoch: now, paused: paused ?? marks.paused });
      put(store);
      return now;
    };
    const written = await work<string | undefined>(body, 'readwrite', () => epoch === undefined);
    if (ends) await sleep(LOOK).over; // and is tried again
    if (written === undefined || life !== began) return;
    epoch = written;
    done();
  }

  /** Writes one record; its key and text are the same however often it is tried. */
  async function write(events: readonly StoredEvent[]): Promise<void> {
    const key = keyOf(tab, sequence);
    const value = encode(events);
    const put = (store: IDBObjectStore) => void store.put(value, key);
    await add(undefined, put, () => {
      sequence++;
      size += sizeOf(key, value);
      waiting.stored(events.at(-1)!.number);
      channel?.tell({ epoch, events });
      onStored(events);
    });
  }

  function writePause(): Promise<void> {
    const paused = pause.on;
    return add(paused, nothing, () => pause.written(paused));
  }

  async function makeRoom(target: number): Promise<void> {
    size = (await change((store) => deleteOldest(store, target, gap))) ?? 0;
  }

  /** The device gives less room than `maxSize`: the older half goes. */
  async function squeeze(): Promise<void> {
    const before = size;
    await makeRoom(before / 2);
    if (size >= before) return;
    trouble('storage-short', 'This device has room for the newest events only.');
  }

  function tell(next: StorageState): void {
    if (!isOpen() || next === told) return;
    told = next;
    onState(next);
  }

  const isBusy = (): boolean => isOpen() && (!loaded || pause.due || waiting.length > 0);

  function settleFlushes(): void {
    for (const settle of flushing.splice(0)) settle();
  }

  /** The one loop that reads at first, then writes what waits, and tries again after failures. */
  async function drain(): Promise<void> {
    while (isBusy()) {
      try {
        if (!loaded) await load();
        if (size > maxSize) await makeRoom((2 / 3) * maxSize);
        if (waiting.length > 0) await write(waiting.batch());
        else if (pause.due) await writePause();
        failures = 0;
        mend();
        tell('indexeddb');
      } catch (error) {
        if (!isOpen()) return;
        await recover(error);
      }
    }
  }

  async function recover(error: unknown): Promise<void> {
    failures++;
    const isFull = (error as Partial<Error> | null)?.name === 'QuotaExceededError';
    if (isFull && failures <= 3) {
      waiting.shrink(); // a smaller record may still fit
      return failures === 1 ? squeeze().catch(() => {}) : undefined;
    }
    // A connection that was closed is opened again by the next attempt; that alone is not worth a word.
    if (failures === 1 && loaded) return;
    tell('memory');
    const message = `Events are kept in this page's memory and end with it: ${reasonOf(error)}`;
    trouble(isFull ? 'storage-full' : 'no-storage', message);
    settleFlushes();
    const pause = sleep(Math.min(60_000, retryAfter * 2 ** (failures - 1)));
    wake = pause.wake;
    await pause.over;
  }

  function start(): void {
    if (!isOpen() || draining) return;
    draining = drain().finally(() => {
      draining = undefined;
      if (isBusy()) start();
      else settleFlushes();
    });
  }

  /** The end of a life of the database: nothing that waits to be written goes into the next one. */
  function endLife(): void {
    life++;
    mayMake = false;
    epoch = undefined;
    learnt = undefined;
    size = 0;
    failures = 0;
    pause.erased();
    known.clear();
    waiting.drop();
    // All that was said of the last life is over; what troubles the next one is found out anew.
    mend('storage-short', 'records-set-aside');
    if (told === 'memory') tell('idle');
    wake?.();
  }

  function forget(by: 'page' | 'elsewhere'): unknown {
    endLife();
    return onErased(by);
  }

  /** The data is gone. By a visitor's no, perhaps: where no tab can tell, only a new yes stores again. */
  function vanish(): void {
    // That an empty database is deleted ends nothing. Where it is, because a tab erases, that tab says so.
    if (channel && size === 0 && learnt === undefined) pause.erased(pause.due);
    else forget('elsewhere');
    epoch = undefined;
    if (!channel) withdraw('unknown');
  }

  function withdraw(consent: 'denied' | 'unknown'): void {
    if (!isOpen()) return;
    stop();
    onWithdrawn(consent);
  }

  function stop(): void {
    if (isOpen()) state = 'new';
    stops++;
    loaded = false;
    told = undefined;
    mend();
    wake?.();
    settleFlushes();
  }

  /** Another tab speaks, or any script of this origin: nothing is taken on trust. */
  function hear(message: unknown): void {
    const { epoch: theirs, events, erased, stopped, paused, changed } = (message ?? {}) as Record<string, unknown>;
    // A visit that is in this page's memory only is not ended by a no to storing; one that is stored is.
    if (erased === true || (stopped === true && isOpen())) {
      erasures.sweep(forget('elsewhere'), tab).catch(() => {}); // where the device does not answer, it has not written either
    }
    if (stopped === true) withdraw('denied');
    if (typeof paused === 'boolean' && paused !== pause.on) setPaused(paused);
    if (changed === true && isOpen() && loaded) look(async () => {}, undefined).catch(() => {});
    if (!(isOpen() && loaded && Array.isArray(events) && events.every(isEvent))) return;
    // A message may be older than an erasure: then only the database knows what there is.
    if (epoch === undefined || theirs !== epoch) load().catch(() => {});
    else {
      const fresh = events.filter(isNew);
      if (fresh.length > 0) size += sizeOf(keyOf(tab, sequence), encode(fresh));
      hand(fresh);
    }
  }

  function setPaused(paused: boolean): void {
    pause.set(paused, isOpen());
    onPaused(paused, []);
    start();
  }

  function flush(): Promise<void> {
    if (!isBusy() || told === 'memory') return Promise.resolve();
    return new Promise((settle) => flushing.push(settle));
  }

  const identify = ({ itemId, time, event, features }: NewEvent): StoredEvent => ({
    ...{ tab, number: numbers++, time, itemId, event },
    ...(features && { features }),
  });

  return {
    open() {
      if (state !== 'new') return;
      state = 'open';
      mayMake = true;
      pause.opened();
      tell('idle');
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
      channel?.tell({ paused });
      setPaused(paused);
      return flush();
    },
    hears: channel !== undefined,
    async refresh() {
      if (isOpen() && failures === 0) await load().catch(() => {});
    },
    async begin() {
      if (isOpen() && !epoch) await add(undefined, nothing, nothing);
      return epoch;
    },
    async beside(body, changes = false) {
      if (!isOpen() || !epoch) return undefined;
      const result = await (changes ? change(body) : look(body, undefined));
      if (changes && result) channel?.tell({ changed: true });
      return result;
    },
    erase(goOn = true) {
      if (!goOn) stop();
      channel?.tell({ erased: true, stopped: !goOn });
      forget('page');
      return erasures.erase();
    },
    hold() {
      if (isOpen()) stop();
    },
    discard() {
      channel?.tell({ stopped: true });
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
