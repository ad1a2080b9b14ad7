/** The doctor in a real browser: what it says of good pages and of broken ones, and what its report does not say. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import { faults, overflow } from '../axe';
import { built } from '../build/built';
import { slice } from '../soak-slice';
import {
  CATALOGUE,
  embedPages,
  type OpenOptions,
  openEmbed,
  push,
  ready,
  SETTLED,
  SLOT,
  STOCK,
  serveEmbed,
} from './embed-window';

vi.setConfig({ testTimeout: 120_000 }); // a browser on a machine that may be busy

const [A, B] = STOCK.map(({ id }) => id) as [string, string];
const GRANTED = SETTLED.replace('data-', 'data-consent="granted" data-');
const product = (sku: string, more = {}) =>
  `<script type="application/ld+json">${JSON.stringify({ '@type': 'Product', sku, ...more })}</script>`;
const script = (text: string) => `<script>${text}</script>`;

const pages = embedPages();

/** What the doctor finds in a page. */
async function examined(page: Page) {
  await push(page, 'doctor');
  await page.waitForFunction(() => window.aisle?.doctor !== undefined);
  return page.evaluate(() => window.aisle!.doctor!);
}
async function examine(body: string, options: OpenOptions = {}) {
  const opened = await pages.open(body, options);
  const found = await examined(opened.page);
  const codes = (...severities: string[]) =>
    found.findings.filter(({ severity }) => severities.includes(severity)).map(({ code }) => code);
  return { ...opened, found, troubles: codes('error', 'warning'), codes: codes('ok') };
}
const finding = ({ findings }: Awaited<ReturnType<typeof examined>>, code: string) =>
  findings.find((one) => one.code === code);

