/**
 * What a page in a real Chromium may lack or break, with the built library: it recommends, or says why not; nothing is
 * thrown into the page; `status` is true.
 */
import type { Page } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import type { RankedItem } from '../../src/index';
import { type Hooks, openShopPage, type PageOptions, type ShopPage, STORING, shopVisit } from '../engine/shop-page';
import { originOf } from '../server';
import { isSoak, slice } from '../soak-slice';

vi.setConfig({ testTimeout: 120_000 });

const visit = shopVisit();

const opened = ({ recommender, ...options }: PageOptions = {}) =>
  openShopPage(visit.context, visit.server, { ...options, recommender: { ...STORING, ...recommender } });

/** Time for a machine that is busy elsewhere. */
const PATIENCE = { timeout: 60_000 };
const settled = (shop: ShopPage) => expect.poll(async () => (await shop.status()).storage, PATIENCE).not.toBe('idle');
/** The model knows none of the ids that are tracked here. */
const codesOf = async (shop: ShopPage) =>
  (await shop.status()).degraded.flatMap(({ code }) => (code === 'unknown-ids' ? [] : code));
/** Reasons of the recommendations, or the code of the error. */
async function answerOf(shop: ShopPage): Promise<string | undefined | string[]> {
  const answer = await shop.ask();
  return 'code' in answer ? answer.code : (answer as readonly RankedItem[]).map(({ reason }) => reason);
}

const property = (name: string, descriptor: string) =>
  `Object.defineProperty(globalThis, '${name}', { configurable: true, ...${descriptor} });`;
const FORBIDDEN = `() => { throw new DOMException('forbidden here', 'SecurityError'); }`;
const missing = (name: string) => property(name, '{ value: undefined }');
const unreadable = (name: string) => property(name, `{ get: ${FORBIDDEN} }`);
/** The thing is there, but whatever is called of it throws. */
const unusable = (name: string) =>
  property(
    name,
    `{ value: new Proxy(function () {}, { get: () => ${FORBIDDEN}, apply: ${FORBIDDEN}, construct: ${FORBIDDEN} }) }`,
  );
const without = (name: string) =>
  slice(
    [
      [`${name} is missing`, missing(name)],
      [`${name} throws when it is looked at`, unreadable(name)],
      [`${name} throws when it is used`, unusable(name)],
    ] as const,
    ([fault]) => fault.endsWith('used'),
  );

/** A page in which `first` has run, and its worker, in which `inWorker` has. */
const broken = (first: string, inWorker = ''): PageOptions => ({
  first,
  inWorker,
});

interface Expected {
  readonly answer: string | string[];
  readonly storage: string;
  readonly degraded: readonly string[];
}
const WELL: Expected = { answer: Array(20).fill('neural'), storage: 'indexeddb', degraded: [] };

async function expectPage(options: PageOptions, expected: Expected): Promise<void> {
  const shop = await opened(options);
  await shop.track('item-9');
  expect(await answerOf(shop)).toEqual(expected.answer);
  await settled(shop);
  const { storage, consent, engine } = await shop.status();
  expect({ storage, consent, degraded: await codesOf(shop) }).toEqual({
    storage: expected.storage,
    consent: 'granted',
    degraded: expected.degraded,
  });
  expect(engine !== undefined, 'an engine where there is an answer').toBe(Array.isArray(expected.answer));
  expect(await shop.known()).toEqual(['item-9']);
  expect(await shop.thrown()).toEqual([]);
  // What was said of the storage is true of the next page.
  const next = await opened({ recommender: { modelUrl: '/none/' } });
  await settled(next);
  expect(await next.known()).toEqual(expected.storage === 'indexeddb' ? ['item-9'] : []);
  expect(await next.thrown()).toEqual([]);
}

describe('recommends and stores where', () => {
  const names = ['crypto', 'fetch', 'requestIdleCallback', 'BroadcastChannel', 'localStorage'];
  // `npm test` lacks crypto and fetch in the worker, too.
  const few = slice(names, (name) => name === 'BroadcastChannel' || name === 'localStorage');
  test.each(few.flatMap(without))('%s', async (_, first) => {
    await expectPage(broken(first), WELL);
  });

  test.each(without('crypto'))('%s, in the worker too', async (_, first) => {
    await expectPage(broken(first, first), WELL);
  });

  test.each(isSoak ? without('crypto') : [])('%s, and no worker can start', async (_, first) => {
    await expectPage(broken(`${first} ${missing('Worker')}`), { ...WELL, degraded: ['no-worker'] });
  });
});

describe('stores, and says that there is no model, where', () => {
  const error: Expected = { ...WELL, answer: 'io' };

  test.each(without('fetch'))('%s, in the worker too', async (_, first) => {
    await expectPage(broken(first, first), error);
  });

  test.each(without('fetch'))('%s, and no worker can start', async (_, first) => {
    await expectPage(broken(`${first} ${missing('Worker')}`), { ...error, degraded: ['no-worker'] });
  });
});

