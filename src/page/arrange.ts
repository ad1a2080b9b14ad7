/**
 * Chooses a slot's products by its attributes `fallback`, `min`, `filter` and `diversity`, and by the shop's rules. Loaded
 * where there are such.
 *
 * For each strategy's answer: a product that `exclude` names, or that the filter does not let pass, is left out. One at place p
 * (from 1) ranks by p / f, f being the product of the factors of all boosts that it meets; what is buried comes last. The answers follow
 * one another. Products are taken from the first on, unless `diversity` has enough of their brand, category or group. Then each pin is
 * put at its position; pinned products count for `diversity`, which never leaves them out.
 */
import { type CatalogueItem, isAvailable } from '../checkpoint/artifact';
import { type Conditions, LISTS, matches, priceRange, type Rule, unknownName } from '../checkpoint/rules';
import type { RankedItem } from '../engine/types';
import { STRATEGIES } from '../recommender/arguments';
import type { Recommender, Strategy } from '../recommender/types';
import type { Choose, SlotAnswer, SlotRequest } from './plan-slots';

const KINDS = ['brand', 'category', 'group'] as const;
/** Most products of one kind. */
export type AtMost = Readonly<Partial<Record<(typeof KINDS)[number], number>>>;

/** What a text says, and a sentence for each part of it that says nothing. */
export interface Said<T> {
  readonly value: T;
  readonly wrong: readonly string[];
}

/** `brand:2 category:3`. */
export function readDiversity(text: string): Said<AtMost> {
  return readPairs(text, KINDS, (kind, value) => {
    if (/^[1-9]\d*$/.test(value)) return Number(value);
    throw new RangeError(`${kind} must be a whole number from 1, got "${value}"`);
  });
}

/** `category:Shoes,Bags price:..50 brand:"West & Co"`. */
export function readFilter(text: string): Said<Conditions> {
  return readPairs(text, [...LISTS, 'price'], (name, value) => {
    const isQuoted = value.startsWith('"');
    const plain = isQuoted ? value.slice(1, -1) : value;
    if (plain === '') throw new RangeError(`${name} must have a value`);
    if (name !== 'price') return isQuoted ? [plain] : plain.split(',');
    const range = priceRange(plain);
    if (range) return range;
    throw new RangeError(`price must be a range such as 10..50 or ..50, got "${plain}"`);
  });
}

