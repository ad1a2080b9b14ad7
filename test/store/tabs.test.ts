/** Many tabs of a real Chromium write at once, and die at random: what was acknowledged is there, once and in order. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { random } from '../../src/session/random';
import type * as Store from '../../src/store/event-store';
import { ROOT } from '../build/built';
import { openBrowser } from '../demo/shop-window';

/** In `npm test` a small part of what `npm run soak` does. */
const [TABS, EVENTS] = process.env['SOAK'] ? ([8, 500] as const) : ([3, 60] as const);
const SHOP = 'https://shop.test/';
const PAGE = `<!doctype html><title>Shop</title>
  <script type="module">import * as store from './store.js'; Object.assign(globalThis, store)</script>`;

let browser: Browser;
let script: string;

beforeAll(async () => {
  const entry = `${ROOT}/src/store/event-store.ts`;
  const [bundled] = [
    await build({
      configFile: false,
      root: ROOT,
      publicDir: false,
      logLevel: 'error',
      build: { write: false, lib: { entry, formats: ['es'], fileName: 'store' }, minify: false },
    }),
  ].flat() as { output: { code: string }[] }[];
  script = bundled!.output[0]!.code;
  browser = await openBrowser();
});
afterAll(() => browser?.close());

/** Ends the tab's process, as a crash or a phone that needs memory does. */
async function kill(context: BrowserContext, page: Page): Promise<void> {
  const protocol = await context.newCDPSession(page);
  protocol.send('Page.crash').catch(() => {}); // nobody is left to answer
}

type Tab = Window & typeof Store & { store: Store.EventStore; found: unknown[]; acknowledged(number: number): void };

/** A browser profile of its own, in which the shop is served. */
async function openShop(): Promise<BrowserContext> {
  const context = await browser.newContext();
  await context.route(`${SHOP}**`, (route) =>
    route.request().url().endsWith('/store.js')
      ? route.fulfill({ contentType: 'text/javascript', body: script })
      : route.fulfill({ contentType: 'text/html', body: PAGE }),
  );
  return context;
}

/** A tab whose store is open; acknowledgements go to `acknowledged` as they come. */
async function openTab(context: BrowserContext, acknowledged: (n: number) => void) {
  const page = await context.newPage();
  await page.exposeFunction('acknowledged', acknowledged);
  await page.goto(SHOP);
  await page.evaluate(() => {
    const tab = globalThis as unknown as Tab;
    tab.found = [];
    tab.store = tab.createEventStore({ gap: 1800, deadline: 30, onEvents: (events) => tab.found.push(...events) });
    tab.store.open();
  });
  return page;
}

/** Tracks events one after the other, as fast as it can, and waits for the last one only. */
const trackAll = (page: Page, itemId: string, from: number): Promise<void> =>
  page.evaluate(
    async ([id, first, last]) => {
      const { store, acknowledged } = globalThis as unknown as Tab;
      let stored: Promise<unknown> | undefined;
      for (let time = first; time <= last; time++) {
        stored = store.append({ itemId: id, event: 'view', time }).then((yes) => yes && acknowledged(time));
        await new Promise((next) => setTimeout(next, 1));
      }
      await stored;
    },
    [itemId, from, EVENTS - 1] as const,
  );

test(`${TABS} tabs track ${EVENTS} events each, and are killed at random`, async () => {
  const context = await openShop();
  const draws = random(7, 'kills');
  const acknowledged: { itemId: string; time: number }[] = [];
  let kills = 0;

  /** One visitor's tab. Where it is killed, another one goes on after the last event that was acknowledged. */
  async function track(tab: number): Promise<void> {
    let next = 0;
    for (let life = 0; next < EVENTS; life++) {
      const itemId = `${tab}/${life}`;
      const start = next;
      const page = await openTab(context, (time) => {
        acknowledged.push({ itemId, time });
        next = time + 1;
      });
      let over = false;
      // It ends when all is stored, or when the process is gone: killed, perhaps with another tab that shared it.
      const crashed = new Promise<void>((resolve) => page.once('crash', () => resolve()));
      const tracking = Promise.race([trackAll(page, itemId, start).catch(() => {}), crashed]);
      void tracking.then(() => {
        over = true;
      });
      if (life < 3 && draws.uniform() < 0.8) {
        const target = start + 1 + draws.integer(EVENTS / 4);
        while (next < target && !over) await new Promise((tick) => setTimeout(tick, 2));
        if (!over) {
          kills++;
          await kill(context, page);
          await crashed;
        }
      }
      await tracking;
      await page.close();
    }
  }

  await Promise.all(Array.from({ length: TABS }, (_, tab) => track(tab)));

  const reader = await openTab(context, () => {});
  const found = await reader.evaluate(async () => {
    const tab = globalThis as unknown as Tab;
    await tab.store.refresh();
    return tab.found as { itemId: string; time: number }[];
  });
  expect(kills).toBeGreaterThan(0);
  expect(found.map(({ time }) => time)).toEqual(found.map(({ time }) => time).sort((a, b) => a - b));
  const keys = found.map(({ itemId, time }) => `${itemId} ${time}`);
  expect(new Set(keys).size, 'each once').toBe(keys.length);
  const lost = acknowledged.filter(({ itemId, time }) => !keys.includes(`${itemId} ${time}`));
  expect(acknowledged.length).toBeGreaterThanOrEqual(TABS * EVENTS);
  expect(lost).toEqual([]);
  await context.close();
}, 600_000);

test.each([1, 100_000])(
  'a quota of %i bytes leaves in memory what it does not take, and says so',
  async (quotaSize) => {
    const context = await openShop();
    const page = await context.newPage();
    const errors: string[] = [];
    page.on('pageerror', ({ message }) => errors.push(message));
    await page.goto(SHOP);
    const protocol = await context.newCDPSession(page);
    await protocol.send('Storage.overrideQuotaForOrigin', { origin: new URL(SHOP).origin, quotaSize });
    const told = await page.evaluate(async () => {
      const { createEventStore } = globalThis as unknown as Tab;
      return new Promise<string>((resolve) => {
        const onTrouble = (code: string, message: string | undefined) => resolve(`${code}: ${message}`);
        const store = createEventStore({ gap: 1800, maxSize: 1e9, onTrouble });
        store.open();
        for (let k = 0; k < 30; k++) {
          void store.append({ itemId: `${k}`.padEnd(20_000, 'long '), event: 'view', time: k });
        }
      });
    });
    expect(told).toMatch(/^(storage-full|no-storage): Events are kept in this page's memory/);
    expect(errors).toEqual([]);
    await context.close();
  },
);
