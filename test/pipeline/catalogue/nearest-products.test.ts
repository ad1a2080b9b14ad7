import { expect, test } from 'vitest';
import { NearestProducts } from '../../../src/pipeline/catalogue/nearest-products';

function shop(): NearestProducts {
  const products = new NearestProducts();
  products.add('mug', { title: 'Blue mug', brand: 'Felt', category: ['Home', 'Kitchen'] });
  products.add('cup', { title: 'Red cup', brand: 'Nord', category: ['Home', 'Kitchen'] });
  products.add('shirt', { title: 'Blue shirt', brand: 'Nord', category: ['Clothes'] });
  products.add('bare', {});
  return products;
}

test('neighbours share words, brand and category; the rarer what is shared, the nearer', () => {
  const found = shop().nearest({ title: 'Green MUG', category: ['Home', 'Kitchen'] }, 5);
  expect(found.map(([id]) => id)).toEqual(['mug', 'cup']);
  const byBrand = shop().nearest({ title: 'blue', brand: 'Nord' }, 1);
  expect(byBrand).toEqual([['shirt', 1]]);
});

test('the shares add up to 1, and there are as many as asked for', () => {
  const found = shop().nearest({ title: 'blue red', brand: 'Nord', category: ['Home'] }, 3);
  expect(found).toHaveLength(3);
  expect(found.reduce((sum, [, weight]) => sum + weight, 0)).toBeCloseTo(1, 3);
  expect(shop().nearest({ title: 'blue red', brand: 'Nord', category: ['Home'] }, 2)).toHaveLength(2);
});

test('a product that shares nothing, or says nothing, has no neighbours', () => {
  expect(shop().nearest({ title: 'lamp' }, 5)).toEqual([]);
  expect(shop().nearest({}, 5)).toEqual([]);
  expect(new NearestProducts().nearest({ title: 'mug' }, 5)).toEqual([]);
});

test('a step of a category counts with the path that leads to it', () => {
  const products = new NearestProducts();
  products.add('a', { category: ['Men', 'Shoes'] });
  products.add('b', { category: ['Women', 'Shoes'] });
  expect(products.nearest({ category: ['Women', 'Shoes'] }, 5)).toEqual([['b', 1]]);
});
