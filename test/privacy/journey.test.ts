/**
 * Nothing leaves. The whole journey of a visitor, on the built library and the built script to embed, in a real Chromium, on
 * every backend and under a strict security policy: all that goes out are GETs of files, the same for every visitor.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { BackendName } from '../../src/compute/types';
import { catalogue } from '../../src/pipeline/catalogue/catalogue';
import { ROOT } from '../build/built';
import { isSoak, slice } from '../soak-slice';
import { asked, CATALOGUE, html, known, push, ready, SETTLED, SLOT, STOCK, serveEmbed } from '../ui/embed-window';
import { ANNA, BEN, type Journey, type JourneyOptions, journey, quiet, type Visitor } from './journey';
import { NOTHING, storedIn } from './stored';
import {
  leakedActs,
  leaks,
  openWatchedBrowser,
  receivedBy,
  type Shop,
  STRICT,
  STRICT_WITH_WASM,
  type WatchedBrowser,
  watchPage,
} from './watch';

vi.setConfig({ testTimeout: 180_000 });

let browser: WatchedBrowser;
/** Every shop that was visited. */
const shops: Shop[] = [];

beforeAll(async () => {
  browser = await openWatchedBrowser();
});
afterAll(() => browser?.context.close());

async function visited(visitor: Visitor, options: JourneyOptions): Promise<Journey> {
  const visit = await journey(browser.context, visitor, options);
  shops.push(visit.shop);
  return visit;
}

/** Every side has seen the visit, else that nothing was found would say nothing. */
function expectWatched({ received, seen, timed, stored, shown }: Journey): void {
  const paths = received.map(({ url }) => url);
  expect(paths).toEqual(expect.arrayContaining(['/', '/lib/worker.js', '/model/weights.safetensors']));
  expect(seen.map(({ from }) => from)).toEqual(expect.arrayContaining(['page', 'worker']));
  expect(timed.map((url) => new URL(url).pathname)).toEqual(
    expect.arrayContaining(['/lib/index.js', '/model/weights.safetensors']),
  );
  expect(stored.indexedDB.some(([, value]) => value.includes('item-'))).toBe(true);
  expect(shown).toHaveLength(20);
}

const BACKENDS: readonly BackendName[] = ['cpu', 'wasm', 'webgl', 'webgpu'];
describe.each(slice(BACKENDS, (backend) => backend === 'wasm'))('on %s', (backend) => {
  test('a visit sends nothing, and two visitors with different histories make the same requests', async () => {
    const [anna, ben] = await Promise.all(
      [ANNA, BEN].map((visitor) => visited(visitor, { backend, csp: STRICT_WITH_WASM })),
    );
    for (const visit of [anna!, ben!]) {
      expectWatched(visit);
      expect(leaks(visit, visit.shop)).toEqual([]);
      expect(visit.thrown).toEqual([]);
      expect(visit.backend).toBe(backend);
    }
    expect(ben!.steps).toEqual(anna!.steps);
    expect(ben!.shown).not.toEqual(anna!.shown);
  });

  if (isSoak)
    test("nor does it without 'wasm-unsafe-eval'", async () => {
      const visit = await visited(BEN, { backend, csp: STRICT });
      expectWatched(visit);
      // A page learns that WebAssembly is forbidden by trying.
      const others = leaks(visit, visit.shop).filter(
        (leak) => !/^the policy forbade.*wasm-eval|WebAssembly/.test(leak),
      );
      expect(others).toEqual([]);
      expect(visit.thrown).toEqual([]);
      expect(visit.backend).toBe(backend === 'wasm' ? 'cpu' : backend);
    });
});

test.each(slice(['full', 'auto'] as const, (learning) => learning === 'auto'))(
  'a visit that learns by %s sends nothing either, and loads what others load',
  async (learning) => {
    const [anna, ben] = await Promise.all(
      [ANNA, BEN].map((visitor) => visited(visitor, { backend: 'wasm', csp: STRICT_WITH_WASM, learning })),
    );
    for (const visit of [anna!, ben!]) {
      expectWatched(visit);
      expect(leaks(visit, visit.shop)).toEqual([]);
      expect(visit.thrown).toEqual([]);
    }
    // By itself a page learns when it is idle, which may be in one step or the next.
    const order = ({ steps }: Journey) => (learning === 'auto' ? steps.flat().sort() : steps);
    expect(order(ben!)).toEqual(order(anna!));
  },
);

