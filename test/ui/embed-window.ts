/** Plain HTML pages with the built `embed.js` and the demo's model, in a real browser, and a log of what they request. */
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { type Mount, staticServer } from '../../src/cli/static-server';
import type {} from '../../src/ui/embed';
import { built, ROOT } from '../build/built';
import { type LoggedRequest, logRequests } from '../demo/shop-window';
import { closeServer, listen, originOf } from '../server';
import { browserAndServer } from '../shared-chromium';

export const SCRIPT = '<script type="module" src="/aisle/embed.js" data-model-url="/models/demo/"></script>';
/** The same on a named backend: no other is tried once the first answer is there, so that requests can be counted. */
export const SETTLED = SCRIPT.replace('data-', 'data-backend="plan" data-');
export const SLOT = '<aisle-recommendations></aisle-recommendations>';

const MANUAL = readFileSync(join(ROOT, 'docs/embed.md'), 'utf8');

/** The style by which the manual tells a shop to reserve an element's place. */
export const reserving = (element: string): string => MANUAL.match(`<style>\\s*${element}[^<]*</style>`)![0];

/** A page of a shop: three products, and what a test adds. */
export function html(body: string, head = SCRIPT): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A shop</title>
<link rel="icon" href="data:,">${head}</head>
<body><main><h1>A shop</h1><ul><li><a href="/p/1">One</a></li><li><a href="/p/2">Two</a></li><li><a href="/p/3">Three</a></li></ul>
${body}</main></body></html>`;
}

export interface EmbedServer {
  readonly origin: string;
  readonly server: Server;
  /** Every request so far, `METHOD path`, as it arrived: of pages and of their workers. */
  readonly requests: string[];
  /** Serves a text at a path from now on. */
  serve(path: string, text: string, type?: string): void;
  close(): void;
}

/**
 * @param folders Further folders by their path, such as that of a model.
 * @param headers Added to every answer, such as a content security policy.
 */
export async function serveEmbed(
  folders: Readonly<Record<string, string>> = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<EmbedServer> {
  const mounts: Mount[] = [
    { path: '/aisle/', folder: built('embed') },
    { path: '/models/demo/', folder: join(ROOT, 'public/models/demo') },
    ...Object.entries(folders).map(([path, folder]) => ({ path, folder })),
  ];
  const requests: string[] = [];
  const server = await listen((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    staticServer(mounts, headers).emit('request', request, response);
  });
  return {
    origin: originOf(server),
    server,
    requests,
    serve(path, text, type = 'text/html; charset=utf-8') {
      const at = mounts.findIndex((mount) => mount.path === path);
      mounts.splice(Math.max(at, 0), at < 0 ? 0 : 1, { path, text, type }); // before the folders
    },
    close: () => closeServer(server),
  };
}

export interface EmbedWindow {
  readonly page: Page;
  readonly requests: LoggedRequest[];
  /** Errors that reached the window, rejections nobody handled, and what the console reports as an error. */
  readonly errors: string[];
  readonly warnings: string[];
}

export interface OpenOptions {
  /** What stands in the page's head. Default: the tag, on a named backend. */
  readonly head?: string;
  readonly context?: BrowserContextOptions;
  /** Called before the page is loaded. */
  readonly prepare?: (page: Page) => Promise<unknown>;
  /** What is waited for. Default: the page's `load`. */
  readonly until?: 'load' | 'commit';
}

/** Lets a file of a page come when the test says so. */
export function held(path: string) {
  let release = () => {};
  const until = new Promise<void>((resolve) => {
    release = resolve;
  });
  const hold = (page: Page) =>
    page.route(path, async (route) => {
      await until;
      await route.continue();
    });
  return { hold, release };
}

let pages = 0;

/** Opens a page with this body in a fresh context; close that in the end. */
export async function openEmbed(
  browser: Browser,
  server: EmbedServer,
  body: string,
  { head = SETTLED, context: chosen = {}, prepare = async () => {}, until = 'load' }: OpenOptions = {},
): Promise<EmbedWindow> {
  const path = `/page-${++pages}.html`;
  server.serve(path, html(body, head));
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-GB', ...chosen });
  const page = await context.newPage();
  const errors: string[] = [];
  const warnings: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
    if (message.type() === 'warning') warnings.push(message.text());
  });
  const requests = await logRequests(page);
  await prepare(page);
  await page.goto(server.origin + path, { waitUntil: until });
  return { page, requests, errors, warnings };
}

/** Opens pages for the tests of one file, in the shared browser and on a server of theirs. */
export function embedPages(serve: () => Promise<EmbedServer> = serveEmbed) {
  const shared = browserAndServer(serve);
  const open = (body: string, options?: OpenOptions) => openEmbed(shared.browser, shared.server, body, options);
  return Object.assign(shared, { open });
}

export interface Product {
  readonly id: string;
  readonly title: string;
  readonly url: string;
  readonly availability: string;
}

/** The demo's catalogue, and what of it is in stock. */
export const CATALOGUE = JSON.parse(
  readFileSync(join(ROOT, 'public/models/demo/catalogue.json'), 'utf8'),
) as readonly Product[];
export const STOCK = CATALOGUE.filter(({ availability }) => availability === 'in stock');

/** Waits until a slot shows suggestions. */
export const ready = (page: Page, selector = 'aisle-recommendations') =>
  page.locator(`${selector}[data-aisle-state=ready]`).first().waitFor();

/** Ids of the products that a slot shows. */
export const shown = (page: Page, selector = 'aisle-recommendations') =>
  page.locator(`${selector} a`).evaluateAll((links) => links.map((link) => link.getAttribute('data-item-id') ?? ''));

export const push = (page: Page, ...command: unknown[]) =>
  page.evaluate((entry) => {
    window.aisle ||= [];
    window.aisle.push(entry as never); // wrong ones, too
  }, command);

/** The ids that the library itself recommends in that page. */
export const asked = (page: Page, request: object) =>
  page.evaluate(async (options) => {
    const recommender = await window.aisle!.ready;
    return (await recommender!.recommend(options)).map(({ itemId }) => itemId);
  }, request);

/** Every event that the recommender of that page knows, oldest first. */
export const known = (page: Page) =>
  page.evaluate(async () => {
    const { sessions } = await (await window.aisle!.ready)!.privacy.export();
    return sessions.flat().map(({ itemId, event }) => `${event} ${itemId}`);
  });
