import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { catalogue } from '../../src/pipeline/catalogue/catalogue';
import { warnOfGaps } from '../../src/pipeline/catalogue/products';
import { readCatalogueFile } from '../../src/pipeline/files/catalogue-file';
import type { Message } from '../../src/pipeline/observer';
import { file, folder } from '../cli/program';
import { testWithLogs } from '../with-logs';

const PRODUCTS = [
  {
    id: 'A1',
    title: 'Socks "Wool"',
    price: 4.5,
    category: ['Clothes', 'Socks'],
    brand: 'Felt & Co',
    features: { colour: 'navy blue', page: 1, size: '007' },
  },
  { id: '🧦', category: ['Kitchen'], features: { page: 2.5, size: 'XL' } },
];

test('a table with other names of columns is read by way of a catalogue, as its error says', async () => {
  const table = await file('items.csv', 'sku,name,amount,colour\nA1,Socks,"4,50",blue\nA2,Hat,9,red\n');
  const out = join(await folder(), 'catalogue');
  await expect(readCatalogueFile(table)).rejects.toThrow(
    `Map the columns by  aisle catalogue ${table} --columns id=…,title=… --out FOLDER  and pass the folder.`,
  );
  const columns = { id: 'sku', title: 'name', price: 'amount' };
  await catalogue({ feeds: [table], out, columns, features: ['colour'], currency: 'EUR' });
  expect((await readCatalogueFile(out)).products).toMatchObject([
    { id: 'A1', title: 'Socks', price: 4.5, features: { colour: 'blue' } },
    { id: 'A2', title: 'Hat', price: 9, features: { colour: 'red' } },
  ]);
});

test.each([
  [
    'tab-separated',
    'items.tsv',
    'item_id\ttitle\tprice\tcategory\tbrand\tcolour\tpage\tsize\n' +
      'A1\tSocks "Wool"\t4.50\tClothes > Socks | Gifts\tFelt & Co\tnavy blue\t1\t007\n' +
      '🧦\t\t\tKitchen\t\t\t2.5\tXL\n',
  ],
  [
    'separated by commas, with quotes, another order and another name for ids',
    'items.csv',
    'size,page,colour,brand,categories,price,title,id\r\n' +
      '007,1,navy blue,Felt & Co,"Clothes > Socks",4.5,"Socks ""Wool""",A1\r\nXL,2.5,,,Kitchen,,,🧦\r\n',
  ],
  ['JSON', 'products.json', JSON.stringify(PRODUCTS)],
])('a catalogue is read %s, plain and as gzip', async (_, name, text) => {
  expect((await readCatalogueFile(await file(name, text))).products).toEqual(PRODUCTS);
  expect((await readCatalogueFile(await file(`${name}.gz`, gzipSync(text)))).products).toEqual(PRODUCTS);
});

test('the folder that "aisle catalogue" wrote is read with its aliases and rules', async () => {
  const feed = await file('feed.json', '[{"id":"A1","gtin":"77"}]');
  const rules = await file('rules.json', '[{"do":"exclude","brand":"Nord"}]');
  const out = join(await folder(), 'catalogue');
  await catalogue({ feeds: [feed], out, rules });
  const read = await readCatalogueFile(out);
  expect(read).toMatchObject({ products: [{ id: 'A1' }], rules: [{ do: 'exclude', brand: 'Nord' }] });
  expect(read.aliases).toEqual(new Map([['A1', { also: ['77'] }]]));
  await writeFile(join(out, 'aliases.json'), '{}');
  await expect(readCatalogueFile(out)).rejects.toThrow(/aliases\.json is not the file that/);
});

test('the folder that "aisle catalogue" wrote is read whole, and checked', async () => {
  const ids = Array.from({ length: 10_001 }, (_, k) => ({ id: `A${k}`, price: k }));
  const feed = await file('feed.json', JSON.stringify(ids));
  const out = join(await folder(), 'catalogue');
  await catalogue({ feeds: [feed], out });
  expect((await readCatalogueFile(out)).products).toEqual(ids);
  await writeFile(join(out, 'catalogue-2.json'), '[]');
  await expect(readCatalogueFile(out)).rejects.toThrow(
    /catalogue-2\.json is not the file that catalogue-manifest\.json lists; run "aisle catalogue" again\.$/,
  );
  await expect(readCatalogueFile(await folder())).rejects.toThrow(
    /catalogue-manifest\.json cannot be read: no such file/,
  );
});