describe('the doctor finds', () => {
  test('the catalogue as it is now, with what the page has said of products since the last look', async () => {
    const { page, found } = await examine(SLOT);
    await push(page, 'catalogue', [{ id: A, availability: 'out of stock' }]);
    const soldOut = async () => (await examined(page)).catalogue?.soldOut;
    await expect.poll(soldOut).toBe(found.catalogue!.soldOut + 1);
  });

  test('nothing wrong with a good page: which candidate won, what computes, what was loaded', async () => {
    const layer = script(
      `dataLayer = [{ event: 'view_item', ecommerce: { items: [{ item_id: '${A}' }] } }, { event: 'x' }]`,
    );
    const head = layer + product('OTHER', { gtin: '123' }) + GRANTED;
    const { found, troubles, codes, errors, warnings } = await examine(SLOT, { head });
    expect(troubles).toEqual([]);
    expect(codes).toEqual(expect.arrayContaining(['product', 'ids', 'consent-granted', 'engine', 'slot-ready']));
    expect(found.product).toEqual({
      candidates: [
        { id: A, kind: 'item_id', source: 'data-layer', item: A },
        { id: 'OTHER', kind: 'sku', source: 'json-ld', item: null },
        { id: '123', kind: 'gtin', source: 'json-ld', item: null },
      ],
      item: A,
    });
    expect(found.dataLayer).toEqual({ events: [{ event: 'view', ids: [A] }], others: 1 });
    expect(found.ids).toEqual({ known: 1, unknown: 0, examples: [] });
    expect(found.engine).toMatchObject({ backend: 'plan', thread: 'worker' });
    expect(found.slots).toEqual([{ state: 'ready', strategy: 'for-you', asked: 8, shown: 8 }]);
    // Scripts in the page, the worker, the plan’s WebAssembly and the model, which has 160 kB.
    expect(found.files.count).toBeGreaterThan(8);
    expect(found.files.bytes).toBeGreaterThan(200_000);
    expect(found.files.decodedBytes).toBeGreaterThan(found.files.bytes);
    expect([...errors, ...warnings]).toEqual([]);
  });

  test('ids that the model does not know, beside one that it has', async () => {
    const infos: string[] = [];
    const prepare = async (page: Page) => {
      page.on('console', (message) => message.type() === 'info' && infos.push(message.text()));
    };
    const { found, troubles } = await examine(SLOT, { head: product(`WRONG-${A}`) + GRANTED, prepare });
    expect(troubles).toEqual(['product-unknown']);
    expect(found.product.item).toBeNull();
    expect(finding(found, 'product-unknown')!.detail).toBe(`The page says sku "WRONG-${A}", the model has "${A}", …`);
    // The page alone gets one quiet line: it may be a new product.
    expect(infos).toEqual([
      `Aisle: unknown ids: tracked 1 id, the model knows 0; the page says sku 'WRONG-${A}', the model has '${A}', …; see docs/identity.md`,
    ]);
  });

  const unkept: [string, string, string, RegExp][] = [
    [
      'Consent Mode that sets other types',
      script(`dataLayer = [['consent', 'update', { analytics_storage: 'granted', ad_storage: 'granted' }]]`),
      'consent-mode-unset',
      /data-consent-map="analytics_storage"/,
    ],
    [
      'Consent Mode that is denied by default',
      script(`dataLayer = [['consent', 'default', { personalization_storage: 'denied' }]]`),
      'consent-mode-default',
      /update/,
    ],
    [
      'a TCF platform without two purposes',
      script(`__tcfapi = (command, version, answer) => {
        if (command === 'addEventListener')
          answer({ gdprApplies: true, eventStatus: 'tcloaded', listenerId: 1, purpose: { consents: { 1: true } } }, true);
      }`),
      'consent-tcf-denied',
      /Legitimate interest/,
    ],
    [
      'Shopify before an answer',
      script(`Shopify = { customerPrivacy: {
        currentVisitorConsent: () => ({ preferences: '' }), preferencesProcessingAllowed: () => false
      } }`),
      'consent-shopify-waiting',
      /preferences/,
    ],
    ['no platform', '', 'consent-none', /\["consent", "granted"\]/],
  ];
  test.each(unkept)('why visits are not kept: %s', async (_, head, code, todo) => {
    const { page, found } = await examine(SLOT, { head: head + SETTLED });
    expect(finding(found, code)?.severity).toBe('warning');
    expect(finding(found, code)!.todo ?? finding(found, code)!.what).toMatch(todo);
    if (code === 'consent-tcf-denied') expect(finding(found, code)!.what).toContain('purposes 5, 6 have none');
    await page.close();
  });

  test('Global Privacy Control', async () => {
    const prepare = (page: Page) =>
      page.addInitScript(`Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true })`);
    expect((await examine(SLOT, { head: GRANTED, prepare })).codes).toContain('consent-privacy-control');
  });

  test('why slots are empty, or show less: nothing looked at, links that are not allowed, a strategy that there is not', async () => {
    const slots = ['strategy="recent"', 'limit="4"', 'strategy="for-you2"'].map((words) =>
      SLOT.replace('>', ` ${words}>`),
    );
    const start =
      script(`(window.aisle ||= []).push(['start', { modelUrl: '/models/demo/', backend: 'wasm', consent: 'granted',
      product: (known) => known.id === '${A}' ? undefined : { ...known, url: 'https://elsewhere.example/' } }])`);
    const { found, troubles } = await examine(slots.join(''), { head: start + SETTLED });
    expect(troubles.sort()).toEqual(['links', 'slot-empty', 'slot-empty', 'slot-empty', 'slot-strategy']);
    const empty = found.findings.filter(({ code }) => code === 'slot-empty').map(({ what }) => what);
    expect(empty[0]).toContain('looked at nothing');
    expect(empty[1]).toContain('no product of the catalogue may be shown');
    const { products, soldOut, leftOut, withoutLink } = found.catalogue!;
    expect([products, leftOut]).toEqual([CATALOGUE.length, 1]);
    expect(withoutLink).toBe(products - soldOut - 1);
    expect(found.console).toEqual(
      expect.arrayContaining([expect.stringContaining('link is not allowed'), expect.stringContaining('for-you2')]),
    );
  });

  test('why a slot is empty in a variant, and where the log has nothing for its strategy; that pictures have addresses', async () => {
    const variants = 'data-variants="a:0.0001 b:9999:related=none"';
    const slots = ['related', 'bought-together'].map(
      (name) => `<aisle-recommendations strategy="${name}"></aisle-recommendations>`,
    );
    const head = `${script(`(window.aisle ||= []).push(['catalogue', ${JSON.stringify(STOCK.map(({ id }) => ({ id, image: '/p.png' })))}])`)}${product('NONE')}`;
    const opened = await pages.open(slots.join(''), { head: head + GRANTED.replace('data-', `${variants} data-`) });
    await ready(opened.page);
    const stored = async () => (await (await window.aisle!.ready)!.privacy.export()).variant !== undefined;
    await opened.page.waitForFunction(stored);
    await opened.page.reload();
    const found = await examined(opened.page);
    expect(found.slots.map(({ variant }) => variant)).toEqual(['none', undefined]);
    const empty = found.findings.filter(({ code }) => code === 'slot-empty');
    expect(empty.map(({ severity }) => severity)).toEqual(['warning', 'ok']);
    expect(empty[0]!.todo).toContain('fallback=');
    expect(empty[1]!.what).toContain('variant is none');
    expect(found.report).toContain('by the variant none');
    expect(finding(found, 'pictures')).toMatchObject({
      severity: 'warning',
      todo: expect.stringContaining('data-images="page"'),
    });
  });

  test('that nothing runs, and the wrong option', async () => {
    const { found, troubles } = await examine(SLOT, { head: SETTLED.replace('"plan"', '"wsam"') });
    expect(troubles).toEqual(['not-running', 'slot-error']);
    expect(found.console.join()).toContain('"wsam"');
  });

  test('a model that is not there, also in a page without a slot, which says so on the console', async () => {
    const { troubles, warnings } = await examine('', { head: GRANTED.replace('/models/demo/', '/models/none/') });
    expect(troubles).toEqual(['no-model']);
    expect(warnings).toEqual([
      expect.stringMatching(/^Aisle: there are no suggestions\. .*\/models\/none\/manifest\.json/),
    ]);
  });

  test('a worker that the security policy forbids, from the page’s address', async () => {
    const policy = "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; worker-src 'none'; connect-src 'self'";
    const strict = await serveEmbed({}, { 'content-security-policy': policy });
    const { page: without } = await openEmbed(pages.browser, strict, SLOT, { head: GRANTED });
    const page = await pages.browser.newPage(); // its cache is empty: the model has to be loaded
    await page.goto(`${without.url()}?aisle-doctor`);
    await page.waitForFunction(() => window.aisle?.doctor !== undefined);
    const found = await page.evaluate(() => window.aisle!.doctor!);
    expect(finding(found, 'worker-blocked')!.what).toContain('the security policy forbids it');
    expect(finding(found, 'policy-worker-src')!.detail).toMatch(/^worker-src: http.*\/aisle\/worker\.js$/);
    expect(found.engine?.thread).toBe('main');
    expect(found.files.bytes).toBeGreaterThan(200_000);
    expect(await page.getByRole('dialog', { name: 'Aisle: doctor' }).textContent()).toContain('forbids it');
    strict.close();
  });

  test('a style for a slot that the policy refuses, a related slot without a product, links that lead to one page', async () => {
    const strict = await serveEmbed({}, { 'content-security-policy': "style-src 'self'" });
    const slots = [
      '<aisle-recommendations strategy="related" style="min-height: 21em"></aisle-recommendations>',
      `<aisle-recommendations strategy="related" item="${A}" style="no-such: 1"></aisle-recommendations>`,
    ];
    const catalogue = [`${A}`, `${B}`].map((id) => ({ id, url: `/products.html#${id}` }));
    const alone = { id: STOCK[2]!.id, url: '/other.html#top' };
    const known = script(`(window.aisle ||= []).push(['catalogue', ${JSON.stringify([...catalogue, alone])}])`);
    const head = `<style>p { color: red }</style><style>aisle-recommendations { min-height: 21em }</style>${known}${GRANTED}`;
    const { page } = await openEmbed(pages.browser, strict, slots.join(''), { head });
    const found = await examined(page);
    expect(found.violations).toEqual([
      { directive: 'style-src-elem', blocked: 'inline' },
      { directive: 'style-src-attr', blocked: 'inline' },
    ]);
    expect(finding(found, 'policy-style-src')!.todo).toContain('style sheet of the shop');
    const related = found.findings.filter(({ code }) => code === 'slot-related');
    expect(related.map(({ what }) => what)).toEqual([expect.stringContaining('Slot 1 relates to')]);
    expect(finding(found, 'link-fragments')!.what).toContain('The links of 2 of');
    expect(found.report).toContain('sameLink 2');
    strict.close();
  });

  test.each([
    ['is missing', { status: 404, body: '' }, 'worker-missing'],
    [
      'has a wrong type',
      { contentType: 'text/plain', body: readFileSync(join(built('embed'), 'worker.js')) },
      'worker-missing',
    ],
  ])('a worker’s script that %s', async (_, answer, code) => {
    const prepare = (page: Page) => page.route('**/worker.js', (route) => route.fulfill(answer));
    const { found, troubles } = await examine(SLOT, { head: GRANTED, prepare });
    expect(troubles).toContain(code);
    expect(found.engine?.thread).toBe('main');
  });
});

