import { describe, expect, test } from 'vitest';
import { search } from '../../src/demo/search';
import type { Product } from '../../src/demo/shop';

function product(id: string, title: string, brand: string, category: readonly string[], colour = 'plain'): Product {
  return { id, title, brand, category, available: true, features: [['colour', colour]] };
}

const PRODUCTS = [
  product('p1', 'Walnut shelf', 'Emberlow', ['Home', 'Small furniture', 'Shelves'], 'walnut'),
  product('p2', 'Linen shirt', 'Brindlecove', ['Clothing', 'Tops', 'Shirts'], 'moss'),
  product('p3', 'Café cup', 'Emberlow', ['Kitchen and table', 'Tableware', 'Mugs'], 'chalk'),
  product('p4', 'Underlinen set', 'Oskerry', ['Clothing', 'Tops', 'T-shirts'], 'chalk'),
  product('linen-x', 'Throw', 'Linenhall', ['Home', 'Soft furnishings', 'Throws'], 'oat'),
];

const found = (query: string): string[] => search(PRODUCTS, query).map(({ id }) => id);

describe('search', () => {
  test.each([
    ['the title', 'shelf', ['p1']],
    ['the brand', 'emberlow', ['p1', 'p3']],
    ['the category', 'tableware', ['p3']],
    ['a feature', 'moss', ['p2']],
    ['the id', 'p4', ['p4']],
    ['several places, one word each', 'emberlow chalk', ['p3']],
  ])('finds by %s', (_, query, ids) => {
    expect(found(query)).toEqual(ids);
  });

  test('shows first where the word begins in the title, then in the brand, then inside a word', () => {
    expect(found('linen')).toEqual(['p2', 'linen-x', 'p4']);
  });

  test('passes over case and accents', () => {
    expect(found('CAFE')).toEqual(['p3']);
    expect(found('café')).toEqual(['p3']);
  });

  test.each([['shelf moss'], ['zebra'], [''], ['   ']])('finds nothing for "%s"', (query) => {
    expect(found(query)).toEqual([]);
  });
});
