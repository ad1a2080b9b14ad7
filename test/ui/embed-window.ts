/** Plain HTML pages with the built `embed.js` and the demo's model, in a real browser, and a log of what they request. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { type Mount, staticServer } from '../../src/cli/static-server';
import { built, ROOT } from '../build/built';
import { type LoggedRequest, logRequests } from '../demo/shop-window';

export const SCRIPT = '<script type="module" src="/aisle/embed.js" data-model-url="/models/demo/"></script>';
export const SLOT = '<aisle-recommendations></aisle-recommendations>';

/** A page of a shop: three products, and what a test adds. */
export function html(body: string, head = SCRIPT): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A shop</title>
<link rel="icon" href="data:,">${head}</head>
<body><main><h1>A shop</h1><ul><li><a href="/p/1">One</a></li><li><a href="/p/2">Two</a></li><li><a href="/p/3">Three</a></li></ul>
${body}</main></body></html>`;
}

export interface EmbedServer {
  readonly origin: string;
  /** Serves a page at a path from now on. */
  serve(path: string, text: string, type?: string): void;
  close(): void;
}

/** @param headers Added to every answer, such as a content security policy. */
export async function serveEmbed(headers: Readonly<Record<string, string>> = {}): Promise<EmbedServer> {
  const mounts: Mount[] = [
    { path: '/aisle/', folder: await built('embed') },
    { path: '/models/demo/', folder: join(ROOT, 'public/models/demo') },
  ];
  const server = createServer((request, response) => staticServer(mounts, headers).emit('request', request, response));
  await new Promise<void>((open) => server.listen(0, '127.0.0.1', open));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://localhost:${port}`,
    serve(path, text, type = 'text/html; charset=utf-8') {
      const at = mounts.findIndex((mount) => mount.path === path);
      mounts.splice(at < 0 ? mounts.length : at, at < 0 ? 0 : 1, { path, text, type });
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

export interface EmbedWindow {
  readonly page: Page;
  readonly requests: LoggedRequest[];
  /** Errors that reached the window, rejections nobody handled, and what the console reports as an error. */
  readonly errors: string[];
  readonly warnings: string[];
}

/** Opens a page of the server in a fresh context. */
export async function openEmbed(
  browser: Browser,
  address: string,
  options: BrowserContextOptions = {},
  prepare: (page: Page) => Promise<unknown> = async () => {},
): Promise<EmbedWindow> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-GB', ...options });
  const page = await context.newPage();
  const errors: string[] = [];
  const warnings: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
    if (message.type() === 'warning') warnings.push(message.text());
  });
  const requests = await logRequests(await context.newCDPSession(page));
  await prepare(page);
  await page.goto(address);
  return { page, requests, errors, warnings };
}
