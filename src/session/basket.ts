/** The visitor's basket. Loaded when the slots of a page are planned. */
import type { VisitorEvent } from './visitor-history';

const DAY = 86_400;

/** What the visitor has in the cart, and has just bought. */
export interface Basket {
  /** Put into the cart, and neither taken out nor bought since. */
  readonly cart: readonly string[];
  /** Bought within a day. */
  readonly bought: readonly string[];
}

/** Events in the order of time, but those of one page in which it reported them: its clock may have been put back. */
function asReported(events: readonly VisitorEvent[]): readonly VisitorEvent[] {
  const pages = new Map<string | undefined, VisitorEvent[]>();
  for (const event of [...events].sort((a, b) => (a.number ?? 0) - (b.number ?? 0))) {
    const page = pages.get(event.tab);
    if (page) page.push(event);
    else pages.set(event.tab, [event]);
  }
  return events.map(({ tab }) => pages.get(tab)!.shift()!);
}

/**
 * The basket by the visitor's events, oldest first.
 *
 * @param now Seconds since 1970.
 */
export function basketOf(events: readonly VisitorEvent[], now: number): Basket {
  const cart = new Set<string>();
  const bought = new Set<string>();
  for (const { itemId, event, time } of asReported(events)) {
    if (event === 'cart') cart.add(itemId);
    else if (event === 'remove' || event === 'purchase') cart.delete(itemId);
    if (event === 'purchase' && Math.abs(now - time) <= DAY) bought.add(itemId);
  }
  return { cart: [...cart], bought: [...bought] };
}
