import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import { brotliBytes, built, ROOT } from '../build/built';
import { EMBED, LEARNING, OWN, READERS } from '../build/limits';
import { slice } from '../soak-slice';
import {
  asked,
  CATALOGUE,
  type EmbedWindow,
  embedPages,
  known,
  push,
  ready,
  SCRIPT,
  SETTLED,
  SLOT,
  STOCK,
  shown,
} from './embed-window';

vi.setConfig({ testTimeout: 120_000 }); // a browser on a machine that may be busy

const [FIRST, SECOND, THIRD] = STOCK as [(typeof STOCK)[0], (typeof STOCK)[0], (typeof STOCK)[0]];

const pages = embedPages();

/** On a named backend where a test says nothing else: in software, trying the others takes most of a page's time. */
function open(body: string, head = SETTLED, prepare?: (page: Page) => Promise<unknown>): Promise<EmbedWindow> {
  return pages.open(body, { head, ...(prepare && { prepare }) });
}

describe('a plain page with the tag and three products', () => {
  test('shows suggestions: real links with pictures and prices, and nothing on the console', async () => {
    const { page, errors, warnings } = await open(SLOT, SCRIPT);
    await ready(page);
    const links = page.locator('aisle-recommendations a');
    expect(await links.count()).toBe(8);
    const ids = await shown(page);
    expect(ids).toEqual(await asked(page, { k: 8 }));
    const first = CATALOGUE.find(({ id }) => id === ids[0])!;
    expect(await links.first().getAttribute('href')).toBe(`${page.url()}${first.url}`);
    expect(await links.first().textContent()).toMatch(new RegExp(`${first.title}€[\\d.]+$`));
    expect(await page.locator('aisle-recommendations img[src]').first().getAttribute('src')).toMatch(
      /^data:image\/svg/,
    );
    expect([errors, warnings]).toEqual([[], []]);
  });

  test('loads embed.js alone, then what the page needs, then the worker what it computes with', async () => {
    // What learns is loaded besides, when the page has its suggestions.
    const { page, requests } = await open(SLOT, SETTLED.replace('data-', 'data-learn="manual" data-'));
    await ready(page);
    const paths = requests.map(({ url, from }) => `${from} ${new URL(url).pathname}`);
    const scripts = paths.filter((path) => path.startsWith('page') && path.endsWith('.js'));
    expect(paths[1]).toBe('page /aisle/embed.js');
    expect(scripts[1]).toMatch(/^page \/aisle\/page-/);
    expect(scripts).toContain('page /aisle/worker.js');
    const folder = built('embed');
    const bytes = (path: string) => brotliBytes(join(folder, path.replace('page /aisle/', '')));
    expect(bytes(scripts[0]!)).toBeLessThanOrEqual(EMBED);
    // What fills the slots and reads the page comes beside the model, and the arrows of a wide row after its cards.
    const isLater = (path: string) => /\/(basket|arrows)-/.test(path);
    const own = scripts.filter((path) => !path.endsWith('/worker.js'));
    const sum = (paths: readonly string[]) => paths.reduce((total, path) => total + bytes(path), 0);
    expect(own.some((path) => path.includes('/slots-'))).toBe(true);
    expect(sum(own.filter((path) => !isLater(path)))).toBeLessThanOrEqual(24_000 + READERS);
    expect(sum(own)).toBeLessThanOrEqual(OWN);
    for (const { method, url, body } of requests) {
      expect([method, body], url).toEqual(['GET', false]);
      expect(url.startsWith(`${pages.server.origin}/`), url).toBe(true);
      expect(new URL(url).search, url).toBe('');
    }
    // By default every page also loads what learns, so that the requests tell nothing of the visitor.
    const learning = await open(SLOT);
    await ready(learning.page);
    const names = (all: typeof requests) => new Set(all.map(({ url }) => new URL(url).pathname));
    const more = () =>
      [...names(learning.requests)].filter((path) => path.endsWith('.js') && !names(requests).has(path));
    await expect.poll(() => more().some((path) => path.includes('/worker-personalisation-'))).toBe(true);
    expect(
      more().reduce((sum, path) => sum + brotliBytes(join(folder, path.replace('/aisle/', ''))), 0),
    ).toBeLessThanOrEqual(LEARNING);
  });

  const starts = [
    ['on a named backend', SETTLED],
    ['where every backend is tried', SCRIPT],
  ] as const;
  test.each(slice(starts, ([, head]) => head === SETTLED))(
    'causes the same requests whatever its visitor has looked at, %s',
    async (_, head) => {
      const visits = [[FIRST.id, SECOND.id], ['unknown'], [THIRD.id, 'unknown', CATALOGUE[300]!.id], []];
      const logs: string[][] = [];
      for (const visit of head === SETTLED ? visits : visits.slice(2)) {
        const before = pages.server.requests.length;
        const recent = '<aisle-recommendations strategy="recent"></aisle-recommendations>';
        const { page } = await open(`<aisle-recommendations id="you"></aisle-recommendations>${recent}`, head);
        for (const id of visit) await push(page, 'track', id);
        await ready(page);
        const answer = await asked(page, { k: 8, exclude: visit }); // what was looked at is in the other slot
        await expect.poll(() => shown(page, '#you')).toEqual(answer);
        await page.locator('#you img[src]').nth(7).waitFor();
        const hasCome = () => pages.server.requests.slice(before).some((request) => request.includes('diagnosis'));
        await expect.poll(hasCome).toBe(true); // for unknown ids, and for every other visit once the page is idle
        const why = () => page.evaluate(() => window.aisle!.recommender!.status.engine!.why);
        if (head === SCRIPT) await expect.poll(why, { timeout: 60_000 }).toMatch(/\d ms/); // all were tried
        logs.push(pages.server.requests.slice(before + 1).sort()); // without the page itself, which has another name
        await page.context().close();
      }
      expect(logs[0]!.length).toBeGreaterThan(5);
      for (const log of logs) expect(log).toEqual(logs[0]);
    },
  );
});

