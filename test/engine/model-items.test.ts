import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { namesOf } from '../../src/checkpoint/aliases';
import { nearest } from '../../src/engine/diagnosis';
import { modelItems } from '../../src/engine/model-items';
import type { Candidate, CandidateKind } from '../../src/types';
import { smallModel } from './fixture';

const aliases = new Map([
  ['a', { also: ['4711', 'b', 'both'], group: 'g' }],
  ['b', { also: ['both', 'b-2'], group: 'h' }],
  ['c', { group: 'h' }],
  ['gone', { also: ['old'], group: 'k' }],
  ['__proto__', { also: ['proto'] }],
]);
const artifact = await smallModel({ architecture: 'pop', itemIds: ['a', 'b', 'c', '__proto__'] });
const items = await modelItems({ ...artifact, namesOf: (known) => namesOf(aliases, known) });
const said = (text: string): Candidate[] =>
  text.split(' ').map((word) => {
    const [kind, id] = word.split(':') as [CandidateKind, string];
    return { kind, id, source: 'test' };
  });

describe('of the candidates of a product', () => {
  test.each<[string, string, string | undefined]>([
    ['the first known id is its item', 'sku:x gtin:b sku:a', 'b'],
    ['an alias is one', 'item_id:4711', 'a'],
    ["an alias that is another item's id is that item", 'sku:b', 'b'],
    ['an alias of two items is none', 'sku:both', undefined],
    ['another case is none', 'sku:B', undefined],
    ['an alias of an item that the model does not know is none', 'sku:old', undefined],
    ['a group is its only item', 'group:g', 'a'],
    ['a group of two items is none', 'group:h', undefined],
    ["a group's name is no id", 'sku:g', undefined],
    ['the only variant that is known is its item', 'sku:x variant:y variant:c', 'c'],
    ['two known variants are none', 'variant:b variant:c', undefined],
    ['two ids of one variant are one', 'variant:b variant:b-2', 'b'],
    ['a variant that is not selected comes last', 'variant:b url:4711', 'a'],
    ['names of Object.prototype are none', 'sku:constructor sku:toString', undefined],
    ['"__proto__" may be an item', 'sku:proto', '__proto__'],
  ])('%s', (_, text, expected) => {
    expect(items.resolve(said(text))).toBe(expected);
  });

  test('none is known to a model without aliases but by its id', async () => {
    const bare = await modelItems(await smallModel({ architecture: 'pop', itemIds: ['22423'] }));
    expect(bare.resolve(said('sku:x gtin:22423'))).toBe('22423');
    expect(bare.resolve(said('group:g'))).toBeUndefined();
  });
});

test('without a catalogue the items of the model are bare ids, until a shop says what it shows', async () => {
  const items = await modelItems(await smallModel({ architecture: 'pop', itemIds: ['22423', '9'] }));
  const seen = () => [items.product('22423'), items.product('7'), items.listed(), [...items.hidden([])]];
  expect(seen()).toEqual([{ id: '22423' }, undefined, [], []]);
  const product = { id: '9', title: 'Nine' };
  items.use({ products: new Map([['9', product]]), listed: [product] });
  expect(seen()).toEqual([undefined, undefined, [product], [1]]);
});

test('items that may not be shown are not copied for each answer, and are hidden beside those that are excluded', async () => {
  const items = await modelItems(await smallModel({ architecture: 'pop', itemIds: ['a', 'b', 'c', 'd'] }));
  items.use({ products: new Map([['a', { id: 'a' }]]), listed: [] });
  const iterated = vi.spyOn(Set.prototype, Symbol.iterator);
  onTestFinished(() => iterated.mockRestore());
  const hidden = items.hidden(['a', 'a', 'b', 'unheard']);
  expect([1, 2, 3, 4, 5].filter((index) => hidden.has(index))).toEqual([1, 2, 3, 4]);
  expect(hidden.size).toBe(4);
  expect(iterated).not.toHaveBeenCalled();
  expect([...hidden]).toEqual([2, 3, 4, 1]);
});

test('the nearest id is the longest that is a part of it, or that it is a part of, in any case; else the first', () => {
  expect(nearest('WRONG-22423', ['9', '22', '22423'])).toBe('22423');
  expect(nearest('fw-cer-142', ['FW-LAM-110', 'FW-CER-142'])).toBe('FW-CER-142');
  expect(nearest('quite another', ['9', '22423'])).toBe('9');
});
