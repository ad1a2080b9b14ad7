/**
 * This visitor's events, kept on the device. Every page (tab) appends records under keys of its own, so tabs never write
 * over each other; they tell each other what was stored where the browser lets them, and read it where not.
 *
 * Before `open` nothing is read or written. Without a database that works, events wait in memory and the store tries again,
 * less and less often.
 */
import { openChannel } from './channel';
import { Database } from './database';
import { decode, encode, isEvent, keyOf, type StoredEvent } from './records';
import {
  deleteOldest,
  EPOCH,
  moveAside,
  readAside,
  readEntries,
  readEpoch,
  type SetAside,
  sizeOf,
} from './transactions';

/** Where events are: `idle` while the database has not answered yet. */
export type StorageState = 'idle' | 'memory' | 'indexeddb';
export type StoreTrouble = 'no-storage' | 'storage-full' | 'records-set-aside';

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
  readonly onEvents?: (events: readonly StoredEvent[]) => void;
  /** What was stored is erased, here or elsewhere: whoever holds a copy drops it. */
  readonly onErased?: () => void;
  /** Another tab has erased and wants all to stop storing: the visitor's consent is withdrawn. */
  readonly onWithdrawn?: () => void;
  readonly onState?: (state: StorageState) => void;
  /** Less than there should be, and why; undefined where that is over. */
  readonly onTrouble?: (code: StoreTrouble, message: string | undefined) => void;
}

export interface EventStore {
  /** Begins to store, what was appended before included. A second call does nothing. */
  open(): void;
  /** Adds an event at once. The promise becomes true when it is stored; false if it was erased, or the store closed, before. */
  append(event: Pick<StoredEvent, 'itemId' | 'time' | 'event'>): Promise<boolean>;
  /** Whether other tabs tell what they store. Where not, `refresh` reads it. */
  readonly hears: boolean;
  /** Reads what is stored and hands out what is new. Never rejects. */
  refresh(): Promise<void>;
  /** What could not be read, and why; empty where the database does not answer. */
  setAside(): Promise<readonly SetAside[]>;
  /**
   * Erases everything in every tab, what waits to be written included.
   *
   * @param goOn Whether to store what comes after it. Default true; otherwise all tabs stop, until `open`.
   * @throws RecommenderError `timeout`, or what IndexedDB says, where it could not be done.
   */
  erase(goOn?: boolean): Promise<void>;
  /** Stops, until `open`, and deletes what earlier visits stored. Copies in memory stay. Throws as `erase` does. */
  discard(): Promise<void>;
  /** Writes what waits, for as long as one operation may take, and ends. */
  close(): Promise<void>;
}

interface Waiting {
  readonly event: StoredEvent;
  readonly stored: (stored: boolean) => void;
}

const MAX_BATCH = 500;
const MAX_WAITING = 10_000;

