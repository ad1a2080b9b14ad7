/** One product. Opening it is the click that the model learns of. */
import { h } from '../dom';
import { href } from '../routes';
import { card, row, tile } from '../shelf';
import { type Product, productOf, type Shop, sectionAt } from '../shop';
import type { Visit } from '../visit';
import { breadcrumbs } from './listing';

export function productPage(
  shop: Shop,
  visit: Visit,
  id: string,
  forYou: HTMLElement,
): { title: string; content: HTMLElement } | undefined {
  const product = productOf(shop, id);
  if (product === undefined) return undefined;
  return {
    title: product.title,
    content: h(
      'div',
      { class: 'page' },
      breadcrumbs(product.category, product.title),
      h('article', { class: 'product' }, tile(product, product.title), details(shop, visit, product)),
      forYou,
      neighbours(shop, product),
    ),
  };
}

function details(shop: Shop, visit: Visit, product: Product): HTMLElement {
  const said = h('p', { class: 'said', role: 'status' });
  const add = h(
    'button',
    {
      class: 'button',
      type: 'button',
      disabled: !product.available,
      on: {
        click: () => {
          visit.putIntoBasket(product.id);
          said.replaceChildren('It is in your ', h('a', { href: href({ page: 'basket' }) }, 'basket'), '.');
        },
      },
    },
    product.available ? 'Add to basket' : 'Sold out',
  );
  const facts: [string, string][] = [
    ...product.features.map(([name, value]): [string, string] => [heading(name), value]),
    ['Article', product.id],
  ];
  return h(
    'div',
    { class: 'details' },
    product.brand !== undefined && h('p', { class: 'brand' }, product.brand),
    h('h1', {}, product.title),
    product.price !== undefined && h('p', { class: 'price' }, product.price),
    add,
    said,
    h('dl', { class: 'facts' }, ...facts.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)])),
    !shop.known.has(product.id) &&
      h(
        'p',
        { class: 'hint' },
        'The model does not know this product: it was not in the log that the model learned from.',
      ),
  );
}

function neighbours(shop: Shop, product: Product): HTMLElement | false {
  const section = sectionAt(shop.root, product.category);
  const others = (section?.products ?? []).filter((other) => other.id !== product.id).slice(0, 12);
  if (section === undefined || section.path.length === 0 || others.length === 0) return false;
  const name = section.path.at(-1) ?? '';
  const list = h('ul', { class: 'row-list', 'aria-label': name, tabindex: 0 });
  list.append(...others.map((other) => card(other)));
  return h(
    'section',
    {},
    h(
      'div',
      { class: 'row-head' },
      h('h2', {}, `More ${name}`),
      h('a', { href: href({ page: 'section', path: section.path }), 'aria-label': `See all of ${name}` }, 'See all'),
    ),
    row(name, list),
  );
}

/** `colourFamily` → `Colour family`. */
function heading(text: string): string {
  const words = text.replace(/([a-z])([A-Z])/g, (_, end: string, start: string) => `${end} ${start.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}
