/** A shop's pages in the browsers of three engines, with the built library or the built tag. */
import { join } from 'node:path';
import { afterAll, expect, onTestFinished } from 'vitest';
import type { createRecommender, Recommender, RecommenderOptions } from '../../src/index';
import type {} from '../../src/ui/embed';
import { built, ROOT } from '../build/built';
import { type EmbedServer, html, STOCK, serveEmbed } from '../ui/embed-window';
import type { Browser, BrowserEngine, BrowserOptions, Tab } from './browsers';

/** What the page holds for the test. */
interface Shop {
  /** Ends the newest worker as a fault of its script does. */
  failWorker(): void;
  /** For each worker that the page started: how often it said `ready`, and how many answers each call got. */
  readonly workers: { ready: number; answers: Record<number, number> }[];
  /** Errors that nobody handled, and what the console was notices. */
  readonly complaints: string[];
  createRecommender?: typeof createRecommender;
  recommender?: Recommender;
  /** The recommender's clock, in milliseconds since 1970. Default: that of the device. */
  now?: number;
}

declare global {
  interface Window {
    shop: Shop;
  }
}

/** Runs in the page before every other script. */
function record(): void {
  let newest: Worker | undefined;
  const shop: Shop = {
    workers: [],
    complaints: [],
    failWorker: () => void newest!.dispatchEvent(new ErrorEvent('error', { message: 'planted', cancelable: true })),
  };
  window.shop = shop;
  addEventListener('error', ({ message }) => shop.complaints.push(message));
  addEventListener('unhandledrejection', ({ reason }) => shop.complaints.push(String(reason)));
  for (const level of ['error', 'warn'] as const) console[level] = (...words) => shop.complaints.push(words.join(' '));
  window.Worker = class extends Worker {
    constructor(...start: ConstructorParameters<typeof Worker>) {
      super(...start);
      newest = this;
      const worker: Shop['workers'][number] = { ready: 0, answers: {} };
      shop.workers.push(worker);
      this.addEventListener('message', ({ data }) => {
        if ('ready' in data) worker.ready++;
        if ('result' in data || 'error' in data) worker.answers[data.id] = (worker.answers[data.id] ?? 0) + 1;
      });
    }
  };
}

export const RECORD = `<script nonce="shop">(${record})()</script>`;
/** Who saves data tries no other backend. */
export const SAVING = "<script>Object.defineProperty(navigator, 'connection', { value: { saveData: true } })</script>";
export const LIBRARY = `<script type="module">
  import { createRecommender } from '/lib/index.js';
  window.shop.createRecommender = createRecommender;
</script>`;

const browsers = new Map<string, Promise<Browser>>();
afterAll(async () => {
  for (const starting of browsers.values()) await (await starting.catch(() => undefined))?.close();
});

interface ShopOptions {
  /** Sent with every file. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Further folders by their path. */
  readonly folders?: Readonly<Record<string, string>>;
  /** Default: a browser of this kind that all tests share. */
  readonly browser?: BrowserOptions;
}

export interface OpenedShop {
  readonly tab: Tab;
  readonly openTab: () => Promise<Tab>;
  readonly server: EmbedServer;
}

const origins = new Set<string>();

/** At an origin that no test before has had: the system gives ports again, and the browser keeps what was stored there. */
async function serveNew(...files: Parameters<typeof serveEmbed>): Promise<EmbedServer> {
  const server = await serveEmbed(...files);
  onTestFinished(() => server.close());
  if (origins.has(server.origin)) return serveNew(...files);
  origins.add(server.origin);
  return server;
}

/** Opens a page of a shop with an origin, and so a storage, of its own. */
export async function openShop(
  engine: BrowserEngine,
  head: string,
  body = '',
  { headers, folders, browser: chosen = {} }: ShopOptions = {},
): Promise<OpenedShop> {
  const key = JSON.stringify([engine.name, chosen]);
  const browser = browsers.get(key) ?? engine.start(chosen);
  browsers.set(key, browser);
  const all = { '/lib/': built('lib'), '/models/': join(ROOT, 'public/models'), ...folders };
  const server = await serveNew(all, headers);
  server.serve('/', html(body, RECORD + head));
  const openTab = async () => {
    const tab = await (await browser).open(server.origin);
    onTestFinished(() => tab.close());
    return tab;
  };
  return { tab: await openTab(), openTab, server };
}

/** Starts the library in a page that has it. */
export async function createIn(tab: Tab, options: Partial<RecommenderOptions>): Promise<void> {
  await expect.poll(() => tab.evaluate(() => window.shop.createRecommender !== undefined)).toBe(true);
  await tab.evaluate(
    async (chosen) => {
      const { shop } = window;
      shop.recommender = await shop.createRecommender!({ ...chosen, now: () => shop.now ?? Date.now() });
    },
    { modelUrl: '/models/demo/', backend: 'wasm', ...options } as const,
  );
}

export const statusOf = (tab: Tab) => tab.evaluate(() => window.shop.recommender!.status);

/** Expects that nothing is degraded, and that one engine runs in each worker: two would both be ready, and both answer. */
export async function expectWell(tab: Tab): Promise<void> {
  await expect.poll(async () => (await statusOf(tab)).engine?.thread).toBe('worker');
  expect((await statusOf(tab)).degraded).toEqual([]);
  const { workers, complaints } = await tab.evaluate(() => window.shop);
  expect(complaints).toEqual([]);
  expect(workers.length).toBeGreaterThan(0);
  for (const { ready, answers } of workers) {
    expect(ready, 'messages that say `ready`').toBe(1);
    expect(
      Object.values(answers).filter((times) => times > 1),
      'calls that were answered twice',
    ).toEqual([]);
  }
}

/** What another engine must compute: the same, and numbers within 5e-6. */
export const nearly = (value: unknown): unknown => {
  if (typeof value === 'number') return expect.closeTo(value, 5);
  if (Array.isArray(value)) return value.map(nearly);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, nearly(part)]));
};

export const ids = (...places: readonly number[]): string[] => places.map((place) => STOCK[place % STOCK.length]!.id);
