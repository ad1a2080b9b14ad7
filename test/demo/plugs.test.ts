/** What the suggestions stand on is taken away, as a visitor does in the panel: they keep coming, and the status says how. */
import type { Page } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import { isSoak } from '../soak-slice';
import { shopWindows } from './shop-window';
import { openPanel, openSuggestion } from './views';

vi.setConfig({ testTimeout: 120_000 }); // many steps in a browser, on a machine that may be busy

const windows = shopWindows();

const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();
/** What has happened, the newest first. */
const lines = (page: Page) => page.locator('.diary li > span').allTextContents();
const answered = (page: Page, line: string) =>
  page.locator('.diary li', { hasText: line }).first().waitFor({ timeout: 90_000 });

async function keepVisits(page: Page): Promise<void> {
  await openPanel(page);
  await page.getByRole('radio', { name: 'On this device' }).check({ force: true });
  await page.getByText('Stored in this browser’s IndexedDB').first().waitFor();
  await openPanel(page, 'Pull the plug');
}

test('a lost WebGL context is replaced, and suggestions are computed on the new one', async () => {
  const { page, errors } = await windows.open({ address: '?backend=webgl' });
  await openPanel(page, 'Pull the plug');
  await press(page, 'Take the GPU away');
  await answered(page, 'The device of "webgl" was lost.');
  expect(await lines(page)).toEqual([
    'Computed by: WebGL, in a worker. "webgl" was started after "webgl" had failed. The device of "webgl" was lost.',
    expect.stringMatching(/^12 suggestions after .* ms, by WebGL, in a worker\.$/),
    'The GPU was taken away.',
  ]);
  expect(await page.locator('.plugs').locator('..').locator('.contender-items li').count()).toBe(6);
  expect(errors).toEqual([]);
});

describe('the storage', () => {
  test('is really filled, and freed: what is looked at meanwhile waits in memory', async () => {
    const { page, errors } = await windows.open();
    await openPanel(page, 'Pull the plug');
    expect(await page.getByRole('button', { name: 'Fill the storage' }).isDisabled()).toBe(true);
    await keepVisits(page);
    const session = await page.context().newCDPSession(page);
    const { origin } = new URL(page.url());
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 4_000_000 });
    await press(page, 'Fill the storage');
    await answered(page, 'The storage is full');
    await openSuggestion(page);
    await answered(page, 'Events are kept in this page');
    await press(page, 'Free it again');
    await answered(page, 'The storage is free again.');
    expect(await page.evaluate(() => caches.keys())).toEqual([]);
    if (isSoak) await answered(page, 'Over:'); // the library waits before it tries again
    expect(errors).toEqual([]);
  });

  if (isSoak)
    test('is wiped: the visit is forgotten, and the next look begins a new one', async () => {
      const { page, errors } = await windows.open();
      await openSuggestion(page);
      await keepVisits(page);
      await press(page, 'Wipe the storage');
      await answered(page, 'Deleted: aisle.');
      await page.locator('.diary .is-good').waitFor();
      const title = await openSuggestion(page);
      await page.getByRole('tab', { name: 'Your visit' }).click();
      await expect.poll(() => page.locator('.event-title').allTextContents()).toEqual([title]);
      expect(errors).toEqual([]);
    });
});

if (isSoak)
  test('a policy without workers and WebAssembly leaves JavaScript in the page', async () => {
    const { page } = await windows.open({ address: '?without=wasm' });
    await openPanel(page, 'Pull the plug');
    await answered(page, '12 suggestions after');
    expect((await lines(page)).at(-1)).toBe(
      "The page was opened with this policy: worker-src 'none'; script-src 'self'",
    );
    expect(await page.locator('.engine-name:visible').textContent()).toBe('JavaScript, in the page’s own thread');
    expect(await page.getByRole('button', { name: 'End the worker' }).isDisabled()).toBe(true);
  });

// Its end is noticed by its silence, which takes most of a minute.
if (isSoak)
  test('a worker that was ended is replaced', async () => {
    const { page, errors } = await windows.open();
    await openPanel(page, 'Pull the plug');
    await press(page, 'End the worker');
    await answered(page, 'The worker was started again');
    await answered(page, '12 suggestions after');
    expect(errors).toEqual([]);
  });
