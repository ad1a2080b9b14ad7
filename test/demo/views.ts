/** How to get to each view of the demo shop from its front page, as a visitor would. */
import type { Page } from 'playwright-core';

type Way = (page: Page) => Promise<void>;

/** Waits until every place for recommendations shows the answer to its newest question. */
export async function settled(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const slots = [...document.querySelectorAll('aisle-recommendations')];
    return slots.length > 0 && slots.every((slot) => slot.shadowRoot?.querySelector('[aria-busy="false"]'));
  });
}

/**
 * Opens a product of the "For you" shelf, and gives its title. Clicked by script: a shelf that changes between a look at a
 * card and the click on it would open another product.
 */
export async function openSuggestion(page: Page, n = 0): Promise<string> {
  const link = page.locator('.slot-for-you aisle-recommendations a').nth(n);
  const id = await link.evaluate((element: HTMLAnchorElement) => {
    element.click();
    return decodeURIComponent(element.hash.replace('#/product/', ''));
  });
  // The page before may have been a product's, too.
  await page.locator(`.slot-bought-together aisle-recommendations[item=${JSON.stringify(id)}]`).waitFor();
  await settled(page);
  return (await page.locator('h1').textContent()) ?? '';
}

/** Looks at some products of a department, and ends on the last of them. */
async function look(page: Page, department: number, ...products: readonly number[]): Promise<void> {
  for (const n of products) {
    await page.locator('.nav a').nth(department).click();
    await page.locator('.list-head').waitFor();
    await page.locator('.grid .card-link').nth(n).click();
    await page.locator('.product').waitFor();
    await settled(page);
  }
}

export async function searchFor(page: Page, words: string): Promise<void> {
  await page.getByRole('searchbox').fill(words);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: `“${words}”` }).waitFor();
  await settled(page);
}

export async function openPanel(page: Page, tab = 'Your visit'): Promise<void> {
  if ((await page.locator('dialog[open]').count()) === 0) {
    await page.getByRole('button', { name: 'Behind the counter' }).first().click();
  }
  await page.getByRole('tab', { name: tab }).click();
}

async function fillCart(page: Page): Promise<void> {
  for (const [department, n] of [
    [0, 3],
    [2, 8],
    [1, 5],
  ] as const) {
    await look(page, department, n);
    const add = page.getByRole('button', { name: 'Add to basket' });
    if ((await add.count()) === 1) await add.click();
  }
}

const toCart: Way = (page) =>
  page
    .getByRole('link', { name: /^Basket/ })
    .first()
    .click();

const home: Way = async (page) => {
  await page.locator('.logo').click();
  await page.locator('.hero').waitFor();
  await settled(page);
};

/** Plays the returning shopper, click by click: the visitor wants no motion. */
export async function playClicks(page: Page, clicks: number): Promise<void> {
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  for (let click = 1; click <= clicks; click++) {
    await page.getByRole('button', { name: 'Next click' }).click();
    await page
      .locator('.tour tbody tr')
      .nth(click - 1)
      .waitFor();
  }
}

export const VIEWS: Readonly<Record<string, Way>> = {
  home: settled,
  'home-later': async (page) => {
    await look(page, 0, 1, 4);
    await home(page);
  },
  category: async (page) => {
    await page.locator('.nav a').nth(2).click();
    await page.locator('.list-head').waitFor();
    await settled(page);
  },
  product: (page) => look(page, 1, 9, 2),
  'search-hits': (page) => searchFor(page, 'linen'),
  'search-none': (page) => searchFor(page, 'left-handed spoon'),
  'cart-empty': async (page) => {
    await toCart(page);
    await page.locator('.empty').waitFor();
    await settled(page);
  },
  'cart-full': async (page) => {
    await fillCart(page);
    await toCart(page);
    await page.locator('.cart-line').first().waitFor();
    await settled(page);
  },
  privacy: async (page) => {
    await look(page, 0, 1, 4, 7);
    await page.getByRole('link', { name: /^Privacy/ }).click();
    await page.locator('aisle-privacy [part=sub]').click(); // what was learnt is folded
    await page.locator('aisle-privacy [part=list]').first().waitFor();
  },
  'panel-visit': async (page) => {
    await fillCart(page);
    await openPanel(page);
    await page.locator('.event-list li').first().waitFor();
  },
  'panel-learning': async (page) => {
    await look(page, 0, 1, 4, 7);
    await openPanel(page, 'Learning');
    await page.getByRole('button', { name: 'Learn now' }).click();
    await page.locator('.panel .figures').first().waitFor();
    await page.locator('.ordered li').first().waitFor();
  },
  'panel-tour': async (page) => {
    await openPanel(page, 'Learning');
    await playClicks(page, 4);
  },
  'panel-plugs': async (page) => {
    await openPanel(page, 'Pull the plug');
    await page.getByRole('switch', { name: /^Offline/ }).check();
    await page.locator('.diary .is-good').waitFor();
  },
  korean: async (page) => {
    await look(page, 0, 1);
    await page.getByRole('button', { name: '한국어' }).click();
    await page.getByRole('button', { name: '계산대 뒤' }).first().click();
    await page.getByRole('tab', { name: '장애 실험' }).click();
    await page.locator('.plugs').waitFor();
  },
  'panel-models': async (page) => {
    await look(page, 0, 1);
    await openPanel(page, 'Models');
    await page.locator('.models li').first().waitFor();
  },
  'panel-side-by-side': async (page) => {
    await look(page, 1, 9, 2);
    await openPanel(page, 'Models');
    const boxes = page.getByRole('checkbox', { name: /^Compare/ });
    for (const box of (await boxes.all()).slice(0, 3)) await box.check();
    const contenders = page.locator('.contender');
    await contenders.last().locator('a').nth(5).waitFor();
    await contenders.last().scrollIntoViewIfNeeded();
  },
  'panel-engine': async (page) => {
    await look(page, 0, 1, 4);
    await openPanel(page, 'Engine');
    await page.locator('.timings li').first().waitFor();
    await page.locator('.engine-why', { hasText: /\d ms/ }).waitFor({ timeout: 60_000 }); // the backends are measured
  },
  'panel-network': async (page) => {
    await look(page, 0, 1);
    await openPanel(page, 'Network');
    await page.locator('.panel tfoot').waitFor();
  },
};
