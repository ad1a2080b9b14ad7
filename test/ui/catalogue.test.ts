/** A shop whose catalogue lives apart from its model: what visitors see when prices and stock change, and when it breaks. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { catalogue } from '../../src/pipeline/catalogue/catalogue';
import { ROOT } from '../build/built';
import { takeShifts, watchShifts } from '../layout-shifts';
import {
  CATALOGUE,
  embedPages,
  known,
  type Product,
  push,
  ready,
  SETTLED,
  SLOT,
  serveEmbed,
  shown,
} from './embed-window';

vi.setConfig({ testTimeout: 120_000 });

const place = await mkdtemp(join(tmpdir(), 'aisle-page-catalogue-'));
const out = join(place, 'en');
const pages = embedPages(() => serveEmbed({ '/catalogue/': place }));
const HEAD = SETTLED.replace('data-', 'data-learn="manual" data-catalogue-url="/catalogue/{de|en}/" data-');
const STORING = HEAD.replace('data-', 'data-consent="granted" data-');
/** A product that the model does not know, like another one. */
const NEW = { ...CATALOGUE[0]!, id: 'brand-new', title: `${CATALOGUE[0]!.title} II`, url: '#/product/new', price: 1 };

/** Writes the shop's catalogue as a run of `aisle catalogue` does. */
async function write(change: (product: Product) => object = (product) => product): Promise<void> {
  const feed = join(place, 'feed.json');
  await writeFile(feed, JSON.stringify([...CATALOGUE.map(change), NEW]));
  await catalogue({ feeds: [feed], out, artifact: join(ROOT, 'public/models/demo') });
}
const costs = (price: number) => (product: Product) => ({ ...product, price });
/** The next catalogue, whose upload goes wrong. */
async function breakNext(): Promise<void> {
  await write(costs(12));
  await writeFile(join(out, 'catalogue.json'), '[]');
}
beforeEach(async () => {
  await write(costs(11));
  return () => rm(out, { recursive: true });
});

const prices = (page: Page) =>
  page.locator('aisle-recommendations [part=price]').evaluateAll((all) => [...new Set(all.map((e) => e.textContent))]);
const show = (page: Page, ...texts: string[]) => expect.poll(() => prices(page), { timeout: 30_000 }).toEqual(texts);
const codes = (page: Page) => page.evaluate(() => window.aisle!.recommender!.status.degraded.map(({ code }) => code));
async function open(head: string, body = SLOT, prepare: (page: Page) => Promise<unknown> = async () => {}) {
  const opened = await pages.open(body, {
    head,
    async prepare(page) {
      await watchShifts(page);
      await prepare(page);
    },
  });
  onTestFinished(() => opened.page.context().close());
  return opened;
}
/** What a shop sees an hour later. */
const anHourLater = (page: Page) => page.clock.fastForward(3_600_000);

test('whose aliases name the page’s product: analytics and the doctor say that GA4 cannot join the two ids', async () => {
  await write((product) => ({ ...product, sku: `SKU-${product.id}` }));
  const [{ id }] = CATALOGUE as [Product];
  const layer = `<script>dataLayer = [{ event: 'view_item', ecommerce: { items: [{ item_id: 'SKU-${id}' }] } }]</script>`;
  const { page, warnings } = await open(layer + STORING.replace('data-', 'data-analytics="ga4" data-'));
  await ready(page);
  await expect
    .poll(() => warnings)
    .toEqual([expect.stringContaining(`view_item has "SKU-${id}", select_item has "${id}"`)]);
  await push(page, 'doctor');
  await page.waitForFunction(() => window.aisle?.doctor !== undefined);
  const { findings } = await page.evaluate(() => window.aisle!.doctor!);
  expect(findings.filter(({ severity }) => severity !== 'ok').map(({ code }) => code)).toEqual(['analytics-ids']);
});

test('whose addresses alone name the page’s product: its view counts by a model that comes late', async () => {
  const address = ({ id }: Product) => `https://shop.example/${id}`;
  await write((product) => ({ ...product, url: address(product) }));
  const [product] = CATALOGUE as [Product];
  const MODEL = '**/models/demo/manifest.json';
  const { page } = await open(`<link rel="canonical" href="${address(product)}">${HEAD}`, SLOT, (page) =>
    page.context().route(MODEL, (route) => route.abort()),
  );
  await page.locator('[data-aisle-state=error-io]').waitFor();
  expect(await known(page)).toEqual([]);
  await page.context().unroute(MODEL);
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await expect.poll(() => known(page)).toEqual([`view ${product.id}`]);
});

