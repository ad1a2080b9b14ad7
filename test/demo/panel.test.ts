import type { Page } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import { contentOf } from '../chromium';
import { isSoak, slice } from '../soak-slice';
import { NAMED, shopWindows } from './shop-window';
import { openPanel, openSuggestion, settled } from './views';

vi.setConfig({ testTimeout: 120_000 }); // many steps in a browser, on a machine that may be busy

const windows = shopWindows();

/** Chooses what is called so, by its label, as a hidden radio button is clicked. */
const choose = (page: Page, name: string) => page.getByRole('radio', { name, exact: true }).check({ force: true });

const because = (page: Page) => page.locator('p.because').textContent();

describe('the backend', () => {
  const names = [
    ['cpu', 'JavaScript'],
    ['wasm', 'WebAssembly'],
    ['webgl', 'WebGL'],
    ['webgpu', 'WebGPU'],
  ] as const;
  test.each(slice(names, ([backend]) => backend === 'wasm'))('of ?backend=%s computes', async (backend, name) => {
    const { page, errors } = await windows.open({ address: `?backend=${backend}` });
    await openPanel(page, 'Engine');
    expect(await page.locator('.engine-name').textContent()).toBe(`${name}, in a worker`);
    expect(await page.getByRole('radio', { name, exact: true }).isChecked()).toBe(true);
    expect(await page.locator('.engine-why').textContent()).not.toBe('');
    await page.locator('.timings li').first().waitFor();
    expect(errors).toEqual([]);
  });

  if (isSoak)
    test('that is chosen by itself is followed by what was measured on this device', async () => {
      const { page } = await windows.open({ address: '' });
      await openPanel(page, 'Engine');
      await page.locator('.engine-why', { hasText: /\d ms/ }).waitFor({ timeout: 60_000 });
      const [name, why] = await Promise.all(
        ['.engine-name', '.engine-why'].map((part) => page.locator(part).textContent()),
      );
      for (const backend of ['plan', 'webgl']) expect(why).toMatch(new RegExp(`${backend} [\\d.]+ ms`));
      expect(name).toMatch(/, in a worker$/);
    });

  test('that does not exist is named, with the nearest that does, and the shop runs', async () => {
    const { page } = await windows.open({ address: '?backend=wsm' });
    await openPanel(page, 'Engine');
    expect(await page.locator('.troubles').textContent()).toContain('No backend is called “wsm”. Did you mean “wasm”?');
    expect(await page.getByRole('radio', { name: 'Auto', exact: true }).isChecked()).toBe(true);
  });

  test('is changed while the visit goes on', async () => {
    const { page, errors } = await windows.open({ address: '?backend=plan' });
    const title = await openSuggestion(page);
    await openPanel(page, 'Engine');
    await choose(page, 'WebAssembly');
    await page.getByText('WebAssembly, in a worker').waitFor();
    await settled(page);
    expect(new URL(page.url()).search).toBe('?backend=wasm');
    await expect.poll(() => because(page)).toBe(`Because you looked at ${title}`);
    await page.getByRole('tab', { name: 'Your visit' }).click();
    expect(await page.locator('.event-title').allTextContents()).toEqual([title]);
    expect(errors).toEqual([]);
  });

  if (isSoak)
    test('is changed on the front page, and what was looked at last is still there', async () => {
      const { page } = await windows.open({ address: '?backend=plan' });
      const title = await openSuggestion(page);
      await page.locator('.logo').click();
      await page.locator('.hero').waitFor();
      const recent = () => page.locator('.slot-recent [part=title]').allTextContents();
      await expect.poll(recent).toEqual([title]);
      await openPanel(page, 'Engine');
      await choose(page, 'WebAssembly');
      await page.getByText('WebAssembly, in a worker').waitFor();
      await settled(page);
      expect(await recent()).toEqual([title]);
    });

  test('says why there are no suggestions where the model cannot be loaded, and the shop works on', async () => {
    const damage = (opened: Page) =>
      opened.context().route('**/weights.safetensors', (route) => route.fulfill({ status: 200, body: 'damaged' }));
    const { page } = await windows.open({ address: '', prepare: damage });
    expect(await page.locator('aisle-recommendations').first().getAttribute('data-aisle-state')).toBe(
      'error-bad-artifact',
    );
    await openPanel(page, 'Engine');
    expect(await page.locator('.engine-name').textContent()).toBe('The model could not be loaded');
    expect(await page.locator('.engine-why').textContent()).toContain('weights.safetensors');
    await page.getByRole('button', { name: 'Close' }).click();
    await page.locator('.department').first().click();
    await page.locator('.grid .card-link').first().click();
    await page.getByRole('button', { name: /^(Add to basket|Sold out)$/ }).waitFor();
  });
});

