/** The parts around every page: header, departments, footer, and the pages that say that something is not there. */

import { type Child, h, setText } from './dom';
import { icon } from './icons';
import { href, type Route } from './routes';
import type { Shop } from './shop';
import type { Page } from './types';

/** A page of the shop. */
export const page = (title: string, ...content: readonly Child[]): Page => ({
  title,
  content: h('div', { class: 'page' }, ...content),
});

/** @param panelButton The button that opens the panel. */
export function header(shop: Shop, panelButton: HTMLElement) {
  const badge = h('span', { class: 'badge' }, '0');
  const basket = h(
    'a',
    { class: 'header-button', href: href({ page: 'cart' }) },
    icon('bag'),
    h('span', { class: 'header-label' }, 'Basket'),
    badge,
    h('span', { class: 'unseen' }, 'pieces'),
  );
  const query = h('input', {
    type: 'search',
    name: 'query',
    placeholder: 'Search products and brands',
    'aria-label': 'Search products and brands',
    autocomplete: 'off',
    enterkeyhint: 'search',
  });
  const submit = (event: Event): void => {
    event.preventDefault();
    if (query.value.trim() !== '') location.hash = href({ page: 'search', query: query.value.trim() });
  };
  const departments = [...shop.root.children.keys()];
  const links = departments.map((name) => h('a', { href: href({ page: 'section', path: [name] }) }, name));
  const element = h(
    'header',
    { class: 'header' },
    h(
      'div',
      { class: 'header-top' },
      h('a', { class: 'logo', href: href({ page: 'home' }) }, 'Aisle', h('span', {}, 'demo shop')),
      h('form', { class: 'search', role: 'search', on: { submit } }, icon('search'), query),
      panelButton,
      basket,
    ),
    links.length > 1 &&
      h('nav', { class: 'nav', 'aria-label': 'Departments' }, h('ul', {}, ...links.map((link) => h('li', {}, link)))),
  );
  return {
    element,
    /** Shows how many pieces are in the basket. */
    count: (pieces: number) => setText(badge, String(pieces)),
    /** Marks the department that the visitor is in, and shows what was searched for. */
    mark(route: Route): void {
      query.value = route.page === 'search' ? route.query : '';
      for (const link of links) {
        if (route.page === 'section' && link.textContent === route.path[0]) link.setAttribute('aria-current', 'page');
        else link.removeAttribute('aria-current');
      }
    },
    focusSearch(): void {
      query.focus();
      query.select();
    },
  };
}

export function notFound(): Page {
  return page(
    'Not here',
    h(
      'section',
      { class: 'empty' },
      h('span', { class: 'empty-sign' }, icon('search')),
      h('h1', {}, 'This page is not here'),
      h('p', {}, 'The product may be gone, or the address was cut off.'),
      h('a', { class: 'button', href: href({ page: 'home' }) }, 'To the shop'),
    ),
  );
}

/** What there is to see where the shop itself could not be opened. */
export function closedShop(why: string): HTMLElement {
  return h(
    'main',
    { class: 'page' },
    h('section', { class: 'empty' }, h('h1', {}, 'The shop could not be opened'), h('p', { role: 'alert' }, why)),
  );
}

export function footer(): HTMLElement {
  return h(
    'footer',
    { class: 'footer' },
    h('p', { class: 'footer-name' }, 'Aisle'),
    h(
      'p',
      {},
      'A demo of recommendations that are computed in your browser. The products and their pictures are invented, ',
      'and nothing is sold.',
    ),
    h('a', { href: href({ page: 'privacy' }) }, 'Privacy: what your suggestions know of you'),
  );
}