describe('a catalogue apart from the model', () => {
  test('shows a price that has changed in it alone after a reload, without a shift', async () => {
    const { page, warnings, errors } = await open(HEAD);
    await ready(page);
    await show(page, '€11.00');
    const order = await shown(page);
    await write(costs(12));
    await page.reload();
    await show(page, '€12.00');
    expect(await shown(page)).toEqual(order);
    expect(await takeShifts(page)).toEqual([]);
    expect([warnings, errors]).toEqual([[], []]);
  });

  test('is fetched again every hour: what is sold out leaves the slots at once, and nothing else moves', async () => {
    const { page } = await open(HEAD, SLOT, (page) => page.clock.install());
    await ready(page);
    await show(page, '€11.00');
    const before = await shown(page);
    const boxes = () =>
      page
        .locator('aisle-recommendations a')
        .evaluateAll((links) => links.map((link) => link.getBoundingClientRect().x));
    const places = await boxes();
    await takeShifts(page);
    await write((product) => ({
      ...product,
      price: 13,
      ...(product.id === before[1] && { availability: 'sold out' }),
    }));
    await anHourLater(page);
    await show(page, '€13.00');
    const after = await shown(page);
    expect(after).not.toContain(before[1]);
    expect(after.slice(0, 7)).toEqual(before.toSpliced(1, 1));
    expect(await boxes()).toEqual(places);
    expect(await takeShifts(page)).toEqual([]);
  });

  test('that breaks leaves the last good one, in this page and, with consent, in the next; the page goes on ranking', async () => {
    const { page, warnings } = await open(STORING, SLOT, (page) => page.clock.install());
    await push(page, 'track', CATALOGUE[3]!.id);
    await ready(page);
    await show(page, '€11.00');
    const isKept = () =>
      page.evaluate(async () => {
        const { databases } = indexedDB as unknown as { databases(): Promise<unknown[]> };
        return (await databases.call(indexedDB)).length === 1 && window.aisle!.recommender!.status.storage;
      });
    await expect.poll(isKept).toBe('indexeddb');
    await breakNext();
    await anHourLater(page);
    await expect.poll(() => codes(page)).toEqual(['catalogue-stale']);
    await show(page, '€11.00');
    await page.reload();
    await ready(page);
    await expect.poll(() => codes(page)).toEqual(['catalogue-stale']);
    await show(page, '€11.00');
    const before = await shown(page);
    await push(page, 'track', CATALOGUE[40]!.id);
    await expect.poll(() => shown(page)).not.toEqual(before);
    const notices = warnings.filter((text) => text.includes('it works with less (catalogue-stale)'));
    expect(notices).toHaveLength(2); // once in each page
    expect(notices[0]).toMatch(/the last good one, version \w+, is shown\. catalogue\.json is 2 bytes long/);
    await page.evaluate(() => window.aisle!.recommender!.privacy.erase());
    await page.reload();
    await ready(page);
    await expect.poll(() => codes(page)).toEqual(['catalogue-stale']);
    expect(await prices(page)).not.toContain('€11.00'); // the model's own
    await write(costs(14));
    await page.reload();
    await show(page, '€14.00');
    expect(await codes(page)).toEqual([]);
  });

  test("that is missing, in a page that stores nothing, leaves the model's own", async () => {
    await rm(out, { recursive: true });
    const { page, warnings } = await open(HEAD);
    await ready(page);
    await expect.poll(() => codes(page)).toEqual(['catalogue-stale']);
    const [first] = await shown(page);
    expect(await page.locator('[part=title]').first().textContent()).toBe(
      CATALOGUE.find(({ id }) => id === first)!.title,
    );
    expect(warnings).toEqual([expect.stringContaining("the model's own is shown. http")]);
    await write();
  });

  test('relates a product that the model does not know, and shows it among what is related', async () => {
    const related = (item: string) =>
      `<aisle-recommendations strategy="related" limit="20" item="${item}"></aisle-recommendations>`;
    const { page } = await open(HEAD, related(NEW.id));
    await ready(page);
    await show(page, '€11.00');
    const reasons = page.locator('aisle-recommendations a');
    await expect.poll(() => reasons.first().getAttribute('data-reason')).toBe('related');
    const [like] = await shown(page);
    await page.locator('aisle-recommendations').evaluate((slot, id) => slot.setAttribute('item', id), like!);
    await expect.poll(() => shown(page)).toContain(NEW.id);
    await show(page, '€11.00', '€1.00');
  });
});

test('what the page itself knows is shown on top, by a command', async () => {
  const { page, warnings } = await open(HEAD);
  await ready(page);
  await show(page, '€11.00');
  const [first, second] = (await shown(page)) as [string, string];
  await takeShifts(page);
  const products = [
    { id: first, price: 9 },
    { id: second, availability: 'out of stock' },
  ];
  await push(page, 'catalogue', products);
  await show(page, '€9.00', '€11.00');
  expect(await shown(page)).not.toContain(second);
  expect(await takeShifts(page)).toEqual([]);
  await push(page, 'catalogue', [{ id: first, prise: 1 }]);
  await expect
    .poll(() => warnings)
    .toEqual([
      expect.stringContaining(
        'The command "catalogue" failed. update: there is no option "prise". Did you mean "price"?',
      ),
    ]);
});
