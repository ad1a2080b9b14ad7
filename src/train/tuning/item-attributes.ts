/** What the catalogue says of items in words: kinds of taste that a visitor may have. */
import type { CatalogueItem } from '../../checkpoint/artifact';

/** One property of items. */
export interface ItemAttribute {
  /** `category 1` (the broadest), `category 2`, …, `brand`, or the name of a feature. */
  readonly name: string;
  /** Number of each item's value from 1, by item index − 1, `[n]`; 0 where it has none. */
  readonly codes: Int32Array;
  /** `values[k]` is the text of value k + 1; of a category its whole path. */
  readonly values: readonly string[];
}

/** Beyond this many values a property says little that the item's own counts do not say. */
const MOST_VALUES = 2000;
const DEEPEST = 4;

/**
 * The properties of a catalogue in which items can be alike: levels of the category, brand, and features in words. Those
 * with one value, or with as many as items, are left out.
 *
 * @param products In any order; items that are missing have no value.
 * @param itemIds `itemIds[k]` is the id of index k + 1.
 */
export function itemAttributesOf(products: readonly CatalogueItem[], itemIds: readonly string[]): ItemAttribute[] {
  const byId = new Map(products.map((product) => [product.id, product]));
  const known = itemIds.map((id) => byId.get(id));
  const features = new Set(
    products.flatMap(({ features = {} }) => Object.keys(features).filter((name) => typeof features[name] === 'string')),
  );
  const readers: [string, (product: CatalogueItem) => string | undefined][] = [
    ...Array.from({ length: DEEPEST }, (_, level): [string, (product: CatalogueItem) => string | undefined] => [
      `category ${level + 1}`,
      ({ category = [] }) => (category.length > level ? category.slice(0, level + 1).join(' > ') : undefined),
    ]),
    ['brand', ({ brand }) => brand || undefined],
    ...[...features]
      .sort()
      .map((name): [string, (product: CatalogueItem) => string | undefined] => [
        name,
        ({ features }) => (typeof features?.[name] === 'string' ? features[name] : undefined),
      ]),
  ];
  return readers
    .map(([name, read]) => facet(name, known, read))
    .filter(({ values }) => values.length >= 2 && values.length <= Math.min(MOST_VALUES, itemIds.length / 4));
}

function facet(
  name: string,
  products: readonly (CatalogueItem | undefined)[],
  read: (product: CatalogueItem) => string | undefined,
): ItemAttribute {
  const numbers = new Map<string, number>();
  const codes = Int32Array.from(products, (product) => {
    const value = product && read(product);
    if (value === undefined) return 0;
    const number = numbers.get(value) ?? numbers.size + 1;
    numbers.set(value, number);
    return number;
  });
  return { name, codes, values: [...numbers.keys()] };
}
