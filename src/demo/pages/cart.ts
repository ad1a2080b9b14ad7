/** The basket. Nothing can be bought here; it shows that a page may report more than looks. */
import type { CartLine } from '../cart';
import { button, h } from '../dom';
import { icon } from '../icons';
import { tile } from '../product-grid';
import { href } from '../routes';
import { page } from '../shell';
import { formatPrice, type Product, productOf } from '../shop';
import type { Context, Page } from '../types';

interface Line extends CartLine {
  readonly product: Product;
}

export function cartPage(context: Context): Page {
  const { shop, cart, slots } = context;
  const place = h('div', {});
  const draw = (): void => {
    const lines = cart.lines.flatMap((line): Line[] => {
      const product = productOf(shop, line.id);
      return product === undefined ? [] : [{ ...line, product }];
    });
    place.replaceChildren(lines.length === 0 ? emptyCart() : fullCart(context, lines, draw, order));
  };
  const order = (): void => {
    for (const { id } of cart.lines) context.visit.track(id, 'purchase');
    cart.clear();
    place.replaceChildren(ordered());
    place.querySelector<HTMLElement>('h2')?.focus();
  };
  draw();
  return page(
    'Basket',
    h('div', { class: 'page-head' }, h('h1', {}, 'Basket')),
    place,
    slots.slot({ strategy: 'for-you', title: 'For you', exclude: cart.lines.map(({ id }) => id) }),
  );
}

const emptyCart = (): HTMLElement =>
  message('bag', 'Your basket is empty', 'What you add to it waits here, and stays when you come back.');

const ordered = (): HTMLElement =>
  message(
    'check',
    'Thank you for playing along',
    'This is a demo: nothing was sold, and nobody was told. The suggestions know what you chose.',
  );

function message(sign: 'bag' | 'check', title: string, text: string): HTMLElement {
  return h(
    'section',
    { class: 'empty' },
    h('span', { class: 'empty-sign' }, icon(sign)),
    h('h2', { tabindex: -1 }, title),
    h('p', {}, text),
    h('a', { class: 'button', href: href({ page: 'home' }) }, 'To the shop'),
  );
}

function fullCart(context: Context, lines: readonly Line[], draw: () => void, order: () => void): HTMLElement {
  return h(
    'div',
    { class: 'cart' },
    h('ul', { class: 'cart-lines' }, ...lines.map((line) => cartLine(context, line, draw))),
    summary(lines, order),
  );
}

function cartLine({ cart }: Context, { product, quantity }: Line, draw: () => void): HTMLElement {
  const change = (by: number) => () => {
    cart.set(product.id, quantity + by);
    draw();
    // The redrawn line has lost the focus; where it is gone, the next one gets it.
    const again = document.querySelector<HTMLElement>(`[data-step="${CSS.escape(`${by} ${product.id}`)}"]`);
    (again ?? document.querySelector<HTMLElement>('.cart-lines a, .empty h2'))?.focus();
  };
  const step = (by: number, name: string) =>
    h(
      'button',
      {
        class: 'step',
        type: 'button',
        'aria-label': `${name}: ${product.title}`,
        'data-step': `${by} ${product.id}`,
        on: { click: change(by) },
      },
      icon(by < 0 ? 'minus' : 'plus'),
    );
  const { amount } = product;
  return h(
    'li',
    { class: 'cart-line' },
    h(
      'a',
      { href: href({ page: 'product', id: product.id }) },
      tile(product, ''),
      h(
        'span',
        { class: 'cart-name' },
        h('span', { class: 'card-brand' }, product.brand ?? ''),
        h('span', { class: 'cart-title' }, product.title),
        product.price !== undefined && h('span', { class: 'hint' }, `${product.price} each`),
      ),
    ),
    h(
      'div',
      { class: 'steps' },
      step(-1, quantity === 1 ? 'Remove' : 'One less'),
      h('span', { class: 'quantity', 'aria-label': `${quantity} in the basket` }, String(quantity)),
      step(1, 'One more'),
    ),
    h('span', { class: 'price' }, amount === undefined ? '' : formatPrice(amount * quantity, product.currency)),
  );
}

function summary(lines: readonly Line[], order: () => void): HTMLElement {
  const pieces = lines.reduce((sum, { quantity }) => sum + quantity, 0);
  const currencies = new Set(lines.map(({ product }) => product.currency));
  const isPriced = currencies.size === 1 && lines.every(({ product }) => product.amount !== undefined);
  const total = lines.reduce((sum, { product, quantity }) => sum + (product.amount ?? 0) * quantity, 0);
  const [currency] = currencies;
  const entry = (name: string, value: string) => h('div', {}, h('dt', {}, name), h('dd', {}, value));
  return h(
    'section',
    { class: 'summary', 'aria-labelledby': 'summary' },
    h('h2', { id: 'summary' }, 'Summary'),
    h(
      'dl',
      {},
      entry('Products', pieces.toLocaleString()),
      entry('Delivery', 'Imaginary'),
      isPriced && h('div', { class: 'total' }, h('dt', {}, 'Total'), h('dd', {}, formatPrice(total, currency))),
    ),
    button(order, 'button', 'Place the order'),
    h('p', { class: 'hint' }, 'A demo: nothing is sold. The shop keeps the basket in this browser.'),
  );
}
