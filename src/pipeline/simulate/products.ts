/** The simulated store's products: titles, brands, colours, prices, and how each one's popularity runs over the weeks. */
import type { CatalogueItem } from '../../checkpoint/artifact';
import { type Random, random } from '../../session/random';
import { DAY } from '../../session/time';
import { BRANDS, type Brand, type Style } from './brands';
import { type Period, seasonFactor, seasonOf } from './calendar';
import { chance, drawWeighted, logNormal } from './draw';
import { type Colour, PALETTES } from './palettes';
import { blend, picture } from './pictures';
import { KINDS, type Kind } from './taxonomy';

/** A product with what the shop's visitors react to. */
export interface Product {
  readonly id: string;
  readonly title: string;
  /** Index into `KINDS`. */
  readonly kind: number;
  /** Index into `BRANDS`. */
  readonly brand: number;
  readonly colour: Colour;
  readonly make: string;
  readonly price: number;
  /** Price against its kind's usual range, on a logarithmic scale: −1 cheap, 0 usual, 1 dear. */
  readonly level: number;
  /** Seconds since 1970: nothing happens to it before this. */
  readonly launch: number;
  /** Seconds since 1970 after which the shop no longer shows it; `Infinity` for most. */
  readonly end: number;
  readonly availability: string;
  /** Standing appeal, before drift, season and novelty. */
  readonly appeal: number;
}

const SERIES =
  'Harbour Meadow Orchard Lantern Willow Dune Ember Fjord Garnet Heron Juniper Linden Marsh Ridge Tarn Wharf'.split(
    ' ',
  );

/** Soft picture backgrounds, one for each style. */
const BACKGROUNDS: Readonly<Record<Style, string>> = {
  plain: '#f3f1ec',
  heritage: '#f4ede2',
  playful: '#fbf1e0',
  botanical: '#edf2ea',
  technical: '#eaeff3',
};

/**
 * Invents `count` products, grouped by kind in the order of `KINDS`, each kind's most appealing first, as the shop
 * lists them.
 */
export function makeProducts(seed: number, count: number, period: Period): Product[] {
  const shares = sharesOfKinds(random(seed, 'kinds'), count);
  const products: Product[] = [];
  const used = new Set<string>();
  for (let kind = 0; kind < KINDS.length; kind++) {
    const draws = random(seed, 'products', kind);
    const brands = brandsOf(draws, KINDS[kind]!, shares[kind]!);
    const popular = logNormal(draws, 1, 0.8);
    for (let place = 0; place < shares[kind]!; place++) {
      // Zipf's law inside a kind; kinds differ in the level, so that the whole shop's curve is close to Zipf too.
      const appeal = (popular * logNormal(draws, 1, 0.25)) / (place + 1.4) ** 1.1;
      products.push(makeProduct(draws, kind, brands, appeal, used, period));
    }
  }
  return products;
}

/** How many of the products belong to each kind: at least one each where the shop is large enough. */
function sharesOfKinds(draws: Random, count: number): number[] {
  const weights = KINDS.map(() => logNormal(draws, 1, 0.35));
  const shares = weights.map((): number => (count >= KINDS.length ? 1 : 0));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const rest = count - shares.reduce((sum, share) => sum + share, 0);
  const exact = weights.map((weight) => (rest * weight) / total);
  let given = 0;
  exact.forEach((share, kind) => {
    shares[kind]! += Math.floor(share);
    given += Math.floor(share);
  });
  // The largest remainders get what rounding left over.
  const order = [...exact.keys()].sort((a, b) => (exact[b]! % 1) - (exact[a]! % 1) || a - b);
  for (let i = 0; i < rest - given; i++) shares[order[i]!]! += 1;
  return shares;
}

/** The few brands that make a kind, with how much of it each makes. */
function brandsOf(draws: Random, kind: Kind, items: number): { brand: number; share: number }[] {
  const makers = BRANDS.flatMap(({ departments }, brand) => (departments.includes(kind.department) ? [brand] : []));
  draws.shuffle(makers);
  return makers
    .slice(0, Math.max(3, Math.min(6, Math.ceil(items / 2))))
    .map((brand, i) => ({ brand, share: 1 / (i + 1.5) }));
}