describe('the report', () => {
  test('holds no id, title, address or other word of the page, however hostile that is', async () => {
    const words = ['Zz"<b>-1', 'worker.js https://evil.example/\n?q', 'Überträger', `WRONG-${A}`, 'SECRETTITLE'];
    const layer = script(`dataLayer = [
      { event: 'add_to_cart', ecommerce: { items: [{ item_id: 'HOSTILE-CART' }] } },
      ['consent', 'update', { 'EVIL_storage': 'granted', personalization_storage: 'EVIL' }],
      { get event() { throw new Error('EVIL') } }
    ]`);
    const head =
      layer +
      words
        .map((word) => product(word, { '@id': '/p/one', name: 'SECRETTITLE', gtin: 'EVIL-GTIN', mpn: word }))
        .join('') +
      '<link rel="canonical" href="https://canonical.example/secret/path">' +
      SETTLED.replace('data-', 'data-item="EVIL-ITEM" data-modle-url="EVIL" data-');
    const body = `<aisle-recommendations strategy="EVIL" heading="SECRETTITLE"></aisle-recommendations>`;
    const { page, found } = await examine(body, { head });
    await page.evaluate(() => {
      document.querySelector('aisle-recommendations')!.getAttribute = () => 'error-EVIL';
    });
    const { report } = await examined(page);
    expect(JSON.stringify(found)).toContain('EVIL-ITEM');
    const secrets = [
      ...words,
      'EVIL',
      'HOSTILE',
      'canonical.example',
      'secret/path',
      '/p/one',
      new URL(page.url()).host,
      new URL(page.url()).pathname,
      '/models/',
      'localhost',
      'http',
      ...STOCK.flatMap(({ id, title }) => [id, title]),
    ];
    expect(secrets.filter((secret) => report.includes(secret))).toEqual([]);
    expect(report).toMatch(/^Aisle \d+\.\d+\.\d+, doctor: \d+ errors?, \d+ warnings?\n/);
    expect(report).toContain('Slot 1: another state, another strategy');
  });

  test('is copied by the panel’s button, and selected where the browser does not let it be copied', async () => {
    const { page, found } = await examine(SLOT, { head: GRANTED });
    const said = page.locator('aisle-doctor .said');
    const copy = page.getByRole('button', { name: 'Copy report' });
    await page.evaluate(() => {
      Object.defineProperty(navigator, 'clipboard', {
        value: { writeText: async (text: string) => Object.assign(globalThis, { copied: text }) },
      });
    });
    await copy.click();
    await expect.poll(() => said.textContent()).toBe('The report is in the clipboard.');
    const copied = await page.evaluate(() => (globalThis as unknown as { copied: string }).copied);
    expect(copied.split('\n')[0]).toBe(found.report.split('\n')[0]);
    await page.evaluate(() => {
      navigator.clipboard.writeText = () => Promise.reject(new Error('no'));
    });
    await copy.click();
    await expect.poll(() => said.textContent()).toContain('the text is selected');
    const selected = () => page.evaluate(() => String(getSelection()));
    expect(await selected()).toContain('doctor:');

    // What else is found waits until it is copied, or asked for.
    const others = page.locator('aisle-doctor dd', { hasText: '1 other entries' });
    await page.evaluate("(window.dataLayer ??= []).push({ event: 'later' }); 0");
    await page.waitForTimeout(3000);
    expect(await selected()).toContain('doctor:');
    expect(await others.count()).toBe(0);
    await page.getByRole('button', { name: 'Check again' }).click();
    await others.waitFor();
  });
});

