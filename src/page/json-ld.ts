/**
 * JSON-LD of a page: https://www.w3.org/TR/json-ld11/#embedding-json-ld-in-html-documents
 */
import { isArray, parse } from '../captured';
import type { Statement, Thing } from './things';

const SCRIPTS = 'script[type*="ld+json" i]';
/** A comment or CDATA around the content of a script, as HTML 4 and XHTML pages have it. */
const OPENING = /^\s*(?:<!--|(?:\/\/|\/\*)?\s*<!\[CDATA\[\s*(?:\*\/)?)/;
const CLOSING = /(?:(?:\/\/)?-->|(?:\/\/|\/\*)?\s*\]\]>\s*(?:\*\/)?)\s*$/;
/** Levels of lists and graphs that are read. */
const MAX_DEPTH = 16;

/** Each block is read once, as long as its text stays. */
const read = new WeakMap<Element, { readonly text: string; readonly things: readonly Thing[] }>();

/** What each block says, without the blocks that are not JSON. */
export function jsonLdOf(elements: readonly Element[]): Statement[] {
  return elements.flatMap((element) => {
    if (!element.matches(SCRIPTS)) return [];
    const text = element.textContent ?? '';
    let block = read.get(element);
    if (block?.text !== text) {
      const isBlock = /^\s*application\/ld\+json\s*(;|$)/i.test(element.getAttribute('type')!);
      block = { text, things: isBlock ? topLevel(parsed(text)) : [] };
      read.set(element, block);
    }
    return { element, source: 'json-ld', text, things: block.things };
  });
}

function parsed(text: string): unknown {
  try {
    return parse(text.replace(OPENING, '').replace(CLOSING, ''));
  } catch {
    return undefined; // invalid JSON of the page
  }
}

/** The things of a block: itself, its list, its `@graph`. */
function topLevel(value: unknown, depth = 0): Thing[] {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return [];
  if (isArray(value)) return value.flatMap((entry) => topLevel(entry, depth + 1));
  return [value as Thing, ...topLevel((value as Thing)['@graph'], depth + 1)];
}
