/** The shop's visitors: how often they come, and a taste of their own that stays the same from visit to visit. */
import { type Random, random } from '../../session/random';
import { DAY } from '../../session/time';
import { BRANDS } from './brands';
import { dayWeight, type Period, timeOfDay } from './calendar';
import { chance, drawFromSums, drawWeighted, logNormal } from './draw';
import type { ColourFamily } from './palettes';
import { drawProduct, type Shop } from './shop';
import { KINDS } from './taxonomy';

/** What a visitor likes; it never changes. */
export interface Visitor {
  /** Number of visits. */
  readonly visits: number;
  /** Kinds that the visitor shops for, with the share of each: the most loved first. */
  readonly kinds: readonly { readonly kind: number; readonly share: number }[];
  /** Bonus of each brand, index into `BRANDS`. */
  readonly brands: Float64Array;
  readonly colours: Readonly<Partial<Record<ColourFamily, number>>>;
  /** Price level the visitor is at home with: −1 cheap … 1 dear. */
  readonly level: number;
  /** Items that the visitor comes back to, most loved first. */
  readonly favourites: readonly number[];
  /** Usual hour of the day. */
  readonly hour: number;
  /** How long this visitor's sessions are against the usual. */
  readonly patience: number;
}

/**
 * Number of visits of each visitor: almost half come once, the others' counts have a heavy tail.
 *
 * @returns `visitors` counts of at least 1 that add up to `sessions`.
 */
export function visitCounts(seed: number, visitors: number, sessions: number): Int32Array {
  const draws = random(seed, 'visits');
  const sums = new Float64Array(visitors + 1);
  for (let v = 0; v < visitors; v++) {
    // Pareto weights, cut off so that nobody is the whole shop.
    const activity = chance(draws, 0.45) ? 0 : Math.min(40, (1 - draws.uniform()) ** (-1 / 1.5));
    sums[v + 1] = sums[v]! + activity;
  }
  if (sums[visitors] === 0) sums.fill(1, visitors); // nobody drew a second visit: the last one takes them all
  const counts = new Int32Array(visitors).fill(1);
  for (let rest = sessions - visitors; rest > 0; rest--) counts[drawFromSums(draws, sums, 0, visitors)]! += 1;
  return counts;
}

/** Draws the taste of visitor `v`. */
export function makeVisitor(seed: number, v: number, visits: number, shop: Shop): Visitor {
  const draws = random(seed, 'visitor', v);
  const home = popularKind(draws, shop);
  const kinds: { kind: number; share: number }[] = [];
  const wanted = 3 + draws.integer(3);
  for (let i = 0; kinds.length < wanted && i < 60; i++) {
    // Loved kinds cluster in one department, with one or two from elsewhere.
    const kind = i === 0 ? home : popularKind(draws, shop);
    const near = KINDS[kind]!.department === KINDS[home]!.department;
    if (!near && !chance(draws, 0.1)) continue;
    if (kinds.some((known) => known.kind === kind)) continue;
    kinds.push({ kind, share: 1 / (kinds.length + 1) });
  }

  const brands = Float64Array.from(BRANDS, () => 0.3 * draws.normal());
  for (let i = 0; i < 6; i++) brands[draws.integer(BRANDS.length)]! += 1.4;
  const families: ColourFamily[] = ['blue', 'green', 'red', 'pink', 'yellow', 'brown', 'light', 'dark'];
  const colours: Partial<Record<ColourFamily, number>> = {};
  for (let i = 0; i < 2; i++) colours[families[draws.integer(families.length)]!] = 1.3;

  const visitor = {
    visits,
    kinds,
    brands,
    colours,
    level: 0.6 * draws.normal(),
    favourites: [] as number[],
    hour: 7 + draws.integer(16),
    patience: logNormal(draws, 1, 0.35),
  };
  visitor.favourites = favouriteItems(draws, visitor, shop);
  return visitor;
}

/** A kind, drawn as the log's first day draws products. */
function popularKind(draws: Random, shop: Shop): number {
  const item = drawFromSums(draws, shop.pull[0]!, 0, shop.products.length);
  return shop.products[Math.max(0, item)]!.kind;
}

/** How much more or less than others the visitor is drawn to a product; 1 is neutral. */
export function taste({ brands, colours, level }: Visitor, shop: Shop, item: number): number {
  const product = shop.products[item]!;
  const distance = product.level - level;
  return Math.exp(brands[product.brand]! + (colours[product.colour.family] ?? 0) - 0.4 * distance * distance);
}

/** A product of a loved kind, by taste, of those on sale; −1 where there is none. The visitor loves at least one kind. */
export function lovedProduct(draws: Random, visitor: Visitor, shop: Shop, time: number): number {
  const shares = visitor.kinds.map(({ share }) => share);
  const { kind } = visitor.kinds[drawWeighted(draws, shares)]!;
  const range = [shop.listing[kind]!, shop.listing[kind + 1]!] as const;
  return drawProduct(shop, draws, time, range, (item) => taste(visitor, shop, item));
}

/** Favourites: of the loved kinds, by taste, all sold through the whole log. */
function favouriteItems(draws: Random, visitor: Visitor, shop: Shop): number[] {
  const favourites = new Set<number>();
  const wanted = 3 + draws.integer(5);
  const { start, days } = shop.period;
  for (let i = 0; favourites.size < wanted && i < 30 && visitor.kinds.length > 0; i++) {
    const item = lovedProduct(draws, visitor, shop, start);
    if (item >= 0 && shop.products[item]!.end > start + days * DAY) favourites.add(item);
  }
  return [...favourites];
}

/**
 * Starts of the visitor's visits, rising: the first anywhere in the period (early for those who come often), later
 * ones in bursts of a few days or anywhere after it, at the visitor's usual hours.
 */
export function visitTimes(draws: Random, { visits, hour }: Visitor, period: Period): number[] {
  const sums = new Float64Array(period.days + 1);
  for (let day = 0; day < period.days; day++) sums[day + 1] = sums[day]! + dayWeight(day, period);
  // Of several draws the earliest: the more visits, the earlier the first.
  let first = period.days;
  for (let i = 0; i < Math.min(visits, 4); i++) first = Math.min(first, drawFromSums(draws, sums, 0, period.days));
  const days = [first];
  while (days.length < visits) {
    const earlier = days[draws.integer(days.length)]!;
    const day = chance(draws, 0.45)
      ? earlier + Math.floor(logNormal(draws, 1.2, 0.8))
      : drawFromSums(draws, sums, first, period.days);
    days.push(Math.min(period.days - 1, day));
  }
  return days.map((day) => period.start + day * DAY + timeOfDay(draws, hour)).sort((a, b) => a - b);
}
