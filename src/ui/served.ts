/**
 * Products that the shop's server has rendered into a slot. They stay until there are better ones, and are replaced in
 * place (`served-cards.ts`), with the shop's own markup and looks:
 *
 *     <aisle-recommendations>
 *       <ul>
 *         <li class="card"><a href="/p/42" data-item-id="sku-42">…</a></li>
 *       </ul>
 *       <template><li class="card"><a data-aisle="link"><img data-aisle="image"><b data-aisle="title"></b></a></li></template>
 *     </aisle-recommendations>
 */
import type { Slot } from './host';

export interface Served {
  readonly list: Element;
  /** Cards by item id, as the server rendered them. */
  readonly cards: ReadonlyMap<string, HTMLElement>;
}

const read = new WeakMap<HTMLElement, Served>();

/** Ids of the products that the server has rendered. */
export function servedIds(element: HTMLElement): ReadonlyMap<string, HTMLElement> {
  return servedBy(element)?.cards ?? new Map();
}

/** The server's own link to a product. */
export function servedLink(element: HTMLElement, id: string): string | undefined {
  const card = servedBy(element)?.cards.get(id);
  return (card?.closest('a') ?? card?.querySelector('a'))?.getAttribute('href') ?? undefined;
}

export function servedBy(element: HTMLElement): Served | undefined {
  const known = read.get(element);
  if (known?.list.isConnected && element.contains(known.list)) return known;
  const cards = new Map<string, HTMLElement>();
  let list: Element | undefined;
  for (const marked of element.querySelectorAll<HTMLElement>('[data-item-id]')) {
    const item = marked.closest('li');
    const card = item !== null && element.contains(item) ? item : marked;
    list ??= card.parentElement ?? undefined;
    if (card.parentElement === list) cards.set(marked.getAttribute('data-item-id') ?? '', card);
  }
  if (list === undefined) return undefined;
  const found = { list, cards };
  read.set(element, found);
  return found;
}

/** How many products a slot shows: as many as its server has rendered, where its attributes do not say. */
export function countOf({ element, limit }: Slot): number {
  const { size } = servedIds(element);
  return size === 0 || element.hasAttribute('limit') ? limit : size;
}
