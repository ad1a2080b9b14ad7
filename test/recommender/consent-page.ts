/** A shop's page with consent platforms as they are found on the web: their own scripts, good and bad. */
import type { Server } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import type { BrowserContext, Page } from 'playwright-core';
import { expect } from 'vitest';
import type { ConsentWords, Recommender, RecommenderOptions } from '../../src/index';
import { decode } from '../../src/store/record-reader';
import { EVENTS, type StoredEvent } from '../../src/store/records';
import { openShopPage, type ShopPage } from '../engine/shop-page';
import { NOTHING, storedIn } from '../privacy/stored';

/** What the platforms' scripts leave in the page. */
export interface Platforms {
  recommender: Recommender;
  dataLayer?: unknown[];
  gtag(...command: unknown[]): void;
  /** The TCF's platform: a stub first, which keeps questions until the platform is loaded, if it ever is. */
  cmp: {
    stub(): void;
    load(): void;
    /** Answers every listener. */
    say(data: object | null, success?: boolean): void;
    readonly listeners: Map<number, unknown>;
  };
}

/** The scripts that platforms tell pages to copy into their heads. */
const PLATFORMS = `
globalThis.gtag = function () { (globalThis.dataLayer ||= []).push(arguments); };
globalThis.cmp = {
  queue: [], listeners: new Map(), last: undefined, next: 1,
  stub() { globalThis.__tcfapi = (...call) => void this.queue.push(call); },
  load() {
    globalThis.__tcfapi = (command, version, callback, parameter) => {
      if (command === 'addEventListener') {
        const id = this.next++;
        this.listeners.set(id, callback);
        if (this.last) callback({ ...this.last, listenerId: id }, true);
      }
      if (command === 'removeEventListener') callback(this.listeners.delete(parameter));
    };
    for (const call of this.queue.splice(0)) globalThis.__tcfapi(...call);
  },
  say(data, success = true) {
    this.last = data;
    for (const [listenerId, callback] of this.listeners) {
      callback(data && Object.assign(Object.create(data), { listenerId }), success);
    }
  },
};
`;

/** What a platform says of these purposes. */
export const tcData = (eventStatus: string, purposes: readonly number[], gdprApplies: unknown = true) => ({
  tcfPolicyVersion: 4,
  gdprApplies,
  eventStatus,
  cmpStatus: 'loaded',
  purpose: { consents: Object.fromEntries(Array.from({ length: 11 }, (_, i) => [i + 1, purposes.includes(i + 1)])) },
});

export interface ConsentPage {
  readonly shop: ShopPage;
  readonly page: Page;
  /** Runs one of the platforms' or the page's own commands. */
  run(command: string): Promise<void>;
  /** What `status` says. */
  words(): Promise<{ readonly consent: string; readonly consentBy: ConsentWords }>;
}

/** Options of the recommender, and commands of the page that run before it starts. */
export type ConsentPageOptions = [options?: Partial<RecommenderOptions>, before?: string];

export async function openConsentPage(
  context: BrowserContext,
  server: Server,
  ...[options = {}, before = '']: ConsentPageOptions
): Promise<ConsentPage> {
  const shop = await openShopPage(context, server, {
    first: `${PLATFORMS}; ${before}`,
    recommender: { backend: 'wasm', consent: 'auto', ...options },
  });
  const { page } = shop;
  return {
    shop,
    page,
    run: (command) => page.evaluate(`(async () => { ${command}; })()`),
    words: () =>
      page.evaluate(() => {
        const { consent, consentBy } = (globalThis as unknown as Platforms).recommender.status;
        return { consent, consentBy };
      }),
  };
}

/** Ids of the items in the stored records, oldest first; undefined where the origin stores nothing at all. */
export async function storedIds(page: Page): Promise<string[] | undefined> {
  const stored = await storedIn(page);
  if (isDeepStrictEqual(stored, NOTHING)) return undefined;
  expect({ ...stored, indexedDB: [] }, 'what is stored is in a database').toEqual(NOTHING);
  return stored.indexedDB
    .filter(([name]) => name.startsWith(`aisle/records/"${EVENTS}`))
    .flatMap(([, value]) => decode(JSON.parse(value)) as readonly StoredEvent[])
    .sort((a, b) => a.time - b.time || a.number - b.number)
    .map(({ itemId }) => itemId);
}
