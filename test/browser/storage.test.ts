/** What a real IndexedDB does when it fails under a recommender: it recommends, nothing is thrown, and `status` tells. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { cdp, commands } from 'vitest/browser';
import { createRecommender, type Recommender } from '../../src/index';
import { folderOf, smallModel } from '../engine/fixture';

const FOLDER = 'dist/test-models/storage/';
const PLAIN = globalThis.indexedDB;
const thrown: unknown[] = [];
const note = (event: Event) => thrown.push(event);
const running: Recommender[] = [];

beforeAll(async () => {
  for (const [name, bytes] of await folderOf(await smallModel())) {
    const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
    await commands.writeFile(`${FOLDER}${name}`, btoa(text), 'base64');
  }
  addEventListener('error', note);
  addEventListener('unhandledrejection', note);
});
afterAll(() => {
  removeEventListener('error', note);
  removeEventListener('unhandledrejection', note);
});
beforeEach(() => deleted('aisle'));
afterEach(async () => {
  replace({ value: PLAIN });
  await Promise.all(running.splice(0).map((recommender) => recommender.dispose()));
});

function replace(indexedDB: PropertyDescriptor): void {
  Object.defineProperty(globalThis, 'indexedDB', { configurable: true, ...indexedDB });
}
function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
const deleted = (name: string) => settled(PLAIN.deleteDatabase(name));
const factory = (over: Partial<IDBFactory>) => ({ value: Object.assign(Object.create(PLAIN), over) });

async function visit(): Promise<Recommender> {
  const recommender = await createRecommender({ modelUrl: `/${FOLDER}`, backend: 'cpu', consent: 'granted' });
  running.push(recommender);
  return recommender;
}
const becomes = (recommender: Recommender, storage: string) =>
  vi.waitFor(() => expect(recommender.status.storage).toBe(storage), { timeout: 25_000, interval: 50 });
const known = async (recommender: Recommender) =>
  (await recommender.privacy.export()).sessions.flat().map(({ itemId }) => itemId);

describe('an IndexedDB that', () => {
  test.each<[string, PropertyDescriptor]>([
    ['is missing', { value: undefined }],
    [
      'throws when it is looked at',
      {
        get: () => {
          throw new DOMException('not in this frame', 'SecurityError');
        },
      },
    ],
    [
      'throws when it is opened',
      factory({
        open: () => {
          throw new DOMException('not in this frame', 'SecurityError');
        },
      }),
    ],
    ['never opens', factory({ open: () => ({}) as IDBOpenDBRequest })],
  ])('%s leaves the visit in memory', async (_, broken) => {
    replace(broken);
    const recommender = await visit();
    recommender.track('item-9');
    expect((await recommender.recommend())[0]).toMatchObject({ reason: 'neural' });
    await becomes(recommender, 'memory');
    expect(recommender.status.degraded.map(({ code }) => code)).toEqual(['no-storage']);
    expect(await known(recommender)).toEqual(['item-9']);
    expect(thrown).toEqual([]);
  });

  test('is deleted while it is open has been erased, and takes what comes', async () => {
    const recommender = await visit();
    recommender.track('item-9');
    await becomes(recommender, 'indexeddb');
    await deleted('aisle');
    await vi.waitFor(async () => expect(await known(recommender)).toEqual([]));
    recommender.track('a,b');
    expect((await recommender.recommend())[0]).toMatchObject({ reason: 'neural' });
    const next = await visit();
    await vi.waitFor(async () => expect(await known(next)).toEqual(['a,b']), { timeout: 25_000 });
    expect(recommender.status.degraded).toEqual([]);
    expect(thrown).toEqual([]);
  });

  test('is cleared by the browser while the page writes takes what comes after', async () => {
    const recommender = await visit();
    recommender.track('item-9');
    await becomes(recommender, 'indexeddb');
    for (let k = 0; k < 50; k++) recommender.track(`item-${10 + (k % 9)}`);
    await protocol('Storage.clearDataForOrigin', { origin: location.origin, storageTypes: 'indexeddb' });
    for (let k = 0; k < 50; k++) recommender.track(`item-${20 + (k % 9)}`);
    expect(await recommender.recommend()).toHaveLength(10);
    await vi.waitFor(
      async () => {
        recommender.track('a,b');
        recommender.track('🧦');
        const next = await visit();
        await becomes(next, 'indexeddb');
        expect(await known(next)).toContain('🧦');
      },
      { timeout: 25_000, interval: 500 },
    );
    expect(thrown).toEqual([]);
  });
});

function protocol(method: string, params: object): Promise<unknown> {
  return (cdp() as unknown as { send(method: string, params: object): Promise<unknown> }).send(method, params);
}
