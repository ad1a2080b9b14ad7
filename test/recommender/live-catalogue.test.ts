/** When the catalogue of a page is fetched, and what is shown while it cannot be. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { CatalogueItem } from '../../src/checkpoint/artifact';
import { CATALOGUE_MANIFEST } from '../../src/checkpoint/catalogue-folder';
import { CATALOGUE } from '../../src/checkpoint/manifest';
import { createLocalEngine } from '../../src/engine/local-engine';
import type { CatalogueInfo, Engine } from '../../src/engine/types';
import type { CatalogueInfo as Info, Recommender, Status } from '../../src/index';
import { createLiveCatalogue, folderOf as folderFor, type LiveCatalogue } from '../../src/recommender/live-catalogue';
import { CATALOGUE_URL, catalogueFolder, serveCatalogue, versionOf } from '../engine/catalogue-folders';
import { type Folder, folderOf, IDS, MODEL_URL, serveFolder, smallModel } from '../engine/fixture';
import { servedModels } from './served-models';

const HOUR = 3_600_000;
const priced = (price: number) => IDS.map((id) => ({ id, price }));
const GOOD = catalogueFolder({ parts: [priced(2)] });
const BETTER = catalogueFolder({ parts: [priced(3)] });
const FOREIGN = catalogueFolder({ parts: [[{ id: 'another' }]] });
const BROKEN: Folder = new Map([...GOOD, [CATALOGUE, new TextEncoder().encode('[]')]]);

describe('the catalogue of a page', () => {
  const models = servedModels(
    async () => ({
      small: await folderOf(await smallModel({ catalogue: priced(1) })),
      good: GOOD,
      broken: BROKEN,
      foreign: FOREIGN,
    }),
    () => 1_700_000_000_000,
  );
  const start = async (folder: string, options = {}) => {
    const recommender = await models.start({ catalogueUrl: models.urlOf(folder).slice(0, -1), ...options });
    const changes: Info[] = [];
    recommender.on('catalogue', (info) => changes.push(info));
    return { recommender, changes };
  };
  const priceOf = async (recommender: Recommender, id = 'item-9') => (await recommender.products([id]))[0]?.price;
  const codes = ({ status }: Recommender) =>
    status.degraded.map(({ code }) => code).filter((code) => code !== 'no-worker');

  test("replaces the model's own, and the event says which it is", async () => {
    const { recommender, changes } = await start('good');
    await expect.poll(() => changes).toEqual([{ version: versionOf(GOOD), products: IDS.length }]);
    expect(recommender.status.catalogue).toEqual(changes[0]);
    expect(await priceOf(recommender)).toBe(2);
    expect(codes(recommender)).toEqual([]);
  });

  test.each(['broken', 'missing'])(
    "that is %s leaves the model's own, which goes on ranking, and says so",
    async (folder) => {
      const { recommender, changes } = await start(folder);
      expect(await recommender.recommend({ k: 5 })).toHaveLength(5);
      await expect.poll(() => codes(recommender)).toEqual(['catalogue-stale']);
      const { message } = recommender.status.degraded.find(({ code }) => code === 'catalogue-stale')!;
      expect(message).toContain(`The catalogue ${models.urlOf(folder)} cannot be used; the model's own is shown. `);
      expect(await priceOf(recommender)).toBe(1);
      expect(changes).toEqual([]);
    },
  );

  test("of another model leaves the model's own", async () => {
    const { recommender } = await start('foreign');
    await expect.poll(() => codes(recommender)).toEqual(['catalogue-stale']);
    await recommender.recommend();
    expect(recommender.status.degraded.at(-1)!.message).toMatch(/the model's own is shown\. .* knows none of the/);
    expect(await priceOf(recommender)).toBe(1);
  });

  test('takes what the page itself knows on top, also without an address', async () => {
    const { recommender, changes } = await start('none', { catalogueUrl: undefined });
    await recommender.update([{ id: 'item-9', price: 7 }]);
    await recommender.update([{ id: 'item-9', title: 'Nine' }, { id: 'new' }]);
    expect(await recommender.products(['item-9', 'new'])).toEqual([
      { id: 'item-9', title: 'Nine', price: 7 },
      { id: 'new' },
    ]);
    expect(changes).toHaveLength(2);
    for (const id of ['new', 'item-9']) recommender.track(id);
    const recent = await recommender.recommend({ strategy: 'recent' });
    expect(recent.map(({ itemId }) => itemId)).toEqual(['item-9', 'new']);
    const sold = (await recommender.recommend({ k: 1 }))[0]!.itemId;
    await recommender.update([{ id: sold, availability: 'out of stock' }]);
    await recommender.update([{ id: sold, price: 5, availability: undefined } as never]); // says nothing of it
    expect((await recommender.recommend({ k: 100 })).map(({ itemId }) => itemId)).not.toContain(sold);
  });

  test.each<[string, object, RegExp]>([
    ['no id', { title: 'A' }, /^id: expected an item id, at most 1000 characters, got undefined\./],
    ['a misspelt field', { id: 'a', prise: 1 }, /no option "prise". Did you mean "price"\?/],
    ['a price that is text', { id: 'a', price: '1' }, /^price: expected a number, at least 0, got "1"\./],
    ['a sale without a price', { id: 'a', sale: { until: '2030-01-01' } }, /^sale: expected a price/],
    ['a category that is text', { id: 'a', category: 'b' }, /^category: expected an array of texts/],
    ['features that are a list', { id: 'a', features: ['b'] }, /^features: expected numbers or texts by name/],
    ['a long title', { id: 'a', title: 'x'.repeat(100_001) }, /^title: expected a text, .*, got 100001 characters/],
    ['a long category', { id: 'a', category: ['x'.repeat(100_000)] }, /^category: expected an array of texts, at most/],
  ])('refuses %s, and takes nothing of the call', async (_, product, message) => {
    const recommender = await models.start();
    const update = recommender.update([{ id: 'item-9', price: 9 }, product as CatalogueItem]);
    await expect(update).rejects.toThrow(RangeError);
    await expect(update).rejects.toThrow(message);
    expect(await priceOf(recommender)).toBe(1);
  });

  test('refuses what is no list', async () => {
    const update = (await models.start()).update({ id: 'a' } as never);
    await expect(update).rejects.toThrow('update: expected an array of products, got an object.');
  });

  test('has an address', async () => {
    await expect(start('good', { catalogueUrl: '' })).rejects.toThrow('catalogueUrl: expected the address of a folder');
    await expect(start('good', { catalogueUrl: '/catalogue/' })).rejects.toThrow('catalogueUrl: expected a URL');
  });
});

describe('with the clock of a test', () => {
  let server: ReturnType<typeof serveCatalogue>;
  let engine: Engine;
  let live: LiveCatalogue;
  let changes: CatalogueInfo[];
  let status: Status;
  /** Notes of the device. */
  let notes: Map<string, object>;
  let visibility: 'visible' | 'hidden';
  let page: EventTarget;
  const listeners = new Set<() => void>();
  const settled = () => vi.advanceTimersByTimeAsync(0);
  const manifests = () => server.names.filter((name) => name === CATALOGUE_MANIFEST).length;
  const stale = () => status.degraded.map(({ message }) => message);

  beforeEach(() => {
    vi.useFakeTimers();
    server = serveCatalogue(GOOD);
    engine = createLocalEngine(server);
    changes = [];
    notes = new Map();
    visibility = 'visible';
    page = new EventTarget();
    listeners.clear();
    status = { storage: 'memory', degraded: [] as Status['degraded'] } as Status;
    vi.stubGlobal('document', {
      get visibilityState() {
        return visibility;
      },
      documentElement: { lang: 'de-AT' },
      baseURI: 'https://shop.example/p/1',
    });
    vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
    vi.stubGlobal('removeEventListener', page.removeEventListener.bind(page));
  });
  afterEach(async () => {
    live.close();
    await engine.dispose();
    vi.unstubAllGlobals();
  });

  function open(catalogueUrl = '/catalogue/'): void {
    live = createLiveCatalogue({
      engine,
      options: { catalogueUrl, now: Date.now },
      notes: {
        life: 0,
        read: async (key) => structuredClone(notes.get(key)),
        write: async (key, note) => void notes.set(key, structuredClone(note)),
      },
      on: (event, listener) => {
        if (event === 'status') listeners.add(listener as () => void);
        return () => listeners.delete(listener as () => void);
      },
      status: () => status,
      degrade: (code, message) => {
        status = { ...status, degraded: [{ code, message, since: 0 }] };
      },
      mend: () => {
        status = { ...status, degraded: [] };
      },
      onChange: (catalogue) => {
        changes.push(catalogue);
        status = { ...status, catalogue };
      },
    });
  }
  async function loadModel(): Promise<void> {
    engine = createLocalEngine(serveCatalogue(GOOD, serveFolder(await folderOf(await smallModel()))));
    await engine.load({ modelUrl: MODEL_URL, backend: 'cpu' });
  }
  function show(state: 'visible' | 'hidden'): void {
    visibility = state;
    page.dispatchEvent(new Event('visibilitychange'));
  }
  function store(): void {
    status = { ...status, storage: 'indexeddb' };
    for (const listener of listeners) listener();
  }

  test('an open page fetches it every hour; of a hidden one no timer runs until it is shown', async () => {
    open();
    await vi.waitFor(() => expect(changes).toHaveLength(1));
    await vi.advanceTimersByTimeAsync(HOUR - 1000);
    expect(manifests()).toBe(1);
    server.folder = BETTER;
    await vi.advanceTimersByTimeAsync(1000);
    await vi.waitFor(() => expect(changes.map(({ version }) => version)).toEqual([GOOD, BETTER].map(versionOf)));
    expect(manifests()).toBe(2);
    await settled();
    show('hidden');
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(10 * HOUR);
    expect(manifests()).toBe(2);
    show('visible');
    await vi.waitFor(() => expect(manifests()).toBe(3));
    await settled();
    show('hidden');
    await vi.advanceTimersByTimeAsync(HOUR / 2);
    show('visible');
    await settled();
    expect(manifests()).toBe(3);
    await vi.advanceTimersByTimeAsync(HOUR / 2);
    expect(manifests()).toBe(4);
    expect(changes).toHaveLength(2); // nothing was new
    live.close();
    await vi.advanceTimersByTimeAsync(2 * HOUR);
    expect(manifests()).toBe(4);
  });

  test.each([1, 30, 60])(
    'a clock that is set back by %i days costs an hour, and no timer runs meanwhile',
    async (days) => {
      open();
      await vi.waitFor(() => expect(changes).toHaveLength(1));
      await settled();
      const timers = vi.spyOn(globalThis, 'setTimeout');
      vi.setSystemTime(Date.now() - days * 24 * HOUR);
      for (const state of ['hidden', 'visible'] as const) show(state);
      await vi.advanceTimersByTimeAsync(HOUR / 2);
      for (const state of ['hidden', 'visible'] as const) show(state);
      expect(timers.mock.calls.map(([, wait]) => wait)).toEqual([HOUR, HOUR / 2]);
      timers.mockRestore();
      await vi.advanceTimersByTimeAsync(HOUR / 2);
      expect(manifests()).toBe(2);
    },
  );

  test('one that breaks leaves the last good one, until it is whole again', async () => {
    open();
    await vi.waitFor(() => expect(changes).toHaveLength(1));
    server.folder = new Map([...BETTER, [CATALOGUE, new TextEncoder().encode('[]')]]);
    await vi.advanceTimersByTimeAsync(HOUR);
    await vi.waitFor(() => expect(stale()).toHaveLength(1));
    expect(stale()[0]).toMatch(
      `${CATALOGUE_URL} cannot be used; the last good one, version ${versionOf(GOOD)}, is shown.`,
    );
    expect(changes).toHaveLength(1);
    server.folder = BETTER;
    await settled();
    await vi.advanceTimersByTimeAsync(HOUR);
    await vi.waitFor(() => expect(stale()).toEqual([]));
    expect(changes[1]).toEqual({ version: versionOf(BETTER), products: IDS.length });
  });

  test('one that cannot be had is fetched again after five minutes, and as soon as the network is back', async () => {
    server.folder = BROKEN;
    open();
    await vi.waitFor(() => expect(stale()).toHaveLength(1));
    await settled();
    await vi.advanceTimersByTimeAsync(HOUR / 12 - 1000);
    expect(manifests()).toBe(1);
    await vi.advanceTimersByTimeAsync(1000);
    expect(manifests()).toBe(2);
    await settled();
    server.folder = GOOD;
    show('hidden');
    page.dispatchEvent(new Event('online'));
    await settled();
    expect(manifests()).toBe(2);
    show('visible');
    await vi.waitFor(() => expect(stale()).toEqual([]));
    await settled();
    page.dispatchEvent(new Event('online')); // what is there is fetched by the hour
    await vi.advanceTimersByTimeAsync(HOUR - 1000);
    expect(manifests()).toBe(3);
  });

  test('one that is cut off just as the network comes back is fetched again at once', async () => {
    let cutOff = (): void => {};
    const cut = new Promise<void>((resolve) => {
      cutOff = resolve;
    });
    let fetches = 0;
    engine = createLocalEngine({
      fetchFile: async (...request) => {
        if (++fetches > 1) return server.fetchFile(...request);
        await cut;
        throw new TypeError('Failed to fetch');
      },
    });
    open();
    await vi.waitFor(() => expect(fetches).toBe(1));
    page.dispatchEvent(new Event('online'));
    cutOff();
    await vi.waitFor(() => expect(changes).toHaveLength(1));
    expect(stale()).toEqual([]);
  });

  test('one that is late is reported after ten seconds, and shown when it comes', async () => {
    let come = (): void => {};
    const arrived = new Promise<void>((resolve) => {
      come = resolve;
    });
    engine = createLocalEngine({ fetchFile: async (...request) => arrived.then(() => server.fetchFile(...request)) });
    open();
    await vi.advanceTimersByTimeAsync(9_000);
    expect(stale()).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(stale()).toEqual([expect.stringContaining("the model's own is shown. It has not come within 10 s.")]);
    come();
    await vi.waitFor(() => expect(changes).toHaveLength(1));
    expect(stale()).toEqual([]);
  });

  test('where storing is allowed, the next page shows the last good one if its own is broken', async () => {
    open();
    await vi.waitFor(() => expect(changes).toHaveLength(1));
    expect(notes.size).toBe(0);
    store();
    await vi.waitFor(() => expect(notes.size).toBe(1));
    live.close();
    server.folder = BROKEN;
    server.names.length = 0;
    changes.length = 0;
    status = { storage: 'memory', degraded: [] as Status['degraded'] } as Status;
    open();
    await vi.waitFor(() => expect(stale()).toHaveLength(1));
    expect(stale()[0]).toContain("the model's own is shown");
    store();
    await vi.waitFor(() => expect(changes).toEqual([{ version: versionOf(GOOD), products: IDS.length }]));
    expect(stale()[0]).toContain(`the last good one, version ${versionOf(GOOD)}, is shown`);
    // What is stored changes no request: all files are fetched that a first visit fetches.
    server.folder = GOOD;
    server.names.length = 0;
    await vi.advanceTimersByTimeAsync(HOUR);
    await vi.waitFor(() => expect(stale()).toEqual([]));
    expect([...server.names].sort()).toEqual([...GOOD.keys()].sort());
    expect(changes).toHaveLength(1); // it is the one that is shown
  });

  test.each<[string, (note: { url: string; files: Map<string, unknown> }) => unknown]>([
    ['of another folder', (note) => ({ ...note, url: 'https://shop.example/other/' })],
    ['with a changed file', ({ url, files }) => ({ url, files: new Map(files).set(CATALOGUE, new ArrayBuffer(3)) })],
    [
      'with a missing file',
      ({ url, files }) => ({ url, files: new Map([...files].filter(([name]) => name !== CATALOGUE)) }),
    ],
    ['that is something else', () => ({ files: 'none' })],
  ])('a stored one %s is not shown', async (_, damage) => {
    open();
    store();
    await vi.waitFor(() => expect(notes.size).toBe(1));
    live.close();
    await engine.dispose();
    notes.set('catalogue', damage(notes.get('catalogue') as never) as object);
    engine = createLocalEngine(server);
    server.folder = BROKEN;
    changes.length = 0;
    status = { storage: 'indexeddb', degraded: [] as Status['degraded'] } as Status;
    open();
    await vi.waitFor(() => expect(stale()).toHaveLength(1));
    await vi.advanceTimersByTimeAsync(1000);
    expect(stale()[0]).toContain("the model's own is shown");
    expect(changes).toEqual([]);
  });

  test('one of more than 4 MB is not stored, nor an older one in its place', async () => {
    open();
    store();
    await vi.waitFor(() => expect(notes.size).toBe(1));
    server.folder = catalogueFolder({ parts: [[{ id: 'a', image: 'x'.repeat(4_000_000) }]] });
    await vi.advanceTimersByTimeAsync(HOUR);
    await vi.waitFor(() => expect(notes.get('catalogue')).toEqual({}));
    expect(changes).toHaveLength(2);
  });

  test('one that came before the model is left if the model knows none of it', async () => {
    server = serveCatalogue(FOREIGN, serveFolder(await folderOf(await smallModel({ catalogue: priced(1) }))));
    engine = createLocalEngine(server);
    open();
    await vi.waitFor(() => expect(changes).toEqual([{ version: versionOf(FOREIGN), products: 1 }]));
    expect(stale()).toEqual([]);
    status = { ...status, model: await engine.load({ modelUrl: MODEL_URL, backend: 'cpu' }) };
    for (const listener of listeners) listener();
    await vi.waitFor(() => expect(stale()).toEqual([expect.stringMatching(/the model's own is shown.*knows none/)]));
    expect(changes.slice(1)).toEqual([{ version: null, products: IDS.length }]);
    server.folder = GOOD;
    await vi.advanceTimersByTimeAsync(HOUR);
    await vi.waitFor(() => expect(stale()).toEqual([]));
    expect((await engine.products(['item-9']))[0]!.price).toBe(2);
  });

  test('one of which a release that was loaded after a crash knows none is left', async () => {
    const files = new Map(await folderOf(await smallModel()));
    engine = createLocalEngine(serveCatalogue(GOOD, serveFolder(files)));
    status = { ...status, model: await engine.load({ modelUrl: MODEL_URL, backend: 'cpu' }) };
    open();
    await vi.waitFor(() => expect(changes).toHaveLength(1));
    const next = { ...(await smallModel()), itemIds: IDS.map((id) => `another ${id}`) };
    for (const [name, bytes] of await folderOf(next)) files.set(name, bytes);
    status = { ...status, model: await engine.load({ modelUrl: MODEL_URL, backend: 'cpu' }) };
    for (const listener of listeners) listener();
    await vi.waitFor(() => expect(stale()).toEqual([expect.stringMatching(/the model's own is shown.*knows none/)]));
    expect(changes.slice(1)).toEqual([{ version: null, products: 0 }]);
  });

  test('what a framework observes is taken, as what the page changes later is not', async () => {
    await loadModel();
    const { updateProducts } = engine;
    engine.updateProducts = async (products) => updateProducts(structuredClone(products)); // as for a worker
    open();
    await vi.waitFor(() => expect(changes).toHaveLength(1));
    const observed = <T extends object>(value: T): T => new Proxy(value, {});
    const features = { colour: 'red' };
    const product = {
      id: 'item-9',
      category: observed(['shoes']),
      features: observed(features),
      sale: observed({ price: 1 }),
    };
    await live.update(observed([observed(product)]));
    features.colour = 'blue';
    await live.update([{ id: 'item-10', price: 4 }]);
    expect(await engine.products(['item-9', 'item-10'])).toMatchObject([
      { category: ['shoes'], features: { colour: 'red' }, price: 1 },
      { price: 4 },
    ]);
  });

  test('an update that fails costs those before and after it nothing', async () => {
    await loadModel();
    const { updateProducts } = engine;
    const sent: (readonly CatalogueItem[])[] = [];
    engine.updateProducts = async (products) => {
      if (sent.push(products) === 2) throw new Error('lost');
      return updateProducts(products);
    };
    open();
    await vi.waitFor(() => expect(changes).toHaveLength(1));
    const updates = ['item-9', 'item-10', 'item-11'].map((id) => live.update([{ id, price: 4 }]));
    await expect(updates[1]).rejects.toThrow('lost');
    await Promise.all([updates[0], updates[2]]);
    expect(sent.at(-1)!.map(({ id }) => id)).toEqual(['item-9', 'item-11']);
    expect((await engine.products(['item-9', 'item-10', 'item-11'])).map((product) => product?.price)).toEqual([
      4, 2, 4,
    ]);
  });

  test('the page says by its language which folder it is', async () => {
    open('/{en|de|de-CH}/catalogue');
    await vi.waitFor(() => expect(changes).toHaveLength(1));
    expect(server.urls[0]).toBe(`no-store https://shop.example/de/catalogue/${CATALOGUE_MANIFEST}`);
  });
});

test.each([
  ['/catalogue/', 'de', '/catalogue/'],
  ['/{en|de}/', 'de', '/de/'],
  ['/{en|de}/', 'DE-at', '/de/'],
  ['/{en|de|de-AT}/', 'de-at-1901', '/de-AT/'],
  ['/{en|de}/', 'fr', '/en/'],
  ['/{en|de}/', '', '/en/'],
  ['/{ en | de }/x/{en|de}/', 'de', '/de/x/de/'],
  ['/{pt|pt-BR}/', 'pt-BR', '/pt-BR/'],
  ['/cdn/catalogue-{en|de}-{file}', 'de', '/cdn/catalogue-de-{file}'],
])('of %s the language "%s" has %s', (address, language, folder) => {
  expect(folderFor(address, language)).toBe(folder);
});
