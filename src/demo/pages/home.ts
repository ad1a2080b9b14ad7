/** The shop's front page: what this is, what it suggests, and where to go from here. */

import { button, h } from '../dom';
import { icon } from '../icons';
import { card, tile } from '../product-grid';
import { href } from '../routes';
import { page } from '../shell';
import type { Product, Section, Shop } from '../shop';
import { text } from '../texts';
import type { Context, Page } from '../types';

export function homePage({ shop, slots, openPanel }: Context): Page {
  const departments = [...shop.root.children.values()];
  return page(
    text.shop.title,
    hero(shop, openPanel),
    slots.slot({ strategy: 'for-you', title: text.slots.forYou }),
    departments.length > 1 && departmentTiles(departments),
    slots.slot({ strategy: 'popular', title: text.slots.popular }),
    departments.length <= 1 && allProducts(shop),
    slots.slot({ strategy: 'recent', title: text.slots.recent }),
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
      h('p', { class: 'eyebrow' }, text.home.eyebrow),
      h('h1', {}, text.home.title),
      h('p', { class: 'lead' }, text.home.lead),
      h(
        'p',
        { class: 'hero-actions' },
        h(
          'a',
          { class: 'button', href: href({ page: 'section', path: first === undefined ? [] : [first] }) },
          text.home.lookAround,
        ),
        button(openPanel, 'button quiet', icon('dial'), text.panel.title),
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
    h('h2', { id: 'departments' }, text.shop.departments),
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
      h('span', { class: 'department-count' }, text.home.count(section.products.length)),
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
      h('h2', {}, text.home.products),
      h('a', { href: href({ page: 'section', path: [] }), 'aria-label': text.home.seeAllProducts }, text.home.seeAll),
    ),
    h('ul', { class: 'grid' }, ...shop.root.products.slice(0, 24).map((product) => card(product))),
  );
}

function howItWorks(openPanel: () => void): HTMLElement {
  return h(
    'section',
    { class: 'how', 'aria-labelledby': 'how' },
    h(
      'div',
      { class: 'row-head' },
      h('h2', { id: 'how' }, text.home.how),
      button(openPanel, 'link', text.home.seeYourself),
    ),
    h(
      'ul',
      { class: 'points' },
      ...text.home.points.map(([sign, title, words]) => h('li', {}, icon(sign), h('h3', {}, title), h('p', {}, words))),
    ),
  );
}

/** `count` products from all over a list: neighbours in a catalogue look alike. */
function spread(products: readonly Product[], count: number): Product[] {
  const step = Math.max(1, products.length / count);
  return Array.from({ length: Math.min(count, products.length) }, (_, i) => products[Math.floor(i * step)]!);
}
