/** Products as cards in a slot's own shadow tree. Texts go in as texts, never as markup. */

import type { Host, Slot } from './host';
import { loadPicture } from './pictures';
import type { Suggestion } from './suggestions';

/** Most characters of a title that are put into the page; a card shows two lines of it. */
const MAX_TEXT = 300;

/** What each card shows. */
const keys = new WeakMap<Element, string>();

/**
 * Shows the suggestions in the slot's list. A card that stands there already is kept, so that its picture does not blink;
 * fewer cards than placeholders leave the list as high as it was, and without suggestions all stays.
 */
export function showCards(host: Host, slot: Slot, suggestions: readonly Suggestion[]): void {
  if (suggestions.length === 0) return;
  const list = slot.frame.list!;
  const before = new Map<string | undefined, Element>();
  for (const child of list.children) before.set(keys.get(child), child);
  if (suggestions.length < list.childElementCount) list.style.minHeight = `${list.getBoundingClientRect().height}px`;
  list.replaceChildren(
    ...suggestions.map((suggestion) => {
      const { score, ...shown } = suggestion;
      const key = JSON.stringify(shown);
      const card = before.get(key) ?? cardOf(host, suggestion);
      keys.set(card, key);
      return card;
    }),
  );
}

function cardOf(host: Host, suggestion: Suggestion): HTMLElement {
  const { id, href, title, brand, price, note, reason } = suggestion;
  const { node } = host;
  const link = node('a', { part: 'card', class: 'card', href, 'data-item-id': id, 'data-reason': reason });
  const line = (name: string, text: string | undefined) => {
    const element = node('span', { part: name, class: name });
    element.textContent = (text ?? '').slice(0, MAX_TEXT);
    return element;
  };
  link.append(picture(host, suggestion), line('brand', brand), line('title', title));
  const foot = node('span', { class: 'foot' });
  if (price !== undefined) foot.append(line('price', price));
  if (note !== undefined) foot.append(line('note', note));
  link.append(foot, line('because', '')); // told later, where the slot asks for reasons
  return node('li', { part: 'item' }, link);
}

/** The picture, or the first letters of the title where there is none or it cannot be loaded. */
function picture(host: Host, { image, title }: Suggestion): HTMLElement {
  const { node } = host;
  const place = node('span', { part: 'picture', class: 'picture', 'aria-hidden': 'true' });
  const letters = [...title.trim()].slice(0, 2).join('').toUpperCase();
  if (image === undefined) {
    place.textContent = letters;
    return place;
  }
  // A picture inside the artifact is there already: to load it late would only make it blink.
  const loading = image.startsWith('data:') ? 'eager' : 'lazy';
  const attributes = { part: 'image', alt: '', width: '400', height: '400', decoding: 'async', loading };
  const element = node('img', { ...attributes, referrerpolicy: 'no-referrer' });
  element.addEventListener('error', () => {
    place.textContent = letters;
  });
  place.append(element);
  loadPicture(host, element, image);
  return place;
}
