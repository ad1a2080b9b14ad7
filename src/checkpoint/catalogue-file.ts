/** `catalogue.json`, checked. Loaded where an artifact has one. */
import { MAX_PRODUCT_FEATURES } from '../limits';
import type { CatalogueItem } from './artifact';
import { isRecord, quote, show } from './json';
import { bad, CATALOGUE, expected, record, text } from './manifest';
import { isSale } from './products';

/**
 * Checks a parsed `catalogue.json`: a list of products whose ids differ. Unknown fields are dropped.
 *
 * @throws RecommenderError `bad-artifact` that names product and field.
 */
export function checkCatalogue(value: unknown, file = CATALOGUE): readonly CatalogueItem[] {
  if (!Array.isArray(value)) throw bad(`must be a list of products, got ${show(value)}.`, file);
  const seen = new Set<string>();
  return value.map((entry: unknown, k) => {
    const item = record(entry, `product ${k}`, file);
    const id = text(item['id'], `product ${k}: id`, 0, file);
    if (seen.has(id)) throw bad(`has the id ${quote(id)} twice.`, file);
    seen.add(id);
    const checked: Record<string, unknown> = { id };
    for (const [field, test, what] of FIELDS) {
      const got = item[field];
      if (got === undefined || got === null) continue; // feeds write null for "not known"
      if (!test(got)) throw expected(`product ${quote(id)}: ${field}`, what, got, file);
      checked[field] = got;
    }
    return checked as unknown as CatalogueItem;
  });
}

const isText = (value: unknown) => typeof value === 'string';
const isNumber = (value: unknown) => typeof value === 'number';
const isFeature = (value: unknown) => isText(value) || isNumber(value);
/** Whether a value is features of a product, within the limit. */
export const isProductFeatures = (value: unknown) =>
  isRecord(value) && Object.values(value).every(isFeature) && JSON.stringify(value).length <= MAX_PRODUCT_FEATURES;
const isPrice = (value: unknown) => isNumber(value) && (value as number) >= 0;
const FIELDS: readonly (readonly [Exclude<keyof CatalogueItem, 'id'>, (value: unknown) => boolean, string])[] = [
  ['title', isText, 'text'],
  ['url', isText, 'text'],
  ['image', isText, 'text'],
  ['price', isPrice, 'a number from 0'],
  ['sale', isSale, 'a price, with from and until as ISO 8601 where it ends'],
  ['currency', isText, 'text'],
  ['category', (value) => Array.isArray(value) && value.every(isText), 'a list of texts'],
  ['brand', isText, 'text'],
  ['group', isText, 'text'],
  ['availability', isText, 'text'],
  ['features', isProductFeatures, `numbers or texts by name, at most ${MAX_PRODUCT_FEATURES} characters of JSON`],
];
