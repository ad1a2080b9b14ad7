/**
 * The product that a page shows, as candidates: all that the page calls it, from the embed's tag, the page's markup, its address
 * and its data layer. Which of them is the model's is not decided here.
 */
import { MAX_CANDIDATES } from '../limits';
import type { Candidate } from '../types';
import { addressOf, urlIn } from './address';
import { idIn } from './id';
import { jsonLdOf } from './json-ld';
import { microdataOf } from './microdata';
import { isHere, productOf, type Statement } from './things';

/** A page before it was read. */
export interface EarlyPage {
  readonly href: string;
  /** Among them all that say something of its product. */
  readonly elements: Iterable<Element>;
  /** Its data layer. */
  readonly layer: unknown;
}

export interface PageProduct {
  /** Best first; none if the page shows no product. Until `arrive` is called, those of the early page. */
  candidates(): readonly Candidate[];
  /** From now on the page is as it is. */
  arrive(): void;
  /** The page names its product, by the tag, a command or `view_item`. It holds while the page has the same address. */
  name(id: string, source: string): void;
  /** Whether the page has named a product at this address. */
  isNamed(): boolean;
  /** Page-view counter. Call it whenever the address may have changed. */
  view(): string;
  /** The page is opened again at the same address. */
  reopen(): void;
}

/** What says something of a page's product. */
const ELEMENTS = 'script[type],meta[property],link[rel],[itemscope]';
/** Kinds to go without, in this order, where there are too many. */
const SPARE = ['variant', 'mpn', 'gtin', 'url'] as const;

/** Where each statement stood first: an application may leave it in pages that follow. */
const places = new WeakMap<Element, { readonly text: string; readonly address: string }>();

/** @param early The page before the rest of the embed was loaded; it is read until `arrive`. */
export function pageProduct(early?: EarlyPage): PageProduct {
  let views = 0;
  let address = addressOf(early?.href ?? location.href);
  let earlyElements = early?.elements;
  /** Newest first. */
  let named: Candidate[] = [];

  function look(): void {
    const now = addressOf(location.href);
    if (now === address || earlyElements) return;
    address = now;
    named = [];
    views++;
  }

  /** Whether a statement is of this page: it came with it, or names its address. */
  function isFresh({ element, text }: Pick<Statement, 'element' | 'text'>, urls: () => readonly URL[]): boolean {
    let place = places.get(element);
    if (place?.text !== text) {
      place = { text, address };
      places.set(element, place);
    }
    return place.address === address || urls().some((url) => isHere(url, new URL(address)));
  }

  /** The content of the one element that a selector finds. */
  function only(elements: readonly Element[], selector: string, attribute: string): string | undefined {
    const fresh = elements.flatMap((element) => {
      if (!element.matches(selector)) return [];
      const text = element.getAttribute(attribute) ?? '';
      const url = attribute === 'href' ? urlIn(text) : undefined;
      return isFresh({ element, text }, () => (url ? [url] : [])) ? text : [];
    });
    const values = new Set(fresh.flatMap((text) => idIn(text) ?? []));
    return values.size === 1 ? [...values][0] : undefined;
  }

  return {
    candidates() {
      look();
      const here = new URL(address);
      const elements = [...(earlyElements ?? document.querySelectorAll(ELEMENTS))];
      const statements = [...jsonLdOf(elements), ...microdataOf(elements)].filter((statement) =>
        isFresh(statement, () => productOf([statement], here)?.addresses ?? []),
      );
      const product = productOf(statements, here);
      const canonical = urlIn(only(elements, '[rel~="canonical" i]', 'href') ?? '')?.href;
      const openGraph = (property: string, kind: 'platform' | 'group'): Candidate[] => {
        const id = only(elements, `meta[property="product:${property}" i]`, 'content');
        return id === undefined ? [] : [{ id, kind, source: 'open-graph' }];
      };
      const own = named.filter(({ source }) => source !== 'data-layer');
      const layer = named.filter(({ source }) => source === 'data-layer');
      const all: Candidate[] = [
        ...own,
        ...(product?.selected ?? []),
        ...layer,
        ...(product?.only ?? []),
        ...(product?.own ?? []),
        ...openGraph('retailer_item_id', 'platform'),
        ...(product?.groups ?? []),
        ...openGraph('item_group_id', 'group'),
        ...(product?.urls ?? []),
        ...(idIn(canonical) === undefined ? [] : [{ id: canonical!, kind: 'url' as const, source: 'canonical' }]),
        ...(product?.variants ?? []),
      ];
      const keys = new Set<string>();
      let list = all.filter(({ id, kind }) => {
        const key = `${kind === 'group'} ${id}`;
        return !keys.has(key) && keys.add(key);
      });
      for (const spare of SPARE) {
        if (list.length > MAX_CANDIDATES) list = list.filter(({ kind }) => kind !== spare);
      }
      return list.slice(0, MAX_CANDIDATES);
    },
    arrive() {
      earlyElements = undefined;
    },
    name(id, source) {
      look();
      // A later word of the same source is of another product, or of this one again.
      named = [
        { id, kind: 'item_id', source },
        ...named.filter((before) => before.id !== id && before.source !== source),
      ];
    },
    isNamed() {
      look();
      return named.length > 0;
    },
    view() {
      look();
      return String(views);
    },
    reopen() {
      views++;
    },
  };
}
