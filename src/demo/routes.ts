/**
 * Addresses of the shop's pages. They follow `#`, so that any static server works and no server sees them; where each page is a
 * document of its own, they are in the query, as a shop's server sees which page is asked for.
 */

export type Route =
  | { readonly page: 'home' }
  | { readonly page: 'section'; readonly path: readonly string[] }
  | { readonly page: 'product'; readonly id: string }
  | { readonly page: 'search'; readonly query: string }
  | { readonly page: 'cart' }
  | { readonly page: 'privacy' }
  | { readonly page: 'unknown' };

/** The query of the page's address where each page is a document of its own; else undefined. */
let query: string | undefined;

/** From now on each page is a document of its own. */
export function separatePages(): void {
  query = location.search;
}

/** The page of the address. */
export const routeOf = ({ search, hash }: Location): Route =>
  parseRoute(query === undefined ? hash : (new URLSearchParams(search).get('at') ?? ''));

/** `#/product/ID` and so on; an address that cannot be read is `unknown`. */
function parseRoute(path: string): Route {
  const parts = path.replace(/^#?\/?/, '').split('/');
  try {
    const [page, ...rest] = parts.map(decodeURIComponent);
    if (page === '' && rest.length === 0) return { page: 'home' };
    if ((page === 'cart' || page === 'privacy') && rest.length === 0) return { page };
    if (page === 'all') return { page: 'section', path: rest };
    if (page === 'product' && rest.length === 1) return { page: 'product', id: rest[0]! };
    if (page === 'search' && rest.length === 1) return { page: 'search', query: rest[0]! };
  } catch {
    // a stray % in the address
  }
  return { page: 'unknown' };
}

export function href(route: Exclude<Route, { page: 'unknown' }>): string {
  if (query === undefined) return `#${pathOf(route)}`;
  const next = new URLSearchParams(query);
  next.set('at', pathOf(route));
  return `?${next}`;
}

function pathOf(route: Exclude<Route, { page: 'unknown' }>): string {
  switch (route.page) {
    case 'home':
      return '/';
    case 'cart':
    case 'privacy':
      return `/${route.page}`;
    case 'section':
      return `/${['all', ...route.path].map(encodeURIComponent).join('/')}`;
    case 'product':
      return `/product/${encodeURIComponent(route.id)}`;
    case 'search':
      return `/search/${encodeURIComponent(route.query)}`;
  }
}

/**
 * Shows the page of the address when it changes, at the place where the visitor left it or at its top. Documents do that by
 * themselves.
 *
 * @param main Where pages are shown.
 * @param show Shows the page of the address.
 */
export function followAddress(main: HTMLElement, show: () => void): void {
  if (query !== undefined) return;
  const scrolled = new Map<string, number>();
  let shown = location.hash;

  window.addEventListener('hashchange', () => {
    // The browser keeps a state with each step of its history: a step that has one is gone back to.
    const isReturn = history.state !== null;
    show();
    if (isReturn) {
      window.scrollTo(0, scrolled.get(location.hash) ?? 0);
    } else {
      window.scrollTo(0, 0);
      const heading = main.querySelector('h1');
      heading?.setAttribute('tabindex', '-1');
      heading?.focus({ preventScroll: true });
    }
    history.replaceState({ seen: true }, '');
    shown = location.hash;
  });
  history.scrollRestoration = 'manual';
  history.replaceState({ seen: true }, '');
  window.addEventListener('scroll', () => scrolled.set(shown, window.scrollY), { passive: true });
}
