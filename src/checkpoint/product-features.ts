/** What a model reads of items beside their ids, from the products of a catalogue. */
import { RecommenderError } from '../errors';
import type { ClickFeature, ClickFeatures, NdArray } from '../types';
import type { CatalogueItem } from './artifact';

/** A feature that a model reads: values that are equal or not, or numbers. */
export interface ItemFeature {
  readonly name: string;
  readonly kind: 'category' | 'number';
  /** Of a category: how many values are distinguished, the first ones. Default: all. */
  readonly values?: number;
}

/** How the values of each feature are numbered, by name. */
export type NumberedFeatures = Readonly<Record<string, Exclude<ClickFeature, { kind: 'angle' }>>>;

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
 * How the values of items are numbered: those of a category by their first item, numbers by the mean and the deviation of those of
 * the items.
 *
 * @param itemIds `itemIds[k]` is the id of index k + 1.
 * @param known How the model numbers them that the training continues: this stays, and new values follow as far as `values` has room.
 * @throws RecommenderError `bad-input` if there is text in place of a number, or a value that is new to `known`, without `values`.
 */
export function describeItems(
  products: readonly CatalogueItem[],
  itemIds: readonly string[],
  wanted: readonly ItemFeature[],
  known: ClickFeatures = {},
): NumberedFeatures {
  const described = wanted.map((feature): [string, NumberedFeatures[string]] => {
    const { name, kind } = feature;
    const before = Object.hasOwn(known, name) ? known[name] : undefined;
    if (kind === 'number' && before?.kind === kind) return [name, before];
    const values = valuesOf(products, itemIds, name);
    if (kind === 'number') return [name, { kind, ...spread(numbersOf(name, values, itemIds)) }];
    const texts = before?.kind === kind ? before.values : undefined;
    return [name, { kind, values: distinct(feature, values, itemIds, texts) }];
  });
  return Object.fromEntries(described);
}

/**
 * Features by item index, `[n + 1]` each.
 *
 * Values of a category are numbered 1, 2, …; 0 is a missing one. Entry 0 is no item's: it holds the last number, if no item has that.
 * Numbers are standardised, so that 0, the value of a missing one, is their mean.
 *
 * @param itemIds `itemIds[k]` is the id of index k + 1.
 * @throws RecommenderError `bad-input` if there is text in place of a number.
 */
export function itemFeatures(
  products: readonly CatalogueItem[],
  itemIds: readonly string[],
  described: NumberedFeatures,
): Record<string, NdArray> {
  const arrays = Object.entries(described).map(([name, feature]): [string, NdArray] => {
    const values = valuesOf(products, itemIds, name);
    const data =
      feature.kind === 'category' ? numbered(values, feature) : standardised(numbersOf(name, values, itemIds), feature);
    return [name, { data, shape: [itemIds.length + 1] }];
  });
  return Object.fromEntries(arrays);
}

type Values = readonly (number | string | undefined)[];

function valuesOf(products: readonly CatalogueItem[], itemIds: readonly string[], name: string): Values {
  const byId = new Map(products.map((product) => [product.id, product]));
  return itemIds.map((id) => {
    const product = byId.get(id);
    return product && featureOf(product, name);
  });
}

/** The values of a category as texts, in the order of their numbers. */
function distinct(
  { name, values: room }: ItemFeature,
  values: Values,
  itemIds: readonly string[],
  known: readonly string[] | undefined,
): string[] {
  const texts = new Set(known);
  values.forEach((value, k) => {
    if (value === undefined || texts.has(String(value))) return;
    if (known && room === undefined) {
      throw new RecommenderError(
        'bad-input',
        `The product "${itemIds[k]}" has the ${name} "${value}", which is new to the model to go on from: its weights have no ` +
          `place for it. Train without \`from\`, or windows with \`retrain\` all; with the feature ${name}:categorical:SIZE there, ` +
          'later values find room.',
      );
    }
    if (texts.size < (room ?? Number.POSITIVE_INFINITY)) texts.add(String(value));
  });
  return [...texts];
}

function numbered(values: Values, { values: texts }: { readonly values: readonly string[] }): Int32Array {
  const numbers = new Map(texts.map((text, k) => [text, k + 1]));
  const numberOf = (value: Values[number]) => (value === undefined ? undefined : numbers.get(String(value))) ?? 0;
  const data = Int32Array.from([undefined, ...values], numberOf);
  if (!data.includes(texts.length)) data[0] = texts.length;
  return data;
}

/** @throws RecommenderError `bad-input` if there is text in place of a number. */
function numbersOf(name: string, values: Values, itemIds: readonly string[]): (number | undefined)[] {
  return values.map((value, k) => {
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (number === undefined || Number.isFinite(number)) return number as number | undefined;
    throw new RecommenderError(
      'bad-input',
      `The feature "${name}" must be a number, the product "${itemIds[k]}" has "${value}". ` +
        `Write ${name}:categorical for values that are no numbers.`,
    );
  });
}

/** Mean and deviation of the numbers that are known; a deviation of 0 is given as 1. */
function spread(numbers: readonly (number | undefined)[]) {
  const known = numbers.filter((value) => value !== undefined);
  const mean = known.reduce((total, value) => total + value, 0) / known.length;
  const deviation = Math.sqrt(known.reduce((total, value) => total + (value - mean) ** 2, 0) / known.length) || 1;
  return { mean, deviation };
}

function standardised(
  numbers: readonly (number | undefined)[],
  { mean, deviation }: { readonly mean: number; readonly deviation: number },
): Float32Array {
  return Float32Array.from([undefined, ...numbers], (value) => (value === undefined ? 0 : (value - mean) / deviation));
}

/** The names of all features that any of the products has. */
export function featureNames(products: readonly CatalogueItem[]): string[] {
  const own = new Set(products.flatMap(({ features }) => Object.keys(features ?? {})));
  const usual = ['brand', 'price', 'category', 'subcategory'].filter((name) =>
    products.some((product) => featureOf(product, name) !== undefined),
  );
  return [...new Set([...usual, ...own])];
}
