/** The basket. Nothing can be bought here; it shows that a page may report more than looks. */
import { h } from '../dom';
import { href } from '../routes';
import { tile } from '../shelf';
import { type Product, productOf, type Shop } from '../shop';
import type { Visit } from '../visit';

export function basketPage(shop: Shop, visit: Visit, forYou: HTMLElement): { title: string; content: HTMLElement } {
  const lines = h('div', {});
  const draw = (): void => {
    const products = visit.basket.flatMap((id) => productOf(shop, id) ?? []);
    lines.replaceChildren(
      products.length === 0
        ? h('p', { class: 'lead' }, 'It is empty.')
        : h('ul', { class: 'basket' }, ...products.map((product) => line(product, visit, draw))),
      h('p', { class: 'hint' }, 'This is a demo: nothing is sold, and the basket is gone when you close the page.'),
    );
  };
  draw();
  return {
    title: 'Basket',
    content: h('div', { class: 'page' }, h('h1', {}, 'Basket'), lines, forYou),
  };
}

function line(product: Product, visit: Visit, draw: () => void): HTMLElement {
  const remove = (): void => {
    visit.takeFromBasket(product.id);
    draw();
  };
  return h(
    'li',
    { class: 'basket-line' },
    h('a', { href: href({ page: 'product', id: product.id }) }, tile(product, ''), h('span', {}, product.title)),
    h('span', { class: 'price' }, product.price ?? ''),
    h(
      'button',
      { class: 'button quiet', type: 'button', 'aria-label': `Remove ${product.title}`, on: { click: remove } },
      'Remove',
    ),
  );
}
