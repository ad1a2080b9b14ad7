/** The shop's front page: what this is, the row, the departments. */
import { h } from '../dom';
import { href } from '../routes';
import { card, row, tile } from '../shelf';
import type { Product, Section, Shop } from '../shop';

export function homePage(shop: Shop, forYou: HTMLElement): { title: string; content: HTMLElement } {
  const departments = [...shop.root.children.values()];
  return {
    title: 'Aisle demo shop',
    content: h(
      'div',
      { class: 'page' },
      h(
        'section',
        { class: 'hero' },
        h('h1', {}, 'A small shop that notices what you look at'),
        h(
          'p',
          {},
          'Click through a few products and watch the row below follow you. A model that runs in this page picks them; ',
          'nothing about your visit leaves it.',
        ),
      ),
      forYou,
      departments.length > 1 && departmentTiles(departments),
      ...departments.slice(0, 3).map(preview),
      departments.length <= 1 && allProducts(shop),
    ),
  };
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
      h('span', { class: 'department-pictures' }, ...spread(section.products, 4).map((product) => tile(product, ''))),
      h('span', { class: 'department-name' }, section.path.at(-1)),
      h('span', { class: 'department-count' }, `${section.products.length.toLocaleString()} products`),
    ),
  );
}

function preview(section: Section): HTMLElement {
  const name = section.path.at(-1) ?? '';
  const list = h('ul', { class: 'row-list', 'aria-label': name, tabindex: 0 });
  list.append(...spread(section.products, 12).map((product) => card(product)));
  return h(
    'section',
    {},
    h(
      'div',
      { class: 'row-head' },
      h('h2', {}, name),
      h('a', { href: href({ page: 'section', path: section.path }), 'aria-label': `See all of ${name}` }, 'See all'),
    ),
    row(name, list),
  );
}

function allProducts(shop: Shop): HTMLElement {
  const list = h('ul', { class: 'grid' }, ...shop.root.products.slice(0, 24).map((product) => card(product)));
  return h(
    'section',
    {},
    h(
      'div',
      { class: 'row-head' },
      h('h2', {}, 'Products'),
      h('a', { href: href({ page: 'section', path: [] }), 'aria-label': 'See all products' }, 'See all'),
    ),
    list,
  );
}

/** `count` products from all over a list: neighbours in a catalogue look alike. */
function spread(products: readonly Product[], count: number): Product[] {
  const step = Math.max(1, products.length / count);
  return Array.from({ length: Math.min(count, products.length) }, (_, i) => products[Math.floor(i * step)]!);
}
