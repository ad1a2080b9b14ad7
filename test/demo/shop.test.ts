import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { openShop, type Shop } from '../../src/demo/shop';

let server: Server;
afterEach(() => new Promise<unknown>((done) => server.close(done)));

/** The shop of a model that knows `a` to `d`, whose files answer as they are here. */
async function open(catalogueUrl: string, catalogue: unknown): Promise<Shop> {
  const files: Record<string, unknown> = {
    '/demo.json': { modelUrl: 'model/', catalogueUrl },
    '/model/items.json': ['a', 'b', 'c', 'd'],
    [`/${catalogueUrl}`]: catalogue,
  };
  server = createServer((request, response) => {
    response.setHeader('connection', 'close');
    response.end(JSON.stringify(files[request.url!]));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return openShop(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
}

const OFFERED = [
  { id: 'a' },
  { id: 'b', availability: 'https://schema.org/InStock' },
  { id: 'c', availability: 'out of stock' },
  { id: 'new', availability: 'out of stock' },
];

describe('the shop', () => {
  test('takes a field that is null for one that is not there', async () => {
    const fields = ['title', 'image', 'price', 'currency', 'category', 'brand', 'availability', 'features'];
    const nulls = Object.fromEntries(fields.map((field) => [field, null]));
    const { products } = await open('products.json', [{ id: 'a', ...nulls }]);
    expect(products.get('a')).toEqual({ id: 'a', title: 'a', category: [], available: true, features: [] });
  });

  test('has its price without a currency where that is null', async () => {
    const { products } = await open('products.json', [{ id: 'a', price: 3, currency: null }]);
    expect(products.get('a')).toMatchObject({ amount: 3, price: expect.stringMatching(/^3.00$/) });
  });

  test('hides what the model knows and another catalogue has sold out, or does not have', async () => {
    const shop = await open('products.json', OFFERED);
    expect(shop.hidden).toEqual(['c', 'd']);
    expect([...shop.products.values()].map(({ available }) => available)).toEqual([true, true, false, false]);
  });

  test("leaves it to the model to hide what the model's own catalogue does not offer", async () => {
    expect((await open('model/catalogue.json', OFFERED)).hidden).toEqual([]);
  });
});
