/** What was learnt: one record beside the events, old or new, and gone with them. */
import { forceCloseDatabase } from 'fake-indexeddb';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { random } from '../../src/session/random';
import { createDeltaStore, type DeltaStore } from '../../src/store/delta-store';
import { readQuarantine } from '../../src/store/quarantine';
import { runs } from '../soak-slice';
import { closeAll, deleteFromOutside, dump, freshDatabase, type Page, page, raw, view } from './helpers';

beforeEach(freshDatabase);
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  await closeAll();
});

const MAX = 1000;
const OLD = Uint8Array.of(1, 2, 3);
const NEW = Uint8Array.of(4, 5, 6, 7);
const goesOn = () => false;

interface Tab extends Page {
  readonly deltas: DeltaStore;
  /** Names of what was learnt, as the tab was notices. */
  readonly names: (string | undefined)[];
}
function tab(options: Parameters<typeof page>[0] = {}): Tab {
  const names: (string | undefined)[] = [];
  const opened = page({ onLearnt: (name) => names.push(name), ...options });
  return { ...opened, names, deltas: createDeltaStore(opened.store, MAX) };
}
/** A tab with one event, without which nothing can have been learnt. */
async function visited(): Promise<Tab> {
  const opened = tab();
  await opened.store.append(view('a', 1));
  return opened;
}

describe('what was learnt', () => {
  test('is read by the next page, which is notified that there is something', async () => {
    const first = await visited();
    expect(await first.deltas.read()).toEqual({ name: undefined });
    const name = await first.deltas.write({ bytes: OLD, since: 7 }, goesOn);
    expect(name).toEqual(expect.any(String));
    await first.store.close();
    const next = tab();
    await next.store.flush();
    expect(next.names).toEqual([name]);
    expect(await next.deltas.read()).toEqual({ name, bytes: OLD, since: 7 });
  });

  test('by one tab is announced to and read by the others', async () => {
    const [here, there] = [await visited(), tab()];
    await there.store.flush();
    const name = await here.deltas.write({ bytes: OLD }, goesOn);
    await expect.poll(() => there.names).toEqual([name]);
    expect(await there.deltas.read()).toEqual({ name, bytes: OLD });
    const next = await there.deltas.write({ since: 9 }, goesOn);
    await expect.poll(() => here.names.at(-1)).toBe(next);
    expect(await here.deltas.read()).toEqual({ name: next, since: 9 });
  });

  test('is found by a refresh where tabs cannot hear each other', async () => {
    vi.stubGlobal('BroadcastChannel', undefined);
    const [here, there] = [await visited(), tab()];
    await there.store.flush();
    const name = await here.deltas.write({ bytes: OLD }, goesOn);
    await there.store.refresh();
    expect(there.names).toEqual([name]);
  });

  test.each([
    ['before storing is allowed', { opened: false }],
    ['where there is no event', {}],
  ])('is not stored %s, and no database is made for it', async (_, options) => {
    const { store, deltas } = tab(options);
    await store.flush();
    const before = await dump();
    expect(await deltas.write({ bytes: OLD }, goesOn)).toBeUndefined();
    expect(await deltas.read()).toBeUndefined();
    expect(await dump()).toEqual(before);
  });

  test('has a database made for it where there is no event, which is erased with it', async () => {
    const { store, deltas } = tab();
    await store.erase();
    expect(await dump()).toBeUndefined();
    const life = await store.begin();
    const name = await deltas.write({ bytes: OLD }, goesOn);
    await store.append(view('a', 1));
    expect(await store.begin()).toBe(life);
    expect(await deltas.read()).toEqual({ name, bytes: OLD });
    await store.erase();
    expect(await dump()).toBeUndefined();
  });

  test('is erased where the browser deletes a database that held nothing else', async () => {
    const { store, deltas, notices } = tab();
    await store.flush();
    await store.begin();
    await deltas.write({ bytes: OLD }, goesOn);
    await deleteFromOutside();
    await expect.poll(() => notices).toContain('erased');
    expect(await deltas.read()).toBeUndefined();
  });

  test('of after an erasure is not deleted by a tab that tidies up after it', async () => {
    const [here, there] = [await visited(), tab()];
    await there.store.flush();
    await here.store.erase();
    await here.store.begin();
    const name = await here.deltas.write({ bytes: OLD }, goesOn);
    await expect.poll(() => there.notices).toContain('erased');
    await new Promise((next) => setTimeout(next, 2500)); // longer than tidying up takes
    expect(await here.deltas.read()).toEqual({ name, bytes: OLD });
  });

  test('has no database made for it where nothing may be stored', async () => {
    const { store } = tab({ opened: false });
    expect(await store.begin()).toBeUndefined();
    expect(await dump()).toBeUndefined();
  });

  test('is not stored once it is over, nor while nothing may be recorded', async () => {
    const { store, deltas } = await visited();
    expect(await deltas.write({ bytes: OLD }, () => true)).toBeUndefined();
    await store.pause(true);
    expect(await deltas.write({ bytes: OLD }, goesOn)).toBeUndefined();
    expect(await deltas.read()).toEqual({ name: undefined });
    await store.pause(false);
    expect(await deltas.write({ bytes: OLD }, goesOn)).toEqual(expect.any(String));
  });

  test.each([0, 1, 2])('is the old or the new where a write is torn at its request %i', async (torn) => {
    const { deltas } = await visited();
    const name = await deltas.write({ bytes: OLD }, goesOn);
    const { put } = IDBObjectStore.prototype;
    let requests = 0;
    vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (this: IDBObjectStore, value, key) {
      const request = put.call(this, value, key);
      if (requests++ === torn) this.transaction.abort();
      return request;
    });
    const written = await deltas.write({ bytes: NEW }, goesOn).catch(() => undefined);
    vi.restoreAllMocks();
    const found = written === undefined ? { name, bytes: OLD } : { name: written, bytes: NEW };
    expect(await tab().deltas.read()).toBeUndefined(); // it has not been opened yet
    expect(await deltas.read()).toEqual(found);
  });

  test('is erased with the events', async () => {
    const [here, there] = [await visited(), tab()];
    await here.deltas.write({ bytes: OLD }, goesOn);
    await there.store.flush();
    await there.store.erase();
    expect(await dump()).toBeUndefined();
    await expect.poll(() => here.notices).toContain('erased');
    expect(await here.deltas.write({ bytes: OLD }, goesOn)).toBeUndefined();
    expect(await here.deltas.read()).toBeUndefined();
    expect(await dump()).toBeUndefined();
  });

  test('does not come back by a write that an erasure overtakes, in this tab or another', async () => {
    for (let seed = 0; seed < runs(30); seed++) {
      freshDatabase();
      const { integer } = random(seed, 'races');
      const [here, there] = [await visited(), tab()];
      await there.store.flush();
      const steps = (count: number) =>
        Array.from({ length: count }).reduce<Promise<void>>(
          (wait) => wait.then(() => new Promise(setImmediate)),
          Promise.resolve(),
        );
      const [early, late] = [integer(12), integer(12)];
      const isOver = () => here.notices.includes('erased'); // as whoever learns asks
      const writes = steps(early).then(() => here.deltas.write({ bytes: OLD }, isOver));
      const erases = steps(late).then(() => (seed % 2 === 0 ? here : there).store.erase());
      await Promise.all([writes.catch(() => {}), erases]);
      await expect.poll(() => here.notices).toContain('erased');
      expect(await here.deltas.read(), `seed ${seed}`).toBeUndefined();
      expect(await dump(), `seed ${seed}`).toBeUndefined();
      await closeAll();
    }
  }, 600_000);

  test('does not make a database again that was deleted while this tab had no connection to it', async () => {
    vi.stubGlobal('BroadcastChannel', undefined);
    const connections = new Set<IDBDatabase>();
    const { transaction } = IDBDatabase.prototype;
    vi.spyOn(IDBDatabase.prototype, 'transaction').mockImplementation(function (this: IDBDatabase, ...args) {
      connections.add(this);
      return transaction.apply(this, args);
    });
    const { deltas, notices } = await visited();
    for (const connection of connections) forceCloseDatabase(connection as never);
    await deleteFromOutside();
    expect(notices).not.toContain('erased');
    expect(await deltas.write({ bytes: OLD }, goesOn)).toBeUndefined();
    expect(notices).toContain('erased');
    expect(await dump()).toBeUndefined();
  });
});

