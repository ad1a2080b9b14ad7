/** Which product the markup of a page is about, where there is much of it. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { productOf, type Thing } from '../../src/page/things';

beforeAll(() => vi.stubGlobal('document', { baseURI: 'https://shop.example/' }));
afterAll(() => vi.unstubAllGlobals());

const skusOf = (things: readonly Thing[]) => {
  const found = productOf(
    [{ element: {} as Element, source: 'json-ld', text: '', things }],
    new URL('https://shop.example/p'),
  );
  return found && [...found.selected, ...found.own, ...found.variants].map(({ id }) => id);
};

test('a list of many products is read in steps that grow as it does', () => {
  let reads = 0;
  const things = Array.from({ length: 400 }, (_, k) => ({
    '@type': 'Product',
    sku: `s${k}`,
    get isVariantOf() {
      reads++;
      return undefined;
    },
  }));
  expect(skusOf(things)).toBeUndefined();
  expect(reads).toBeLessThanOrEqual(3 * 400);
});

test('of the things of a page the first 500 are read', () => {
  const others = Array.from({ length: 499 }, () => ({ '@type': 'Review' }));
  const product = { '@type': 'Product', sku: 'a' };
  expect(skusOf([...others, product])).toEqual(['a']);
  expect(skusOf([...others, others[0]!, product])).toBeUndefined();
});

test('products of which each has an id of the next are one, in any order', () => {
  const chain = Array.from({ length: 300 }, (_, k) => ({ '@type': 'Product', sku: 'a', gtin: [`g${k}`, `g${k + 1}`] }));
  const linked = chain.map(({ sku, ...thing }, k) => (k === 0 ? { sku, ...thing } : thing));
  expect(skusOf(linked)?.[0]).toBe('a');
  expect(skusOf([linked[0]!, ...linked.slice(1).reverse()])?.[0]).toBe('a');
  expect(skusOf(linked.toSpliced(150, 1))).toBeUndefined();
});

test('variants that their group names, and that name it, are there once', () => {
  const group = {
    '@id': '#g',
    '@type': 'ProductGroup',
    productGroupID: 'g',
    hasVariant: [{ '@id': '#a' }, { '@id': '#b' }],
  };
  const variants = ['a', 'b'].map((sku) => ({
    '@id': `#${sku}`,
    '@type': 'Product',
    sku,
    url: `/p?v=${sku}`,
    isVariantOf: { '@id': '#g' },
  }));
  expect(skusOf([group, ...variants])).toEqual(['a', 'b']);
});

// As Google documents variants that have pages of their own: https://developers.google.com/search/docs/appearance/structured-data/product-variants
test('variants of other pages, which their group names by address alone, are no names of the group', () => {
  const here = { '@type': 'Product', sku: 'green', offers: { url: '/p' } };
  const group = { '@type': 'ProductGroup', productGroupID: 'g', hasVariant: [here, { url: '/q' }, { url: '/r' }] };
  expect(skusOf([group])).toEqual(skusOf([{ '@id': '#g', ...group }]));
  expect(skusOf([group])).toContain('green');
});
