/** Slots of a page that are planned together: what they share, their attributes, the shop's rules, their arrows. */
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import { readArtifactFolder, writeArtifactFolder } from '../../src/pipeline/files/artifact-folder';
import { faults } from '../axe';
import { ROOT } from '../build/built';
import { takeShifts, watchShifts } from '../layout-shifts';
import { asked, embedPages, known, push, ready, reserving, SETTLED, STOCK, serveEmbed, shown } from './embed-window';

vi.setConfig({ testTimeout: 120_000 }); // a browser on a machine that may be busy

const DEMO = join(ROOT, 'public/models/demo');
const [A, B, C, D] = STOCK.map(({ id }) => id) as [string, string, string, string];
const ITEMS = JSON.parse(readFileSync(join(DEMO, 'items.json'), 'utf8')) as readonly string[];
const PAIRS = JSON.parse(readFileSync(join(DEMO, 'strategies.json'), 'utf8')).boughtTogether.pairs as Record<
  string,
  number[]
>;

const slot = (id: string, attributes = '') =>
  `<aisle-recommendations id="${id}" ${attributes}></aisle-recommendations>`;
const purchase = (transaction: string, ...ids: readonly string[]) =>
  JSON.stringify({
    event: 'purchase',
    ecommerce: { transaction_id: transaction, items: ids.map((id) => ({ item_id: id })) },
  });

/** Serves the demo's model with rules. */
async function serveRules() {
  const folder = join(mkdtempSync(join(tmpdir(), 'aisle-test-')), 'model');
  const rules = [
    { do: 'pin', id: B, position: 2, slot: 'ruled' },
    { do: 'exclude', id: C },
    { do: 'burry', id: A },
  ];
  await writeArtifactFolder(folder, { ...(await readArtifactFolder(DEMO)), rules }, { precision: 'f16' });
  return serveEmbed({ '/models/ruled/': folder });
}

const pages = embedPages(serveRules);

describe('two slots of a page', () => {
  test('show no product twice, nor what is in the cart or was just bought, from the first answer on', async () => {
    const { page, warnings } = await pages.open(slot('one') + slot('two') + slot('three', 'strategy="popular"'), {
      prepare: (opened) =>
        opened.addInitScript(() => {
          const all: string[][] = [];
          Object.assign(globalThis, { all });
          addEventListener('aisle-recommendations', (event) => {
            const { items } = (event as CustomEvent<{ items: { itemId: string }[] }>).detail;
            all.push(items.map(({ itemId }) => itemId));
          });
        }),
    });
    await ready(page, '#three');
    const three = async () => [await shown(page, '#one'), await shown(page, '#two'), await shown(page, '#three')];
    const first = await three();
    expect(first.map(({ length }) => length)).toEqual([8, 8, 8]);
    expect(new Set(first.flat()).size).toBe(24);
    expect(first[0]).toEqual(await asked(page, { k: 8 }));
    expect(first[1]).toEqual(await asked(page, { k: 8, exclude: first[0] }));

    const [cart, bought] = [first[0]![0]!, first[1]![0]!];
    await page.evaluate(
      ([inCart, justBought]) => {
        window.aisle!.push(['track', { itemId: inCart!, event: 'cart' }]);
        window.aisle!.push(['track', { itemId: justBought!, event: 'purchase', transaction: 'T1' }]);
        (globalThis as unknown as { all: string[][] }).all.length = 0; // from now on
      },
      [cart, bought],
    );
    await expect.poll(async () => (await three()).flat().filter((id) => id === cart || id === bought)).toEqual([]);
    await expect.poll(async () => new Set((await three()).flat()).size).toBe(24);
    expect(await page.evaluate(() => window.aisle!.recommender!.basket())).toEqual({ cart: [cart], bought: [bought] });
    const later = await page.evaluate(() => (globalThis as unknown as { all: string[][] }).all);
    expect(later.flat().filter((id) => id === cart || id === bought)).toEqual([]);

    await push(page, 'track', { itemId: cart, event: 'remove' });
    await page.locator('#three').evaluate((element) => element.setAttribute('hide', 'none'));
    await expect
      .poll(() => page.evaluate(() => window.aisle!.recommender!.basket()))
      .toEqual({ cart: [], bought: [bought] });
    expect(warnings).toEqual([]);
  });

  test('keep what the visitor is using, and show nothing of it elsewhere', async () => {
    const { page } = await pages.open(slot('one') + slot('two'));
    await ready(page, '#two');
    const kept = await shown(page, '#two');
    await page.locator('#two a').first().focus();
    await page.evaluate(() => document.querySelector('#one')!.before(document.createElement('aisle-recommendations')));
    await expect.poll(() => page.locator('aisle-recommendations').first().locator('a').count()).toBe(8);
    await expect.poll(async () => new Set((await shown(page)).concat(kept)).size).toBe(24);
    expect(await shown(page, '#two')).toEqual(kept);
  });
});

