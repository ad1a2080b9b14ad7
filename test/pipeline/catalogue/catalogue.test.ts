import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkAliases } from '../../../src/checkpoint/aliases';
import { checkCatalogue } from '../../../src/checkpoint/catalogue-file';
import { matches } from '../../../src/checkpoint/rules';
import { type CatalogueOptions, catalogue } from '../../../src/pipeline/catalogue/catalogue';
import { readFeed } from '../../../src/pipeline/catalogue/read-feed';
import type { Message } from '../../../src/pipeline/observer';
import { file, fillDisk, folder } from '../../cli/program';
import { FEEDS, product, TABLE_COLUMNS } from './feeds';

const NOW = Date.parse('2026-06-15T12:00:00Z');

interface Written {
  readonly products: readonly Record<string, unknown>[];
  readonly aliases: Record<string, { also?: string[]; group?: string }>;
  readonly manifest: { version: string; parts: string[]; files: Record<string, { sha256: string; bytes: number }> };
}

async function read(out: string): Promise<Written> {
  const json = async (name: string) => JSON.parse(await readFile(join(out, name), 'utf8'));
  const manifest = await json('catalogue-manifest.json');
  const parts = await Promise.all(manifest.parts.map(json));
  return { products: parts.flat(), aliases: await json('aliases.json'), manifest };
}

/** The catalogue of a feed with this content, and what was said. */
async function built(name: string, content: string | Uint8Array, options: Partial<CatalogueOptions> = {}) {
  const { out = join(await folder(), 'out') } = options;
  const messages: Message[] = [];
  const path = await file(name, content);
  const all = { now: NOW, onMessage: (message: Message) => void messages.push(message), ...options, out };
  const report = await catalogue({ feeds: [path], ...all });
  return { report, path, out, messages, ...(await read(out)) };
}

const feed = (name: string, rows: number): string => [...FEEDS[name]!(rows)].join('');
const optionsOf = (name: string): Partial<CatalogueOptions> =>
  name === 'table.csv' ? { columns: TABLE_COLUMNS, currency: 'EUR', lang: 'de' } : { currency: 'EUR' };

/** Rows for ten products. */
const ROWS: Readonly<Record<string, number>> = { shopify: 30, woocommerce: 30, magento: 30, merchant: 20 };
const rowsOf = (name: string): number => ROWS[/^[a-z]+/.exec(name)![0]] ?? 10;

/** What the rows of a feed say, read in pieces of this length. */
async function rowsIn(text: string, length: number, name: string): Promise<unknown[]> {
  const bytes = new TextEncoder().encode(text);
  const found: unknown[] = [];
  async function* pieces() {
    for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
  }
  const { columns } = optionsOf(name);
  const handlers = {
    dialect: () => {},
    entries: (entries: readonly unknown[], line: number) => void found.push([line, ...entries]),
    bad: (...row: unknown[]) => void found.push(row),
  };
  await readFeed(pieces(), name, { now: 0, ...(columns && { columns }) }, handlers, async () => {});
  return found;
}

test.each(Object.keys(FEEDS))('%s gives the products of the shop', async (name) => {
  const isVariants = name.startsWith('merchant');
  const columns = isVariants ? { columns: { id: 'item_group_id' } as const } : {};
  const { products, report, messages } = await built(name, feed(name, rowsOf(name)), {
    ...optionsOf(name),
    ...columns,
  });
  expect(messages.filter(({ level }) => level === 'warning')).toEqual([]);
  expect(products).toHaveLength(10);
  expect(checkCatalogue(products)).toEqual(products);
  products.forEach((found, k) => {
    const { sku, handle, title, brand, category, price, isSoldOut } = product(k);
    expect(found).toMatchObject({ id: name === 'shopify.csv' ? handle : sku, title, brand, category, price });
    expect(found['currency']).toBe('EUR');
    expect(found['availability']).toBe(isSoldOut ? 'out of stock' : 'in stock');
    expect(found['image']).toContain(`${handle}.jpg`);
    if (name !== 'woocommerce.csv') expect(found['url']).toContain(handle);
    expect(found).not.toHaveProperty('features');
  });
  expect(JSON.stringify(products)).not.toMatch(/cost|secret|Words/);
  expect(report).toMatchObject({ products: 10, soldOut: 1, badRows: 0, replaced: 0 });
  const cost = report.feeds[0]!.leftOut.filter((column) => /cost/i.test(column));
  expect(cost).toHaveLength(1);
});

test.each([
  ['merchant.tsv', 'Google Merchant Center', 'table'],
  ['merchant-atom.xml', 'Google Merchant Center', 'XML'],
  ['shopify.csv', 'Shopify', 'table'],
  ['woocommerce.csv', 'WooCommerce', 'table'],
  ['magento.csv', 'Magento 2', 'table'],
  ['products.jsonl', 'product list', 'JSON'],
])('%s is recognised by its content, also packed and under another name', async (name, dialect, format) => {
  const { report, messages, path } = await built('feed.gz', gzipSync(feed(name, 30)), optionsOf(name));
  expect(report.feeds[0]).toMatchObject({ dialect, format, rows: 30 });
  expect(messages).toContainEqual({ level: 'info', text: `${path}: ${dialect}, ${format}` });
});

