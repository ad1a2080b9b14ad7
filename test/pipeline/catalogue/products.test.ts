import { describe, expect, test } from 'vitest';
import { readProducts } from '../../../src/pipeline/catalogue/products';
import { FEEDS } from './feeds';

const read = (content: string) => readProducts(new TextEncoder().encode(content), 'products', undefined, 0);

test('a table with ids is read as --catalogue reads it, features included', async () => {
  expect(await read('item_id\ttitle\tcolour\nA1\tTrousers\tblue\n')).toEqual([
    { id: 'A1', title: 'Trousers', features: { colour: 'blue' } },
  ]);
});

describe('a feed gives its products by their ids', () => {
  // The columns of `table.csv` have names of their own.
  test.each(Object.keys(FEEDS).filter((name) => name !== 'table.csv'))('%s', async (name) => {
    const products = await read([...FEEDS[name]!(20)].join(''));
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