describe('a purchase', () => {
  test('counts once over three reloads of the page of thanks, and hides its product there', async () => {
    const head = `<script>dataLayer = [${purchase('T-77', A, B)}]</script>${SETTLED.replace('data-', 'data-consent="granted" data-')}`;
    const { page } = await pages.open(slot('one'), { head });
    for (let times = 0; times < 3; times++) {
      await ready(page);
      await expect.poll(() => page.evaluate(() => window.aisle!.recommender!.status.storage)).toBe('indexeddb');
      await page.reload();
    }
    await ready(page);
    await expect.poll(() => known(page)).toEqual([`purchase ${A}`, `purchase ${B}`]);
    expect(await page.evaluate(() => window.aisle!.recommender!.basket())).toEqual({ cart: [], bought: [A, B] });
    await page.evaluate(
      (text) => (window as unknown as { dataLayer: unknown[] }).dataLayer.push(JSON.parse(text)),
      purchase('T-78', A),
    );
    expect(await known(page)).toEqual([`purchase ${A}`, `purchase ${B}`, `purchase ${A}`]);
  });

  test('counts once within the page before consent', async () => {
    const { page } = await pages.open(slot('one'));
    await ready(page);
    for (let times = 0; times < 3; times++) {
      await push(page, 'track', { itemId: A, event: 'purchase', transaction: 'T1', pageView: `${times}` });
    }
    expect(await known(page)).toEqual([`purchase ${A}`]);
  });
});

