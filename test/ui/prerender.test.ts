/**
 * A page that Chromium really prerenders, by speculation rules. Under a debugger Chromium prerenders nothing, so nobody drives this one:
 * the pages go on by themselves, and say what they see in requests to the server.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { CHROMIUM_FLAGS, findChromium } from '../chromium';
import { html, SETTLED, SLOT, STOCK, serveEmbed } from './embed-window';

vi.setConfig({ testTimeout: 120_000 }); // a browser on a machine that may be busy

const [A] = STOCK.map(({ id }) => id) as [string];

/** Prerenders the product's page, and goes there when the server has `/go`. */
const FIRST = `<script type="speculationrules">{ "prerender": [{ "urls": ["/product"], "eagerness": "immediate" }] }</script>
<script>
  const look = async () => ((await fetch('/go')).ok ? location.assign('/product') : setTimeout(look, 100));
  look();
</script>`;

/** Says what it knows and stores while it is prerendered, and when the visitor has come. */
const SAYS = `<script>
  const say = async (when) => {
    const { privacy } = await aisle.ready;
    const { sessions } = await privacy.export();
    const known = sessions.flat().map(({ event, itemId }) => event + ' ' + itemId);
    const links = document.querySelector('aisle-recommendations').shadowRoot?.querySelectorAll('a').length;
    fetch('/said?' + encodeURIComponent(JSON.stringify({ when, isPrerendering: document.prerendering, known, links })));
  };
  const shown = () => new Promise((next) => addEventListener('aisle-recommendations', next, { once: true }));
  shown().then(() => say('before'));
  document.addEventListener('prerenderingchange', () => setTimeout(() => say('after'), 500));
</script>`;
const PRODUCT = `<script type="application/ld+json">${JSON.stringify({ '@type': 'Product', sku: A, name: 'A product' })}</script>`;

test('a page that is prerendered shows suggestions and records nothing, and all when the visitor comes', async () => {
  const shop = await serveEmbed();
  shop.serve('/', html('', FIRST));
  shop.serve('/product', html(SLOT, SAYS + PRODUCT + SETTLED.replace('data-', 'data-consent="granted" data-')));
  const profile = mkdtempSync(join(tmpdir(), 'aisle-prerender-'));
  const flags = [...CHROMIUM_FLAGS, '--headless=new', '--remote-debugging-port=0', `--user-data-dir=${profile}`];
  const browser = spawn(findChromium()!, [...flags, shop.origin], { stdio: 'ignore', detached: true });
  onTestFinished(async () => {
    const ended = once(browser, 'exit');
    process.kill(-browser.pid!, 'SIGKILL'); // its group: a process that outlives the first still writes into the profile
    await ended;
    shop.close();
    await vi.waitFor(() => rmSync(profile, { recursive: true, force: true }), { timeout: 30_000 });
  });
  const said = () =>
    shop.requests
      .flatMap((line) => line.split('GET /said?')[1] ?? [])
      .map((text) => JSON.parse(decodeURIComponent(text)) as { known: string[] });
  await expect.poll(said, { timeout: 60_000 }).toEqual([{ when: 'before', isPrerendering: true, known: [], links: 8 }]);
  shop.serve('/go', 'yes');
  await expect.poll(said, { timeout: 60_000 }).toHaveLength(2);
  expect(said()[1]).toEqual({ when: 'after', isPrerendering: false, known: [`view ${A}`], links: 8 });
  expect(shop.requests.filter((line) => line === 'GET /product')).toHaveLength(1); // the page that was prerendered
});
