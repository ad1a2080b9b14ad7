/** Pages that list products: departments, categories, kinds, and what a search found. */

import { h } from '../dom';
import { icon } from '../icons';
import { grid, tile } from '../product-grid';
import { href } from '../routes';
import { search } from '../search';
import { page } from '../shell';
import { type Product, type Section, sectionAt } from '../shop';
import type { Context, Page } from '../types';

type Order = (a: Product, b: Product) => number;

const ORDERS: Readonly<Record<string, Order>> = {
  'Price, low to high': (a, b) => (a.amount ?? Number.POSITIVE_INFINITY) - (b.amount ?? Number.POSITIVE_INFINITY),
  'Price, high to low': (a, b) => (b.amount ?? Number.NEGATIVE_INFINITY) - (a.amount ?? Number.NEGATIVE_INFINITY),
  Name: (a, b) => a.title.localeCompare(b.title),
};

export function sectionPage({ shop, slots }: Context, path: readonly string[]): Page | undefined {
  const section = sectionAt(shop.root, path);
  if (section === undefined) return undefined;
  const title = path.at(-1) ?? 'All products';
  return page(
    title,
    h('div', { class: 'page-head' }, breadcrumbs(path), h('h1', {}, title)),
    section.children.size > 1 && chips('Narrow down', [...section.children.values()]),
    sortedGrid(section.products, 'As listed'),
    slots.slot({ strategy: 'for-you', title: 'For you' }),
  );
}

export function searchPage({ shop, slots }: Context, query: string): Page {
  const found = search(shop.products.values(), query);
  return page(
    `Search: ${query}`,
    h('div', { class: 'page-head' }, h('p', { class: 'eyebrow' }, 'Search'), h('h1', {}, `“${query}”`)),
    found.length === 0 ? nothingFound([...shop.root.children.values()]) : sortedGrid(found, 'Best match'),
    found.length === 0
      ? slots.slot({ strategy: 'popular', title: 'Popular in the shop' })
      : slots.slot({ strategy: 'for-you', title: 'For you' }),
  );
}

function nothingFound(departments: readonly Section[]): HTMLElement {
  return h(
    'section',
    { class: 'empty' },
    h('span', { class: 'empty-sign' }, icon('search')),
    h('h2', {}, 'No product matches'),
    h('p', {}, 'Try fewer or shorter words: a kind of product, a colour, a brand.'),
    departments.length > 1 && chips('Departments', departments),
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
    { class: 'crumbs', 'aria-label': 'Where you are' },
    h(
      'ol',
      {},
      h('li', {}, h('a', { href: href({ page: 'home' }) }, 'Shop')),
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
      h('span', { class: 'chip-count' }, products.length.toLocaleString()),
    ),
  );
}

function sortedGrid(products: readonly Product[], natural: string): HTMLElement {
  const place = h('div', {}, grid(products));
  const select = h(
    'select',
    {
      'aria-label': 'Order of the products',
      on: {
        change: () => {
          const order = ORDERS[select.value];
          place.replaceChildren(grid(order ? [...products].sort(order) : products));
        },
      },
    },
    ...[natural, ...Object.keys(ORDERS)].map((name) => h('option', { value: name }, name)),
  );
  return h(
    'div',
    {},
    h(
      'div',
      { class: 'list-head' },
      h('p', { class: 'count' }, products.length === 1 ? '1 product' : `${products.length.toLocaleString()} products`),
      select,
    ),
    place,
  );
}
