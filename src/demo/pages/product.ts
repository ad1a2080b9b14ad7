/** One product. Opening it is the click that the model learns of. */

import { button, h } from '../dom';
import { icon } from '../icons';
import { tile } from '../product-grid';
import { href } from '../routes';
import { page } from '../shell';
import { type Product, productOf } from '../shop';
import { complements } from '../slots';
import { text } from '../texts';
import type { Context, Page } from '../types';
import { breadcrumbs } from './listing';

export function productPage(context: Context, id: string): Page | undefined {
  const { shop, slots } = context;
  const product = productOf(shop, id);
  if (product === undefined) return undefined;
  return page(
    product.title,
    breadcrumbs(product.category, product.title),
    h('article', { class: 'product' }, tile(product, product.title), details(context, product)),
    slots.slot({ ...complements(shop, [product]), title: text.slots.goesWith, item: id }),
    slots.slot({ strategy: 'for-you', title: text.slots.forYou, exclude: [id] }),
  );
}

function details(context: Context, product: Product): HTMLElement {
  const facts: [string, string][] = [
    ...product.features.map(([name, value]): [string, string] => [heading(name), value]),
    [text.product.article, product.id],
  ];
  return h(
    'div',
    { class: 'details' },
    product.brand !== undefined &&
      h('a', { class: 'brand', href: href({ page: 'search', query: product.brand }) }, product.brand),
    h('h1', {}, product.title),
    product.price !== undefined && h('p', { class: 'price' }, product.price),
    h(
      'p',
      { class: `stock${product.available ? ' in-stock' : ''}` },
      product.available ? text.product.inStock : text.shop.soldOut,
    ),
    ...buying(context, product),
    h('dl', { class: 'facts' }, ...facts.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)])),
    !context.shop.known.has(product.id) && h('p', { class: 'hint' }, text.product.unknown),
  );
}

function buying({ visit, cart }: Context, product: Product): HTMLElement[] {
  const said = h('p', { class: 'said', role: 'status' });
  const put = (): void => {
    const [before, basket, after] = text.product.added;
    cart.put(product.id);
    visit.track(product.id, 'cart');
    said.replaceChildren(icon('check'), h('span', {}, before, h('a', { href: href({ page: 'cart' }) }, basket), after));
  };
  const add = button(put, 'button', icon('bag'), product.available ? text.product.add : text.shop.soldOut);
  add.disabled = !product.available;
  return [add, said];
}

/** `colourFamily` → `Colour family`. */
function heading(name: string): string {
  const words = name.replace(/([a-z])([A-Z])/g, (_, end: string, start: string) => `${end} ${start.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}
