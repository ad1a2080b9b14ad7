/** The parts around every page: header, departments, footer, and the pages that say that something is not there. */

import { button, type Child, h, setText } from './dom';
import { icon } from './icons';
import { href, type Route } from './routes';
import type { Shop } from './shop';
import { LANGUAGES, type Language, language, text } from './texts';
import type { Page } from './types';

/** A page of the shop. */
export const page = (title: string, ...content: readonly Child[]): Page => ({
  title,
  content: h('div', { class: 'page' }, ...content),
});

/**
 * @param panelButton The button that opens the panel.
 * @param turnTo Says everything in another language.
 */
export function header(shop: Shop, panelButton: HTMLElement, turnTo: (language: Language) => void) {
  const badge = h('span', { class: 'badge' }, '0');
  const basket = h(
    'a',
    { class: 'header-button', href: href({ page: 'cart' }) },
    icon('bag'),
    h('span', { class: 'header-label' }, text.shop.basket),
    badge,
    h('span', { class: 'unseen' }, text.shop.pieces),
  );
  const query = h('input', {
    type: 'search',
    name: 'query',
    placeholder: text.shop.search,
    'aria-label': text.shop.search,
    autocomplete: 'off',
    enterkeyhint: 'search',
  });
  const submit = (event: Event): void => {
    event.preventDefault();
    if (query.value.trim() !== '') location.assign(href({ page: 'search', query: query.value.trim() }));
  };
  const languages = (Object.keys(LANGUAGES) as Language[])
    .filter((name) => name !== language)
    .map((name) => {
      const other = button(() => turnTo(name), 'header-button', LANGUAGES[name]);
      other.lang = name;
      return other;
    });
  const departments = [...shop.root.children.keys()];
  const links = departments.map((name) => h('a', { href: href({ page: 'section', path: [name] }) }, name));
  const element = h(
    'header',
    { class: 'header' },
    h(
      'div',
      { class: 'header-top' },
      h('a', { class: 'logo', href: href({ page: 'home' }) }, 'Aisle', h('span', {}, text.shop.name)),
      h('form', { class: 'search', role: 'search', on: { submit } }, icon('search'), query),
      panelButton,
      ...languages,
      basket,
    ),
    links.length > 1 &&
      h(
        'nav',
        { class: 'nav', 'aria-label': text.shop.departments },
        h('ul', {}, ...links.map((link) => h('li', {}, link))),
      ),
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
    focusLanguage: () => languages[0]?.focus(),
    focusSearch(): void {
      query.focus();
      query.select();
    },
  };
}

export function notFound(): Page {
  return page(
    text.shop.notHere,
    h(
      'section',
      { class: 'empty' },
      h('span', { class: 'empty-sign' }, icon('search')),
      h('h1', {}, text.shop.pageNotHere),
      h('p', {}, text.shop.mayBeGone),
      h('a', { class: 'button', href: href({ page: 'home' }) }, text.shop.toShop),
    ),
  );
}

/** What there is to see where the shop itself could not be opened. */
export function closedShop(why: string): HTMLElement {
  return h(
    'main',
    { class: 'page' },
    h('section', { class: 'empty' }, h('h1', {}, text.shop.notOpened), h('p', { role: 'alert' }, why)),
  );
}

export function footer(): HTMLElement {
  return h(
    'footer',
    { class: 'footer' },
    h('p', { class: 'footer-name' }, 'Aisle'),
    h('p', {}, text.shop.footer),
    h('a', { href: href({ page: 'privacy' }) }, text.shop.privacyLink),
    h('a', { href: 'studio/' }, text.shop.studioLink),
  );
}