test('a Parquet file is to be exported as text', async () => {
  const path = await file('items.parquet', 'PAR1\x15');
  await expect(readCatalogueFile(path)).rejects.toThrow(/items\.parquet: a Parquet file, expected .* export it as CSV/);
});

test('a table may call its items as the log does', async () => {
  const path = await file('items.tsv', 'article\tcolour\nA1\tred\n');
  expect((await readCatalogueFile(path, 'article')).products).toEqual([{ id: 'A1', features: { colour: 'red' } }]);
});

const REAL = ['eshop-clothing-2008/items.tsv', 'online-retail/items.tsv', 'amazon-beauty/items.tsv.gz'];
testWithLogs('the real catalogues are read as they are', REAL, async (...paths) => {
  const read = async (path: string) => (await readCatalogueFile(path)).products;
  const [eshop, retail, beauty] = await Promise.all(paths.map(read));
  expect(eshop).toHaveLength(217);
  expect(eshop![0]).toEqual({
    id: 'A1',
    category: ['trousers'],
    features: {
      colour: 'navy blue',
      price_usd: 28,
      above_category_average: 'no',
      catalogue_page: 1,
      photo_position: 'top left',
      photo_view: 'en face',
    },
  });
  expect(retail).toHaveLength(3607);
  expect(beauty).toHaveLength(12_101);
  expect(beauty!.find(({ category }) => category && category.length > 2)?.category?.[0]).not.toContain('>');
});

test.each<[what: string, content: string | Uint8Array, message: RegExp]>([
  ['a header without ids', 'item\tcolour\nA1\tred\n', /items\.tsv:1: no column "item_id".* got "item", "colour"\./],
  ['a header with a name much like it', 'itemid\tcolour\nA1\tred\n', /items\.tsv:1: .*Rename "itemid"\?$/],
  ['a column that stands twice', 'item_id\tx\tx\nA1\t1\t2\n', /items\.tsv:1: column "x" stands twice/],
  [
    'a row that is too short',
    'item_id\tx\nA1\t1\nB\n',
    /items\.tsv:3: 1 columns, expected 2 as in the header, got "B"/,
  ],
  ['an item without an id', 'item_id\tx\n\t1\n', /items\.tsv:2: the id is empty, expected one in item_id/],
  [
    'a price that is none',
    'item_id\tprice\nA1\t4,50 €\n',
    /items\.tsv:2: price is no price, expected an amount from 0 .*, got "4,50 €"/,
  ],
  ['only a header', 'item_id\tx\n', /items\.tsv: no products; expected at least one below the header/],
  ['nothing', '', /items\.tsv: the feed is empty; expected at least one product/],
  ['bytes that are no text', Buffer.from('item_id\tx\nA1\t\xff\n', 'latin1'), /items\.tsv:2: .*invalid UTF-8/],
  ['JSON of another shape', '{"A1":{}}', /items\.tsv:1: the id is empty, expected one in item_id or id/],
  [
    'JSON with a wrong field',
    '[{"id":"A1","brand":3}]',
    /product "A1": brand must be text, at most \d+ characters, got 3/,
  ],
  ['JSON with an id twice', '[{"id":"A1"},{"id":"A1"}]', /has the id "A1" twice/],
  ['a web page', '<!doctype html>', /this is no feed, expected RSS 2\.0 or Atom, got a web page/],
  ['half a gzip file', gzipSync('item_id\tx\nA1\t1\n').subarray(0, 20), /gzip file is damaged or cut off/],
])('%s is refused with a sentence', async (_, content, message) => {
  await expect(readCatalogueFile(await file('items.tsv', content))).rejects.toMatchObject({
    code: 'bad-input',
    message: expect.stringMatching(message),
  });
});

test('what the log has and the catalogue lacks is reported once, with its number and an example', () => {
  let said = '';
  const observer = {
    onMessage({ level, text }: Message) {
      said += `${level}: ${text}`;
    },
  };
  warnOfGaps([{ id: 'a' }], ['a', 'b', 'c'], 'items.tsv', observer);
  expect(said).toBe(
    'warning: items.tsv lacks 2 of the log\'s 3 items, such as "b": what it says of items counts as missing for them, ' +
      'and no page shows them.',
  );
  said = '';
  warnOfGaps([{ id: 'a' }, { id: 'b' }], ['a'], 'items.tsv', observer);
  expect(said).toBe('');
});