describe('with the script to embed', () => {
  const isEmbedFile = (path: string): boolean =>
    /^\/(page-\d|other)\.html$|^\/favicon\.ico$/.test(path) ||
    /^\/models\/demo\/(manifest\.json|items\.json|weights\.safetensors|plan\.bin|catalogue\.json)$/.test(path) ||
    /^\/catalogue\/catalogue-manifest\.json$|^\/catalogue\/(catalogue|aliases|cold-start)\.json\?sha256=[0-9a-f]{64}$/.test(
      path,
    ) ||
    /^\/aisle\/[\w.-]+\.(js|wasm)$/.test(path);
  const head = SETTLED.replace(
    'data-',
    'data-consent="granted" data-history="all" data-catalogue-url="/catalogue/" data-',
  );
  /** A slot that says why, in a page that neither stores nor learns. */
  const explained = html(
    SLOT.replace('>', ' reasons>'),
    SETTLED.replace('data-', 'data-consent="manual" data-learn="manual" data-'),
  );
  const place = mkdtempSync(join(tmpdir(), 'aisle-journey-catalogue-'));
  beforeAll(async () => {
    const feed = join(place, 'feed.json');
    writeFileSync(feed, JSON.stringify([...CATALOGUE, { ...CATALOGUE[0], id: 'brand-new' }]));
    await catalogue({ feeds: [feed], out: join(place, 'catalogue'), artifact: join(ROOT, 'public/models/demo') });
  });
  afterAll(() => rmSync(place, { recursive: true }));

  /** Waits until the idle page has learnt so many events by itself. */
  const learnt = (page: Page, events: number) =>
    expect
      .poll(() => page.evaluate(() => window.aisle!.recommender!.status.learning?.events), { timeout: 60_000 })
      .toBe(events);

  /** Pages of a shop: one that explains its suggestions, of which only a fourth click is tracked, and two that learn. */
  async function embedded(ids: readonly string[]) {
    const served = await serveEmbed(
      { '/catalogue/': join(place, 'catalogue') },
      { 'content-security-policy': STRICT_WITH_WASM },
    );
    onTestFinished(() => served.close());
    const received = receivedBy(served.server);
    const shop: Shop = { origin: served.origin, isFile: isEmbedFile, secrets: CATALOGUE.map(({ id }) => id) };
    shops.push(shop);
    served.serve('/page-1.html', html(SLOT, head));
    served.serve('/page-2.html', explained);
    served.serve(
      '/other.html',
      html(`${SLOT}<aisle-recommendations strategy="related"></aisle-recommendations>`, head),
    );
    const page = await browser.context.newPage();
    const watch = await watchPage(page);
    const steps: string[][] = [];
    const timed: string[] = [];
    const endStep = async (): Promise<void> => {
      await quiet(received);
      const lines = received.slice(steps.flat().length).map(({ method, url }) => `${method} ${url}`);
      steps.push(lines.sort());
      timed.push(...(await watch.timed()));
    };
    await page.goto(`${served.origin}/page-2.html`);
    for (const id of ids.slice(3)) await push(page, 'track', id);
    await ready(page);
    await endStep();
    await page.goto(`${served.origin}/page-1.html`);
    for (const id of ids.slice(0, 2)) await push(page, 'track', id);
    await ready(page);
    await known(page);
    await learnt(page, 2);
    await endStep();
    await page.goto(`${served.origin}/other.html`);
    for (const id of ids.slice(2)) await push(page, 'track', id);
    await ready(page, 'aisle-recommendations[strategy=related]');
    expect(await known(page)).toEqual(ids.map((id) => `view ${id}`));
    await push(page, 'refresh');
    const suggested = await asked(page, { k: 20 });
    await learnt(page, ids.length);
    await endStep();
    await page.evaluate(async () => {
      const recommender = (await window.aisle!.ready)!;
      const [best] = await recommender.recommend({ k: 1 });
      await recommender.explain(best!.itemId);
      const file = await recommender.taste.export('correct horse battery staple');
      await recommender.taste.import(file, 'correct horse battery staple');
      await recommender.privacy.export();
    });
    await endStep();
    const stored = await storedIn(page);
    await push(page, 'erase');
    await expect.poll(() => storedIn(page)).toEqual(NOTHING);
    await endStep();
    await page.close();
    const evidence = { received, seen: watch.seen, timed, reported: watch.reported, stored };
    return { steps, suggested, stored, found: leaks(evidence, shop) };
  }

  test('the passphrase of the privacy panel can be typed, and the browser is not made to ask how to fill it', async () => {
    const served = await serveEmbed();
    onTestFinished(() => served.close());
    shops.push({ origin: served.origin, isFile: isEmbedFile, secrets: [] });
    served.serve('/page-1.html', html('<aisle-privacy></aisle-privacy>', SETTLED));
    const page = await browser.context.newPage();
    await page.goto(`${served.origin}/page-1.html`);
    await page.locator('aisle-privacy summary').first().click();
    const passphrase = page.getByRole('textbox', { name: 'Passphrase' });
    await passphrase.click();
    await page.keyboard.type('correct horse');
    await page.keyboard.press('Enter');
    expect(await passphrase.textContent()).toBe('correct horse');
    await quiet(receivedBy(served.server));
    await page.waitForTimeout(2000); // Chromium would ask a moment later; the last test looks for it
    await page.close();
  });

  test('two visitors with different histories make the same requests, for files only', async () => {
    const ids = STOCK.map(({ id }) => id);
    const anna = await embedded(ids.slice(0, 4));
    const ben = await embedded(ids.slice(100, 103));
    for (const { found, stored } of [anna, ben]) {
      expect(found).toEqual([]);
      expect(stored.indexedDB.length).toBeGreaterThan(1);
    }
    expect(anna.steps.flat()).toContain('GET /models/demo/weights.safetensors');
    const ofCatalogue = anna.steps.flat().filter((line) => line.startsWith('GET /catalogue/'));
    expect(ofCatalogue.map((line) => line.replace(/\?.*/, '').slice(15))).toEqual(
      expect.arrayContaining(['aliases.json', 'catalogue-manifest.json', 'catalogue.json', 'cold-start.json']),
    );
    expect(anna.steps[0]).toContainEqual(expect.stringContaining('/aisle/reasons-'));
    expect(ben.steps).toEqual(anna.steps);
    expect(ben.suggested).not.toEqual(anna.suggested);
  });
});

test('the network stack of the browser did nothing else, from the first page to the last', async () => {
  const acts = await browser.close();
  expect(new Set(acts.map(({ kind }) => kind))).toEqual(new Set(['request', 'lookup', 'connection']));
  expect(leakedActs(acts, shops)).toEqual([]);
});
