/**
 * Watches what a visit sends, from every side at once: the server that is asked, what its browser reports of the page and its
 * workers, their Resource Timing, the page's security policy, and the whole browser's network log; and says what of it
 * is not a GET of a file of the shop.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingHttpHeaders, IncomingMessage, Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page, type Worker } from 'playwright-core';
import { CHROMIUM_FLAGS, findChromium, NO_CHROMIUM } from '../chromium';
import { type LoggedRequest, logRequests } from '../demo/shop-window';
import { logFlags, type NetworkAct, readNetLog } from './net-log';
import type { Stored } from './stored';

/** The strictest policy under which a page can use the library. */
export const STRICT =
  "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; style-src 'self'; worker-src 'self'";
export const STRICT_WITH_WASM = STRICT.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'");

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  bytes: number;
}

/** What a shop serves, and what must not be said of its visitors. */
export interface Shop {
  readonly origin: string;
  /** Paths of its pages, scripts, models and catalogues, with the query that a file of a catalogue has. */
  readonly isFile: (path: string) => boolean;
  /** Ids of items and of the visitor. */
  readonly secrets: readonly string[];
}

export interface Evidence {
  /** What arrived at the server. */
  readonly received: readonly Received[];
  /** What the browser reports of the page and its workers. */
  readonly seen: readonly LoggedRequest[];
  /** What Resource Timing tells in the page and in its workers. */
  readonly timed: readonly string[];
  /** What the policy forbade, and what opens a connection without a request. */
  readonly reported: readonly string[];
  readonly stored: Stored;
}

/** Everything in the evidence that is not a GET of a file of the shop, one line each; nothing where nothing leaks. */
export function leaks({ received, seen, timed, reported, stored }: Evidence, shop: Shop): string[] {
  return [
    ...received.flatMap((request) => leaksOf(request, shop)),
    ...seen.flatMap((request) =>
      wrongRequest(`${request.from} requests`, request.url, request.method, request.body, shop),
    ),
    ...timed.flatMap((url) => wrongRequest('resource timing has', url, 'GET', false, shop)),
    ...reported,
    ...Object.entries(stored).flatMap(([area, entries]: [string, readonly unknown[]]) =>
      entries
        .map((entry) => (Array.isArray(entry) ? entry.join(' ') : String(entry)))
        .filter((entry) => area !== 'indexedDB' || !/^aisle[ /]/.test(entry))
        .map((entry) => `stored in ${area}: ${entry}`),
    ),
  ];
}

/** The same of the network log of a browser that has only visited these shops. */
export function leakedActs(acts: readonly NetworkAct[], shops: readonly Shop[]): string[] {
  return acts.flatMap(({ kind, address, method = 'GET', hasBody = false }) => {
    const shop = shops.find(({ origin }) => origin === new URL(address).origin);
    if (shop === undefined) return [`network log: ${kind} of ${address}`];
    return kind === 'request' ? wrongRequest('network log:', address, method, hasBody, shop) : [];
  });
}

function wrongRequest(what: string, address: string, method: string, hasBody: boolean, shop: Shop): string[] {
  const { origin, pathname, search, hash, protocol } = new URL(address);
  if (/^(data|blob):$/.test(protocol)) return [];
  const isRight = origin === shop.origin && hash === '' && shop.isFile(pathname + search);
  return isRight && method === 'GET' && !hasBody
    ? []
    : [`${what} ${method} ${address}${hasBody ? ' with a body' : ''}`];
}

/** What every browser sends of itself. */
const HEADERS =
  /^(host|connection|accept|accept-(encoding|language)|user-agent|sec-.*|referer|origin|cache-control|pragma|priority|upgrade-insecure-requests|if-(none-match|modified-since)|purpose)$/;