describe('a slot', () => {
  const text = (height: number) => `<p style="height:${height}px">Text</p>`;
  const is = (page: Page, id: string, state: string) =>
    page.locator(`#${id}[data-aisle-state=${state}]`).waitFor({ state: 'attached' });
  const look = (page: Page, id: string) =>
    page.locator(`#${id}`).evaluate((element) => element.getBoundingClientRect().height);

  test('is filled up by further strategies, in turn', async () => {
    const { page, warnings } = await pages.open(slot('one', 'strategy="recent" fallback="popular" limit="4"'));
    await ready(page);
    const popular = await asked(page, { k: 4, strategy: 'popular' });
    expect(await shown(page)).toEqual(popular);
    for (const id of [A, B]) await push(page, 'track', { itemId: id, time: Date.now() - 1000 });
    const left = await asked(page, { k: 4, strategy: 'popular', exclude: [A, B] });
    await expect.poll(() => shown(page)).toEqual([B, A, ...left.slice(0, 2)]);
    expect(warnings).toEqual([]);
  });

  test('with too few products keeps its place, or gives it back and takes it again while that is below the window', async () => {
    const recent = 'strategy="recent" min="3"';
    const body = `${slot('kept', recent)}${slot('near', `${recent} empty="collapse"`)}<p id="mark">Here</p>${text(2000)}
      ${slot('far', `${recent} empty="collapse"`)}<p>The end</p>${text(2000)}`;
    const { page, errors } = await pages.open(body, {
      head: reserving('aisle-recommendations') + SETTLED,
      prepare: watchShifts,
    });
    for (const id of ['kept', 'near', 'far']) await is(page, id, 'empty');
    await expect.poll(() => look(page, 'far')).toBe(0);
    const before = [await look(page, 'kept'), await look(page, 'near')];
    expect(Math.min(...before)).toBeGreaterThan(200);

    for (const id of [A, B]) await push(page, 'track', { itemId: id, time: Date.now() - 1000 });
    await asked(page, {});
    expect(await look(page, 'far')).toBe(0); // two are fewer than three
    for (const id of [C, D]) await push(page, 'track', { itemId: id, time: Date.now() - 1000 });
    // With the third it is ready, and the fourth comes.
    await expect.poll(() => shown(page, '#kept')).toHaveLength(4);
    expect(await shown(page, '#far')).toEqual([]); // the first slot has them
    await page.locator('#kept').evaluate((element) => element.remove());
    await page.locator('#near').evaluate((element) => element.remove());
    await takeShifts(page);
    await push(page, 'refresh');
    await is(page, 'far', 'ready');
    await expect.poll(() => look(page, 'far')).toBeGreaterThan(200);

    await page.locator('#far').scrollIntoViewIfNeeded();
    await page.evaluate(() => scrollBy(0, 300));
    await push(page, 'erase');
    await is(page, 'far', 'empty');
    expect(await look(page, 'far')).toBeGreaterThan(200); // it is in the window
    await page.evaluate(() => scrollTo(0, 0));
    await expect.poll(() => look(page, 'far')).toBe(0);
    expect((await takeShifts(page)).filter(({ hadRecentInput }) => !hadRecentInput)).toEqual([]);
    expect(errors).toEqual([]);
  });

  test('shows what its filter lets pass, and at most so many of a kind; what is wrong is named', async () => {
    const attributes = 'filter="category:Tops colour:red" diversity="category:2 price:1" limit="4"';
    const { page, warnings } = await pages.open(slot('one', attributes));
    await ready(page);
    const products = await page.evaluate(
      async (ids) => (await window.aisle!.recommender!.products(ids)).map((product) => product!.category!),
      await shown(page),
    );
    expect(products.length).toBeGreaterThan(1);
    expect(products.every((path) => path.includes('Tops'))).toBe(true);
    const counts = products.map((path) => products.filter((other) => other.join() === path.join()).length);
    expect(Math.max(...counts)).toBeLessThanOrEqual(2);
    expect(warnings.sort()).toEqual([
      expect.stringContaining('diversity="category:2 price:1": "price" is none of brand, category, group'),
      expect.stringContaining('filter="category:Tops colour:red": "colour" is none of id, brand, category, tag, price'),
    ]);
  });

  test('follows the shop’s rules; one that is wrong is reported, and the others hold', async () => {
    const head = SETTLED.replace('/models/demo/', '/models/ruled/');
    const { page, warnings } = await pages.open(slot('ruled') + slot('other', 'strategy="popular" limit="100"'), {
      head,
    });
    await ready(page, '#other');
    expect((await shown(page, '#ruled'))[1]).toBe(B);
    expect(await page.locator('#ruled a').nth(1).getAttribute('data-reason')).toBe('rule');
    expect(await shown(page)).not.toContain(C);
    expect(warnings).toEqual([
      expect.stringContaining('rule 3: do must be one of pin, boost, bury, exclude, got "burry"'),
    ]);
    const { degraded } = await page.evaluate(() => window.aisle!.recommender!.status);
    expect(degraded.map(({ code }) => code)).toContain('bad-rules');
    for (const name of ['exclude', 'item']) {
      const set = (id: string) =>
        page.locator('#ruled').evaluate((slot, given) => slot.setAttribute(...given), [name, id] as [string, string]);
      await set(B);
      await expect.poll(async () => (await shown(page, '#ruled')).includes(B)).toBe(false);
      await set('');
      await expect.poll(async () => (await shown(page, '#ruled'))[1]).toBe(B);
    }
  });

  test('shows what is bought together with a product, and what trends, by a file that is loaded where it is asked for', async () => {
    const inStock = new Set(STOCK.map(({ id }) => id));
    const complements = (item: string) =>
      (PAIRS[item] ?? [])
        .filter((_, at) => at % 2 === 0)
        .map((index) => ITEMS[index - 1]!)
        .filter((id) => inStock.has(id));
    const of = Object.keys(PAIRS).find((item) => complements(item).length > 1)!;
    const item = ITEMS[Number(of) - 1]!;
    const plain = await pages.open(slot('one'));
    await ready(plain.page);
    expect(plain.requests.some(({ url }) => url.endsWith('/strategies.json'))).toBe(false);
    const together = `strategy="bought-together" item="${item}" fallback="related" limit="6"`;
    const { page, warnings } = await pages.open(slot('one', together) + slot('two', 'strategy="trending"'));
    await ready(page, '#two');
    expect((await shown(page, '#one')).slice(0, 2)).toEqual(complements(of).slice(0, 2));
    expect(await page.locator('#one a').first().getAttribute('data-reason')).toBe('bought-together');
    expect(await page.locator('#one a').last().getAttribute('data-reason')).toBe('related');
    expect(await page.locator('#two a').first().getAttribute('data-reason')).toBe('trending');
    expect(await page.locator('#two [part=heading]').textContent()).toBe('Trending');
    expect(warnings).toEqual([]);
  });
});

