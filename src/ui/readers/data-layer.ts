/**
 * What a page tells its GA4 data layer: products viewed, put into the cart and bought.
 *
 * @see https://developers.google.com/analytics/devguides/collection/ga4/ecommerce
 */
import type { Host } from '../host';

/** GA4's events and ours. */
const KINDS: ReadonlyMap<unknown, string> = new Map([
  ['view_item', 'view'],
  ['add_to_cart', 'cart'],
  ['purchase', 'purchase'],
]);
/** Most products that one event may name. */
const MAX_ITEMS = 50;

export interface PageEvent {
  readonly itemId: string;
  readonly event: string;
}

/**
 * The events of one entry of a data layer: an object of Tag Manager, or the arguments of a call of `gtag`. Whatever is
 * something else has none.
 */
export function eventsOf(entry: unknown): PageEvent[] {
  if (typeof entry !== 'object' || entry === null) return [];
  const { event, ecommerce, 0: command, 1: name, 2: parameters } = entry as Record<string, unknown>;
  const kind = KINDS.get(command === 'event' ? name : event);
  const { items } = ((command === 'event' ? parameters : ecommerce) ?? {}) as { items?: unknown };
  if (kind === undefined || !Array.isArray(items)) return [];
  return items.slice(0, MAX_ITEMS).flatMap((item: { item_id?: unknown } | null) => {
    const id = item?.item_id;
    const isId = (typeof id === 'string' && id !== '') || typeof id === 'number';
    return isId ? [{ itemId: String(id), event: kind }] : [];
  });
}

/**
 * Reads a data layer: what is in it, and what will be pushed. Its `push` is wrapped as Tag Manager itself does it; the
 * page's call returns what it would have returned, and an error of ours stays here.
 *
 * @returns Stops; `push` is put back where nobody has wrapped it since.
 */
export function readDataLayer(name: string, host: Host, heard: (event: PageEvent) => void): () => void {
  const page = globalThis as unknown as Record<string, unknown>;
  page[name] ??= [];
  const layer = page[name] as unknown[];
  if (!Array.isArray(layer)) return () => {};
  const read = (entry: unknown) => host.guard('A reader of the data layer', () => eventsOf(entry).forEach(heard));
  layer.forEach(read);
  let stopped = false;
  const push = layer.push;
  const own = function (this: unknown, ...entries: unknown[]): number {
    const result = push.apply(layer, entries);
    if (!stopped) host.guard('A reader of the data layer', () => entries.forEach(read));
    return result;
  };
  layer.push = own;
  return () => {
    stopped = true;
    if (layer.push === own) layer.push = push;
  };
}