describe('the panel', () => {
  const looks = [
    ['a desktop', 1280, 'light', 'ltr'],
    ['a phone, dark, in a page from right to left', 360, 'dark', 'rtl'],
  ] as const;
  test.each(slice(looks, ([, width]) => width === 360))(
    'is for every eye on %s: nothing at fault, nothing too wide',
    async (_, width, colorScheme, dir) => {
      const head = `<style>:root { color-scheme: light dark } body { color: CanvasText; background: Canvas }</style>${product(`WRONG-${A}`)}${SETTLED}`;
      const { page } = await examine(`<div dir="${dir}">${SLOT}</div>`, {
        head,
        context: { viewport: { width, height: 740 }, colorScheme },
      });
      expect(await faults(page)).toEqual([]);
      expect(await overflow(page)).toBe(0);
      const inside = await page
        .locator('aisle-doctor .body')
        .evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth);
      expect(inside).toBe(0);
    },
  );

  test('opens once, follows the page, and closes by Escape; the focus goes back', async () => {
    const { page } = await pages.open(SLOT, { head: product(`WRONG-${A}`) + GRANTED });
    await ready(page);
    await page.getByRole('link', { name: 'One' }).focus();
    await examined(page);
    await examined(page);
    const dialog = page.getByRole('dialog', { name: 'Aisle: doctor' });
    expect(await dialog.count()).toBe(1);
    await expect.poll(() => dialog.textContent()).toContain('none of the ids');
    await push(page, 'track', B);
    await expect.poll(() => dialog.textContent()).toContain(`item "${B}"`);
    await page.keyboard.press('Escape');
    expect(await dialog.count()).toBe(0);
    expect(await page.evaluate(() => document.activeElement!.textContent)).toBe('One');
  });

  test('is loaded only where it is asked for', async () => {
    const { page, requests } = await pages.open(SLOT, { head: GRANTED });
    await ready(page);
    expect(requests.filter(({ url }) => url.includes('doctor'))).toEqual([]);
    expect(await page.locator('aisle-doctor').count()).toBe(0);
    const before = requests.length;
    await examined(page);
    const fetched = requests
      .slice(before)
      .map(({ url }) => new URL(url).pathname.replace(/-([\w-]{7}|[0-9a-f]{8})\.js$/, ''));
    expect(fetched).toContain('/aisle/doctor');
    // What other parts have, too.
    expect(fetched.filter((path) => !/\/(doctor|artifact|consent-sources|(worker-)?diagnosis)$/.test(path))).toEqual(
      [],
    );
  });
});
