/** Which suggestion a visitor chose. */
import type { Selection } from '../recommender/types';
import type { Slot } from './types';

/** The slot's name in events: its `id`, or what it was asked for. */
export const listOf = ({ element, strategy }: Slot): string => element.id || strategy;

/** The suggestion whose link was clicked; undefined for any other click. Slots have open shadow trees, which a path shows. */
export function selectionOf(event: Event, slots: Iterable<Slot>): Selection | undefined {
  const path = event.composedPath();
  for (const slot of slots) {
    const inside = path.slice(0, path.indexOf(slot.element)).filter((node) => node instanceof Element);
    if (!inside.some(({ localName }) => localName === 'a')) continue;
    const id = inside.find((node) => node.hasAttribute('data-item-id'))?.getAttribute('data-item-id');
    const index = slot.suggestions.findIndex((suggestion) => suggestion.id === id);
    if (index < 0) continue; // a product that the shop's server has rendered
    const { reason } = slot.suggestions[index]!;
    slot.element.setAttribute('data-item-id', id!); // what a trigger of a tag manager can read
    return { itemId: id!, index, list: listOf(slot), reason };
  }
  return undefined;
}
