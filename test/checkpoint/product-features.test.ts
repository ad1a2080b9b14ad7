import { expect, test } from 'vitest';
import type { CatalogueItem } from '../../src/checkpoint/artifact';
import { featureNames, itemFeatures } from '../../src/checkpoint/product-features';

const PRODUCTS: CatalogueItem[] = [
  { id: 'sock', price: 4, brand: 'Wool', category: ['Clothes', 'Socks'], features: { size: 'M', weight: 2 } },
  { id: 'cap', price: 8, brand: 'Felt', category: ['Clothes'] },
  { id: 'mug', brand: 'Wool', category: ['Kitchen'], features: { constructor: 'potter' } },
  { id: 'elsewhere', price: 1000, features: { season: 'winter' } },
];
/** Item 3 is not in the catalogue. */
const IDS = ['mug', 'cap', 'gone', 'sock'];

test('values of a category are numbered by their first item, 0 where there is none', () => {
  const wanted = ['brand', 'category', 'subcategory', 'size', 'constructor'].map((name) => ({
    name,
    kind: 'category' as const,
  }));
  const features = itemFeatures(PRODUCTS, IDS, wanted);
  expect(Object.fromEntries(Object.entries(features).map(([name, { data }]) => [name, Array.from(data)]))).toEqual({
    brand: [0, 1, 2, 0, 1],
    category: [0, 1, 2, 0, 2],
    subcategory: [0, 0, 0, 0, 1],
    size: [0, 0, 0, 0, 1],
    constructor: [0, 1, 0, 0, 0],
  });
});

test('numbers are standardised over the items that have one; a missing one is their mean', () => {
  const { price, weight } = itemFeatures(PRODUCTS, IDS, [
    { name: 'price', kind: 'number' },
    { name: 'weight', kind: 'number' },
  ]);
  expect(Array.from(price!.data)).toEqual([0, 0, 1, 0, -1]);
  expect(Array.from(weight!.data)).toEqual([0, 0, 0, 0, 0]); // one value only has no spread
});

test('names what there is', () => {
  expect(featureNames(PRODUCTS)).toEqual([
    'brand',
    'price',
    'category',
    'subcategory',
    'size',
    'weight',
    'constructor',
    'season',
  ]);
});

test('a number that is written as text is a number', () => {
  const products = [
    { id: 'mug', features: { weight: '2' } },
    { id: 'cap', features: { weight: 4 } },
  ];
  const { weight } = itemFeatures(products, IDS, [{ name: 'weight', kind: 'number' }]);
  expect(Array.from(weight!.data)).toEqual([0, -1, 1, 0, 0]);
});

test('a text where a number must be names product and way out', () => {
  expect(() => itemFeatures(PRODUCTS, IDS, [{ name: 'size', kind: 'number' }])).toThrow(
    'The feature "size" must be a number, the product "sock" has "M". Write size:categorical',
  );
});
