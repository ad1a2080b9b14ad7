/** The recipes of `docs/platforms.md`, as they stand there, on pages built like the platforms', not on the platforms. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Liquid } from 'liquidjs';
import type { Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { createSSRApp, h } from 'vue';
import { renderToString } from 'vue/server-renderer';
import { catalogue } from '../../src/pipeline/catalogue/catalogue';
import { built, ROOT } from '../build/built';
import { isSoak } from '../soak-slice';
import { embedPages, known, type OpenOptions, ready, STOCK, serveEmbed, shown } from './embed-window';

vi.setConfig({ testTimeout: 120_000 }); // a browser on a machine that may be busy

const [A, B] = STOCK as [(typeof STOCK)[number], (typeof STOCK)[number]];
const MODEL = join(ROOT, 'public/models/demo');
const place = mkdtempSync(join(tmpdir(), 'aisle-platforms-'));
const assets = join(place, 'theme/assets');
mkdirSync(assets, { recursive: true });
afterAll(() => rmSync(place, { recursive: true }));

const pages = embedPages(() => serveEmbed({ '/models/shop/': MODEL, '/cdn/shop/t/7/assets/': assets }));
const DOCS = readFileSync(join(ROOT, 'docs/platforms.md'), 'utf8');

/** The code that the recipes give for a file. */
function recipe(file: string): string {
  const start = DOCS.indexOf(`\`${file}\``);
  const found = /```\w+\n(.*?)\n```/s.exec(DOCS.slice(start))?.[1];
  if (start < 0 || found === undefined) throw new Error(`docs/platforms.md has no recipe for ${file}.`);
  return found;
}

/** Between two texts, each time. */
const between = (text: string, start: string, end: string): string[] =>
  text
    .split(start)
    .slice(1)
    .map((rest) => rest.split(end)[0]!);

const jsonLd = (thing: object) => `<script type="application/ld+json">${JSON.stringify(thing)}</script>`;
const product = (more: object) => ({ '@context': 'https://schema.org/', '@type': 'Product', name: A.title, ...more });
const microdata = (inner: string) => `<div itemscope itemtype="https://schema.org/Product">${inner}</div>`;

/** Opens a page of product A, and checks what the recipe is for. */
async function expectItWorks(body: string, options: OpenOptions): Promise<Page> {
  const { page, errors, warnings } = await pages.open(body, options);
  await ready(page);
  await expect.poll(() => known(page)).toEqual([`view ${A.id}`]);
  await expect.poll(() => shown(page)).not.toContain(A.id);
  expect((await shown(page)).length).toBeGreaterThan(3);
  const engine = await page.evaluate(() => window.aisle!.recommender!.status.engine);
  expect(engine).toMatchObject({ backend: 'plan', thread: 'worker' }); // not TensorFlow.js, seven times the bytes
  expect([...errors, ...warnings]).toEqual([]);
  return page;
}

test('plain HTML', async () => {
  await expectItWorks(jsonLd(product({ sku: A.id })) + recipe('product.html'), { head: recipe('index.html') });
});

test('Shopify: a theme block, every file in one flat folder of its CDN', async () => {
  mkdirSync(join(place, 'dist'));
  symlinkSync(built('embed'), join(place, 'dist/embed'));
  symlinkSync(MODEL, join(place, 'my-model'));
  const feed = join(place, 'products.csv');
  const rows = STOCK.map(({ id }) => `${id},${id},SKU-${id},active`);
  writeFileSync(feed, ['Handle,Title,Variant SKU,Status', ...rows].join('\n'));
  await catalogue({ feeds: [feed], out: join(place, 'my-catalogue'), artifact: MODEL });
  execFileSync('sh', ['-e', '-c', recipe('upload.sh')], {
    cwd: place,
    env: { ...process.env, THEME: join(place, 'theme') },
  });
  const engine = new Liquid();
  const host = pages.server.origin.replace('http:', '');
  engine.registerFilter('asset_url', (name: string) => `${host}/cdn/shop/t/7/assets/${name}?v=17183`);
  const source = recipe('blocks/aisle-recommendations.liquid');
  const [schema] = between(source, '{% schema %}', '{% endschema %}');
  const { settings } = JSON.parse(schema!) as { settings: { id: string; default?: unknown }[] };
  const defaults = Object.fromEntries(settings.map(({ id, default: value }) => [id, value]));
  const block = {
    shopify_attributes: 'data-shopify-editor-block="1"',
    settings: { ...defaults, heading: 'You & "us"' },
  };
  const slot: string = engine.parseAndRenderSync(source.split('{% schema %}')[0]!, { block });
  const variant = product({ sku: `SKU-${A.id}` }); // the model has handles
  const group = product({ '@type': 'ProductGroup', productGroupID: '7011', hasVariant: [variant] });
  const page = await expectItWorks(jsonLd(group) + slot, {
    head: engine.parseAndRenderSync(recipe('snippets/aisle.liquid')),
  });
  expect(await page.locator('aisle-recommendations [part=heading]').textContent()).toBe('You & "us"');
  const requested = pages.server.requests.filter((request) => request.includes('/cdn/shop/'));
  expect(requested).toContain('GET /cdn/shop/t/7/assets/aisle-model-weights.safetensors.wasm?v=17183');
  expect(requested).toContainEqual(expect.stringContaining('/aisle-products-aliases.json.wasm?v=17183&sha256='));
  expect(requested.filter((request) => request.split('/').length > 7)).toEqual([]);
});

