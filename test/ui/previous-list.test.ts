import type { Page } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import { isSoak, slice } from '../soak-slice';
import { embedPages, push, ready, SETTLED, SLOT, STOCK, shown } from './embed-window';

vi.setConfig({ testTimeout: 120_000 }); // several pages in a browser, on a machine that may be busy

const pages = embedPages();
const GRANTED = SETTLED.replace('data-', 'data-consent="granted" data-');
const [VIEWED] = STOCK as [(typeof STOCK)[0]];

/** The note, as the database has it. */
const note = (page: Page, change = '') =>
  page.evaluate(`new Promise((resolve, reject) => {
    const opening = indexedDB.open('aisle');
    opening.onupgradeneeded = () => opening.transaction.abort();
    opening.onerror = () => resolve(undefined);
    opening.onsuccess = () => {
      const [name] = opening.result.objectStoreNames;
      const store = opening.result.transaction(name, 'readwrite').objectStore(name);
      const reading = store.get('note/lists');
      reading.onsuccess = () => {
        const note = reading.result;
        ${change === '' ? '' : `(${change})(note); store.put(note, 'note/lists');`}
        store.transaction.oncomplete = () => { opening.result.close(); resolve(note); };
      };
      reading.onerror = reject;
    };
  })`) as Promise<Record<string, { time: number; items: { id: string; href: string }[] }> | undefined>;

/** A first page that has shown suggestions by a look at a product, and has stored them where it may. */
async function firstPage(body = SLOT, head = GRANTED) {
  const opened = await pages.open(body, { head });
  await ready(opened.page);
  await push(opened.page, 'track', VIEWED.id);
  await expect.poll(() => opened.page.evaluate(() => window.aisle!.recommender!.status.ids.known)).toBe(1);
  await settled(opened.page);
  return opened;
}
/** Until the suggestions by the last click are shown. */
async function settled(page: Page): Promise<void> {
  await expect.poll(() => page.locator('aisle-recommendations section[aria-busy=true]').count()).toBe(0);
  await page.waitForTimeout(300); // what is planned but not begun
}
/** The next page of the same visit, whose model never comes. */
async function nextPage(page: Page, body = SLOT, head = GRANTED): Promise<Page> {
  const path = `/next-${Math.random()}.html`;
  pages.server.serve(path, `<!doctype html><html lang="en"><head>${head}</head><body>${body}</body></html>`);
  await page.context().route('**/weights.safetensors', () => {}); // workers ask for it, too
  await page.context().route('**/worker.js', () => {});
  await page.goto(pages.server.origin + path);
  return page;
}
const state = (page: Page) => page.locator('aisle-recommendations').first().getAttribute('data-aisle-state');
const cards = (page: Page) => page.locator('aisle-recommendations a').count();

