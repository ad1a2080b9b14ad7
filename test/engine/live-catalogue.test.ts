import { beforeAll, describe, expect, test } from 'vitest';
import { CATALOGUE_MANIFEST, COLD_START } from '../../src/checkpoint/catalogue-folder';
import { ALIASES, CATALOGUE } from '../../src/checkpoint/manifest';
import type { CatalogueFiles, Engine } from '../../src/engine/types';
import type { Candidate } from '../../src/types';
import { CATALOGUE_URL, catalogueFolder, filesOf, serveCatalogue, versionOf } from './catalogue-folders';
import { clicks, type Folder, folderOf, IDS, MODEL_URL, serveFolder, smallModel } from './fixture';
import { openEngine } from './open-engine';

const OWN = IDS.map((id, k) => ({ id, title: `Own ${k}`, price: 1 }));
const NEXT = IDS.map((id, k) => ({ id, title: `Next ${k}`, price: 2 }));
const [LAST] = IDS.slice(-1) as [string];

let model: Folder;
let counting: Folder;
beforeAll(async () => {
  const aliases = new Map([
    ['item-9', { also: ['sku-9', 'old-9'] }],
    ['item-10', { also: ['sku-10'], group: 'G10' }],
  ]);
  model = await folderOf(await smallModel({ catalogue: OWN, aliases }));
  counting = await folderOf(await smallModel({ architecture: 'item-knn', catalogue: OWN }));
});

async function loaded(folder = model): Promise<Engine> {
  const engine = openEngine({ fetchFile: serveFolder(folder) });
  await engine.load({ modelUrl: MODEL_URL, backend: 'cpu' });
  return engine;
}
const request = { session: clicks('item-9'), k: IDS.length, exclude: [] };
const ids = async (engine: Engine, more = {}) =>
  (await engine.recommend({ ...request, ...more })).items.map(({ itemId }) => itemId);
const scores = async (engine: Engine, id: string) =>
  new Map((await engine.recommend({ ...request, session: clicks(id) })).items.map((item) => [item.itemId, item.score]));

