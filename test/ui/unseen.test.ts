/** Pages that nobody has seen: prerendered, or in a tab that is never opened. */
import { describe, expect, test, vi } from 'vitest';
import { NOTHING, storedIn } from '../privacy/stored';
import { embedPages, known, ready, SETTLED, SLOT, STOCK, shown } from './embed-window';

vi.setConfig({ testTimeout: 120_000 }); // a browser on a machine that may be busy

const pages = embedPages();
const [A, B] = STOCK.map(({ id }) => id) as [string, string];
const product = (id: string) =>
  `<script type="application/ld+json">${JSON.stringify({ '@type': 'Product', sku: id, name: 'A product' })}</script>`;
const HEAD = SETTLED.replace('data-', 'data-consent="granted" data-');

describe('a page that nobody has seen', () => {
  test('records nothing, and all when it is seen', async () => {
    const { page } = await pages.open(SLOT, {
      head: `<script>(window.aisle ||= []).push(['track', { itemId: '${B}', event: 'cart' }])</script>${product(A)}${HEAD}`,
      prepare: (opened) =>
        opened.addInitScript(() =>
          Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true }),
        ),
    });
    await ready(page);
    expect(await known(page)).toEqual([]);
    const before = await shown(page);
    const stored = await storedIn(page);
    expect({ ...stored, indexedDB: [] }).toEqual(NOTHING);
    expect(stored.indexedDB.map(([name]) => name)).toEqual(['aisle']); // which is empty
    await page.evaluate(() => {
      Object.defineProperty(document, 'visibilityState', { value: 'visible' });
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    });
    await expect.poll(() => known(page)).toEqual([`view ${A}`, `cart ${B}`]);
    await expect.poll(async () => (await storedIn(page)).indexedDB.length).toBeGreaterThan(2);
    await expect.poll(() => shown(page)).not.toEqual(before); // it knows the view now
  });
});