describe('a record that', () => {
  const put = (value: unknown) => raw((store) => void store.put(value, 'learnt'));

  test.each<[string, unknown, string]>([
    ['is a text', 'learnt', 'it is no record but string'],
    ['is null', null, 'it is no record but object'],
    ['holds no bytes', { bytes: [1, 2, 3] }, 'it holds no bytes'],
    ['is too long', { bytes: new Uint8Array(MAX + 1) }, 'it is 1001 bytes long, at most 1000 are read'],
    ['has no time', { bytes: OLD, since: '7' }, 'its time is no number'],
    ['has a time that never comes', { since: Number.NaN }, 'its time is no number'],
  ])('%s is no delta, and is set aside', async (_, value, reason) => {
    const { store, deltas } = await visited();
    const name = await deltas.write({ bytes: OLD }, goesOn);
    await put(value);
    expect(await deltas.read()).toEqual({ name, reason });
    await deltas.quarantine(name, reason);
    expect(await deltas.read()).toEqual({ name: undefined });
    expect(await readQuarantine(store)).toEqual([{ key: 'learnt', reason, value: expect.any(String) }]);
  });

  test('is set aside leaves the time up to which events are not learnt again, and goes with the next forgetting', async () => {
    const { store, deltas } = await visited();
    const name = await deltas.write({ bytes: OLD, since: 7 }, goesOn);
    await deltas.quarantine(name, 'it is damaged');
    expect(await deltas.read()).toEqual({ name: expect.any(String), since: 7 });
    expect(await readQuarantine(store)).toHaveLength(1);
    await deltas.write({ bytes: NEW, since: 7 }, goesOn);
    expect(await readQuarantine(store)).toHaveLength(1);
    await deltas.write({ since: 9 }, goesOn);
    expect(await readQuarantine(store)).toEqual([]);
  });

  test('another tab has replaced meanwhile stays', async () => {
    const { store, deltas } = await visited();
    const name = await deltas.write({ bytes: OLD }, goesOn);
    const next = await deltas.write({ bytes: NEW }, goesOn);
    await deltas.quarantine(name, 'it is damaged');
    expect(await deltas.read()).toEqual({ name: next, bytes: NEW });
    expect(await readQuarantine(store)).toEqual([]);
  });
});
