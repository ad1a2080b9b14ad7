/** The built demo shop in a real browser, and a log of every request that it causes. */
import type { Server } from 'node:http';
import type { Browser, BrowserContextOptions, CDPSession, Page } from 'playwright-core';
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
export const NAMED = '?backend=wasm';

export interface ShopWindow {
  readonly page: Page;
  readonly origin: string;
  /** Requests so far, as the devtools protocol reports them; what is inside a `data:` address is none. */
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
  const requests = await logRequests(await context.newCDPSession(page));
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

/** Listens to the page's network domain and, as each worker starts, to the worker's. */
export async function logRequests(session: CDPSession): Promise<LoggedRequest[]> {
  const requests: LoggedRequest[] = [];
  const log = (
    from: 'page' | 'worker',
    { method, url, hasPostData }: { method: string; url: string; hasPostData?: boolean },
  ) => {
    if (!url.startsWith('data:')) requests.push({ from, method, url, body: hasPostData === true });
  };
  session.on('Network.requestWillBeSent', ({ request }) => log('page', request));
  session.on('Network.webSocketCreated', ({ url }) => log('page', { method: 'WEBSOCKET', url }));
  session.on('Target.attachedToTarget', async ({ sessionId }) => {
    for (const [id, method] of ['Network.enable', 'Runtime.runIfWaitingForDebugger'].entries()) {
      const message = JSON.stringify({ id, method });
      await session.send('Target.sendMessageToTarget', { sessionId, message }).catch(() => {}); // a worker that is gone
    }
  });
  session.on('Target.receivedMessageFromTarget', ({ message }) => {
    const { method, params } = JSON.parse(message) as { method?: string; params?: { request: LoggedRequest } };
    if (method === 'Network.requestWillBeSent' && params) log('worker', params.request);
  });
  await session.send('Network.enable');
  await session.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: true, flatten: false });
  return requests;
}