describe('a catalogue apart from the model', () => {
  test('shows its products and prices, and hides at once what is sold out or withdrawn', async () => {
    const engine = await loaded();
    const before = await ids(engine);
    const [first, second, third] = before as [string, string, string];
    const products = NEXT.filter(({ id }) => id !== second).map((product) =>
      product.id === first ? { ...product, availability: 'out of stock' } : product,
    );
    const folder = catalogueFolder({ parts: [products] });
    expect(await engine.setCatalogue(filesOf(folder))).toEqual({
      version: versionOf(folder),
      products: IDS.length - 1,
    });
    expect(await ids(engine)).toEqual(before.slice(2));
    expect(await engine.products([second, third])).toEqual([null, products.find(({ id }) => id === third)]);
    expect(await engine.catalogue()).toEqual(products);
  });

  test('may come before the model, and stays with the next one', async () => {
    const engine = openEngine({ fetchFile: serveFolder(model) });
    await engine.setCatalogue(filesOf(catalogueFolder({ parts: [NEXT.slice(0, 3)] })));
    for (let twice = 0; twice < 2; twice++) {
      await engine.load({ modelUrl: MODEL_URL, backend: 'cpu' });
      expect((await ids(engine)).sort()).toEqual([...IDS.slice(0, 3)].sort());
    }
  });

  test("that came before the model, which knows none of it, leaves the artifact's own", async () => {
    const engine = openEngine({ fetchFile: serveFolder(model) });
    const rules = [{ do: 'exclude', brand: ['Other'] }];
    const foreign = catalogueFolder({ parts: [[{ id: 'a' }]], rules });
    expect(await engine.setCatalogue(filesOf(foreign))).toEqual({ version: versionOf(foreign), products: 1 });
    expect(await engine.rules()).toEqual(rules);
    await engine.load({ modelUrl: MODEL_URL, backend: 'cpu' });
    expect(await engine.catalogue()).toEqual(OWN);
    expect(await engine.rules()).toBeNull();
    expect(await engine.updateProducts([])).toEqual({ version: null, products: IDS.length });
  });

  test("names items by its aliases before the artifact's, and new products by their ids", async () => {
    const engine = await loaded();
    const is = (...names: string[]): Candidate[] => names.map((id) => ({ id, kind: 'sku', source: 'test' }));
    const resolved = async (name: string) => (await engine.resolve([is(name)]))[0];
    expect([await resolved('sku-9'), await resolved('old-9')]).toEqual(['item-9', 'item-9']);
    const aliases = { 'item-9': { also: ['new-9', 'sku-10'] }, 'item-10': { also: ['sku-9'] } };
    await engine.setCatalogue(filesOf(catalogueFolder({ parts: [[...NEXT, { id: 'new' }]], aliases })));
    expect(await Promise.all(['new-9', 'sku-10', 'sku-9', 'old-9'].map(resolved))).toEqual([
      'item-9',
      'item-9',
      'item-10',
      'item-9',
    ]);
    expect(await engine.identify(is('x', 'new', 'new-9'))).toBe('item-9');
    expect(await engine.identify(is('x', 'new'))).toBe('new');
    expect(await engine.identify(is('x'))).toBeNull();
    expect(await resolved('new')).toBeNull(); // an id that the model does not know stays one
  });

  test('is asked and left out by aliases as by ids', async () => {
    const engine = await loaded();
    const related = (itemId: string) => ids(engine, { session: clicks(itemId), strategy: 'related' });
    expect(await related('sku-9')).toEqual(await related('item-9'));
    expect(await ids(engine, { exclude: ['sku-10'] })).toEqual(await ids(engine, { exclude: ['item-10'] }));
    expect(await engine.products(['sku-9', 'x'])).toEqual(await engine.products(['item-9', 'y']));
    expect((await engine.products(['sku-10']))[0]).toMatchObject({ id: 'item-10', group: 'G10' });
    const [explanation] = await engine.explain({ session: clicks('item-9'), itemIds: ['sku-10'] });
    const [own] = await engine.explain({ session: clicks('item-9'), itemIds: ['item-10'] });
    expect(explanation).toEqual({ ...own!, itemId: 'sku-10' });
    // A product that has come under the name of another is its own.
    const NEW = { id: 'sku-9', title: 'Came later' };
    await engine.setCatalogue(filesOf(catalogueFolder({ parts: [[...NEXT, NEW]] })));
    expect(await engine.products(['sku-9'])).toEqual([expect.objectContaining(NEW)]);
    expect(await ids(engine, { exclude: ['sku-9'] })).toContain('item-9');
  });

  test.each<[string, (folder: Map<string, Uint8Array>) => void, RegExp]>([
    ['without a manifest', (folder) => folder.delete(CATALOGUE_MANIFEST), /catalogue-manifest\.json is not served/],
    [
      'whose manifest is cut off',
      (folder) => cut(folder, CATALOGUE_MANIFEST),
      /^catalogue-manifest\.json is not valid/,
    ],
    ['whose manifest is a page', (folder) => put(folder, CATALOGUE_MANIFEST, '<!doctype html>'), /is an HTML page/],
    [
      'whose manifest lists no parts',
      (folder) => put(folder, CATALOGUE_MANIFEST, '{"products":1,"files":{}}'),
      /parts/,
    ],
    ['with a missing part', (folder) => folder.delete(CATALOGUE), /catalogue\.json\?sha256=\w+ is not served/],
    ['with a part that is cut off', (folder) => cut(folder, CATALOGUE), /^catalogue\.json is \d+ bytes long/],
    ['with another part than it lists', (folder) => flip(folder, CATALOGUE), /^catalogue\.json has the SHA-256/],
    ['with other aliases than it lists', (folder) => flip(folder, ALIASES), /^aliases\.json has the SHA-256/],
    ['with other neighbours than it lists', (folder) => flip(folder, COLD_START), /^cold-start\.json has the SHA-256/],
  ])('%s is refused, naming the file', async (_, damage, message) => {
    const folder = new Map(catalogueFolder({ parts: [NEXT], coldStart: { new: [['item-9', 1]] } }));
    damage(folder);
    const engine = openEngine(serveCatalogue(folder));
    await expect(engine.fetchCatalogue({ url: CATALOGUE_URL })).rejects.toThrow(message);
  });

  test.each<[string, Folder, RegExp]>([
    [
      'a wrong product',
      catalogueFolder({ parts: [[{ id: 'a', price: -1 }]] }),
      /^catalogue\.json: field product "a": price/,
    ],
    [
      'a wrong neighbour',
      catalogueFolder({ parts: [NEXT], coldStart: { a: [['b'] as never] } }),
      /^cold-start\.json: field "a"/,
    ],
    [
      'products of another model',
      catalogueFolder({ parts: [[{ id: 'a' }]] }),
      /^catalogue\.json: the model knows none/,
    ],
    ['a missing file', new Map([...catalogueFolder({ parts: [NEXT] })].slice(1)), /^catalogue\.json is missing/],
  ])('with %s changes nothing', async (_, folder, message) => {
    const engine = await loaded();
    await expect(engine.setCatalogue(filesOf(folder))).rejects.toThrow(message);
    expect(await engine.catalogue()).toEqual(OWN);
  });

  test('is fetched past the cache, its files by their hashes; again only those that have changed', async () => {
    const parts = [NEXT.slice(0, 2), NEXT.slice(2, 4), NEXT.slice(4)];
    const server = serveCatalogue(catalogueFolder({ parts }));
    const engine = openEngine(server);
    const asked = async (have: CatalogueFiles | null) => {
      server.names.length = server.urls.length = 0;
      const files = await engine.fetchCatalogue({ url: CATALOGUE_URL, ...(have && { have }) });
      return { files, names: [...server.names].sort() };
    };
    const first = await asked(null);
    expect(first.names).toEqual(
      [ALIASES, 'catalogue-2.json', 'catalogue-3.json', CATALOGUE_MANIFEST, CATALOGUE].sort(),
    );
    expect(server.urls[0]).toBe(`no-store ${CATALOGUE_URL}${CATALOGUE_MANIFEST}`);
    for (const url of server.urls.slice(1)) expect(url).toMatch(/^default .*\?sha256=[0-9a-f]{64}$/);
    const again = await asked(first.files);
    expect(again).toEqual({ files: null, names: [CATALOGUE_MANIFEST] });
    server.folder = catalogueFolder({ parts: [parts[0]!, [{ ...NEXT[2]!, price: 3 }, NEXT[3]!], parts[2]!] });
    const changed = await asked(first.files);
    expect(changed.names).toEqual([CATALOGUE_MANIFEST, 'catalogue-2.json'].sort());
    await engine.setCatalogue(changed.files!);
    await engine.load({ modelUrl: MODEL_URL, backend: 'cpu' }).catch(() => {}); // nothing serves one here
    server.folder = catalogueFolder({ parts: [NEXT] });
    expect((await asked(changed.files)).names).toEqual([CATALOGUE_MANIFEST, CATALOGUE].sort());
  });

  test('is fetched past the cache where that has an older file under the address of the new one', async () => {
    const old = catalogueFolder({ parts: [OWN] });
    const server = serveCatalogue(catalogueFolder({ parts: [NEXT] }));
    const cached = serveCatalogue(old);
    const engine = openEngine({
      fetchFile: (url, signal, options) =>
        (options?.cache === 'default' ? cached : server).fetchFile(url, signal, options),
    });
    const files = await engine.fetchCatalogue({ url: CATALOGUE_URL });
    expect(await files?.files.get(CATALOGUE)?.text()).toBe(JSON.stringify(NEXT));
    expect(server.urls.slice(1)).toEqual([expect.stringMatching(/^reload .*\/catalogue\.json\?sha256=/)]);
    const offline = openEngine({
      fetchFile: (url, signal, options) =>
        options?.cache === 'default'
          ? Promise.reject(new TypeError('offline'))
          : server.fetchFile(url, signal, options),
    });
    server.urls.length = 0;
    await expect(offline.fetchCatalogue({ url: CATALOGUE_URL })).rejects.toMatchObject({ code: 'io' });
    expect(server.urls).toHaveLength(1); // the manifest: what nothing answers is not asked again
  });

  test('is read as far as the model knows it, and one part more', async () => {
    const server = serveCatalogue(
      catalogueFolder({ parts: [NEXT.slice(0, 2), [{ id: 'new' }], [{ id: 'newer' }]], known: 2 }),
    );
    const engine = await loaded();
    const files = await openEngine(server).fetchCatalogue({ url: CATALOGUE_URL });
    expect(server.names).not.toContain('catalogue-3.json');
    expect(await engine.setCatalogue(files!)).toMatchObject({ products: 3 });
    expect(await engine.products(['new', 'newer'])).toEqual([{ id: 'new' }, null]);
  });
});

