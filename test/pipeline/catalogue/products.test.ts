import { describe, expect, test } from 'vitest';
import { publishedOf, readProducts } from '../../../src/pipeline/catalogue/products';
import type { Message } from '../../../src/pipeline/observer';
import { FEEDS } from './feeds';

const read = (content: string, observer = {}) =>
  readProducts(new TextEncoder().encode(content), 'products', undefined, observer, 0);

test('a model may read any column of a table; of those, only what it reads is for publishing', async () => {
  const table = await read('item_id\tname\tlink\tcolour\tcost\nA1\tTrousers\thttps://shop.example/a1\tblue\t3.5\n');
  const product = { id: 'A1', title: 'Trousers', url: 'https://shop.example/a1' };
  expect(table.products).toEqual([{ ...product, features: { colour: 'blue', cost: 3.5 } }]);
  expect(table.further).toEqual(['colour', 'cost']);
  expect(publishedOf(table)).toEqual([product]);
  expect(publishedOf(table, ['colour', 'device'])).toEqual([{ ...product, features: { colour: 'blue' } }]);
  const own = await read('[{"id":"A1","features":{"colour":"blue"}}]');
  expect(publishedOf(own)).toEqual([{ id: 'A1', features: { colour: 'blue' } }]);
});

test('what is no member of a product in a JSON list is named', async () => {
  const messages: Message[] = [];
  const onMessage = (message: Message) => void messages.push(message);
  expect(await read('[{"id":"A","titel":"Shirt"},{"id":"B","width":3}]', { onMessage })).toEqual({
    products: [{ id: 'A' }, { id: 'B' }],
  });
  const text =
    'products: not read: "titel" (title?), "width". Put what a model may learn from into "features" of a product.';
  expect(messages).toEqual([{ level: 'warning', text }]);
});

test.each([
  ['item_id', { item_id: 'a', title: 'A', price: '9,90' }, { id: 'a', title: 'A', price: 9.9 }],
  ['numbers as ids', { id: 7, name: 'A', width: 3 }, { id: '7', title: 'A', features: { width: 3 } }],
  ['the column of the log', { id: 7, sku: 'a', title: 'A' }, { id: 'a', title: 'A' }],
])('a JSON list with other ids than catalogue.json is a feed: %s', async (_, row, product) => {
  const bytes = new TextEncoder().encode(JSON.stringify([row]));
  expect((await readProducts(bytes, 'products', 'sku')).products).toEqual([product]);
});

test.each([
  ['stock in words of its own', { availability: 'yes' }, { availability: 'in stock' }],
  ['names of Merchant Center', { link: '/a', image_link: '/a.jpg' }, { url: '/a', image: '/a.jpg' }],
  ['a price with its currency', { price: '15.00 USD' }, { price: 15, currency: 'USD' }],
  [
    'a sale without a time zone',
    { sale: { price: 5, until: '2026-12-24' } },
    { sale: { price: 5, until: '2026-12-25T00:00:00.000Z' } },
  ],
])('a JSON list with text ids is a feed where it is written as one: %s', async (_, row, product) => {
  const list = [{ id: 'B', title: 'B' }, { id: 'A', features: { colour: 'blue' }, group: 'G', ...row }, { id: 'B' }];
  const given = await read(JSON.stringify(list));
  expect(publishedOf(given)).toEqual([{ id: 'A', features: { colour: 'blue' }, ...product }, { id: 'B' }]);
  expect(given.aliases?.get('A')?.group).toBe('G');
});

test('a list in the form of catalogue.json stays as it is', async () => {
  const sale = { price: 5, from: '2020-12-01T00:00:00Z', until: '2020-12-24T00:00:00+01:00' };
  const product = { id: 'A', price: 9, sale, category: ['a > b'], group: 'G', features: { size: '12' } };
  const list = ['in stock', 'out of stock', 'preorder', 'backorder'].map((availability, k) => ({
    ...product,
    ...{ id: `A${k}`, availability },
  }));
  expect(await read(JSON.stringify(list))).toEqual({ products: list });
});

test('long texts of a feed, such as descriptions, are no features', async () => {
  const { products } = await read(`{"id":"A1","colour":"blue","description":"${'words '.repeat(200)}"}`);
  expect(products).toEqual([{ id: 'A1', features: { colour: 'blue' } }]);
});

test('a feed is read with its variants, and with what replaces its rows', async () => {
  const messages: Message[] = [];
  const onMessage = (message: Message) => void messages.push(message);
  const text = 'id,title,sale_price,price,item_group_id,gtin\nA,old,,9,G,1\nA,new,7,9,G,2\n';
  const { products, aliases } = await read(text, { onMessage });
  expect(products).toMatchObject([{ id: 'A', title: 'new', price: 7 }]);
  expect(aliases).toEqual(new Map([['A', { also: ['2'], group: 'G' }]]));
  expect(messages).toContainEqual({
    level: 'warning',
    text: '1 rows have the id of an earlier one, such as "A": the last one counts.',
  });
  const shop = await read('Handle,Title,Variant SKU,Variant Price\na,Shirt,S-1,5\na,,S-2,4\n');
  expect(shop.products).toMatchObject([{ id: 'a', price: 4, url: '/products/a' }]);
  expect(shop.aliases?.get('a')).toEqual({ also: ['S-1', 'S-2'] });
});

test.each([
  ['"12,50"', '1.299', 1],
  ['"1.299,00 EUR"', '12.345 EUR', 1],
  ['"12,50"', '1299', 0],
  ['12.50', '1.299', 0],
  ['"1,299"', '1.299', 0],
  ['"12,50"', '0.125', 0],
])('a table with the prices %s and %s gets as many warnings of points that may be either: %i', async (a, b, count) => {
  const messages: Message[] = [];
  const text = `id,title,price\n1,A,${a}\n2,B,${b}\n`;
  const { products } = await read(text, { onMessage: (message: Message) => void messages.push(message) });
  expect(products).toHaveLength(2);
  const warned = messages.filter(({ text }) => text.includes('It was read as a decimal point'));
  expect(warned).toHaveLength(count);
  for (const { text } of warned)
    expect(text).toMatch(/:3: "1[\d.]+.* have a decimal comma, such as .*:2: ".*--lang de/);
});

describe('a feed gives its products by their ids', () => {
  // The columns of `table.csv` have names of their own.
  test.each(Object.keys(FEEDS).filter((name) => name !== 'table.csv'))('%s', async (name) => {
    const { products } = await read([...FEEDS[name]!(20)].join(''));
    expect(products.length).toBeGreaterThan(0);
    for (const { id, title } of products) expect([id, title]).toEqual([expect.any(String), expect.any(String)]);
  });
});

test('a row of a feed that cannot be read is named', async () => {
  const rss =
    '<rss xmlns:g="http://base.google.com/ns/1.0"><channel><item><g:id>1</g:id><title>A</title><g:price>?</g:price></item></channel></rss>';
  await expect(read(rss)).rejects.toMatchObject({
    code: 'bad-input',
    message: expect.stringMatching(/^products:1: .*price/),
  });
});
