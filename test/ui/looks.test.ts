/** What a slot is to the eye, the keyboard and a screen reader, in every state, and that nothing moves. */
import type { Page } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import { faults } from '../axe';
import { takeShifts, watchShifts } from '../layout-shifts';
import { slice } from '../soak-slice';
import { asked, embedPages, held, push, ready, reserving, SETTLED, SLOT, STOCK, shown } from './embed-window';

vi.setConfig({ testTimeout: 120_000 }); // a browser on a machine that may be busy

const PART = 'aisle-recommendations';

const pages = embedPages();

const height = (page: Page) =>
  page.locator('aisle-recommendations').evaluate((element) => element.getBoundingClientRect().height);
const BELOW = '<p>What stands below, and would move.</p>';

const painted = (page: Page) =>
  page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length > 0);

describe('nothing moves', () => {
  test.each(slice(['row', 'grid'], (layout) => layout === 'grid'))(
    'when suggestions come into a %s, after the page was painted',
    async (layout) => {
      const late = held('**/aisle/page-*');
      const body = `<aisle-recommendations layout="${layout}"></aisle-recommendations>${BELOW}`;
      const { page } = await pages.open(body, {
        prepare: async (opened) => {
          await watchShifts(opened);
          await late.hold(opened);
        },
      });
      await page.locator('[data-aisle-state=loading]').waitFor();
      await painted(page);
      await takeShifts(page);
      const before = await height(page);
      late.release();
      await ready(page);
      expect(await height(page)).toBe(before);
      expect(await takeShifts(page)).toEqual([]);
    },
  );

  test('where the page reserves the place as the manual says, not even if embed.js comes last', async () => {
    const late = held('**/embed.js');
    const { page } = await pages.open(SLOT + BELOW, {
      head: reserving('aisle-recommendations') + SETTLED,
      until: 'commit',
      prepare: async (opened) => {
        await watchShifts(opened);
        await late.hold(opened);
      },
    });
    await painted(page);
    const before = await height(page);
    late.release();
    await ready(page);
    expect(await height(page)).toBe(before);
    expect(await takeShifts(page)).toEqual([]);
  });

  test('when there are fewer products than places, none, or an error', async () => {
    const bodies = [
      '<aisle-recommendations strategy="recent"></aisle-recommendations>',
      '<aisle-recommendations strategy="recent" layout="grid" limit="20"></aisle-recommendations>',
    ];
    for (const body of slice(bodies, (body) => body.includes('grid'))) {
      const { page } = await pages.open(body + BELOW, { prepare: watchShifts });
      await page.locator('[data-aisle-state=empty]').waitFor();
      await takeShifts(page);
      const before = await height(page);
      await push(page, 'track', STOCK[0]!.id);
      await push(page, 'track', STOCK[1]!.id);
      await ready(page);
      expect(await height(page)).toBe(before);
      await push(page, 'erase');
      await page.locator('[data-aisle-state=empty]').waitFor();
      expect(await height(page)).toBe(before);
      expect(await takeShifts(page)).toEqual([]);
      await page.context().close();
    }
  });
});

