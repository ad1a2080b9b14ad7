import { existsSync, readdirSync } from 'node:fs';
import type { Server } from 'node:http';
import { basename, join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { brotliBytes, built } from '../build/built';
import { closeServer } from '../server';
import { openBrowser } from '../shared-chromium';
import { openShopWindow, type ShopWindow, serveShop } from './shop-window';
import { openPanel, openSuggestion, settled } from './views';

vi.setConfig({ testTimeout: 120_000 }); // many steps in a browser, on a machine that may be busy

let browser: Browser;
let server: Server;
const folder = built('page');

beforeAll(async () => {
  [browser, server] = await Promise.all([openBrowser(), serveShop()]);
});

afterAll(async () => {
  await browser?.close();
  closeServer(server);
});

/** Opens the n-th product of a department. */
async function openFromDepartment(page: Page, department: number, n: number): Promise<string> {
  await page.locator('.nav a').nth(department).click();
  await page.locator('.list-head').waitFor();
  await page.locator('.grid .card-link').nth(n).click();
  await page.locator('.product').waitFor();
  await settled(page);
  return (await page.locator('h1').textContent()) ?? '';
}

/** The built file behind a request: an artifact's address has its version in it, which is no folder. */
function fileOf(url: string): string {
  const { pathname } = new URL(url);
  return join(folder, pathname === '/' ? 'index.html' : pathname.replace(/^\/models\/0\/[0-9a-f]+\//, 'models/demo/'));
}

describe('a walk over 30 products', () => {
  let shop: ShopWindow;
  let beforeWalk: number;
  const seen: string[] = [];

  beforeAll(async () => {
    // Who saves data is spared the backends that are only tried.
    shop = await openShopWindow(browser, server, {
      prepare: (page) =>
        page.addInitScript(() => {
          Object.defineProperty(navigator, 'connection', { value: { saveData: true } });
        }),
    });
    // The first product loads what its slots are filled by: complements, and a fallback.
    seen.push(await openFromDepartment(shop.page, 0, 0));
    beforeWalk = shop.requests.length;
    // By turns through a department, and where the shelf leads from there.
    for (let step = 0; new Set(seen).size < 30; step++) {
      seen.push(await openFromDepartment(shop.page, step % 8, 2 * Math.floor(step / 8)));
      seen.push(await openSuggestion(shop.page, (step * 5) % 12));
    }
  });

  test('causes nothing but GETs of static files of the same origin', () => {
    expect(shop.requests.length).toBeGreaterThan(5);
    for (const { method, url, body } of shop.requests) {
      expect(method, url).toBe('GET');
      expect(body, url).toBe(false);
      const { origin, search } = new URL(url);
      expect(origin, url).toBe(shop.origin);
      expect(search, url).toBe('');
      expect(existsSync(fileOf(url)), url).toBe(true);
    }
  });

  test('causes no request at all: the model is there, and the pictures are in its files', () => {
    expect(shop.requests.slice(beforeWalk)).toEqual([]);
  });

  test('is logged where it would show: the worker fetches the model', () => {
    const fromWorker = shop.requests.filter(({ from }) => from === 'worker').map(({ url }) => url);
    expect(fromWorker.some((url) => url.endsWith('/weights.safetensors'))).toBe(true);
    expect(fromWorker.some((url) => url.endsWith('/plan.bin'))).toBe(true);
  });

  test('downloads no file twice: what page and worker both need comes from the cache', async () => {
    await openPanel(shop.page, 'Network');
    await shop.page.getByText('2 more were answered by the browser’s own cache.').waitFor();
    const doubled = shop.requests.map(({ url }) => basename(url)).filter((name, i, all) => all.indexOf(name) < i);
    expect(doubled.sort()).toEqual(['catalogue.json', 'items.json']);
  });

  test('loads at most 180 kB to compute: worker, tensor code and WebAssembly', () => {
    const requested = shop.requests.filter(({ from }) => from === 'worker').map(({ url }) => fileOf(url));
    const assets = readdirSync(join(folder, 'assets'));
    const workers = assets
      .filter((name) => /^worker-[0-9a-f]{8}\.js$/.test(name))
      .map((name) => join(folder, 'assets', name));
    // What a slot of complements looks up was counted when the model was trained.
    const isComputing = (path: string) => /\.(js|wasm)$/.test(path) && !path.includes('/worker-strategies-');
    const files = new Set([...requested, ...workers].filter(isComputing));
    expect(files.size).toBeGreaterThan(1);
    expect([...files].reduce((sum, path) => sum + brotliBytes(path), 0)).toBeLessThanOrEqual(180_000);
  });

  test('is listed in the panel event by event, newest first', async () => {
    await openPanel(shop.page, 'Your visit');
    await shop.page.locator('.event-list li').first().waitFor();
    const listed = await shop.page.locator('.event-title').allTextContents();
    expect(listed).toEqual([...seen].reverse());
  });

  test('raises no error', () => {
    expect(shop.errors).toEqual([]);
  });
});