describe('window.aisle', () => {
  test('takes commands pushed before the script and after it, by the same array', async () => {
    const before = `<script>(window.aisle ||= []).push(['track', ${JSON.stringify(FIRST.id)}]); window.before = aisle</script>`;
    const { page, warnings } = await open(SLOT, before + SETTLED);
    await ready(page);
    await page.evaluate(
      (id) => (window as unknown as { before: unknown[] }).before.push(['track', { itemId: id, event: 'cart' }]),
      SECOND.id,
    );
    await push(page, 'track', THIRD.id);
    expect(await known(page)).toEqual([`view ${FIRST.id}`, `cart ${SECOND.id}`, `view ${THIRD.id}`]);
    await expect.poll(() => shown(page)).toEqual(await asked(page, { k: 8, exclude: [SECOND.id, THIRD.id] }));
    expect(warnings).toEqual([]);
  });

  test('takes a number for an id, and later events of the same page after it', async () => {
    const { page, warnings } = await open(SLOT);
    await ready(page);
    await push(page, 'track', 42);
    await push(page, 'track', { itemId: 43, event: 'cart' });
    await push(page, 'track', FIRST.id);
    expect(await known(page)).toEqual(['view 42', 'cart 43', `view ${FIRST.id}`]);
    await expect.poll(() => shown(page)).toEqual(await asked(page, { k: 8, exclude: [FIRST.id] }));
    expect(warnings).toEqual([]);
  });

  test('answers an unknown command or a wrong argument with one warning, naming the nearest', async () => {
    const { page, warnings, errors } = await open(SLOT);
    await ready(page);
    for (let twice = 0; twice < 2; twice++) {
      for (const command of [['trak', 'a'], ['track', { itemID: 'a' }], ['on', 'staus', null], 'erese', [], null]) {
        await page.evaluate((entry) => void window.aisle!.push(entry as never), command);
      }
    }
    expect(warnings.map((text) => text.replace(/ There are .*/, ''))).toEqual([
      'Aisle: there is no command "trak". Did you mean "track"?',
      'Aisle: The command "track" failed. track: there is no option "itemID". Did you mean "itemId"?',
      'Aisle: The command "on" failed. on: there is no event "staus". Did you mean "status"?',
      'Aisle: there is no command "erese". Did you mean "erase"?',
      expect.stringContaining('no command "undefined"'),
      expect.stringContaining('no command "null"'),
    ]);
    expect(errors).toEqual([]);
  });

  test('stores after the visitor has said yes, and erases', async () => {
    const { page } = await open(SLOT, SETTLED.replace('data-', 'data-consent="manual" data-'));
    const databases = () => page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
    await ready(page);
    await push(page, 'track', FIRST.id);
    expect(await databases()).toEqual([]);
    await push(page, 'consent', 'granted');
    await expect.poll(databases).toEqual(['aisle']);
    await push(page, 'erase');
    await expect.poll(databases).toEqual([]);
  });

  test('records nothing while it is paused, and goes on after', async () => {
    const { page } = await open(SLOT, SETTLED.replace('data-', 'data-consent="manual" data-'));
    await ready(page);
    const paused = () => page.evaluate(() => window.aisle!.recommender!.status.paused);
    const known = () =>
      page.evaluate(async () => {
        const { sessions } = await window.aisle!.recommender!.privacy.export();
        return sessions.flat().map(({ itemId }) => itemId);
      });
    await push(page, 'pause');
    expect(await paused()).toBe(true);
    await push(page, 'track', FIRST.id);
    expect(await known()).toEqual([]);
    await push(page, 'resume');
    await push(page, 'track', FIRST.id);
    expect(await known()).toEqual([FIRST.id]);
    expect(await paused()).toBe(false);
  });

  test('starts by a command where no tag has the options, and starts over with others', async () => {
    const head = '<script type="module" src="/aisle/embed.js"></script>';
    const start = `<script>(window.aisle ||= []).push(['start', { modelUrl: '/models/demo/', backend: 'cpu' }])</script>`;
    const { page, warnings } = await open(SLOT, start + head);
    await ready(page);
    const backend = () => page.evaluate(async () => (await window.aisle!.ready)!.status.engine!.backend);
    expect(await backend()).toBe('cpu');
    await push(page, 'start', { modelUrl: '/models/demo/', backend: 'wasm' });
    expect(await backend()).toBe('wasm');
    await ready(page);
    expect(warnings).toEqual([]);
  });
});

