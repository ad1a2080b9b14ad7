/** The embed in a frame of another page: of its own origin, of another one, and in a sandbox. */
import { expect, onTestFinished, test, vi } from 'vitest';
import { embedPages, html, openEmbed, SETTLED, SLOT, STOCK, serveEmbed } from './embed-window';

vi.setConfig({ testTimeout: 120_000 }); // a browser on a machine that may be busy

const pages = embedPages();
const HEAD = SETTLED.replace('data-', 'data-consent="granted" data-');
const [A] = STOCK.map(({ id }) => id) as [string];

test.each([
  ['of its own origin', 'localhost', '', 'indexeddb', []],
  ['of another origin, whose storage the browser keeps apart', '127.0.0.1', '', 'indexeddb', []],
  ['in a sandbox with its origin', 'localhost', 'sandbox="allow-scripts allow-same-origin"', 'indexeddb', []],
  ['in a sandbox without an origin', 'localhost', 'sandbox="allow-scripts"', 'memory', ['no-storage']],
] as const)('a frame %s shows suggestions, and says what it lacks', async (_, host, attributes, storage, lacks) => {
  // A frame without an origin may read nothing of a server that does not let every origin.
  const shop = await serveEmbed({}, { 'access-control-allow-origin': '*' });
  onTestFinished(() => shop.close());
  shop.serve('/framed.html', html(SLOT, HEAD));
  const { port } = new URL(shop.origin);
  const frame = `<iframe ${attributes} width="900" height="700" src="http://${host}:${port}/framed.html"></iframe>`;
  const { page, errors } = await openEmbed(pages.browser, shop, frame, { head: '' });
  const inside = page.frames()[1]!;
  await inside.locator('aisle-recommendations[data-aisle-state=ready]').waitFor();
  expect(await inside.locator('aisle-recommendations a').count()).toBe(8);
  await inside.evaluate((id) => void window.aisle!.push(['track', id]), A);
  const status = () => inside.evaluate(() => window.aisle!.recommender!.status);
  await expect.poll(async () => (await status()).storage).toBe(storage);
  const codes = (await status()).degraded.map(({ code }) => code).filter((code) => code !== 'no-worker');
  expect(codes).toEqual(lacks);
  // Where nothing can be stored, nothing is left to erase.
  await inside.evaluate(() => window.aisle!.recommender!.privacy.erase());
  expect((await status()).degraded.map(({ code }) => code)).not.toContain('not-erased');
  expect(errors).toEqual([]);
});
