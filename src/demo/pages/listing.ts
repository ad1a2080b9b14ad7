/** Pages that list products: departments, categories, kinds, and what a search found. */

import { h } from '../dom';
import { icon } from '../icons';
import { grid, tile } from '../product-grid';
import { href } from '../routes';
import { search } from '../search';
import { page } from '../shell';
import { type Product, type Section, sectionAt } from '../shop';
import { locale, text } from '../texts';
import type { Context, Page } from '../types';

type Order = (a: Product, b: Product) => number;

const ORDERS: Readonly<Record<'cheapest' | 'dearest' | 'name', Order>> = {
  cheapest: (a, b) => (a.amount ?? Number.POSITIVE_INFINITY) - (b.amount ?? Number.POSITIVE_INFINITY),
  dearest: (a, b) => (b.amount ?? Number.NEGATIVE_INFINITY) - (a.amount ?? Number.NEGATIVE_INFINITY),
  name: (a, b) => a.title.localeCompare(b.title),
};

export function sectionPage({ shop, slots }: Context, path: readonly string[]): Page | undefined {
  const section = sectionAt(shop.root, path);
  if (section === undefined) return undefined;
  const title = path.at(-1) ?? text.listing.all;
  return page(
    title,
    h('div', { class: 'page-head' }, breadcrumbs(path), h('h1', {}, title)),
    section.children.size > 1 && chips(text.listing.narrow, [...section.children.values()]),
    sortedGrid(section.products, text.listing.asListed),
    slots.slot({ strategy: 'for-you', title: text.slots.forYou }),
  );
}

export function searchPage({ shop, slots }: Context, query: string): Page {
  const found = search(shop.products.values(), query);
  return page(
    text.listing.searchTitle(query),
    h(
      'div',
      { class: 'page-head' },
      h('p', { class: 'eyebrow' }, text.listing.search),
      h('h1', {}, text.listing.quoted(query)),
    ),
    found.length === 0 ? nothingFound([...shop.root.children.values()]) : sortedGrid(found, text.listing.bestMatch),
    found.length === 0
      ? slots.slot({ strategy: 'popular', title: text.slots.popular })
      : slots.slot({ strategy: 'for-you', title: text.slots.forYou }),
  );
}

function nothingFound(departments: readonly Section[]): HTMLElement {
  return h(
    'section',
    { class: 'empty' },
    h('span', { class: 'empty-sign' }, icon('search')),
    h('h2', {}, text.listing.nothing),
    h('p', {}, text.listing.tryFewer),
    departments.length > 1 && chips(text.shop.departments, departments),
  );
}

/** The way from the front page to here; the last step is not a link. */
export function breadcrumbs(path: readonly string[], last?: string): HTMLElement {
  const steps = path.map((name, i) => ({ name, to: path.slice(0, i + 1) }));
  const links = steps.map(({ name, to }, i) =>
    h(
      'li',
      {},
      last === undefined && i === steps.length - 1
        ? h('span', { 'aria-current': 'page' }, name)
        : h('a', { href: href({ page: 'section', path: to }) }, name),
    ),
  );
  return h(
    'nav',
    { class: 'crumbs', 'aria-label': text.listing.where },
    h(
      'ol',
      {},
      h('li', {}, h('a', { href: href({ page: 'home' }) }, text.listing.shop)),
      ...links,
      last !== undefined && h('li', {}, h('span', { 'aria-current': 'page' }, last)),
    ),
  );
}

function chips(label: string, sections: readonly Section[]): HTMLElement {
  return h('ul', { class: 'chips', 'aria-label': label }, ...sections.map(chip));
}

function chip({ path, products }: Section): HTMLElement {
  return h(
    'li',
    {},
    h(
      'a',
      { class: 'chip', href: href({ page: 'section', path }) },
      products[0]?.image !== undefined && tile(products[0], ''),
      path.at(-1),
      h('span', { class: 'chip-count' }, products.length.toLocaleString(locale)),
    ),
  );
}

function sortedGrid(products: readonly Product[], natural: string): HTMLElement {
  const place = h('div', {}, grid(products));
  const select = h(
    'select',
    {
      'aria-label': text.listing.order,
      on: {
        change: () => {
          const order = ORDERS[select.value as keyof typeof ORDERS] as Order | undefined;
          place.replaceChildren(grid(order ? [...products].sort(order) : products));
        },
      },
    },
    h('option', { value: '' }, natural),
    ...(Object.keys(ORDERS) as (keyof typeof ORDERS)[]).map((name) => h('option', { value: name }, text.listing[name])),
  );
  return h(
    'div',
    {},
    h('div', { class: 'list-head' }, h('p', { class: 'count' }, text.home.count(products.length)), select),
    place,
  );
}
