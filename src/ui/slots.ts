/** What fills the slots of a page, and what reads the page: loaded beside the model. */
export { addressOf } from '../page/address';
export { eventOf, readDataLayer } from '../page/data-layer';
export { idIn } from '../page/id';
export { pageProduct } from '../page/page-product';
export { watchSelections } from '../page/selection';
export { watchPage } from '../page/watch';
export { createView } from './view';
