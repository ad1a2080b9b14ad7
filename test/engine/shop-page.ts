/** A shop's page with the built library, as strict or as broken as a test wants it, in a real browser. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import type { RankedItem, RecommenderOptions, Status } from '../../src/index';
import { built } from '../build/built';
import { openBrowser } from '../demo/shop-window';
import { folderOf, NOW, SESSIONS, smallModel } from './fixture';
import answers from './small-model-answers.json';

export interface ShopPageOptions {
  /** The policy that the shop's server sends with every file. */
  readonly csp?: string;
  /** Run in the page before any other script. */
  readonly inPage?: readonly (() => void)[];
  /** Runs in every worker before the library's script. */
  readonly inWorker?: () => void;
  /** What the server answers instead of a file: a body, nothing for ever, or the file after all. */
  readonly answer?: (
    path: string,
  ) => { readonly body?: string | Uint8Array; readonly type?: string; readonly status?: number } | 'never' | undefined;
  readonly recommender?: Partial<RecommenderOptions>;
  /** The page is the next one of the same visit, which tracks nothing more. Default: a visit, and an origin, of its own. */
  readonly after?: { readonly server: Server; readonly context: BrowserContext };
}

export type Answer = readonly RankedItem[] | { readonly code?: string; readonly message: string };

export interface ShopPage {
  readonly page: Page;
  readonly server: Server;
  /** Paths asked for so far. */
  readonly paths: string[];
  status(): Promise<Status>;
  /** Asks for 20 items after the clicks of the session "a repeat". */
  ask(): Promise<Answer>;
  /** What a shop's error log would see. */
  thrown(): Promise<string[]>;
  /** Codes of the recommender's `error` events. */
  errors(): Promise<string[]>;
}

const TYPES: Readonly<Record<string, string>> = {
  '': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};
const PAGE = `<!doctype html><html lang="en"><title>A shop</title><script type="module" src="/shop.js"></script><h1>A shop</h1></html>`;

/** What a shop writes, and hooks for the test. */
const SHOP = `
import { createRecommender } from '/lib/index.js';
globalThis.start = async (options, clicks, now) => {
  const recommender = await createRecommender({ modelUrl: '/model/', now: () => now, ...options });
  globalThis.recommender = recommender;
  recommender.on('error', ({ code }) => errors.push(code));
  recommender.on('status', () => statuses.push(recommender.status));
  for (const click of clicks) recommender.track(click);
};
globalThis.errors = [];
globalThis.statuses = [];
globalThis.ask = async () => {
  try {
    return await recommender.recommend({ k: 20 });
  } catch (error) {
    return { code: error.code, message: String(error.message) };
  }
};
`;

async function serveShopPage(options: ShopPageOptions, paths: string[]): Promise<Server> {
  const library = await built('lib');
  const model = await folderOf(await smallModel());
  const fileOf = (path: string): string | Uint8Array | undefined => {
    if (path === '/') return PAGE;
    if (path === '/shop.js') return SHOP;
    if (path === '/worker.js') return `(${options.inWorker ?? (() => {})})();\nawait import('/lib/worker.js');\n`;
    if (path.startsWith('/model/')) return model.get(path.slice('/model/'.length));
    if (!path.startsWith('/lib/')) return undefined;
    try {
      return readFileSync(join(library, path.slice('/lib/'.length)));
    } catch {
      return undefined;
    }
  };
  const server = createServer((request, response) => {
    const path = request.url!;
    paths.push(path);
    const instead = options.answer?.(path);
    if (instead === 'never') return;
    const body = instead?.body ?? fileOf(path);
    response.writeHead(instead?.status ?? (body === undefined ? 404 : 200), {
      'content-type': instead?.type ?? TYPES[extname(path)] ?? 'application/octet-stream',
      'cache-control': instead ? 'no-store' : 'max-age=3600',
      ...(options.csp && { 'content-security-policy': options.csp }),
    });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** Opens the page and starts the recommender. */
async function openShopPage(browser: Browser, options: ShopPageOptions = {}): Promise<ShopPage> {
  const paths: string[] = [];
  const server = options.after?.server ?? (await serveShopPage(options, paths));
  const context = options.after?.context ?? (await browser.newContext());
  const page = await context.newPage();
  await page.addInitScript(() => {
    const thrown: string[] = [];
    Object.assign(globalThis, { thrown });
    addEventListener('error', ({ message }) => thrown.push(`error: ${message}`));
    addEventListener('unhandledrejection', ({ reason }) => thrown.push(`rejection: ${reason}`));
  });
  for (const script of options.inPage ?? []) await page.addInitScript(script);
  await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
  const session = options.after ? [] : SESSIONS['a repeat']!;
  const clicks = session.map(({ itemId }, t) => ({ itemId, time: (NOW - 600 + 90 * t) * 1000 }));
  await page.waitForFunction(() => 'start' in globalThis);
  const settings = { ...(options.inWorker && { workerUrl: '/worker.js' }), ...options.recommender };
  type Hooks = {
    start(...args: unknown[]): Promise<void>;
    ask(): Promise<Answer>;
    recommender: { status: Status };
    thrown: string[];
    errors: string[];
  };
  await page.evaluate((args) => (globalThis as unknown as Hooks).start(...args), [
    settings,
    clicks,
    NOW * 1000,
  ] as const);
  return {
    page,
    server,
    paths,
    status: () => page.evaluate(() => (globalThis as unknown as Hooks).recommender.status),
    ask: () => page.evaluate(() => (globalThis as unknown as Hooks).ask()),
    thrown: () => page.evaluate(() => (globalThis as unknown as Hooks).thrown),
    errors: () => page.evaluate(() => (globalThis as unknown as Hooks).errors),
  };
}

/** Pages in a browser that a test file has for itself; all are closed after each test. */
export function shopPages() {
  let browser: Browser;
  const others = new Set<Browser>();
  const servers = new Set<Server>();
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    for (const other of others) await other.close();
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
    others.clear();
    servers.clear();
  });
  afterAll(() => browser?.close());

  return {
    async opened(options: ShopPageOptions = {}, where = browser): Promise<ShopPage> {
      const shop = await openShopPage(where, options);
      servers.add(shop.server);
      return shop;
    },
    /** Another browser: one in which a GPU has crashed is not what it was. */
    async anotherBrowser(): Promise<Browser> {
      const other = await openBrowser();
      others.add(other);
      return other;
    },
  };
}

const RIGHT: readonly string[] = answers['a repeat'].map(({ itemId }) => itemId);

/** Asks, and wants the answer that Node gives. */
export async function expectRight(shop: ShopPage): Promise<void> {
  const answer = await shop.ask();
  expect(Array.isArray(answer) ? answer.map(({ itemId }) => itemId) : answer).toEqual(RIGHT);
}

export const deleteWorker = (): void => void delete (globalThis as { Worker?: unknown }).Worker;
