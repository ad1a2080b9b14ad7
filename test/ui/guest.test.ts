/** A guest in somebody else's page: strict, broken or hostile, it hears of no error of ours. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { integrity } from '../../src/build/release';
import type { CatalogueItem } from '../../src/checkpoint/artifact';
import { ROOT } from '../build/built';
import { folderOf, IDS, smallModel } from '../engine/fixture';
import { slice } from '../soak-slice';
import { embedPages, known, openEmbed, push, ready, SCRIPT, SETTLED, SLOT, serveEmbed, shown } from './embed-window';

vi.setConfig({ testTimeout: 120_000 }); // a browser on a machine that may be busy

/** What a catalogue may hold that nobody has looked through. */
const HOSTILE: Readonly<Record<number, Partial<CatalogueItem>>> = {
  0: { url: 'javascript:alert(1)' },
  1: { url: ' JavaScript:alert(1)' },
  2: { url: 'data:text/html,<script>alert(1)</script>' },
  3: { url: 'https://elsewhere.example/p' },
  4: { url: '//elsewhere.example/p' },
  5: { url: 'http://[' },
  6: { url: '' },
  7: { url: '/p/7', title: '<script>alert(1)</script><img src=x onerror=alert(1)>' },
  8: { url: '/p/8', title: 'A'.repeat(100_000), brand: 'B'.repeat(100_000) },
  9: { url: '/p/9', title: '\u202Eright to left', price: Number.MAX_VALUE, currency: 'NOPE' },
  10: { url: '/p/10', image: 'javascript:alert(1)', price: 5, currency: 'KRW' },
  11: { url: '/p/11', image: 'data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>' },
  12: { url: '/p/12', image: '/tracks/12.png' },
  13: { url: '/p/13', availability: 'sold out' },
  14: { url: '/p/14', availability: 'https://schema.org/PreOrder' },
  15: { url: 'https://shop.friend.example/p/15' },
};
const HARMLESS = [7, 8, 9, 10, 11, 12, 14];

const pages = embedPages(async () => {
  const catalogue = IDS.map((id, k): CatalogueItem => ({ id, ...HOSTILE[k] }));
  const folder = join(ROOT, 'dist/test-models/hostile');
  mkdirSync(folder, { recursive: true });
  for (const [name, bytes] of await folderOf(await smallModel({ catalogue }))) writeFileSync(join(folder, name), bytes);
  return serveEmbed({ '/models/hostile/': folder });
});

