/** A slot's request, and its products. */
import { parse } from '../captured';
import type { CatalogueItem } from '../checkpoint/artifact';
import type { Rule } from '../checkpoint/rules';
import type { RankedItem } from '../engine/types';
import { RecommenderError, reasonOf } from '../errors';
import { loaded } from '../loaded';
import type { Arrangement } from '../page/arrange';
import { STRATEGIES } from '../recommender/arguments';
import type { Recommender, Strategy } from '../recommender/types';
import { delayOf, linkOf, pictureOf, priceOf } from './links';
import type { Host, PageOptions, Slot, Suggestion } from './types';

/** What reads the products that a slot's server has rendered. */
export type ServerList = typeof import('./server-rendered');

/** Most items that are checked for a link: each of them is sent to the page, with its picture. */
const WITHIN = 500;

/** What to ask. */
export interface Source {
  readonly recommender: Recommender;
  readonly options: PageOptions;
  pageItem(): Promise<string | undefined>;
  /** What a slot of this strategy is asked for, by the visitor's variant; `none` shows nothing. */
  strategyFor(strategy: string): string;
}

/** What a page's slots are filled from. */
export interface Filling extends Omit<Source, 'pageItem' | 'strategyFor'> {
  readonly host: Host;
  readonly rules: readonly Rule[];
  /** The product that the page shows. */
  readonly pageItem: string | undefined;
  readonly signal: AbortSignal;
}

/** What a slot asks for. */
export interface Request extends Arrangement {
  readonly slot: Slot;
  /** Reads what the slot's server has rendered, if it has. */
  readonly served: ServerList | undefined;
  /** What its suggestions are for. */
  readonly item: string | undefined;
  /** Ids that it never shows. */
  readonly exclude: readonly string[];
}

/** Slots for whose attributes more code is loaded, as it is for a name that is no strategy. */
const ARRANGED = '[fallback],[min],[filter],[diversity]';

/** @param name What the slot is asked for; `none` shows nothing. */
export async function requestOf(slot: Slot, name: string, filling: Filling): Promise<Request> {
  const { host, recommender, options, rules } = filling;
  const { element } = slot;
  const served = slot.frame.list ? undefined : await loaded(import('./server-rendered'));
  const known = STRATEGIES.find((other) => other === name);
  const strategy = known ?? 'for-you';
  const limit = served?.countOf(slot) ?? slot.limit;
  /** The product as the page shows it; null if it does not: by the shop's function, or for want of a link that is allowed. */
  const allowed = (product: CatalogueItem): CatalogueItem | null => {
    const shown = options.product(product);
    if (shown === undefined) return null;
    if (served?.servedIds(element).has(product.id) || linkOf(shown, options) !== undefined) return shown;
    const where = `"${product.id}": ${shown.url || 'no address'}`.slice(0, 200);
    host.warn('products are left out whose link is not allowed (data-allow-hosts, data-item-url), such as', where);
    return null;
  };
  const request = {
    slot,
    served,
    limit,
    k: limit,
    item: element.getAttribute('item') || filling.pageItem,
    exclude: excluded(element),
    passes: (_: Strategy, product: CatalogueItem) => allowed(product) !== null,
    strategies: [strategy],
    showsBasket: element.getAttribute('hide') === 'none',
  };
  if (known && rules.length === 0 && !element.matches(ARRANGED)) return request;
  const { arrangeSlot } = await loaded(import('../page/arrange'));
  const attribute = (name: string) => element.getAttribute(name) ?? '';
  const wishes = { name, strategy, rules, attribute, allowed, ...request };
  return { ...request, ...arrangeSlot(wishes, recommender, host.warn) };
}

/**
 * The best items of a strategy for a slot. Products that the page does not show are left out, and the next best take their place.
 */
export function ask(
  { k, item, exclude, passes }: Request,
  strategy: Strategy,
  others: readonly string[],
  { recommender, signal }: Filling,
): Promise<readonly RankedItem[]> {
  return recommender.recommend({
    k,
    strategy,
    exclude: [exclude, others].flat(),
    ...(item && { item }),
    filter: (product) => passes(strategy, product),
    within: WITHIN,
    signal,
  });
}

/** What a slot shows of these items. */
export async function suggestionsOf(
  items: readonly RankedItem[],
  { slot: { element, texts, language }, served }: Request,
  { recommender, options }: Filling,
): Promise<Suggestion[]> {
  const products = await recommender.products(items.map(({ itemId }) => itemId));
  await nextTask(); // the first price of a page takes a browser a while
  return items.map(({ itemId, reason, score }, i) => {
    const known: CatalogueItem = products[i] ?? { id: itemId };
    const product = shownAs(known, options) ?? known;
    const delay = delayOf(product);
    return {
      id: itemId,
      href: linkOf(product, options) ?? served?.servedLink(element, itemId) ?? '',
      title: product.title ?? itemId,
      brand: product.brand,
      price: priceOf(product, language),
      image: pictureOf(product),
      note: delay && texts[delay],
      reason,
      score,
    };
  });
}

/** As the shop's function wants it, which may fail now although it let the product pass. */
function shownAs(known: CatalogueItem, { product }: PageOptions): CatalogueItem | undefined {
  try {
    return product(known);
  } catch (cause) {
    throw new RecommenderError('bad-input', `\`product\` threw for "${known.id}": ${reasonOf(cause)}`, { cause });
  }
}

/** Ids in `exclude`: separated by commas, or as a JSON list if ids contain commas. */
function excluded(element: HTMLElement): string[] {
  const text = element.getAttribute('exclude') ?? '';
  if (text.trim().startsWith('[')) {
    try {
      return (parse(text) as unknown[]).map(String);
    } catch {
      // an id that begins with a bracket
    }
  }
  return text.split(',').map((id) => id.trim());
}

/** Yields to the page: the code after it runs in a new task. */
export function nextTask(): Promise<void> {
  return new Promise((next) => setTimeout(next, 0));
}