describe('the visit', () => {
  const databases = (page: Page) => page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));

  test('starts with what is popular, and is followed by the shelf', async () => {
    const { page } = await windows.open();
    await expect.poll(() => because(page)).toMatch(/^Popular in this shop/);
    await openPanel(page);
    await page.getByText('Nothing yet. Look at a product.').waitFor();
    const first = await openSuggestion(page);
    await expect.poll(() => because(page)).toBe(`Because you looked at ${first}`);
    const shown = await page.locator('.slot-for-you [part=title]').allTextContents();
    expect(shown).not.toContain(first);
    const second = await openSuggestion(page);
    await expect.poll(() => because(page)).toBe(`Because you looked at ${second} and ${first}`);
    // Beside the page, the panel follows.
    await expect.poll(() => page.locator('.event-title').allTextContents()).toEqual([second, first]);
  });

  test('is kept on the device if the visitor wants, goes on after a reload, and is erased', async () => {
    const { page, errors } = await windows.open();
    const title = await openSuggestion(page);
    expect(await databases(page)).toEqual([]);
    await openPanel(page);
    await page.getByText('gone when you close the page').waitFor();
    await choose(page, 'On this device');
    await page.getByText('Stored in this browser’s IndexedDB').waitFor();
    expect(await databases(page)).toEqual(['aisle']);
    await page.goto(`${new URL(page.url()).origin}/${NAMED}`);
    await page.getByText(`Because you looked at ${title}`).waitFor();
    await openPanel(page);
    await expect.poll(() => page.locator('.event-title').allTextContents()).toEqual([title]);
    await page.getByRole('button', { name: 'Erase' }).click();
    await page.getByText('Popular in this shop. Look at a product').waitFor();
    await page.getByText('Nothing yet. Look at a product.').waitFor();
    await page.reload();
    await settled(page);
    await expect.poll(() => because(page)).toMatch(/^Popular in this shop/);
    await openPanel(page);
    await choose(page, 'In this page only');
    await page.getByText('gone when you close the page').waitFor();
    await expect.poll(() => databases(page)).toEqual([]);
    expect(await page.evaluate(() => Object.keys(localStorage))).toEqual([]);
    expect(errors).toEqual([]);
  });

  test('that is erased in another tab is gone here', async () => {
    const { page } = await windows.open();
    const title = await openSuggestion(page);
    await openPanel(page);
    await choose(page, 'On this device');
    await page.getByText('Stored in this browser’s IndexedDB').waitFor();
    const other = await page.context().newPage();
    await other.goto(`${new URL(page.url()).origin}/${NAMED}`);
    await other.getByText(`Because you looked at ${title}`).waitFor();
    await openPanel(other);
    await other.getByRole('button', { name: 'Erase' }).click();
    await expect.poll(() => because(page)).toMatch(/^Popular in this shop\. Look at a product/);
    await page.getByText('Nothing yet. Look at a product.').waitFor();
  });

  test('of two hours ago counts no more, unless the visitor lets all of them count', async () => {
    const later = (opened: Page) =>
      opened.addInitScript(() => {
        const now = Date.now;
        let ahead = 0;
        Date.now = () => now() + ahead;
        Object.assign(globalThis, {
          twoHoursLater: () => {
            ahead += 2 * 3600 * 1000;
          },
        });
      });
    const { page } = await windows.open({ prepare: later });
    await openSuggestion(page);
    await page.evaluate(() => (globalThis as unknown as { twoHoursLater(): void }).twoHoursLater());
    await page.locator('.logo').click();
    await page.locator('.hero').waitFor();
    await settled(page);
    await expect.poll(() => because(page)).toMatch(/^Popular in this shop/);
    await openPanel(page);
    await choose(page, 'All');
    await page.getByText('By what you looked at on earlier visits.').waitFor();
    await page.getByText('The model reads every event that is known.').waitFor();
  });

  test('is handed over as a file', async () => {
    const { page } = await windows.open();
    await openSuggestion(page);
    await openPanel(page);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('aisle-visit.json');
    const file = JSON.parse((await contentOf(download)).toString()) as { format: string; sessions: unknown[][] };
    expect(file.format).toBe('aisle-export');
    expect(file.sessions.flat()).toEqual([expect.objectContaining({ event: 'view' })]);
  });
});

