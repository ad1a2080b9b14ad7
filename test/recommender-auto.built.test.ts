/** `backend: 'auto'` in the built library: what is found out about the device, remembered, and forgotten. */
import type { Page } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import type { BackendName, Recommender } from '../src/index';
import type { DeviceRecord } from '../src/recommender/device-record';
import { expectRight, type ServedPage, type ShopPage, shopPages } from './engine/shop-page';
import { isSoak, slice } from './soak-slice';

vi.setConfig({ testTimeout: 120_000 });

const { opened } = shopPages();

/** Whatever the stored clicks come to, and whether they have been read. */
async function expectAny(shop: ShopPage): Promise<void> {
  expect(await shop.ask()).toHaveLength(20);
}

const visitOf = ({ server, page }: ServedPage) => ({ server, context: page.context() });

/** The answer to which backend is the fastest, once it has been found. */
const settled = (shop: ShopPage) =>
  expect
    .poll(async () => (await shop.status()).engine!.why, { timeout: 100_000 })
    .toMatch(/fastest here|none is faster/);

describe('auto', () => {
  test('answers at once, tries every backend beside, and asks for nothing but static files, once', async () => {
    const shop = await opened({ recommender: { consent: 'granted' } });
    await expectRight(shop);
    const first = await shop.status();
    expect(first.engine).toMatchObject({ backend: 'wasm', why: '"wasm" is ready at once.' });
    await settled(shop);
    const { engine, degraded } = await shop.status();
    for (const name of ['webgpu', 'webgl', 'wasm', 'cpu']) expect(engine!.why).toContain(name);
    expect(degraded).toEqual([]);
    await expectRight(shop);
    expect(shop.page.workers()).toHaveLength(1);
    const model = shop.paths.filter((path) => path.startsWith('/model/'));
    expect(new Set(model).size).toBe(model.length); // the second worker read the browser's cache
    expect(await shop.thrown()).toEqual([]);

    // The next page of the visit knows, and tries nothing unless another backend was the fastest.
    const next = await opened({
      recommender: { consent: 'granted' },
      after: visitOf(shop),
    });
    await settled(next);
    expect((await next.status()).engine!.why).toBe(engine!.why);
    const databases = () => next.page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
    expect(await databases()).toEqual(['aisle']);
    await next.page.evaluate(() => (globalThis as never as { recommender: Recommender }).recommender.privacy.erase());
    expect(await databases()).toEqual([]);
  });

  test('says where trying or learning cannot be loaded, and goes on recommending', async () => {
    const answer = (path: string) => (/\/(trials|fine-tuning)-/.test(path) ? { status: 404 } : undefined);
    const shop = await opened({ recommender: { consent: 'granted', learn: 'auto' }, answer });
    await expectRight(shop);
    const degraded = async () => (await shop.status()).degraded.map(({ code }) => code).sort();
    await expect.poll(degraded, { timeout: 60_000 }).toEqual(['learning-failed', 'trials-failed']);
    await expectRight(shop);
    expect(await shop.thrown()).toEqual([]);
  });

  test('stores nothing without consent', async () => {
    const shop = await opened();
    await expectRight(shop);
    await settled(shop);
    const places = () =>
      shop.page.evaluate(async () => [
        await indexedDB.databases(),
        Object.keys(localStorage),
        Object.keys(sessionStorage),
      ]);
    expect(await places()).toEqual([[], [], []]);
  });

  // In `npm test` trials.test.ts has this, and a page that is left, with engines of the page.
  if (isSoak)
    test('lets the remembered backend take over, and ends the worker before', async () => {
      const shop = await opened({ recommender: { consent: 'granted' } });
      await expectRight(shop);
      await settled(shop);
      await stored(shop, 'webgl');
      const next = await opened({
        recommender: { consent: 'granted' },
        after: visitOf(shop),
      });
      await expectAny(next);
      await expect.poll(async () => (await next.status()).engine!.backend, { timeout: 60_000 }).toBe('webgl');
      await expectAny(next);
      await expect.poll(() => next.page.workers().length).toBe(1);
      expect(await next.status()).toMatchObject({ engine: { backend: 'webgl', thread: 'worker' }, degraded: [] });
      expect(await next.thrown()).toEqual([]);
    });

  /** A page that tries WebGL, whose files do not come until they are released. */
  async function tryingWebgl() {
    let isHeld = true;
    const answer = (path: string) => (isHeld && /webgl-/.test(path) ? ('never' as const) : undefined);
    const shop = await opened({ recommender: { consent: 'granted' }, answer });
    await expectRight(shop);
    const mark = () => stored(shop).then((record) => record?.trying);
    await expect.poll(mark, { timeout: 60_000 }).toBe('webgl');
    const release = () => {
      isHeld = false;
    };
    return { shop, release };
  }

  test('leaves a GPU alone during which the tab died', async () => {
    const { shop, release } = await tryingWebgl();
    const after = visitOf(shop);
    const { context } = after;
    await context.newPage(); // the context outlives the tab
    const session = await context.newCDPSession(shop.page);
    const died = new Promise((resolve) => shop.page.on('crash', resolve));
    session.send('Page.crash').catch(() => {});
    await died;
    release();
    const next = await opened({ recommender: { consent: 'granted' }, after });
    await expectAny(next);
    await settled(next);
    const { engine } = await next.status();
    expect(engine!.why).toContain('"webgl" is left alone, since the page ended when it was tried last.');
    expect(engine!.why).not.toMatch(/webgl [\d.]+ ms/);
    const named = await opened({
      recommender: { consent: 'granted', backend: 'webgl' },
      after,
    });
    await expectAny(named);
    expect(await named.status()).toMatchObject({ engine: { backend: 'wasm' }, degraded: [{ code: 'no-backend' }] });
  });

  const ends: [string, (page: Page) => Promise<unknown>][] = [
    ['whose page was left', (page) => page.goto('about:blank')],
    [
      'whose page was done with it',
      (page) => page.evaluate(() => (globalThis as never as { recommender: Recommender }).recommender.dispose()),
    ],
  ];
  test.each(slice(ends, ([end]) => end !== 'whose page was left'))(
    'holds nothing against a GPU %s while it was tried',
    async (_, leave) => {
      const { shop, release } = await tryingWebgl();
      await leave(shop.page);
      release();
      const next = await opened({
        recommender: { consent: 'granted' },
        after: visitOf(shop),
      });
      await expectAny(next);
      await settled(next);
      expect((await next.status()).engine!.why).toMatch(/webgl [\d.]+ ms/);
    },
  );
});

/** What the page has stored about backends; then another one is made the fastest in it, if wanted. */
function stored({ page }: ShopPage, fastest?: BackendName): Promise<DeviceRecord | undefined> {
  return page.evaluate(async (backend) => {
    const settled = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const database = await settled(indexedDB.open('aisle'));
    try {
      const store = database.transaction('records', 'readwrite').objectStore('records');
      const record = (await settled(store.get('note/backends'))) as DeviceRecord | undefined;
      if (record && backend) {
        const choices = record.choices.map((choice) => ({ ...choice, backend }));
        await settled(store.put({ ...record, choices }, 'note/backends'));
      }
      return record;
    } finally {
      database.close();
    }
  }, fastest);
}
