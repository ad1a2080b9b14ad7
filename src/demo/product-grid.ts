/** Products in grids. */
import { h } from './dom';
import { href } from './routes';
import type { Product } from './shop';
import { text } from './texts';

/** A product as a link with its picture. */
export function card(product: Product): HTMLElement {
  return h(
    'li',
    { class: 'card' },
    h(
      'a',
      { class: 'card-link', href: href({ page: 'product', id: product.id }) },
      tile(product, ''),
      h('span', { class: 'card-brand' }, product.brand ?? '\u00a0'),
      h('span', { class: 'card-title' }, product.title),
      h('span', { class: 'card-price' }, product.available ? (product.price ?? '\u00a0') : text.shop.soldOut),
    ),
  );
}

/** The picture of a product; its initials if it has none. `alt` is empty if its title is beside it. */
export function tile(product: Product, alt: string): HTMLElement {
  if (product.image !== undefined) {
    // A picture that is in the catalogue itself is there already: to load it late would only make it flicker.
    const loading = product.image.startsWith('data:') ? 'eager' : 'lazy';
    const image = h('img', { src: product.image, alt, width: 400, height: 400, decoding: 'async', loading });
    return h('span', { class: 'tile' }, image);
  }
  const initials = product.title.trim().slice(0, 2).toUpperCase();
  const label = alt === '' ? { 'aria-hidden': 'true' } : { role: 'img', 'aria-label': alt };
  const place = h('span', { class: 'tile tile-plain', ...label }, initials);
  place.style.setProperty('--hue', String(hue(product.id)));
  return place;
}

function hue(id: string): number {
  let sum = 0;
  for (const character of id) sum = (sum * 31 + character.charCodeAt(0)) % 360;
  return sum;
}

const PAGE = 24;

/** A grid that shows more on request; a shop of 40,000 products is not put into the page at once. */
export function grid(products: readonly Product[]): HTMLElement {
  const list = h('ul', { class: 'grid' });
  const more = h('button', { class: 'button quiet', type: 'button', on: { click: () => show(true) } });
  let shown = 0;
  function show(byVisitor: boolean): void {
    const next = products.slice(shown, shown + PAGE).map((product) => card(product));
    list.append(...next);
    shown += next.length;
    const left = products.length - shown;
    more.hidden = left === 0;
    more.textContent = text.shop.showMore(Math.min(PAGE, left), products.length);
    if (byVisitor) next[0]?.querySelector('a')?.focus({ preventScroll: true });
  }
  show(false);
  return h('div', { class: 'grid-block' }, list, more);
}