test.each([
  ['merchant.tsv', 'A0-S', ['4000000000000', 'M-A0-S', 'https://shop.example/products/product-0?variant=1'], 'A0'],
  ['shopify.csv', 'product-0', ['A0-S', '4000000000000', 'A0-M', '4000000000001'], undefined],
  ['woocommerce.csv', 'A0', ['100', 'A0-S', '4000000000000', '101', 'A0-M', '4000000000001', '102'], undefined],
  ['magento.csv', 'A0', ['A0-S', 'A0-M'], undefined],
])('the variants and numbers in %s are aliases', async (name, id, also, group) => {
  const { aliases } = await built(name, feed(name, 30), optionsOf(name));
  expect(aliases[id]).toEqual({ also: expect.arrayContaining(also), ...(group && { group }) });
  expect(aliases[id]!.also).toHaveLength(also.length);
});

test('a name that two products have is left out and counted; an id is never the alias of another product', async () => {
  const text = 'id\ttitle\tgtin\tmpn\nA\ta\t1\tB\nB\tb\t1\tX\nC\tc\t2\tX\n';
  const { aliases, report } = await built('t.tsv', text);
  expect(aliases).toEqual({ C: { also: ['2'] } });
  expect(report.aliases).toEqual({ names: 1, shared: 3 });
});

test('a page takes the names of many variants; of too many the first ones are written, with a warning', async () => {
  const header = 'ID,Type,SKU,Name,Published,Regular price,"GTIN, UPC, EAN, or ISBN",Parent\n';
  const shirt = (variants: number): string =>
    `${header}1,variable,T,Shirt,1,,,\n${Array.from({ length: variants }, (_, k) => `${k + 2},variation,T-${k},,1,9.99,${4e12 + k},T\n`).join('')}`;
  const { aliases, messages } = await built('some.csv', shirt(35), { currency: 'EUR' });
  expect(checkAliases(aliases).get('T')!.also).toHaveLength(1 + 3 * 35);
  expect(messages.filter(({ level }) => level === 'warning')).toEqual([]);

  const most = await built('many.csv', shirt(3334), { currency: 'EUR' });
  expect(checkAliases(most.aliases).get('T')!.also).toHaveLength(10_000);
  expect(most.report.aliases.names).toBe(10_000);
  expect(most.messages).toContainEqual({
    level: 'warning',
    text: '3 aliases were left out, such as of "T": a page reads at most 10,000 of one product.',
  });
});