describe('a grid', () => {
  const cells = (page: Page) =>
    page.locator('aisle-recommendations li').evaluateAll((items) => items.map((item) => item.getBoundingClientRect()));
  const columns = async (page: Page) => new Set((await cells(page)).map(({ left }) => left)).size;

  test('has two columns on a phone, however narrow', async () => {
    const head = `<meta name="viewport" content="width=device-width"><style>body { margin: 16px }</style>${SETTLED}`;
    const { page } = await pages.open('<aisle-recommendations layout="grid"></aisle-recommendations>', {
      head,
    });
    await ready(page);
    const found: Record<number, number> = {};
    for (const width of [320, 360, 390, 430, 1280]) {
      await page.setViewportSize({ width, height: 844 });
      found[width] = await columns(page);
    }
    expect(found).toEqual({ 320: 2, 360: 2, 390: 2, 430: 2, 1280: 6 });
  });

  test('and a row begin below their heading, scrolled or not, with room for the focus', async () => {
    const slots = ['limit="2"', 'limit="16"', 'layout="grid"'].map((words) => SLOT.replace('>', ` ${words}>`));
    const { page } = await pages.open(`${slots.join('')}<div dir="rtl">${slots.join('')}</div>`);
    await page.waitForFunction(() => document.querySelectorAll('[data-aisle-state=ready]').length === 6);
    const starts = await page.locator('aisle-recommendations').evaluateAll((all) =>
      all.map(({ shadowRoot }) =>
        ['h2', 'a'].map((name) => {
          const { left, right } = shadowRoot!.querySelector(name)!.getBoundingClientRect();
          return Math.round(getComputedStyle(shadowRoot!.host).direction === 'rtl' ? right : left);
        }),
      ),
    );
    for (const [heading, card] of starts) expect(card).toBe(heading);
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  });

  test('has one where two would be too narrow, or where its page wants wide cards', async () => {
    const narrow = '<div style="width: 200px"><aisle-recommendations layout="grid"></aisle-recommendations></div>';
    const wide = '<style>aisle-recommendations { --aisle-card-width: 20em }</style>';
    const grids = [
      [narrow, ''],
      ['<aisle-recommendations layout="grid"></aisle-recommendations>', wide],
    ] as const;
    for (const [body, head] of slice(grids, ([body]) => body === narrow)) {
      const { page } = await pages.open(body, {
        head: head + SETTLED,
        context: { viewport: { width: 390, height: 844 } },
      });
      await ready(page);
      expect(await columns(page)).toBe(1);
      await page.context().close();
    }
  });

  test('is no higher than its cards: not after the window has become wide, nor where fewer are asked for', async () => {
    const body = `<aisle-recommendations strategy="recent" layout="grid" limit="20"></aisle-recommendations>${BELOW}`;
    const { page } = await pages.open(body, { context: { viewport: { width: 390, height: 844 } } });
    await page.locator('[data-aisle-state=empty]').waitFor();
    const phone = await height(page);
    await push(page, 'track', STOCK[0]!.id);
    await push(page, 'track', STOCK[1]!.id);
    await ready(page);
    expect(await height(page)).toBe(phone);
    await page.setViewportSize({ width: 1280, height: 900 });
    const row = (await cells(page))[0]!.height;
    expect(await height(page)).toBeLessThan(5 * row); // four rows of six
    await page.locator('aisle-recommendations').evaluate((element) => element.setAttribute('limit', '6'));
    await expect.poll(() => height(page)).toBeLessThan(2 * row);
  });
});

test('in a page that is written the other way, English says that it is, and the products’ words stay as they are', async () => {
  const slots =
    '<aisle-recommendations></aisle-recommendations><aisle-recommendations heading="قد يعجبك"></aisle-recommendations>';
  const empty = '<aisle-recommendations strategy="recent" heading=""></aisle-recommendations>';
  const { page } = await pages.open(`<div lang="ar" dir="rtl">${slots}${empty}</div>`, {
    head: SETTLED.replace('data-', 'data-consent="denied" data-'),
  });
  await ready(page);
  await page.locator('[data-aisle-state=empty]').waitFor();
  const read = (slot: number, selector: string) =>
    page
      .locator('aisle-recommendations')
      .nth(slot)
      .locator(selector)
      .first()
      .evaluate((element) => {
        const { direction, textAlign } = getComputedStyle(element);
        const host = (element.getRootNode() as ShadowRoot).host;
        const lang = (element.closest('[lang]') ?? host.closest('[lang]'))!.getAttribute('lang');
        return [lang, direction, textAlign];
      });
  expect(await read(0, 'h2')).toEqual(['en', 'ltr', 'right']); // in its line, that is; the line begins as others do
  expect(await read(1, 'h2')).toEqual(['ar', 'rtl', 'right']);
  expect(await read(0, '.title')).toEqual(['ar', 'rtl', 'start']);
  expect(await read(2, 'p')).toEqual(['en', 'ltr', 'right']);
  expect(await faults(page, PART)).toEqual([]);
  await page.getByRole('region', { name: 'Recently viewed' }).waitFor();
});

