/** A slot's request, and its products. */
import type { CatalogueItem } from '../checkpoint/artifact';
import { nearestName, RecommenderError, reasonOf } from '../errors';
import { STRATEGIES } from '../recommender/arguments';
import type { Recommender } from '../recommender/types';
import { delayOf, linkOf, pictureOf, priceOf } from './links';
import type { Host, PageOptions, Slot, Suggestion } from './types';

/** What reads the products that a slot's server has rendered. */
export type ServerList = typeof import('./server-rendered');

/** Most items that are checked for a link: each of them is sent to the page, with its picture. */
const WITHIN = 500;

/**
 * Asks the recommender what a slot's attributes say. Products without a link that the page allows are left out, and the
 * next best take their place.
 *
 * @param pageItem The product that the page shows.
 */
export async function suggestionsFor(
  slot: Slot,
  recommender: Recommender,
  pageItem: string | undefined,
  options: PageOptions,
  {
    host,
    signal,
    served,
    strategy,
  }: {
    readonly host: Host;
    readonly signal: AbortSignal;
    readonly served: ServerList | undefined;
    readonly strategy: string;
  },
): Promise<Suggestion[]> {
  const { element, texts, language } = slot;
  const ids = served?.servedIds(element);
  const known = STRATEGIES.find((name) => name === strategy);
  if (known === undefined) {
    const near = nearestName(strategy, STRATEGIES) ?? 'for-you';
    host.warn(`strategy="${strategy}" is none of ${STRATEGIES.join(', ')}; did you mean "${near}"? It shows for-you.`);
  }
  const item = element.getAttribute('item') || pageItem;
  const items = await recommender.recommend({
    k: served?.countOf(slot) ?? slot.limit,
    strategy: known ?? 'for-you',
    exclude: [...excluded(element), ...(pageItem === undefined ? [] : [pageItem])],
    ...(item === undefined ? {} : { item }),
    filter: (known) => {
      const product = options.product(known);
      if (product === undefined) return false;
      if (ids?.has(known.id) || linkOf(product, options) !== undefined) return true;
      const where = `"${known.id}": ${product.url || 'no address'}`.slice(0, 200);
      host.warn('products are left out whose link is not allowed (data-allow-hosts, data-item-url), such as', where);
      return false;
    },
    within: WITHIN,
    signal,
  });
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
      return (JSON.parse(text) as unknown[]).map(String);
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
