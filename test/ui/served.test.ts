/** Products that the shop's server has rendered: they stay, and are replaced in place, with the shop's own markup. */
import type { Page } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import { takeShifts, watchShifts } from '../layout-shifts';
import { asked, CATALOGUE, embedPages, held, push, ready, SETTLED, STOCK } from './embed-window';

vi.setConfig({ testTimeout: 120_000 }); // a browser on a machine that may be busy

const pages = embedPages();

const card = (id: string, title = id) =>
  `<li class="card"><a class="link" href="/shop/${id}" data-item-id="${id}"><b>${title}</b> <i>9.99</i></a></li>`;
const cards = (page: Page) =>
  page
    .locator('aisle-recommendations li')
    .evaluateAll((items) =>
      items.map((item) => item.querySelector('[data-item-id]')?.getAttribute('data-item-id') ?? ''),
    );
/** The best that this page's model gives to a visitor who has not clicked yet. */
async function best(k: number): Promise<string[]> {
  const { page } = await pages.open('<aisle-recommendations></aisle-recommendations>');
  const ids = await asked(page, { k });
  await page.context().close();
  return ids;
}
const titleOf = (id: string) => CATALOGUE.find((product) => product.id === id)!.title;

describe('products that the server rendered', () => {
  test('are reordered where they are among the best, and replaced by plain cards of the same classes where not', async () => {
    const [first, second, third] = await best(3);
    const worst = STOCK.at(-1)!.id;
    const list = `<ul class="shelf">${card(worst)}${card(second!)}${card(first!)}</ul>`;
    const { page, errors } = await pages.open(`<aisle-recommendations>${list}</aisle-recommendations>`, {
      // What the server rendered is seen before anything of ours is there.
      prepare: (opened) =>
        opened.addInitScript(() => {
          addEventListener('DOMContentLoaded', () => {
            const nodes = [...document.querySelectorAll('li.card')];
            Object.assign(globalThis, { nodes });
          });
        }),
    });
    await ready(page);
    expect(await cards(page)).toEqual([first, second, third]);
    const kept = await page.evaluate(() => {
      const { nodes } = globalThis as unknown as { nodes: Element[] };
      const now = [...document.querySelectorAll('aisle-recommendations li')];
      return now.map((node) => nodes.indexOf(node));
    });
    expect(kept).toEqual([2, 1, -1]);
    const fresh = page.locator('aisle-recommendations li').nth(2);
    expect(await fresh.getAttribute('class')).toBe('card');
    expect(await fresh.locator('a').getAttribute('class')).toBe('link');
    expect(await fresh.textContent()).toBe(titleOf(third!)); // and not the price of another product
    expect(await page.locator('aisle-recommendations li').first().locator('a').getAttribute('href')).toBe(
      `/shop/${first}`,
    );
    expect(await page.locator('aisle-recommendations ul').count()).toBe(1);
    expect(errors).toEqual([]);
  });

  test('fill the places for which there is nothing better', async () => {
    const [first] = await best(1);
    const others = STOCK.slice(-3).map(({ id }) => id);
    const body = `<aisle-recommendations strategy="recent"><ul>${others.map((id) => card(id)).join('')}</ul></aisle-recommendations>`;
    const { page } = await pages.open(body);
    await page.locator('[data-aisle-state=empty]').waitFor();
    expect(await cards(page)).toEqual(others);
    await push(page, 'track', first);
    await push(page, 'track', STOCK[3]!.id);
    await ready(page);
    expect(await cards(page)).toEqual([first, ...others.slice(0, 2)]);
    await push(page, 'erase');
    await page.locator('[data-aisle-state=empty]').waitFor();
    await expect.poll(() => cards(page)).toEqual(others);
  });

  test('are replaced again where an application has rendered them anew, and not while they are as they were', async () => {
    const list = (some: typeof STOCK) => `<ul>${some.map(({ id }) => card(id)).join('')}</ul>`;
    const { page } = await pages.open(`<aisle-recommendations>${list(STOCK.slice(-4))}</aisle-recommendations>`);
    await ready(page);
    const answer = await cards(page);
    await page.evaluate(
      (html) => {
        const slot = document.querySelector('aisle-recommendations')!;
        const states: string[] = [];
        Object.assign(globalThis, { states });
        slot.addEventListener('aisle-recommendations', (event) => states.push((event as CustomEvent).detail.state));
        slot.innerHTML = html;
      },
      list(STOCK.slice(-8, -4)),
    );
    expect(await cards(page)).not.toEqual(answer);
    const states = () => page.evaluate(() => (globalThis as unknown as { states: string[] }).states);
    await push(page, 'refresh');
    await expect.poll(() => cards(page)).toEqual(answer);
    await push(page, 'refresh');
    await asked(page, {}); // a turn of the engine after that of the slot
    expect(await states()).toEqual(['ready']);
  });

  test('have the shop’s template for new cards', async () => {
    const [first] = await best(1);
    const template = `<template><li class="own"><a data-aisle="link"><img data-aisle="image"><em data-aisle="title"></em>
      <small data-aisle="brand"></small><strong data-aisle="price"></strong><u data-aisle="note"></u></a></li></template>`;
    const body = `<aisle-recommendations><ul>${card(STOCK.at(-1)!.id)}</ul>${template}</aisle-recommendations>`;
    const { page } = await pages.open(body);
    await ready(page);
    const own = page.locator('aisle-recommendations li.own');
    expect(await own.locator('em').textContent()).toBe(titleOf(first!));
    expect(await own.locator('strong').textContent()).toMatch(/^€[\d.]+$/);
    expect(await own.locator('img[src]').getAttribute('src')).toMatch(/^data:image/);
    expect(await own.locator('u').count()).toBe(0);
    expect(await own.locator('a').getAttribute('href')).toContain(`#/product/${first}`);
  });

  test('have a template beside them, which stays for the next answer', async () => {
    const ids = STOCK.slice(-2).map(({ id }) => id);
    const template = '<template><li class="own"><a data-aisle="link"><b data-aisle="title"></b></a></li></template>';
    const list = `<ul>${card(ids[0]!)}${template}${card(ids[1]!)}</ul>`;
    const { page } = await pages.open(`<aisle-recommendations>${list}</aisle-recommendations>`);
    await ready(page);
    const own = page.locator('aisle-recommendations li.own');
    expect(await own.count()).toBe(2);
    const before = await cards(page);
    await push(page, 'track', before[0]);
    await expect.poll(() => cards(page)).not.toEqual(before);
    expect(await own.count()).toBe(2);
  });

  test('have a template whose scripts, styles and frames stay as they are: the text of a catalogue is no code', async () => {
    const parts = ['script', 'style', 'iframe', 'embed', 'object'].map((tag) => `<${tag} data-aisle="title"></${tag}>`);
    const sources = ['script', 'iframe'].map((tag) => `<${tag} data-aisle="image"></${tag}>`);
    const template = `<template><li class="own"><a data-aisle="link"><b data-aisle="title"></b></a>
      ${[...parts, ...sources].join('')}<svg><style data-aisle="brand"></style></svg></li></template>`;
    const start = `<script>(window.aisle ||= []).push(['start', { modelUrl: '/models/demo/', product: (product) =>
      ({ ...product, title: 'window.hasRun = 1; //'.padEnd(500_000, 'x'), brand: '* { display: none }' }) }])</script>`;
    const body = `<aisle-recommendations><ul>${card(STOCK.at(-1)!.id)}</ul>${template}</aisle-recommendations>`;
    const { page, errors, warnings } = await pages.open(body, { head: start + SETTLED });
    await ready(page);
    const own = page.locator('aisle-recommendations li.own');
    expect(await own.locator('b').textContent()).toHaveLength(300);
    for (const part of await own.locator(':is(script, style, iframe, embed, object)').all()) {
      expect(await part.evaluate((element) => element.outerHTML)).toMatch(
        /^<(\w+) data-aisle="(title|image|brand)">(<\/\1>)?$/,
      );
    }
    expect(await page.evaluate(() => 'hasRun' in window)).toBe(false);
    expect(await own.isVisible()).toBe(true);
    expect(errors).toEqual([]);
    const refused = warnings.filter((text) => text.startsWith('Aisle: a template has data-aisle='));
    expect(refused).toHaveLength(8);
    expect(refused[0]).toBe('Aisle: a template has data-aisle="title" on <script>, which is not filled.');
  });

  test('stay where the model cannot be loaded, and where there is no JavaScript', async () => {
    const body = `<aisle-recommendations><ul>${card('a')}${card('b')}</ul></aisle-recommendations>`;
    const failed = await pages.open(body, { head: SETTLED.replace('/models/demo/', '/models/none/') });
    await failed.page.locator('[data-aisle-state=error-bad-artifact]').waitFor();
    const plain = await pages.open(body, { context: { javaScriptEnabled: false } });
    for (const { page } of [failed, plain]) {
      expect(await page.getByRole('link', { name: 'a 9.99' }).isVisible()).toBe(true);
      expect(await page.locator('aisle-recommendations li').count()).toBe(2);
      await page.context().close();
    }
  });

  test.each([
    ['stay where our scripts never come', '**/page-*.js', 'error-script'],
    ['are replaced', '**/none', 'ready'],
  ])('%s, in a page whose parser reaches them after our script has run', async (_, missing, state) => {
    const { hold, release } = held('**/slow.js');
    pages.server.serve('/slow.js', '', 'text/javascript');
    const ids = STOCK.slice(-4).map(({ id }) => id);
    const list = `<ul><script src="/slow.js"></script>${ids.map((id) => card(id)).join('')}</ul>`;
    const { page } = await pages.open(`<aisle-recommendations>${list}</aisle-recommendations>`, {
      head: SETTLED.replace('module"', 'module" async'),
      prepare: async (opened) => {
        await hold(opened);
        await opened.route(missing, (route) => route.abort());
      },
      until: 'commit',
    });
    await page.waitForFunction(() => document.querySelector('aisle-recommendations')?.shadowRoot?.firstChild);
    release();
    await page.locator(`[data-aisle-state=${state}]`).waitFor();
    const expected = state === 'ready' ? await asked(page, { k: 4 }) : ids;
    await expect.poll(() => cards(page)).toEqual(expected);
    for (const link of await page.locator('aisle-recommendations li a').all())
      expect(await link.isVisible()).toBe(true);
    expect(await page.locator('aisle-recommendations li a').count()).toBe(4);
  });

  test('keep their number and their place: nothing moves', async () => {
    const style = '<style>.shelf { list-style: none } .card { height: 4em; overflow: hidden }</style>';
    const list = STOCK.slice(-4)
      .map(({ id }) => card(id))
      .join('');
    const body = `<aisle-recommendations><ul class="shelf">${list}</ul></aisle-recommendations><p>Below</p>`;
    const { page } = await pages.open(body, {
      head: style + SETTLED,
      prepare: watchShifts,
    });
    await ready(page);
    expect(await cards(page)).toEqual(await asked(page, { k: 4 }));
    expect(await takeShifts(page)).toEqual([]);
  });
});
