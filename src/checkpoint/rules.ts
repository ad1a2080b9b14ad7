/**
 * `rules.json`: what a shop wants of its slots.
 *
 *     [
 *       { "do": "pin", "id": "sku-42", "position": 1, "slot": "home", "from": "2026-12-01", "until": "2026-12-24" },
 *       { "do": "boost", "brand": ["Nord", "West"], "factor": 3, "strategy": "for-you" },
 *       { "do": "bury", "tag": "clearance" },
 *       { "do": "exclude", "category": "Gift cards", "price": "..5" }
 *     ]
 */
import { isName, MAX_ID, MAX_RULE_TEXTS, MAX_RULES, MAX_TAGS } from '../limits';
import { nearestName } from '../nearest-name';
import type { CatalogueItem } from './artifact';
import { isRecord, quote, show } from './json';

/** What a product must be, all of it. */
export interface Conditions {
  /** Any of these; so for the other lists. */
  readonly id?: readonly string[];
  /** Any of these, whatever their case. */
  readonly brand?: readonly string[];
  /** A level of the category's path. */
  readonly category?: readonly string[];
  /** A word of the feature `tags` or `tag`, where commas separate them. */
  readonly tag?: readonly string[];
  /** Both ends included. */
  readonly price?: PriceRange;
}

/** Both included. */
export type PriceRange = readonly [least: number, most: number];

const ACTIONS = ['pin', 'boost', 'bury', 'exclude'] as const;

export interface Rule extends Conditions {
  /** What happens to the products that meet the conditions. */
  readonly do: (typeof ACTIONS)[number];
  /** Of a pin: from 1. Default 1. */
  readonly position: number;
  /** Of a boost: a product ranks as if its place were divided by it. Default 2. */
  readonly factor: number;
  /** The first instant, in milliseconds since 1970. */
  readonly from: number;
  /** The first instant after it, in milliseconds since 1970. */
  readonly until: number;
  /** Id of the one slot that it is for. */
  readonly slot?: string;
  /** The one strategy that it is for. */
  readonly strategy?: string;
}

/** The rules that can be carried out, and a sentence for each of the others. */
export interface CheckedRules {
  readonly rules: readonly Rule[];
  readonly wrong: readonly string[];
}

export const LISTS = ['id', 'brand', 'category', 'tag'] as const;
const CONDITIONS = [...LISTS, 'price'];
const FIELDS = ['do', ...CONDITIONS, 'position', 'factor', 'from', 'until', 'slot', 'strategy'];

/** Checks a parsed `rules.json`, rule by rule. */
export function checkRules(value: unknown): CheckedRules {
  if (!Array.isArray(value)) return { rules: [], wrong: ['expected a list of rules'] };
  const wrong: string[] = value.length > MAX_RULES ? [`only the first ${MAX_RULES} rules are read`] : [];
  const rules = value.slice(0, MAX_RULES).flatMap((entry: unknown, k): Rule[] => {
    try {
      return [checkRule(entry)];
    } catch (error) {
      wrong.push(`rule ${k + 1}: ${(error as Error).message}`);
      return [];
    }
  });
  return { rules, wrong };
}

function checkRule(entry: unknown): Rule {
  if (!isRecord(entry)) throw new RangeError('expected an object');
  for (const name of Object.keys(entry)) if (!FIELDS.includes(name)) throw unknownName(name, FIELDS);
  const { do: action, position = 1, factor = 2, price, slot, strategy } = entry;
  if (!ACTIONS.includes(action as Rule['do'])) throw wrongField('do', `one of ${ACTIONS.join(', ')}`, action);
  if (action === 'pin' && entry['id'] === undefined) throw wrongField('id', 'the id of the product to pin', undefined);
  if (!CONDITIONS.some((name) => entry[name] !== undefined)) {
    throw new RangeError(`expected one of ${CONDITIONS.join(', ')}, which say what products it is for`);
  }
  if (!Number.isInteger(position) || (position as number) < 1)
    throw wrongField('position', 'a whole number from 1', position);
  if (!(typeof factor === 'number' && factor > 0 && factor < Number.POSITIVE_INFINITY)) {
    throw wrongField('factor', 'a number above 0', factor);
  }
  const range = price === undefined ? undefined : typeof price === 'string' ? priceRange(price) : undefined;
  if (price !== undefined && range === undefined)
    throw wrongField('price', 'a range such as "10..50" or "..50"', price);
  const lists = LISTS.flatMap((name) =>
    entry[name] === undefined ? [] : [[name, textsOf(name, entry[name])] as const],
  );
  return {
    do: action as Rule['do'],
    position: position as number,
    factor,
    from: instant(entry, 'from', Number.NEGATIVE_INFINITY),
    until: instant(entry, 'until', Number.POSITIVE_INFINITY),
    ...Object.fromEntries(lists),
    ...(range && { price: range }),
    ...(slot !== undefined && { slot: textOf('slot', slot) }),
    ...(strategy !== undefined && { strategy: textOf('strategy', strategy) }),
  };
}

