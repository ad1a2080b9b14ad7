/** Which suggestion a visitor chose. */
import type { Selection } from '../recommender/types';

/** A list of suggestions on the page. */
export interface ShownList {
  readonly element: HTMLElement;
  readonly strategy: string;
  readonly suggestions: readonly { readonly id: string; readonly reason: NonNullable<Selection['reason']> }[];
}

/** A list's name in events: its `id`, or what it was asked for. */
export const listOf = ({ element, strategy }: Pick<ShownList, 'element' | 'strategy'>): string =>
  element.id || strategy;

/**
 * Reports the suggestions whose links are opened, with the main or the middle button or the keyboard. Listens in the window's
 * capturing phase: the triggers of a tag manager, which see nothing inside of a shadow tree, come after it, and read the
 * attribute `data-item-id` of the list's element.
 *
 * @returns Stops.
 */
export function watchSelections(lists: Iterable<ShownList>, report: (selection: Selection) => void): () => void {
  const stops = ['click', 'auxclick'].map((type) => {
    const listener = (event: Event): void => {
      const selection = (event as MouseEvent).button < 2 && selectionOf(event, lists);
      if (selection) report(selection);
    };
    addEventListener(type, listener, true);
    return () => removeEventListener(type, listener, true);
  });
  return () => {
    for (const stop of stops) stop();
  };
}

/** Undefined for a click on anything else. Slots have open shadow trees, which a path shows. */
function selectionOf(event: Event, lists: Iterable<ShownList>): Selection | undefined {
  const path = event.composedPath();
  for (const list of lists) {
    const end = path.indexOf(list.element);
    if (end < 0) continue;
    const inside = path.slice(0, end).filter((node) => node instanceof Element);
    if (!inside.some(({ localName }) => localName === 'a')) continue;
    const id = inside.find((node) => node.hasAttribute('data-item-id'))?.getAttribute('data-item-id');
    const index = list.suggestions.findIndex((suggestion) => suggestion.id === id);
    if (index < 0) continue; // a product that the shop's server has rendered
    list.element.setAttribute('data-item-id', id!);
    return { itemId: id!, index, list: listOf(list), reason: list.suggestions[index]!.reason };
  }
  return undefined;
}
