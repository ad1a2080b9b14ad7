import type { Page } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import { faults, overflow } from '../axe';
import { takeShifts, watchShifts } from '../layout-shifts';
import { isSoak, slice } from '../soak-slice';
import { NAMED, shopWindows } from './shop-window';
import { openPanel, searchFor, settled, VIEWS } from './views';

vi.setConfig({ testTimeout: 120_000 }); // many steps in a browser, on a machine that may be busy

const windows = shopWindows();

const LOOKS = [
  [1280, 'light'],
  [390, 'dark'],
  [1280, 'dark'],
  [390, 'light'],
] as const;
const views = Object.keys(VIEWS);
/** What `npm test` looks at: the views that differ most. */
const FEW = ['product', 'panel-side-by-side'];

/** What is measured of the backends is part of that view. */
const addressOf = (view: string): string => (view === 'panel-engine' ? '' : NAMED);

test.each(slice(views, (view) => FEW.includes(view)))(
  'the view %s has no accessibility fault, no error and no overflow',
  async (view) => {
    const { page, errors } = await windows.open({ address: addressOf(view), context: { reducedMotion: 'reduce' } });
    await VIEWS[view]!(page);
    // In `npm test` every other view is looked at on a phone, in the dark.
    for (const [width, colorScheme] of slice(LOOKS, (look) => look === LOOKS[views.indexOf(view) % 2])) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.setViewportSize({ width, height: 900 });
      expect(await faults(page), `${colorScheme} at ${width} pixels`).toEqual([]);
      expect(await overflow(page)).toBeLessThanOrEqual(0);
    }
    expect(errors).toEqual([]);
  },
);

describe('the page', () => {
  test.each(slice([1920, 768, 320], (width) => width === 320))('fits a window of %i pixels', async (width) => {
    const { page } = await windows.open({ context: { viewport: { width, height: 800 } } });
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    for (const view of ['product', 'cart-full', 'search-none']) {
      await VIEWS[view]!(page);
      expect(await overflow(page), view).toBeLessThanOrEqual(0);
    }
    await openPanel(page, 'Engine');
    expect(await overflow(page)).toBeLessThanOrEqual(0);
  });

  test('does not move while it loads and is used', async () => {
    const { page } = await windows.open({ prepare: watchShifts });
    await page.locator('.department').first().click();
    await page.locator('.grid .card-link').first().click();
    await settled(page);
    expect((await takeShifts(page)).filter(({ hadRecentInput }) => !hadRecentInput)).toEqual([]);
  });

  test('goes back to where one was', async () => {
    const { page } = await windows.open();
    await page.locator('.department').first().click();
    await page.locator('.grid .card-link').nth(15).scrollIntoViewIfNeeded();
    const before = await page.evaluate(() => window.scrollY);
    await page.locator('.grid .card-link').nth(15).click();
    await page.locator('.product').waitFor();
    expect(await page.evaluate(() => window.scrollY)).toBe(0);
    await page.goBack();
    await page.locator('.grid').first().waitFor();
    await expect.poll(() => page.evaluate(() => window.scrollY)).toBe(before);
  });

  test('says so where an address leads nowhere', async () => {
    const { page, errors } = await windows.open();
    const addresses = ['#/product/none', '#/all/None', '#/nowhere', '#/product/%E0%A4%A'];
    for (const address of slice(addresses, (address) => address === '#/product/%E0%A4%A')) {
      await page.evaluate((hash) => {
        location.hash = hash;
      }, address);
      await page.getByRole('heading', { name: 'This page is not here' }).waitFor();
      await page.getByRole('link', { name: 'To the shop' }).click();
      await page.locator('.hero').waitFor();
    }
    expect(errors).toEqual([]);
  });
});