describe('recommends from memory where', () => {
  const open = (body: string) => `indexedDB.open = ${body};`;
  const asks = (name: string) => `() => {
    const request = { error: new DOMException('', '${name}') };
    setTimeout(() => request.onerror?.());
    return request;
  }`;

  const faults: [string, string, string][] = [
    ...without('indexedDB').map(([name, first]) => [name, first, 'no-storage'] as [string, string, string]),
    ['indexedDB throws when it is opened', open(FORBIDDEN), 'no-storage'],
    ['indexedDB never opens', open('() => ({})'), 'no-storage'],
    ['indexedDB may not be opened', open(asks('InvalidStateError')), 'no-storage'],
    // An override of 0 means none to Chromium; Firefox refuses to open where there is no room at all.
    ['the quota is 0', open(asks('QuotaExceededError')), 'storage-full'],
    ['every write fails', `IDBObjectStore.prototype.put = ${FORBIDDEN};`, 'no-storage'],
    ['every transaction fails', `IDBDatabase.prototype.transaction = ${FORBIDDEN};`, 'no-storage'],
  ];
  test.each(slice(faults, ([name]) => /used$|every write/.test(name)))('%s', async (_, first, code) => {
    await expectPage({ first }, { ...WELL, storage: 'memory', degraded: [code] });
  });

  test('the quota is 1 byte', async () => {
    const prepare: PageOptions['prepare'] = (_, protocol) =>
      protocol.send('Storage.overrideQuotaForOrigin', { origin: originOf(visit.server), quotaSize: 1 });
    const shop = await opened({ prepare });
    await shop.track('item-9');
    expect(await answerOf(shop)).toEqual(WELL.answer);
    await expect.poll(async () => (await shop.status()).storage, PATIENCE).toBe('memory');
    const message = "Events are kept in this page's memory and end with it: QuotaExceededError";
    expect((await shop.status()).degraded).toMatchObject([{ code: 'storage-full', message }]);
    expect(await shop.known()).toEqual(['item-9']);
    expect(await shop.thrown()).toEqual([]);
  });
});

describe('an IndexedDB that', () => {
  const forget = (page: Page) =>
    page.evaluate(
      () =>
        new Promise<void>((done) => {
          indexedDB.deleteDatabase('aisle').onsuccess = () => done();
        }),
    );

  test('has 100 kB keeps the newest, and says that it let older ones go', async () => {
    const acknowledged: string[] = [];
    const shop = await opened({
      prepare: (_, protocol) =>
        protocol.send('Storage.overrideQuotaForOrigin', { origin: originOf(visit.server), quotaSize: 100_000 }),
      acknowledged: (ids) => acknowledged.push(...ids),
    });
    const ids = Array.from({ length: 900 }, (_, k) => `${'product-with-a-long-name-in-a-long-path-'.repeat(3)}${k}`);
    const trackLot = (lot: readonly string[], start: number) =>
      shop.page.evaluate(
        ([some, first]) => {
          const { recommender } = globalThis as unknown as Hooks;
          for (const [k, itemId] of some.entries()) recommender.track({ itemId, time: first + 1000 * k });
        },
        [lot, start] as const,
      );
    const start = Date.now() - 1000 * ids.length; // a second apart
    for (let from = 0; from < ids.length; from += 100) await trackLot(ids.slice(from, from + 100), start + 1000 * from);
    await expect.poll(() => acknowledged.at(-1), PATIENCE).toBe(ids.at(-1));
    expect(acknowledged).toEqual(ids);
    expect(await answerOf(shop)).toHaveLength(20);
    expect(await shop.status()).toMatchObject({ storage: 'indexeddb' });
    expect(await codesOf(shop)).toEqual(['storage-short']);
    expect(await shop.thrown()).toEqual([]);
    const next = await opened();
    await settled(next);
    const left = await next.known();
    expect(left.length).toBeGreaterThan(100);
    expect(left).toEqual(ids.slice(-left.length));
  });

  test('is deleted while it is open has been erased, is notified, and takes what comes', async () => {
    const shop = await opened();
    await shop.page.evaluate(() => {
      const { recommender } = globalThis as unknown as { recommender: import('../../src/index').Recommender };
      recommender.on('erased', ({ by }) => Object.assign(globalThis, { erasedBy: by }));
    });
    await shop.track('item-9');
    expect(await shop.known()).toEqual(['item-9']);
    const other = await visit.context.newPage();
    await other.goto(`${originOf(visit.server)}/`);
    await forget(other);
    const erasedBy = () => shop.page.evaluate(() => (globalThis as { erasedBy?: string }).erasedBy);
    await expect.poll(erasedBy, PATIENCE).toBe('elsewhere');
    expect(await shop.known()).toEqual([]);
    await shop.track('a,b');
    expect(await answerOf(shop)).toEqual(WELL.answer);
    expect(await shop.known()).toEqual(['a,b']);
    expect(await shop.status()).toMatchObject({ storage: 'indexeddb' });
    expect(await codesOf(shop)).toEqual([]);
    expect(await shop.thrown()).toEqual([]);
  });

  test('is cleared by the browser while it writes loses what came before, and takes what comes after', async () => {
    const acknowledged: string[] = [];
    const shop = await opened({ acknowledged: (ids) => acknowledged.push(...ids) });
    const protocol = await visit.context.newCDPSession(shop.page);
    await settled(shop);
    for (let round = 0; round < 4; round++) {
      for (let k = 0; k < 40; k++) await shop.track(`${round}/${k}`);
      await protocol.send('Storage.clearDataForOrigin', { origin: originOf(visit.server), storageTypes: 'indexeddb' });
    }
    // The first event after it may be the one by which the page notices.
    let last = '';
    await vi.waitFor(async () => {
      last = `last-${acknowledged.length}-${Math.random()}`;
      await shop.track(last);
      expect(await shop.known()).toContain(last);
      expect(acknowledged).toContain(last);
    }, PATIENCE);
    expect(await answerOf(shop)).toHaveLength(20);
    expect(await shop.status()).toMatchObject({ storage: 'indexeddb' });
    expect(await codesOf(shop)).toEqual([]);
    expect(await shop.thrown()).toEqual([]);
    const next = await opened();
    await settled(next);
    const left = await next.known();
    expect(left).toContain(last);
    expect(left.filter((id) => id.startsWith('0/'))).toEqual([]);
    expect(new Set(left).size).toBe(left.length);
  });
});
