/** Pages that list products: departments, categories, kinds, and what a search found. */
import { h } from '../dom';
import { href } from '../routes';
import { grid } from '../shelf';
import { type Product, type Section, type Shop, search, sectionAt } from '../shop';

type Page = { title: string; content: HTMLElement };

const ORDERS: Readonly<Record<string, (a: Product, b: Product) => number>> = {
  'As listed': () => 0,
  'Price, low to high': (a, b) => (a.amount ?? Number.POSITIVE_INFINITY) - (b.amount ?? Number.POSITIVE_INFINITY),
  'Price, high to low': (a, b) => (b.amount ?? Number.NEGATIVE_INFINITY) - (a.amount ?? Number.NEGATIVE_INFINITY),
  Name: (a, b) => a.title.localeCompare(b.title),
};

export function sectionPage(shop: Shop, path: readonly string[], forYou: HTMLElement): Page | undefined {
  const section = sectionAt(shop.root, path);
  if (section === undefined) return undefined;
  const title = path.at(-1) ?? 'All products';
  return {
    title,
    content: h(
      'div',
      { class: 'page' },
      breadcrumbs(path),
      h('h1', {}, title),
      section.children.size > 1 && subsections(section),
      sortedGrid(section.products),
      forYou,
    ),
  };
}

export function searchPage(shop: Shop, query: string, forYou: HTMLElement): Page {
  const found = search(shop, query);
  const title = `“${query}”`;
  return {
    title: `Search: ${query}`,
    content: h(
      'div',
      { class: 'page' },
      h('h1', {}, title),
      found.length === 0
        ? h('p', { class: 'lead' }, 'No product matches. Try a shorter word, or look through the departments above.')
        : sortedGrid(found),
      forYou,
    ),
  };
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

function subsections(section: Section): HTMLElement {
  return h(
    'ul',
    { class: 'chips', 'aria-label': 'Narrow down' },
    ...[...section.children.values()].map((child) =>
      h(
        'li',
        {},
        h(
          'a',
          { class: 'chip', href: href({ page: 'section', path: child.path }) },
          child.path.at(-1),
          h('span', { class: 'chip-count' }, child.products.length.toLocaleString()),
        ),
      ),
    ),
  );
}

function sortedGrid(products: readonly Product[]): HTMLElement {
  const place = h('div', {}, grid(products));
  const select = h(
    'select',
    {
      'aria-label': 'Order of the products',
      on: {
        change: () => {
          const order = ORDERS[select.value] ?? (() => 0);
          place.replaceChildren(grid([...products].sort(order)));
        },
      },
    },
    ...Object.keys(ORDERS).map((name) => h('option', { value: name }, name)),
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
