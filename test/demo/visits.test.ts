/** What spans visits: a returning shopper who is played, pages that are documents, and the visitor's language. */
import { expect, test, vi } from 'vitest';
import { shopWindows } from './shop-window';
import { openPanel, openSuggestion, playClicks, settled } from './views';

vi.setConfig({ testTimeout: 120_000 }); // many steps in a browser, on a machine that may be busy

const windows = shopWindows();

test('a returning shopper is learnt until the gate opens by its own rule, and undone; the own visit stays as it was', async () => {
  const { page, errors, requests } = await windows.open({ context: { reducedMotion: 'reduce' } });
  const title = await openSuggestion(page);
  await openPanel(page, 'Learning');
  const box = page.locator('.tour-box');
  const state = box.locator('.state');
  await playClicks(page, 12);
  await expect.poll(() => state.textContent()).toMatch(/^Used from here on: .* The visit is over\.$/);
  const odds = (await box.locator('tbody tr').allTextContents()).map((text) => Number(/([\d.]+) : 1/.exec(text)![1]));
  const [last, first] = [odds[0]!, odds.at(-1)!];
  expect(first).toBeLessThan(5);
  expect(Math.max(...odds)).toBeGreaterThanOrEqual(5);
  expect(last).toBeGreaterThan(first);
  const shelf = () =>
    box.locator('.contender-items a').evaluateAll((links) => links.map((link) => link.getAttribute('title')));
  const learnt = await shelf();
  await box.getByRole('button', { name: 'Undo' }).click();
  await expect.poll(() => state.textContent()).toMatch(/^Undone/);
  expect(await shelf()).not.toEqual(learnt);
  await box.getByRole('button', { name: 'End' }).click();
  await page.getByRole('tab', { name: 'Your visit' }).click();
  await expect.poll(() => page.locator('.event-title').allTextContents()).toEqual([title]);
  expect(requests.filter(({ method, body }) => method !== 'GET' || body)).toEqual([]);
  expect(errors).toEqual([]);
});

test('where each page is a document, every page starts cold, the panel stays open, and a kept visit goes on', async () => {
  const { page, errors } = await windows.open({ address: '?backend=wasm&pages=many' });
  await openPanel(page);
  await page.getByRole('radio', { name: 'On this device' }).check({ force: true });
  await page.getByText('Stored in this browser’s IndexedDB').first().waitFor();
  await page.getByRole('tab', { name: 'Engine' }).click();
  const titles: string[] = [];
  for (let visit = 0; visit < 2; visit++) {
    const loaded = page.waitForEvent('load');
    await page.locator('.slot-for-you aisle-recommendations a').first().click();
    await loaded;
    await page.locator('.product').waitFor();
    await settled(page);
    titles.unshift((await page.locator('h1').textContent())!);
  }
  await expect
    .poll(() => page.locator('p.because').textContent())
    .toBe(`Because you looked at ${titles.join(' and ')}`);
  const figure = (name: string) => page.locator('.figures div', { hasText: name }).locator('dd').textContent();
  expect(await figure('The first suggestions')).toMatch(/^\d+ ms$/);
  expect(await figure('On the pages before')).toMatch(/^\d+ ms, \d+ ms$/);
  await page.goBack();
  await page.getByRole('heading', { level: 1, name: titles[1]! }).waitFor();
  expect(errors).toEqual([]);
});

test('the language is changed while the visit and the open panel go on', async () => {
  const { page, errors } = await windows.open();
  const title = await openSuggestion(page);
  await openPanel(page);
  await page.getByRole('button', { name: '한국어' }).click();
  await page.getByRole('tab', { name: '내 방문' }).waitFor();
  expect(await page.locator('html').getAttribute('lang')).toBe('ko');
  await expect
    .poll(() => page.locator('p.because').textContent())
    .toBe(`최근 보신 ${title} 상품을 바탕으로 골랐습니다.`);
  await expect.poll(() => page.locator('.event-title').allTextContents()).toEqual([title]);
  expect(new URL(page.url()).searchParams.get('lang')).toBe('ko');
  await page.reload();
  await page.getByRole('button', { name: 'English' }).click();
  await page.getByRole('button', { name: 'Behind the counter' }).first().waitFor();
  expect(errors).toEqual([]);
});
