import { existsSync, readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { brotliBytes, built, staticScripts } from '../build/built';
import { openBrowser, openShopWindow, type ShopWindow, serveShop } from './shop-window';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let browser: Browser;
let server: Server;

beforeAll(async () => {
  [browser, server] = await Promise.all([openBrowser(), serveShop()]);
});

afterAll(async () => {
  await browser?.close();
  server?.close();
  server?.closeAllConnections();
});

/** Opens the n-th product of the "For you" row, or of the row below where there are fewer, and waits for the next answer. */
async function openSuggestion(page: Page, n: number): Promise<string> {
  const link = page.locator('.for-you .card-link').nth(n);
  await link.evaluate((element: HTMLElement) => element.click());
  await answered(page);
  return (await page.locator('h1').textContent()) ?? '';
}

/** Opens the n-th product of a department. */
async function openFromDepartment(page: Page, department: number, n: number): Promise<string> {
  await page.locator('.nav a').nth(department).click();
  await page.locator('.list-head').waitFor();
  await page.locator('.grid .card-link').nth(n).click();
  await page.locator('.product').waitFor();
  await answered(page);
  return (await page.locator('h1').textContent()) ?? '';
}

/** Waits until the row shows the answer to the newest question. */
async function answered(page: Page): Promise<void> {
  await page.locator('.for-you:not([aria-busy])').waitFor();
}

describe('a walk over 30 products', () => {
  let shop: ShopWindow;
  let beforeWalk: number;
  const seen = new Set<string>();

  beforeAll(async () => {
    // Who saves data is spared the backends that are only tried; what others load besides is in engine/ladder.test.ts.
    shop = await openShopWindow(browser, server, {}, (page) =>
      page.addInitScript(() => {
        Object.defineProperty(navigator, 'connection', { value: { saveData: true } });
      }),
    );
    beforeWalk = shop.requests.length;
    // By turns through a department, and where the row leads from there.
    for (let step = 0; seen.size < 30; step++) {
      seen.add(await openFromDepartment(shop.page, step % 8, 2 * Math.floor(step / 8)));
      seen.add(await openSuggestion(shop.page, (step * 5) % 12));
    }
  });

  afterAll(() => shop?.page.context().close());

  test('causes nothing but GETs of static files of the same origin', async () => {
    const folder = await built('page');
    expect(shop.requests.length).toBeGreaterThan(5);
    for (const { method, url, body } of shop.requests) {
      expect(method, url).toBe('GET');
      expect(body, url).toBe(false);
      const { origin, pathname, search, hash } = new URL(url);
      expect(origin, url).toBe(shop.origin);
      expect(search + hash, url).toBe('');
      expect(existsSync(join(folder, pathname === '/' ? 'index.html' : pathname)), url).toBe(true);
    }
  });

  test('causes no request at all: the model is there, and the pictures are in its files', () => {
    expect(shop.requests.slice(beforeWalk)).toEqual([]);
  });

  test('is logged where it would show: the worker fetches the model', () => {
    const fromWorker = shop.requests.filter(({ from }) => from === 'worker').map(({ url }) => url);
    expect(fromWorker.some((url) => url.endsWith('/weights.safetensors'))).toBe(true);
    expect(fromWorker.some((url) => url.endsWith('.wasm'))).toBe(true);
  });

  test('loads at most 180 kB to compute: worker, tensor code and WebAssembly', async () => {
    const folder = await built('page');
    const ownThread = staticScripts(join(folder, 'index.html'));
    const paths = new Set(shop.requests.map(({ url }) => join(folder, new URL(url).pathname)));
    const engine = [...paths].filter((path) => /\.(js|wasm)$/.test(path) && !ownThread.has(path));
    expect(engine.length).toBeGreaterThan(1);
    expect(engine.reduce((sum, path) => sum + brotliBytes(path), 0)).toBeLessThanOrEqual(180_000);
  });

  test('raises no error', () => {
    expect(shop.errors).toEqual([]);
  });

  test('says which model computed, on what, and in what time', async () => {
    const line = (await shop.page.locator('.engine-line').textContent()) ?? '';
    expect(line).toMatch(/ for [\d,]+ products · WASM, in a worker · [\d.]+ ms · computed on this page$/);
  });

  test('is listed under "Your visit", and forgotten on request', async () => {
    const { page } = shop;
    await page.getByRole('button', { name: 'Your visit' }).click();
    const listed = await page.locator('.visit-list li').allTextContents();
    expect(new Set(listed)).toEqual(seen);
    await page.getByRole('button', { name: 'Forget this visit' }).click();
    await page.getByText('Popular in this shop').waitFor();
    expect(await page.getByRole('button', { name: 'Your visit' }).textContent()).toBe('Your visit0');
  });
});

describe('the "For you" row', () => {
  test('starts with what is popular, and says so', async () => {
    const { page } = await openShopWindow(browser, server);
    expect(await page.locator('.because').textContent()).toMatch(/^Popular in this shop/);
    const notes = await page.locator('.for-you .card-note').allTextContents();
    expect(notes).toEqual(Array.from({ length: 12 }, () => 'Popular'));
    await page.context().close();
  });

  test('names the products that it was computed from, and does not suggest the one on show', async () => {
    const { page } = await openShopWindow(browser, server);
    const first = await openSuggestion(page, 0);
    expect(await page.locator('.because').textContent()).toBe(`Because you looked at ${first}`);
    expect(await page.locator('.for-you .card-note').count()).toBe(0);
    expect(await page.locator('.for-you .card-title').allTextContents()).not.toContain(first);
    const second = await openSuggestion(page, 1);
    expect(await page.locator('.because').textContent()).toContain(`Because you looked at ${second}`);
    await page.context().close();
  });

  test('says so where the model cannot be loaded, and the shop works on', async () => {
    const { page } = await openShopWindow(browser, server, {}, (opened) =>
      opened.route('**/weights.safetensors', (route) => route.fulfill({ status: 200, body: 'damaged' })),
    );
    expect(await page.locator('.because').textContent()).toBe('There are no suggestions at the moment.');
    expect(await page.locator('.row-message').textContent()).toContain('weights.safetensors');
    await page.locator('.department').first().click();
    await page.locator('.grid .card-link').first().click();
    await page.getByRole('button', { name: /^(Add to basket|Sold out)$/ }).waitFor();
    await page.context().close();
  });
});

describe('the page', () => {
  test('does not move while it loads and is used', async () => {
    const { page } = await openShopWindow(browser, server, {}, (opened) =>
      opened.addInitScript(() => {
        const shifts: number[] = [];
        Object.assign(globalThis, { shifts });
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean })[]) {
            if (!entry.hadRecentInput) shifts.push(entry.value);
          }
        }).observe({ type: 'layout-shift', buffered: true });
      }),
    );
    await page.locator('.department').first().click();
    await page.locator('.grid .card-link').first().click();
    await answered(page);
    const shifts = await page.evaluate(() => (globalThis as unknown as { shifts: number[] }).shifts);
    expect(shifts.reduce((sum, value) => sum + value, 0)).toBeLessThan(0.01);
    await page.context().close();
  });

  test.each([
    ['light', 1280],
    ['dark', 390],
  ] as const)('has no accessibility fault in %s at %i pixels', async (colorScheme, width) => {
    const { page } = await openShopWindow(browser, server, { colorScheme, viewport: { width, height: 900 } });
    const faults = async (): Promise<string[]> => {
      await page.evaluate(axe);
      return page.evaluate(async () => {
        type Axe = { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
        const { violations } = await (globalThis as unknown as { axe: Axe }).axe.run();
        return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
      });
    };
    expect(await faults()).toEqual([]);
    await page.locator('.department').first().click();
    await answered(page);
    expect(await faults()).toEqual([]);
    await page.locator('.grid .card-link').first().click();
    await answered(page);
    expect(await faults()).toEqual([]);
    await page.getByRole('button', { name: 'Your visit' }).click();
    expect(await faults()).toEqual([]);
    await page.context().close();
  });

  test.each([1280, 390, 320])('fits a window of %i pixels', async (width) => {
    const { page } = await openShopWindow(browser, server, { viewport: { width, height: 800 } });
    const overflow = () =>
      page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(await overflow()).toBeLessThanOrEqual(0);
    await openSuggestion(page, 2);
    expect(await overflow()).toBeLessThanOrEqual(0);
    await page.context().close();
  });

  test('can be used with the keyboard alone', async () => {
    const { page } = await openShopWindow(browser, server);
    const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Skip to the products');
    await page.keyboard.press('Enter');
    await page.locator('.for-you .card-link').first().focus();
    const title = await page.locator('.for-you .card-title').first().textContent();
    await page.keyboard.press('Enter');
    await page.locator('.product').waitFor();
    expect(await focused()).toBe(title); // the heading of the new page
    await page.getByRole('button', { name: 'Your visit' }).focus();
    await page.keyboard.press('Enter');
    await page.locator('dialog[open]').waitFor();
    await page.keyboard.press('Escape');
    expect(await page.locator('dialog[open]').count()).toBe(0);
    expect(await focused()).toContain('Your visit');
    await page.context().close();
  });

  test('keeps the visit on the device if the visitor wants, goes on with it, and erases it', async () => {
    const { page, errors } = await openShopWindow(browser, server);
    const databases = () => page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
    const openPanel = () => page.getByRole('button', { name: 'Your visit' }).click();
    const title = await openSuggestion(page, 0);
    expect(await databases()).toEqual([]);
    await openPanel();
    await page.getByText('gone when you close the page').waitFor();
    await page.getByLabel('Keep my visits on this device').check();
    await page.getByText('It is stored in this browser').waitFor();
    expect(await databases()).toEqual(['aisle']);
    await page.goto(`${new URL(page.url()).origin}/`);
    await page.getByText('Because you looked at').waitFor();
    expect(await page.locator('.because').textContent()).toBe(`Because you looked at ${title}`);
    await openPanel();
    await page.locator('.visit-list li').first().waitFor();
    expect(await page.locator('.visit-list li').allTextContents()).toEqual([title]);
    await page.getByRole('button', { name: 'Forget this visit' }).click();
    await page.getByText('Popular in this shop').waitFor();
    await expect.poll(databases).toEqual([]);
    expect(errors).toEqual([]);
    await page.context().close();
  });

  test('goes back to where one was', async () => {
    const { page } = await openShopWindow(browser, server);
    await page.locator('.department').first().click();
    await page.locator('.grid .card-link').nth(15).scrollIntoViewIfNeeded();
    const before = await page.evaluate(() => window.scrollY);
    await page.locator('.grid .card-link').nth(15).click();
    await page.locator('.product').waitFor();
    expect(await page.evaluate(() => window.scrollY)).toBe(0);
    await page.goBack();
    await page.locator('.grid').first().waitFor();
    await expect.poll(() => page.evaluate(() => window.scrollY)).toBe(before);
    await page.context().close();
  });
});
