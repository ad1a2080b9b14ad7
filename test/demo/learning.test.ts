/** A visitor with a taste walks through the shop: it learns, shows what it has learnt, sends nothing, and forgets. */
import { isDeepStrictEqual } from 'node:util';
import type { Page } from 'playwright-core';
import { expect, test, vi } from 'vitest';
import { shopWindows } from './shop-window';
import { openPanel, settled } from './views';

vi.setConfig({ testTimeout: 120_000 }); // many steps in a browser, on a machine that may be busy

const windows = shopWindows();

/** Rounds in which the visitor looks at the same few products. */
const ROUNDS = 4;

/** Goes to an address of the shop, and waits until its suggestions are there. */
async function goTo(page: Page, hash: string): Promise<void> {
  await page.evaluate((next) => {
    location.hash = next;
  }, hash);
  const id = hash.startsWith('#/product/') ? decodeURIComponent(hash.slice('#/product/'.length)) : undefined;
  const there = id === undefined ? '.hero' : `.slot-bought-together aisle-recommendations[item=${JSON.stringify(id)}]`;
  await page.locator(there).waitFor();
  await settled(page);
}

/** Addresses of products from departments that have little to do with each other. */
async function taste(page: Page): Promise<string[]> {
  const found: string[] = [];
  for (const [department, n] of [
    [0, 1],
    [0, 4],
    [2, 7],
    [3, 5],
  ] as const) {
    const link = page.locator('.nav a').nth(department);
    await link.click();
    // The page before may have been a department's, too.
    await page.getByRole('heading', { level: 1, name: (await link.textContent())!.trim() }).waitFor();
    found.push((await page.locator('.grid .card-link').nth(n).getAttribute('href'))!);
  }
  return found;
}

/** Whether the page is learning just now, and how many clicks it has learnt or passed over. */
const learning = (page: Page) =>
  page.evaluate(() => {
    const { state, events } = window.aisle?.recommender?.status.learning ?? {};
    return { state, events };
  });
const shelf = (page: Page) => page.locator('.slot-for-you [part=title]').allTextContents();
const decision = (page: Page) => page.locator('#panel-1 > .state').textContent();
const order = (page: Page, title: string) =>
  page.locator('.orders section', { hasText: title }).locator('.ordered-title').allTextContents();
const alone = (page: Page) => order(page, 'The model alone');
const suggested = (page: Page) => order(page, 'The shop suggests');

test('a taste is learnt, shown, undone and erased, and nothing is sent', async () => {
  const { page, errors, requests } = await windows.open();
  const popular = await shelf(page);
  const products = await taste(page);
  await goTo(page, products[0]!);
  const afterOne = await shelf(page);
  for (let round = 0; round < ROUNDS; round++) {
    for (const product of products.slice(round === 0 ? 1 : 0)) await goTo(page, product);
  }

  // By itself, in idle moments, and to the end: until then the next slice may change what is suggested.
  await openPanel(page, 'Learning');
  await expect
    .poll(() => learning(page), { timeout: 60_000 })
    .toEqual({ state: 'idle', events: ROUNDS * products.length });
  await expect
    .poll(() => decision(page), { timeout: 60_000 })
    .toMatch(/^Used\. What was learnt predicted \d+ events better/);
  await expect.poll(() => page.locator('.foreseen tbody tr').count(), { timeout: 30_000 }).toBeGreaterThan(8);
  const [title, ...numbers] = await page.locator('.foreseen tbody tr').first().locator('th, td').allTextContents();
  expect(title).not.toBe('');
  const [rank, rankAfter, loss, lossAfter] = numbers.map(Number);
  expect(rankAfter!).toBeLessThan(rank!);
  expect(lossAfter!).toBeLessThan(loss!);

  // The list, before and after.
  await page.getByText(/^\d of the first 8 are others than by the model alone/).waitFor();
  const [before, after] = await Promise.all([alone(page), suggested(page)]);
  expect([before.length, after.length]).toEqual([8, 8]);
  expect(after).not.toEqual(before);
  expect(await page.locator('.move.is-up').first().textContent()).toMatch(/^▲ \d+\+?up, from place \d+\+? to \d$/);
  // A shelf that is on show stays as it is, until it is asked for again.
  await page.evaluate(() => window.aisle?.push(['refresh']));
  await expect.poll(async () => isDeepStrictEqual((await shelf(page)).slice(0, 8), await suggested(page))).toBe(true);

  // Undone, it is what it was.
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect.poll(() => decision(page)).toBe('Nothing is learnt yet.');
  await page.getByText('Both are the same').waitFor();
  await expect.poll(() => suggested(page)).toEqual(before);
  await expect.poll(async () => (await shelf(page)).slice(0, 8)).toEqual(before);
  expect(await page.locator('.foreseen tbody tr').count()).toBe(0);

  // What went out, by the shop's own count and by the browser's.
  expect(await page.locator('#panel-1 .sent').textContent()).toMatch(
    /^0 B sent, in the bodies and queries of \d+ requests\.$/,
  );
  expect(requests.filter(({ method, body }) => method !== 'GET' || body)).toEqual([]);

  // Learnt once more, and erased: the shop knows no more than of somebody who was never here.
  await goTo(page, products[1]!);
  await goTo(page, products[2]!);
  await page.getByRole('button', { name: 'Learn now' }).click();
  await page.locator('#panel-1 .figures').waitFor();
  await page.getByRole('link', { name: /^Privacy/ }).click();
  const panel = page.locator('aisle-privacy');
  await panel.locator('[part=erase]').click();
  await panel.locator('[part=confirm]').click();
  await expect.poll(() => decision(page)).toBe('Nothing is learnt yet.');
  expect(await page.locator('#panel-1 .figures').count()).toBe(0);
  expect(await page.locator('#panel-1 .ordered:visible').count()).toBe(0);
  await goTo(page, '#/');
  expect(await shelf(page)).toEqual(popular);
  await goTo(page, products[0]!);
  expect(await shelf(page)).toEqual(afterOne);
  expect(errors).toEqual([]);
});
