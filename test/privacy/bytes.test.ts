/**
 * Bad bytes: whatever a torn write, a bad disk or a script of the same origin leaves in the database, and whatever file is
 * imported, suggestions go on, `status` tells, and nothing is thrown into the page.
 */
import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { decodeDelta } from '../../src/checkpoint/delta-file';
import { RecommenderError } from '../../src/errors';
import { createRecommender, type Recommender } from '../../src/index';
import { random } from '../../src/session/random';
import { decode, encode } from '../../src/store/records';
import { mutated } from '../checkpoint/mutations';
import { IDS } from '../engine/fixture';
import { originOf, serveShopPage } from '../engine/shop-page';

/** In `npm test` a small part of what `npm run soak` does. */
const MUTATIONS = process.env['SOAK'] ? 10_000 : 500;
/** A key is derived for each, slowly on purpose. */
const FILES = MUTATIONS / 50;
const START = 1_700_000_000_000;
const PASSPHRASE = 'correct horse battery staple';

type Entry = readonly [key: string, value: unknown];

let modelUrl: string;
let close: () => void;
/** What a visit leaves behind, and its taste as a file. */
let intact: readonly Entry[];
let file: Uint8Array;
const thrown: unknown[] = [];
const onThrown = (error: unknown): void => void thrown.push(error);

beforeAll(async () => {
  const server = await serveShopPage();
  modelUrl = `${originOf(server)}/model/`;
  close = () => {
    server.close();
    server.closeAllConnections();
  };
  process.on('unhandledRejection', onThrown);
  process.on('uncaughtException', onThrown);
  globalThis.indexedDB = new IDBFactory();
  for (const visit of [0, 1, 2]) {
    const recommender = await opened(START + visit * 86_400_000);
    for (let n = 0; n < 4; n++) recommender.track(IDS[(visit * 17 + n * 5) % IDS.length]!);
    await recommender.privacy.export();
    await recommender.fineTune();
    file = await recommender.taste.export(PASSPHRASE);
    await recommender.dispose();
  }
  intact = await entries();
  expect(intact.map(([key]) => key.split('/')[0])).toEqual(expect.arrayContaining(['e', 'epoch', 'learnt']));
});
beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(onThrown);
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => {
  process.off('unhandledRejection', onThrown);
  process.off('uncaughtException', onThrown);
  close?.();
});

const opened = (now: number): Promise<Recommender> =>
  createRecommender({ modelUrl, backend: 'cpu', consent: 'granted', history: 'all', now: () => now });

/** One transaction by plain IndexedDB, on the records of a database that may not be there yet. */
async function raw<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>[]): Promise<T[]> {
  const opening = indexedDB.open('aisle');
  opening.onupgradeneeded = () => opening.result.createObjectStore('records');
  const database = await settled(opening);
  const results = await Promise.all(work(database.transaction('records', mode).objectStore('records')).map(settled));
  database.close();
  return results;
}
const settled = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

async function entries(): Promise<Entry[]> {
  const [keys] = await raw('readonly', (store) => [store.getAllKeys()]);
  const [values] = await raw<unknown[]>('readonly', (store) => [store.getAll()]);
  return keys!.map((key, i) => [String(key), values![i]]);
}

async function databaseOf(records: readonly Entry[]): Promise<void> {
  globalThis.indexedDB = new IDBFactory();
  await raw('readwrite', (store) => records.map(([key, value]) => store.put(value, key)));
}

