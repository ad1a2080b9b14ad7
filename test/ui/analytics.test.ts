/** What the shop's own data layer receives about slots: seen, chosen, and the variant of a test. */
import type { Page } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import { drawn, variantsOf } from '../../src/ui/variants';
import { isSoak } from '../soak-slice';
import { embedPages, known, push, ready, SETTLED, SLOT, STOCK, shown } from './embed-window';

vi.setConfig({ testTimeout: 120_000 }); // a browser on a machine that may be busy

const [A] = STOCK.map(({ id }) => id) as [string];
const tag = (attributes: string) => SETTLED.replace('data-', `${attributes} data-`);
const GA4 = tag('data-analytics="ga4" data-learn="manual"');
/**
 * Keeps the pages of products away, as an application does, and those of the middle button, too: a process of headless Chromium crashes
 * where a tab in the background is closed while it opens.
 */
const STAY = `<script>for (const kind of ['click', 'auxclick']) addEventListener(kind, (event) => event.preventDefault())</script>`;

/** What a listener such as Tag Manager's hears of these events. */
const received = (page: Page, ...events: string[]) =>
  page.evaluate((names) => {
    const { dataLayer = [] } = window as unknown as { dataLayer?: Record<string, unknown>[] };
    return dataLayer.filter(({ event, 1: name }) => names.includes(String(event ?? name)));
  }, events);

const pages = embedPages();

describe('a page with data-analytics="ga4"', () => {
  test('tells what was seen for a second and what was chosen, in GA4’s words; its requests are the same', async () => {
    const before = pages.server.requests.length;
    const first = await pages.open(STAY + SLOT, { head: SETTLED.replace('data-', 'data-learn="manual" data-') });
    await ready(first.page);
    await first.page.locator('aisle-recommendations button').first().waitFor({ state: 'attached' }); // the arrows come last
    const plain = pages.server.requests.length;
    await first.page.close();
    const { page, errors } = await pages.open(`${STAY}<aisle-recommendations id="home"></aisle-recommendations>`, {
      head: GA4,
    });
    await ready(page);
    const ids = await shown(page);
    await expect.poll(() => received(page, 'view_item_list')).toHaveLength(1);
    const [list] = await received(page, 'view_item_list');
    expect(list).toMatchObject({
      ecommerce: {
        item_list_id: 'home',
        item_list_name: 'home',
        items: ids.map((id, index) => ({
          item_id: id,
          item_name: STOCK.find((known) => known.id === id)!.title,
          index,
        })),
      },
    });
    await page.locator('aisle-recommendations a').nth(2).click();
    const [selected] = await received(page, 'select_item');
    expect(selected).toMatchObject({ ecommerce: { item_list_id: 'home', items: [{ item_id: ids[2], index: 2 }] } });
    expect(await page.locator('aisle-recommendations').getAttribute('data-item-id')).toBe(ids[2]);
    // What was pushed is nobody's click, and an earlier list of the page is cleared.
    expect(await page.evaluate(() => window.aisle!.recommender!.status.ids.known)).toBe(0);
    expect(
      await page.evaluate(() => JSON.stringify((window as unknown as { dataLayer: unknown[] }).dataLayer)),
    ).toContain('{"ecommerce":null}');
    const files = (all: readonly string[]) =>
      [...new Set(all)].filter((request) => !/page-\d+\.html|analytics|push-event/.test(request)).sort();
    expect(files(pages.server.requests.slice(plain))).toEqual(files(pages.server.requests.slice(before, plain)));
    expect(errors).toEqual([]);
  });

  test('lets go of slots that the page has dropped', async () => {
    const { page } = await pages.open('<div id="here"></div>', { head: GA4 });
    await page.evaluate(() => window.aisle!.ready);
    await page.evaluate(() => Object.assign(globalThis, { dropped: [] }));
    for (let round = 0; round < 3; round++) {
      await page.evaluate(() =>
        document.querySelector('#here')!.append(document.createElement('aisle-recommendations')),
      );
      await ready(page);
      await page.evaluate(() => {
        const slot = document.querySelector('aisle-recommendations')!;
        (globalThis as unknown as { dropped: WeakRef<Element>[] }).dropped.push(new WeakRef(slot));
        slot.remove();
      });
    }
    const protocol = await page.context().newCDPSession(page);
    const left = async () => {
      await protocol.send('HeapProfiler.collectGarbage');
      return page.evaluate(
        () => (globalThis as unknown as { dropped: WeakRef<Element>[] }).dropped.filter((slot) => slot.deref()).length,
      );
    };
    await expect.poll(left).toBe(0);
  });

  test('tells of a slot below the window when it is scrolled to, and again when it shows others', async () => {
    const { page } = await pages.open(`<div style="height:3000px"></div>${SLOT}`, { head: GA4 });
    await ready(page);
    await page.waitForTimeout(1500);
    expect(await received(page, 'view_item_list')).toEqual([]);
    await page.locator('aisle-recommendations').scrollIntoViewIfNeeded();
    await expect.poll(() => received(page, 'view_item_list')).toHaveLength(1);
    const before = await shown(page);
    await push(page, 'track', A);
    await expect.poll(() => shown(page)).not.toEqual(before);
    await expect.poll(() => received(page, 'view_item_list')).toHaveLength(2);
    await page.waitForTimeout(1500);
    expect(await received(page, 'view_item_list')).toHaveLength(2);
  });

  test('calls gtag where the page has no Tag Manager', async () => {
    const gtag = `<script>window.dataLayer = []; function gtag() { dataLayer.push(arguments) } gtag('config', 'G-1')</script>`;
    const { page } = await pages.open(SLOT, { head: gtag + GA4 });
    await ready(page);
    await expect.poll(() => received(page, 'view_item_list')).toHaveLength(1);
    const kind = await page.evaluate(() => {
      const { dataLayer } = window as unknown as { dataLayer: object[] };
      return Object.prototype.toString.call(dataLayer.at(-1));
    });
    expect(kind).toBe('[object Arguments]');
  });
});