describe('what the page itself knows of products', () => {
  test('is merged over every catalogue; a price replaces a sale, and other fields stay', async () => {
    const engine = await loaded();
    const [first, second] = (await ids(engine)) as [string, string];
    await engine.updateProducts([
      { id: first, availability: 'out of stock' },
      { id: second, price: 5 },
      { id: 'new', title: 'New' },
    ]);
    const check = async (title: string) => {
      expect((await ids(engine)).slice(0, 1)).toEqual([second]);
      expect(await engine.products([second, 'new'])).toEqual([
        { id: second, title, price: 5 },
        { id: 'new', title: 'New' },
      ]);
    };
    await check(`Own ${IDS.indexOf(second)}`);
    const sale = { price: 1 };
    await engine.setCatalogue(filesOf(catalogueFolder({ parts: [NEXT.map((product) => ({ ...product, sale }))] })));
    await check(`Next ${IDS.indexOf(second)}`);
    expect(await engine.products([first])).toMatchObject([{ price: 1, availability: 'out of stock' }]);
    await engine.updateProducts([]);
    expect((await ids(engine))[0]).toBe(first);
  });

  test('is all that is known where the model has no catalogue', async () => {
    const engine = await loaded(await folderOf(await smallModel()));
    expect(await engine.catalogue()).toEqual([]);
    const [first] = (await ids(engine)) as [string];
    await engine.updateProducts([{ id: first, availability: 'out of stock' }]);
    expect(await ids(engine)).toHaveLength(IDS.length - 1);
    expect(await engine.catalogue()).toEqual([{ id: first, availability: 'out of stock' }]);
    expect(await engine.products(['item-9'])).toEqual([{ id: 'item-9' }]);
  });
});