describe('a slot', () => {
  test('shows what its attributes say, and follows them', async () => {
    const { page, warnings } = await open(
      '<aisle-recommendations limit="3" strategy="popular"></aisle-recommendations>',
    );
    await push(page, 'track', FIRST.id);
    await ready(page);
    const exclude = [FIRST.id];
    expect(await shown(page)).toEqual(await asked(page, { k: 3, strategy: 'popular', exclude }));
    const slot = page.locator('aisle-recommendations');
    const set = (name: string, value: string) =>
      slot.evaluate((element, [n, v]) => element.setAttribute(n!, v!), [name, value]);
    const becomes = async (request: object) => expect.poll(() => shown(page)).toEqual(await asked(page, request));
    await set('strategy', 'related');
    await becomes({ k: 3, strategy: 'related', item: FIRST.id });
    await set('item', SECOND.id);
    await becomes({ k: 3, strategy: 'related', item: SECOND.id, exclude });
    await set('limit', '5');
    await becomes({ k: 5, strategy: 'related', item: SECOND.id, exclude });
    const left = (await shown(page)).slice(0, 2);
    await set('exclude', left.join(', '));
    await becomes({ k: 5, strategy: 'related', item: SECOND.id, exclude: [...exclude, ...left] });
    await set('heading', 'Goes with it');
    expect(await page.getByRole('heading', { name: 'Goes with it', level: 2 }).count()).toBe(1);
    await set('lang', 'ko');
    await slot.evaluate((element) => element.removeAttribute('heading'));
    expect(await page.getByRole('heading', { name: '함께 보면 좋은 상품' }).count()).toBe(1);
    expect(warnings).toEqual([]);
    await set('strategy', 'popullar');
    await becomes({ k: 5, exclude: [SECOND.id, ...exclude, ...left] });
    const said = expect.stringMatching(/strategy="popullar" shows for-you: .* did you mean "popular"\?/);
    await expect.poll(() => warnings).toEqual([said]);
  });

  test('shares its recommender with the other slots of the page', async () => {
    const strategies = ['recent', 'for-you', 'related', 'popular'];
    const body = strategies.map((name) => `<aisle-recommendations strategy="${name}"></aisle-recommendations>`);
    const before = pages.server.requests.length;
    const { page } = await open(body.join(''), SETTLED);
    await push(page, 'track', FIRST.id);
    await push(page, 'track', SECOND.id);
    for (const name of strategies) await ready(page, `[strategy=${name}]`);
    await expect.poll(() => shown(page, '[strategy=recent]')).toEqual([FIRST.id]);
    const requests = pages.server.requests.slice(before);
    expect(requests.filter((request) => request.endsWith('/weights.safetensors'))).toHaveLength(1);
    expect(requests.filter((request) => request.endsWith('/worker.js'))).toHaveLength(1);
  });

  test('asks the server for the manifest alone on the next page, and for a new model where there is one', async () => {
    const { page } = await open(SLOT);
    await ready(page);
    const files = async () => {
      const before = pages.server.requests.length;
      await page.reload();
      await ready(page);
      return pages.server.requests.slice(before).filter((request) => request.includes('/models/demo/'));
    };
    expect(await files()).toEqual(['GET /models/demo/manifest.json']); // its server lets no file be used unasked

    // The same model with other texts: the manifest is new, and the cache has the old catalogue.
    const catalogue = JSON.stringify(CATALOGUE.map((product) => ({ ...product, title: `New: ${product.title}` })));
    const manifest = JSON.parse(readFileSync(join(ROOT, 'public/models/demo/manifest.json'), 'utf8'));
    const sha256 = createHash('sha256').update(catalogue).digest('hex');
    manifest.files['catalogue.json'] = { bytes: Buffer.byteLength(catalogue), sha256 };
    const serve = (name: string, text: string) => pages.server.serve(`/models/demo/${name}`, text, 'application/json');
    try {
      serve('catalogue.json', catalogue);
      serve('manifest.json', JSON.stringify(manifest));
      expect(await files()).toEqual(['GET /models/demo/manifest.json', 'GET /models/demo/catalogue.json']);
      expect(await page.locator('aisle-recommendations a').first().textContent()).toContain('New: ');
    } finally {
      for (const name of ['catalogue.json', 'manifest.json']) {
        serve(name, readFileSync(join(ROOT, 'public/models/demo', name), 'utf8'));
      }
    }
  });

  test('may come later, move and go', async () => {
    const { page, errors } = await open('<div id="here"></div>');
    await page.evaluate(() => {
      const slot = document.createElement('aisle-recommendations');
      slot.setAttribute('limit', '2');
      document.querySelector('main')!.append(slot);
    });
    await ready(page);
    const ids = await shown(page);
    expect(ids).toHaveLength(2);
    await page.evaluate(() =>
      document.querySelector('#here')!.append(document.querySelector('aisle-recommendations')!),
    );
    expect(await shown(page)).toEqual(ids); // it has not blinked
    await page.evaluate(() => {
      const slot = document.querySelector('aisle-recommendations')!;
      slot.remove();
      slot.setAttribute('limit', '4');
      window.aisle!.push(['track', 'anything']);
      setTimeout(() => document.body.append(slot), 300);
    });
    await expect.poll(() => shown(page)).toHaveLength(4);
    expect(errors).toEqual([]);
  });

  test('says that there is nothing: no history yet', async () => {
    const { page } = await open('<aisle-recommendations strategy="recent"></aisle-recommendations>');
    await page.locator('[data-aisle-state=empty]').waitFor();
    expect(await page.getByText('Nothing to suggest here yet.').isVisible()).toBe(true);
    await push(page, 'track', FIRST.id);
    await push(page, 'track', SECOND.id);
    await ready(page);
    expect(await shown(page)).toEqual([FIRST.id]);
    expect(await page.getByText('Nothing to suggest here yet.').count()).toBe(0);
  });

  test('tells the page what it shows', async () => {
    const head = `<script>addEventListener('aisle-recommendations', (event) => (window.received ??= []).push(event.detail))</script>`;
    const { page } = await open(SLOT, head + SETTLED);
    await ready(page);
    const received = await page.evaluate(
      () =>
        (window as unknown as { received: { state: string; items: { itemId: string; reason: string }[] }[] }).received,
    );
    expect(received.map(({ state }) => state)).toEqual(['ready']);
    expect(received[0]!.items.map(({ itemId }) => itemId)).toEqual(await shown(page));
    expect(new Set(received[0]!.items.map(({ reason }) => reason))).toEqual(new Set(['popular']));
  });
});

