/**
 * What a page tells its GA4 data layer: products viewed, put into the cart and bought.
 *
 * @see https://developers.google.com/analytics/devguides/collection/ga4/ecommerce
 */
import { watchLayer } from '../../recommender/data-layer';
import type { Host } from '../types';

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
 * Reads a data layer: what is in it, and what will be pushed. An error of ours stays here.
 *
 * @returns Stops.
 */
export function readDataLayer(name: string, host: Host, report: (event: PageEvent) => void): () => void {
  const page = globalThis as unknown as Record<string, unknown>;
  page[name] ??= [];
  const layer = page[name] as unknown[];
  if (!Array.isArray(layer)) return () => {};
  return watchLayer(layer, (entry) => host.guard('A reader of the data layer', () => eventsOf(entry).forEach(report)));
}
