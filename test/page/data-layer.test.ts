import { describe, expect, test, vi } from 'vitest';
import { eventOf, type LayerEvent, readDataLayer } from '../../src/page/data-layer';

const said = (entry: unknown): string => {
  const { event, ids, transaction } = eventOf(entry) ?? { event: 'nothing', ids: [], transaction: undefined };
  return [event, ...ids, ...(transaction === undefined ? [] : [`(${transaction})`])].join(' ');
};

describe('an entry of a data layer', () => {
  const one = [{ item_id: 'a' }];
  const items = [{ item_id: 'a' }, { item_id: 7 }];
  const products = [{ id: 'a' }];
  test.each<[string, unknown, string]>([
    ['of Tag Manager', { event: 'view_item', ecommerce: { items: one } }, 'view a'],
    ['of gtag', { 0: 'event', 1: 'add_to_cart', 2: { items }, length: 3 }, 'cart a 7'],
    ['that buys', { event: 'purchase', ecommerce: { transaction_id: 'T', items } }, 'purchase a 7 (T)'],
    ['that takes out of the cart', { event: 'remove_from_cart', ecommerce: { items } }, 'remove a 7'],
    ['with items at its top level', { event: 'view_item', items: one }, 'view a'],
    [
      'with the name in a variable',
      { event: 'ecommerce', event_name: 'view_item', ecommerce: { items: one } },
      'view a',
    ],
    ['with a prefix', { event: 'dl_view_item', ecommerce: { detail: { products } } }, 'view a'],
    ['with a prefix that nobody uses', { event: 'undo_purchase', ecommerce: { items } }, 'nothing'],
    ['of Universal Analytics', { ecommerce: { detail: { products } } }, 'view a'],
    ['of Universal Analytics that adds', { event: 'addToCart', ecommerce: { add: { products } } }, 'cart a'],
    [
      'of Universal Analytics that buys',
      { ecommerce: { purchase: { actionField: { id: 'T' }, products } } },
      'purchase a (T)',
    ],
    ['in the terms of both', { event: 'add_to_cart', ecommerce: { items, add: { products } } }, 'cart a 7'],
    ['of one product twice', { event: 'view_item', ecommerce: { items: [...one, ...one] } }, 'view a'],
    ['that views several', { event: 'view_item', ecommerce: { items } }, 'nothing'],
    ['that lists', { event: 'view_item_list', ecommerce: { items } }, 'nothing'],
    ['that shows impressions', { ecommerce: { impressions: products, click: { products } } }, 'nothing'],
    ['that configures', { 0: 'config', 1: 'G-1', length: 2 }, 'nothing'],
    ['without items', { event: 'view_item', ecommerce: {} }, 'nothing'],
    ['with items that are none', { event: 'view_item', ecommerce: { items: 'a' } }, 'nothing'],
    [
      'with damaged items',
      { event: 'add_to_cart', ecommerce: { items: [null, {}, { item_id: '' }, { item_id: {} }, 5] } },
      'nothing',
    ],
    ['with white space', { event: 'add_to_cart', items: [{ id: ' a ' }] }, 'cart a'],
    ['that clears', { ecommerce: null }, 'nothing'],
    ['that is a function', () => {}, 'nothing'],
    ['that is nothing', null, 'nothing'],
  ])('%s', (_, entry, expected) => {
    expect(said(entry)).toBe(expected);
  });

  test('names 50 items at most', () => {
    const many = Array.from({ length: 5000 }, (_, k) => ({ item_id: `${k}` }));
    expect(eventOf({ event: 'purchase', ecommerce: { items: many } })?.ids).toHaveLength(50);
  });
});

test('a transaction counts once, while it is among the last 50', () => {
  const layer: unknown[] = [];
  vi.stubGlobal('layer', layer);
  const found: LayerEvent[] = [];
  const stop = readDataLayer(
    'layer',
    (read) => read(),
    (event) => found.push(event),
    undefined,
  );
  const buy = (order: string) => layer.push({ event: 'purchase', items: [{ id: 'a' }], transaction_id: order });
  for (let k = 0; k < 51; k++) for (let times = 0; times < 2; times++) buy(`T-${k}`);
  expect(found).toHaveLength(51);
  buy('T-1');
  expect(found).toHaveLength(51);
  buy('T-0');
  expect(found).toHaveLength(52);
  stop();
  vi.unstubAllGlobals();
});

test('a data layer with an id beyond the limit is read without it, and the reason is said', () => {
  const layer: unknown[] = [];
  vi.stubGlobal('layer', layer);
  const [found, reasons]: [LayerEvent[], string[]] = [[], []];
  const guard = (read: () => void) => {
    try {
      read();
    } catch (error) {
      reasons.push((error as Error).message);
    }
  };
  const stop = readDataLayer('layer', guard, (event) => found.push(event), undefined);
  layer.push({ event: 'purchase', items: [{ id: 'x'.repeat(600_000) }, { id: 'a' }], transaction_id: 'T-1' });
  layer.push({ event: 'view_item', items: [{ id: 'x'.repeat(1001) }] });
  stop();
  vi.unstubAllGlobals();
  expect(found).toEqual([{ event: 'purchase', ids: ['a'], transaction: 'T-1' }]);
  expect(reasons).toEqual(
    [600_000, 1001].map((length) => `An id in the data layer has ${length} characters, at most 1000 are read.`),
  );
});
