/** One visit to the shop: an intent, a walk from product to product, and perhaps a basket. */
import type { Random } from '../../session/random';
import { chance, drawWeighted, logNormal } from './draw';
import { drawProduct, isSold, type Shop } from './shop';
import { lovedProduct, taste, type Visitor } from './visitors';

/** Kinds of event, in the order of the codes of `Visit.events`. */
export const EVENT_NAMES = ['view', 'cart', 'purchase'] as const;
const VIEW = 0;
const CART = 1;
const PURCHASE = 2;

/** The events of one session, oldest first. */
export interface Visit {
  /** Index of each event's product. */
  readonly items: number[];
  /** Seconds since 1970, to the millisecond, strictly rising. */
  readonly times: number[];
  /** Index into `EVENT_NAMES`. */
  readonly events: number[];
}

/** What the visitor is here for. */
type Intent = 'browse' | 'compare' | 'hunt' | 'complement' | 'return';
const INTENTS: readonly Intent[] = ['browse', 'compare', 'hunt', 'complement', 'return'];
const FIRST_VISIT = [42, 22, 22, 14, 0];
const LATER_VISIT = [30, 17, 15, 12, 26];

/** Ways from one product page to the next. */
const STEPS = ['reload', 'back', 'listing', 'similar', 'together', 'favourite', 'elsewhere'] as const;
const STEP_WEIGHTS: Readonly<Record<Intent, readonly number[]>> = {
  browse: [10, 2, 24, 13, 3, 8, 40],
  compare: [10, 6, 12, 28, 3, 6, 35],
  hunt: [10, 3, 15, 26, 4, 7, 35],
  complement: [10, 3, 9, 12, 25, 8, 33],
  return: [10, 3, 12, 16, 6, 18, 35],
};

/**
 * Walks one visit.
 *
 * @param past Products of the visitor's earlier visits, oldest first.
 * @returns At least one event; none is of a product that is not sold at its time.
 */
export function makeVisit(shop: Shop, visitor: Visitor, past: readonly number[], start: number, draws: Random): Visit {
  const intent = INTENTS[drawWeighted(draws, past.length === 0 ? FIRST_VISIT : LATER_VISIT)]!;
  const walk = new Walk(shop, visitor, past, start, draws, intent);
  walk.view(walk.entry());
  const bounces = chance(draws, past.length === 0 ? 0.22 : 0.1);
  const steps = bounces ? 0 : Math.min(150, Math.ceil(logNormal(draws, 2.7 * visitor.patience, 0.8)));
  for (let i = 0; i < steps; i++) {
    walk.perhapsToCart(i === steps - 1);
    walk.view(walk.next());
  }
  walk.perhapsBuy();
  return walk.visit;
}

class Walk {
  readonly visit: Visit = { items: [], times: [], events: [] };
  private readonly cart: number[] = [];
  /** What this visit looks for besides the visitor's standing taste: one look, shared by most of its clicks. */
  private look: string | undefined;

  constructor(
    private readonly shop: Shop,
    private readonly visitor: Visitor,
    private readonly past: readonly number[],
    private time: number,
    private readonly draws: Random,
    private readonly intent: Intent,
  ) {}

  /** The first product page. */
  entry(): number {
    const { visitor, past, draws, shop } = this;
    if (this.intent === 'return') {
      const item = chance(draws, 0.65)
        ? this.favourite()
        : past[past.length - 1 - draws.integer(Math.min(past.length, 6))]!;
      if (item >= 0 && isSold(shop, item, this.time)) return item;
    }
    return this.fresh(chance(draws, past.length === 0 && visitor.visits === 1 ? 0.5 : 0.75));
  }

  /** A look at a product, after a look at the page before. */
  view(item: number): void {
    this.look ??= this.shop.products[item]!.colour.family;
    this.add(item, VIEW, 0);
  }

  /** Puts the product in view into the basket, now and then; one who hunts ends the visit with it more often. */
  perhapsToCart(isLast: boolean): void {
    const item = this.current();
    if (this.cart.includes(item)) return;
    const views = this.visit.items.filter((other) => other === item).length;
    const hunted = this.intent === 'hunt' && isLast ? 6 : 1;
    if (!chance(this.draws, Math.min(0.5, 0.025 * hunted * (views > 1 ? 2.5 : 1)))) return;
    this.cart.push(item);
    this.add(item, CART, logNormal(this.draws, 12, 0.6));
  }

