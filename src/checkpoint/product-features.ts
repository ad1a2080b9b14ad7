/** What a model reads of items beside their ids, from the products of a catalogue. */
import { RecommenderError } from '../errors';
import type { NdArray } from '../types';
import type { CatalogueItem } from './artifact';

/** A feature that a model reads: values that are equal or not, or numbers. */
export interface ItemFeature {
  readonly name: string;
  readonly kind: 'category' | 'number';
}

/**
 * `brand`, `price`, `category` and `subcategory` (the first and second of the product's list), or one of its `features`.
 */
export function featureOf(product: CatalogueItem, name: string): number | string | undefined {
  switch (name) {
    case 'brand':
      return product.brand;
    case 'price':
      return product.price;
    case 'category':
      return product.category?.[0];
    case 'subcategory':
      return product.category?.[1];
    default:
      return product.features && Object.hasOwn(product.features, name) ? product.features[name] : undefined;
  }
}

/**
 * Features by item index, `[n + 1]` each, entry 0 unused.
 *
 * Values of a category are numbered 1, 2, … by their first item; 0 is a missing one. Numbers are standardised over the
 * items that have one, so that 0, the value of a missing one, is their mean.
 *
 * @param itemIds `itemIds[k]` is the id of index k + 1.
 * @throws RecommenderError `bad-input` if there is text in place of a number.
 */
export function itemFeatures(
  products: readonly CatalogueItem[],
  itemIds: readonly string[],
  wanted: readonly ItemFeature[],
): Record<string, NdArray> {
  const byId = new Map(products.map((product) => [product.id, product]));
  const arrays: Record<string, NdArray> = {};
  for (const { name, kind } of wanted) {
    const values = itemIds.map((id) => {
      const product = byId.get(id);
      return product && featureOf(product, name);
    });
    const shape = [itemIds.length + 1];
    arrays[name] = { data: kind === 'category' ? numbered(values) : standardised(values, name, itemIds), shape };
  }
  return arrays;
}

type Values = readonly (number | string | undefined)[];

function numbered(values: Values): Int32Array {
  const numbers = new Map<number | string, number>();
  const data = new Int32Array(values.length + 1);
  values.forEach((value, k) => {
    if (value === undefined) return;
    if (!numbers.has(value)) numbers.set(value, numbers.size + 1);
    data[k + 1] = numbers.get(value)!;
  });
  return data;
}

function standardised(values: Values, name: string, itemIds: readonly string[]): Float32Array {
  const numbers = values.map((value, k) => {
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (number === undefined || Number.isFinite(number)) return number as number | undefined;
    throw new RecommenderError(
      'bad-input',
      `The feature "${name}" must be a number, the product "${itemIds[k]}" has "${value}". ` +
        `Write ${name}:categorical for values that are no numbers.`,
    );
  });
  const known = numbers.filter((value) => value !== undefined);
  const mean = known.reduce((total, value) => total + value, 0) / known.length;
  const deviation = Math.sqrt(known.reduce((total, value) => total + (value - mean) ** 2, 0) / known.length) || 1;
  const data = new Float32Array(values.length + 1);
  numbers.forEach((value, k) => {
    if (value !== undefined) data[k + 1] = (value - mean) / deviation;
  });
  return data;
}

/** The names of all features that any of the products has. */
export function featureNames(products: readonly CatalogueItem[]): string[] {
  const own = new Set(products.flatMap(({ features }) => Object.keys(features ?? {})));
  const usual = ['brand', 'price', 'category', 'subcategory'].filter((name) =>
    products.some((product) => featureOf(product, name) !== undefined),
  );
  return [...new Set([...usual, ...own])];
}