function makeProduct(
  draws: Random,
  kind: number,
  makers: readonly { brand: number; share: number }[],
  appeal: number,
  used: Set<string>,
  period: Period,
): Product {
  const { makes, palette, price: range, noun } = KINDS[kind]!;
  const colours = PALETTES[palette];
  const { brand } =
    makers[
      drawWeighted(
        draws,
        makers.map(({ share }) => share),
      )
    ]!;
  const make = makes[draws.integer(makes.length)]!;
  const colour =
    colours[
      drawWeighted(
        draws,
        colours.map((_, i) => 1 / (i + 3)),
      )
    ]!;

  const quality = draws.uniform();
  const price = roundPrice(range[0] * (range[1] / range[0]) ** quality * BRANDS[brand]!.level);
  const usual = Math.sqrt(range[0] * range[1]);
  const level = Math.log(price / usual) / Math.log(range[1] / usual);

  // About one product in eight arrives while the log runs; few leave. The first is always there: no day without any.
  const isFirst = used.size === 0;
  const isNew = chance(draws, 0.12) && !isFirst;
  const launchDay = Math.floor(draws.uniform() * (period.days - 6));
  const launch = isNew
    ? period.start + launchDay * DAY + 6 * 3600
    : period.start - Math.ceil(draws.uniform() * 700) * DAY;
  const leaves = !isNew && chance(draws, 0.04) && !isFirst;
  const end = leaves
    ? period.start + Math.floor((0.2 + 0.75 * draws.uniform()) * period.days) * DAY
    : Number.POSITIVE_INFINITY;
  const stock = draws.uniform();
  const availability = leaves
    ? 'discontinued'
    : stock < 0.03
      ? 'out of stock'
      : stock < 0.045
        ? 'backorder'
        : 'in stock';

  const title = freeTitle(draws, used, make, noun, colour.name);
  return { id: idOf(title), title, kind, brand, colour, make, price, level, launch, end, availability, appeal };
}

/** A title nobody has yet: "Linen table runner, moss", then "… Harbour …", then numbered. */
function freeTitle(draws: Random, used: Set<string>, make: string, noun: string, colour: string): string {
  const start = draws.integer(SERIES.length);
  for (let attempt = 0; ; attempt++) {
    const series = attempt === 0 ? '' : ` ${SERIES[(start + attempt) % SERIES.length]}`;
    const number = attempt <= SERIES.length ? '' : ` no. ${Math.floor(attempt / SERIES.length) + 1}`;
    const title = `${make} ${noun}${series}${number}, ${colour}`;
    if (used.has(title)) continue;
    used.add(title);
    return title;
  }
}

function idOf(title: string): string {
  return title.toLowerCase().replace(/[^a-z0-9]+/g, '-');
}

/** A price as shops write them: 4.50, 18.90, 125. */
function roundPrice(price: number): number {
  if (price < 10) return Math.max(0.5, Math.round(price * 2) / 2);
  if (price < 60) return Math.round(price) - 0.1;
  return Math.round(price / 5) * 5;
}

/** How the links of a simulated catalogue begin. */
export const PRODUCT_LINK = '#/product/';

/** The product as `catalogue.json` holds it. */
export function catalogueItem(product: Product): CatalogueItem {
  const kind = KINDS[product.kind]!;
  const brand: Brand = BRANDS[product.brand]!;
  const background = blend(BACKGROUNDS[brand.style], product.colour.hex, 0.08);
  return {
    id: product.id,
    title: product.title,
    url: `${PRODUCT_LINK}${product.id}`,
    image: picture(kind.name, product.colour.hex, brand.accent, background),
    price: Math.round(product.price * 100) / 100,
    currency: 'EUR',
    category: [kind.department, kind.category, kind.label],
    brand: brand.name,
    availability: product.availability,
    features: {
      colour: product.colour.name,
      colourFamily: product.colour.family,
      make: product.make,
      style: brand.style,
      season: kind.season,
      since: new Date(product.launch * 1000).toISOString().slice(0, 10),
    },
  };
}

/**
 * Pull of every product on every day of the log: appeal × drift × season × novelty, 0 before its launch and after its
 * end.
 *
 * @returns For each day the running sums over the products, `[n + 1]`, for `drawFromSums`.
 */
export function dailyPull(seed: number, products: readonly Product[], period: Period): Float64Array[] {
  const weeks = Math.ceil(period.days / 7) + 1;
  const sums = Array.from({ length: period.days }, () => new Float64Array(products.length + 1));
  const drift = new Float64Array(weeks);
  products.forEach((product, item) => {
    const draws = random(seed, 'drift', item);
    // A random walk over the weeks, pulled back to 0 so that it wanders but does not run away.
    let level = 0.35 * draws.normal();
    for (let week = 0; week < weeks; week++) {
      drift[week] = level;
      level = 0.85 * level + 0.22 * draws.normal();
    }
    const season = KINDS[product.kind]!.season;
    for (let day = 0; day < period.days; day++) {
      const time = period.start + day * DAY;
      const running = sums[day]!;
      let pull = 0;
      // The launch is at six in the morning: from the day after on, every visit of the day is later than it.
      if (time >= product.launch && time + DAY <= product.end) {
        const week = day / 7;
        const share = week % 1;
        const wander = drift[Math.floor(week)]! * (1 - share) + drift[Math.floor(week) + 1]! * share;
        const age = (time - product.launch) / DAY;
        const novelty = 1 + 1.5 * Math.exp(-age / 10);
        pull = product.appeal * Math.exp(wander) * seasonFactor(season, seasonOf(time)) * novelty;
      }
      running[item + 1] = running[item]! + pull;
    }
  });
  return sums;
}
