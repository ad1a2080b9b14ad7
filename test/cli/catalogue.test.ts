import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FEEDS } from '../pipeline/catalogue/feeds';
import { aisle, file, folder } from './program';

/** A model of a log whose items have these ids. */
async function model(...ids: string[]): Promise<string> {
  const rows = ids.map((id, k) => `s${k >> 1}\t${id}\t${k}\n`);
  const log = await file('log.tsv', `session_id\titem_id\ttimestamp\n${rows.join('')}`);
  const out = join(await folder(), 'shop-model');
  const { code, stderr } = await aisle('train', '--data', log, '--model', 'pop', '--out', out);
  expect(stderr.includes('aisle:')).toBe(false);
  expect(code).toBe(0);
  return out;
}

const merchant = () => file('feed.tsv', [...FEEDS['merchant.tsv']!(20)].join(''));

async function ids(out: string): Promise<string[]> {
  return JSON.parse(await readFile(join(out, 'catalogue.json'), 'utf8')).map(({ id }: { id: string }) => id);
}

test('the report says what was read, left out and matched, as text and as JSON', async () => {
  const feed = await merchant();
  const artifact = await model('A3-M', 'A1-S', 'gone', 'A4-S');
  const out = join(await folder(), 'catalogue');
  const text = await aisle('catalogue', feed, '--out', out, '--artifact', artifact);
  expect(text).toMatchObject({ code: 0, stderr: `${feed}: Google Merchant Center, table\n` });
  expect(text.stdout).toMatch(
    /: Google Merchant Center, table, 20 rows\n {2}not published: description, cost_of_goods_sold\n/,
  );
  expect(text.stdout).toMatch(/\n {2}products +20\n {2}sold out +2\n {2}aliases +9\n/);
  expect(text.stdout).toMatch(/Model shop-model, 4 items\n {2}by their id +3\n/);
  expect(text.stdout).toMatch(
    / {2}not in the feed +1 +such as gone\n {2}unknown to the model +17 +such as A0-S, A0-M, A1-M\n/,
  );
  expect(text.stdout).toContain('  by field: id 75 %\n');
  // What the model knows comes first, and it alone has aliases.
  expect((await ids(out)).slice(0, 3)).toEqual(['A1-S', 'A3-M', 'A4-S']);
  const aliases = JSON.parse(await readFile(join(out, 'aliases.json'), 'utf8'));
  expect(Object.keys(aliases)).toEqual(['A1-S', 'A3-M', 'A4-S']);

  const { stdout } = await aisle('catalogue', feed, '--out', out, '--artifact', artifact, '--json');
  const report = JSON.parse(stdout);
  expect(report).toMatchObject({
    out,
    products: 20,
    badRows: 0,
    missing: { title: 0, url: 0, image: 0, price: 0, currency: 0 },
    aliases: { names: 9, shared: 0 },
    model: {
      name: 'shop-model',
      items: 4,
      direct: 3,
      byAlias: 0,
      missing: 1,
      unknown: 17,
      byField: { id: 3, group: 0 },
    },
  });
  const manifest = JSON.parse(await readFile(join(out, 'catalogue-manifest.json'), 'utf8'));
  expect(manifest).toEqual({
    ...{ version: report.version, products: 20, known: 3 },
    ...{ parts: ['catalogue.json'], aliases: 'aliases.json', coldStart: 'cold-start.json', files: report.files },
  });
  // The known variant of a new one is nearest to it; products of other brands and categories come after.
  const cold = JSON.parse(await readFile(join(out, 'cold-start.json'), 'utf8'));
  expect(Object.keys(cold)).toHaveLength(17);
  expect(cold['A1-M'][0][0]).toBe('A1-S');
  for (const neighbours of Object.values<[string, number][]>(cold)) {
    expect(neighbours.every(([id]) => ['A1-S', 'A3-M', 'A4-S'].includes(id))).toBe(true);
    expect(neighbours.reduce((sum, [, weight]) => sum + weight, 0)).toBeCloseTo(1, 3);
  }
});

test('a folder below a file is refused', async () => {
  const path = await merchant();
  const { code, stderr } = await aisle('catalogue', path, '--out', join(path, 'sub'));
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: expect.stringContaining(`${path}/sub: the folder cannot be made`),
  });
});

test('where the model has other names, its ids are written: numbers, and each variant of a product', async () => {
  const out = join(await folder(), 'catalogue');
  const byNumber = await model('4000000000000', 'M-A1-S', 'A2-S', 'A5-S');
  const { stdout } = await aisle('catalogue', await merchant(), '--out', out, '--artifact', byNumber, '--json');
  expect((await ids(out)).slice(0, 4)).toEqual(['4000000000000', 'M-A1-S', 'A2-S', 'A5-S']);
  expect(JSON.parse(stdout).model).toMatchObject({ direct: 2, byAlias: 2, byField: { id: 2, gtin: 1, mpn: 1 } });

  const shop = await file('shopify.csv', [...FEEDS['shopify.csv']!(9)].join(''));
  const variants = await model('A0-S', 'A0-M', 'A2-S', 'product-1');
  await aisle('catalogue', shop, '--out', out, '--artifact', variants);
  const products = JSON.parse(await readFile(join(out, 'catalogue.json'), 'utf8'));
  expect(products.map(({ id, title }: Record<string, string>) => `${id} ${title}`)).toEqual([
    'A0-S Product 0',
    'A0-M Product 0',
    'product-1 Product 1',
    'A2-S Product 2',
  ]);
});

