import { describe, expect, test } from 'vitest';
import { checkRules, matches, priceRange } from '../../src/checkpoint/rules';

describe('rules.json', () => {
  test('is read with its defaults, dates as instants', () => {
    const { rules, wrong } = checkRules([
      { do: 'pin', id: 'a', position: 2, slot: 'home', from: '2026-12-01', until: '2026-12-24T18:00:00+01:00' },
      { do: 'boost', brand: ['Nord', 'West'], strategy: 'for-you' },
      { do: 'exclude', category: 'Gift cards', price: '..5' },
    ]);
    expect(wrong).toEqual([]);
    const open = { position: 1, factor: 2, from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY };
    expect(rules).toEqual([
      {
        ...open,
        do: 'pin',
        id: ['a'],
        position: 2,
        slot: 'home',
        from: Date.UTC(2026, 11, 1),
        until: Date.UTC(2026, 11, 24, 17),
      },
      { ...open, do: 'boost', brand: ['Nord', 'West'], strategy: 'for-you' },
      { ...open, do: 'exclude', category: ['Gift cards'], price: [0, 5] },
    ]);
  });

  test.each([
    [{ do: 'hide', id: 'a' }, 'do must be one of pin, boost, bury, exclude, got "hide"'],
    [{ do: 'pin', brand: 'Nord' }, 'id must be the id of the product to pin, got nothing'],
    [{ do: 'exclude' }, 'expected one of id, brand, category, tag, price'],
    [{ do: 'bury', colour: 'red', id: 'a' }, '"colour" is none of do, id, brand'],
    [{ do: 'bury', brnad: 'Nord' }, 'did you mean "brand"?'],
    [{ do: 'boost', id: 'a', factor: 0 }, 'factor must be a number above 0, got 0'],
    [{ do: 'pin', id: 'a', position: 0 }, 'position must be a whole number from 1, got 0'],
    [{ do: 'bury', price: 'cheap' }, 'price must be a range such as "10..50" or "..50", got "cheap"'],
    [{ do: 'bury', id: [] }, 'id must be a text or a list of texts, at most 1000 of 1000 characters, got []'],
    [{ do: 'bury', id: 'a', from: 'Christmas' }, 'from must be a date in ISO 8601'],
    [{ do: 'bury', id: 'a', slot: 3 }, 'slot must be a text, at most 1000 characters, got 3'],
    ['pin', 'expected an object'],
    [{ do: 'bury', brand: Array(1001).fill('b') }, 'brand must be a text or a list of texts, at most 1000'],
    [{ do: 'bury', tag: 't'.repeat(1001) }, '1000 of 1000 characters, got "ttt'],
  ])('leaves %j out with a sentence, and the others hold', (rule, sentence) => {
    const { rules, wrong } = checkRules([rule, { do: 'bury', id: 'b' }]);
    expect(rules.map(({ id }) => id)).toEqual([['b']]);
    expect(wrong).toHaveLength(1);
    expect(wrong[0]).toContain('rule 1: ');
    expect(wrong[0]).toContain(sentence);
    expect(wrong[0]!.length).toBeLessThan(250);
  });

  test('that is no list has no rules', () => {
    expect(checkRules({ do: 'pin' })).toEqual({ rules: [], wrong: ['expected a list of rules'] });
  });
});

test.each([
  ['10..50', [10, 50]],
  ['..50', [0, 50]],
  ['10..', [10, Number.POSITIVE_INFINITY]],
  ['9.99', [9.99, 9.99]],
  ['..', undefined],
  ['50..10', undefined],
  ['', undefined],
  ['ten', undefined],
])('the price range %j', (text, range) => {
  expect(priceRange(text)).toEqual(range);
});

test('a price of many digits that is none is refused at once', () => {
  expect(priceRange(`${'1'.repeat(300_000)}x`)).toBeUndefined();
});

test.each([
  [{}, true],
  [{ id: ['x', 'a'] }, true],
  [{ id: ['A'] }, false],
  [{ brand: ['nord'] }, true],
  [{ category: ['Shoes'] }, true],
  [{ category: ['Women > Shoes'] }, false],
  [{ tag: ['new'] }, true],
  [{ tag: ['ne'] }, false],
  [{ price: [20, 20] }, true],
  [{ price: [0, 19] }, false],
  [{ brand: ['Nord'], price: [0, 19] }, false],
] as const)('the conditions %j', (conditions, holds) => {
  const product = {
    id: 'a',
    brand: 'Nord',
    category: ['Women', 'Shoes'],
    price: 20,
    features: { Tags: 'Sale, New', colour: 'red' },
  };
  expect(matches(conditions, product)).toBe(holds);
  expect(matches(conditions, { id: 'bare' })).toBe(Object.keys(conditions).length === 0);
});

test('tags are read once of each product, and only where a rule names some', () => {
  let reads = 0;
  const features = {
    get tags() {
      reads++;
      return Array.from({ length: 300 }, (_, k) => `t${k}`).join();
    },
  };
  const product = { id: 'a', price: 1, features };
  const { rules } = checkRules(Array.from({ length: 100 }, (_, k) => ({ do: 'exclude', tag: `T${2 * k + 100}` })));
  expect(matches({ price: [0, 2] }, product)).toBe(true);
  expect(reads).toBe(0);
  expect(rules.filter((rule) => matches(rule, product))).toHaveLength(75); // the first 250 tags count
  expect(reads).toBe(1);
});
