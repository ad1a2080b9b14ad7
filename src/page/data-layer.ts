/**
 * What a page tells its data layer of products viewed, put into the cart, taken out of it and bought: in the words of GA4, also
 * behind a prefix or in an event of another name, and of Universal Analytics.
 *
 * @see https://developers.google.com/analytics/devguides/collection/ga4/ecommerce
 * @see https://developers.google.com/analytics/devguides/collection/ua/gtm/enhanced-ecommerce
 */

import { isArray } from '../captured';
import { MAX_ID, MAX_ITEMS, MAX_TRANSACTIONS } from '../limits';
import { watchLayer } from '../recommender/data-layer';
import { textIn } from './id';

/** GA4's events, Universal Analytics' actions, and ours. */
const EVENTS = [
  ['view_item', 'detail', 'view'],
  ['add_to_cart', 'add', 'cart'],
  ['remove_from_cart', 'remove', 'remove'],
  ['purchase', 'purchase', 'purchase'],
] as const;
/** What tools put in front of GA4's names. */
const PREFIX = /^(dl|ga4?|gtm|eec?|ecom(merce)?)[._-]/i;
/** Milliseconds after which a page that has put another array in the layer's place is noticed. */
const EVERY = 300;

export type EventName = (typeof EVENTS)[number][2];

/** What one entry says. */
export interface LayerEvent {
  readonly event: EventName;
  /** Each once; of any length. */
  readonly ids: readonly string[];
  /** Of a purchase. */
  readonly transaction?: string;
}

type Fields = Readonly<Record<string, unknown>>;
const fieldsOf = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});

/**
 * The event of one entry of a data layer: an object of Tag Manager, or the arguments of a call of `gtag`. Undefined for
 * anything else, and for several products in one view, which are a list.
 *
 * @throws What a getter of the entry throws.
 */
export function eventOf(entry: unknown): LayerEvent | undefined {
  const fields = fieldsOf(entry);
  const { event, event_name: inner, ecommerce, 0: command, 1: name, 2: parameters } = fields;
  const said = command === 'event' ? [name] : [inner, event];
  const isSaid = (word: string) => said.some((text) => typeof text === 'string' && text.replace(PREFIX, '') === word);
  const places = command === 'event' ? [fieldsOf(parameters)] : [fieldsOf(ecommerce), fields];
  const ga4 = EVENTS.find(([word]) => isSaid(word));
  for (const place of places) {
    const found = ga4 && isArray(place['items']) && eventWith(ga4[2], place['items'], place['transaction_id']);
    if (found) return found;
  }
  const commerce = fieldsOf(ecommerce);
  for (const [, action, kind] of EVENTS) {
    const { products, actionField } = fieldsOf(commerce[action]);
    if (isArray(products)) return eventWith(kind, products, fieldsOf(actionField)['id']);
  }
  return undefined;
}

function eventWith(event: EventName, items: readonly unknown[], transaction: unknown): LayerEvent | undefined {
  const all = items.slice(0, MAX_ITEMS).map((item) => {
    const { item_id: id, id: other } = fieldsOf(item);
    return textIn(id) ?? textIn(other);
  });
  const ids = new Set(all);
  if (event === 'view' && ids.size > 1) return undefined;
  ids.delete(undefined);
  const order = textIn(transaction);
  return ids.size === 0
    ? undefined
    : { event, ids: [...ids] as string[], ...(order !== undefined && { transaction: order }) };
}

/** What was read, by whichever reader: a layer in another's place may have its entries, and what was erased is not read again. */
const seen = new WeakSet<object>();
let transactions: readonly string[] = [];

/**
 * Reads the data layer under this name: what is in it, and what will be pushed, also after the page has put another array in
 * its place. A transaction counts once.
 *
 * @param guard Runs what reads the page, and keeps its errors from the page.
 * @param early The layer when the embed's script ran, which may have been replaced since.
 * @returns Stops.
 */
export function readDataLayer(
  name: string,
  guard: (read: () => void) => void,
  report: (event: LayerEvent) => void,
  early: unknown,
): () => void {
  const page = globalThis as unknown as Record<string, unknown>;
  page[name] ??= [];
  let layer: unknown;
  let unwatch = () => {};
  const read = (entry: unknown) =>
    guard(() => {
      if (typeof entry !== 'object' || entry === null || seen.has(entry)) return;
      seen.add(entry);
      const found = eventOf(entry);
      if (found === undefined) return;
      const isRead = (id: string) => {
        if (id.length <= MAX_ID) return true;
        guard(() => {
          throw new RangeError(`An id in the data layer has ${id.length} characters, at most ${MAX_ID} are read.`);
        });
        return false;
      };
      const { event } = found;
      const ids = found.ids.filter(isRead);
      const [transaction] = [found.transaction ?? []].flat().filter(isRead);
      if (ids.length === 0) return;
      if (event === 'purchase' && transaction !== undefined) {
        if (transactions.includes(transaction)) return;
        transactions = [transaction, ...transactions].slice(0, MAX_TRANSACTIONS);
      }
      report({ event, ids, ...(transaction !== undefined && { transaction }) });
    });
  const look = () =>
    guard(() => {
      if (page[name] === layer) return;
      unwatch();
      layer = page[name];
      unwatch = isArray(layer) ? watchLayer(layer, read) : () => {};
    });
  if (isArray(early)) early.forEach(read);
  look();
  const timer = setInterval(look, EVERY);
  return () => {
    clearInterval(timer);
    unwatch();
  };
}