describe('where something fails, a slot says so and the page hears of no error:', () => {
  test.each<[string, string, string, ((page: Page) => Promise<unknown>)?]>([
    ['no model is named', 'error-options', '<script type="module" src="/aisle/embed.js"></script>'],
    ['an option is wrong', 'error-options', SCRIPT.replace('data-', 'data-backend="gpu" data-')],
    [
      'a script is missing',
      'error-script',
      SCRIPT,
      (page) => page.route('**/aisle/page-*', (route) => route.fulfill({ status: 404 })),
    ],
    ['the model is not there', 'error-bad-artifact', SCRIPT.replace('/models/demo/', '/models/none/')],
    [
      'the model is damaged',
      'error-bad-artifact',
      SCRIPT,
      (page) => page.context().route('**/weights.safetensors', (route) => route.fulfill({ body: 'damaged' })),
    ],
    ['the server is gone', 'error-io', SCRIPT.replace('/models/demo/', 'http://localhost:9/')],
  ])('%s', async (_, expected, head, prepare) => {
    const { page, errors, warnings } = await open(SLOT, head, prepare);
    await page.locator(`[data-aisle-state=${expected}]`).waitFor();
    expect(await page.getByText('Suggestions are not available right now.').isVisible()).toBe(true);
    expect(errors.filter((text) => !text.startsWith('Failed to load resource'))).toEqual([]);
    expect(warnings).toHaveLength(1);
    expect(await page.evaluate(async () => (await window.aisle!.ready) === undefined)).toBe(
      expected === 'error-options' || expected === 'error-script',
    );
  });
});

