/** The built demo shop in a real browser, and a log of every request that it causes. */
import type { Server } from 'node:http';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { startDemo } from '../../src/cli/commands/demo';
import { built } from '../build/built';
import { originOf } from '../server';
import { browserAndServer } from '../shared-chromium';
import { settled } from './views';

export interface LoggedRequest {
  readonly method: string;
  readonly url: string;
  readonly body: boolean;
  /** The page's own thread or one of its workers. */
  readonly from: 'page' | 'worker';
}

/** The shop on a backend that it names: no other is tried beside it, which in software takes most of a page's time. */
export const NAMED = '?backend=plan';

export interface ShopWindow {
  readonly page: Page;
  readonly origin: string;
  /** Requests so far, as the browser reports them; what is inside a `data:` address is none. */
  readonly requests: LoggedRequest[];
  /** Errors of the page and of its console. */
  readonly errors: string[];
}

/** Serves the built page; close what it returns. */
export async function serveShop(options: Parameters<typeof startDemo>[0] = {}): Promise<Server> {
  return startDemo({ port: 0, ...options }, built('page'));
}

export interface WindowOptions {
  /** What follows the `/`: `?backend=cpu#/cart`. Default: nothing. */
  readonly address?: string;
  readonly context?: BrowserContextOptions;
  /** Called before the page is loaded. */
  readonly prepare?: (page: Page) => Promise<unknown>;
}

/** Opens the shop in a fresh context and waits until the model has answered once. */
export async function openShopWindow(
  browser: Browser,
  server: Server,
  { address = '', context: chosen = {}, prepare = async () => {} }: WindowOptions = {},
): Promise<ShopWindow> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-GB', ...chosen });
  const page = await context.newPage();
  const origin = originOf(server);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  const requests = await logRequests(page);
  await prepare(page);
  await page.goto(`${origin}/${address}`);
  await settled(page);
  return { page, origin, requests, errors };
}

/** Opens windows for the tests of one file, on a named backend unless the test gives another address. */
export function shopWindows() {
  const shared = browserAndServer(serveShop);
  const open = (options?: WindowOptions) =>
    openShopWindow(shared.browser, shared.server, { address: NAMED, ...options });
  return Object.assign(shared, { open });
}

/**
 * Listens to the page's network domain, and to Playwright for what workers ask for: a second session that attaches to a
 * worker may come after the worker has started, and then misses requests.
 */
export async function logRequests(page: Page): Promise<LoggedRequest[]> {
  const session = await page.context().newCDPSession(page);
  const requests: LoggedRequest[] = [];
  const ofPage = new Map<string, number>(); // requests of the page that Playwright has still to report
  session.on('Network.requestWillBeSent', ({ request: { method, url, hasPostData } }) => {
    if (url.startsWith('data:')) return;
    requests.push({ from: 'page', method, url, body: hasPostData === true });
    ofPage.set(url, (ofPage.get(url) ?? 0) + 1);
  });
  session.on('Network.webSocketCreated', ({ url }) =>
    requests.push({ from: 'page', method: 'WEBSOCKET', url, body: false }),
  );
  page.on('request', async (request) => {
    const url = request.url();
    if (url.startsWith('data:')) return;
    await session.send('Network.enable').catch(() => {}); // what the page has asked for is known after this answer
    const expected = ofPage.get(url) ?? 0;
    if (expected > 0) ofPage.set(url, expected - 1);
    else requests.push({ from: 'worker', method: request.method(), url, body: request.postDataBuffer() !== null });
  });
  await session.send('Network.enable');
  return requests;
}
