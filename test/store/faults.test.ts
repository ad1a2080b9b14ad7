/** An IndexedDB that is missing, refuses, never answers, closes or is full: the store goes on in memory, and recovers. */
import { forceCloseDatabase, IDBFactory } from 'fake-indexeddb';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LISTS } from '../../src/recommender/device-record';
import { CATALOGUE, NOTE, openDeviceNotes } from '../../src/store/device-notes';
import { readQuarantine } from '../../src/store/quarantine';
import { closeAll, databaseName, dump, freshDatabase, page, stored, view } from './helpers';

beforeEach(freshDatabase);
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  await closeAll();
});

const never = (): never => ({}) as never;
const error = (name: string) => new DOMException(`${name} of the test`, name);
const refuses = (name: string) => () => {
  throw error(name);
};

describe('an IndexedDB that', () => {
  test.each<[string, () => void]>([
    ['is missing', () => vi.stubGlobal('indexedDB', undefined)],
    ['throws when it is looked at', () => vi.stubGlobal('indexedDB', undefined)],
    ['throws when it is opened', () => vi.spyOn(indexedDB, 'open').mockImplementation(refuses('SecurityError'))],
    ['never opens', () => vi.spyOn(indexedDB, 'open').mockImplementation(never)],
    ['opens no transaction', () => refuseTransactions()],
    ['never answers a read', () => vi.spyOn(IDBObjectStore.prototype, 'get').mockImplementation(never)],
    ['never lists keys', () => vi.spyOn(IDBObjectStore.prototype, 'getAllKeys').mockImplementation(never)],
    ['never lists values', () => vi.spyOn(IDBObjectStore.prototype, 'getAll').mockImplementation(never)],
    ['takes no write', () => vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(refuses('DataError'))],
  ])('%s leaves events in memory, says so once, and gets them when it works again', async (how, broken) => {
    const works = globalThis.indexedDB;
    broken();
    if (how.startsWith('throws when it is looked at')) {
      Object.defineProperty(globalThis, 'indexedDB', { configurable: true, get: refuses('SecurityError') });
    }
    const { store, notices } = page({ deadline: 0.05 });
    const answer = store.append(view('a', 1));
    await expect.poll(() => notices.join()).toContain('no-storage: Events are kept in this page');
    expect(notices.filter((word) => word === 'memory')).toHaveLength(1);
    await store.refresh();
    expect(await readQuarantine(store)).toEqual([]);
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
    Object.defineProperty(globalThis, 'indexedDB', { configurable: true, writable: true, value: works });
    expect(await answer).toBe(true);
    await expect.poll(() => notices.slice(-2)).toEqual(['no-storage is over', 'indexeddb']);
    expect(notices.filter((word) => word.startsWith('no-storage:'))).toHaveLength(1);
    expect(await stored()).toEqual(['a 1']);
  });

  test('hangs for good does not keep the page from closing', async () => {
    vi.spyOn(indexedDB, 'open').mockImplementation(never);
    const { store } = page({ deadline: 0.05 });
    const answer = store.append(view('a', 1));
    await store.close();
    expect(await answer).toBe(false);
  });

  test.each<[string, () => void]>([
    ['never lists its databases', () => vi.spyOn(indexedDB, 'databases').mockImplementation(() => new Promise(never))],
    ['throws when asked for its databases', () => vi.spyOn(indexedDB, 'databases').mockImplementation(refuses('x'))],
    ['is empty and never opens', () => vi.spyOn(indexedDB, 'open').mockImplementation(never)],
  ])('%s ends an erasure in time', async (how, broken) => {
    broken();
    const { store } = page({ opened: false, deadline: 0.05 });
    const erased = store.erase().then(
      () => 'erased',
      () => 'not confirmed',
    );
    expect(await erased).toBe(how.startsWith('is empty') ? 'erased' : 'not confirmed');
  });

  test('never ends a deletion has been emptied all the same', async () => {
    const { store } = page({ deadline: 0.5 });
    await store.append(view('a', 1));
    vi.spyOn(indexedDB, 'deleteDatabase').mockImplementation(never);
    await store.erase();
    expect(await stored()).toEqual([]);
  });

  test('closes its connection is opened again without a word', async () => {
    const connections = new Set<IDBDatabase>();
    const { transaction } = IDBDatabase.prototype;
    vi.spyOn(IDBDatabase.prototype, 'transaction').mockImplementation(function (this: IDBDatabase, ...args) {
      connections.add(this);
      return transaction.apply(this, args);
    });
    const { store, notices } = page();
    await store.append(view('a', 1));
    for (const connection of connections) forceCloseDatabase(connection as never);
    expect(await store.append(view('b', 2))).toBe(true);
    for (const connection of connections) connection.close(); // no event tells of this one
    expect(await store.append(view('c', 3))).toBe(true);
    expect(connections.size).toBe(3);
    expect(notices).toEqual(['idle', 'indexeddb']);
    expect(await stored()).toEqual(['a 1', 'b 2', 'c 3']);
  });

  // A page that goes into a browser's cache in the middle of a transaction would hold up all others.
  test.each([
    ['before it has read', 'get'],
    ['before it has written', 'put'],
    ['before it has committed', 'commit'],
    ['once it has committed', 'commit, and then'],
  ])('is left %s ends the transaction, and stores the event once when the page is back', async (_, step) => {
    const listeners = new EventTarget();
    vi.stubGlobal('addEventListener', listeners.addEventListener.bind(listeners));
    vi.stubGlobal('removeEventListener', listeners.removeEventListener.bind(listeners));
    const { store, notices } = page();
    await store.append(view('a', 1));
    const [name, after] = step.split(', ') as ['get' | 'put' | 'commit', string?];
    const prototype = (name === 'commit' ? IDBTransaction : IDBObjectStore).prototype as never as Record<
      string,
      () => void
    >;
    const original = prototype[name]!;
    const ends: string[] = [];
    vi.spyOn(prototype, name).mockImplementationOnce(function (this: unknown, ...args: []) {
      const transaction = name === 'commit' ? (this as IDBTransaction) : (this as IDBObjectStore).transaction;
      for (const end of ['abort', 'complete']) transaction.addEventListener(end, () => ends.push(end));
      if (!after) listeners.dispatchEvent(new Event('pagehide'));
      const result = original.apply(this, args);
      if (after) listeners.dispatchEvent(new Event('pagehide'));
      return result;
    });
    expect(await store.append(view('b', 2))).toBe(true);
    expect(ends).toEqual([after ? 'complete' : 'abort']);
    expect(notices).toEqual(['idle', 'indexeddb']);
    expect(await stored()).toEqual(['a 1', 'b 2']);
    listeners.dispatchEvent(new Event('pagehide'));
    expect(await store.append(view('c', 3))).toBe(true);
    expect(await stored()).toEqual(['a 1', 'b 2', 'c 3']);
  });

  test('opens long after the deadline is not left open, and stores each event once', async () => {
    const { open } = IDBFactory.prototype;
    const late: IDBDatabase[] = [];
    let calls = 0;
    vi.spyOn(indexedDB, 'open').mockImplementation((...args) => {
      if (calls++ >= 2) return open.apply(indexedDB as never, args as never) as never;
      const request = { result: undefined as unknown } as { result: unknown; onsuccess?: () => void };
      setTimeout(() => {
        const real = open.apply(indexedDB as never, args as never) as unknown as IDBOpenDBRequest;
        real.onupgradeneeded = () => real.result.createObjectStore('records');
        real.onsuccess = () => {
          request.result = real.result;
          late.push(real.result);
          request.onsuccess?.();
        };
      }, 250);
      return request as never;
    });
    const { store } = page({ deadline: 0.05 });
    expect(await store.append(view('a', 1))).toBe(true);
    await expect.poll(() => late).toHaveLength(2);
    await new Promise((next) => setTimeout(next, 20));
    for (const connection of late) expect(() => connection.transaction('records')).toThrow();
    expect(await stored()).toEqual(['a 1']);
  });

  describe.each([
    ['empty', () => {}],
    ['with another store', (database: IDBDatabase) => void database.createObjectStore('theirs')],
    [
      'with a store of our name that is not ours',
      (database: IDBDatabase) => void database.createObjectStore('records', { keyPath: 'id' }),
    ],
  ])('has a database of the name, made by another script, %s,', (_, make) => {
    const opened: IDBDatabase[] = [];
    const opening = (request: IDBOpenDBRequest) =>
      new Promise<IDBDatabase>((done) => {
        request.onsuccess = () => done(request.result);
      });
    beforeEach(async () => {
      opened.length = 0;
      const request = indexedDB.open(databaseName(), 7);
      request.onupgradeneeded = () => make(request.result);
      (await opening(request)).close();
      const { open } = IDBFactory.prototype;
      vi.spyOn(indexedDB, 'open').mockImplementation((...args) => {
        const request = open.apply(indexedDB as never, args as never) as unknown as IDBOpenDBRequest;
        request.addEventListener('success', () => opened.push(request.result));
        return request;
      });
    });
    const expectClosed = () => {
      for (const connection of opened)
        expect(() => connection.transaction('records')).toThrow(expect.objectContaining({ name: 'InvalidStateError' }));
    };

    test('stores in it, and closes every connection', async () => {
      const { store, notices } = page();
      expect(await store.append(view('a', 1))).toBe(true);
      expect(await stored()).toEqual(['a 1']);
      expect(notices).toEqual(['idle', 'indexeddb']);
      await store.close();
      expect(opened.length).toBeGreaterThan(2);
      expectClosed();
    });

    test('erases it', async () => {
      const { store } = page({ opened: false, deadline: 0.2 });
      await store.erase();
      expect(await dump()).toBeUndefined();
      expectClosed();
    });

    test('has nothing of ours to erase, even if the other script never closes it', async () => {
      const theirs = await opening(indexedDB.open(databaseName()));
      opened.length = 0;
      const { store } = page({ opened: false, deadline: 0.05 });
      await store.erase();
      expectClosed();
      theirs.close();
    });
  });

  /** An event of 4,000 characters: a device that is full of small ones keeps them. */
  const large = (itemId: string, time: number) => ({ ...view(itemId, time), features: { text: 'x'.repeat(3900) } });

  test('is full lets the oldest sessions go, and takes the newest', async () => {
    const { store, notices } = page();
    for (let k = 0; k < 8; k++) await store.append(large(`${k}`, 10_000 * k));
    fillAt(6);
    expect(await store.append(view('new', 100_000))).toBe(true);
    expect(await stored()).toEqual(['5 50000', '6 60000', '7 70000', 'new 100000']);
    expect(notices).not.toContain('memory');
    expect(
      notices.filter((word) => word.startsWith('storage-short: There is room for the newest events only')),
    ).toHaveLength(1);
    await store.erase();
    expect(notices.filter((word) => word.startsWith('storage-short')).at(-1)).toBe('storage-short is over');
  });

  test('is full of the copy of a catalogue lets that go, and no event', async () => {
    const { store, notices } = page();
    for (let k = 0; k < 8; k++) await store.append(large(`${k}`, 10_000 * k));
    const notes = openDeviceNotes({ name: databaseName() });
    notes.allow('event');
    await notes.write(LISTS, { a: 1 }, notes.life);
    await notes.write(CATALOGUE, { files: new Map([['catalogue.json', new ArrayBuffer(100_000)]]) }, notes.life);
    await notes.close();
    vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementationOnce(refuses('QuotaExceededError'));
    expect(await store.append(view('new', 100_000))).toBe(true);
    expect(await stored()).toHaveLength(9);
    expect([...(await dump())!.keys()].filter((key) => key.startsWith(NOTE))).toEqual([NOTE + LISTS]);
    expect(notices.filter((word) => word.startsWith('storage-short'))).toEqual([]);
  });

  test('is full lets the older half go, also of what other tabs have stored unheard, and says so', async () => {
    vi.stubGlobal('BroadcastChannel', undefined);
    const [other, { store, notices }] = [page(), page()];
    await expect.poll(() => notices.at(-1)).toBe('indexeddb');
    for (let k = 0; k < 6; k++) await other.store.append(large(`${k}`, 10_000 * k));
    fillAt(6);
    expect(await store.append(view('new', 100_000))).toBe(true);
    expect(await stored()).toEqual(['4 40000', '5 50000', 'new 100000']);
    expect(notices.join()).toContain('storage-short: There is room for the newest events only');
  });

  test('is full of something else keeps what is stored, whatever number of pages find it full', async () => {
    const { store } = page();
    for (let k = 0; k < 40; k++) await store.append(view(`${k}`, 10_000 * k));
    await store.close();
    fillAt(0);
    for (let visit = 0; visit < 8; visit++) {
      const { store, notices } = page({ retryAfter: 60_000 });
      void store.append(view(`new ${visit}`, 500_000));
      await expect.poll(() => notices.join()).toContain('storage-full: Events are kept');
      await store.close();
    }
    expect(await stored()).toHaveLength(40);
  });

  test('is full keeps what another tab stores after an erasure that is not yet heard of', async () => {
    vi.stubGlobal('BroadcastChannel', undefined);
    const [other, { store, notices }] = [page(), page()];
    await expect.poll(() => notices.at(-1)).toBe('indexeddb');
    for (let k = 0; k < 6; k++) await other.store.append(view(`${k}`, 10_000 * k));
    let begun: Promise<unknown> | undefined;
    vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementationOnce(() => {
      const stores = [0, 1, 2].map((k) => () => other.store.append(view(`new ${k}`, 200_000 + k)));
      begun = stores.reduce<Promise<unknown>>((before, next) => before.then(next), other.store.erase());
      throw error('QuotaExceededError');
    });
    await store.append(view('late', 100_000));
    await begun;
    expect(await stored()).toEqual(expect.arrayContaining(['new 0 200000', 'new 1 200001', 'new 2 200002']));
  });

  test('has no room at all is tried again at once when all is erased', async () => {
    fillAt(0);
    const { store, notices } = page({ retryAfter: 60_000 });
    void store.append(view('a', 1));
    await expect.poll(() => notices.join()).toContain('storage-full: Events are kept');
    vi.restoreAllMocks();
    await store.erase();
    expect(notices.slice(-3)).toEqual(['storage-full is over', 'idle', 'erased']);
    expect(await store.append(view('b', 2))).toBe(true);
    await expect.poll(() => notices.at(-1)).toBe('indexeddb');
    expect(await stored()).toEqual(['b 2']);
  });

  test('has no room at all leaves events in memory, and says that', async () => {
    fillAt(0);
    const { store, notices } = page();
    const answer = store.append(view('a', 1));
    await expect.poll(() => notices.join()).toContain('storage-full: Events are kept');
    vi.restoreAllMocks();
    expect(await answer).toBe(true);
    await expect.poll(() => notices.slice(-2)).toEqual(['storage-full is over', 'indexeddb']);
  });
});

/** The transaction of an upgrade is IndexedDB's own. */
function refuseTransactions(): void {
  const { transaction } = IDBDatabase.prototype;
  vi.spyOn(IDBDatabase.prototype, 'transaction').mockImplementation(function (this: IDBDatabase, names, mode, options) {
    if ((mode as string) === 'versionchange') return transaction.call(this, names, mode, options);
    throw error('NotFoundError');
  });
}

/** A device on which a record fails to be put where there are as many already. */
function fillAt(records: number): void {
  const { put } = IDBObjectStore.prototype;
  vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (this: IDBObjectStore, ...args) {
    const counted = this.count(IDBKeyRange.bound('e2/', 'e2/\uffff'));
    // As a browser does it, also while the transaction commits.
    const transaction = this.transaction as IDBTransaction & { _abort(error: string): void };
    const request = put.apply(this, args);
    counted.onsuccess = () => {
      if (counted.result >= records) transaction._abort('QuotaExceededError');
    };
    return request;
  });
}