test('a slot whose script is missing says so, and the others show suggestions', async () => {
  const body = `${SLOT}<aisle-recommendations strategy="popular" min="2"></aisle-recommendations>`;
  const { page } = await open(body, SETTLED, (opened) =>
    opened.route('**/aisle/arrange-*', (route) => route.fulfill({ status: 503 })),
  );
  const states = () =>
    page
      .locator('aisle-recommendations')
      .evaluateAll((slots) => slots.map((slot) => slot.getAttribute('data-aisle-state')));
  await expect.poll(states).toEqual(['ready', 'error-io']);
});

test('cards have no place for a picture where there shall be none', async () => {
  const { page } = await open(SLOT, SETTLED.replace('data-', 'data-images="none" data-'));
  await ready(page);
  const pictures = page.locator('aisle-recommendations li .picture');
  expect(await pictures.count()).toBe(8);
  expect(await pictures.first().isVisible()).toBe(false);
  await push(page, 'start', { modelUrl: '/models/demo/', backend: 'wasm' });
  await page.locator('aisle-recommendations img[src]').first().waitFor();
  expect(await pictures.first().isVisible()).toBe(true);
});

test('what looks like a misspelt option is reported', async () => {
  const { page, warnings } = await open(
    SLOT,
    SETTLED.replace('data-', 'data-sesion-gap="20" data-cfasync="false" data-'),
  );
  await ready(page);
  expect(warnings).toEqual(['Aisle: data-sesion-gap is no option; did you mean data-session-gap?']);
});
