import { describe, expect, test } from 'vitest';
import type { CatalogueItem } from '../../src/checkpoint/artifact';
import { checkRules } from '../../src/checkpoint/rules';
import { arrangeSlot, readDiversity, readFilter } from '../../src/page/arrange';

const PRODUCTS: readonly CatalogueItem[] = [
  { id: 'a', brand: 'Nord', category: ['Shoes'], group: 'g1', price: 10 },
  { id: 'b', brand: 'Nord', category: ['Shoes'], group: 'g1', price: 20 },
  { id: 'c', brand: 'Nord', category: ['Bags'], group: 'g2', price: 30 },
  { id: 'd', brand: 'West', category: ['Bags'], price: 40 },
  { id: 'e', brand: 'West', category: ['Shoes'], price: 50 },
  { id: 'f', price: 60 },
  { id: 'hidden', brand: 'West' },
  { id: 'sold', brand: 'West', availability: 'out of stock' },
];
const NOW = Date.UTC(2026, 11, 10);

interface Asking {
  readonly rules?: readonly object[];
  readonly slot?: string;
  readonly filter?: string;
  readonly diversity?: string;
  /** By strategy. Default: `for-you` has all products. */
  readonly answers?: Readonly<Record<string, string>>;
  readonly limit?: number;
  /** What is in the cart, or elsewhere on the page. */
  readonly exclude?: string;
  /** What the slot never shows, and what it is for. */
  readonly never?: string;
  readonly item?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly name?: string;
}

/** The ids that a slot shows, each a letter, and what is warned of. */
async function chosen({ rules = [], slot = '', filter = '', diversity = '', ...asking }: Asking) {
  const { answers = { 'for-you': 'abcdef' }, limit = 6, exclude = '', never = '', item, name = 'for-you' } = asking;
  const warnings: string[] = [];
  const { rules: checked, wrong } = checkRules(rules);
  expect(wrong).toEqual([]);
  const productOf = (id: string) => PRODUCTS.find((product) => product.id === id);
  const attributes: Readonly<Record<string, string>> = { id: slot, filter, diversity, ...asking.attributes };
  const { passes, choose, ...request } = arrangeSlot(
    {
      attribute: (name) => attributes[name] ?? '',
      rules: checked,
      name,
      strategy: 'for-you',
      limit,
      item,
      exclude: [...never],
      allowed: (product) => (product.id === 'hidden' ? null : product),
    },
    { products: async (ids) => ids.map((id) => productOf(id) ?? null) },
    (problem) => warnings.push(problem),
    NOW,
  );
  const given = Object.entries(answers).map(([strategy, ids]) => ({
    strategy: strategy as 'for-you',
    items: [...ids]
      .filter((id) => passes(strategy as 'for-you', productOf(id)!))
      .map((itemId, k) => ({ itemId, score: -k, reason: 'neural' as const })),
  }));
  const items = await choose!(given, new Set(exclude));
  return {
    ids: items.map(({ itemId }) => itemId).join(''),
    reasons: items.map(({ reason }) => reason),
    warnings,
    request,
  };
}

describe('rules', () => {
  test('pin a product at its position, with a reason of its own', async () => {
    const { ids, reasons } = await chosen({ rules: [{ do: 'pin', id: 'f', position: 2 }], limit: 3 });
    expect(ids).toBe('afb');
    expect(reasons).toEqual(['neural', 'rule', 'neural']);
  });

  test('pin several in the order of their positions, at the end where there are fewer', async () => {
    const rules = [
      { do: 'pin', id: 'f', position: 9 },
      { do: 'pin', id: 'c', position: 1 },
    ];
    expect((await chosen({ rules, answers: { 'for-you': 'ab' } })).ids).toBe('cabf');
  });

  test('pin the first of several that may be shown: in stock, not hidden, not excluded', async () => {
    const pin = { do: 'pin', id: ['sold', 'unknown', 'hidden', 'b', 'c', 'd'] };
    expect((await chosen({ rules: [pin], exclude: 'b', limit: 2 })).ids).toBe('ca');
    expect((await chosen({ rules: [pin, { do: 'exclude', category: 'bags' }], exclude: 'b' })).ids).toBe('aef');
    expect((await chosen({ rules: [pin], never: 'b', item: 'c', limit: 2 })).ids).toBe('da');
  });

  test('boost by dividing the place, and bury behind all others', async () => {
    expect((await chosen({ rules: [{ do: 'boost', brand: 'West', factor: 3 }] })).ids).toBe('adebcf'); // 4 / 3, 5 / 3
    expect((await chosen({ rules: [{ do: 'bury', brand: 'Nord' }] })).ids).toBe('defabc');
    const twice = [
      { do: 'boost', brand: 'West' },
      { do: 'boost', category: 'Shoes', factor: 4 },
    ];
    expect((await chosen({ rules: twice })).ids).toBe('abedcf'); // a 1/4, b 2/4, e 5/8, d 4/2, c 3
  });

  test('exclude, by price too', async () => {
    expect((await chosen({ rules: [{ do: 'exclude', price: '25..45' }] })).ids).toBe('abef');
  });

  test('hold between their dates, for their slot and their strategy alone', async () => {
    const rule = { do: 'exclude', id: 'a' };
    expect((await chosen({ rules: [{ ...rule, from: '2026-12-10', until: '2026-12-11' }] })).ids).toBe('bcdef');
    expect((await chosen({ rules: [{ ...rule, from: '2026-12-11' }] })).ids).toBe('abcdef');
    expect((await chosen({ rules: [{ ...rule, until: '2026-12-10' }] })).ids).toBe('abcdef');
    expect((await chosen({ rules: [{ ...rule, slot: 'home' }], slot: 'home' })).ids).toBe('bcdef');
    expect((await chosen({ rules: [{ ...rule, slot: 'home' }], slot: 'cart' })).ids).toBe('abcdef');
    const answers = { popular: 'ab', 'for-you': 'ac' };
    expect((await chosen({ rules: [{ ...rule, strategy: 'popular' }], answers })).ids).toBe('bac');
  });
});