function leaksOf({ method, url, headers, bytes }: Received, shop: Shop): string[] {
  const found = wrongRequest('the server got', `${shop.origin}${url}`, method, bytes > 0, shop);
  const { referer } = headers;
  if (referer !== undefined) {
    const { origin, pathname, search } = new URL(referer);
    if (origin !== shop.origin || search !== '' || !shop.isFile(pathname)) found.push(`${url} refers to ${referer}`);
  }
  for (const [name, value] of Object.entries(headers)) {
    const text = String(value);
    const tells = shop.secrets.find((secret) => text.includes(secret) || decoded(text).includes(secret));
    if (!HEADERS.test(name) || tells !== undefined) found.push(`${url} with the header ${name}: ${text}`);
  }
  const named = shop.secrets.find((secret) => decoded(url).includes(secret));
  if (named !== undefined) found.push(`${url} names ${named}`);
  return found;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Keeps what arrives at a server from now on. */
export function receivedBy(server: Server): Received[] {
  const received: Received[] = [];
  server.prependListener('request', (request: IncomingMessage) => {
    const { method = '', url = '', headers } = request;
    const entry: Received = { method, url, headers, bytes: 0 };
    request.on('data', (chunk: Buffer) => {
      entry.bytes += chunk.length;
    });
    received.push(entry);
  });
  server.prependListener('upgrade', ({ method = '', url = '', headers }: IncomingMessage) => {
    received.push({ method: `${method} (${headers.upgrade})`, url, headers, bytes: 0 });
  });
  return received;
}

/** Gathers the evidence of one page, from before it is loaded. */
export async function watchPage(page: Page) {
  const reported: string[] = [];
  page.on('console', (message) => {
    const isOfPolicy = message.type() === 'error' && /Content Security Policy/i.test(message.text());
    if (isOfPolicy) reported.push(`the policy forbade: ${message.text().replace(/\s+/g, ' ')}`);
  });
  const workers: Worker[] = [];
  page.on('worker', (worker) => {
    workers.push(worker);
    worker.evaluate(rememberViolations).catch(() => {}); // it may end at once
  });
  page.on('popup', (popup) => reported.push(`a window was opened: ${popup.url()}`));
  await page.exposeFunction('reportLeak', (text: string) => void reported.push(text));
  await page.addInitScript(reportLeaks);
  const seen = await logRequests(page);
  return {
    reported,
    seen,
    /** Of the page and of the workers that run. What was forbidden to those is reported now. */
    async timed(): Promise<string[]> {
      const names = () => performance.getEntriesByType('resource').map(({ name }) => name);
      const forbidden = () => (globalThis as { forbidden?: string[] }).forbidden?.splice(0) ?? [];
      for (const worker of workers) reported.push(...(await worker.evaluate(forbidden).catch(() => [])));
      const inWorkers = workers.map((worker) => worker.evaluate(names).catch(() => [])); // one may have ended
      return (await Promise.all([page.evaluate(names), ...inWorkers])).flat();
    },
  };
}

/** Runs in a worker. */
function rememberViolations(): void {
  const forbidden: string[] = [];
  Object.assign(globalThis, { forbidden });
  addEventListener('securitypolicyviolation', (event) => {
    const { effectiveDirective, blockedURI } = event as SecurityPolicyViolationEvent;
    forbidden.push(`the policy forbade, in a worker, ${effectiveDirective}: ${blockedURI}`);
  });
}

/** Runs in the page before its scripts: what connects without a request is reported as it begins. */
function reportLeaks(): void {
  const { reportLeak } = globalThis as unknown as { reportLeak(text: string): void };
  addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) => {
    reportLeak(`the policy forbade ${effectiveDirective}: ${blockedURI}`);
  });
  for (const name of ['RTCPeerConnection', 'webkitRTCPeerConnection', 'WebTransport', 'WebSocket'] as const) {
    const scope = globalThis as unknown as Record<string, new (...args: unknown[]) => object>;
    const Channel = scope[name];
    if (Channel === undefined) continue;
    scope[name] = class extends Channel {
      constructor(...args: unknown[]) {
        reportLeak(`${name} ${JSON.stringify(args)}`);
        super(...args);
      }
    };
  }
}

export interface WatchedBrowser {
  readonly context: BrowserContext;
  /** Closes it, and tells what all of it did to the network. */
  close(): Promise<NetworkAct[]>;
}

/**
 * A browser with a profile of its own, since in a private window Chromium ignores hints to look up names and to connect,
 * and with nothing of the network switched off.
 */
export async function openWatchedBrowser(): Promise<WatchedBrowser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error(NO_CHROMIUM);
  const folder = mkdtempSync(join(tmpdir(), 'aisle-watched-'));
  const log = join(folder, 'network.json');
  const off = ['--disable-background-networking', '--no-pings'];
  const context = await chromium.launchPersistentContext(join(folder, 'profile'), {
    executablePath,
    args: [...CHROMIUM_FLAGS.filter((flag) => !off.includes(flag)), ...logFlags(log)],
    ignoreDefaultArgs: off,
  });
  return {
    context,
    async close() {
      await context.close();
      const acts = readNetLog(log);
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
      return acts;
    },
  };
}
