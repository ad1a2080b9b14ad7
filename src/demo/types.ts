/** What every page of the shop is made from. */
import type { Cart } from './cart';
import type { Shop } from './shop';
import type { Slots } from './slots';
import type { Visit } from './visit';

export interface Context {
  readonly shop: Shop;
  readonly visit: Visit;
  readonly cart: Cart;
  readonly slots: Slots;
  /** Opens the panel. */
  openPanel(): void;
}

export interface Page {
  readonly title: string;
  readonly content: HTMLElement;
}