test('rules are written with the ids of the catalogue, and ids that are of no product are named', async () => {
  const shop = await file('shopify.csv', [...FEEDS['shopify.csv']!(9)].join(''));
  const artifact = await model('A0-S', 'A0-M', 'product-1');
  const pins = ['product-0', 'A0-M', 'A1-S', ['A2-S', 'nope', 'product-0', 'A0-S'], 'none'];
  const rules = await file('rules.json', JSON.stringify(pins.map((id) => ({ do: 'pin', id }))));
  const out = join(await folder(), 'catalogue');
  const { code, stderr } = await aisle('catalogue', shop, '--out', out, '--artifact', artifact, '--rules', rules);
  expect(code).toBe(0);
  expect(stderr).toContain(
    `${rules}: ids that are of no published product, or names of several: 2, such as "nope". No rule changes anything for such an id.`,
  );
  const written = JSON.parse(await readFile(join(out, 'rules.json'), 'utf8'));
  const ids = [['A0-S', 'A0-M'], 'A0-M', 'product-1', ['product-2', 'nope', 'A0-S', 'A0-M'], 'none'];
  expect(written).toEqual(ids.map((id) => ({ do: 'pin', id })));
  const many = await file(
    'rules.json',
    JSON.stringify([{ do: 'bury', id: Array.from({ length: 999 }, (_, k) => `${k}`).concat('product-0') }]),
  );
  const refused = await aisle('catalogue', shop, '--out', out, '--artifact', artifact, '--rules', many);
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('rule 1: id must be a text or a list of texts, at most 1000'),
  });
});

test('where nothing matches, the error names the field that would, and the earlier catalogue stays', async () => {
  const out = join(await folder(), 'catalogue');
  const feed = await merchant();
  await aisle('catalogue', feed, '--out', out);
  const groups = await model('A0', 'A1', 'A2', 'other');
  const { code, stderr, stdout } = await aisle('catalogue', feed, '--out', out, '--artifact', groups);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(
    "the model shop-model knows none of the products. 0 % of the model's 4 items are in the feed; " +
      'by item_group_id 75 % would match: --columns id=item_group_id\n',
  );
  expect(await ids(out)).toHaveLength(20);
  const grouped = await aisle('catalogue', feed, '--out', out, '--artifact', groups, '--columns', 'id=item_group_id');
  expect(grouped.stdout).toMatch(/products +10\n/);
  expect((await ids(out)).slice(0, 3)).toEqual(['A0', 'A1', 'A2']);

  const foreign = await model('x1', 'x2', 'x3', 'x4');
  const none = await aisle('catalogue', feed, '--out', out, '--artifact', foreign);
  expect(none.code).toBe(2);
  expect(none.stderr).toMatch(
    /No field of the products that are published has the model's ids, which look like "x1", "x2", "x3"\. Name .* --columns id=…/,
  );

  const lower = await model('a1-s', 'a2-s', 'x3');
  const spelt = await aisle('catalogue', feed, '--out', out, '--artifact', lower);
  expect(spelt.code).toBe(2);
  expect(spelt.stderr).toMatch(/It has "a1-s" where the feed has "A1-S": upper and lower case count\./);
});

test.each([
  [
    'another name of its own',
    'a.csv',
    'id,title,EAN\n1,x,77\n2,y,77\n',
    /; by EAN 50 % would match: --columns id=EAN\n$/,
  ],
  [
    'a name of several words',
    'a.csv',
    'Type,SKU,Name,Published,Regular price,"GTIN, UPC, EAN, or ISBN"\nsimple,1,x,1,5,77\nsimple,2,y,1,5,77\n',
    /; by GTIN, UPC, EAN, or ISBN 50 % would match: --columns id='GTIN, UPC, EAN, or ISBN'\n$/,
  ],
  [
    'a column that the feed cannot take its ids from',
    'a.csv',
    'Handle,Title,Variant SKU,Variant Price\na,A,77,5\nb,B,77,5\n',
    /knows none of the products\. No field .* Name the column that has them: --columns id=…\n$/,
  ],
  [
    'ids of products that are hidden',
    'a.csv',
    'Type,SKU,Name,Published,Regular price\nsimple,77,x,0,5\nsimple,2,y,1,5\n',
    /knows none of the products\. No field of the products that are published has the model's ids, which look like "77"/,
  ],
])('the advice is one that works: %s', async (_, name, content, message) => {
  const out = join(await folder(), 'catalogue');
  const { code, stderr } = await aisle(
    'catalogue',
    await file(name, content),
    '--out',
    out,
    '--artifact',
    await model('77', 'other'),
  );
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
});

test.each([
  [
    ['--columns', 'sku=a,colour=b'],
    /Expected FIELD=COLUMN with a field of id, title, .* got "sku=a,colour=b"|got "colour=b"/,
  ],
  [['--columns', 'id='], /got "id="/],
  [['--currency', 'euro'], /Expected a code of three letters, such as EUR/],
  [['--artifact', '/nowhere'], /\/nowhere is not a folder/],
])('wrong use exits with 2: %s', async (flags, message) => {
  const out = join(await folder(), 'catalogue');
  const { code, stderr } = await aisle('catalogue', await merchant(), '--out', out, ...flags);
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
});

test('files that are of no catalogue are left alone', async () => {
  const out = await folder();
  await writeFile(join(out, 'rules.json'), 'mine');
  const { code, stderr } = await aisle('catalogue', await merchant(), '--out', out);
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: expect.stringContaining(`${out} holds rules.json and no catalogue-manifest.json`),
  });
  expect(await readFile(join(out, 'rules.json'), 'utf8')).toBe('mine');
});

test('a feed that is not there, or a folder, is named', async () => {
  const out = join(await folder(), 'catalogue');
  expect((await aisle('catalogue', 'no.tsv', '--out', out)).stderr).toBe(
    'aisle: no.tsv: no such file; expected a product feed (table, XML or JSON, or one of them as .gz).\n',
  );
  expect((await aisle('catalogue', '--out', out)).code).toBe(2);
});