describe('the list of the page before', () => {
  test('is shown while the model is not there, and what the model says replaces it', async () => {
    const { page } = await firstPage();
    await expect.poll(() => note(page)).toBeDefined();
    const before = await shown(page);
    const next = await nextPage(page);
    await expect.poll(() => shown(next)).toEqual(before);
    expect(await state(next)).toBe('loading');
    expect(await next.locator('aisle-recommendations section').first().getAttribute('aria-busy')).toBe('true');
    await next.context().unrouteAll();
    await next.reload();
    await ready(next);
    expect(await shown(next)).toHaveLength(8);
  });

  test('is kept beside the newest of other pages, as many as fit', async () => {
    const { page } = await firstPage();
    await expect.poll(() => note(page)).toBeDefined();
    await note(
      page,
      `(note) => {
        for (const k of [1, 3, 2]) note['old ' + k] = { time: Date.now() - 60_000 * k, items: ['x'.repeat(90_000)] };
      }`,
    );
    await push(page, 'track', STOCK[3]!.id);
    const names = async () => Object.keys((await note(page)) ?? {}).map((name) => name.slice(0, 5));
    await expect.poll(names).toHaveLength(3);
    expect(await names()).toEqual(expect.arrayContaining(['old 1', 'old 2']));
  });

  test('does not name the page that shows it', async () => {
    const { page } = await firstPage();
    await expect.poll(() => note(page)).toBeDefined();
    const [own, ...others] = await shown(page);
    // This page is the first product's own.
    const path = '/own.html';
    pages.server.serve(path, `<!doctype html><html lang="en"><head>${GRANTED}</head><body>${SLOT}</body></html>`);
    await note(page, `(note) => { Object.values(note)[0].items[0].href = '${pages.server.origin}${path}'; }`);
    await page.context().route('**/worker.js', () => {});
    await page.goto(`${pages.server.origin}${path}?utm_source=letter#top`);
    await expect.poll(() => shown(page)).toEqual(others);
    expect(others).not.toContain(own);
  });

  test('is for a slot that asks for the same, and for none that depends on the page’s product', async () => {
    const slots = `${SLOT}<aisle-recommendations strategy="related"></aisle-recommendations>`;
    const { page } = await firstPage(slots);
    await expect.poll(() => note(page)).toBeDefined();
    const next = await nextPage(
      page,
      `${slots}<aisle-recommendations limit="3"></aisle-recommendations><aisle-recommendations strategy="popular"></aisle-recommendations>`,
    );
    await expect.poll(() => cards(next)).toBe(8);
    const counts = await next
      .locator('aisle-recommendations')
      .evaluateAll((slots) => slots.map((slot) => slot.shadowRoot!.querySelectorAll('a').length));
    expect(counts).toEqual([8, 0, 0, 0]);
  });

  test('goes where the model fails, which the slot says, and is neither stored again nor made younger', async () => {
    const { page } = await firstPage();
    await expect.poll(() => note(page)).toBeDefined();
    await note(page, '(note) => { for (const key in note) note[key].time -= 60_000; }');
    const before = await note(page);
    const next = await nextPage(page);
    await expect.poll(() => cards(next)).toBe(8);
    const address = next.url();
    await next.goto('about:blank'); // whose requests that wait would be answered when the routes end
    await next.context().unrouteAll();
    let fail = () => {};
    const failing = new Promise<void>((resolve) => {
      fail = resolve;
    });
    await next.context().route('**/weights.safetensors', async (route) => {
      await failing;
      await route.fulfill({ status: 404 });
    });
    await next.goto(address);
    await expect.poll(() => cards(next)).toBe(8);
    fail();
    await next.locator('aisle-recommendations[data-aisle-state^=error]').waitFor();
    await expect.poll(() => cards(next)).toBe(0);
    expect(await next.locator('aisle-recommendations [part=message]').first().textContent()).not.toBe('');
    expect(await next.locator('aisle-recommendations [part=placeholder]').count()).toBe(8); // the place stays
    await next.waitForTimeout(300);
    expect(await note(next)).toEqual(before);
  });

  test('is gone from the page where the visitor erases everything while it is shown, and does not come back', async () => {
    const { page } = await firstPage();
    await expect.poll(() => note(page)).toBeDefined();
    const next = await nextPage(page);
    await expect.poll(() => cards(next)).toBe(8);
    await next.evaluate(() => window.aisle!.recommender!.privacy.erase());
    await expect.poll(() => cards(next)).toBe(0);
    await push(next, 'track', STOCK[3]!.id);
    await expect.poll(() => next.evaluate(() => window.aisle!.recommender!.status.storage)).toBe('indexeddb');
    await next.waitForTimeout(500);
    expect(await note(next)).toBeUndefined();
  });

  if (isSoak)
    test('is for no page of an A/B test, of a named user, or with its own word on products', async () => {
      const { page } = await firstPage();
      await expect.poll(() => note(page)).toBeDefined();
      const start = (options: string) =>
        `<script>(window.aisle ||= []).push(['start', { modelUrl: '/models/demo/', backend: 'wasm', consent: 'granted', ${options} }])</script>` +
        '<script type="module" src="/aisle/embed.js"></script>';
      for (const options of ["variants: 'a:50 b:50:none'", "user: 'u-1'", 'product: (known) => known']) {
        const next = await nextPage(page, SLOT, start(options));
        await next.waitForFunction(() => window.aisle?.recommender?.status.storage === 'indexeddb');
        await next.waitForTimeout(500);
        expect(await cards(next), options).toBe(0);
      }
      await nextPage(page);
      await expect.poll(() => cards(page)).toBe(8);
    });

  test('is stored by no page without consent, and its code is not loaded there', async () => {
    const { page, requests } = await firstPage(SLOT, SETTLED);
    expect(await note(page)).toBeUndefined();
    expect(requests.filter(({ url }) => url.includes('previous-list'))).toEqual([]);
    await push(page, 'consent', 'granted'); // what is shown already is stored then
    await expect.poll(() => note(page), { timeout: 10_000 }).toBeDefined();
  });

  test('is in the export, and is erased and withdrawn like all that is stored', async () => {
    const { page } = await firstPage();
    await expect.poll(() => note(page)).toBeDefined();
    const exported = await page.evaluate(async () => (await window.aisle!.recommender!.privacy.export()).lists);
    expect(exported).toEqual(await note(page));
    await push(page, 'erase');
    await expect.poll(() => note(page)).toBeUndefined();
    await settled(page);
    expect(await note(page)).toBeUndefined();

    // After an erasure the next click starts over.
    await push(page, 'track', STOCK[2]!.id);
    await expect.poll(() => note(page), { timeout: 10_000 }).toBeDefined();
    await push(page, 'consent', 'denied');
    await expect.poll(() => note(page)).toBeUndefined();
    await settled(page);
    expect(await note(page)).toBeUndefined();
  });

  test('is passed over where it is old, or is not what this page may show', async () => {
    const { page } = await firstPage();
    await expect.poll(() => note(page)).toBeDefined();
    const whole = JSON.stringify(await note(page));
    const next = await nextPage(page);
    await expect.poll(() => cards(next)).toBe(8);
    const warnings: string[] = [];
    page.on('console', (message) => warnings.push(message.text()));
    const changes = [
      'LIST.time -= 31 * 60_000',
      'LIST.time += 600_000', // the clock was ahead
      "for (const one of LIST.items) one.href = 'https://evil.example/'",
      "for (const one of LIST.items) one.href = 'javascript:alert(1)'",
      "for (const one of LIST.items) one.image = 'https://evil.example/seen.png'",
      'for (const one of LIST.items) one.title = { length: 1 }',
      'for (const one of LIST.items) one.price = 1',
      'for (const one of LIST.items) one.reason = {}',
      'for (const key in note) note[key] = 7',
      'LIST.items = [null, 1]',
      'LIST.items = "list"',
      'for (const key in note) note[key] = null',
    ];
    // A page each: `npm test` asks for an old one, addresses elsewhere, and what is no list.
    for (const change of slice(changes, (change) => /-=|evil|"list"/.test(change))) {
      const restored = `Object.assign(note, ${whole}); for (const key in note) note[key].time = Date.now()`;
      await note(page, `(note) => { ${restored}; const LIST = Object.values(note)[0]; ${change}; }`);
      await next.reload();
      await next.locator('aisle-recommendations[data-aisle-state=loading]').waitFor();
      await next.waitForFunction(() => window.aisle?.recommender?.status.storage === 'indexeddb');
      await next.waitForTimeout(500); // the note has been read
      expect(await cards(next), change).toBe(0);
    }
    expect(warnings).toEqual([]);
  });
});
