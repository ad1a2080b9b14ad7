/**
 * Bad bytes: whatever a torn write, a bad disk or a script of the same origin leaves in the database, and whatever file is
 * imported, suggestions go on, `status` tells, and nothing is thrown into the page.
 */
import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { promisifyRequest } from 'idb-keyval';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { Delta } from '../../src/checkpoint/delta';
import { decodeDelta, encodeDelta } from '../../src/checkpoint/delta-file';
import { seal, unseal } from '../../src/checkpoint/sealed-file';
import { RecommenderError } from '../../src/errors';
import { createRecommender, type Recommender } from '../../src/index';
import { random } from '../../src/session/random';
import { decode } from '../../src/store/record-reader';
import { EVENTS, encode } from '../../src/store/records';
import { mutated } from '../checkpoint/mutations';
import { IDS } from '../engine/fixture';
import { serveShopPage } from '../engine/shop-page';
import { closeServer, originOf } from '../server';
import { isSoak } from '../soak-slice';
import { tried } from '../tries';

/** In `npm test` a small part of what `npm run soak` does. */
const MUTATIONS = isSoak ? 10_000 : 10;
/** Files that are sealed again: a key is derived for each, slowly on purpose; what is only damaged is refused before. */
const SEALED = Math.max(6, MUTATIONS / 50);
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
  close = () => closeServer(server);
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
  expect(intact.map(([key]) => key.split('/')[0])).toEqual(expect.arrayContaining(['e2', 'epoch', 'learnt']));
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
  const database = await promisifyRequest(opening);
  const results = await Promise.all(
    work(database.transaction('records', mode).objectStore('records')).map((request) => promisifyRequest(request)),
  );
  database.close();
  return results;
}

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
  const isRecord = typeof value === 'object' && value !== null && 'rows' in value;
  if (kind === 1 && isRecord) {
    const odd = [
      { tab: 'x', number: 1, time: 1e300, itemId: 'item-9', event: 'view' },
      { tab: 'x', number: -5, time: -1, itemId: '__proto__', event: 'constructor' },
      { tab: '', number: 1, time: 0, itemId: '', event: '' },
      { tab: 'x', number: 0, time: 1.7e9, itemId: 'item-9', event: 'view', features: { price: 1e308, a: '🧦' } },
    ];
    return encode([odd[integer(odd.length)]!]);
  }
  if (isRecord) {
    const bytes = mutated(new TextEncoder().encode(JSON.stringify(value)), seed);
    try {
      return JSON.parse(new TextDecoder().decode(bytes));
    } catch {
      return { ...value, rows: new TextDecoder().decode(bytes) };
    }
  }
  if (typeof value === 'string') return new TextDecoder().decode(mutated(new TextEncoder().encode(value), seed));
  const { bytes, since } = (value ?? {}) as { bytes?: Uint8Array; since?: unknown };
  if (!(bytes instanceof Uint8Array)) return [null, -1, 'true', { x: value }][integer(4)];
  return { bytes: mutated(bytes, seed), ...(kind === 2 ? { since: 'soon' } : since === undefined ? {} : { since }) };
}

const isUnreadable = ([key, value]: Entry): boolean => key.startsWith(EVENTS) && 'reason' in decode(value);

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
      recommender.track({ itemId: 'item-9', time: START + 5 * 86_400_000 - 1000 }); // learnt at once, as an older one is
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
  tried(mutations);
}, 1_800_000);

test(`${MUTATIONS} exported files that were changed are refused, and what was learnt stays`, async () => {
  await databaseOf(intact);
  const recommender = await opened(START + 5 * 86_400_000);
  await recommender.fineTune();
  const before = await recommender.recommend({ k: 20 });
  const notices = recommender.status;
  for (let seed = 0; seed < MUTATIONS; seed++) {
    const refusal: unknown = await recommender.taste.import(mutated(file, seed), PASSPHRASE).catch((error) => error);
    expect(refusal, `seed ${seed}`).toMatchObject({ name: 'RecommenderError', code: 'bad-delta' });
  }
  expect(await recommender.recommend({ k: 20 })).toEqual(before);
  expect(recommender.status).toEqual(notices);
  tried(MUTATIONS);
  expect(thrown).toEqual([]);
  await recommender.dispose();
}, 1_800_000);

