/** The basket. Nothing can be bought here; it shows that a page may report more than looks. */
import type { CartLine } from '../cart';
import { button, h } from '../dom';
import { icon } from '../icons';
import { tile } from '../product-grid';
import { href } from '../routes';
import { page } from '../shell';
import { formatPrice, type Product, productOf } from '../shop';
import { complements } from '../slots';
import { locale, text } from '../texts';
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
  const inCart = cart.lines.flatMap(({ id }) => productOf(shop, id) ?? []);
  return page(
    text.shop.basket,
    h('div', { class: 'page-head' }, h('h1', {}, text.shop.basket)),
    place,
    inCart.length > 0 && slots.slot({ ...complements(shop, inCart), title: text.slots.goesWithBasket }),
    slots.slot({ strategy: 'for-you', title: text.slots.forYou, exclude: cart.lines.map(({ id }) => id) }),
  );
}

const emptyCart = (): HTMLElement => message('bag', text.cart.empty, text.cart.waits);

const ordered = (): HTMLElement => message('check', text.cart.thanks, text.cart.nothingSold);

function message(sign: 'bag' | 'check', title: string, words: string): HTMLElement {
  return h(
    'section',
    { class: 'empty' },
    h('span', { class: 'empty-sign' }, icon(sign)),
    h('h2', { tabindex: -1 }, title),
    h('p', {}, words),
    h('a', { class: 'button', href: href({ page: 'home' }) }, text.shop.toShop),
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
        product.price !== undefined && h('span', { class: 'hint' }, text.cart.each(product.price)),
      ),
    ),
    h(
      'div',
      { class: 'steps' },
      step(-1, quantity === 1 ? text.cart.remove : text.cart.less),
      h('span', { class: 'quantity', 'aria-label': text.cart.inBasket(quantity) }, String(quantity)),
      step(1, text.cart.more),
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
    h('h2', { id: 'summary' }, text.cart.summary),
    h(
      'dl',
      {},
      entry(text.cart.products, pieces.toLocaleString(locale)),
      entry(text.cart.delivery, text.cart.imaginary),
      isPriced && h('div', { class: 'total' }, h('dt', {}, text.cart.total), h('dd', {}, formatPrice(total, currency))),
    ),
    button(order, 'button', text.cart.order),
    h('p', { class: 'hint' }, text.cart.demo),
  );
}