function readPairs<T>(text: string, names: readonly string[], read: (name: string, value: string) => unknown): Said<T> {
  const wrong: string[] = [];
  const value: Record<string, unknown> = {};
  for (const [part] of text.matchAll(/[^\s"]*"[^"]*"|\S+/g)) {
    const [name, ...rest] = part.split(':');
    try {
      if (!names.includes(name!)) throw unknownName(name!, names);
      value[name!] = read(name!, rest.join(':'));
    } catch (error) {
      wrong.push((error as Error).message);
    }
  }
  return { value: value as T, wrong };
}

/** What a slot is and asks for besides. */
export interface SlotWishes {
  /** The text of an attribute; empty if the slot does not have it. */
  readonly attribute: (name: string) => string;
  readonly rules: readonly Rule[];
  /** What the slot is asked for. */
  readonly name: string;
  /** The strategy of that name, or the one that is shown because there is none. */
  readonly strategy: Strategy;
  /** Most products. */
  readonly limit: number;
  /** What its suggestions are for: it is not among them. */
  readonly item: string | undefined;
  /** Ids that the slot never shows. */
  readonly exclude: readonly string[];
  /** The product as the page shows it; null if it does not. */
  readonly allowed: (product: CatalogueItem) => CatalogueItem | null;
}

export interface Arrangement extends SlotRequest {
  /** How many items each strategy is asked for. */
  readonly k: number;
  /** Whether a product of the catalogue may be shown for a strategy. */
  readonly passes: (strategy: Strategy, product: CatalogueItem) => boolean;
}

/**
 * How a slot's products are chosen from now on.
 *
 * @param warn Takes a sentence for a name that is no strategy, and for each wrong part of an attribute; the other parts count.
 * @param now Milliseconds since 1970.
 */
export function arrangeSlot(
  { attribute, rules, name, strategy, limit, item, exclude, allowed }: SlotWishes,
  recommender: Pick<Recommender, 'products'>,
  warn: (problem: string) => void,
  now = Date.now(),
): Arrangement {
  if (name !== strategy) warn(`strategy="${name}" shows ${strategy}: ${unknownName(name, STRATEGIES).message}`);
  const read = <T>(name: string, reader: (text: string) => Said<T>): T => {
    const text = attribute(name);
    const { value, wrong } = reader(text);
    for (const what of wrong) warn(`${name}="${text}": ${what}`);
    return value;
  };
  const held = rulesOf(rules, attribute('id'), now);
  const wishes = {
    rules: held,
    filter: read('filter', readFilter),
    atMost: read('diversity', readDiversity),
    least: read('min', readCount),
    limit,
  };
  const needsPool = held.length > 0 || Object.keys(wishes.atMost).length > 0;
  return {
    strategies: [...new Set([strategy, ...read('fallback', readStrategies)])],
    k: needsPool ? POOL * limit : limit,
    ...arrange(
      wishes,
      (product) => (product.id === item || exclude.includes(product.id) ? null : allowed(product)),
      recommender,
    ),
  };
}

function readStrategies(text: string): Said<readonly Strategy[]> {
  const words = text.split(/[\s,]+/).filter(Boolean);
  const isKnown = (word: string): word is Strategy => STRATEGIES.includes(word as Strategy);
  const wrong = words.filter((word) => !isKnown(word)).map((word) => unknownName(word, STRATEGIES).message);
  return { value: words.filter(isKnown), wrong };
}

function readCount(text: string): Said<number> {
  return /^\d*$/.test(text) ? { value: Number(text), wrong: [] } : { value: 0, wrong: ['expected a whole number'] };
}

/** The first different items that are not excluded. */
export function firstOf(
  answers: readonly Pick<SlotAnswer, 'items'>[],
  limit: number,
  exclude: ReadonlySet<string>,
): readonly RankedItem[] {
  const found = new Map<string, RankedItem>();
  for (const item of answers.flatMap(({ items }) => items)) {
    if (!exclude.has(item.itemId) && !found.has(item.itemId)) found.set(item.itemId, item);
  }
  return [...found.values()].slice(0, limit);
}

export interface Wishes {
  /** Those of this slot that hold now. */
  readonly rules: readonly Rule[];
  readonly filter: Conditions;
  readonly atMost: AtMost;
  /** Fewer products than this leave the slot empty. */
  readonly least: number;
  /** Most products. */
  readonly limit: number;
}

/** The rules that hold at a moment (milliseconds since 1970) for the slot of this id. */
const rulesOf = (rules: readonly Rule[], slot: string, now: number): Rule[] =>
  rules.filter((rule) => (rule.slot === undefined || rule.slot === slot) && rule.from <= now && now < rule.until);

/** How many times as many products as a slot shows are asked for, to be boosted, buried or left out. */
const POOL = 5;

/**
 * @param products The products of these ids; null for one that may not be shown by the page.
 */
export function arrange(
  { rules, filter, atMost, least, limit }: Wishes,
  allowed: SlotWishes['allowed'],
  recommender: Pick<Recommender, 'products'>,
) {
  const seen = new Map<string, CatalogueItem>();
  const rulesFor = (action: Rule['do'], strategy: string) =>
    rules.filter((rule) => rule.do === action && (rule.strategy === undefined || rule.strategy === strategy));
  const meets = (product: CatalogueItem | undefined) => (rule: Rule) => product !== undefined && matches(rule, product);

  /** Remembers the product, as the page shows it. */
  function passes(strategy: string, known: CatalogueItem): boolean {
    const product = allowed(known);
    if (product === null) return false;
    seen.set(known.id, product);
    return matches(filter, product) && !rulesFor('exclude', strategy).some(meets(product));
  }

  function reordered(strategy: string, items: readonly RankedItem[]): RankedItem[] {
    const boosts = rulesFor('boost', strategy);
    const buries = rulesFor('bury', strategy);
    const placed = items.map((item, k) => {
      const product = seen.get(item.itemId);
      const factor = boosts.filter(meets(product)).reduce((all, rule) => all * rule.factor, 1);
      return { item, isBuried: buries.some(meets(product)), place: (k + 1) / factor };
    });
    placed.sort((a, b) => Number(a.isBuried) - Number(b.isBuried) || a.place - b.place);
    return placed.map(({ item }) => item);
  }

  /** The product of each pin, by its position: the first of its ids that may be shown. */
  async function pinned(strategy: string, exclude: ReadonlySet<string>): Promise<ReadonlyMap<string, number>> {
    const pins = rulesFor('pin', strategy);
    const ids = [...new Set(pins.flatMap(({ id = [] }) => id))].filter((id) => !exclude.has(id));
    if (ids.length === 0) return new Map();
    const found = new Set(
      (await recommender.products(ids)).flatMap((known) =>
        known && isAvailable(known) && passes(strategy, known) ? known.id : [],
      ),
    );
    const chosen = new Map<string, number>();
    for (const pin of [...pins].sort((a, b) => a.position - b.position)) {
      const id = pin.id!.find((id) => !chosen.has(id) && found.has(id) && meets(seen.get(id))(pin));
      if (id !== undefined) chosen.set(id, pin.position);
    }
    return chosen;
  }

  const choose: Choose = async (answers, exclude) => {
    const pins = await pinned(answers[0]!.strategy, exclude);
    const ordered = answers.map(({ strategy, items }) => ({ strategy, items: reordered(strategy, items) }));
    const counts = new Map<string, number>();
    const keysOf = (id: string): (readonly [key: string, most: number])[] => {
      const { brand, category, group } = seen.get(id) ?? {};
      const values = { brand, category: category?.join('\n'), group };
      return KINDS.flatMap((kind) => {
        const most = atMost[kind];
        return most === undefined || values[kind] === undefined ? [] : [[`${kind}\n${values[kind]}`, most] as const];
      });
    };
    const count = (id: string): void => {
      for (const [key] of keysOf(id)) counts.set(key, (counts.get(key) ?? 0) + 1);
    };
    for (const id of [...pins.keys()].slice(0, limit)) count(id);
    const chosen: RankedItem[] = [];
    for (const item of firstOf(ordered, Number.POSITIVE_INFINITY, new Set([...exclude, ...pins.keys()]))) {
      if (chosen.length + pins.size >= limit) break;
      if (keysOf(item.itemId).some(([key, most]) => (counts.get(key) ?? 0) >= most)) continue;
      count(item.itemId);
      chosen.push(item);
    }
    for (const [itemId, position] of pins) chosen.splice(position - 1, 0, { itemId, score: 0, reason: 'rule' });
    return chosen.length < least ? [] : chosen.slice(0, limit);
  };

  return { passes, choose };
}
