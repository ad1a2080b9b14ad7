/** The shop as its visitors walk it: listings, similar items, items that go together, and what is popular today. */
import { type Random, random } from '../../session/random';
import { DAY } from '../../session/time';
import type { Period } from './calendar';
import { drawFromSums, drawWeighted } from './draw';
import { dailyPull, makeProducts, type Product } from './products';
import { KINDS } from './taxonomy';

/** How many similar items a product page shows, and how many that go with it. */
const SIMILAR = 8;
const TOGETHER = 3;

export interface Shop {
  readonly period: Period;
  readonly products: readonly Product[];
  /** Kind k lists the products `listing[k]` … `listing[k + 1] − 1`. */
  readonly listing: readonly number[];
  /** Similar items of each product, most similar first. */
  readonly similar: readonly (readonly number[])[];
  /** Items bought together with each product, most usual first. */
  readonly together: readonly (readonly number[])[];
  /** Running sums of the products' pull, one array a day. */
  readonly pull: readonly Float64Array[];
}

/** Builds the shop of a seed: the same arguments always give the same shop. */
export function makeShop(seed: number, items: number, period: Period): Shop {
  const products = makeProducts(seed, items, period);
  const listing = KINDS.map((_, kind) => lowerBound(products, kind));
  listing.push(products.length);
  const draws = random(seed, 'relations');
  return {
    period,
    products,
    listing,
    similar: products.map((_, item) => similarItems(draws, products, listing, item)),
    together: products.map((_, item) => togetherItems(draws, products, listing, item)),
    pull: dailyPull(seed, products, period),
  };
}

/** Whether the shop shows the product at that time. */
export function isSold({ products }: Shop, item: number, time: number): boolean {
  const { launch, end } = products[item]!;
  return time >= launch && time < end;
}

/**
 * Draws a product by today's pull among those from `from` to `to`, several times, and takes one of these by `taste`:
 * the cost does not grow with the shop.
 *
 * @returns −1 where nothing of the range is sold.
 */
export function drawProduct(
  shop: Shop,
  draws: Random,
  time: number,
  [from, to]: readonly [number, number],
  taste: (item: number) => number,
): number {
  const day = Math.min(shop.period.days - 1, Math.max(0, Math.floor((time - shop.period.start) / DAY)));
  const found: number[] = [];
  for (let i = 0; i < 6; i++) {
    const item = drawFromSums(draws, shop.pull[day]!, from, to);
    if (item >= 0 && isSold(shop, item, time)) found.push(item);
  }
  if (found.length === 0) return -1;
  return found[drawWeighted(draws, found.map(taste))] ?? -1;
}

function lowerBound(products: readonly Product[], kind: number): number {
  let low = 0;
  let high = products.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (products[middle]!.kind < kind) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Neighbours of the same kind in the listing, and where these are few, of the same category. */
function similarItems(draws: Random, products: readonly Product[], listing: readonly number[], item: number): number[] {
  const own = products[item]!;
  const from = Math.max(listing[own.kind]!, item - 20);
  const to = Math.min(listing[own.kind + 1]!, item + 21);
  const candidates = Array.from({ length: to - from }, (_, i) => from + i).filter((other) => other !== item);
  for (let kind = 0; candidates.length < SIMILAR && kind < KINDS.length; kind++) {
    if (kind === own.kind || KINDS[kind]!.category !== KINDS[own.kind]!.category) continue;
    for (let other = listing[kind]!; other < Math.min(listing[kind + 1]!, listing[kind]! + 4); other++)
      candidates.push(other);
  }
  const likeness = (other: number): number => {
    const that = products[other]!;
    return (
      (that.kind === own.kind ? 1.5 : 0) +
      (that.make === own.make ? 1 : 0) +
      (that.colour.family === own.colour.family ? 0.9 : 0) +
      (that.brand === own.brand ? 0.7 : 0) -
      0.8 * Math.abs(that.level - own.level) +
      0.5 * Math.log(that.appeal) +
      0.5 * draws.normal()
    );
  };
  return best(candidates, likeness, SIMILAR);
}

/** A few products of the kinds that go with this one: same style, colour and price level first. */
function togetherItems(
  draws: Random,
  products: readonly Product[],
  listing: readonly number[],
  item: number,
): number[] {
  const own = products[item]!;
  const candidates: number[] = [];
  for (const name of KINDS[own.kind]!.goesWith) {
    const kind = KINDS.findIndex((other) => other.name === name);
    for (let other = listing[kind]!; other < Math.min(listing[kind + 1]!, listing[kind]! + 20); other++)
      candidates.push(other);
  }
  const fit = (other: number): number => {
    const that = products[other]!;
    return (
      (that.colour.name === own.colour.name ? 1.2 : that.colour.family === own.colour.family ? 0.7 : 0) +
      (that.brand === own.brand ? 0.8 : 0) -
      0.6 * Math.abs(that.level - own.level) +
      0.7 * Math.log(that.appeal) +
      0.4 * draws.normal()
    );
  };
  return best(candidates, fit, TOGETHER);
}

function best(candidates: readonly number[], score: (item: number) => number, count: number): number[] {
  return candidates
    .map((item) => ({ item, score: score(item) }))
    .sort((a, b) => b.score - a.score || a.item - b.item)
    .slice(0, count)
    .map(({ item }) => item);
}
