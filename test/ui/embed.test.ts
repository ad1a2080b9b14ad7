import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBrowser } from '../demo/shop-window';
import { type EmbedServer, html, openEmbed, SLOT, serveEmbed } from './embed-window';

let browser: Browser;
let server: EmbedServer;
beforeAll(async () => {
  [browser, server] = await Promise.all([openBrowser(), serveEmbed()]);
});
afterAll(async () => {
  await browser?.close();
  server?.close();
});

describe('a plain page with the tag and three products', () => {
  test('shows suggestions: real links, best first', async () => {
    server.serve('/', html(SLOT));
    const { page, errors, warnings } = await openEmbed(browser, `${server.origin}/`);
    const links = page.locator('aisle-recommendations a');
    await links.first().waitFor();
    expect(await links.count()).toBe(8);
    expect(await page.locator('aisle-recommendations').getAttribute('data-aisle-state')).toBe('ready');
    expect(await links.first().getAttribute('href')).toMatch(/\/#\/product\//);
    expect(errors).toEqual([]);
    expect(warnings).toEqual([]);
    await page.context().close();
  });
});
