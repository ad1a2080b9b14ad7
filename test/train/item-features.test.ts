import { describe, expect, test } from 'vitest';
import type { CatalogueItem } from '../../src/checkpoint/artifact';
import { describeItems, featureNames, itemFeatures } from '../../src/train/item-features';
import type { WantedFeature } from '../../src/types';

const PRODUCTS: CatalogueItem[] = [
  { id: 'sock', price: 4, brand: 'Wool', category: ['Clothes', 'Socks'], features: { size: 'M', weight: 2 } },
  { id: 'cap', price: 8, brand: 'Felt', category: ['Clothes'] },
  { id: 'mug', brand: 'Wool', category: ['Kitchen'], features: { constructor: 'potter' } },
  { id: 'elsewhere', price: 1000, features: { season: 'winter' } },
];
/** Item 3 is not in the catalogue. */
const IDS = ['mug', 'cap', 'gone', 'sock'];

const featuresOf = (products: readonly CatalogueItem[], wanted: readonly WantedFeature[]) =>
  itemFeatures(products, IDS, describeItems(products, IDS, wanted));

test('values of a category are numbered by their first item, 0 where there is none', () => {
  const wanted = ['brand', 'category', 'subcategory', 'size', 'constructor'].map((name) => ({
    name,
    kind: 'category' as const,
  }));
  const features = featuresOf(PRODUCTS, wanted);
  expect(Object.fromEntries(Object.entries(features).map(([name, { data }]) => [name, Array.from(data)]))).toEqual({
    brand: [0, 1, 2, 0, 1],
    category: [0, 1, 2, 0, 2],
    subcategory: [0, 0, 0, 0, 1],
    size: [0, 0, 0, 0, 1],
    constructor: [0, 1, 0, 0, 0],
  });
});

test('numbers are standardised over the items that have one; a missing one is their mean', () => {
  const { price, weight } = featuresOf(PRODUCTS, [
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
  const { weight } = featuresOf(products, [{ name: 'weight', kind: 'number' }]);
  expect(Array.from(weight!.data)).toEqual([0, -1, 1, 0, 0]);
});

test('a text where a number must be names product and way out', () => {
  expect(() => featuresOf(PRODUCTS, [{ name: 'size', kind: 'number' }])).toThrow(
    'The feature "size" must be a number, the product "sock" has "M". Write size:categorical',
  );
});

describe('by the numbers of an earlier catalogue', () => {
  const wanted = [
    { name: 'brand', kind: 'category' },
    { name: 'price', kind: 'number' },
  ] as const;
  const known = describeItems(PRODUCTS, IDS, wanted);
  const again = (products: readonly CatalogueItem[], ids: readonly string[], values?: number) => {
    const described = describeItems(
      products,
      ids,
      wanted.map((feature) => ({ ...feature, ...(values !== undefined && { values }) })),
      known,
    );
    const arrays = Object.entries(itemFeatures(products, ids, described));
    return { described, numbers: Object.fromEntries(arrays.map(([name, { data }]) => [name, Array.from(data)])) };
  };

  test('a value keeps its number and a number its place, whatever else the catalogue has', () => {
    const today = PRODUCTS.filter(({ id }) => id !== 'mug').map((product) => ({ ...product, price: 8 }));
    const { described, numbers } = again(today, ['cap', 'sock']);
    expect(described).toEqual(known);
    expect(numbers).toEqual({ brand: [0, 2, 1], price: [0, 1, 1] });
    // As many numbers as the weights have rows for, although no item has the last one.
    expect(again([PRODUCTS[0]!], ['sock']).numbers['brand']).toEqual([2, 1]);
  });

  test('a new value is refused, unless the feature has room for it', () => {
    const today = [...PRODUCTS, { id: 'hat', brand: 'Silk' }];
    expect(() => again(today, [...IDS, 'hat'])).toThrow(
      'The product "hat" has the brand "Silk", which is new to the model to go on from: its weights have no place for it. ' +
        'Train without `from`, or windows with `retrain` all; with the feature brand:categorical:SIZE there, later values find room.',
    );
    expect(again(today, [...IDS, 'hat'], 3).numbers['brand']).toEqual([0, 1, 2, 0, 1, 3]);
    expect(again(today, [...IDS, 'hat'], 2).numbers['brand']).toEqual([0, 1, 2, 0, 1, 0]);
  });
});
