/** The shop's front page: what this is, what it suggests, and where to go from here. */

import { button, h } from '../dom';
import { icon } from '../icons';
import { card, tile } from '../product-grid';
import { href } from '../routes';
import { page } from '../shell';
import type { Product, Section, Shop } from '../shop';
import type { Context, Page } from '../types';

export function homePage({ shop, slots, openPanel }: Context): Page {
  const departments = [...shop.root.children.values()];
  return page(
    'Aisle demo shop',
    hero(shop, openPanel),
    slots.slot({ strategy: 'for-you', title: 'For you' }),
    departments.length > 1 && departmentTiles(departments),
    slots.slot({ strategy: 'popular', title: 'Popular in the shop' }),
    departments.length <= 1 && allProducts(shop),
    slots.slot({ strategy: 'recent', title: 'You looked at' }),
    howItWorks(openPanel),
  );
}

function hero(shop: Shop, openPanel: () => void): HTMLElement {
  const shown = collage(shop);
  const first = shop.root.children.keys().next().value;
  return h(
    'section',
    { class: 'hero' },
    h(
      'div',
      { class: 'hero-text' },
      h('p', { class: 'eyebrow' }, 'Recommendations without a server'),
      h('h1', {}, 'A small shop that notices what you look at'),
      h(
        'p',
        { class: 'lead' },
        'Look at a few products and watch the shelves follow you. A model that runs in this page arranges them, ',
        'and nothing about your visit leaves it.',
      ),
      h(
        'p',
        { class: 'hero-actions' },
        h(
          'a',
          { class: 'button', href: href({ page: 'section', path: first === undefined ? [] : [first] }) },
          'Look around',
        ),
        button(openPanel, 'button quiet', icon('dial'), 'Behind the counter'),
      ),
    ),
    shown.length > 0 &&
      h(
        'div',
        { class: 'collage' },
        ...shown.map((product) =>
          h(
            'a',
            { href: href({ page: 'product', id: product.id }), title: product.title },
            tile(product, product.title),
          ),
        ),
      ),
  );
}

/** Six products with pictures, from all over the catalogue. */
function collage(shop: Shop): Product[] {
  const pictured = shop.root.products.filter(({ image, available }) => image !== undefined && available);
  return pictured.length < 6 ? [] : spread(pictured.slice(Math.floor(pictured.length / 10)), 6);
}

function departmentTiles(departments: readonly Section[]): HTMLElement {
  return h(
    'section',
    { 'aria-labelledby': 'departments' },
    h('h2', { id: 'departments' }, 'Departments'),
    h('ul', { class: 'departments' }, ...departments.map(departmentTile)),
  );
}

function departmentTile(section: Section): HTMLElement {
  return h(
    'li',
    {},
    h(
      'a',
      { class: 'department', href: href({ page: 'section', path: section.path }) },
      h('span', { class: 'department-pictures' }, ...spread(section.products, 3).map((product) => tile(product, ''))),
      h('span', { class: 'department-name' }, section.path.at(-1)),
      h('span', { class: 'department-count' }, `${section.products.length.toLocaleString()} products`),
    ),
  );
}

function allProducts(shop: Shop): HTMLElement {
  return h(
    'section',
    {},
    h(
      'div',
      { class: 'row-head' },
      h('h2', {}, 'Products'),
      h('a', { href: href({ page: 'section', path: [] }), 'aria-label': 'See all products' }, 'See all'),
    ),
    h('ul', { class: 'grid' }, ...shop.root.products.slice(0, 24).map((product) => card(product))),
  );
}

function howItWorks(openPanel: () => void): HTMLElement {
  const points = [
    [
      'chip',
      'Computed here',
      'A small neural network came with the page. It ranks the whole catalogue in milliseconds.',
    ],
    [
      'eye',
      'It reads this visit',
      'No account, no profile, no cookie: it goes by what you look at, in the order you do.',
    ],
    ['shield', 'Yours alone', 'No click is sent anywhere. You can see what is known of you, and erase it.'],
  ] as const;
  return h(
    'section',
    { class: 'how', 'aria-labelledby': 'how' },
    h(
      'div',
      { class: 'row-head' },
      h('h2', { id: 'how' }, 'How it works'),
      button(openPanel, 'link', 'See for yourself'),
    ),
    h(
      'ul',
      { class: 'points' },
      ...points.map(([sign, title, text]) => h('li', {}, icon(sign), h('h3', {}, title), h('p', {}, text))),
    ),
  );
}

/** `count` products from all over a list: neighbours in a catalogue look alike. */
function spread(products: readonly Product[], count: number): Product[] {
  const step = Math.max(1, products.length / count);
  return Array.from({ length: Math.min(count, products.length) }, (_, i) => products[Math.floor(i * step)]!);
}