const isText = (value: unknown): value is string => isName(value);

function textsOf(name: string, value: unknown): readonly string[] {
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (texts.length > 0 && texts.length <= MAX_RULE_TEXTS && texts.every(isText)) return texts;
  throw wrongField(name, `a text or a list of texts, at most ${MAX_RULE_TEXTS} of ${MAX_ID} characters`, value);
}

function textOf(name: string, value: unknown): string {
  if (isText(value)) return value;
  throw wrongField(name, `a text, at most ${MAX_ID} characters`, value);
}

/** A day alone begins at midnight UTC. */
function instant(entry: Readonly<Record<string, unknown>>, name: string, otherwise: number): number {
  const value = entry[name];
  if (value === undefined) return otherwise;
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(time)) throw wrongField(name, 'a date in ISO 8601, such as 2026-12-24', value);
  return time;
}

const wrongField = (name: string, expected: string, got: unknown): RangeError =>
  new RangeError(`${name} must be ${expected}, got ${show(got)}`);

/** What is wrong with a name that is none of these. */
export function unknownName(name: string, names: readonly string[]): RangeError {
  const near = nearestName(name, names);
  return new RangeError(`${quote(name)} is none of ${names.join(', ')}${near ? `; did you mean "${near}"?` : ''}`);
}

/** `10..50`, `..50`, `10..` or `10`; undefined for another text. */
export function priceRange(text: string): PriceRange | undefined {
  const [, least, dots, most] = /^(\d+(?:\.\d+)?)?(?:(\.\.)(\d+(?:\.\d+)?)?)?$/.exec(text.trim()) ?? [];
  if (least === undefined && most === undefined) return undefined;
  if (dots === undefined) return [Number(least), Number(least)];
  const range: PriceRange = [Number(least ?? 0), Number(most ?? Number.POSITIVE_INFINITY)];
  return range[0] <= range[1] ? range : undefined;
}

/** Whether a product is all that the conditions say. Brands, categories and tags are compared without regard to case. */
export function matches(conditions: Conditions, product: CatalogueItem): boolean {
  const { price } = conditions;
  return (
    LISTS.every((name) => {
      const wanted = conditions[name];
      if (wanted === undefined) return true;
      const [few, many] = [textsIn(conditions, name, () => wanted), textsIn(product, name, TEXTS[name])].sort(
        (a, b) => a.size - b.size,
      );
      return [...few!].some((text) => many!.has(text));
    }) &&
    (price === undefined || (product.price !== undefined && product.price >= price[0] && product.price <= price[1]))
  );
}

/** What a product has of each list. */
const TEXTS: Readonly<Record<(typeof LISTS)[number], (product: CatalogueItem) => readonly string[]>> = {
  id: ({ id }) => [id],
  brand: ({ brand = '' }) => [brand],
  category: ({ category = [] }) => category.slice(0, MAX_TAGS),
  tag: ({ features = {} }) =>
    Object.keys(features)
      .filter((name) => /^tags?$/i.test(name))
      .flatMap((name) => String(features[name]).split(',', MAX_TAGS)),
};

/** The texts of conditions and products as they are compared: a thousand rules would make them a thousand times. */
const compared = new WeakMap<object, Map<string, ReadonlySet<string>>>();

function textsIn<T extends object>(of: T, name: string, read: (of: T) => readonly string[]): ReadonlySet<string> {
  const known = compared.get(of) ?? new Map<string, ReadonlySet<string>>();
  compared.set(of, known);
  const found = known.get(name) ?? new Set(read(of).map((text) => (name === 'id' ? text : text.trim().toLowerCase())));
  known.set(name, found);
  return found;
}
