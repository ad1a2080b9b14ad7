/** A page of a shop in a real Chromium, with the built library and a small model, and whatever is broken in it. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import type { BrowserContext, CDPSession, Page } from 'playwright-core';
import type * as Aisle from '../../src/index';
import { built } from '../build/built';
import { folderOf, smallModel } from '../engine/fixture';

const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.wasm': 'application/wasm' };

/** What the page's own scripts find there. */
export interface Shop {
  readonly load: () => Promise<typeof Aisle>;
  recommender: Aisle.Recommender;
  readonly acknowledged: (itemIds: string[]) => void;
  /** `error` and `unhandledrejection` events of the window. */
  readonly thrown: string[];
}

/** Runs before everything else in the page. */
const NOTE_ERRORS = `globalThis.thrown = [];
  addEventListener('error', ({ message }) => thrown.push('error: ' + message));
  addEventListener('unhandledrejection', ({ reason }) => thrown.push('unhandledrejection: ' + reason));`;
const PAGE = `<!doctype html><title>Shop</title><link rel="icon" href="data:,">
  <script>globalThis.load = () => import('./lib/index.js')</script>`;

/**
 * Serves the page at `/`, the library under `/lib/`, a model under `/model/`, and under `/worker.js` the library's worker
 * after the script that the query names.
 */
export async function serveShop(): Promise<{ readonly server: Server; readonly origin: string }> {
  const [library, model] = await Promise.all([built('lib'), smallModel().then(folderOf)]);
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://localhost');
    const [, folder, ...path] = pathname.split('/');
    const send = (type: string, body: Uint8Array | string) =>
      response.writeHead(200, { 'content-type': type }).end(body);
    const file = model.get(path.join('/'));
    if (folder === '') send('text/html', PAGE);
    else if (folder === 'model' && file) send('application/octet-stream', file);
    else if (folder === 'worker.js')
      send('text/javascript', `${searchParams.get('first')};\nawait import('./lib/worker.js');`);
    else if (folder === 'lib') {
      try {
        send(TYPES[extname(pathname)] ?? 'text/plain', readFileSync(join(library, ...path)));
      } catch {
        response.writeHead(404).end();
      }
    } else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, origin: `http://localhost:${(server.address() as AddressInfo).port}` };
}

export interface PageOptions {
  /** Runs in the page before the library is loaded. */
  readonly first?: string;
  /** Options of `createRecommender`. Storing is allowed unless they say otherwise. */
  readonly options?: Partial<Aisle.RecommenderOptions>;
  /** Told which items the device has acknowledged, as it does. */
  readonly acknowledged?: (itemIds: string[]) => void;
  readonly prepare?: (page: Page, protocol: CDPSession) => Promise<unknown>;
}

/** Opens the page and starts its recommender. */
export async function openShop(context: BrowserContext, origin: string, options: PageOptions = {}): Promise<Page> {
  const { first, acknowledged = () => {}, prepare } = options;
  const page = await context.newPage();
  await page.exposeFunction('acknowledged', acknowledged);
  await page.addInitScript(NOTE_ERRORS);
  if (prepare) await prepare(page, await context.newCDPSession(page));
  await page.goto(`${origin}/`);
  // Not sooner: the driver's own script would stumble over what is broken.
  if (first !== undefined) await page.evaluate(`${first}; 0`);
  await page.evaluate(
    async (given) => {
      const shop = globalThis as unknown as Shop;
      const { createRecommender } = await shop.load();
      shop.recommender = await createRecommender({
        modelUrl: '/model/',
        backend: 'wasm',
        consent: 'granted',
        ...given,
      });
      shop.recommender.on('stored', ({ events }) => shop.acknowledged(events.map(({ itemId }) => itemId)));
    },
    { ...options.options },
  );
  return page;
}

export const track = (page: Page, ...itemIds: string[]): Promise<void> =>
  page.evaluate((ids) => {
    for (const id of ids) (globalThis as unknown as Shop).recommender.track(id);
  }, itemIds);

export const statusOf = (page: Page): Promise<Aisle.Status> =>
  page.evaluate(() => (globalThis as unknown as Shop).recommender.status);

/** Ids of all events that the page knows. */
export const knownTo = (page: Page): Promise<string[]> =>
  page.evaluate(async () => {
    const { sessions } = await (globalThis as unknown as Shop).recommender.privacy.export();
    return sessions.flat().map(({ itemId }) => itemId);
  });

/** Reasons of the recommendations, or the code of the error. */
export const answerOf = (page: Page): Promise<string[] | string> =>
  page.evaluate(async () => {
    try {
      return (await (globalThis as unknown as Shop).recommender.recommend()).map(({ reason }) => reason);
    } catch (error) {
      return String((error as { code?: unknown }).code);
    }
  });

export const thrownIn = (page: Page): Promise<string[]> => page.evaluate(() => (globalThis as unknown as Shop).thrown);