export function createEventStore(options: EventStoreOptions): EventStore {
  const { name = 'aisle', gap, deadline = 3, maxSize = 500_000, retryAfter = 250 } = options;
  const {
    onEvents = () => {},
    onErased = () => {},
    onWithdrawn = () => {},
    onState = () => {},
    onTrouble = () => {},
  } = options;
  const tab = randomName();
  const database = new Database({ name, deadline, onDeleted: forget });
  const channel = openChannel(name, hear);
  const troubles = new Set<StoreTrouble>();
  let told: StorageState | undefined;
  const known = new Set<string>();
  const waiting: Waiting[] = [];
  let state: 'new' | 'open' | 'closed' = 'new';
  let epoch: string | undefined;
  let size = 0;
  let numbers = 0;
  let sequence = 0;
  let failures = 0;
  let loaded = false;
  /** Counts erasures: work that began before one does nothing after it. */
  let life = 0;
  let erasing: Promise<void> | undefined;
  let draining: Promise<void> | undefined;
  let wake: (() => void) | undefined;

  /** One transaction of this life of the database; undefined where it was erased meanwhile. */
  async function work<T>(
    mode: IDBTransactionMode,
    body: (store: IDBObjectStore) => Promise<T>,
  ): Promise<T | undefined> {
    await erasing;
    const began = life;
    let erased = false;
    let found: string | undefined;
    const result = await database.run(mode, async (store) => {
      found = await readEpoch(store);
      erased = life !== began || (epoch !== undefined && found !== epoch);
      return erased ? undefined : body(store);
    });
    if (state === 'closed') database.close();
    if (life !== began) return undefined;
    if (erased) {
      forget();
      return undefined;
    }
    epoch ??= found;
    return result;
  }

  /** Reads everything, hands out what is new, and moves what is damaged. */
  async function load(): Promise<void> {
    const entries = await work('readonly', readEntries);
    if (entries === undefined) return; // erased meanwhile; the loop reads again
    const fresh: StoredEvent[] = [];
    const damaged: [key: string, value: unknown, reason: string][] = [];
    let unreadable = '';
    let count = 0;
    size = 0;
    for (const [key, value] of entries) {
      size += sizeOf(key, value);
      const read = decode(value);
      if ('reason' in read) {
        count++;
        unreadable = read.reason;
        if (!read.foreign) damaged.push([key, value, read.reason]);
      } else fresh.push(...read.filter(isNew));
    }
    loaded = true;
    if (count > 0) {
      trouble('records-set-aside', `${count} stored record(s) cannot be read and are passed over: ${unreadable}.`);
    }
    hand(fresh);
    if (damaged.length > 0) await work('readwrite', (store) => moveAside(store, damaged));
  }

  function isNew(event: StoredEvent): boolean {
    const identity = `${event.tab}/${event.number}`;
    return event.tab !== tab && !known.has(identity) && known.add(identity) !== undefined;
  }

  function hand(events: StoredEvent[]): void {
    if (events.length > 0) onEvents(events.sort((a, b) => a.time - b.time || a.number - b.number));
  }

  /** Writes one record; its key and text are the same however often it is tried. */
  async function write(events: readonly StoredEvent[]): Promise<void> {
    const key = keyOf(tab, sequence);
    const value = encode(events);
    const created = epoch ?? randomName();
    const stored = await work('readwrite', async (store) => {
      const now = (await readEpoch(store)) ?? created;
      store.put(now, EPOCH);
      store.put(value, key);
      return now;
    });
    if (stored === undefined) return; // erased meanwhile, and these events with it
    epoch = stored;
    sequence++;
    size += sizeOf(key, value);
    const { number } = events.at(-1)!;
    while (waiting.length > 0 && waiting[0]!.event.number <= number) waiting.shift()!.stored(true);
    channel?.tell({ epoch, events });
  }

  async function makeRoom(target: number): Promise<void> {
    size = (await work('readwrite', (store) => deleteOldest(store, target, gap))) ?? 0;
  }

  /** Tells of a trouble when it begins, and when it is over. */
  function trouble(code: StoreTrouble, message?: string): void {
    if (troubles.has(code) === (message !== undefined)) return;
    if (message === undefined) troubles.delete(code);
    else troubles.add(code);
    onTrouble(code, message);
  }

  function mend(): void {
    trouble('no-storage');
    trouble('storage-full');
  }

  function tell(next: StorageState): void {
    if (state !== 'open' || next === told) return;
    told = next;
    onState(next);
  }

  /** The one loop that reads at first, then writes what waits, and tries again after failures. */
  async function drain(): Promise<void> {
    while (state === 'open' && (!loaded || waiting.length > 0)) {
      try {
        if (!loaded) await load();
        if (size > maxSize) await makeRoom((2 / 3) * maxSize);
        if (waiting.length > 0) await write(waiting.slice(0, MAX_BATCH).map(({ event }) => event));
        failures = 0;
        mend();
        tell('indexeddb');
      } catch (error) {
        if (state !== 'open') return;
        await recover(error);
      }
    }
  }

  async function recover(error: unknown): Promise<void> {
    failures++;
    const isFull = (error as { name?: unknown } | null)?.name === 'QuotaExceededError';
    if (isFull && failures === 1) return makeRoom(size / 2).catch(() => {});
    // A connection that was closed is opened again by the next attempt; that alone is not worth a word.
    if (failures === 1 && loaded) return;
    tell('memory');
    const why = error instanceof Error ? error.message : String(error);
    const message = `Events are kept in this page's memory and end with it: ${why}`;
    trouble(isFull ? 'storage-full' : 'no-storage', message);
    const pause = Math.min(60_000, retryAfter * 2 ** (failures - 1));
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      wake = resolve;
      timer = setTimeout(resolve, pause);
      (timer as { unref?: () => void }).unref?.();
    });
    clearTimeout(timer);
  }

  function start(): void {
    if (state !== 'open' || draining) return;
    draining = drain().finally(() => {
      draining = undefined;
      if (!loaded || waiting.length > 0) start();
    });
  }

  /** The end of a life of the database: nothing that waits to be written goes into the next one. */
  function endLife(): void {
    life++;
    epoch = undefined;
    size = 0;
    known.clear();
    for (const { stored } of waiting.splice(0)) stored(false);
  }

  function forget(): void {
    endLife();
    onErased();
  }

  function stop(): void {
    if (state === 'open') state = 'new';
    loaded = false;
    told = undefined;
    mend();
  }

  /** Later work waits for it. */
  function remove(): Promise<void> {
    const removal = (erasing ?? Promise.resolve()).then(() => database.delete());
    erasing = removal.catch(() => {});
    return removal;
  }

  /** Another tab speaks, or any script of this origin: nothing is taken on trust. */
  function hear(message: unknown): void {
    const { epoch: theirs, events, erased, stopped } = (message ?? {}) as Record<string, unknown>;
    if (erased === true) forget();
    if (stopped === true && state === 'open') {
      stop();
      onWithdrawn();
    }
    if (!(state === 'open' && loaded && Array.isArray(events) && events.every(isEvent))) return;
    // A message may be older than an erasure: then only the database knows what there is.
    if (epoch !== undefined && theirs === epoch) hand(events.filter(isNew));
    else load().catch(() => {});
  }

  return {
    open() {
      if (state !== 'new') return;
      state = 'open';
      tell('idle');
      start();
    },
    append({ itemId, time, event }) {
      if (state === 'closed') return Promise.resolve(false);
      return new Promise((stored) => {
        waiting.push({ event: { tab, number: numbers++, time, itemId, event }, stored });
        if (waiting.length > MAX_WAITING) for (const lost of waiting.splice(0, MAX_WAITING / 2)) lost.stored(false);
        start();
      });
    },
    hears: channel !== undefined,
    async refresh() {
      if (state === 'open') await load().catch(() => {});
    },
    async setAside() {
      if (state !== 'open') return [];
      return (await work('readonly', readAside).catch(() => undefined)) ?? [];
    },
    erase(goOn = true) {
      if (!goOn) stop();
      channel?.tell({ erased: true, stopped: !goOn });
      forget();
      return remove();
    },
    discard() {
      stop();
      endLife();
      return remove();
    },
    async close() {
      if (state === 'closed') return;
      wake?.();
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise((resolve) => {
        timer = setTimeout(resolve, failures > 0 ? 0 : 1000 * deadline);
      });
      await Promise.race([draining, late]);
      clearTimeout(timer);
      state = 'closed';
      wake?.();
      for (const { stored } of waiting.splice(0)) stored(false);
      channel?.close();
      database.close();
    },
  };
}

/** Unlikely to be drawn twice; `crypto` is missing or broken in some pages. */
function randomName(): string {
  try {
    return [...crypto.getRandomValues(new Uint32Array(2))].map((part) => part.toString(36)).join('');
  } catch {
    return Math.random().toString(36).slice(2);
  }
}