describe('with the keyboard alone', () => {
  /** The text of what has the focus, in an element's shadow too. */
  const focused = (page: Page): Promise<string> =>
    page.evaluate(() => {
      let active = document.activeElement;
      while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
      return (active?.getAttribute('aria-label') ?? active?.textContent ?? '').trim();
    });

  /** Presses Tab until what has the focus is called so. */
  async function tabTo(page: Page, name: string | RegExp, most = 60): Promise<void> {
    for (let i = 0; i < most; i++) {
      await page.keyboard.press('Tab');
      const text = await focused(page);
      if (typeof name === 'string' ? text === name : name.test(text)) return;
    }
    throw new Error(`Nothing called ${name} was reached in ${most} steps.`);
  }

  test('one gets from the front page to a product, into the basket, and orders', async () => {
    const { page, errors } = await windows.open();
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Skip to the products');
    await page.keyboard.press('Enter');
    await tabTo(page, /€/); // the first product of the first shelf
    const title = await page.locator('.slot-for-you [part=title]').first().textContent();
    expect(await focused(page)).toContain(title);
    await page.keyboard.press('Enter');
    await page.locator('.product').waitFor();
    expect(await focused(page)).toBe(title); // the heading of the new page
    await tabTo(page, /^(Add to basket|Sold out)$/);
    await page.keyboard.press('Enter');
    await tabTo(page, 'basket');
    await page.keyboard.press('Enter');
    await page.locator('.cart-line').waitFor();
    expect(await focused(page)).toBe('Basket');
    await tabTo(page, `One more: ${title}`);
    await page.keyboard.press('Enter');
    expect(await page.locator('.quantity').textContent()).toBe('2');
    expect(await focused(page)).toBe(`One more: ${title}`); // and not lost
    await tabTo(page, 'Place the order');
    await page.keyboard.press('Enter');
    expect(await focused(page)).toBe('Thank you for playing along');
    expect(errors).toEqual([]);
  });

  if (isSoak)
    test('one searches: the slash leads to the field', async () => {
      const { page } = await windows.open();
      await page.keyboard.press('/');
      await page.keyboard.type('linen/');
      expect(await page.getByRole('searchbox').inputValue()).toBe('linen/');
      await page.keyboard.press('Backspace');
      await page.keyboard.press('Enter');
      await page.locator('.list-head').waitFor();
      expect(await focused(page)).toBe('“linen”');
    });

  test.each(slice([1280, 390], (width) => width === 390))(
    'one opens the panel, goes through it, and leaves it, at %i pixels',
    async (width) => {
      const { page } = await windows.open({ context: { viewport: { width, height: 844 } } });
      await tabTo(page, 'Behind the counter');
      await page.keyboard.press('Enter');
      expect(await focused(page)).toBe('Behind the counter');
      await tabTo(page, 'Your visit');
      const tab = (name: string) => page.getByRole('tabpanel', { name });
      await tab('Your visit').waitFor();
      for (const next of ['Learning', 'Models', 'Engine']) {
        await page.keyboard.press('ArrowRight');
        expect(await focused(page)).toBe(next);
        await tab(next).waitFor();
      }
      await page.keyboard.press('End');
      await tab('Pull the plug').waitFor();
      await page.keyboard.press('ArrowRight');
      await tab('Your visit').waitFor();
      await page.keyboard.press('Escape');
      expect(await page.locator('dialog[open]').count()).toBe(0);
      expect(await focused(page)).toBe('Behind the counter');
    },
  );
});

describe('the basket', () => {
  test('counts, adds up, and is there after a reload and in another tab', async () => {
    const { page, origin, errors } = await windows.open();
    await VIEWS['cart-full']!(page);
    const lines = await page.locator('.cart-line').count();
    const first = page.locator('.cart-line').first();
    const amount = (text: string | null) => Number(text?.replace(/[^\d.]/g, ''));
    const each = amount(await first.locator('.price').textContent());
    await first.getByRole('button', { name: /^One more/ }).click();
    expect(amount(await first.locator('.price').textContent())).toBeCloseTo(2 * each);
    const total = await page.locator('.total dd').textContent();
    await page.reload();
    await page.locator('.cart-line').first().waitFor();
    expect(await page.locator('.cart-line').count()).toBe(lines);
    expect(await page.locator('.total dd').textContent()).toBe(total);
    expect(await page.locator('.header .badge').textContent()).toBe(String(lines + 1));
    const other = await page.context().newPage();
    await other.goto(`${origin}/#/cart`);
    await other
      .locator('.cart-line')
      .first()
      .getByRole('button', { name: /^One less/ })
      .click();
    await expect.poll(() => page.locator('.header .badge').textContent()).toBe(String(lines));
    expect(errors).toEqual([]);
  });

  // The keyboard's way changes a line in `npm test`, too.
  if (isSoak)
    test('is emptied line by line, and says so', async () => {
      const { page } = await windows.open();
      await VIEWS['cart-full']!(page);
      for (let left = await page.locator('.cart-line').count(); left > 0; left--) {
        expect(await page.locator('.cart-line').count()).toBe(left);
        await page
          .getByRole('button', { name: /^Remove/ })
          .first()
          .click();
      }
      await page.getByRole('heading', { name: 'Your basket is empty' }).waitFor();
      expect(await page.evaluate(() => Object.keys(localStorage))).toEqual([]);
    });

  test('tells the model what is put into it and what is ordered', async () => {
    const { page } = await windows.open();
    await VIEWS['cart-full']!(page);
    await page.getByRole('button', { name: 'Place the order' }).click();
    await openPanel(page);
    await page.getByText('ordered').first().waitFor();
    const kinds = await page.locator('.event-kind').allTextContents();
    const count = (kind: string) => kinds.filter((text) => text === kind).length;
    expect(count('ordered')).toBe(count('put into the basket'));
    expect(count('looked at')).toBe(3);
  });
});

describe('the search', () => {
  test.each(
    slice(
      [
        ['the title', 'umbrella', /umbrella/i],
        ['the brand', 'wickerstowe', /^/],
        ['the category', 'tableware', /^/],
      ] as const,
      ([where]) => where === 'the title',
    ),
  )('finds by %s', async (_, words, title) => {
    const { page } = await windows.open();
    await searchFor(page, words);
    const cards = await page.locator('.grid .card').allTextContents();
    expect(cards.length).toBeGreaterThan(5);
    for (const card of cards) expect(card).toMatch(title);
  });

  test('without a hit offers what is popular', async () => {
    const { page } = await windows.open();
    await searchFor(page, 'left-handed spoon');
    await page.getByRole('heading', { name: 'No product matches' }).waitFor();
    expect(await page.locator('.slot-popular aisle-recommendations a').count()).toBe(12);
  });
});
