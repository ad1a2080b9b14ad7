/** The recipes of `docs/frameworks.md`, as they stand there, in an application that is rendered on a server and hydrated in a page. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'vite';
import { afterAll, expect, test, vi } from 'vitest';
import { built, ROOT } from '../build/built';
import { embedPages, known, ready, STOCK, serveEmbed, shown } from './embed-window';

vi.setConfig({ testTimeout: 120_000 }); // a browser on a machine that may be busy

const [A, B] = STOCK as [(typeof STOCK)[number], (typeof STOCK)[number]];
const DOCS = readFileSync(join(ROOT, 'docs/frameworks.md'), 'utf8');
/** Inside the checkout, where the frameworks are found. */
const place = join(ROOT, '.cache/frameworks');
rmSync(place, { recursive: true, force: true });
afterAll(() => rmSync(place, { recursive: true, force: true }));

const pages = embedPages(() => serveEmbed({ '/models/shop/': join(ROOT, 'public/models/demo'), '/app/': place }));

/** The files of a framework, by their name; those without a folder are everybody's. */
function recipes(framework: string): [name: string, code: string][] {
  const found = [...DOCS.matchAll(/^`((?:\w+\/)?\w+\.tsx?)`.*?```\w+\n(.*?)^```/gms)];
  return found.flatMap(([, path, code]) => {
    const folder = dirname(path!);
    if (folder === '.') return [[`../${path}`, code!]];
    return folder === framework ? [[path!.slice(folder.length + 1), code!]] : [];
  });
}

/** What the application itself has of a framework: a page of a product, and what renders and hydrates it. */
const APPLICATIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  react: {
    'app.tsx': `
      import { useEffect, useState } from 'react';
      import { Recommendations } from './Recommendations';
      import { useRecommendations } from './useRecommendations';
      export function App({ first }) {
        const [id, show] = useState(first);
        useEffect(() => { window.go = (next) => { history.pushState(null, '', '/shop/' + next); show(next); }; }, []);
        const thing = JSON.stringify({ '@context': 'https://schema.org', '@type': 'Product', name: id, sku: id });
        return <main><h1>{id}</h1><script type="application/ld+json" dangerouslySetInnerHTML={{ __html: thing }} />
          <Recommendations strategy="related" />
          <ul id="own">{useRecommendations(id).map((id) => <li key={id}>{id}</li>)}</ul></main>;
      }`,
    'server.tsx': `
      import { renderToString } from 'react-dom/server';
      import { App } from './app';
      export const render = async (first) => renderToString(<App first={first} />);`,
    'client.tsx': `
      import { hydrateRoot } from 'react-dom/client';
      import { App } from './app';
      hydrateRoot(document.getElementById('root'), <App first={document.title} />);`,
  },
  vue: {
    'app.tsx': `
      import { createSSRApp, defineComponent, h, onMounted, ref } from 'vue';
      import { Recommendations } from './Recommendations';
      import { useRecommendations } from './useRecommendations';
      const Page = defineComponent({
        props: ['first'],
        setup({ first }) {
          const id = ref(first);
          onMounted(() => { window.go = (next) => { history.pushState(null, '', '/shop/' + next); id.value = next; }; });
          const own = useRecommendations(id);
          const thing = () => JSON.stringify({ '@context': 'https://schema.org', '@type': 'Product', name: id.value, sku: id.value });
          return () => h('main', [h('h1', id.value), h('script', { type: 'application/ld+json', innerHTML: thing() }),
            h(Recommendations, { strategy: 'related' }), h('ul', { id: 'own' }, own.value.map((id) => h('li', id)))]);
        },
      });
      export const create = (first) => createSSRApp(Page, { first });`,
    'server.tsx': `
      import { renderToString } from 'vue/server-renderer';
      import { create } from './app';
      export const render = (first) => renderToString(create(first));`,
    'client.tsx': `
      import { create } from './app';
      create(document.title).mount('#root');`,
  },
};

test.each(Object.keys(APPLICATIONS))('%s: rendered, hydrated without a complaint, navigated', async (framework) => {
  const folder = join(place, framework);
  mkdirSync(folder, { recursive: true });
  const files = [...recipes(framework), ...Object.entries(APPLICATIONS[framework]!)];
  expect(files.map(([name]) => name.replace(/\.\w+$/, '')).sort()).toEqual(
    ['../aisle', 'Recommendations', 'app', 'client', 'server', 'useRecommendations'].sort(),
  );
  for (const [name, code] of files) writeFileSync(join(folder, name), code);
  const bundle = (entry: string, ssr: boolean) =>
    build({
      root: folder,
      configFile: false,
      logLevel: 'error',
      mode: 'development', // which complains of what differs
      base: `/app/${framework}/out/`,
      define: {
        'process.env.NODE_ENV': '"development"',
        __VUE_OPTIONS_API__: 'true',
        __VUE_PROD_DEVTOOLS__: 'false',
        __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'true',
      },
      resolve: {
        alias: [
          { find: /^aisle$/, replacement: join(built('lib'), 'index.js') },
          { find: 'aisle/element', replacement: join(built('lib'), 'element.js') },
        ],
      },
      ssr: { noExternal: true },
      build: {
        ssr,
        minify: false,
        outDir: ssr ? 'server' : 'out',
        target: 'es2022',
        rolldownOptions: { input: join(folder, entry), output: { entryFileNames: '[name].js', format: 'es' } },
      },
    });
  await bundle('server.tsx', true);
  await bundle('client.tsx', false);
  const { render } = (await import(/* @vite-ignore */ pathToFileURL(join(folder, 'server/server.js')).href)) as {
    render(first: string): Promise<string>;
  };
  const inner = await render(A.id);
  expect(inner).toContain('<aisle-recommendations strategy="related"');

  const { page, errors, warnings } = await pages.open('', { head: '' });
  const script = `<script type="module" src="/app/${framework}/out/client.js"></script>`;
  const head = `<meta charset="utf-8"><link rel="icon" href="data:,"><title>${A.id}</title>`;
  pages.server.serve(
    `/shop/${A.id}`,
    `<!doctype html><html lang="en"><head>${head}</head><body><div id="root">${inner}</div>${script}`,
  );
  await page.goto(`${pages.server.origin}/shop/${A.id}`);
  await ready(page);
  await expect.poll(() => known(page)).toContain(`view ${A.id}`);
  expect(await page.evaluate(() => window.aisle!.recommender!.status.engine!.thread)).toBe('worker');
  await expect.poll(() => page.locator('#own li').count()).toBe(8);
  await page.evaluate((id) => (window as unknown as { go(id: string): void }).go(id), B.id);
  await expect.poll(() => known(page)).toContain(`view ${B.id}`);
  await expect.poll(() => shown(page)).not.toContain(B.id);
  expect(await page.locator('h1').textContent()).toBe(B.id);
  expect([...errors, ...warnings]).toEqual([]);
});