describe('diversity', () => {
  test('takes at most so many of one brand, category and group, and any number of products without', async () => {
    expect((await chosen({ diversity: 'brand:1' })).ids).toBe('adf');
    expect((await chosen({ diversity: 'brand:2 category:1' })).ids).toBe('acf');
    expect((await chosen({ diversity: 'group:1' })).ids).toBe('acdef');
    expect((await chosen({ diversity: 'brand:1', answers: { recent: 'ab', popular: 'cdef' } })).ids).toBe('adf');
  });

  test('counts what is pinned, and keeps it', async () => {
    const rules = [
      { do: 'pin', id: 'c' },
      { do: 'pin', id: 'b', position: 2 },
    ];
    expect((await chosen({ rules, diversity: 'brand:1' })).ids).toBe('cbdf');
  });
});

describe('filter', () => {
  test('lets pass what is all that it says', async () => {
    expect((await chosen({ filter: 'category:shoes price:..40' })).ids).toBe('ab');
    expect((await chosen({ filter: 'category:shoes,bags brand:"West"' })).ids).toBe('de');
  });

  test('holds for pinned products, too', async () => {
    expect((await chosen({ filter: 'category:shoes', rules: [{ do: 'pin', id: 'd' }] })).ids).toBe('abe');
  });
});

test('attributes name what is wrong with them, and the rest holds', async () => {
  expect(readFilter('category:Shoes colour:red price:cheap tag:')).toEqual({
    value: { category: ['Shoes'] },
    wrong: [
      '"colour" is none of id, brand, category, tag, price',
      'price must be a range such as 10..50 or ..50, got "cheap"',
      'tag must have a value',
    ],
  });
  expect(readFilter('brand:"West & Co, Ltd" id:a:1,b')).toEqual({
    value: { brand: ['West & Co, Ltd'], id: ['a:1', 'b'] },
    wrong: [],
  });
  expect(readDiversity('brand:2 colour:1 group:0')).toEqual({
    value: { brand: 2 },
    wrong: [
      expect.stringContaining('"colour" is none of brand, category, group'),
      'group must be a whole number from 1, got "0"',
    ],
  });
  const { ids, warnings } = await chosen({ filter: 'brnad:West price:..20', diversity: 'brand' });
  expect(ids).toBe('ab');
  expect(warnings).toEqual([
    'filter="brnad:West price:..20": "brnad" is none of id, brand, category, tag, price; did you mean "brand"?',
    'diversity="brand": brand must be a whole number from 1, got ""',
  ]);
});

test('the strategy, further ones and the least are read, each wrong word named', async () => {
  const attributes = { fallback: 'popular, recnt for-you', min: '4' };
  const { ids, request, warnings } = await chosen({ attributes, limit: 3 });
  expect([ids, request]).toEqual(['', { strategies: ['for-you', 'popular'], k: 3 }]);
  expect(warnings).toEqual([
    expect.stringMatching(/^fallback="popular, recnt for-you": "recnt" .*did you mean "recent"\?$/),
  ]);
  expect((await chosen({ name: 'for-yu' })).warnings).toEqual([
    expect.stringMatching(/^strategy="for-yu" shows for-you: "for-yu" is none of for-you, .* mean "for-you"\?$/),
  ]);
  expect((await chosen({ attributes: { min: '6' } })).ids).toBe('abcdef');
  expect((await chosen({ attributes: { min: '6' }, exclude: 'a' })).ids).toBe('');
  const wrong = await chosen({ attributes: { min: 'four' }, diversity: 'brand:2', exclude: 'ab' });
  expect([wrong.ids, wrong.request.k]).toEqual(['cdef', 30]);
  expect(wrong.warnings).toEqual(['min="four": expected a whole number']);
});

test('answers of several strategies follow one another, each product once', async () => {
  expect((await chosen({ answers: { recent: 'ba', popular: 'abc', 'for-you': 'cd' }, limit: 4 })).ids).toBe('bacd');
});
