/**
 * Products that the shop's server has rendered into a slot. Recommendations replace them in place, with the shop's own markup and
 * styles. Loaded if a slot has such products.
 *
 *     <aisle-recommendations>
 *       <ul>
 *         <li class="card"><a href="/p/42" data-item-id="sku-42">…</a></li>
 *       </ul>
 *       <template><li class="card"><a data-aisle="link"><img data-aisle="image"><b data-aisle="title"></b></a></li></template>
 *     </aisle-recommendations>
 */
import { MAX_SHOWN_TEXT } from '../limits';
import { loadPicture } from './pictures';
import type { Host, Slot, Suggestion } from './types';

interface ServerList {
  readonly list: Element;
  /** Cards by item id, as the server rendered them. */
  readonly cards: ReadonlyMap<string, HTMLElement>;
}

const read = new WeakMap<HTMLElement, ServerList>();
/** The list that shows suggestions. */
const filled = new WeakMap<HTMLElement, ServerList>();

/** Ids of the products that the server has rendered. */
export function servedIds(element: HTMLElement): ReadonlyMap<string, HTMLElement> {
  return servedBy(element)?.cards ?? new Map();
}

/** The server's own link to a product. */
export function servedLink(element: HTMLElement, id: string): string | undefined {
  const card = servedBy(element)?.cards.get(id);
  return (card?.closest('a') ?? card?.querySelector('a'))?.getAttribute('href') ?? undefined;
}

function servedBy(element: HTMLElement): ServerList | undefined {
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
export function countOf(slot: Slot): number {
  const { element, limit } = slot;
  const { size } = servedIds(element);
  if (filled.has(element) && filled.get(element) !== read.get(element)) {
    filled.delete(element);
    slot.shown = undefined; // an application has rendered the slot again
  }
  return size === 0 || element.hasAttribute('limit') ? limit : size;
}

/** Puts the suggestions in the place of the server's products; what is missing to their number is filled up with these. */
export function showInPlace(host: Host, slot: Slot, suggestions: readonly Suggestion[]): void {
  const { element } = slot;
  const served = servedBy(element)!;
  const { list, cards } = served;
  filled.set(element, served);
  const wanted = suggestions.map((suggestion) => cards.get(suggestion.id) ?? newCard(host, slot, cards, suggestion));
  for (const card of cards.values()) {
    if (wanted.length >= countOf(slot)) break;
    if (!wanted.includes(card)) wanted.push(card);
  }
  const staying = new Set<Element>(wanted);
  const shown = [...list.children].filter(isShown);
  // A card that is already in its place is not touched: moving it would take its focus and its animations.
  let place: Element | null = shown[0] ?? null;
  for (const card of wanted) {
    while (place !== null && place !== card && !staying.has(place)) place = removed(place);
    if (place === card) place = next(place);
    else list.insertBefore(card, place);
  }
  for (const child of shown) if (!staying.has(child)) child.remove();
}

const isShown = ({ nodeName }: Element): boolean => nodeName !== 'TEMPLATE' && nodeName !== 'SCRIPT';

function next({ nextElementSibling: sibling }: Element): Element | null {
  return sibling === null || isShown(sibling) ? sibling : next(sibling);
}

function removed(child: Element): Element | null {
  const after = next(child);
  child.remove();
  return after;
}

/** A card for a product that the server did not render: the shop's template, filled in, or a plain one. */
function newCard(
  host: Host,
  { element, texts }: Slot,
  cards: ReadonlyMap<string, HTMLElement>,
  suggestion: Suggestion,
): HTMLElement {
  const template = element.querySelector('template');
  const copy = template?.content.firstElementChild?.cloneNode(true);
  const card = copy instanceof HTMLElement ? copy : plainCard(host, cards);
  fill(host, card, suggestion, texts);
  return card;
}

/** As the server's first card, but empty: its content is of another product. */
function plainCard({ node }: Host, cards: ReadonlyMap<string, HTMLElement>): HTMLElement {
  const [first] = cards.values();
  const like = (source: Element | null | undefined, tag: string, part: string) => {
    const element = node(source?.localName ?? tag, { 'data-aisle': part });
    const name = source?.getAttribute('class');
    if (name) element.setAttribute('class', name);
    return element;
  };
  const image = first?.querySelector('img');
  const link = like(first?.localName === 'a' ? first : first?.querySelector('a'), 'a', 'link');
  if (image) link.append(like(image, 'img', 'image'));
  link.append(node('span', { 'data-aisle': 'title' }));
  if (first === undefined || first.localName === 'a') return link;
  const card = like(first, 'li', 'item');
  card.append(link);
  return card;
}

/** A browser runs or applies what is in these elements, or at their addresses. */
const CODE = 'script,style,iframe,frame,object,embed,link,base,use';

/** Fills what `data-aisle` names: link, title, brand, price, note, image. What the product does not have is taken out. */
function fill(host: Host, card: HTMLElement, suggestion: Suggestion, { language }: Slot['texts']): void {
  for (const part of [card, ...card.querySelectorAll<HTMLElement>('[data-aisle]')]) {
    const name = part.getAttribute('data-aisle');
    if (name !== null && part.matches(CODE)) {
      host.warn(`a template has data-aisle="${name}" on <${part.localName}>, which is not filled.`);
    } else if (name === 'link') {
      part.setAttribute('href', suggestion.href);
      part.setAttribute('data-item-id', suggestion.id);
    } else if (name === 'image') {
      if (suggestion.image === undefined) part.remove();
      else {
        part.setAttribute('alt', '');
        loadPicture(host, part, suggestion.image);
      }
    } else if (name === 'title' || name === 'brand' || name === 'price' || name === 'note') {
      const text = suggestion[name];
      if (text === undefined) part.remove();
      else part.textContent = text.slice(0, MAX_SHOWN_TEXT);
      if (name === 'note') Object.assign(part, language);
    }
  }
}