describe.each([
  ['a network', () => model],
  ['a counting model', () => counting],
])('among what is related, by %s,', (name, folder) => {
  const related = (id: string, more = {}) => ({
    session: clicks(id),
    strategy: 'related' as const,
    exclude: [id],
    ...more,
  });
  const withNew = async (coldStart: Record<string, [string, number][]>, products = [{ id: 'new' }]) => {
    const engine = await loaded(folder());
    const files = filesOf(catalogueFolder({ parts: [[...NEXT, ...products]], known: IDS.length, coldStart }));
    await engine.setCatalogue(files);
    return engine;
  };

  test('to a new product is the mean of what is related to its neighbours', async () => {
    const neighbours: [string, number][] = [
      ['item-9', 0.5],
      ['gone', 0.2],
      ['item-12', 0.3],
    ];
    const engine = await withNew({ new: neighbours });
    const [one, other] = [await scores(engine, 'item-9'), await scores(engine, 'item-12')];
    const { items } = await engine.recommend({ ...request, ...related('new'), k: 20 });
    expect(items).toHaveLength(20);
    for (const { itemId, score } of items) {
      const mean = (0.5 * (one.get(itemId) ?? 0) + 0.3 * (other.get(itemId) ?? 0)) / 0.8;
      expect(score, itemId).toBeCloseTo(mean, 5);
    }
    expect(items.map(({ score }) => score)).toEqual(items.map(({ score }) => score).sort((a, b) => b - a));
  });

  test('to an item are the new products that are like what is related to it; none by counts of nothing', async () => {
    const best = await ids(await withNew({}), related('item-9'));
    const last = best.at(-1)!;
    const near = await withNew(
      {
        new: [
          [best[0]!, 0.5],
          [best[1]!, 0.5],
        ],
        far: [[last, 1]],
      },
      [{ id: 'new' }, { id: 'far' }],
    );
    const asked = (exclude: string[] = []) => ids(near, related('item-9', { k: 100, exclude: ['item-9', ...exclude] }));
    const isCounted = name === 'a counting model'; // of an empty log
    expect(await asked()).toEqual(isCounted ? best : [best[0], 'new', ...best.slice(1), 'far']);
    expect(await asked(['new', best[2]!])).not.toContain('new');
    await near.updateProducts([{ id: 'new', availability: 'sold out' }]);
    expect(await asked()).toEqual(isCounted ? best : [...best, 'far']);
  });

  test('nothing changes for others: suggestions and popularity rank what the model knows', async () => {
    const engine = await withNew({ new: [['item-9', 1]] });
    const plain = await loaded(folder());
    for (const session of [clicks('item-9', LAST), clicks('new'), []]) {
      expect(await ids(engine, { session })).toEqual(await ids(plain, { session }));
    }
    expect(await ids(engine, related('unknown'))).toEqual(await ids(plain, related('unknown')));
  });
});

type Files = Map<string, Uint8Array>;
const put = (folder: Files, name: string, text: string) => folder.set(name, new TextEncoder().encode(text));
const cut = (folder: Files, name: string) => folder.set(name, folder.get(name)!.slice(0, -3));
function flip(folder: Files, name: string): void {
  const bytes = folder.get(name)!.slice();
  bytes[bytes.length >> 1]! ^= 1;
  folder.set(name, bytes);
}