test('a name or group that is too long for a page is left out, with a warning', async () => {
  const long = `https://shop.example/${'x'.repeat(980)}`;
  const text = `id\ttitle\tlink\tprice\tgtin\titem_group_id\nA\ta\t${long}\t1 EUR\t7\t${long}\n`;
  const { products, aliases, messages } = await built('t.tsv', text);
  expect(products[0]!['url']).toBe(long);
  expect(aliases).toEqual({ A: { also: ['7'] } });
  const [warning] = messages.filter(({ level }) => level === 'warning');
  expect(warning!.text).toMatch(/^2 aliases are longer than 1,000 characters and were left out, such as "https:/);
});

test('of two rows with one id the last one counts, also across feeds, and the count is reported', async () => {
  const more = await file('more.jsonl', '{"id":"B","title":"from the second"}\n');
  const first = await file('t.csv', 'id,title\nA,one\nB,b\nA,two\n');
  const { products, report, messages } = await built('unused.tsv', 'id\n1\n', { feeds: [first, more] });
  expect(products).toEqual([
    { id: 'A', title: 'two' },
    { id: 'B', title: 'from the second' },
  ]);
  expect(report.replaced).toBe(2);
  expect(messages.some(({ text }) => text.includes('2 rows have the id of an earlier one, such as "A"'))).toBe(true);
});

/** The catalogue of several feeds, the last of which is the newest. */
async function ofFeeds(name: string, contents: readonly string[], options: Partial<CatalogueOptions> = {}) {
  const feeds = await Promise.all(contents.map((content, k) => file(`${k}-${name}`, content)));
  return built(name, '', { feeds, ...options });
}

test('a product of a later feed replaces the earlier one with its variants and names, in every dialect', async () => {
  const shopify = (rows: string) => `Handle,Title,Status,Variant SKU,Variant Price,Variant Barcode\n${rows}`;
  const before = shopify('a,Old,active,S-1,1,11\na,,,S-2,2,12\nb,B,active,T,3,\nc,C,active,U,4,\n');
  const after = shopify('a,New,active,S-3,5,13\na,,,S-4,6,14\nb,B,draft,T,3,\n');
  const shop = await ofFeeds('shopify.csv', [before, after]);
  expect(shop.products).toMatchObject([
    { id: 'c', price: 4 },
    { id: 'a', title: 'New', price: 5 },
  ]);
  expect(shop.aliases).toEqual({ c: { also: ['U'] }, a: { also: ['S-3', '13', 'S-4', '14'] } });
  expect(shop.report).toMatchObject({ replaced: 2, hidden: 1, variants: 3, orphans: 1 });

  const woo = (rows: string) => `ID,Type,SKU,Name,Published,Regular price,Parent\n${rows}`;
  const woocommerce = await ofFeeds('woo.csv', [
    woo(
      '1,variable,T,Shirt,1,,\n2,variation,T-1,,1,1,T\n3,variation,T-2,,1,8,T\n4,variable,R,Rug,1,,\n5,variation,R-1,,1,4,R\n',
    ),
    woo('3,variation,T-2,,1,9,T\n1,variable,T,Shirt,1,,\n6,variation,R-2,,1,3,R\n'),
  ]);
  expect(woocommerce.products).toMatchObject([
    { id: 'R', price: 3 },
    { id: 'T', price: 9 },
  ]);
  expect(woocommerce.aliases).toEqual({ T: { also: ['1', 'T-2', '3'] }, R: { also: ['4', 'R-1', '5', 'R-2', '6'] } });
  expect(woocommerce.report).toMatchObject({ replaced: 2, variants: 3, orphans: 0 });

  const magento = (rows: string) => `sku,product_type,url_key,visibility,price,configurable_variations\n${rows}`;
  const single = 'Not Visible Individually';
  const configurable = await ofFeeds('magento.csv', [
    magento(`A-1,simple,a1,${single},1,\nA-2,simple,a2,Catalog,2,\nA,configurable,a,Catalog,,sku=A-1|sku=A-2\n`),
    magento(`A-1,simple,a1,Catalog,5,\nA-2,simple,a2,${single},6,\nA,configurable,a,Catalog,,sku=A-2\n`),
  ]);
  expect(configurable.products).toMatchObject([
    { id: 'A-1', price: 5 },
    { id: 'A', price: 6 },
  ]);
  expect(configurable.aliases).toEqual({ A: { also: ['A-2'] } });
  expect(configurable.report.replaced).toBe(3);
});

test('names of a row that a later one replaces go with it', async () => {
  const { aliases } = await built('t.tsv', 'id\ttitle\tgtin\nA\told\t1\nA\tnew\t2\n');
  expect(aliases).toEqual({ A: { also: ['2'] } });
});

test('with ids of groups, the first variant in stock of the later feed stands for a group', async () => {
  const table = (rows: string) => `id,item_group_id,title,availability\n${rows}`;
  const feeds = [table('a1,A,old,in_stock\n'), table('a2,A,sold out,out_of_stock\na3,A,new,in_stock\n')];
  const { products, aliases, report } = await ofFeeds('t.csv', feeds, { columns: { id: 'item_group_id' } });
  expect(products).toMatchObject([{ id: 'A', title: 'new' }]);
  expect(aliases['A']!.also).toEqual(['a2', 'a3']);
  expect(report).toMatchObject({ replaced: 1, variants: 1 });
});

test('the stock of its variants is that of a product, unless the product itself is sold out', async () => {
  const header = 'ID,Type,SKU,Name,Published,In stock?,Regular price,Parent\n';
  const shirt = (stock: number, ...variants: readonly number[]) =>
    `${header}1,variable,T,Shirt,1,${stock},,\n${variants.map((v, k) => `${k + 2},variation,T-${k},,1,${v},9,T\n`).join('')}`;
  const stockOf = async (text: string) => {
    const { products, report } = await built('woo.csv', text);
    return [products[0]!['availability'], report.soldOut];
  };
  expect(await stockOf(shirt(1, 0, 0))).toEqual(['out of stock', 1]);
  expect(await stockOf(shirt(1, 0, 1))).toEqual(['in stock', 0]);
  expect(await stockOf(shirt(0, 1))).toEqual(['out of stock', 1]);
});

test('the parent id:N of a WooCommerce variation is the product with that number, whatever SKU another has', async () => {
  const header = 'ID,Type,SKU,Name,Published,Regular price,Parent\n';
  const text = `${header}12,variable,A,Shirt,1,,\n13,variation,A-1,,1,5,id:12\n47,variable,12,Rug,1,,\n48,variation,R-1,,1,7,12\n`;
  const { products } = await built('woo.csv', text);
  expect(products).toMatchObject([
    { id: 'A', price: 5 },
    { id: '12', price: 7 },
  ]);
  const twice = `${header}12,simple,,Shirt,1,5,\n47,simple,12,Rug,1,7,\n`;
  await expect(built('woo.csv', twice)).rejects.toThrow(
    /:3: the id "12" is the SKU of one product and the number of another that has no SKU, expected one product for each id; give the other one a SKU\.$/,
  );
  const later = await ofFeeds('woo.csv', [`${header}12,simple,,Shirt,1,5,\n`, `${header}12,simple,12,Shirt,1,6,\n`]);
  expect(later.products).toMatchObject([{ id: '12', price: 6 }]);
});

test('the apostrophe that Shopify puts before a barcode is no part of it', async () => {
  const { aliases } = await built('s.csv', "Handle,Title,Variant SKU,Variant Price,Variant Barcode\na,A,'S,5,'0123\n");
  expect(aliases).toEqual({ a: { also: ['S', '0123'] } });
});

test('with ids of groups, the first variant in stock stands for its group, and the ids of all are aliases', async () => {
  const text =
    'id\ttitle\tlink\tprice\tavailability\titem_group_id\n' +
    '1\tred\t/1\t5.00 EUR\tout_of_stock\tG\n2\tblue\t/2\t6.00 EUR\tin_stock\tG\n3\tgreen\t/3\t7.00 EUR\tin_stock\tG\n';
  const { products, aliases, report } = await built('t.tsv', text, { columns: { id: 'item_group_id' } });
  expect(products).toEqual([
    { id: 'G', title: 'blue', url: '/2', price: 6, currency: 'EUR', availability: 'in stock' },
  ]);
  expect(aliases['G']!.also).toEqual(['1', '2', '3']);
  expect(report).toMatchObject({ products: 1, variants: 2, replaced: 0 });
});

test('with ids of groups, a product without a group has its own id', async () => {
  const text = 'id\ttitle\titem_group_id\n1\tred\tG\n2\tblue\tG\n3\talone\t\n';
  const { products, aliases, report } = await built('t.tsv', text, { columns: { id: 'item_group_id' } });
  expect(products).toEqual([
    { id: 'G', title: 'red' },
    { id: '3', title: 'alone' },
  ]);
  expect(aliases).toEqual({ G: { also: ['1', '2'], group: 'G' } });
  expect(report).toMatchObject({ variants: 1, replaced: 0 });
});

test('a sale counts within its dates: published with them, at once where it has none, not where it is over', async () => {
  const rows = [
    ['open', ''],
    ['dated', '2026-06-10T00:00+0200/2026-06-20T00:00+0200'],
    ['over', '2026-05-01T00:00Z/2026-06-01T00:00Z'],
    ['started', '2026-06-01/'],
    ['odd', 'next week'],
  ];
  const text = `id\tprice\tsale_price\tsale_price_effective_date\n${rows
    .map(([id, dates]) => `${id}\t10.00 EUR\t8.00 EUR\t${dates}`)
    .join('\n')}\n`;
  const { products, messages } = await built('t.tsv', text);
  const plain = { price: 10, currency: 'EUR' };
  expect(products).toEqual([
    { id: 'open', price: 8, currency: 'EUR' },
    {
      ...{ id: 'dated', ...plain },
      sale: { price: 8, from: '2026-06-09T22:00:00.000Z', until: '2026-06-19T22:00:00.000Z' },
    },
    { id: 'over', ...plain },
    { id: 'started', price: 8, currency: 'EUR' },
    { id: 'odd', ...plain },
  ]);
  expect(messages.some(({ text }) => /1 sale prices have dates .*"next week"/.test(text))).toBe(true);
});

test('a currency is that of the price, else of its column, the one that is given, or that of the sale price', async () => {
  const currencies = async (rows: readonly string[], options = {}) => {
    const { products } = await built('t.csv', `id,price,sale_price,currency\n${rows.join('\n')}\n`, options);
    return products.map(({ currency }) => currency);
  };
  const usd = { currency: 'USD' };
  expect(await currencies(['A,10 EUR,8,GBP', 'B,10,8,gbp', 'C,10,8,', 'D,10,8,$'], usd)).toEqual([
    'EUR',
    'GBP',
    'USD',
    'USD',
  ]);
  expect(await currencies(['A,10,8 EUR,', 'B,,,-'])).toEqual(['EUR', undefined]);
});

test('a sale price in another currency that has ended is left out', async () => {
  const row = '1,10 EUR,8 USD,2020-01-01/2020-02-01';
  const { products } = await built('t.csv', `id,price,sale_price,sale_price_effective_date\n${row}\n`);
  expect(products[0]).toMatchObject({ price: 10, currency: 'EUR' });
});

test.each([
  [
    ...[
      'WooCommerce',
      'Type,SKU,Name,Published,Regular price,Sale price,Date sale price starts,Date sale price ends\n',
    ],
    ...['simple,A,a,1,10,8,2026-06-05 0:00:00,2026-06-20 23:59:59\n', 'simple,B,b,1,10,8,2026-06-05 0:00,soon\n'],
    ...['2026-06-20T23:59:59.000Z', '"2026-06-05 0:00 to soon"'],
  ],
  [
    ...[
      'Magento 2',
      'product_type,sku,name,url_key,price,special_price,special_price_from_date,special_price_to_date\n',
    ],
    ...['simple,A,a,a,10,8,6/5/26,6/20/26\n', 'simple,B,b,b,10,8,5/6/26,20/6/26\n'],
    ...['2026-06-21T00:00:00.000Z', '"5/6/26 to 20/6/26"'],
  ],
])('the dates of sales of %s are read as it writes them', async (_, header, good, odd, until, got) => {
  const { products, messages } = await built('s.csv', header + good + odd, { currency: 'EUR' });
  const sale = { price: 8, from: '2026-06-05T00:00:00.000Z', until };
  expect(products[0]).toMatchObject({ id: 'A', price: 10, sale });
  expect(products[1]).not.toHaveProperty('sale');
  const warning = messages.find(({ level }) => level === 'warning')!;
  expect(warning.text).toMatch(/^1 sale prices have dates that cannot be read and were left out, such as .*ISO 8601/);
  expect(warning.text).toContain(got);
});

test('a catalogue of our own goes through unchanged, with its sales, and its features by name', async () => {
  const own = [
    {
      ...{ id: 'A', title: 't', url: '/a', image: 'a.png', price: 3 },
      sale: { price: 2, from: '2026-06-01T00:00:00.000Z', until: '2026-07-01T00:00:00.000Z' },
      ...{ currency: 'EUR', category: ['a', 'b'], brand: 'x', availability: 'backorder' },
      features: { colour: 'red', size: 38, code: '007' },
    },
  ];
  const { products } = await built('own.json', JSON.stringify(own), { features: ['colour', 'size', 'code'] });
  expect(products).toEqual(own);
  const { products: bare, report } = await built('own.json', JSON.stringify({ products: own }));
  expect(bare[0]).not.toHaveProperty('features');
  expect(report.feeds[0]!.leftOut).toEqual(['features.colour', 'features.size', 'features.code']);
});

test('lists of JSON are read by their texts and numbers, categories by their names, and told where they have none', async () => {
  const shoe = '{"item_id":"A","gtin":[4006381333931],"categories":[{"id":3,"name":"Shoes"},{"id":4,"name":"Boots"}],';
  const rest = '"sizes":[41,42],"tags":[],"image":[{"src":"a.png","name":"a"}]}';
  const { products, aliases, report } = await built('a.jsonl', shoe + rest, { features: ['sizes'] });
  expect(products).toEqual([{ id: 'A', category: ['Shoes', 'Boots'], features: { sizes: 41 } }]);
  expect(aliases).toEqual({ A: { also: ['4006381333931'] } });
  expect(report.feeds[0]!.leftOut).toEqual(['tags', 'image[]']);
});

test.each([
  ['tags', { tags: ['new', 'sale', 3] }, 'new,sale,3'],
  ['Tag', { Tag: ['new', 'sale'] }, 'new,sale'],
  ['tags', { features: { tags: ['new', 'sale'] } }, 'new,sale'],
  ['tags', { tags: 'new, sale' }, 'new, sale'],
])('all %s of a product of JSON are published, as rules read them: %o', async (name, row, text) => {
  const { products } = await built('a.json', JSON.stringify([{ id: 'A', ...row }]), { features: [name] });
  expect(products).toEqual([{ id: 'A', features: { [name]: text } }]);
  expect(matches({ tag: ['sale'] }, checkCatalogue(products)[0]!)).toBe(true);
});

test('a feature is a number where a number holds all of its digits', async () => {
  const codes = ['12345678901234567', '12345678901234568.0', '0.12345678901234567890', '4006381333931', '9.90', '007'];
  const rows = codes.map((code, k) => `${k},${code}`).join('\n');
  const { products } = await built('a.csv', `id,code\n${rows}\n`, { features: ['code'] });
  const read = products.map(({ features }) => (features as { code: unknown }).code);
  expect(read).toEqual([...codes.slice(0, 3), 4006381333931, 9.9, '007']);
  const json = '[{"id":"A","code":12345678901234567},{"id":"B","code":0.30000000000000004}]';
  const { products: own } = await built('a.json', json, { features: ['code'] });
  expect(own.map(({ features }) => features)).toEqual([{ code: codes[0] }, { code: 0.1 + 0.2 }]);
});

test('features come from columns and from the attributes of Magento', async () => {
  const { products } = await built(
    'm.csv',
    feed('magento.csv', 3).replaceAll('has_options=1', 'color=""Red"",size=38'),
    {
      features: ['color', 'size', 'qty'],
    },
  );
  expect(products[0]!['features']).toEqual({ color: 'Red', size: 38, qty: 0 });
});

test('drafts and hidden products are not published, with what belongs to them', async () => {
  const shop = feed('shopify.csv', 6).replace(',active\n', ',draft\n');
  const { products, aliases, report } = await built('s.csv', shop, { currency: 'EUR' });
  expect(products.map(({ id }) => id)).toEqual(['product-1']);
  expect(JSON.stringify(aliases)).not.toContain('A0');
  expect(report).toMatchObject({ products: 1, hidden: 1, variants: 2, orphans: 2 });
  const all = feed('shopify.csv', 3).replace(',active\n', ',draft\n');
  await expect(built('s.csv', all)).rejects.toThrow(/expected at least one product to show, got all 1 are drafts/);
});

test('parts hold 10,000 products; the manifest has length and SHA-256 of each; a smaller catalogue removes them', async () => {
  const { out, manifest, products } = await built('big.jsonl', feed('products.jsonl', 20_001));
  expect(manifest.parts).toEqual(['catalogue.json', 'catalogue-2.json', 'catalogue-3.json']);
  expect(new Set(products.map(({ id }) => id)).size).toBe(20_001);
  expect(Object.keys(manifest.files).sort()).toEqual([...manifest.parts, 'aliases.json'].sort());
  for (const [name, { sha256, bytes }] of Object.entries(manifest.files)) {
    const content = await readFile(join(out, name));
    expect([content.length, createHash('sha256').update(content).digest('hex')]).toEqual([bytes, sha256]);
  }
  await writeFile(join(out, 'rules.json'), '{}');
  const again = await built('small.jsonl', feed('products.jsonl', 3), { out });
  expect(again.manifest.version).not.toBe(manifest.version);
  expect((await readdir(out)).sort()).toEqual(['aliases.json', 'catalogue-manifest.json', 'catalogue.json']); // and rules that this run was not given
});

test('the same feed gives the same bytes', async () => {
  const [one, two] = [
    await built('a.csv', feed('woocommerce.csv', 30)),
    await built('b.csv', feed('woocommerce.csv', 30)),
  ];
  expect(one.manifest).toEqual(two.manifest);
});

test.each<
  [what: string, name: string, content: string | Uint8Array, options: Partial<CatalogueOptions>, message: RegExp]
>([
  ['an empty file', 'a.tsv', '', {}, /a\.tsv: the feed is empty; expected at least one product\.$/],
  ['a header alone', 'a.tsv', 'id\ttitle\n', {}, /a\.tsv: no products; expected at least one below the header\.$/],
  ['an empty list', 'a.json', '[]', {}, /a\.json: the feed is empty/],
  ['no ids', 'a.csv', 'sku;name\n1;x\n', {}, /a\.csv:1: no column "id".*got "sku", "name"\. .*`columns` id=…$/],
  ['a feature that nothing is like', 'a.csv', 'id,title\n1,x\n', { features: ['nope'] }, /got "id", "title"\.$/],
  [
    'a title',
    'a.csv',
    'id,name\n1,x\n',
    { columns: { title: 'wording' } },
    /no column "wording".* got "id", "name"\.$/,
  ],
  [
    'a column that is not there',
    'a.csv',
    'id,colour\n1,x\n',
    { features: ['color'] },
    /no column "color".*Is it "colour"\?$/,
  ],
  [
    'an empty id',
    'a.csv',
    'id,title\n1,x\n,y\n',
    {},
    /a\.csv:3: the id is empty, expected one in item_id or id, got nothing\.$/,
  ],
  [
    'a price that is none',
    'a.csv',
    'id,price\n1,€5\n',
    {},
    /a\.csv:2: price is no price, expected an amount .* got "€5"\.$/,
  ],
  [
    'a sale price in another currency',
    'a.csv',
    'id,price,sale_price\n1,10 EUR,8 USD\n',
    {},
    /a\.csv:2: sale_price has another currency, expected EUR as price has, got USD\.$/,
  ],
  ...['€', 'Euro'].map((text): [string, string, string, object, RegExp] => [
    `the currency ${text}`,
    'a.csv',
    `id,price,currency\n1,10,${text}\n`,
    {},
    new RegExp(
      `a\\.csv:2: currency is no code, expected three letters of ISO 4217 such as EUR, or .*, got "${text}"\\.$`,
    ),
  ]),
  [
    'a row with too few cells',
    'a.csv',
    'id,price\n1\n',
    {},
    /a\.csv:2: 1 columns, expected 2 as in the header, got "1"\.$/,
  ],
  [
    'no UTF-8',
    'a.csv',
    Uint8Array.from([...Buffer.from('id,title\n1,'), 0xff, 10]),
    {},
    /a\.csv:2: a cell holds invalid UTF-8/,
  ],
  ['broken XML', 'a.xml', '<rss><channel>\n<item><id>1</item>', {}, /a\.xml:2: unexpected close tag\.$/],
  [
    'a web page',
    'a.xml',
    '<html><body></body></html>',
    {},
    /a\.xml:1: this is no feed, expected RSS 2\.0 or Atom, got a web page\.$/,
  ],
  [
    'XML without products',
    'a.xml',
    '<rss><channel></channel></rss>',
    {},
    /a\.xml: no products, expected <item> of RSS 2\.0/,
  ],
  ['JSON that ends early', 'a.json', '[{"id":"1"},\n{"id":', {}, /a\.json:2: the JSON ends early/],
  [
    'a list among objects',
    'a.jsonl',
    '{"id":"1"}\n["2"]\n',
    {},
    /a\.jsonl:2: expected a product as a JSON object, got "\[/,
  ],
  [
    'a text in a list',
    'a.json',
    '[{"id":"1"},\n"2"]\n',
    {},
    /a\.json:2: expected a product as a JSON object, got "\\"2/,
  ],
  ['a broken line of JSON', 'a.jsonl', '{"id":"1"}\n{"id":2,}\n', {}, /a\.jsonl:2: no valid JSON/],
  [
    'a name twice in JSON',
    'a.jsonl',
    '{"id":"1","id":"2"}\n',
    {},
    /a\.jsonl:1: no valid JSON.*has the name "id" twice/,
  ],
  [
    'a variation without a product',
    'a.csv',
    'Type,SKU,Name,Regular price,Parent,Published\nvariation,1,x,2,,1\n',
    {},
    /:2: Parent is empty/,
  ],
  [
    'ids of Shopify in another column',
    'a.csv',
    'Handle,Variant SKU\na,b\n',
    { columns: { id: 'Variant SKU' } },
    /joins the rows of a product by Handle/,
  ],
  [
    'a Parquet file',
    'a.parquet',
    'PAR1\x15',
    {},
    /a\.parquet: a Parquet file, expected a table .* export it as CSV, or/,
  ],
  ...['not a language', 'german', 'xx', 'de_AT'].map((lang): [string, string, string, object, RegExp] => [
    `the language ${lang}`,
    'a.csv',
    'id\n1\n',
    { lang },
    new RegExp(`^"${lang}" is no language whose numbers are known; expected a code such as de or en-GB\\. Without one`),
  ]),
])('%s is refused', async (_, name, content, options, message) => {
  await expect(built(name, content, options)).rejects.toThrow(message);
});

test('bad rows are passed over up to the number that is allowed', async () => {
  const text = 'id,price\n1,5\n,6\n2,x\n3,7\n';
  const { products, report, path } = await built('a.csv', text, { skipBadRows: 2 });
  expect(products.map(({ id }) => id)).toEqual(['1', '3']);
  expect(report.badRows).toBe(2);
  expect(report.badRowExamples[1]).toBe(
    `${path}:4: price is no price, expected an amount from 0 such as 15.00, 15.00 USD or 1.299,00 EUR, got "x"`,
  );
  await expect(built('a.csv', text, { skipBadRows: 1 })).rejects.toThrow(/bad row number 2; `skipBadRows` allows 1\.$/);
});

test('the folder of a model is left alone', async () => {
  const out = await folder();
  await writeFile(join(out, 'manifest.json'), '{}');
  await expect(built('a.csv', 'id\n1\n', { out })).rejects.toThrow(/is the folder of a model/);
  expect(await readdir(out)).toEqual(['manifest.json']);
});

test('an interrupted run leaves the earlier catalogue', async () => {
  const { out, manifest } = await built('a.csv', 'id\n1\n');
  await expect(built('b.csv', 'id\n2\n', { out, signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'aborted',
  });
  const stop = new AbortController();
  const onProgress = ({ isFinished }: { isFinished: boolean }) => void (isFinished && stop.abort()); // read, not written
  const late = built('b.csv', 'id\n2\n', { out, signal: stop.signal, onProgress });
  await expect(late).rejects.toMatchObject({ code: 'aborted' });
  expect((await read(out)).manifest).toEqual(manifest);
  expect(await readdir(out)).toHaveLength(3);
});

test('a full disk leaves the earlier catalogue', async () => {
  const { out, manifest, path } = await built('a.csv', 'id\n1\n');
  await fillDisk(path);
  await expect(catalogue({ feeds: [path], out })).rejects.toThrow(/failed, nothing was changed: the disk is full/);
  expect((await read(out)).manifest).toEqual(manifest);
});

test('a product that Shopify repeats for each variant is one', async () => {
  const text = 'Handle,Title,Variant SKU,Variant Price\na,A,1,5\na,A,2,4\n';
  const { products, report } = await built('s.csv', text);
  expect(products).toEqual([{ id: 'a', title: 'A', url: '/products/a', price: 4, availability: 'in stock' }]);
  expect(report).toMatchObject({ variants: 2, replaced: 0 });
});

test('the newer column names of Shopify are known, too, and what may be sold without stock is a backorder', async () => {
  const text =
    'Title,URL handle,Vendor,Product category,Published on online store,Status,SKU,Barcode,Price,Inventory tracker,' +
    'Inventory quantity,Continue selling when out of stock,Product image URL\n' +
    'Mug,mug,Felt,Home > Cups,TRUE,Active,M-1,77,5.00,shopify,0,CONTINUE,https://cdn.example/m.png\n' +
    'Old,old,Felt,Home > Cups,FALSE,Active,O-1,78,5.00,shopify,3,DENY,\n';
  const { products, aliases, report } = await built('s.csv', text, { currency: 'USD' });
  expect(products).toEqual([
    {
      ...{ id: 'mug', title: 'Mug', url: '/products/mug', image: 'https://cdn.example/m.png', price: 5 },
      ...{ currency: 'USD', category: ['Home', 'Cups'], brand: 'Felt', availability: 'backorder' },
    },
  ]);
  expect(aliases).toEqual({ mug: { also: ['M-1', '77'] } });
  expect(report).toMatchObject({ hidden: 1, orphans: 1, feeds: [{ dialect: 'Shopify', leftOut: [] }] });
});

test('a comma that WooCommerce escapes is part of its category or brand', async () => {
  const text =
    'Type,SKU,Name,Published,Regular price,Categories,Brands\nsimple,A,a,1,5,"Sale, Wear > Hats\\, Caps","Felt\\, Co"\n';
  const { products } = await built('w.csv', text, { currency: 'EUR' });
  expect(products[0]).toMatchObject({ category: ['Wear', 'Hats, Caps'], brand: 'Felt, Co' });
});

test('of an object only its list of products counts', async () => {
  const text = '{"products":[{"id":"1"}],"errors":[{"id":"no product"}],"total":1}';
  expect((await built('a.json', text)).products).toEqual([{ id: '1' }]);
  expect(await rowsIn(text, 1, 'a.json')).toHaveLength(1);
});

test.each([
  '{"status":"ok","größe":[1,2],"meta":{"total":1},"products":[{"id":"1"}],"errors":[{"id":"no product"}]}',
  '{"data":[{"id":"1"}]}',
  '{"meta":{"page":{"n":1,"next":null}},"shop":{"id":7,"about":"a } in a text"},"products":[{"id":"1"}]}',
  '{"id":"1","products":[{"id":"of a bundle"}]}\n',
  '{"title":"A set","items":[{"id":"of a bundle"}],"id":"1"}\n',
  '{"Id":"1","items":[{"id":"of a bundle"}]}',
  '{\n"g:id":"1","items":[{"id":"of a bundle"}]}\n',
])('of %s the one product is read', async (text) => {
  const [entry, ...others] = await rowsIn(text, text.length * 2, 'a.json');
  expect(entry).toMatchObject([1, { id: '1' }]);
  expect(others).toEqual([]);
});

test('a field or feature that no product of XML or JSON has is named', async () => {
  const { messages, path } = await built('a.jsonl', '{"id":"1","colour":"red"}\n', {
    columns: { title: 'label' },
    features: ['colour', 'color'],
  });
  const warnings = messages.filter(({ level }) => level === 'warning').map(({ text }) => text);
  expect(warnings.slice(0, 2)).toEqual([`${path}: no product has "label".`, `${path}: no product has "color".`]);
});

test.each(['title', 'note'])('a %s beyond the limit is a bad row, as pages refuse it', async (column) => {
  const text = `id,${column}\n1,short\n2,${'x'.repeat(100_001)}\n`;
  const isFeature = column === 'note';
  const row = built('a.csv', text, isFeature ? { features: [column] } : {});
  const field = isFeature ? 'features' : column;
  await expect(row).rejects.toThrow(`:3: the ${field} is too long, expected at most 100000 characters, got `);
});

test('a feed without products is refused, also after one with bad rows', async () => {
  const [bad, none] = [await file('bad.csv', 'id\n1\n\n,2\n'), await file('none.csv', 'id\n')];
  await expect(built('a.csv', '', { feeds: [bad, none], skipBadRows: 9 })).rejects.toThrow(/none\.csv: no products/);
});

test('of the links of an Atom entry, the one to the page of the product counts', async () => {
  const links = '<link rel="self" href="/a.xml"/><link rel="alternate" href="/a"/><link href="/b"/>';
  const text = `<feed xmlns:g="http://base.google.com/ns/1.0"><entry><g:id>A</g:id><title>a</title>${links}</entry></feed>`;
  expect((await built('a.xml', text)).products).toEqual([{ id: 'A', title: 'a', url: '/a' }]);
});

test('numbers of JSON have a decimal point in every language', async () => {
  const { products } = await built('a.json', '[{"id":"1","price":1.299},{"id":"2","price":"1.299,50"}]', {
    lang: 'de',
  });
  expect(products.map(({ price }) => price)).toEqual([1.299, 1299.5]);
});

test('prices that JSON has as texts are read by the language, as those of a table are', async () => {
  const options = { lang: 'de' };
  const prices = ['1.299', '12,500 EUR', '9,90'];
  const json = JSON.stringify(prices.map((price, k) => ({ id: `${k}`, price, sale: { price: [price] } })));
  const csv = ['id;price;sale_price', ...prices.map((price, k) => `${k};${price};${price}`)].join('\n');
  const { products } = await built('a.json', json, options);
  expect(products.map(({ price }) => price)).toEqual([1299, 12.5, 9.9]);
  expect(products).toEqual((await built('a.csv', csv, options)).products);
  const numbers = '[{"id":"1","price":[1.299],"sale":{"price":1.199}}]';
  expect((await built('a.json', numbers, options)).products).toEqual([{ id: '1', price: 1.199 }]);
});

test('ids of JSON are kept as they are written, and long numbers; prices and stocks are read as numbers', async () => {
  const text =
    '{"id":9007199254740993,"sku":90071992547409931,"price":1.25E7,"availability":1.0,"gtin":4006381333931.0}\n' +
    '{"id":9007199254740992,"sku":90071992547409932,"price":10.0}\n{"id":10.0,"item_group_id":7.0}\n';
  const { products, aliases } = await built('a.jsonl', text, { currency: 'EUR' });
  expect(products).toEqual([
    { id: '9007199254740993', price: 12_500_000, currency: 'EUR', availability: 'in stock' },
    { id: '9007199254740992', price: 10, currency: 'EUR' },
    { id: '10.0', currency: 'EUR' },
  ]);
  expect(aliases).toEqual({
    '9007199254740993': { also: ['90071992547409931', '4006381333931'] },
    '9007199254740992': { also: ['90071992547409932'] },
    '10.0': { group: '7.0' },
  });
});

test.each(Object.keys(FEEDS))('%s is read alike in pieces of any length', async (name) => {
  const text = `\ufeff${feed(name, 9)}`;
  const whole = await rowsIn(text, text.length * 4, name);
  expect(whole.length).toBeGreaterThan(5);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 97 }), async (length) => {
      expect(await rowsIn(text, length, name)).toEqual(whole);
    }),
    { seed: 1, numRuns: 8, examples: [[1]] },
  );
});
