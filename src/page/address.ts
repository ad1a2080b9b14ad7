/** The page's address, as far as it says which page is shown. */
import { stringify } from '../captured';

/** A place inside the page is the same page, except in applications that keep their pages behind `#/` or `#!`. */
export const addressOf = (href: string): string => href.replace(/#(?![/!]).*$/s, '');

/** An address in the page's markup. Undefined for what is none, or begins with the page's own, which an application changes. */
export function urlIn(text: string): URL | undefined {
  const isWhole = /^\s*(https?:\/)?\//i.test(text) && URL.canParse(text, document.baseURI);
  return isWhole ? new URL(text, document.baseURI) : undefined;
}

/** Path and these parameters: what two addresses of one product, or variant, have in common. */
export function placeOf(url: URL, parameters: ReadonlySet<string>): string {
  const path = url.pathname.replace(/(.)\/$/, '$1');
  const chosen = [...url.searchParams].filter(([name]) => parameters.has(name)).sort();
  return stringify([path, chosen, /^#[/!]/.test(url.hash) ? url.hash : '']);
}