describe('a hostile catalogue', () => {
  const head = SCRIPT.replace('/models/demo/', '/models/hostile/');
  const slot = '<aisle-recommendations limit="60"></aisle-recommendations>';

  test('shows only products whose link is the shop’s own, and of these only text', async () => {
    const { page, errors, requests, warnings } = await pages.open(slot, { head });
    page.on('dialog', (dialog) => errors.push(dialog.message()));
    await ready(page);
    expect((await shown(page)).sort()).toEqual(HARMLESS.map((k) => IDS[k]!).sort());
    const card = (k: number) => page.locator(`aisle-recommendations a[data-item-id="${IDS[k]}"]`);
    expect(await card(7).textContent()).toContain('<script>alert(1)</script><img');
    expect(await card(7).locator('script, img').count()).toBe(0);
    expect((await card(8).textContent())!.length).toBeLessThan(1000);
    expect(await card(10).textContent()).toContain('₩5');
    expect(await card(10).locator('img').count()).toBe(0);
    expect(await card(12).locator('img').count()).toBe(0); // its request would tell what is shown
    expect(await card(14).textContent()).toContain('Pre-order');
    const links = await page
      .locator('aisle-recommendations a')
      .evaluateAll((all) => all.map((a) => (a as HTMLAnchorElement).origin));
    expect(new Set(links)).toEqual(new Set([pages.server.origin]));
    expect(requests.filter(({ url }) => url.includes('tracks') || url.includes('elsewhere'))).toEqual([]);
    expect(errors).toEqual([]);
    expect(warnings).toEqual([
      expect.stringMatching(
        /^Aisle: products are left out whose link is not allowed \(data-allow-hosts, data-item-url\)/,
      ),
    ]);
  });

  test('of which no link is allowed is looked through for the best 500, and the console says why once', async () => {
    const start = `<script>seen = new Set(); (window.aisle ||= []).push(['start', { modelUrl: '/models/demo/', product(product) {
      seen.add(product.id);
      return { ...product, url: 'https://elsewhere.example/' };
    } }])</script>`;
    const { page, warnings } = await pages.open(slot + SLOT, { head: start + SCRIPT });
    await page.locator('[data-aisle-state=empty]').nth(1).waitFor();
    expect(await page.evaluate(() => (globalThis as unknown as { seen: Set<string> }).seen.size)).toBe(500);
    expect(warnings).toEqual([expect.stringMatching(/"[^"]+": https:\/\/elsewhere\.example\/$/)]);
  });

  test('may lead to the hosts that the shop names, show pictures of the web where it wants, and fill in addresses', async () => {
    const options = 'data-allow-hosts="*.friend.example" data-images="page" data-item-url="/item/{id}" data-model-url';
    const { page, requests } = await pages.open(slot, {
      head: head.replace('data-model-url', options),
      prepare: (opened) => opened.route('**/tracks/**', (route) => route.fulfill({ status: 404 })),
    });
    await ready(page);
    const ids = await shown(page);
    for (const k of [0, 1, 2, 3, 4, 5, 13]) expect(ids).not.toContain(IDS[k]);
    expect(ids).toContain(IDS[15]);
    const filled = page.locator(`aisle-recommendations a[data-item-id="${IDS[20]}"]`);
    expect(await filled.getAttribute('href')).toBe(`${pages.server.origin}/item/${IDS[20]}`);
    const missing = page.locator(`aisle-recommendations a[data-item-id="${IDS[12]}"]`);
    await missing.scrollIntoViewIfNeeded();
    await expect.poll(() => requests.filter(({ url }) => url.endsWith('/tracks/12.png')).length).toBe(1);
    await expect.poll(() => missing.locator('img').count()).toBe(0); // it could not be loaded: letters instead
  });
});

describe('a strict page', () => {
  const POLICY = [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self'",
    "connect-src 'self'",
    "style-src 'self'",
    'img-src data:',
    "require-trusted-types-for 'script'",
    'trusted-types aisle',
  ].join('; ');

  const policies = [
    ['Trusted Types and no inline styles', POLICY, 'worker'],
    ['no WebAssembly', POLICY.replace(" 'wasm-unsafe-eval'", ''), 'worker'],
    ['no policy of ours', POLICY.replace('trusted-types aisle', "trusted-types 'none'"), 'main'],
    ['no workers', POLICY.replace("worker-src 'self'", "worker-src 'none'"), 'main'],
  ] as const;
  // `npm test` has the others in fallback.built.test.ts.
  const few = ['Trusted Types and no inline styles', 'no policy of ours'];
  test.each(slice(policies, ([name]) => few.includes(name)))(
    'with %s shows suggestions',
    async (_, policy, expected) => {
      const strict = await serveEmbed({}, { 'content-security-policy': policy });
      try {
        const { page, errors } = await openEmbed(pages.browser, strict, SLOT, { head: SCRIPT });
        await ready(page);
        const engine = await page.evaluate(async () => (await window.aisle!.ready)!.status.engine!);
        expect(engine.thread).toBe(expected);
        if (!policy.includes('wasm-unsafe-eval')) expect(engine.backend).not.toBe('wasm');
        if (policy === POLICY) expect(errors).toEqual([]);
        expect(
          await page
            .locator('aisle-recommendations li')
            .first()
            .evaluate((li) => getComputedStyle(li).listStyleType),
        ).toBe('none');
        await page.context().close();
      } finally {
        strict.close();
      }
    },
  );
});

/** Freezes the prototype of everything that a page has. */
const FREEZE = `for (const name of Object.getOwnPropertyNames(globalThis)) {
  if (/^webkit|^on/.test(name)) continue;
  const { value } = Object.getOwnPropertyDescriptor(globalThis, name);
  if (typeof value === 'function' && value.prototype) Object.freeze(value.prototype);
}
Object.freeze(Object.getPrototypeOf(Object.getPrototypeOf([].values())));`;

describe('a page', () => {
  const missing = (name: string) => `Object.defineProperty(globalThis, '${name}', { value: undefined });`;
  const throwing = (name: string) =>
    `Object.defineProperty(globalThis, '${name}', { get() { throw new Error('broken') } });`;
  const names = ['requestIdleCallback', 'IntersectionObserver', 'fetch', 'crypto', 'BroadcastChannel', 'localStorage'];

  const scripts: [string, string][] = [
    ...names.flatMap((name): [string, string][] => [
      [`without ${name}`, missing(name)],
      [`where ${name} throws`, throwing(name)],
    ]),
    ['without constructed style sheets', missing('CSSStyleSheet')],
    ['without navigation', missing('navigation')],
    ['with a Promise of its own', 'globalThis.Promise = class extends Promise {};'],
    [
      'that lists its own methods in every array and object',
      `Array.prototype.contains = () => true; Object.prototype.extend = () => {}; String.prototype.strip = () => '';`,
    ],
    [
      'with an element that is called aisle',
      `addEventListener('DOMContentLoaded', () => { document.querySelector('main').id = 'aisle'; });`,
    ],
    ['that froze Array.prototype', 'Object.freeze(Array.prototype);'],
    ['that froze every prototype', FREEZE],
    [
      'that froze every prototype when our first script had run',
      `addEventListener('DOMContentLoaded', () => { ${FREEZE} });`,
    ],
    ['whose console throws', 'console.warn = () => { throw new Error("broken"); };'],
    ['that froze its data layer', 'globalThis.dataLayer = Object.freeze([{ event: "view_item" }]);'],
    ['with a data layer that is none', 'globalThis.dataLayer = "none";'],
  ];
  const few =
    /froze every prototype$|without (IntersectionObserver|constructed)|fetch throws|own methods|called aisle|froze its data layer/;
  test.each(slice(scripts, ([name]) => few.test(name)))(
    '%s shows suggestions and hears of no error',
    async (_, script) => {
      const { page, errors } = await pages.open(SLOT, {
        head: SCRIPT,
        prepare: (opened) => opened.addInitScript(script),
      });
      await ready(page);
      expect(await page.locator('aisle-recommendations a').count()).toBe(8);
      expect(errors).toEqual([]);
    },
  );

  test('that refuses a picture gets the others', async () => {
    const { page, errors } = await pages.open(SLOT, {
      head: SCRIPT,
      prepare: (opened) =>
        opened.addInitScript(() => {
          const { setAttribute } = Element.prototype;
          let refused = 0;
          Element.prototype.setAttribute = function (name, value) {
            if (name === 'src' && refused++ === 0) throw new TypeError('refused');
            setAttribute.call(this, name, value);
          };
        }),
    });
    await ready(page);
    await expect.poll(() => page.locator('aisle-recommendations img[src]').count()).toBe(7);
    expect(await page.locator('aisle-recommendations img').count()).toBe(8);
    expect(errors).toEqual([]);
  });

  const methods = ['map', 'filter', 'forEach', 'push', 'splice', 'some', 'find', 'includes', 'flatMap', 'join'];
  test.each(slice(methods, (method) => ['map', 'forEach'].includes(method)))(
    'whose Array.prototype.%s throws hears of no error, and a slot is honest',
    async (method) => {
      const script = `Array.prototype.${method} = function () { throw new TypeError('broken'); };`;
      const { page, errors } = await pages.open(SLOT, {
        head: SCRIPT,
        prepare: (opened) => opened.addInitScript(script),
      });
      await page.locator('aisle-recommendations:not([data-aisle-state=loading])').waitFor();
      const state = await page.locator('aisle-recommendations').getAttribute('data-aisle-state');
      const links = await page.locator('aisle-recommendations a').count();
      expect(state === 'ready' ? links : 8 - links).toBe(8);
      expect(errors).toEqual([]);
    },
  );

  test.each([
    ['an array of its own', 'window.aisle = Object.freeze([["track", "A"]])', /^$/],
    [
      'one that it does not let go',
      'Object.defineProperty(window, "aisle", { value: Object.freeze([["track", "A"]]) })',
      /read-only/,
    ],
  ])('that has frozen window.aisle gets suggestions once, and what is in it counts: %s', async (_, script, warning) => {
    const head = `<script>${script}</script>${SETTLED}${SETTLED.replace('embed.js', 'embed.js?v=2')}`;
    const { page, errors, warnings, requests } = await pages.open(SLOT, { head });
    await ready(page);
    expect(errors).toEqual([]);
    expect(requests.filter(({ url }) => url.endsWith('/worker.js'))).toHaveLength(1);
    expect(warnings.pop()).toMatch(/twice/);
    expect(warnings.join()).toMatch(warning);
    if (warnings.length > 0) return;
    await push(page, 'track', 'B');
    expect(await known(page)).toEqual(['view A', 'view B']);
  });

  test('that has the tag twice, under two addresses, runs one', async () => {
    const { page, errors, warnings, requests } = await pages.open(SLOT, {
      head: SETTLED + SETTLED + SETTLED.replace('embed.js', 'embed.js?v=2'),
    });
    await ready(page);
    expect(await page.locator('aisle-recommendations a').count()).toBe(8);
    expect(requests.filter(({ url }) => url.endsWith('/worker.js'))).toHaveLength(1);
    expect(warnings).toEqual(['Aisle: Aisle is in this page twice (embed.js, aisle/element); the first one counts.']);
    expect(errors).toEqual([]);
  });

  test('that has constants under our names, and floods us with commands, is heard in what a visitor decides', async () => {
    const own = `<script>
      const aisle = [];
      const origin = { lat: 37.5, lng: 127 };
      for (let n = 0; n < 1001; n++) aisle.push(['track', 'product-' + n]);
      aisle.push(['consent', 'granted']);
    </script>`;
    const { page, errors, warnings } = await pages.open(SLOT, { head: own + SETTLED });
    await ready(page);
    const { consent, engine } = await page.evaluate(() => window.aisle!.recommender!.status);
    expect({ consent, thread: engine!.thread }).toEqual({ consent: 'granted', thread: 'worker' });
    expect((await known(page)).length).toBeGreaterThan(500);
    expect(page.workers().map((worker) => new URL(worker.url()).protocol)).toEqual(['http:']);
    expect(warnings).toContain('Aisle: Too many events at once.');
    expect(errors).toEqual([]);
  });

  test('that has defined the element itself keeps it, and commands work', async () => {
    const own = `<script>customElements.define('aisle-recommendations', class extends HTMLElement {})</script>`;
    const { page, errors, warnings } = await pages.open(SLOT, { head: own + SCRIPT });
    await push(page, 'track', 'anything');
    await page.waitForFunction(() => window.aisle?.recommender !== undefined);
    expect(warnings).toEqual([expect.stringContaining('is defined by another script')]);
    expect(errors).toEqual([]);
  });

  test('without custom elements hears of no error', async () => {
    const { page, errors, warnings } = await pages.open(SLOT, {
      head: SCRIPT,
      prepare: (opened) => opened.addInitScript(missing('customElements')),
    });
    await page.waitForFunction(() => window.aisle?.recommender !== undefined);
    expect(warnings).toHaveLength(1);
    expect(errors).toEqual([]);
  });
});

test.each([
  ['runs as released', undefined, true],
  ['does not run with another embed.js', 'embed.js', false],
  ['does not run with another script behind it', 'page-', false],
])('with the hashes of a release it %s', async (_, changed, runs) => {
  const hashes = Object.entries(integrity()).map(([name, hash]) => {
    const isChanged = changed !== undefined && name.startsWith(changed);
    return [name, isChanged ? `sha384-${'A'.repeat(64)}` : hash] as const;
  });
  const imported = hashes.filter(([name]) => name !== 'embed.js').map(([name, hash]) => [`/aisle/${name}`, hash]);
  const map = JSON.stringify({ integrity: Object.fromEntries(imported) });
  const tag = SCRIPT.replace('<script ', `<script integrity="${new Map(hashes).get('embed.js')}" `);
  const { page, errors } = await pages.open(SLOT, { head: `<script type="importmap">${map}</script>${tag}` });
  if (runs) await ready(page);
  else await expect.poll(() => errors.join()).toContain('integrity');
  expect(await page.locator('[data-aisle-state=ready]').count()).toBe(runs ? 1 : 0);
});