/** A value that is damaged, is of another kind, or is well formed and means nonsense. */
function damaged(value: unknown, seed: number): unknown {
  const { integer } = random(seed, 'damage');
  const kind = integer(8);
  if (kind === 0)
    return [null, 7, '', [], {}, new Date(Number.NaN), new Uint8Array(3), true, { bytes: 'x' }][integer(9)];
  if (kind === 1 && typeof value === 'string') {
    const odd = [
      { tab: 'x', number: 1, time: 1e300, itemId: 'item-9', event: 'view' },
      { tab: 'x', number: -5, time: -1, itemId: '__proto__', event: 'constructor' },
      { tab: '', number: 1, time: 0, itemId: '', event: '' },
      { tab: 'x', number: 0, time: 1.7e9, itemId: 'item-9', event: 'view', features: { price: 1e308, a: '🧦' } },
    ];
    return encode([odd[integer(odd.length)]!]);
  }
  if (typeof value === 'string') return new TextDecoder().decode(mutated(new TextEncoder().encode(value), seed));
  const { bytes, since } = (value ?? {}) as { bytes?: Uint8Array; since?: unknown };
  if (!(bytes instanceof Uint8Array)) return [null, -1, 'true', { x: value }][integer(4)];
  return { bytes: mutated(bytes, seed), ...(kind === 2 ? { since: 'soon' } : since === undefined ? {} : { since }) };
}

const isUnreadable = ([key, value]: Entry): boolean => key.startsWith('e/') && 'reason' in decode(value);

/** Something was learnt, and cannot be read any more. A record without bytes says that nothing was. */
function isBadDelta([key, value]: Entry): boolean {
  if (key !== 'learnt') return false;
  if (typeof value !== 'object' || value === null) return true;
  const { bytes } = value as { bytes?: unknown };
  if (bytes === undefined) return false;
  try {
    decodeDelta(bytes as Uint8Array);
    return false;
  } catch {
    return true;
  }
}

test(`${MUTATIONS} records that were changed: it suggests, says so, and goes on`, async () => {
  const seen = new Set<string>();
  let mutations = 0;
  for (let round = 0; mutations < MUTATIONS; round++) {
    const { integer } = random(17, 'bytes', round);
    const where = `seed 17, round ${round}`;
    const records = intact.map(([key, value], i): Entry => {
      if (integer(3) > 0) return [key, value];
      mutations++;
      return [key, damaged(value, 1000 * round + i)];
    });
    await databaseOf(records);
    const recommender = await opened(START + 5 * 86_400_000);
    try {
      expect(await recommender.recommend({ k: 20 }), where).toHaveLength(20);
      recommender.track('item-9');
      const { sessions } = await recommender.privacy.export();
      expect(JSON.parse(JSON.stringify(sessions)).flat().length, where).toBeGreaterThan(0);
      const learnt = await recommender.fineTune().catch((error: unknown) => error);
      if (learnt instanceof Error) expect(learnt, where).toBeInstanceOf(RecommenderError);
      expect(await recommender.recommend({ k: 20 }), where).toHaveLength(20);
      const codes = recommender.status.degraded.map(({ code }) => code).filter((code) => code !== 'no-worker');
      for (const code of codes) seen.add(code);
      if (records.some(isUnreadable)) expect(codes, where).toContain('records-set-aside');
      const isNamed = records.some(([key, value], i) => key === 'learnt/name' && value === intact[i]![1]);
      const isAlive = records.some(([key, value], i) => key === 'epoch' && value === intact[i]![1]);
      if (isNamed && isAlive && records.some(isBadDelta)) expect(codes, where).toContain('learnt-set-aside');
      expect(thrown, where).toEqual([]);
    } finally {
      await recommender.dispose();
    }
  }
  expect(seen).toEqual(new Set(['records-set-aside', 'learnt-set-aside']));
}, 1_800_000);

test(`${FILES} exported files that were changed are refused, and what was learnt stays`, async () => {
  await databaseOf(intact);
  const recommender = await opened(START + 5 * 86_400_000);
  await recommender.fineTune();
  const before = await recommender.recommend({ k: 20 });
  for (let seed = 0; seed < FILES; seed++) {
    const refusal: unknown = await recommender.taste.import(mutated(file, seed), PASSPHRASE).catch((error) => error);
    expect(refusal, `seed ${seed}`).toBeInstanceOf(RecommenderError);
    expect(['bad-delta', 'wrong-passphrase'], `seed ${seed}`).toContain((refusal as RecommenderError).code);
  }
  expect(await recommender.recommend({ k: 20 })).toEqual(before);
  expect(thrown).toEqual([]);
  await recommender.dispose();
}, 1_800_000);