test('Magento 2', async () => {
  const [head] = between(recipe('Magento_Theme/layout/default.xml'), '<![CDATA[', ']]>');
  const [slot] = between(recipe('Magento_Catalog/layout/catalog_product_view.xml'), '<![CDATA[', ']]>');
  const sku = `<div class="product attribute sku"><div class="value" itemprop="sku">${A.id}</div></div>`;
  await expectItWorks(microdata(sku) + slot, { head: head! });
});

test('WooCommerce', async () => {
  const [head, slot] = between(recipe('functions.php'), '?>', '<?php');
  const thing = JSON.stringify({ '@context': 'https://schema.org/', '@graph': [product({ sku: A.id })] });
  const markup = `<script type="application/ld+json">${thing.replaceAll('/', '\\/')}</script>`;
  await expectItWorks(slot! + markup, { head: head! });
});

test('Shopware 6', async () => {
  const block = (file: string) => {
    const [found] = between(recipe(file), '{{ parent() }}', '{% endblock %}');
    expect(found).not.toMatch(/\{[{%]/);
    return found!;
  };
  const number = `<span class="product-detail-ordernumber" itemprop="sku">\n  ${A.id}\n</span>`;
  const body = microdata(number) + block('page/content/product-detail.html.twig');
  await expectItWorks(body, { head: block('layout/meta.html.twig') });
});

test('Google Tag Manager alone: scripts without their attributes, in a page that knows nothing of it', async () => {
  // Tag Manager puts a tag's scripts into the page as new ones.
  const [code] = between(recipe('tag.html'), '<script>', '</script>');
  const container = `<script>
    dataLayer = [{ event: 'gtm.js' }];
    dataLayer.push({ event: 'view_item', ecommerce: { items: [{ item_id: ${JSON.stringify(A.id)} }] } });
    addEventListener('load', () => {
      const script = document.createElement('script');
      script.text = ${JSON.stringify(code).replaceAll('<', '\\u003c')};
      document.body.append(script);
    });
  </script>`;
  expect(code).not.toMatch(/=>|\|\|=|\b(const|let)\b|`|\?\./); // its editor knows no newer syntax
  await expectItWorks('<p class="product-description">A thing</p>', { head: container });
});

describe('applications that render on a server and in the page', () => {
  /** A document of its own at an address. */
  async function openDocument(path: string, html: string) {
    const opened = await pages.open('', { head: '' });
    pages.server.serve(path, html);
    await opened.page.goto(pages.server.origin + path);
    return opened;
  }
  async function expectNavigationToWork({ page, errors, warnings }: Awaited<ReturnType<typeof openDocument>>) {
    await ready(page);
    await expect.poll(() => known(page)).toEqual([`view ${A.id}`]);
    await page.evaluate((id) => (window as unknown as { go(id: string): void }).go(id), B.id);
    await expect.poll(() => known(page)).toEqual([`view ${A.id}`, `view ${B.id}`]);
    await expect.poll(() => shown(page)).not.toContain(B.id);
    expect(await page.locator('h1').textContent()).toBe(B.id);
    expect([...errors, ...warnings]).toEqual([]);
  }

  test('Next.js: rendered, hydrated without a complaint, navigated', async () => {
    const folder = join(ROOT, '.cache/platforms');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    for (const file of ['layout.tsx', 'recommendations.tsx']) writeFileSync(join(folder, file), recipe(`app/${file}`));
    writeFileSync(
      join(folder, 'page.tsx'),
      `import { useEffect, useState } from 'react';
import Layout from './layout';
import { Recommendations } from './recommendations';
export function App({ first }) {
  const [id, show] = useState(first);
  useEffect(() => {
    window.go = (next) => { history.pushState(null, '', '/next/' + next); show(next); };
  }, []);
  const thing = JSON.stringify({ '@context': 'https://schema.org', '@type': 'Product', name: id, sku: id });
  return <Layout><h1>{id}</h1><script type="application/ld+json" dangerouslySetInnerHTML={{ __html: thing }} />
    <Recommendations strategy="related" /></Layout>;
}`,
    );
    writeFileSync(
      join(folder, 'server.tsx'),
      `import { renderToString } from 'react-dom/server';
import { App } from './page';
export const html = (first) => '<!doctype html>' + renderToString(<App first={first} />);`,
    );
    writeFileSync(
      join(folder, 'client.tsx'),
      `import { hydrateRoot } from 'react-dom/client';
import { App } from './page';
hydrateRoot(document, <App first={${JSON.stringify(A.id)}} />);`,
    );
    const bundled = (entry: string, ssr: boolean) =>
      build({
        root: folder,
        configFile: false,
        logLevel: 'error',
        mode: 'development', // which complains of what differs
        define: { 'process.env.NODE_ENV': '"development"' },
        ssr: { noExternal: true },
        build: {
          ssr,
          minify: false,
          emptyOutDir: false,
          outDir: 'out',
          rolldownOptions: { input: join(folder, entry), output: { entryFileNames: '[name].js', format: 'es' } },
        },
      });
    await bundled('server.tsx', true);
    await bundled('client.tsx', false);
    const { html } = (await import(pathToFileURL(join(folder, 'out/server.js')).href)) as {
      html(first: string): string;
    };
    pages.server.serve('/next/client.js', readFileSync(join(folder, 'out/client.js'), 'utf8'), 'text/javascript');
    const client = '<link rel="icon" href="data:,"><script type="module" src="/next/client.js"></script></head>';
    const opened = await openDocument(`/next/${A.id}`, html(A.id).replace('</head>', client));
    await expectNavigationToWork(opened);
  });

  if (isSoak)
    test('Nuxt: rendered, hydrated without a complaint, navigated', async () => {
      const config = recipe('nuxt.config.ts').replace('export default ', 'return ');
      const { vue, app } = new Function('defineNuxtConfig', config)((given: unknown) => given) as {
        vue: { compilerOptions: { isCustomElement(tag: string): boolean } };
        app: { head: Record<'style' | 'script', Record<string, string>[]> };
      };
      const tags = Object.entries(app.head).flatMap(([tag, list]) =>
        list.map(({ innerHTML = '', ...attributes }) => {
          const written = Object.entries(attributes).map(([name, value]) => ` ${name}="${value}"`);
          return `<${tag}${written.join('')}>${innerHTML}</${tag}>`;
        }),
      );
      const component = recipe('components/Recommendations.vue');
      const [template] = between(component, '<template>', '</template>');
      const [props] = between(component, 'defineProps(', ');');
      // As the compiler of components does it: with the options of the configuration.
      const code = (h: string, id: string) => `
        const isCustomElement = ${String(vue.compilerOptions.isCustomElement)};
        const Recommendations = { props: ${props}, template: ${JSON.stringify(template)}, compilerOptions: { isCustomElement } };
        const App = {
          data: () => ({ id: ${id} }),
          render() {
            const thing = JSON.stringify({ '@context': 'https://schema.org', '@type': 'Product', name: this.id, sku: this.id });
            return [
              ${h}('h1', this.id),
              ${h}('script', { type: 'application/ld+json', innerHTML: thing }),
              ${h}(Recommendations, { strategy: 'related' }),
            ];
          },
        };`;
      const id = JSON.stringify(A.id);
      const app1 = new Function('h', `${code('h', id)} return App;`)(h) as object;
      const inner = await renderToString(createSSRApp(app1));
      pages.server.serve(
        '/vue.js',
        readFileSync(join(ROOT, 'node_modules/vue/dist/vue.esm-browser.js'), 'utf8'),
        'text/javascript',
      );
      const client = `<script type="module">
        import { createSSRApp, h } from '/vue.js';
        ${code('h', id)}
        const shown = createSSRApp(App).mount('#app');
        window.go = (next) => { history.pushState(null, '', '/nuxt/' + next); shown.id = next; };
      </script>`;
      const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,">${tags.join('')}</head>
  <body><div id="app">${inner}</div>${client}</body></html>`;
      await expectNavigationToWork(await openDocument(`/nuxt/${A.id}`, html));
    });
});
