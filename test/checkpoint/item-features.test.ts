import { expect, test } from 'vitest';
import type { CatalogueItem } from '../../src/checkpoint/artifact';
import { fromTensors, itemFeatures, toTensors } from '../../src/checkpoint/item-features';

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
  expect(fromTensors({ ...toTensors(features), 'catalogue.support': features.brand!, items: features.brand! })).toEqual(
    features,
  );
});

test('numbers are standardised over the items that have one; a missing one is their mean', () => {
  const { price, weight } = itemFeatures(PRODUCTS, IDS, [
    { name: 'price', kind: 'number' },
    { name: 'weight', kind: 'number' },
  ]);
  expect(Array.from(price!.data)).toEqual([0, 0, 1, 0, -1]);
  expect(Array.from(weight!.data)).toEqual([0, 0, 0, 0, 0]); // one value only has no spread
});

test('a feature that no item has is refused with those that there are', () => {
  expect(() => itemFeatures(PRODUCTS, IDS, [{ name: 'brend', kind: 'category' }])).toThrow(
    /No item has the feature "brend"\. The catalogue has .*brand.*; the nearest is "brand"\. Give --catalogue/,
  );
  expect(() => itemFeatures([], IDS, [{ name: 'price', kind: 'number' }])).toThrow('There is no catalogue');
});

test('a text where a number must be names product and way out', () => {
  expect(() => itemFeatures(PRODUCTS, IDS, [{ name: 'size', kind: 'number' }])).toThrow(
    'The feature "size" must be a number, the product "sock" has "M". Write size:categorical',
  );
});