describe('the arrows of a row', () => {
  const names = (page: Page) =>
    page.getByRole('button').evaluateAll((all) => all.map((one) => one.getAttribute('aria-label')));
  const scrolled = (page: Page) => page.locator('[part=list]').evaluate((list) => Math.round(list.scrollLeft));
  const still = { context: { reducedMotion: 'reduce' as const } };

  test('scroll it by mouse and keyboard, are hidden at its ends, and pass axe', async () => {
    const { page, errors } = await pages.open(slot('one', 'limit="16"'), { ...still, prepare: watchShifts });
    await ready(page);
    await expect.poll(() => names(page)).toEqual(['Next products']);
    expect(await faults(page)).toEqual([]);
    await page.getByRole('button', { name: 'Next products' }).click();
    await expect.poll(() => names(page)).toEqual(['Previous products', 'Next products']);
    const once = await scrolled(page);
    expect(once).toBeGreaterThan(500);
    await page.getByRole('button', { name: 'Next products' }).press('Enter');
    await expect.poll(() => names(page)).toEqual(['Previous products']);
    expect(await page.getByRole('button', { name: 'Previous products' }).evaluate((one) => one.matches(':focus'))).toBe(
      true,
    );
    expect(await faults(page)).toEqual([]);
    await page.keyboard.press('Enter');
    await page.keyboard.press('Enter');
    await expect.poll(() => scrolled(page)).toBeLessThan(8); // the cards’ own margin
    await expect.poll(() => names(page)).toEqual(['Next products']);
    expect((await takeShifts(page)).filter(({ hadRecentInput }) => !hadRecentInput)).toEqual([]);
    expect(errors).toEqual([]);
  });

  test('are in the slot’s language, follow the direction of the text, and are not in a grid, a short row or a narrow window', async () => {
    const { page } = await pages.open(`<div dir="rtl">${slot('one', 'limit="16" lang="ko"')}</div>`, still);
    await ready(page);
    await expect.poll(() => names(page)).toEqual(['다음 상품']);
    await page.getByRole('button', { name: '다음 상품' }).click();
    await expect.poll(() => scrolled(page)).toBeLessThan(-500);
    await page.setViewportSize({ width: 390, height: 800 });
    await expect.poll(() => names(page)).toEqual([]);
    const others = await pages.open(slot('one', 'layout="grid"') + slot('two', 'limit="2"'), still);
    await ready(others.page, '#two');
    await expect.poll(() => others.page.locator('#two button').count()).toBe(2); // there, and hidden
    expect(await names(others.page)).toEqual([]);
  });
});
