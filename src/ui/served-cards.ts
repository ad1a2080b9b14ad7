/** Suggestions in the place of what the shop's server has rendered: loaded where a slot has something of that kind. */
import type { Host, Slot } from './host';
import { loadPicture } from './pictures';
import { countOf, servedBy } from './served';
import type { Suggestion } from './suggestions';

/** Puts the suggestions in the place of the server's products; what is missing to their number is filled up with these. */
export function showInPlace(host: Host, slot: Slot, suggestions: readonly Suggestion[]): void {
  const { element } = slot;
  const { list, cards } = servedBy(element)!;
  const wanted = suggestions.map((suggestion) => cards.get(suggestion.id) ?? newCard(host, element, cards, suggestion));
  for (const card of cards.values()) {
    if (wanted.length >= countOf(slot)) break;
    if (!wanted.includes(card)) wanted.push(card);
  }
  const kept = new Set<Element>(wanted);
  const shown = [...list.children].filter((child) => child.nodeName !== 'TEMPLATE' && child.nodeName !== 'SCRIPT');
  // A card that stands where it belongs is not touched: moving it would take its focus and its animations.
  let place: Element | null = shown[0] ?? null;
  for (const card of wanted) {
    while (place !== null && place !== card && !kept.has(place)) place = removed(place);
    if (place === card) place = place.nextElementSibling;
    else list.insertBefore(card, place);
  }
  for (const child of shown) if (!kept.has(child)) child.remove();
}

function removed(child: Element): Element | null {
  const next = child.nextElementSibling;
  child.remove();
  return next;
}

/** A card for a product that the server did not render: the shop's template, filled in, or a plain one. */
function newCard(
  host: Host,
  element: HTMLElement,
  cards: ReadonlyMap<string, HTMLElement>,
  suggestion: Suggestion,
): HTMLElement {
  const template = element.querySelector('template');
  const copy = template?.content.firstElementChild?.cloneNode(true);
  const card = copy instanceof HTMLElement ? copy : plainCard(host, cards);
  fill(host, card, suggestion);
  return card;
}

/** As the server's first card, but empty: what stands in that is of another product. */
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

/** Fills what `data-aisle` names: link, title, brand, price, note, image. What the product does not have is taken out. */
function fill(host: Host, card: HTMLElement, suggestion: Suggestion): void {
  for (const part of [card, ...card.querySelectorAll<HTMLElement>('[data-aisle]')]) {
    const name = part.getAttribute('data-aisle');
    if (name === 'link') {
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
      else part.textContent = text;
    }
  }
}
