/** What a page says of itself, by its data layer, its JSON-LD or its tag, and what of that is tracked. */
import { describe, expect, test, vi } from 'vitest';
import { slice } from '../soak-slice';
import { embedPages, known, push, ready, SETTLED, SLOT, STOCK, shown } from './embed-window';

vi.setConfig({ testTimeout: 120_000 }); // a browser on a machine that may be busy

const [A, B, C] = STOCK.map(({ id }) => id) as [string, string, string];

describe('a page', () => {
  const pages = embedPages();
  const entry = (event: string, id: string) => JSON.stringify({ event, ecommerce: { items: [{ item_id: id }] } });
  const jsonLd = (...things: object[]) =>
    things.map((thing) => `<script type="application/ld+json">${JSON.stringify(thing)}</script>`).join('');
  const related = '<aisle-recommendations strategy="related"></aisle-recommendations>';
  const manual = SETTLED.replace('data-', 'data-track="manual" data-');

  test('with a data layer: what is in it, and what comes later, is tracked once', async () => {
    const layer = `<script>dataLayer = [${entry('view_item', A)}]</script>`;
    const { page, errors } = await pages.open(related, { head: layer + SETTLED });
    await ready(page);
    const returned = await page.evaluate(
      (text) => {
        const { dataLayer } = window as unknown as { dataLayer: unknown[] };
        return dataLayer.push(JSON.parse(text), { event: 'gtm.js' });
      },
      entry('add_to_cart', A),
    );
    expect(returned).toBe(3);
    await push(page, 'track', A); // the page's own report of the same view
    expect(await known(page)).toEqual([`view ${A}`, `cart ${A}`]);
    expect(await shown(page)).not.toContain(A);
    expect(errors).toEqual([]);
  });

  test('that tracks one product after another at the same address means each, whether or not the model knows it', async () => {
    const { page } = await pages.open(SLOT, { head: manual });
    await ready(page);
    await push(page, 'track', A);
    await push(page, 'track', 'NEW-1');
    expect(await known(page)).toEqual([`view ${A}`, 'view NEW-1']);
    const ids = () => page.evaluate(() => window.aisle!.recommender!.status.ids);
    await expect.poll(ids).toMatchObject({ known: 1, unknown: 1 });
  });

  test('that is drawn again after minutes and says the same counts once; opened again, it counts again', async () => {
    const { page } = await pages.open(SLOT, {
      prepare: (opened) =>
        opened.addInitScript(() => {
          const { now } = Date;
          let ahead = 0;
          Date.now = () => now() + ahead;
          const later = (minutes: number) => {
            ahead += minutes * 60_000;
          };
          Object.assign(globalThis, { later });
        }),
    });
    await ready(page);
    const say = (address?: string) =>
      page.evaluate(
        ([text, to]) => {
          const { dataLayer, later } = window as unknown as { dataLayer: unknown[]; later(minutes: number): void };
          later(2);
          if (to !== undefined) history.pushState(null, '', to);
          dataLayer.push(JSON.parse(text!));
        },
        [entry('view_item', A), address],
      );
    for (let times = 0; times < 3; times++) await say();
    expect(await known(page)).toEqual([`view ${A}`]);
    await say('/other');
    await say('#reviews');
    expect(await known(page)).toHaveLength(2);
    await page.evaluate(async () => {
      history.pushState(null, '', '/about'); // where nothing is reported
      await new Promise((read) => setTimeout(read, 100));
    });
    await say('/other');
    expect(await known(page)).toHaveLength(3);
  });

  test('whose product comes after a cart event is one page view, in which the same cart event counts once', async () => {
    const { page } = await pages.open(SLOT, { head: `<script>dataLayer = []</script>${SETTLED}` });
    await ready(page);
    const add = () =>
      page.evaluate(
        (text) => (window as unknown as { dataLayer: unknown[] }).dataLayer.push(JSON.parse(text)),
        entry('add_to_cart', B),
      );
    await add();
    await expect.poll(() => known(page)).toEqual([`cart ${B}`]);
    await page.evaluate(
      (html) => document.body.insertAdjacentHTML('beforeend', html),
      jsonLd({ '@type': 'Product', sku: A }),
    );
    await expect.poll(() => known(page)).toEqual([`cart ${B}`, `view ${A}`]);
    await add();
    await push(page, 'track', { itemId: C, event: 'cart' });
    await expect.poll(() => known(page)).toEqual([`cart ${B}`, `view ${A}`, `cart ${C}`]);
  });

  test('that reports what was seen before does not take it for the product on show', async () => {
    const recent = '<aisle-recommendations strategy="recent"></aisle-recommendations>';
    const { page } = await pages.open(recent);
    for (const [itemId, minutes] of [
      [A, 2],
      [B, 1],
    ] as const) {
      await push(page, 'track', { itemId, time: Date.now() - minutes * 60_000 });
    }
    await ready(page);
    await expect.poll(() => shown(page)).toEqual([B, A]);
  });

  test('with a data layer and manual tracking: nothing is tracked, but the product on show is known', async () => {
    const layer = `<script>dataLayer = [${entry('view_item', A)}]</script>`;
    const { page } = await pages.open(related, { head: layer + manual });
    await ready(page);
    expect(await known(page)).toEqual([]);
    const reasons = await page
      .locator('aisle-recommendations a')
      .evaluateAll((links) => links.map((link) => (link as HTMLElement).dataset['reason']));
    expect(new Set(reasons)).toEqual(new Set(['related']));
  });

  const structured: [string, object[], string[]][] = [
    ['of its product', [{ '@context': 'https://schema.org', '@type': 'Product', sku: A, productID: B }], [A]],
    ['in a graph', [{ '@graph': [{ '@type': 'WebSite' }, { '@type': ['Product', 'Car'], productID: A }] }], [A]],
    [
      'in a list, by a full name',
      [[{ '@type': 'BreadcrumbList' }, { '@type': 'http://schema.org/Product', sku: A }]],
      [A],
    ],
    ['of a page that is about it', [{ '@type': 'ItemPage', mainEntity: { '@type': 'Product', sku: A } }], [A]],
    [
      'of a group of variants',
      [{ '@type': 'ProductGroup', productGroupID: A, hasVariant: [{ '@type': 'Product', sku: B }] }],
      [A],
    ],
    [
      'that says it twice',
      [
        { '@type': 'Product', sku: A },
        { '@type': 'Product', sku: A },
      ],
      [A],
    ],
    [
      'of several products',
      [
        { '@type': 'Product', sku: A },
        { '@type': 'Product', sku: B },
      ],
      [],
    ],
    ['of a listing', [{ '@type': 'ItemList', itemListElement: [{ '@type': 'Product', sku: A }] }], []],
    ['without an id', [{ '@type': 'Product', name: 'A' }, [null, 5, 'text']], []],
  ];
  const few = ['in a graph', 'of a group of variants', 'of several products', 'without an id'];
  test.each(slice(structured, ([name]) => few.includes(name)))('with JSON-LD %s', async (_, things, expected) => {
    const broken = '<script type="application/ld+json">{ "@type": "Product", </script>';
    const { page, errors } = await pages.open(SLOT, { head: broken + jsonLd(...things) + SETTLED });
    await ready(page);
    expect(await known(page)).toEqual(expected.map((id) => `view ${id}`));
    expect(errors).toEqual([]);
  });

  test('whose tag names the product', async () => {
    const { page } = await pages.open(SLOT, {
      head: SETTLED.replace('data-', `data-item="${A}" data-`),
    });
    await ready(page);
    expect(await known(page)).toEqual([`view ${A}`]);
    expect(await shown(page)).not.toContain(A);
  });

  test('that was left, and whose data layer was replaced, before the embed was loaded, is known all the same', async () => {
    const layer = `<script>dataLayer = [${entry('add_to_cart', C)}]</script>`;
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { page } = await pages.open(SLOT, {
      head: jsonLd({ '@type': 'Product', sku: A }) + layer + SETTLED,
      prepare: (opened) => opened.route('**/aisle/page-*', (route) => held.then(() => route.fallback())),
    });
    await page.evaluate((id) => {
      Object.assign(window, { dataLayer: [] });
      history.pushState(null, '', '/next');
      document.head.insertAdjacentHTML(
        'beforeend',
        `<script type="application/ld+json">{ "@type": "Product", "sku": ${JSON.stringify(id)} }</script>`,
      );
    }, B);
    release();
    await ready(page);
    expect((await known(page)).sort()).toEqual([`cart ${C}`, `view ${A}`, `view ${B}`].sort());
  });

  test('whose ids the model does not know gets one line that says so', async () => {
    const { page, warnings } = await pages.open(SLOT);
    await ready(page);
    for (let k = 0; k < 8; k++) {
      await page.evaluate(
        (text) => {
          (window as unknown as { dataLayer: unknown[] }).dataLayer.push(JSON.parse(text));
        },
        entry('view_item', `WRONG-${A}-${k}`),
      );
    }
    const ids = () => page.evaluate(() => window.aisle!.recommender!.status.ids);
    await expect.poll(ids).toMatchObject({ known: 0, unknown: 8 });
    await expect.poll(() => warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(
      /^Aisle: it works with less \(unknown-ids\)\. tracked \d ids, the model knows 0; the page says item_id 'WRONG-[\w-]+-0', the model has '[\w-]+', …; see docs\/identity\.md$/,
    );
  });

  test('whose markup changes all the time: what it tracks itself still counts', async () => {
    const { page } = await pages.open(SLOT, { head: jsonLd({ '@type': 'Product', sku: 'change-0' }) + SETTLED });
    await ready(page);
    await page.evaluate(() => {
      for (let change = 1; change < 15; change++) {
        const text = JSON.stringify({ '@type': 'Product', sku: `change-${change}` });
        document.querySelector('script[type="application/ld+json"]')!.textContent = text;
        window.aisle!.push(['page']);
      }
    });
    await push(page, 'track', A);
    await expect.poll(() => known(page)).toEqual([`view ${A}`]);
  });

  test('that is an application: its next product is on show, the last one no longer', async () => {
    const { page } = await pages.open(SLOT, { head: jsonLd({ '@type': 'Product', sku: A }) + SETTLED });
    await ready(page);
    await page.evaluate((id) => {
      history.pushState(null, '', '/next');
      document.querySelector('script[type="application/ld+json"]')!.textContent = JSON.stringify({
        '@type': 'Product',
        sku: id,
      });
    }, B);
    await expect.poll(() => known(page)).toEqual([`view ${A}`, `view ${B}`]);
    await page.evaluate(() => history.pushState(null, '', '/about')); // the JSON-LD stays
    await push(page, 'refresh');
    await page.evaluate(() => {
      location.hash = 'reviews';
    });
    await push(page, 'track', { itemId: C, event: 'cart' });
    expect(await known(page)).toEqual([`view ${A}`, `view ${B}`, `cart ${C}`]);
  });
});
