/**
 * What a page in a real Chromium may lack or break, with the built library: it recommends, or says why not; nothing is
 * thrown into the page; `status` is true.
 */
import type { Server } from 'node:http';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { openBrowser } from '../demo/shop-window';
import { answerOf, knownTo, openShop, type PageOptions, serveShop, statusOf, thrownIn, track } from './shop-page';

vi.setConfig({ testTimeout: 120_000 });

let browser: Browser;
let server: Server;
let origin: string;
let context: BrowserContext;

beforeAll(async () => {
  [browser, { server, origin }] = await Promise.all([openBrowser(), serveShop()]);
});
afterAll(async () => {
  await browser?.close();
  server?.close();
  server?.closeAllConnections();
});
beforeEach(async () => {
  context = await browser.newContext();
});
afterEach(() => context.close());

/** Time for a machine that is busy elsewhere. */
const PATIENCE = { timeout: 60_000, interval: 50 };
const settled = (page: Page) =>
  vi.waitFor(async () => expect((await statusOf(page)).storage).not.toBe('idle'), PATIENCE);
const codesOf = async (page: Page) => (await statusOf(page)).degraded.map(({ code }) => code);

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
  [
    [`${name} is missing`, missing(name)],
    [`${name} throws when it is looked at`, unreadable(name)],
    [`${name} throws when it is used`, unusable(name)],
  ] as const;

/** A page in which `first` has run, and its worker, in which `inWorker` has. */
const broken = (first: string, inWorker = ''): PageOptions => ({
  first,
  options: { workerUrl: `/worker.js?first=${encodeURIComponent(inWorker)}` },
});

interface Expected {
  readonly answer: string | string[];
  readonly storage: string;
  readonly degraded: readonly string[];
}
const WELL: Expected = { answer: Array(10).fill('neural'), storage: 'indexeddb', degraded: [] };

async function expectPage(options: PageOptions, expected: Expected): Promise<void> {
  const page = await openShop(context, origin, options);
  await track(page, 'item-9');
  expect(await answerOf(page)).toEqual(expected.answer);
  await settled(page);
  const { storage, consent, engine } = await statusOf(page);
  expect({ storage, consent, degraded: await codesOf(page) }).toEqual({
    storage: expected.storage,
    consent: 'granted',
    degraded: expected.degraded,
  });
  expect(engine !== undefined, 'an engine where there is an answer').toBe(Array.isArray(expected.answer));
  expect(await knownTo(page)).toEqual(['item-9']);
  expect(await thrownIn(page)).toEqual([]);
  // What was said of the storage is true of the next page.
  const next = await openShop(context, origin, { options: { modelUrl: '/none/' } });
  await settled(next);
  expect(await knownTo(next)).toEqual(expected.storage === 'indexeddb' ? ['item-9'] : []);
  expect(await thrownIn(next)).toEqual([]);
}

