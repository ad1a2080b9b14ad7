/** Products as cards in a slot's own shadow tree. Texts go in as texts, never as markup. */

import { min, stringify } from '../captured';
import { MAX_SHOWN_TEXT } from '../limits';
import { loadPicture } from './pictures';
import type { Host, Slot, Suggestion } from './types';

/** What each card shows. */
const keys = new WeakMap<Element, string>();

/**
 * Shows the suggestions in the slot's list. A card that is in the list already is kept, so that its picture does not blink.
 * Placeholders, which the style sheet hides behind cards, fill a shorter list up to the number of places that it had, as far
 * as `limit` allows: what is below a grid does not move. Without suggestions all stays.
 */
export function showCards(host: Host, slot: Slot, suggestions: readonly Suggestion[]): void {
  if (suggestions.length === 0) return;
  const list = slot.frame.list!;
  const before = new Map<string | undefined, Element>();
  for (const child of list.children) before.set(keys.get(child), child);
  const places = min(list.childElementCount, slot.limit);
  list.replaceChildren(
    ...suggestions.map((suggestion) => {
      const { score, ...shown } = suggestion;
      const key = stringify(shown);
      const card = before.get(key) ?? cardOf(host, slot, suggestion);
      keys.set(card, key);
      return card;
    }),
  );
  while (list.childElementCount < places) list.append(host.placeholder());
}

function cardOf(host: Host, { texts }: Slot, suggestion: Suggestion): HTMLElement {
  const { id, href, title, brand, price, note, reason } = suggestion;
  const { node } = host;
  const link = node('a', { part: 'card', class: 'card', href, 'data-item-id': id, 'data-reason': reason });
  const line = (name: string, text: string | undefined, language = {}) => {
    const element = node('span', { part: name, class: name, ...language });
    element.textContent = (text ?? '').slice(0, MAX_SHOWN_TEXT);
    return element;
  };
  link.append(picture(host, suggestion), line('brand', brand), line('title', title));
  const foot = node('span', { class: 'foot' });
  if (price) foot.append(line('price', price));
  if (note) foot.append(line('note', note, texts.language));
  link.append(foot, line('because', '')); // filled later, if the slot wants reasons
  return node('li', { part: 'item' }, link);
}

/** The picture, or the first letters of the title where there is none or it cannot be loaded. */
function picture(host: Host, { image, title }: Suggestion): HTMLElement {
  const { node } = host;
  const place = node('span', { part: 'picture', class: 'picture', 'aria-hidden': 'true' });
  const letters = [...title.trim().slice(0, 4)].slice(0, 2).join('').toUpperCase();
  if (image === undefined) {
    place.textContent = letters;
    return place;
  }
  // A picture inside the artifact is already loaded: lazy loading would only make it blink.
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