/** Content of a file that says something else, and says it well: checksums hold. */
const LIES: readonly ((delta: Delta, integer: (below: number) => number) => Partial<Delta>)[] = [
  (delta, integer) => ({ arrays: changedArrays(delta, () => [3e38, -1e9, 1e-45, -0][integer(4)]!) }),
  (delta, integer) => ({ arrays: changedArrays(delta, (value) => (integer(9) ? value : value + 1)) }),
  ({ arrays }) => ({ arrays: Object.fromEntries(Object.entries(arrays).slice(1)) }),
  ({ arrays }) => ({ arrays: { ...arrays, [Object.keys(arrays)[0]!]: { data: Float32Array.of(1), shape: [1] } } }),
  ({ itemIds }) => ({ itemIds: itemIds.map((_, i) => ['__proto__', 'constructor', '', '\ud800'][i] ?? `never ${i}`) }),
  ({ base, itemIds }) => ({ base: { ...base, hash: 'f'.repeat(64) }, itemIds: itemIds.map((_, i) => `never ${i}`) }),
  ({ itemIds }) => ({ itemIds: [...itemIds].reverse() }),
  ({ base }) => ({ base: { ...base, hash: '0'.repeat(64), items: 1 } }),
  ({ method }) => ({ method: method === 'full' ? 'adapter' : 'full' }),
  () => ({ learnt: { events: Number.MAX_SAFE_INTEGER, through: 1e300, atThrough: 7 }, step: 2 ** 52 }),
  ({ gate }) => ({
    gate: { ...gate, isOpen: true, evidence: 1e308, squares: -1, openings: 2 ** 52, rollbacks: 2 ** 50 },
  }),
  ({ guard }) => ({ guard: { ...guard, surprise: -1e300, recent: [{ itemId: '\ud800', time: -1e300 }] } }),
];
const changedArrays = ({ arrays }: Delta, change: (value: number) => number): Delta['arrays'] =>
  Object.fromEntries(
    Object.entries(arrays).map(([name, { data, shape }]) => [name, { data: data.map(change), shape }]),
  );

test(`${SEALED} files that are sealed well and hold what is wrong are refused or coped with`, async () => {
  await databaseOf(intact);
  const recommender = await opened(START + 5 * 86_400_000);
  await recommender.fineTune();
  const content = await unseal(file, PASSPHRASE, 1e6);
  const delta = decodeDelta(content);
  let before = await recommender.recommend({ k: 20 });
  let notices = recommender.status.learning;
  const outcomes = new Set<string>();
  tried(SEALED);
  for (let seed = 0; seed < SEALED; seed++) {
    const { integer } = random(seed, 'lies');
    const lie = LIES[seed % (LIES.length + 1)];
    const where = `seed ${seed}`;
    const wrong = lie ? encodeDelta({ ...delta, ...lie(delta, integer) }) : mutated(content, seed);
    const answer: unknown = await recommender.taste
      .import(await seal(wrong, PASSPHRASE), PASSPHRASE)
      .catch((error) => error);
    const after = await recommender.recommend({ k: 20 });
    if (answer instanceof Error) {
      expect(answer, where).toBeInstanceOf(RecommenderError);
      outcomes.add((answer as RecommenderError).code);
      expect(after, where).toEqual(before);
      expect(recommender.status.learning, where).toEqual(notices);
    } else {
      outcomes.add('taken');
      expect(recommender.status.learning, where).toEqual(answer);
      const next = await opened(START + 6 * 86_400_000);
      expect(await next.recommend({ k: 20 }), where).toHaveLength(20);
      await next.dispose();
    }
    const learnt = await recommender.fineTune().catch((error: unknown) => error);
    if (learnt instanceof Error) expect(learnt, where).toBeInstanceOf(RecommenderError);
    before = await recommender.recommend({ k: 20 });
    notices = recommender.status.learning;
    expect(new Set(before.map(({ itemId }) => itemId)).size, where).toBe(20);
    expect(
      before.every(({ score }) => Number.isFinite(score)),
      where,
    ).toBe(true);
    expect(JSON.parse(JSON.stringify(notices)), `${where}: finite numbers`).toEqual(notices);
    expect(thrown, where).toEqual([]);
  }
  expect(outcomes).toEqual(new Set(['bad-delta', 'foreign-delta', 'taken']));
  await recommender.dispose();
}, 1_800_000);