describe('recommends and stores where', () => {
  test.each([
    ...without('crypto'),
    ...without('fetch'),
    ...without('requestIdleCallback'),
    ...without('BroadcastChannel'),
    ...without('localStorage'),
  ])('%s', async (_, first) => {
    await expectPage(broken(first), WELL);
  });

  test.each(without('crypto'))('%s, in the worker too', async (_, first) => {
    await expectPage(broken(first, first), WELL);
  });

  test.each(without('crypto'))('%s, and no worker can start', async (_, first) => {
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

  test.each<[string, string, string]>([
    ...without('indexedDB').map(([name, first]) => [name, first, 'no-storage'] as [string, string, string]),
    ['indexedDB throws when it is opened', open(FORBIDDEN), 'no-storage'],
    ['indexedDB never opens', open('() => ({})'), 'no-storage'],
    ['indexedDB may not be opened', open(asks('InvalidStateError')), 'no-storage'],
    // An override of 0 means none to Chromium; Firefox refuses to open where there is no room at all.
    ['the quota is 0', open(asks('QuotaExceededError')), 'storage-full'],
    ['every write fails', `IDBObjectStore.prototype.put = ${FORBIDDEN};`, 'no-storage'],
    ['every transaction fails', `IDBDatabase.prototype.transaction = ${FORBIDDEN};`, 'no-storage'],
  ])('%s', async (_, first, code) => {
    await expectPage({ first }, { ...WELL, storage: 'memory', degraded: [code] });
  });

  test('the quota is 1 byte', async () => {
    const prepare: PageOptions['prepare'] = (_, protocol) =>
      protocol.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1 });
    const page = await openShop(context, origin, { prepare });
    await track(page, 'item-9');
    expect(await answerOf(page)).toEqual(WELL.answer);
    await vi.waitFor(async () => expect((await statusOf(page)).storage).toBe('memory'), PATIENCE);
    const message = "Events are kept in this page's memory and end with it: QuotaExceededError";
    expect((await statusOf(page)).degraded).toMatchObject([{ code: 'storage-full', message }]);
    expect(await knownTo(page)).toEqual(['item-9']);
    expect(await thrownIn(page)).toEqual([]);
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
    const page = await openShop(context, origin, {
      prepare: (_, protocol) => protocol.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 100_000 }),
      acknowledged: (ids) => acknowledged.push(...ids),
    });
    const ids = Array.from({ length: 2500 }, (_, k) => `product-with-a-long-name-in-a-long-path-${k}`);
    for (let from = 0; from < ids.length; from += 100) await track(page, ...ids.slice(from, from + 100));
    await vi.waitFor(() => expect(acknowledged.at(-1)).toBe(ids.at(-1)), PATIENCE);
    expect(acknowledged).toEqual(ids);
    expect(await answerOf(page)).toHaveLength(10);
    expect(await statusOf(page)).toMatchObject({ storage: 'indexeddb' });
    expect(await codesOf(page)).toEqual(['storage-short']);
    expect(await thrownIn(page)).toEqual([]);
    const next = await openShop(context, origin);
    await settled(next);
    const left = await knownTo(next);
    expect(left.length).toBeGreaterThan(100);
    expect(left).toEqual(ids.slice(-left.length));
  });

  test('is deleted while it is open has been erased, is told, and takes what comes', async () => {
    const page = await openShop(context, origin);
    await page.evaluate(() => {
      const { recommender } = globalThis as unknown as { recommender: import('../../src/index').Recommender };
      recommender.on('erased', ({ by }) => Object.assign(globalThis, { erasedBy: by }));
    });
    await track(page, 'item-9');
    expect(await knownTo(page)).toEqual(['item-9']);
    const other = await context.newPage();
    await other.goto(`${origin}/`);
    await forget(other);
    const erasedBy = () => page.evaluate(() => (globalThis as { erasedBy?: string }).erasedBy);
    await vi.waitFor(async () => expect(await erasedBy()).toBe('elsewhere'), PATIENCE);
    expect(await knownTo(page)).toEqual([]);
    await track(page, 'a,b');
    expect(await answerOf(page)).toEqual(WELL.answer);
    expect(await knownTo(page)).toEqual(['a,b']);
    expect(await statusOf(page)).toMatchObject({ storage: 'indexeddb', degraded: [] });
    expect(await thrownIn(page)).toEqual([]);
  });

  test('is cleared by the browser while it writes loses what came before, and takes what comes after', async () => {
    const acknowledged: string[] = [];
    const page = await openShop(context, origin, { acknowledged: (ids) => acknowledged.push(...ids) });
    const protocol = await context.newCDPSession(page);
    await settled(page);
    for (let round = 0; round < 4; round++) {
      for (let k = 0; k < 40; k++) await track(page, `${round}/${k}`);
      await protocol.send('Storage.clearDataForOrigin', { origin, storageTypes: 'indexeddb' });
    }
    // The first event after it may be the one by which the page notices.
    let last = '';
    await vi.waitFor(async () => {
      last = `last-${acknowledged.length}-${Math.random()}`;
      await track(page, last);
      expect(await knownTo(page)).toContain(last);
      expect(acknowledged).toContain(last);
    }, PATIENCE);
    expect(await answerOf(page)).toHaveLength(10);
    expect(await statusOf(page)).toMatchObject({ storage: 'indexeddb', degraded: [] });
    expect(await thrownIn(page)).toEqual([]);
    const next = await openShop(context, origin);
    await settled(next);
    const left = await knownTo(next);
    expect(left).toContain(last);
    expect(left.filter((id) => id.startsWith('0/'))).toEqual([]);
    expect(new Set(left).size).toBe(left.length);
  });
});
