/** The readers of a page, which are loaded on demand. */
export { addressOf } from './address';
export { eventOf, readDataLayer } from './data-layer';
export { idIn } from './id';
export { pageProduct } from './page-product';
export { watchSelections } from './selection';
export { watchPage } from './watch';