  /** About half of the baskets are bought, the whole basket at once. */
  perhapsBuy(): void {
    if (this.cart.length === 0 || !chance(this.draws, 0.5)) return;
    this.time += logNormal(this.draws, 90, 0.5);
    for (const item of this.cart)
      if (isSold(this.shop, item, this.time + 1)) this.add(item, PURCHASE, 0.05 + 0.4 * this.draws.uniform());
  }

  /** The next product page. */
  next(): number {
    const step = STEPS[drawWeighted(this.draws, STEP_WEIGHTS[this.intent])]!;
    const quick = step === 'reload' || step === 'back';
    this.time += quick ? logNormal(this.draws, 9, 0.8) : logNormal(this.draws, 38, 1);
    const item = this.follow(step);
    if (item >= 0 && isSold(this.shop, item, this.time)) return item;
    const other = this.fresh(true);
    return other >= 0 ? other : this.current();
  }

  private follow(step: (typeof STEPS)[number]): number {
    const item = this.current();
    switch (step) {
      case 'reload':
        return item;
      case 'back':
        return this.earlier();
      case 'listing':
        return this.further();
      case 'similar':
        return this.oneOf(this.shop.similar[item]!);
      case 'together':
        return this.oneOf(this.shop.together[item]!);
      case 'favourite':
        return this.past.length > 0 ? this.favourite() : this.oneOf(this.shop.similar[item]!);
      case 'elsewhere':
        return this.fresh(chance(this.draws, 0.6));
    }
  }

  /** An item from the front of the shop: of a loved kind, or whatever draws people today. */
  private fresh(ofLovedKind: boolean): number {
    const { shop, visitor, draws } = this;
    if (ofLovedKind && visitor.kinds.length > 0) {
      const item = lovedProduct(draws, visitor, shop, this.time);
      if (item >= 0) return item;
    }
    return drawProduct(shop, draws, this.time, [0, shop.products.length], (item) => taste(visitor, shop, item));
  }

  private favourite(): number {
    const { favourites } = this.visitor;
    return (
      favourites[
        drawWeighted(
          this.draws,
          favourites.map((_, i) => 1 / (i + 1)),
        )
      ] ?? -1
    );
  }

  /** Back to a page of this visit: mostly the one before. */
  private earlier(): number {
    const { items } = this.visit;
    for (let i = items.length - 2; i >= 0; i--) {
      if (items[i] !== this.current() && (i === 0 || chance(this.draws, 0.6))) return items[i]!;
    }
    return this.oneOf(this.shop.similar[this.current()]!);
  }

  /** One of the first, or of the next few, products in the listing of this kind. */
  private further(): number {
    const item = this.current();
    const { kind } = this.shop.products[item]!;
    const [start, end] = [this.shop.listing[kind]!, this.shop.listing[kind + 1]!];
    // Half of the looks at a listing start from its top.
    const from = chance(this.draws, 0.5) ? start : item + 1;
    return this.oneOf([from, from + 1, from + 2, from + 3].filter((other) => other < end && other !== item));
  }

  /** One of a list, its first the likeliest, by the visitor's taste and this visit's look. */
  private oneOf(items: readonly number[]): number {
    const { shop, visitor, time } = this;
    const weights = items.map((item, place) => {
      if (!isSold(shop, item, time)) return 0;
      const looked = shop.products[item]!.colour.family === this.look ? 2 : 1;
      return (looked * taste(visitor, shop, item)) / (place + 2);
    });
    return items[drawWeighted(this.draws, weights)] ?? -1;
  }

  private current(): number {
    return this.visit.items[this.visit.items.length - 1]!;
  }

  private add(item: number, event: number, wait: number): void {
    const { items, times, events } = this.visit;
    this.time = Math.round((this.time + wait) * 1000) / 1000;
    const last = times[times.length - 1];
    // Two events of a visit never share a millisecond, so that their order survives any reader.
    if (last !== undefined && this.time <= last) this.time = Math.round((last + 0.001) * 1000) / 1000;
    items.push(item);
    times.push(this.time);
    events.push(event);
  }
}
