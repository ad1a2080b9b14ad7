/** How the built worker is started, in Chromium: from wherever it lies, once, and in the page's own thread where it cannot. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { built } from '../build/built';
import { deleteWorker, expectRight, type Hooks, type ServedPage, shopPages } from '../engine/shop-page';
import { countReady } from './ready';

const { opened } = shopPages();
const readies = ({ page }: ServedPage): Promise<number> => page.evaluate('readies');

test.each([
  ['beside the library', undefined],
  ['by an address with a query, as a shop versions its files', '/lib/worker.js?v=2'],
])('the worker is started %s, and its script runs once', async (_, workerUrl) => {
  const shop = await opened({
    inPage: [countReady],
    recommender: { backend: 'wasm', ...(workerUrl && { workerUrl }) },
  });
  await expectRight(shop);
  // Lazy parts are where a script was run again.
  await shop.page.evaluate('recommender.fineTune()');
  await shop.page.evaluate("recommender.fineTune({ method: 'full' })");
  await shop.page.evaluate("recommender.explain('item-9')");
  expect(await shop.status()).toMatchObject({ engine: { thread: 'worker', backend: 'wasm' }, degraded: [] });
  expect(await readies(shop)).toBe(1);
  expect(shop.paths.filter((path) => path.startsWith('/lib/worker.js'))).toEqual([workerUrl ?? '/lib/worker.js']);
});

test('a relative address of the worker is seen from the page’s base, as that of the model is', async () => {
  const shop = await opened({
    inPage: [
      () =>
        addEventListener('DOMContentLoaded', () => {
          document.head.append(Object.assign(document.createElement('base'), { href: '/lib/' }));
        }),
    ],
    recommender: { backend: 'wasm', workerUrl: 'worker.js' },
  });
  await expectRight(shop);
  expect((await shop.status()).engine).toMatchObject({ thread: 'worker' });
});

/** A copy of the library on another origin, which allows every page to load it. */
async function cdn(): Promise<string> {
  const library = built('lib');
  const types: Record<string, string> = { '.js': 'text/javascript', '.wasm': 'application/wasm' };
  const server = createServer(({ url }, response) => {
    response.setHeader('content-type', types[extname(url!)] ?? '');
    response.setHeader('access-control-allow-origin', '*');
    response.end(readFileSync(join(library, url!)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('a worker of another origin is started by a script of the page, with its parts from there', async () => {
  const workerUrl = `${await cdn()}/worker.js`;
  const shop = await opened({ inPage: [countReady], recommender: { backend: 'wasm', workerUrl } });
  await expectRight(shop);
  expect((await shop.status()).engine).toMatchObject({ thread: 'worker', backend: 'wasm' });
  expect(await readies(shop)).toBe(1);
  expect(shop.paths.filter((path) => /worker|parts|wasm/.test(path))).toEqual([]);
});

test("where the page's policy forbids that script, the page's own thread computes, and says why", async () => {
  const workerUrl = `${await cdn()}/worker.js`;
  const csp = `script-src 'self' 'wasm-unsafe-eval' ${new URL(workerUrl).origin}; worker-src 'self'`;
  const shop = await opened({ csp, recommender: { backend: 'cpu', workerUrl } });
  await expectRight(shop);
  const { engine, degraded } = await shop.status();
  expect(engine).toMatchObject({ thread: 'main', backend: 'cpu' });
  expect(degraded).toMatchObject([{ code: 'no-worker' }]);
});

test('a worker without the folder beside it says which file is missing', async () => {
  const script = readFileSync(join(built('lib'), 'worker.js'), 'utf8');
  const answer = (path: string) => (path === '/alone.js' ? { body: script, type: 'text/javascript' } : undefined);
  const shop = await opened({ answer, recommender: { backend: 'cpu', workerUrl: '/alone.js' } });
  expect(await shop.ask()).toMatchObject({
    code: 'io',
    message: expect.stringMatching(/\/worker-(placement|gru4rec(-spec)?)-\w+\.js .*whole folder/),
  });
});

test('where neither a worker nor the engine of the page can be loaded, every call says so with a code', async () => {
  const answer = (path: string) => (/main-thread/.test(path) ? { status: 503 } : undefined);
  const shop = await opened({ inPage: [deleteWorker], answer });
  const codes = await shop.page.evaluate(() => {
    const { recommender } = globalThis as unknown as Hooks;
    const calls = [
      recommender.recommend(),
      recommender.fineTune(),
      recommender.explain('a'),
      recommender.products(['a']),
    ];
    return Promise.all(calls.map((call) => call.then(String, ({ code }) => code)));
  });
  expect(codes).toEqual(['io', 'io', 'io', 'io']);
  expect(await shop.thrown()).toEqual([]);
});