describe('the network', () => {
  test('is listed by kinds of files, with every request of page and worker', async () => {
    const { page, requests } = await windows.open({ address: '?backend=wasm' });
    await openPanel(page, 'Network');
    const kinds = await page.locator('.panel tbody th').allTextContents();
    expect(kinds).toEqual(['Page and styles', 'Scripts', 'WebAssembly', 'Model', 'Catalogue']);
    expect(await page.locator('.promises .is-kept').count()).toBe(2);
    await page.getByText('Every request').click();
    const listed = await page.locator('.request-list code').allTextContents();
    expect(listed).toEqual(expect.arrayContaining(requests.map(({ url }) => new URL(url).pathname)));
  });

  test('is listed without a size where a host tells none, and not as answered by the cache', async () => {
    const elsewhere = 'https://pictures.example/one.svg';
    const body = '<svg xmlns="http://www.w3.org/2000/svg"/>';
    const { page } = await windows.open({
      prepare: (opened) => opened.route(elsewhere, (route) => route.fulfill({ body, contentType: 'image/svg+xml' })),
    });
    await page.evaluate(async (address) => {
      const image = new Image();
      await new Promise((ended) => {
        image.onload = ended;
        image.onerror = ended;
        image.src = address;
      });
    }, elsewhere);
    await openPanel(page, 'Network');
    await page.getByText('Every request').click();
    const line = page.locator('.request-list li', { hasText: elsewhere });
    expect(await line.textContent()).toMatch(/page · its host does not tell/);
    const pictures = page.locator('.panel tbody tr', { hasText: 'Pictures' });
    expect(await pictures.locator('td').last().textContent()).toMatch(/ \+$/);
  });

  test('may be gone: what is here already recommends on, and what is not says so until it is back', async () => {
    const { page, requests, errors } = await windows.open();
    await openSuggestion(page); // what the slots of a product's page need is here, too
    await openPanel(page, 'Pull the plug');
    await page.getByRole('switch', { name: /^Offline/ }).check();
    await page.locator('.diary .is-good').waitFor();
    await page.getByRole('tab', { name: 'Network' }).click();
    await page.getByText('Offline. Nothing has asked for the network since.').waitFor();
    const before = requests.length;
    const title = await openSuggestion(page);
    await expect.poll(() => because(page)).toContain(title);
    expect(requests.length).toBe(before);
    await page.getByRole('tab', { name: 'Engine' }).click();
    await choose(page, 'JavaScript');
    await page.getByText('The model could not be loaded').first().waitFor();
    expect(await page.locator('.engine-why').textContent()).toContain('the demo is switched offline');
    await settled(page);
    expect(await page.locator('aisle-recommendations').first().getAttribute('data-aisle-state')).toBe('error-io');
    await page.getByRole('tab', { name: 'Network' }).click();
    await page.getByText(/^Offline\. (One request was|\d+ requests were) asked for and failed\.$/).waitFor();
    await page.getByRole('tab', { name: 'Pull the plug' }).click();
    await page.getByRole('switch', { name: /^Offline/ }).uncheck();
    await page.getByRole('tab', { name: 'Engine' }).click();
    await page.getByText('JavaScript, in a worker').first().waitFor();
    await settled(page);
    await expect.poll(() => because(page)).toContain(title);
    expect(errors).toEqual([]);
  });
});
