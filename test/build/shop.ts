/** A shop that has installed the package, and what its page gets of it in Chromium. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import type { Browser } from 'playwright-core';
import { expect } from 'vitest';
import { pack } from '../../src/build/release';
import { folderOf, plannedModel } from '../engine/fixture';
import { listen } from '../server';
import { countReady } from '../worker/ready';

/** The library, or with `?entry=element` the elements, with the options of the page's address. */
const SHOP = `
const { entry, ...given } = Object.fromEntries(new URLSearchParams(location.search));
const options = { modelUrl: '/model/', ...given };
const recommender = entry === 'element'
  ? await (await import('aisle/element')).start({ ...options, learn: 'manual' })
  : await (await import('aisle')).createRecommender(options);
for (const item of ['item-9', 'item-3', 'item-9']) recommender.track(item);
const items = await recommender.recommend({ k: 5 });
await recommender.fineTune();
const { engine, degraded } = recommender.status;
const codes = degraded.map(({ code }) => code);
globalThis.answer = { reasons: items.map(({ reason }) => reason), backend: engine.backend, thread: engine.thread, codes };
`;

/**
 * As strict as the docs/security-policy.md says that a policy may be.
 *
 * @param more Trusted Types of the shop's own bundler, and further sources.
 */
export const strictPolicy = ({ types = '', script = '', worker = "'self'" } = {}): string =>
  [
    "default-src 'self'",
    `script-src 'self' 'wasm-unsafe-eval' ${script}`,
    `connect-src 'self' ${script.replace("'unsafe-inline'", '')}`,
    `worker-src ${worker}`,
    "require-trusted-types-for 'script'",
    `trusted-types aisle ${types}`,
  ].join('; ');

/** @returns Its folder, with an entry `shop.js`, a page, and the model in `public`. */
export async function makeShop(): Promise<string> {
  const shop = mkdtempSync(join(tmpdir(), 'aisle-shop-'));
  const { tarball } = await pack(shop);
  const installed = join(shop, 'node_modules/aisle');
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['xzf', tarball, '-C', installed, '--strip-components=1']);
  writeFileSync(join(shop, 'package.json'), JSON.stringify({ type: 'module', dependencies: { aisle: '*' } }));
  writeFileSync(join(shop, 'index.html'), '<!doctype html><script type="module" src="/shop.js"></script>');
  writeFileSync(join(shop, 'shop.js'), SHOP);
  mkdirSync(join(shop, 'public/model'), { recursive: true });
  for (const [name, bytes] of await folderOf(await plannedModel()))
    writeFileSync(join(shop, 'public/model', name), bytes);
  return shop;
}

/** The library, as it is installed there. */
export const libraryOf = (shop: string): string => join(shop, 'node_modules/aisle/dist/lib');

/** Puts the model beside what a bundler has written, and the library under `/aisle`. */
export function complete(shop: string, site: string, html?: string): void {
  cpSync(join(shop, 'public'), site, { recursive: true });
  cpSync(libraryOf(shop), join(site, 'aisle'), { recursive: true });
  if (html !== undefined) writeFileSync(join(site, 'index.html'), html);
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

/** Serves a folder. */
export const serveSite = (site: string, headers: Readonly<Record<string, string>>): Promise<Server> =>
  listen(({ url = '/' }, response) => {
    const { pathname } = new URL(url, 'http://localhost');
    const path = join(site, pathname.endsWith('/') ? `${pathname}index.html` : pathname);
    if (!existsSync(path)) return void response.writeHead(404).end();
    const type = TYPES[extname(path)] ?? 'application/octet-stream';
    response.writeHead(200, { 'content-type': type, ...headers }).end(readFileSync(path));
  });

/** What a page has got of its recommender, how often a worker said that it is ready, and what could not be loaded. */
export interface Visit {
  readonly answer: { reasons: string[]; backend: string; thread: string; codes: string[] };
  readonly ready: number;
  readonly missing: readonly string[];
  /** Warnings and errors. */
  readonly console: readonly string[];
  /** Of scripts and WASM, as they are before a server compresses them. */
  readonly bytes: number;
}

export async function visit(browser: Browser, url: string, query: Readonly<Record<string, string>>): Promise<Visit> {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const missing: string[] = [];
    const lines: string[] = [];
    const sizes: Promise<number>[] = [];
    context.on('response', (response) => {
      if (response.status() >= 400) missing.push(new URL(response.url()).pathname);
      else if (/\.(js|mjs|wasm)(\?|$)/.test(response.url())) sizes.push(response.body().then(({ length }) => length));
    });
    page.on('console', (message) => /warning|error/.test(message.type()) && lines.push(message.text()));
    page.on('pageerror', (error) => lines.push(String(error)));
    await page.addInitScript(countReady);
    await page.goto(`${url}?${new URLSearchParams(query)}`);
    await page.waitForFunction(() => 'answer' in globalThis).catch((error) => expect(lines, String(error)).toEqual([]));
    const [answer, ready] = (await page.evaluate('[answer, readies]')) as [Visit['answer'], number];
    const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    return { answer, ready, missing: missing.filter((path) => !/favicon/.test(path)), console: lines, bytes };
  } finally {
    await context.close();
  }
}

/** The ways in which every shop is visited. */
export const WAYS = [
  { entry: 'library', backend: 'plan' },
  { entry: 'library', backend: 'wasm' },
  { entry: 'element', backend: 'plan' },
] as const;

/** Expects that the worker computes, once, and that nothing is missing. */
export async function expectWorker(
  browser: Browser,
  url: string,
  options: Record<string, string> = {},
): Promise<Visit[]> {
  const visits: Visit[] = [];
  for (const way of WAYS) {
    const { console: lines, bytes, ...rest } = await visit(browser, url, { ...way, ...options });
    expect({ ...rest, lines }, JSON.stringify(way)).toEqual({
      answer: { reasons: Array(5).fill('neural'), backend: way.backend, thread: 'worker', codes: [] },
      ready: 1,
      missing: [],
      lines: [],
    });
    visits.push({ ...rest, console: lines, bytes });
  }
  return visits;
}
