import type { Server } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { openShop, type Shop, sellSame, suggested } from '../../src/demo/shop';
import { complements } from '../../src/demo/slots';
import { closeServer, listen, originOf } from '../server';

let server: Server;
afterEach(() => closeServer(server));

/** Serves files whose contents are as they are here. @returns The address of the page. */
async function serve(files: Readonly<Record<string, unknown>>): Promise<string> {
  server = await listen((request, response) => {
    const file = files[request.url!];
    response.statusCode = file === undefined ? 404 : 200;
    response.end(JSON.stringify(file));
  });
  return `${originOf(server)}/`;
}

/** The shop of a model that knows `a` to `d`. */
async function open(catalogueUrl: string, catalogue: unknown): Promise<Shop> {
  const base = await serve({
    '/demo.json': { models: [{ name: 'model', modelUrl: 'model/', catalogueUrl }] },
    '/model/items.json': ['a', 'b', 'c', 'd'],
    [`/${catalogueUrl}`]: catalogue,
  });
  return openShop(base);
}

const OFFERED = [
  { id: 'a' },
  { id: 'b', availability: 'https://schema.org/InStock' },
  { id: 'c', availability: 'out of stock' },
  { id: 'new', availability: 'out of stock' },
];

describe('the shop', () => {
  test('takes a field that is null for one that is not there', async () => {
    const fields = ['title', 'image', 'price', 'sale', 'currency', 'category', 'brand', 'availability', 'features'];
    const nulls = Object.fromEntries(fields.map((field) => [field, null]));
    const { products } = await open('products.json', [{ id: 'a', ...nulls }]);
    expect(products.get('a')).toEqual({ id: 'a', title: 'a', category: [], available: true, features: [] });
  });

  test('has its price without a currency where that is null', async () => {
    const { products } = await open('products.json', [{ id: 'a', price: 3, currency: null }]);
    expect(products.get('a')).toMatchObject({ amount: 3, price: expect.stringMatching(/^3.00$/) });
  });

  test('has the price of a sale that is on', async () => {
    const sale = { price: 2, from: '2000-01-01T00:00:00Z' };
    const { products } = await open('products.json', [
      { id: 'a', price: 3, sale },
      { id: 'b', price: 3, sale: { ...sale, until: '2000-01-02T00:00:00Z' } },
      { id: 'c', price: 3, sale: { ...sale, from: '9999-01-01T00:00:00Z' } },
    ]);
    expect(['a', 'b', 'c'].map((id) => products.get(id)!.amount)).toEqual([2, 3, 3]);
  });

  test('suggests what its catalogue offers, with the address of its page here', async () => {
    const shop = await open('products.json', [
      { ...OFFERED[0], url: 'https://elsewhere.example/a' },
      ...OFFERED.slice(1),
    ]);
    expect(suggested(shop, 'a')).toEqual({ id: 'a', title: 'a', url: '#/product/a' });
    expect(suggested(shop, 'b')).toMatchObject({ url: '#/product/b' });
  });

  test.each([
    ['is sold out', 'c'],
    ['the catalogue does not have', 'd'],
  ])('does not suggest what %s', async (_, id) => {
    expect(suggested(await open('products.json', OFFERED), id)).toBeUndefined();
  });
});

describe('the model', () => {
  const catalogue = [{ id: 'a', title: 'A' }];
  const demo = {
    models: [
      { name: 'one', modelUrl: 'one/', catalogueUrl: 'one/catalogue.json' },
      { name: 'two', modelUrl: 'two/' },
    ],
  };
  const files = {
    '/demo.json': demo,
    '/one/items.json': ['a'],
    '/one/catalogue.json': catalogue,
    '/two/items.json': ['b'],
    '/other/manifest.json': { files: { 'items.json': {}, 'catalogue.json': {} } },
    '/other/items.json': ['a', 'c'],
    '/other/catalogue.json': catalogue,
    '/bare/manifest.json': { files: { 'items.json': {} } },
    '/bare/items.json': ['e'],
  };

  test.each([
    ['is the first of the list by default', undefined, 'one', ['A']],
    ['is chosen by its name', 'two', 'two', ['b']],
    ['is chosen by the address of its folder', '/other/', 'other', ['A']],
    ['may be a folder without a slash, and without a catalogue', 'bare', 'bare', ['e']],
    ['keeps its name where its address is in the list', 'one/', 'one', ['A']],
  ])('%s', async (_, wanted, folder, titles) => {
    const base = await serve(files);
    const shop = await openShop(base, wanted);
    expect(shop.model.modelUrl).toBe(`${base}${folder}/`);
    expect([...shop.products.values()].map(({ title }) => title)).toEqual(titles);
  });

  test('that is not listed stands before those that are', async () => {
    const { models } = await openShop(await serve(files), '/other/');
    expect(models.map(({ name }) => name)).toEqual(['/other/', 'one', 'two']);
  });

  test('gives way to another, the last one that was wanted', async () => {
    const shop = await openShop(await serve(files));
    const [one, two] = shop.models;
    await shop.use(two!);
    expect([shop.model, [...shop.known]]).toEqual([two, ['b']]);
    await Promise.all([shop.use(one!), shop.use(two!)]);
    expect([shop.model, [...shop.known]]).toEqual([two, ['b']]);
  });

  test('stays where the other cannot be read', async () => {
    const shop = await openShop(await serve({ ...files, '/two/items.json': undefined }));
    const [one, two] = shop.models;
    await expect(shop.use(two!)).rejects.toThrow('/two/items.json answered 404');
    expect([shop.model, [...shop.known]]).toEqual([one, ['a']]);
  });

  test.each([
    ['one catalogue', { catalogueUrl: 'c' }, { catalogueUrl: 'c' }, true],
    ['two catalogues', { catalogueUrl: 'c' }, { catalogueUrl: 'd' }, false],
    ['a catalogue and none', { catalogueUrl: 'c' }, {}, false],
    ['none twice: whose ids may differ', {}, {}, false],
  ])('has %s with another: do they sell the same?', (_, a, b, same) => {
    expect(sellSame({ name: 'a', modelUrl: 'a/', ...a }, { name: 'b', modelUrl: 'b/', ...b })).toBe(same);
  });

  test('of another origin is refused', async () => {
    const base = await serve(files);
    await expect(openShop(base, 'https://elsewhere.example/model/')).rejects.toThrow('https://elsewhere.example');
  });

  test('that is not there is named', async () => {
    const base = await serve(files);
    await expect(openShop(base, 'missing')).rejects.toThrow('/missing/manifest.json');
  });
});

describe('what goes with products', () => {
  test('is nothing of their own sections; where they have none, nothing fills up what was bought with them', async () => {
    const shop = await open('products.json', [
      { id: 'a', category: ['Home', 'Lamps'] },
      { id: 'b', category: ['Home', 'Lamps'] },
      { id: 'c', category: ['Home', 'Rugs'] },
      { id: 'd' },
    ]);
    const of = (...ids: string[]) =>
      complements(
        shop,
        ids.map((id) => shop.products.get(id)!),
      );
    expect(of('a')).toMatchObject({ strategy: 'bought-together', fallback: 'related', exclude: ['a', 'b'] });
    expect(of('a', 'c').exclude).toEqual(['a', 'b', 'c']);
    expect(of('a', 'd')).not.toHaveProperty('fallback');
  });
});