describe('a slot has no accessibility fault', () => {
  const looks = [
    ['light', 1280, 'en'],
    ['dark', 390, 'ko'],
  ] as const;
  test.each(slice(looks, ([scheme]) => scheme === 'dark'))(
    'in %s at %i pixels, in %s: while it waits, with products, with none, and where it fails',
    async (colorScheme, width, lang) => {
      const late = held('**/aisle/page-*');
      const head = `<meta name="viewport" content="width=device-width"><style>:root { color-scheme: light dark }</style>${SETTLED}`;
      const slots = `<div lang="${lang}">${SLOT}<aisle-recommendations strategy="recent" heading=""></aisle-recommendations></div>`;
      const { page } = await pages.open(slots, {
        head,
        context: { colorScheme, viewport: { width, height: 900 } },
        prepare: late.hold,
      });
      await page.locator('[data-aisle-state=loading]').first().waitFor();
      expect(await faults(page, PART)).toEqual([]);
      late.release();
      await ready(page);
      await page.locator('[data-aisle-state=empty]').waitFor();
      expect(await faults(page, PART)).toEqual([]);
      await page.context().close();

      const failed = await pages.open(SLOT, {
        head: head.replace('/models/demo/', '/models/none/'),
        context: { colorScheme, viewport: { width, height: 900 } },
      });
      await failed.page.locator('[data-aisle-state=error-bad-artifact]').waitFor();
      expect(await faults(failed.page, PART)).toEqual([]);
    },
  );

  test('and fits a narrow window: the row scrolls, the page does not', async () => {
    const { page } = await pages.open(SLOT, { context: { viewport: { width: 320, height: 700 } } });
    await ready(page);
    const overflow = () =>
      page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(await overflow()).toBeLessThanOrEqual(0);
    await page.locator('aisle-recommendations').evaluate((element) => element.setAttribute('layout', 'grid'));
    expect(await overflow()).toBeLessThanOrEqual(0);
  });
});

describe('with the keyboard alone', () => {
  test('every suggestion is reached in order, is seen to have the focus, and opens', async () => {
    const { page } = await pages.open(SLOT);
    await ready(page);
    const focused = () =>
      page.evaluate(() => {
        const link = document.activeElement?.shadowRoot?.activeElement as HTMLElement | null;
        const { outlineStyle = '', outlineWidth = '' } = link ? getComputedStyle(link) : {};
        const { left = 0, right = 0 } = link?.getBoundingClientRect() ?? {};
        const isInside = left >= 0 && right <= innerWidth;
        return { id: link?.getAttribute('data-item-id'), outline: `${outlineStyle} ${outlineWidth}`, isInside };
      });
    await page.locator('main > ul a').last().focus();
    for (const id of await shown(page)) {
      await page.keyboard.press('Tab');
      await expect.poll(focused).toEqual({ id, outline: 'solid 2px', isInside: true });
    }
    const href = await page.locator('aisle-recommendations a').last().getAttribute('href');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.url()).toBe(href);
  });

  test('the focus stays: better suggestions wait until it has left', async () => {
    const { page } = await pages.open(`${SLOT}<button>Elsewhere</button>`);
    await ready(page);
    const before = await shown(page);
    await page.locator('aisle-recommendations a').nth(2).focus();
    // Another tab's events come: not this page's doing.
    const id = STOCK[40]!.id;
    await page.evaluate(async (itemId) => {
      const recommender = await window.aisle!.ready;
      recommender!.track({ itemId, event: 'cart' });
      dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }));
    }, id);
    await asked(page, { k: 8 }); // a turn of the engine after that of the slot
    expect(await shown(page)).toEqual(before);
    expect(await page.evaluate(() => document.activeElement?.localName)).toBe('aisle-recommendations');
    await page.getByText('Elsewhere').focus();
    await expect.poll(() => shown(page)).toEqual(await asked(page, { k: 8, exclude: [id] })); // it is in the cart
  });
});

test('stands still for those who want less motion', async () => {
  const late = held('**/aisle/page-*');
  const { page } = await pages.open(SLOT, {
    context: { reducedMotion: 'reduce' },
    prepare: late.hold,
  });
  await page.locator('[data-aisle-state=loading]').waitFor();
  expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
  late.release();
});
