/** A visitor of habits, whose recommender learns: in Node, with a real engine and IndexedDB. */
import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { promisifyRequest } from 'idb-keyval';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import type { CatalogueItem } from '../../src/checkpoint/artifact';
import type { Recommender, RecommenderOptions } from '../../src/index';
import { type Port, serve } from '../../src/worker/protocol';
import { createServedEngine } from '../../src/worker/served-engine';
import { type Folder, folderOf, IDS, smallModel } from '../engine/fixture';
import { servedModels } from './served-models';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** What the visitor looks at, in this order, every day. */
export const HABIT = ['item-20', 'item-31', 'item-9', 'item-44', 'item-27'];
const CATALOGUE: readonly CatalogueItem[] = IDS.map((id, k) => ({
  id,
  title: `Title of ${id}`,
  category: [k % 2 === 0 ? 'socks' : 'hats', `kind ${k % 3}`],
  brand: `brand ${k % 4}`,
}));

export function learningVisits() {
  /** A year's visits are learnt in plain JavaScript. */
  const config = { layers: '16' };
  const clock = { now: 1_700_000_000_000 };

  async function models(): Promise<Record<string, Folder>> {
    const shop = await smallModel({ config, catalogue: CATALOGUE });
    const next = await smallModel({ config, catalogue: CATALOGUE.slice(0, 40), seed: 2 });
    const other = await smallModel({ config, seed: 3 });
    return {
      small: await folderOf(shop),
      // The next release: other weights, the items in another order.
      next: await folderOf({ ...next, itemIds: [...IDS].reverse(), info: { ...next.info, version: '2.0.0' } }),
      // Nothing of it is known here.
      other: await folderOf({ ...other, itemIds: IDS.map((id) => `another ${id}`) }),
      unscaled: await folderOf(await smallModel({ config: { ...config, loss: 'bpr-max' }, scale: 'unknown' })),
      // It reads few clicks of a long history.
      attention: await folderOf(await smallModel({ architecture: 'sasrec', config: { maxlen: 20, hiddenUnits: 16 } })),
      counted: await folderOf(await smallModel({ architecture: 'pop' })),
    };
  }
  const { start, folders } = servedModels(models, () => clock.now);
  beforeEach(() => {
    globalThis.indexedDB = new IDBFactory();
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  const opened = (folder = 'small', options: Partial<RecommenderOptions> = {}): Promise<Recommender> =>
    start({ consent: 'granted', ...options }, folder);
  /** Tracks the habit on so many days. */
  async function follow(recommender: Recommender, days: number): Promise<void> {
    for (let day = 0; day < days; day++) {
      for (const itemId of HABIT) {
        recommender.track(itemId);
        clock.now += MINUTE;
      }
      clock.now += DAY;
    }
  }
  /** A visitor of so many days. */
  async function habitual(days = 6, options: Partial<RecommenderOptions> = {}): Promise<Recommender> {
    const recommender = await opened('small', options);
    await follow(recommender, days);
    return recommender;
  }
  return { clock, folders, opened, follow, habitual };
}

/** Gives Node workers whose engines are in this thread. @returns Lets the one that was started last crash. */
export function stubWorkers(): (why: string) => void {
  let crash = (_: string): void => {};
  class StubWorker extends EventTarget {
    readonly #port: MessagePort;
    readonly terminate: () => void;
    constructor() {
      super();
      const { port1, port2 } = new MessageChannel();
      const stop = serve(
        ({ artifact }) => createServedEngine({ simd: '', plain: '' }, artifact),
        port2 as unknown as Port,
      );
      this.#port = port1;
      this.terminate = () => {
        stop();
        port1.close();
      };
      port1.onmessage = ({ data }) => this.dispatchEvent(new MessageEvent('message', { data }));
      port2.start();
      crash = (message) => this.dispatchEvent(Object.assign(new Event('error'), { message }));
    }
    postMessage(message: unknown): void {
      this.#port.postMessage(message);
    }
  }
  vi.stubGlobal('Worker', StubWorker);
  vi.stubGlobal('location', { origin: 'https://shop.example', href: 'https://shop.example/' });
  vi.stubGlobal('origin', 'https://shop.example');
  return (why) => crash(why);
}

/** Ranks of the whole catalogue, after the first click of the habit. */
export async function ranking(recommender: Recommender): Promise<readonly string[]> {
  recommender.track({ itemId: HABIT[0]!, pageView: 'the test' });
  return (await recommender.recommend({ k: IDS.length })).map(({ itemId }) => itemId);
}

/** Every key in the database, where there is one. */
export async function storedKeys(): Promise<string[] | undefined> {
  if (!(await indexedDB.databases()).some(({ name }) => name === 'aisle')) return undefined;
  return (await inDatabase((store) => store.getAllKeys())).map(String);
}

/** The bytes of what was learnt. */
export const storedDelta = async (): Promise<Uint8Array> => (await inDatabase((store) => store.get('learnt'))).bytes;

/** Puts something else in their place, under the name that it has or, where none is left, another one. */
export async function replaceStored(value: unknown): Promise<void> {
  await inDatabase((store) => store.put('a name', 'learnt/name'));
  await inDatabase((store) => store.put(value, 'learnt'));
}

async function inDatabase<T>(ask: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const db = await promisifyRequest(indexedDB.open('aisle'));
  const answer = await promisifyRequest(ask(db.transaction('records', 'readwrite').objectStore('records')));
  db.close();
  return answer;
}

export const stores = (recommender: Recommender) =>
  expect.poll(() => recommender.status.storage, { timeout: 10_000, interval: 2 }).toBe('indexeddb');
