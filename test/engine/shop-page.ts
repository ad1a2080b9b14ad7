/** A shop's page with the built library, as strict or as broken as a test wants it, in a real browser. */
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { extname, join } from 'node:path';
import type { Browser, BrowserContext, CDPSession, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { RankedItem, Recommender, RecommenderOptions, Status, TrackedEvent } from '../../src/index';
import { built } from '../build/built';
import { launchChromium } from '../chromium';
import { closeServer, listen, originOf } from '../server';
import { type BrowserAndServer, browserAndServer, openBrowser } from '../shared-chromium';
import { type FixtureOptions, folderOf, NOW, plannedModel, SESSIONS, smallModel } from './fixture';
import answers from './small-model-answers.json';

export interface ServerOptions {
  /** The model under `/model/`. Default: a small GRU4Rec. */
  readonly model?: FixtureOptions | undefined;
  /** Whether the model has a compiled plan. Default: it has none. */
  readonly hasPlan?: boolean | undefined;
  /** The policy that the shop's server sends with every file. */
  readonly csp?: string | undefined;
  /** What the server answers instead of a file: a body, nothing for ever, or the file after all. */
  readonly answer?:
    | ((
        path: string,
      ) =>
        | { readonly body?: string | Uint8Array; readonly type?: string; readonly status?: number }
        | 'never'
        | undefined)
    | undefined;
}

export interface PageOptions {
  /** Run in the page before any other script. */
  readonly inPage?: readonly (() => void)[];
  /** Runs in the page before the library is loaded, but no sooner: the driver's own script would stumble over it. */
  readonly first?: string;
  /** Runs in every worker before the library's script. */
  readonly inWorker?: string | (() => void);
  readonly recommender?: Partial<RecommenderOptions>;
  /** What the page tracks at once. Default nothing. */
  readonly clicks?: readonly TrackedEvent[];
  /** Milliseconds since 1970, for good. Default: a clock. */
  readonly now?: number;
  /** Told which items the device has acknowledged, as it does. */
  readonly acknowledged?: (itemIds: string[]) => unknown;
  readonly prepare?: (page: Page, protocol: CDPSession) => Promise<unknown>;
}

export interface ShopPageOptions extends ServerOptions, PageOptions {
  /** The page is the next one of the same visit, which tracks nothing more. Default: a visit, and an origin, of its own. */
  readonly after?: { readonly server: Server; readonly context: BrowserContext };
}

export type Answer = readonly RankedItem[] | { readonly code?: string; readonly message: string };

/** What the shop's own script leaves in the page for the test. */
export interface Hooks {
  start(settings: Partial<RecommenderOptions>, clicks: readonly TrackedEvent[], now: number | undefined): Promise<void>;
  ask(): Promise<Answer>;
  recommender: Recommender;
  readonly thrown: string[];
  readonly errors: string[];
  readonly statuses: Status[];
}

export interface ShopPage {
  readonly page: Page;
  status(): Promise<Status>;
  track(...itemIds: string[]): Promise<void>;
  /** Asks for 20 items. */
  ask(): Promise<Answer>;
  /** Ids of all events that the page knows. */
  known(): Promise<string[]>;
  /** What a shop's error log would see. */
  thrown(): Promise<string[]>;
  /** Codes of the recommender's `error` events. */
  errors(): Promise<string[]>;
}

/** A page with a server of its own. */
export interface ServedPage extends ShopPage {
  readonly server: Server;
  /** Paths asked for so far. */
  readonly paths: string[];
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
globalThis.start = async (options, clicks, now) => {
  const { createRecommender } = await import('/lib/index.js');
  const clock = now === undefined ? {} : { now: () => now };
  const recommender = await createRecommender({ modelUrl: '/model/', ...clock, ...options });
  globalThis.recommender = recommender;
  recommender.on('error', ({ code }) => errors.push(code));
  recommender.on('status', () => statuses.push(recommender.status));
  recommender.on('stored', ({ events }) => globalThis.acknowledged?.(events.map(({ itemId }) => itemId)));
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

/**
 * Serves the page at `/`, the library under `/lib/`, a model under `/model/`. A query `first` of the worker's address is a
 * script that stands in front of the worker's.
 *
 * @param paths Gets the paths that are asked for.
 */
export async function serveShopPage(
  { model: chosen, hasPlan = false, csp, answer }: ServerOptions = {},
  paths: string[] = [],
): Promise<Server> {
  const library = built('lib');
  const model = await folderOf(await (hasPlan ? plannedModel(chosen) : smallModel(chosen)));
  const fileOf = (path: string): string | Uint8Array | undefined => {
    if (path === '/') return PAGE;
    if (path === '/shop.js') return SHOP;
    if (path.startsWith('/model/')) return model.get(path.slice('/model/'.length));
    if (!path.startsWith('/lib/')) return undefined;
    const { pathname, searchParams } = new URL(path, 'http://localhost');
    try {
      const file = readFileSync(join(library, pathname.slice('/lib/'.length)));
      return searchParams.has('first') ? `${searchParams.get('first')};\n${file}` : file;
    } catch {
      return undefined;
    }
  };
  return listen((request, response) => {
    const path = request.url!;
    paths.push(path);
    const instead = answer?.(path);
    if (instead === 'never') return;
    const body = instead?.body ?? fileOf(path);
    response.writeHead(instead?.status ?? (body === undefined ? 404 : 200), {
      'content-type': instead?.type ?? TYPES[extname(path.split('?')[0]!)] ?? 'application/octet-stream',
      'cache-control': instead ? 'no-store' : 'max-age=3600',
      ...(csp && { 'content-security-policy': csp }),
    });
    response.end(body);
  });
}

/** What a shop gives that stores, and whose backend is not what a test is about. */
export const STORING = { backend: 'wasm', consent: 'granted' } as const;

/** Opens the page in a context and starts the recommender. */
export async function openShopPage(
  context: BrowserContext,
  server: Server,
  options: PageOptions = {},
): Promise<ShopPage> {
  const { inPage = [], first, inWorker, recommender, clicks = [], now, acknowledged, prepare } = options;
  const page = await context.newPage();
  if (acknowledged) await page.exposeFunction('acknowledged', acknowledged);
  await page.addInitScript(() => {
    const thrown: string[] = [];
    Object.assign(globalThis, { thrown });
    addEventListener('error', ({ message }) => thrown.push(`error: ${message}`));
    addEventListener('unhandledrejection', ({ reason }) => thrown.push(`rejection: ${reason}`));
  });
  for (const script of inPage) await page.addInitScript(script);
  if (prepare) await prepare(page, await context.newCDPSession(page));
  await page.goto(`${originOf(server)}/`);
  await page.waitForFunction(() => 'start' in globalThis);
  if (first !== undefined) await page.evaluate(`${first}; 0`);
  const script = typeof inWorker === 'function' ? `(${inWorker})()` : inWorker;
  const workerUrl = `/lib/worker.js?first=${encodeURIComponent(script ?? '')}`;
  await page.evaluate(([settings, tracked, time]) => (globalThis as unknown as Hooks).start(settings, tracked, time), [
    { ...(script !== undefined && { workerUrl }), ...recommender } as Partial<RecommenderOptions>,
    clicks,
    now,
  ] as const);
  return {
    page,
    status: () => page.evaluate(() => (globalThis as unknown as Hooks).recommender.status),
    track: (...itemIds) =>
      page.evaluate((ids) => {
        for (const id of ids) (globalThis as unknown as Hooks).recommender.track(id);
      }, itemIds),
    ask: () => page.evaluate(() => (globalThis as unknown as Hooks).ask()),
    known: () =>
      page.evaluate(async () => {
        const { sessions } = await (globalThis as unknown as Hooks).recommender.privacy.export();
        return sessions.flat().map(({ itemId }) => itemId);
      }),
    thrown: () => page.evaluate(() => (globalThis as unknown as Hooks).thrown),
    errors: () => page.evaluate(() => (globalThis as unknown as Hooks).errors),
  };
}

export interface ShopVisit extends BrowserAndServer<Server> {
  readonly context: BrowserContext;
}

/** A browser and the shop's server for the tests of one file, with a fresh context for each test. */
export function shopVisit(options?: ServerOptions): ShopVisit {
  const shared = browserAndServer(() => serveShopPage(options)) as { -readonly [K in keyof ShopVisit]: ShopVisit[K] };
  beforeEach(async () => {
    shared.context = await shared.browser.newContext();
  });
  return shared;
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
    for (const server of servers) closeServer(server);
    others.clear();
    servers.clear();
  });
  afterAll(() => browser?.close());

  return {
    /** A page that has tracked the session "a repeat". */
    async opened({ after, ...options }: ShopPageOptions = {}, where = browser): Promise<ServedPage> {
      const paths: string[] = [];
      const server = after?.server ?? (await serveShopPage(options, paths));
      servers.add(server);
      const clicks = after ? [] : SESSION;
      const context = after?.context ?? (await where.newContext());
      return { ...(await openShopPage(context, server, { clicks, now: NOW * 1000, ...options })), server, paths };
    },
    /** Another browser: one in which a GPU has crashed is not what it was. */
    async anotherBrowser(): Promise<Browser> {
      const other = await launchChromium();
      others.add(other);
      return other;
    },
  };
}

const SESSION = SESSIONS['a repeat']!.map(({ itemId }, t) => ({ itemId, time: (NOW - 600 + 90 * t) * 1000 }));
const RIGHT: readonly string[] = answers['a repeat'].map(({ itemId }) => itemId);

/** Asks, and wants the answer that Node gives. */
export async function expectRight(shop: ShopPage): Promise<void> {
  const answer = await shop.ask();
  expect(Array.isArray(answer) ? answer.map(({ itemId }) => itemId) : answer).toEqual(RIGHT);
}

export const deleteWorker = (): void => void delete (globalThis as { Worker?: unknown }).Worker;
