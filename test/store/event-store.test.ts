import { promisifyRequest } from 'idb-keyval';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { readQuarantine, readWaiting } from '../../src/store/quarantine';
import { encode } from '../../src/store/records';
import { runs } from '../soak-slice';
import { tried } from '../tries';
import {
  closeAll,
  DeafChannel,
  databaseName,
  deleteFromOutside,
  dump,
  freshDatabase,
  type Page,
  page,
  raw,
  stored,
  view,
} from './helpers';

beforeEach(freshDatabase);
afterEach(async () => {
  await closeAll();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe('events', () => {
  test('that were acknowledged are there for the next page, though this one died without a word', async () => {
    const { store, notices } = page();
    for (const [t, id] of ['a', 'b,c', '__proto__', '🧦'].entries()) {
      expect(await store.append(view(id, 100 + t))).toBe(true);
    }
    expect(await stored()).toEqual(['a 100', 'b,c 101', '__proto__ 102', '🧦 103']);
    expect(notices).toEqual(['idle', 'indexeddb']);
  });

  test('that are added at once are stored in their order, in few writes', async () => {
    const { store } = page();
    const answers = await Promise.all(Array.from({ length: 1200 }, (_, k) => store.append(view(`${k}`, k))));
    expect(answers.every(Boolean)).toBe(true);
    expect(await stored()).toEqual(Array.from({ length: 1200 }, (_, k) => `${k} ${k}`));
    expect((await dump())!.size).toBeLessThan(10);
  });

  const define = (prototype: object) => {
    Object.assign(prototype, { toJSON: () => 'mine' });
    return () => void Reflect.deleteProperty(prototype, 'toJSON');
  };
  test.each([
    ['Array.prototype.toJSON', () => define(Array.prototype)],
    ['Object.prototype.toJSON', () => define(Object.prototype)],
    [
      'a JSON of its own',
      () => {
        vi.stubGlobal('JSON', { parse: () => 'mine', stringify: () => 'mine' });
        return () => void vi.unstubAllGlobals();
      },
    ],
  ])('are stored and read in a page with %s, with all that it says of them', async (_, patch) => {
    const said = { features: { price: 3 }, transaction: 'T-1', event: 'purchase' };
    const restore = patch();
    const reader = page();
    try {
      const { store } = page();
      for (const id of ['a', 'b']) expect(await store.append({ ...view(id, 1), ...said })).toBe(true);
      await reader.store.refresh();
    } finally {
      restore();
    }
    expect(reader.events).toMatchObject(['a', 'b'].map((itemId) => ({ itemId, ...said })));
    expect(await stored()).toEqual(['a 1', 'b 1']);
  });

  test('are not acknowledged before they can be read again', async () => {
    const { put } = IDBObjectStore.prototype;
    let broken = 2;
    vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (this: IDBObjectStore, value, key) {
      return put.call(this, String(key).startsWith('e2/') && broken-- > 0 ? 'nothing' : value, key);
    });
    const { store, notices } = page({ onStored: (events) => notices.push(`stored ${events.length}`) });
    expect(await store.append(view('a', 1))).toBe(true);
    expect(broken).toBe(-1);
    expect(notices.filter((word) => !/idle|indexeddb|memory$|over$/.test(word))).toEqual([
      "no-storage: Events are kept in this page's memory and end with it: what was written cannot be read again.",
      'stored 1',
    ]);
    expect(await stored()).toEqual(['a 1']);
  });

  test('of a release that wrote texts are read, and that release does not see what this one writes', async () => {
    await page().store.append(view('b', 2));
    await raw((store) => void store.put('1 hvj8uw ["k3",[[0,1,"a","view"]]]', 'e/k3/0'));
    expect(await stored()).toEqual(['a 1', 'b 2']);
    const keys = [...(await dump())!.keys()].filter((key) => key >= 'e/' && key <= 'e/\uffff');
    expect(keys).toEqual(['e/k3/0']);
    await page().store.erase();
    expect(await dump()).toBeUndefined();
  });

  test('that another script has stored, and that are beyond the limits, cost the others nothing', async () => {
    const { store } = page({ maxSize: 3000 });
    for (let k = 0; k < 10; k++) await store.append(view(`item-${k}`, 10_000 * k));
    await store.close();
    const long = { tab: 'x', number: 0, ...view('x'.repeat(600_000), 200_000) };
    await raw((records) => {
      records.put(encode([long]), 'e2/x/0');
      records.put(encode([{ ...long, itemId: 'y', features: { note: 'x'.repeat(600_000) } }]), 'e2/x/1');
    });
    const next = page({ maxSize: 3000 });
    expect(await next.store.append(view('new', 300_000))).toBe(true);
    expect(next.notices.join()).toContain('records-set-aside: 2 stored record(s) cannot be read');
    expect(await stored()).toEqual([...Array.from({ length: 10 }, (_, k) => `item-${k} ${10_000 * k}`), 'new 300000']);
  });

  test('of which some are beyond the limits keep the others, and are trouble once', async () => {
    await page().store.append(view('a', 1));
    const events = ['b', 'x'.repeat(600_000), 'c'].map((id, number) => ({ tab: 'x', number, ...view(id, 2 + number) }));
    await raw((records) => records.put(encode(events), 'e2/x/0'));
    const first = page();
    await first.store.refresh();
    expect(first.notices.join()).toContain('records-set-aside: 1 stored record(s)');
    expect(first.events.map(({ itemId }) => itemId)).toEqual(['a', 'b', 'c']);
    await first.store.close();
    const next = page();
    await next.store.refresh();
    expect(next.notices.join()).not.toContain('records-set-aside');
    expect(next.events.map(({ itemId }) => itemId)).toEqual(['a', 'b', 'c']);
  });

  test('that hold themselves are set aside', async () => {
    await page().store.append(view('a', 1));
    const rows: unknown[] = [];
    rows.push(rows);
    await raw((records) => records.put({ version: 2, checksum: '0', tab: 'x', rows }, 'e2/x/0'));
    const { store, events } = page();
    await store.refresh();
    expect(events.map(({ itemId }) => itemId)).toEqual(['a']);
    expect(await readQuarantine(store)).toMatchObject([{ key: 'e2/x/0', value: 'no text but object' }]);
  });

  test('from before the visitor said yes are stored after it, and nothing is before it', async () => {
    const opened = vi.spyOn(indexedDB, 'open');
    const { store, notices } = page({ opened: false });
    const first = store.append(view('a', 1));
    await store.refresh();
    expect(await readQuarantine(store)).toEqual([]);
    expect(opened).not.toHaveBeenCalled();
    expect(await dump()).toBeUndefined();
    expect(notices).toEqual([]);
    store.open();
    expect(await first).toBe(true);
    expect(await stored()).toEqual(['a 1']);
  });

  test('are read after a new yes, though storing was held while they were being read', async () => {
    await page().store.append(view('a', 1));
    for (let ticks = 0; ticks < 20; ticks++) {
      const { store, events, notices } = page();
      for (let tick = 0; tick < ticks; tick++) await new Promise((next) => setImmediate(next));
      store.hold();
      for (let look = 0; look < 3; look++) await dump(); // what was being read has been
      store.open();
      await expect.poll(() => notices.slice(-2), { message: `held after ${ticks}` }).toEqual(['idle', 'indexeddb']);
      expect(events).toMatchObject([view('a', 1)]);
      await store.close();
    }
  });

  test('are not written where storing was held while the device was busy, until it is allowed again', async () => {
    const { store } = page();
    await store.append(view('a', 1));
    const connection = await promisifyRequest(indexedDB.open(databaseName()) as IDBRequest<IDBDatabase>);
    const records = connection.transaction('records', 'readwrite').objectStore('records');
    let isBusy = true;
    const spin = (): void => {
      if (isBusy) records.get('nothing').onsuccess = spin;
    };
    spin();
    const second = store.append(view('b', 2));
    await new Promise((next) => setTimeout(next, 20)); // its transaction waits
    store.hold();
    isBusy = false;
    expect(await stored()).toEqual(['a 1']);
    store.open();
    expect(await second).toBe(true);
    expect(await stored()).toEqual(['a 1', 'b 2']);
    connection.close();
  });

  test('of several pages are merged by time, none lost and none doubled', async () => {
    const pages = [page(), page(), page()];
    await Promise.all(Array.from({ length: 90 }, (_, k) => pages[(k * 7) % 3]!.store.append(view(`${k}`, 1000 + k))));
    const all = Array.from({ length: 90 }, (_, k) => `${k} ${1000 + k}`);
    expect(await stored()).toEqual(all);
    for (const { store, events } of pages) {
      await store.refresh();
      await store.refresh();
      expect(new Set(events.map(({ itemId }) => itemId)).size).toBe(60); // those of the other two
      expect(events).toHaveLength(60);
    }
  });

  test('of another page are announced where tabs can talk, and read where they cannot', async () => {
    const [teller, hearer] = [page(), page()];
    await hearer.store.refresh();
    await teller.store.append(view('a', 1));
    await expect.poll(() => hearer.events).toMatchObject([view('a', 1)]);
    vi.stubGlobal('BroadcastChannel', undefined);
    const deaf = page();
    expect([hearer.store.hears, deaf.store.hears]).toEqual([true, false]);
    await deaf.store.refresh();
    await teller.store.append(view('b', 2));
    await deaf.store.refresh();
    expect(deaf.events).toMatchObject([view('a', 1), view('b', 2)]);
  });

  test('are reported once when they are stored, in their order', async () => {
    const { store, notices } = page({ onStored: (events) => notices.push(...events.map(({ itemId }) => itemId)) });
    for (let k = 0; k < 700; k++) void store.append(view(`${k}`, 700 - k));
    await store.flush();
    expect(notices.filter((word) => /^\d+$/.test(word))).toEqual(Array.from({ length: 700 }, (_, k) => `${k}`));
    await store.erase();
    await store.flush();
    expect(await dump()).toBeUndefined();
  });

  test('that were erased are looked for without making the database again', async () => {
    const { store } = page();
    await store.append(view('a', 1));
    await store.erase();
    await store.refresh();
    expect(await readQuarantine(store)).toEqual([]);
    expect(await dump()).toBeUndefined();
    await store.append(view('b', 2));
    expect(await stored()).toEqual(['b 2']);
  });

  test('with long ids are written in records that the size cap can take one by one', async () => {
    const { store } = page({ maxSize: 300_000 });
    for (let k = 0; k < 400; k++) void store.append(view(`${k}`.padEnd(1000, '-'), k));
    await store.flush();
    for (const [, value] of (await dump()) ?? []) expect(String(value).length).toBeLessThan(70_000);
    await store.append(view('newest', 400));
    const left = await stored();
    expect(left.at(-1)).toBe('newest 400');
    expect(left.length).toBeGreaterThanOrEqual(15);
  });

  test('of other pages count for the size cap', async () => {
    const pages = Array.from({ length: 4 }, () => page({ maxSize: 6000 }));
    await Promise.all(pages.map(({ store }) => store.flush()));
    for (let k = 0; k < 200; k++) await pages[k % 4]!.store.append(view(`item-${k}`, 2000 * k));
    const size = [...(await dump())!].reduce((sum, [key, value]) => sum + key.length + JSON.stringify(value).length, 0);
    expect(size).toBeLessThan(8000);
    expect((await stored()).at(-1)).toBe('item-199 398000');
  });

  test('that wait when the page closes are stored first', async () => {
    const { store } = page();
    const answers = [store.append(view('a', 1)), store.append(view('b', 2))];
    await store.close();
    expect(await Promise.all(answers)).toEqual([true, true]);
    expect(await store.append(view('c', 3))).toBe(false);
    expect(await stored()).toEqual(['a 1', 'b 2']);
  });

  test('expire: older ones are passed over and deleted by the next page, and what cannot be read stays', async () => {
    const old = page().store;
    for (const time of [10, 20, 900, 1000]) await old.append(view('a', time));
    await raw((store) => void store.put('3 of a later release', 'e2/later/0'));
    const before = await dump();
    const { store, events, notices } = page({ retention: 100, now: () => 1000 });
    await store.flush();
    expect(events.map(({ time }) => time)).toEqual([900, 1000]);
    const gone = [...before!.keys()].filter((key) => /^e2\/.*\/[01]$/.test(key) && !key.startsWith('e2/later'));
    expect(gone).toHaveLength(2);
    expect([...(await dump())!.keys()]).toEqual([...before!.keys()].filter((key) => !gone.includes(key)));
    await store.append(view('b', 1001));
    expect(await stored()).toEqual(['a 900', 'a 1000', 'b 1001']);
    expect(notices.filter((line) => line.startsWith('no-storage'))).toEqual([]);
  });

  test('expire one by one, also beside newer ones in a record', async () => {
    const { store: old } = page();
    const appended = [10, 990, 1000].map((time) => old.append(view('a', time)));
    await Promise.all(appended);
    expect(
      [...(await dump())!.keys()].filter((key) => key.startsWith('e2/')),
      'one record',
    ).toHaveLength(1);
    const { store, events } = page({ retention: 100, now: () => 1000 });
    await store.flush();
    expect(events.map(({ time }) => time)).toEqual([990, 1000]);
    expect(await stored()).toEqual(['a 990', 'a 1000']);
  });

  describe('ahead of the clock', () => {
    const DAY = 86_400;
    const NOW = 20_000 * DAY;
    /** A page view by a clock: the events that it knows, and what it reports. */
    async function look(clock: number, ...items: string[]) {
      const { store, events, notices } = page({ retention: 30 * DAY, now: () => clock });
      for (const item of items) await store.append(view(item, clock));
      await store.refresh();
      await store.flush();
      await store.close();
      const isAhead = notices.findLast((line) => line.startsWith('events-ahead'));
      return { known: events.map(({ itemId }) => itemId), isAhead };
    }
    const keys = async () => [...(await dump())!.keys()];

    test('wait while it is behind, and are there again once it is right', async () => {
      await look(NOW, 'a', 'b');
      await look(NOW + DAY, 'c');
      expect(await look(10_957 * DAY, 'of 2000')).toEqual({
        known: [],
        isAhead:
          "events-ahead: 3 stored event(s) are more than a day ahead of this device's clock. They are left out until the clock has come to them.",
      });
      expect(await keys()).toContain('ahead');
      expect(await look(NOW + 2 * DAY)).toEqual({ known: ['a', 'b', 'c'], isAhead: undefined });
      expect(await keys()).not.toContain('ahead');
    });

    test('go once they have been ahead for as long as events are kept, by a clock that went on', async () => {
      await look(NOW + 365 * DAY, 'wrong');
      await raw((records) => records.put(encode([{ tab: 'x', number: 0, ...view('never', 1e300) }]), 'e2/x/0'));
      await look(NOW, 'a');
      expect((await look(NOW + 29 * DAY)).isAhead).toMatch('2 stored event(s)');
      await look(NOW - 100 * DAY); // from here on the wait begins again
      expect((await look(NOW - 71 * DAY)).isAhead).toMatch('3 stored event(s)');
      expect(await look(NOW + DAY)).toEqual({ known: ['a'], isAhead: undefined });
      expect((await keys()).filter((key) => /^e2|ahead/.test(key))).toHaveLength(1);
    });

    test('give way before others', async () => {
      await look(NOW + 365 * DAY, ...Array.from({ length: 10 }, (_, k) => `wrong ${k}`));
      await look(NOW, 'a');
      const { store } = page({ retention: 30 * DAY, now: () => NOW, maxSize: 900 });
      await store.append(view('b', NOW + 1)); // of one time, their tabs would say which is first, by chance
      await store.flush();
      await store.close();
      expect((await look(NOW + 1)).known).toEqual(['a', 'b']);
      expect((await keys()).filter((key) => key.startsWith('e2/')).length).toBeLessThan(10);
    });

    test('are exported, and not taken from a message', async () => {
      await look(NOW + 365 * DAY, 'wrong');
      const { store, events } = page({ now: () => NOW });
      expect(await store.append(view('a', NOW))).toBe(true);
      const channel = new BroadcastChannel(databaseName());
      const said = (time: number) => [{ tab: 't', number: 0, ...view(`at ${time}`, time) }];
      for (const time of [1e300, NOW + 2 * DAY, NOW])
        channel.postMessage({ epoch: await store.begin(), events: said(time) });
      await expect.poll(() => events.map(({ itemId }) => itemId)).toEqual([`at ${NOW}`]);
      channel.close();
      expect((await readWaiting(store, NOW)).map(({ itemId }) => itemId)).toEqual(['wrong']);
    });
  });

  test('expire while a damaged record is set aside, which stays to be looked at', async () => {
    await page().store.append(view('a', 10));
    await raw((store) => void store.put('1 wrong ["tab",[[0,1000,"b","view"]]]', 'e/tab/0'));
    const { store, events } = page({ retention: 100, now: () => 1000 });
    await store.refresh();
    await store.flush();
    expect(events).toEqual([]);
    expect((await readQuarantine(store)).map(({ key }) => key)).toEqual(['e/tab/0']);
    expect([...(await dump())!.keys()].filter((key) => key.startsWith('e/'))).toEqual([]);
  });

  test('expire in a damaged record, too, of which what can be read stays', async () => {
    await page().store.append(view('a', 100_000));
    const record = encode([
      { ...view('old', 10), tab: 'x', number: 0 },
      { ...view('young', 99_999), tab: 'x', number: 1 },
      { ...view('bad', 99_999, 'v'.repeat(200)), tab: 'x', number: 2 },
    ]);
    await raw((store) => void store.put(record, 'e2/x/0'));
    const { store, events } = page({ retention: 1000, now: () => 100_000 });
    await store.refresh();
    await store.flush();
    expect(events.map(({ itemId }) => itemId)).toEqual(['young', 'a']);
    expect((await dump())!.get('e2/x/0')).toEqual(encode([{ ...view('young', 99_999), tab: 'x', number: 1 }]));
  });

  test('make room for newer ones, the oldest sessions first', async () => {
    const { store } = page({ maxSize: 3000 });
    for (let session = 0; session < 10; session++) {
      for (let k = 0; k < 10; k++) await store.append(view(`item-${session}-${k}`, session * 10_000 + k));
    }
    const left = await stored();
    const sessions = [...new Set(left.map((line) => line[5]))];
    expect(sessions.length).toBeGreaterThanOrEqual(2);
    expect(sessions).toEqual(Array.from({ length: 10 }, (_, s) => `${s}`).slice(-sessions.length));
    for (const s of sessions) expect(left.filter((line) => line[5] === s)).toHaveLength(10);
    const size = [...(await dump())!].reduce((sum, [key, value]) => sum + key.length + JSON.stringify(value).length, 0);
    expect(size).toBeLessThan(3200);
  });
});

describe('a record that cannot be read', () => {
  test('is set aside with its reason, and the others are read', async () => {
    const { store } = page();
    for (const [t, id] of ['a', 'b', 'c'].entries()) await store.append(view(id, t));
    const [, torn] = [...(await dump())!.keys()].filter((key) => key.startsWith('e2/'));
    const whole = (await dump())!.get(torn!) as ReturnType<typeof encode>;
    await raw((records) => records.put({ ...whole, rows: [[...whole.rows[0]!.slice(0, 3), 'vie']] }, torn!));
    const reader = page();
    await reader.store.refresh();
    expect(reader.events.map(({ itemId }) => itemId)).toEqual(['a', 'c']);
    const reason = expect.stringContaining('checksum');
    expect(reader.notices).toContainEqual(expect.stringMatching(/^records-set-aside: 1 stored record.*checksum/));
    expect(await readQuarantine(reader.store)).toEqual([{ key: torn, reason, value: expect.stringContaining('vie') }]);
    const later = page();
    await later.store.refresh();
    expect(later.notices.join()).not.toContain('records-set-aside');
  });

  test('is set aside, though no text can be made of it, and holds up nothing', async () => {
    const nothing = { toString: 1, valueOf: 1 };
    await page().store.append(view('a', 1));
    await raw((records) => {
      for (const key of ['e/other/0', 'ending', 'paused', 'learnt', 'learnt/name']) records.put(nothing, key);
    });
    const { store, events, notices } = page();
    await store.refresh();
    expect(events.map(({ itemId }) => itemId)).toEqual(['a']);
    expect(await store.append(view('b', 2))).toBe(true);
    expect(notices.slice(0, 2)).toEqual(['idle', expect.stringMatching(/^records-set-aside: 1 stored record/)]);
    expect(await readQuarantine(store)).toMatchObject([{ key: 'e/other/0', value: '[[toString,1],[valueOf,1]]' }]);
  });

  test('is no trouble any more when all is erased, here or elsewhere', async () => {
    await page().store.append(view('a', 1));
    await raw((records) => records.put(42, 'e/other/0'));
    const readers = [page(), page()];
    await Promise.all(readers.map(({ store }) => store.refresh()));
    for (const { notices } of readers) expect(notices.join()).toContain('records-set-aside: 1 stored record');
    await readers[0]!.store.erase();
    for (const { notices } of readers) await expect.poll(() => notices).toContain('records-set-aside is over');
  });

  test.each([[42], [null], [{ a: 1 }], ['1 x []'], [new Uint8Array(3)], ['']])('may be %j', async (value) => {
    await page().store.append(view('a', 1));
    await raw((records) => records.put(value, 'e/other/0'));
    expect(await stored()).toEqual(['a 1']);
    expect((await dump())!.has('e/other/0')).toBe(false);
  });

  test('stays where it is when another release wrote it', async () => {
    await page().store.append(view('a', 1));
    await raw((records) => records.put('3 x whatever comes', 'e2/newer/0'));
    const reader = page();
    await reader.store.refresh();
    expect(reader.notices).toContainEqual(expect.stringContaining('version 3'));
    expect((await dump())!.get('e2/newer/0')).toBe('3 x whatever comes');
  });

  test('does not fill up the device, however many there are', async () => {
    await page().store.append(view('a', 1));
    for (let round = 0; round < 3; round++) {
      await raw((records) => {
        for (let k = 0; k < 30; k++) records.put('x'.repeat(5000), `e/bad/${round}-${k}`);
      });
      expect(await stored()).toEqual(['a 1']);
    }
    const aside = [...(await dump())!].filter(([key]) => key.startsWith('aside/'));
    expect(aside.length).toBeLessThanOrEqual(16);
  });

  test('announced by another script of the origin is passed over', async () => {
    const { store, events } = page();
    await store.append(view('a', 1));
    const name = (await indexedDB.databases())[0]!.name!;
    const channel = new BroadcastChannel(name);
    for (const message of [null, 7, { events: 'x' }, { events: [{ tab: 't' }] }, { events: [null] }]) {
      channel.postMessage(message);
    }
    channel.postMessage({ epoch: 'another', events: [{ tab: 't', number: 0, ...view('b', 2) }] });
    await page().store.append(view('c', 3));
    await expect.poll(() => events).toMatchObject([view('c', 3)]);
    channel.close();
  });
});

describe('erasing', () => {
  /** Lets what a tab that is opened now is sent come late, as to one that is frozen or busy. */
  function hearsLate(milliseconds: number): void {
    vi.stubGlobal(
      'BroadcastChannel',
      class extends BroadcastChannel {
        override set onmessage(listener: (event: MessageEvent) => void) {
          super.onmessage = (event) => void setTimeout(() => listener(event as MessageEvent), milliseconds);
        }
      },
    );
  }

  test('takes nothing from a tab that hears of it late and has begun again', async () => {
    const one = page();
    await one.store.append(view('a', 1));
    hearsLate(300);
    const other = page();
    await other.store.refresh();
    await one.store.erase();
    expect(await other.store.append(view('b', 3))).toBe(true);
    await new Promise((over) => setTimeout(over, 400));
    expect(await stored()).toEqual(['b 3']);
  });

  test('by a denial is not followed by what a tab stores that has not heard of it yet', async () => {
    const one = page();
    await one.store.append(view('a', 1));
    hearsLate(30);
    const other = page();
    await other.store.refresh();
    await one.store.erase(false);
    const answers = ['b', 'c', 'd'].map(async (id, n) => {
      await new Promise((over) => setTimeout(over, 5 * n));
      return other.store.append(view(id, 2 + n));
    });
    expect(await Promise.all(answers)).toEqual([false, false, false]);
    expect(await dump()).toBeUndefined();
    expect(other.notices).toContain('withdrawn: denied');
  });

  test('leaves no database, in whichever tab, and what waited is not written later', async () => {
    const [one, other] = [page(), page()];
    await one.store.append(view('a', 1));
    await other.store.append(view('b', 2));
    const waiting = [one.store.append(view('c', 3)), other.store.append(view('d', 4))];
    await one.store.erase();
    expect(await Promise.all(waiting)).not.toContain(undefined);
    await expect.poll(() => other.notices).toContain('erased');
    expect(await dump()).toBeUndefined();
    expect([one.events, other.events]).toEqual([[], []]);
    await other.store.append(view('e', 5));
    expect(await stored()).toEqual(['e 5']);
  });

  test('at any moment after the opening leaves no database, and none is made by looking for one', async () => {
    const rounds = runs(40);
    tried(rounds);
    for (let round = 0; round < rounds; round++) {
      freshDatabase();
      const { store } = page();
      for (let k = 0; k < round % 20; k++) await Promise.resolve();
      for (let tick = 0; tick < round / 4; tick++) await new Promise((next) => setImmediate(next));
      await store.erase();
      await store.flush();
      await store.refresh();
      expect(await dump(), `erased in round ${round}`).toBeUndefined();
      await closeAll();
    }
  }, 600_000);

  /** One that has erased an event, and one that has been notified. */
  async function erasedPages() {
    const [eraser, hearer] = [page(), page()] as const;
    await eraser.store.append(view('a', 1));
    await hearer.store.refresh();
    await eraser.store.erase();
    await expect.poll(() => hearer.notices).toContain('erased');
    return [eraser, hearer] as const;
  }
  /** What that page tracks in the moment of the deletion is stored. */
  async function keepsEventAtDeletion({ store }: ReturnType<typeof page>): Promise<void> {
    const stored: Promise<boolean>[] = [];
    const { deleteDatabase } = indexedDB;
    vi.spyOn(indexedDB, 'deleteDatabase').mockImplementation((name) => {
      stored.push(store.append(view('b', 2)));
      return deleteDatabase.call(indexedDB, name);
    });
    await expect.poll(() => stored.length, { timeout: 20_000 }).toBe(1);
    expect(await stored[0]).toBe(true);
    expect(JSON.stringify([...(await dump())!.values()])).toContain('"b"');
  }

  test('leaves alone what another tab stores before the empty database is deleted', async () => {
    await erasedPages();
    const next = page(); // makes the database, and has stored nothing when the hearer finds it, a second later
    await next.store.refresh();
    await keepsEventAtDeletion(next);
    expect(next.notices).toEqual(['idle', 'indexeddb']);
  });

  test('leaves alone a pause that another tab stores before the empty database is deleted', async () => {
    const [eraser] = await erasedPages();
    await eraser.store.pause(true);
    // The hearer looks a second later whether an empty database is left.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await closeAll();
    expect([...(await dump())!.keys()]).toEqual(['epoch', 'paused']);
    const next = page();
    expect(await next.store.append(view('b', 2))).toBe(false);
    expect(next.notices).toContain('paused b');
  });

  test('drops no event that waits when a life without events is deleted, such as one of a pause that is over', async () => {
    const [eraser, hearer] = await erasedPages();
    await eraser.store.pause(true);
    await eraser.store.pause(false);
    await expect.poll(() => hearer.notices).toContain('resumed');
    await keepsEventAtDeletion(eraser);
    expect(eraser.notices.filter((word) => word === 'erased')).toHaveLength(1);
  });

  test('by a tab that died before it deleted the empty database holds up nobody for long', async () => {
    const { store } = page();
    await store.refresh();
    await raw((records) => void records.put(Date.now(), 'ending'));
    expect(await store.append(view('a', 1))).toBe(true);
    expect([...(await dump())!.keys()]).toEqual([expect.stringMatching(/^e2\//), 'epoch']);
  });

  test('reaches tabs that cannot be notices: they write nothing from before it, and nothing more until they are opened again', async () => {
    vi.stubGlobal('BroadcastChannel', undefined);
    const withdrawn = vi.fn();
    const [one, other] = [page(), page({ onWithdrawn: withdrawn })];
    await one.store.append(view('a', 1));
    await other.store.append(view('b', 2));
    await one.store.erase();
    expect(other.notices).toContain('erased');
    expect(withdrawn.mock.calls).toEqual([['unknown']]);
    await one.store.append(view('c', 3));
    const later = other.store.append(view('d', 4));
    await other.store.refresh();
    expect(await stored()).toEqual(['c 3']);
    other.store.open();
    expect(await later).toBe(true);
    expect(await stored()).toEqual(['c 3', 'd 4']);
  });

  test('while every page writes leaves nothing from before it', async () => {
    const rounds = runs(20);
    tried(rounds);
    for (let round = 0; round < rounds; round++) {
      freshDatabase();
      const pages = [page(), page(), page()];
      for (let k = 0; k < 30; k++) void pages[(k + round) % 3]!.store.append(view('old', k));
      for (let tick = 0; tick < round % 12; tick++) await new Promise((next) => setImmediate(next));
      await pages[round % 3]!.store.erase();
      await Promise.all(pages.map(({ store }) => store.append(view('new', 100))));
      expect(new Set(await stored())).toEqual(new Set(['new 100']));
      await closeAll();
    }
  }, 600_000);

  test('for good stops every tab until it is opened again', async () => {
    const withdrawn = vi.fn();
    const [one, other] = [page(), page({ onWithdrawn: withdrawn })];
    await one.store.append(view('a', 1));
    await other.store.refresh();
    await one.store.erase(false);
    await expect.poll(() => withdrawn.mock.calls).toEqual([['denied']]);
    const later = [one.store.append(view('b', 2)), other.store.append(view('c', 3))];
    await other.store.refresh();
    expect(await dump()).toBeUndefined();
    one.store.open();
    other.store.open();
    expect(await Promise.all(later)).toEqual([true, true]);
    expect(await stored()).toEqual(['b 2', 'c 3']);
  });

  test('of what earlier visits stored leaves this visit in memory, and makes no database where there was none', async () => {
    const { store, notices } = page({ opened: false });
    const opened = vi.spyOn(indexedDB, 'open');
    await store.discard();
    expect(opened).not.toHaveBeenCalled();
    await page().store.append(view('a', 1));
    await store.discard();
    expect(await dump()).toBeUndefined();
    expect(notices).not.toContain('erased');
  });

  test('of what earlier visits stored stops the tabs that store; what others hold in memory stays there for good', async () => {
    const [storing, remembering, denying] = [page(), page({ opened: false }), page({ opened: false })];
    await storing.store.append(view('a', 1));
    const waits = remembering.store.append(view('b', 2));
    await denying.store.discard();
    await expect.poll(() => storing.notices).toContain('withdrawn: denied');
    expect(storing.notices).toContain('erased');
    expect(remembering.notices).toEqual(['withdrawn: denied']);
    void storing.store.append(view('c', 3));
    await storing.store.refresh();
    expect(await dump()).toBeUndefined();
    expect(await waits).toBe(false);
    remembering.store.open();
    await remembering.store.append(view('d', 4));
    expect(await stored()).toEqual(['d 4']); // what came before the denial is not stored by a later consent
  });

  test('that the device does not confirm is an error', async () => {
    const { store } = page();
    await store.append(view('a', 1));
    vi.spyOn(indexedDB, 'open').mockReturnValue({} as IDBOpenDBRequest);
    vi.spyOn(indexedDB, 'deleteDatabase').mockReturnValue({} as IDBOpenDBRequest);
    const other = page({ opened: false, deadline: 0.05 });
    await expect(other.store.erase()).rejects.toMatchObject({ code: 'timeout' });
  });
});

describe("a page out of the browser's cache", () => {
  /** A page that hears nothing of the others, as in that cache. */
  function deafPage(): Page {
    const channel = globalThis.BroadcastChannel;
    vi.stubGlobal('BroadcastChannel', DeafChannel);
    const deaf = page();
    vi.stubGlobal('BroadcastChannel', channel);
    return deaf;
  }

  /** A page that has read, and what the others do meanwhile. */
  async function cached(meanwhile: (other: Page) => Promise<unknown>, ...itemIds: string[]) {
    const other = page();
    await other.store.refresh();
    const opened = vi.spyOn(indexedDB, 'open');
    const found = deafPage();
    await found.store.refresh();
    for (const [k, itemId] of itemIds.entries()) await found.store.append(view(itemId, k));
    // WebKit tells it of no deletion, which ends its connection.
    const { result: connection } = opened.mock.results.at(-1)!.value as IDBOpenDBRequest;
    connection.close();
    opened.mockRestore();
    await meanwhile(other);
    found.notices.length = 0;
    return found;
  }

  test('reads what other tabs have stored meanwhile', async () => {
    const { store, events, notices } = await cached(({ store }) => store.append(view('b', 2, 'cart')), 'a');
    await store.refresh(true);
    expect(events.map(({ itemId }) => itemId)).toEqual(['b']);
    expect(notices).toEqual([]);
    expect(await store.append(view('c', 3))).toBe(true);
  });

  test.each<[string, (other: Page) => Promise<unknown>, string[]]>([
    ['a denial', ({ store }) => store.erase(false), ['a']],
    ['a denial before it has stored anything', ({ store }) => store.erase(false), []],
    ['an erasure', ({ store }) => store.erase(), ['a']],
    [
      'an erasure, after which others go on',
      async ({ store }) => {
        await store.erase();
        await store.append(view('b', 2));
      },
      ['a'],
    ],
  ])('stores no more after %s, until it is opened again', async (_, meanwhile, itemIds) => {
    const { store, notices } = await cached(meanwhile, ...itemIds);
    const before = (await dump()) === undefined ? [] : await stored(); // which makes a database
    const waits = store.append(view('seen again', 10));
    await store.refresh(true);
    expect(notices).toEqual(['erased', 'withdrawn: unknown']);
    expect(await waits).toBe(false);
    const later = store.append(view('later', 11));
    await store.refresh();
    expect(await stored()).toEqual(before);
    store.open();
    expect(await later).toBe(true);
    expect(await stored()).toEqual([...before, 'later 11']);
  });

  test('makes no database where its first read had not ended before a denial', async () => {
    const [other, found] = [page(), deafPage()];
    const waits = found.store.append(view('a', 1));
    await other.store.erase(false);
    await found.store.refresh(true);
    expect(found.notices).toContain('withdrawn: unknown');
    expect(await waits).toBe(false);
    expect(await dump()).toBeUndefined();
  });

  test('reads until it can, and says what fails', async () => {
    const { store, events, notices } = await cached(({ store }) => store.append(view('b', 2)), 'a');
    const opened = vi.spyOn(indexedDB, 'open').mockImplementation(() => {
      throw new DOMException('not now', 'UnknownError');
    });
    await store.refresh(true);
    await expect.poll(() => notices.some((notice) => notice.startsWith('no-storage'))).toBe(true);
    opened.mockRestore();
    await expect.poll(() => events.map(({ itemId }) => itemId)).toEqual(['b']);
  });

  test('hears of the others as before, once it has read', async () => {
    const { store, notices } = await cached(async () => {}, 'a');
    await store.refresh(true);
    await deleteFromOutside();
    expect(notices).toContain('erased');
    expect(notices).not.toContain('withdrawn: unknown');
    expect(await store.append(view('b', 2))).toBe(true);
  });
});

describe('a database', () => {
  test('that is deleted while it is open is not held up, counts as erased, and starts over', async () => {
    const { store, notices } = page();
    await store.append(view('a', 1));
    await deleteFromOutside();
    expect(notices).toContain('erased');
    expect(await store.append(view('b', 2))).toBe(true);
    expect(await stored()).toEqual(['b 2']);
  });

  test('whose own mark is damaged counts as erased once, and goes on', async () => {
    const { store, notices } = page();
    await store.append(view('a', 1));
    await raw((records) => records.put({ no: 'mark' }, 'epoch'));
    expect(await store.append(view('b', 2))).toBe(false);
    expect(await store.append(view('c', 3))).toBe(true);
    expect(await store.append(view('d', 4))).toBe(true);
    expect(notices.filter((word) => word === 'erased')).toHaveLength(1);
  });

  test('that is emptied behind our back counts as erased, and later events are stored', async () => {
    const { store, notices } = page();
    await store.append(view('a', 1));
    await raw((records) => records.clear());
    expect(await store.append(view('b', 2))).toBe(false);
    expect(notices).toContain('erased');
    expect(await store.append(view('c', 3))).toBe(true);
    expect(await stored()).toEqual(['c 3']);
  });
});

test('a page that has left deletes nothing of those that come after an erasure', async () => {
  const [eraser, leaver] = [page(), page()];
  await eraser.store.append(view('a', 1));
  await leaver.store.refresh();
  await eraser.store.erase();
  await expect.poll(() => leaver.notices).toContain('erased');
  await leaver.store.close();
  const next = page();
  await next.store.refresh();
  // A page that stays looks, a second after an erasure in another tab, whether an empty database is left.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(next.notices).toEqual(['idle', 'indexeddb']);
});