test('a page without it tells its data layer nothing; a listener of select hears what is chosen', async () => {
  const { page } = await pages.open(STAY + SLOT);
  await page.evaluate(() => {
    const received: unknown[] = [];
    Object.assign(window, { received });
    window.aisle!.push(['on', 'select', (selection) => received.push(selection)]);
  });
  await ready(page);
  const ids = await shown(page);
  await page.locator('aisle-recommendations a').nth(1).click({ button: 'middle' });
  // The shop's own list has the product, too.
  await page
    .locator('main a')
    .first()
    .evaluate((link, id) => link.setAttribute('data-item-id', id), ids[1]!);
  await page.locator('main a').first().click();
  await page.waitForTimeout(1500);
  const selections = await page.evaluate(() => (window as unknown as { received: unknown[] }).received);
  expect(selections).toEqual([{ itemId: ids[1], index: 1, list: 'for-you', reason: 'popular' }]);
  expect(await received(page, 'view_item_list', 'select_item')).toEqual([]);
});

describe('variants', () => {
  const granted = 'data-consent="granted"';
  const impressions = (page: Page) => received(page, 'experience_impression');
  const reasons = (page: Page) =>
    page
      .locator('aisle-recommendations a')
      .evaluateAll((links) => [...new Set(links.map((link) => link.getAttribute('data-reason')))]);
  /** The stored variant, as the export has it. */
  const variant = (page: Page) =>
    page.evaluate(
      async () => ((await (await window.aisle!.ready)!.privacy.export()).variant as { variant?: string })?.variant,
    );

  /** The next access to the note of the variant fails. */
  const failOnce = () => {
    const { get } = IDBObjectStore.prototype;
    IDBObjectStore.prototype.get = function (key) {
      if (key !== 'note/variant') return get.call(this, key);
      IDBObjectStore.prototype.get = get;
      throw new DOMException('gone', 'UnknownError');
    };
  };

  test('are drawn with the next event where the first one could not store them', async () => {
    const { page } = await pages.open(SLOT, { head: tag(`${granted} data-variants="a:0.0001 b:9999:none"`) });
    await ready(page);
    await page.evaluate(failOnce);
    await push(page, 'track', A);
    await expect.poll(() => known(page)).toEqual([`view ${A}`]);
    expect(await variant(page)).toBe(undefined);
    await push(page, 'track', { itemId: A, event: 'cart' });
    await expect.poll(() => variant(page)).toBe('b');
  });

  test('are drawn once an event is stored, and hold from the next page on', async () => {
    const head = tag(`${granted} data-variants="a:0.0001 b:9999:none"`);
    const { page } = await pages.open(SLOT, { head });
    await ready(page);
    expect(await variant(page)).toBe(undefined);
    await push(page, 'track', A);
    await expect.poll(() => variant(page)).toBe('b');
    expect(await impressions(page)).toEqual([]);
    await page.context().route('**/models/demo/**', () => {}); // which the slots do not wait for
    await page.reload();
    await page.locator('[data-aisle-state=empty]').waitFor();
    await page.context().unroute('**/models/demo/**');
    await page.reload();
    await page.locator('[data-aisle-state=empty]').waitFor();
    expect(await impressions(page)).toEqual([{ event: 'experience_impression', exp_variant_string: 'AISLE-a_b-b' }]);
    expect(await page.locator('aisle-recommendations [part=message]').textContent()).toBe(''); // no word of what is missing
    expect(await page.locator('aisle-recommendations [part=heading]').isVisible()).toBe(false);
    await push(page, 'erase');
    await expect.poll(() => variant(page)).toBe(undefined);
    await page.reload();
    await ready(page);
    expect(await impressions(page)).toEqual([]);
    // Who now denies by the browser's settings is not in the test any more, from the first page on.
    await push(page, 'track', A);
    await expect.poll(() => variant(page)).toBe('b');
    await page.addInitScript(() => Object.defineProperty(navigator, 'globalPrivacyControl', { get: () => true }));
    await page.reload();
    await ready(page);
    expect(await impressions(page)).toEqual([]);
  });

  if (isSoak)
    test('can be another strategy, or another model', async () => {
      const head = tag(`${granted} data-variants="a:0.0001 b:9999:recent=popular"`);
      const slots = `${SLOT}<aisle-recommendations strategy="recent" id="last"></aisle-recommendations>`;
      const { page } = await pages.open(slots, { head });
      await push(page, 'track', A);
      await expect.poll(() => variant(page)).toBe('b');
      await page.reload();
      await page.locator('#last[data-aisle-state=ready] a').first().waitFor();
      expect(await page.locator('#last a').first().getAttribute('data-reason')).toBe('popular');
      expect(await reasons(page)).toContain('neural');

      const other = await pages.open(SLOT, { head: tag(`${granted} data-variants="a:0.0001 c:9999:/models/none/"`) });
      await push(other.page, 'track', A);
      await expect.poll(() => variant(other.page)).toBe('c');
      await other.page.reload();
      await other.page.locator('[data-aisle-state^=error-]').waitFor();
      expect(pages.server.requests.join()).toContain('GET /models/none/');
      // It counts for the test, although its model cannot be loaded.
      expect(await impressions(other.page)).toHaveLength(1);
    });

  test('stay the same for a visitor whose pages are open side by side, and where a page could not read which it is', async () => {
    const names = [...'abcdefgh'];
    const head = tag(`${granted} data-variants="${names.map((name) => `${name}:1`).join(' ')}"`);
    const { page } = await pages.open(SLOT, { head });
    const others = await Promise.all([1, 2, 3].map(() => page.context().newPage()));
    const [unreadable] = others as [Page, ...Page[]];
    await unreadable.addInitScript(failOnce);
    await Promise.all(others.slice(1).map((other) => other.goto(page.url())));
    const drawn: unknown[] = [];
    for (const one of [page, ...others.slice(1), unreadable]) {
      if (one === unreadable) await one.goto(page.url());
      await ready(one);
      await push(one, 'track', A);
      await expect.poll(() => variant(one)).toMatch(/^[a-h]$/);
      await expect.poll(() => known(one)).toContain(`view ${A}`);
      drawn.push(await variant(one));
    }
    expect(new Set(drawn).size).toBe(1);
  });

  test('are none before consent', async () => {
    const { page } = await pages.open(SLOT, { head: tag('data-variants="a:50 b:50:none"') });
    await push(page, 'track', A);
    await ready(page);
    expect(await variant(page)).toBe(undefined);
    await page.reload();
    await ready(page);
    expect(await impressions(page)).toEqual([]);
    expect(await page.evaluate(() => indexedDB.databases())).toEqual([]);
  });

  test('that are none are refused, with the reason', async () => {
    const { page, warnings } = await pages.open(SLOT, { head: tag('data-variants="a:50 b:50:populr"') });
    await page.locator('[data-aisle-state=error-options]').waitFor();
    expect(warnings.join()).toContain('got "b:50:populr"');
  });

  test('have shares that need not sum to 100', () => {
    const variants = variantsOf(' a:1  b:3:popular c:4:/m/2/ ');
    expect(variants.map(({ name, share, modelUrl, strategies }) => [name, share, modelUrl, strategies])).toEqual([
      ['a', 1, undefined, {}],
      ['b', 3, undefined, { 'for-you': 'popular' }],
      ['c', 4, '/m/2/', {}],
    ]);
    expect([0, 0.1249, 0.125, 0.499, 0.5, 1 - 2 ** -32].map((random) => drawn(variants, random).name).join('')).toBe(
      'aabbcc',
    );
    for (const text of [
      '',
      'a:1',
      'a:1 a:1',
      'a:1 b:0',
      'a:1 b:-1',
      'a b',
      'a:1 b:x',
      'a:1 b:1:none=popular',
      'a:1 b c:1',
    ]) {
      expect(() => variantsOf(text), text).toThrow(RangeError);
    }
    expect(variantsOf('a:1 b:1:https://cdn.example/m/')[1]!.modelUrl).toBe('https://cdn.example/m/');
  });
});
