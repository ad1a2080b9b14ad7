/** What becomes of an embed whose model could not be had, or that was stopped: nothing that was said is forgotten. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openBrowser } from '../demo/shop-window';
import {
  asked,
  type EmbedServer,
  known,
  openEmbed,
  push,
  ready,
  SCRIPT,
  SLOT,
  STOCK,
  serveEmbed,
} from './embed-window';

vi.setConfig({ testTimeout: 120_000 }); // a browser on a machine that may be busy

const [A, B] = STOCK.map(({ id }) => id) as [string, string];

let browser: Browser;
let server: EmbedServer;
beforeAll(async () => {
  [browser, server] = await Promise.all([openBrowser(), serveEmbed()]);
});
afterAll(async () => {
  await browser?.close();
  server?.close();
});

const MODEL = '**/manifest.json';
const cutOff = (page: Page) => page.context().route(MODEL, (route) => route.abort());
async function connect(page: Page): Promise<void> {
  await page.context().unroute(MODEL);
  await page.evaluate(() => dispatchEvent(new Event('online')));
}
const failed = (page: Page) => page.locator('[data-aisle-state=error-io]').waitFor();

describe('a model that comes when the network is back', () => {
  test('finds the recommender, its listeners and the visit as they were', async () => {
    const { page, errors } = await openEmbed(browser, server, SLOT, { prepare: cutOff });
    await failed(page);
    await page.evaluate(async () => {
      Object.assign(globalThis, { first: await window.aisle!.ready, heard: [] });
      const heard = (name: string) => () => (globalThis as unknown as { heard: string[] }).heard.push(name);
      for (const name of ['ready', 'error']) window.aisle!.push(['on', name, heard(name)]);
    });
    await push(page, 'track', A);
    await page.evaluate(() => dispatchEvent(new Event('online'))); // which is not always true
    const heard = () => page.evaluate(() => (globalThis as unknown as { heard: string[] }).heard);
    await expect.poll(heard).toEqual(['error']);
    await connect(page);
    await ready(page);
    expect(await heard()).toEqual(['error', 'ready']);
    expect(await known(page)).toEqual([`view ${A}`]);
    const isSame = await page.evaluate(async () => {
      const { first } = globalThis as unknown as { first: unknown };
      return first === window.aisle!.recommender && first === (await window.aisle!.ready);
    });
    expect(isSame).toBe(true);
    expect(errors.filter((text) => !text.startsWith('Failed to load resource'))).toEqual([]);
    await page.context().close();
  });

  test('changes nothing of the answer no, whatever the tag says', async () => {
    const head = SCRIPT.replace('data-', 'data-consent="granted" data-');
    const { page } = await openEmbed(browser, server, SLOT, { head, prepare: cutOff });
    await failed(page);
    await push(page, 'consent', 'denied');
    await connect(page);
    await ready(page);
    await push(page, 'track', A);
    expect(await page.evaluate(() => window.aisle!.recommender!.status.consent)).toBe('denied');
    await asked(page, { k: 1 });
    const databases = () => page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
    await expect.poll(databases).toEqual([]);
    await page.context().close();
  });

  test('finds a visitor who has paused still paused', async () => {
    const { page } = await openEmbed(browser, server, SLOT, { prepare: cutOff });
    await failed(page);
    await push(page, 'track', A);
    await push(page, 'pause');
    await connect(page);
    await ready(page);
    await push(page, 'track', B);
    expect(await page.evaluate(() => window.aisle!.recommender!.status.paused)).toBe(true);
    expect(await known(page)).toEqual([`view ${A}`]);
    await page.context().close();
  });
});

/** Notes the state of each event that slots send. */
const HEAR = `<script>heard = []; addEventListener('aisle-recommendations', ({ detail }) => heard.push(detail.state))</script>`;
const heard = (page: Page) => page.evaluate(() => (globalThis as unknown as { heard: string[] }).heard);

describe('a page that listens hears of each change once:', () => {
  test('of the failure, and of suggestions when the network is back', async () => {
    const { page } = await openEmbed(browser, server, SLOT, { head: HEAR + SCRIPT, prepare: cutOff });
    await failed(page);
    await push(page, 'refresh');
    await asked(page, {}).catch(() => {}); // it fails after the slot's own question has
    expect(await heard(page)).toEqual(['error-io']);
    await connect(page);
    await ready(page);
    expect(await heard(page)).toEqual(['error-io', 'ready']);
    await page.context().close();
  });

  test('of a failure in between, after which the answer is the same', async () => {
    const start = `<script>(window.aisle ||= []).push(['start', { modelUrl: '/models/demo/', product(product) {
      if (window.isBroken) throw new Error('a mistake of the shop');
      return product;
    } }])</script>`;
    const { page } = await openEmbed(browser, server, SLOT, { head: HEAR + start + SCRIPT });
    await ready(page);
    for (const [isBroken, state] of [
      [true, 'error-bad-input'],
      [false, 'ready'],
    ] as const) {
      await page.evaluate((value) => Object.assign(window, { isBroken: value }), isBroken);
      await push(page, 'refresh');
      await page.locator(`[data-aisle-state=${state}]`).waitFor();
    }
    expect(await heard(page)).toEqual(['ready', 'error-bad-input', 'ready']);
    await page.context().close();
  });

  test.each([
    ['error-options', SCRIPT.replace('data-', 'data-backend="gpu" data-'), '**/nothing'],
    ['error-script', SCRIPT, '**/assets/page-*'],
  ])('of %s, from slots that come later too', async (state, head, missing) => {
    const { page } = await openEmbed(browser, server, SLOT, {
      head: HEAR + head,
      prepare: (opened) => opened.route(missing, (route) => route.fulfill({ status: 404 })),
    });
    await page.locator(`[data-aisle-state=${state}]`).waitFor();
    await page.evaluate(() => document.body.append(document.createElement('aisle-recommendations')));
    await page.locator(`[data-aisle-state=${state}]`).nth(1).waitFor();
    expect(await heard(page)).toEqual([state, state]);
    await page.context().close();
  });
});
