/**
 * Microdata of a page, as things like those of JSON-LD: https://html.spec.whatwg.org/multipage/microdata.html
 */
import { stringify } from '../captured';
import { isProduct, type Statement, type Thing } from './things';

/** Pages around their product; what stands inside anything else, such as a list, is not what the page is about. */
const PAGE = /^(Web|Item)?Page$/;
const MAX_DEPTH = 4;

const typeOf = (item: Element): string[] => (item.getAttribute('itemtype') ?? '').split(/\s+/);

/** Products that the page is about. */
export function microdataOf(elements: readonly Element[]): Statement[] {
  return elements.flatMap((element) => {
    if (!isProduct({ '@type': typeOf(element) })) return [];
    for (let parent = scopeOf(element); parent; parent = scopeOf(parent)) {
      const isPage = typeOf(parent).some((type) => PAGE.test(type.split('/').at(-1)!));
      if (!isPage) return [];
    }
    if (element.closest('aisle-recommendations')) return [];
    const thing = thingOf(element, 0);
    return [{ element, source: 'microdata', text: stringify(thing), things: [thing] }];
  });
}

/** The item that an element is inside of. */
const scopeOf = (element: Element): Element | null => element.parentElement?.closest('[itemscope]') ?? null;

function thingOf(item: Element, depth: number): Thing {
  const properties = new Map<string, unknown[]>([['@type', typeOf(item)]]);
  for (const element of item.querySelectorAll('[itemprop]')) {
    if (scopeOf(element) !== item) continue;
    const isItem = element.hasAttribute('itemscope');
    if (isItem && depth === MAX_DEPTH) continue;
    const value = isItem ? thingOf(element, depth + 1) : textIn(element);
    for (const name of element.getAttribute('itemprop')!.split(/\s+/)) {
      properties.set(name, [...(properties.get(name) ?? []), value]);
    }
  }
  return Object.fromEntries(properties);
}

function textIn(element: Element): string {
  const attribute = ['content', 'href', 'value'].find((name) => element.hasAttribute(name));
  return (attribute === undefined ? element.textContent : element.getAttribute(attribute)) ?? '';
}
