/** What a model reads of items beside their ids, from the products of a catalogue. */
import type { CatalogueItem } from '../checkpoint/artifact';
import { RecommenderError } from '../errors';
import { spread } from '../session/click-columns';
import { numberOf, standardised } from '../session/click-features';
import type { ClickFeature, ClickFeatures, NdArray, WantedFeature } from '../types';

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
 * @throws RecommenderError `bad-config` for an angle; `bad-input` if there is text in place of a number, or a value that is new to
 *   `known`, without `values`.
 */
export function describeItems(
  products: readonly CatalogueItem[],
  itemIds: readonly string[],
  wanted: readonly WantedFeature[],
  known: ClickFeatures = {},
): NumberedFeatures {
  const described = wanted.map((feature): [string, NumberedFeatures[string]] => {
    const { name, kind } = feature;
    if (kind === 'angle') {
      throw new RecommenderError(
        'bad-config',
        `The feature "${name}" is one of items, and a cyclic one says when a click was. Write ${name}:categorical.`,
      );
    }
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
  const shape = [itemIds.length + 1];
  const arrays = Object.entries(described).map(([name, feature]): [string, NdArray] => {
    const values = valuesOf(products, itemIds, name);
    if (feature.kind === 'category') return [name, { data: numbered(values, feature), shape }];
    const standard = (x: number) => (Number.isNaN(x) ? 0 : standardised(feature, x));
    const data = Float32Array.from([Number.NaN, ...numbersOf(name, values, itemIds)], standard);
    return [name, { data, shape }];
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
  { name, values: room }: WantedFeature,
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
  const place = (value: Values[number]) => (value === undefined ? undefined : numbers.get(String(value))) ?? 0;
  const data = Int32Array.from([undefined, ...values], place);
  if (!data.includes(texts.length)) data[0] = texts.length;
  return data;
}

/** NaN where there is none. @throws RecommenderError `bad-input` if there is text in place of a number. */
function numbersOf(name: string, values: Values, itemIds: readonly string[]): Float64Array {
  const numbers = Float64Array.from(values, (value) => numberOf(String(value)));
  const wrong = values.findIndex((value, k) => value !== undefined && Number.isNaN(numbers[k]!));
  if (wrong < 0) return numbers;
  throw new RecommenderError(
    'bad-input',
    `The feature "${name}" must be a number, the product "${itemIds[wrong]}" has "${values[wrong]}". ` +
      `Write ${name}:categorical for values that are no numbers.`,
  );
}

/** The names of all features that any of the products has. */
export function featureNames(products: readonly CatalogueItem[]): string[] {
  const own = new Set(products.flatMap(({ features }) => Object.keys(features ?? {})));
  const usual = ['brand', 'price', 'category', 'subcategory'].filter((name) =>
    products.some((product) => featureOf(product, name) !== undefined),
  );
  return [...new Set([...usual, ...own])];
}
