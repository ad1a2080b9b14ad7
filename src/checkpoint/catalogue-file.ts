/** `catalogue.json`, checked. Loaded where an artifact has one. */
import { MAX_PRODUCT_TEXT } from '../limits';
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
/** Whether what a product has is within the limit: a text, or the JSON of another value. */
export const isShort = (value: unknown): boolean =>
  (isText(value) ? (value as string) : JSON.stringify(value)).length <= MAX_PRODUCT_TEXT;
const isShortText = (value: unknown) => isText(value) && isShort(value);
const isNumber = (value: unknown) => typeof value === 'number';
const isFeature = (value: unknown) => isText(value) || isNumber(value);
const isPrice = (value: unknown) => isNumber(value) && (value as number) >= 0;
const TEXT = `text, at most ${MAX_PRODUCT_TEXT} characters`;
const FIELDS: readonly (readonly [Exclude<keyof CatalogueItem, 'id'>, (value: unknown) => boolean, string])[] = [
  ['title', isShortText, TEXT],
  ['url', isShortText, TEXT],
  ['image', isText, 'text'],
  ['price', isPrice, 'a number from 0'],
  ['sale', isSale, 'a price, with from and until as ISO 8601 where it ends'],
  ['currency', isShortText, TEXT],
  ['category', (value) => Array.isArray(value) && value.every(isText) && isShort(value), 'a list of texts'],
  ['brand', isShortText, TEXT],
  ['group', isShortText, TEXT],
  ['availability', isShortText, TEXT],
  [
    'features',
    (value) => isRecord(value) && Object.values(value).every(isFeature) && isShort(value),
    `numbers or texts by name, at most ${MAX_PRODUCT_TEXT} characters of JSON`,
  ],
];

/** The names of what a product may have. */
export const members = (): string[] => ['id', ...FIELDS.map(([field]) => field)];
