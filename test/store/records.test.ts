import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decode, surplus } from '../../src/store/record-reader';
import { encode, isCandidates, type StoredEvent } from '../../src/store/records';
import { runs } from '../soak-slice';

/** The checksum of that record of the first version. */
const FIRST = '967qq4';
const rounds = runs(200);
const text = fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom('__proto__', '🧦', '"', '\n', ' '));
const event = fc.record({
  number: fc.nat(),
  time: fc.double({ noNaN: true, noDefaultInfinity: true }).filter((time) => !Object.is(time, -0)),
  itemId: text,
  event: text,
});
const features = fc.dictionary(text, fc.oneof(text, fc.double({ noNaN: true, noDefaultInfinity: true })));
const events = fc
  .array(event, { minLength: 1 })
  .map((some): StoredEvent[] => some.map((one) => ({ tab: 'k3', ...one })));

describe('a record', () => {
  test('holds its events byte for byte', () => {
    fc.assert(
      fc.property(events, (some) => {
        expect(decode(encode(some))).toEqual(some);
      }),
      { numRuns: rounds, seed: 1 },
    );
  }, 600_000);

  test('holds the candidates, page views and transactions of its events, with and without features', () => {
    const candidates = [
      { id: '🧦', kind: 'sku', source: 'json-ld' },
      { id: 'https://shop.example/p/1', kind: 'url', source: 'canonical' },
    ] as const;
    const view = { tab: 'k3', time: 5, itemId: '🧦', event: 'view', candidates };
    const all: StoredEvent[] = [
      { ...view, number: 0, pageView: '0' },
      { ...view, number: 1, features: { price: 3 } },
      { tab: 'k3', number: 2, time: 6, itemId: 'a', event: 'cart' },
      { tab: 'k3', number: 3, time: 7, itemId: 'a', event: 'purchase', transaction: 'T-1' },
      { ...view, number: 4, event: 'purchase', transaction: 'T-1', features: { price: 3 } },
    ];
    expect(decode(encode(all))).toEqual(all);
    const long = [['x'.repeat(1001), 'sku', 's']];
    for (const bad of [[], [['a', 'colour', 's']], [['', 'sku', 's']], long, [['a', 'sku', 'x'.repeat(101)]], 'a']) {
      const record = encode([{ ...view, number: 0 }]);
      record.rows[0]![5] = bad;
      expect(decode(record), JSON.stringify(bad)).toHaveProperty('reason');
    }
  });

  test('that lacks an event, or was changed in one place, is distinguished from a whole one', () => {
    fc.assert(
      fc.property(events, fc.nat(), fc.constantFrom(0, 1, 2, 3), text, (some, place, field, other) => {
        const whole = encode(some);
        const at = place % whole.rows.length;
        expect(decode({ ...whole, rows: whole.rows.toSpliced(at, 1) })).toHaveProperty('reason');
        const changed = structuredClone(whole);
        const before = changed.rows[at]![field];
        changed.rows[at]![field] = typeof before === 'number' ? before + 1 + Math.abs(before) : `${before}${other}`;
        expect(decode(changed)).toHaveProperty('reason');
        expect(decode({ ...whole, tab: `${whole.tab}1` })).toHaveProperty('reason');
      }),
      { numRuns: rounds, seed: 2 },
    );
  }, 600_000);

  test('of which some events are beyond a limit gives the others, and says so', () => {
    const plain = { tab: 'a', number: 0, time: 1, itemId: 'x', event: 'view' };
    const beyond: Partial<StoredEvent>[] = [
      { itemId: 'x'.repeat(1001) },
      { event: 'x'.repeat(101) },
      { transaction: 'x'.repeat(1001) },
      { features: { note: 'x'.repeat(4000) } },
    ];
    for (const part of beyond) {
      const long = { ...plain, number: 1, ...part };
      const reason = expect.stringContaining('beyond a limit');
      expect(decode(encode([plain, long]))).toEqual({ reason, foreign: false, events: [plain] });
      expect(decode(encode([long]))).toEqual({
        reason: 'it does not hold events within the limits',
        foreign: false,
      });
    }
  });

  test('of the first version, a text, is read, unless it was cut off or changed', () => {
    const candidates = '[["🧦","sku","json-ld"]]';
    const json = `["k3",[[0,5,"🧦","view",{},${candidates},"0"],[1,6,"a","purchase",{"price":3},null,null,"T-1"]]]`;
    const text = `1 ${FIRST} ${json}`;
    expect(decode(text)).toEqual([
      {
        ...{ tab: 'k3', number: 0, time: 5, itemId: '🧦', event: 'view', pageView: '0' },
        candidates: [{ id: '🧦', kind: 'sku', source: 'json-ld' }],
      },
      { tab: 'k3', number: 1, time: 6, itemId: 'a', event: 'purchase', features: { price: 3 }, transaction: 'T-1' },
    ]);
    for (let at = 0; at < text.length; at++) {
      expect(decode(text.slice(0, at))).toHaveProperty('reason');
      expect(
        decode(text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1)),
      ).toHaveProperty('reason');
    }
  });

  test('holds what a page says of an event besides, and none where it says nothing', () => {
    const plain = { tab: 'a', number: 0, time: 1, itemId: 'x', event: 'view' };
    fc.assert(
      fc.property(features, (said) => {
        const event = { ...plain, features: JSON.parse(JSON.stringify(said)) };
        expect(decode(encode([event, plain]))).toEqual([event, plain]);
      }),
      { numRuns: rounds, seed: 3 },
    );
    const wrong = { ...plain, features: { device: ['phone'] } } as unknown as StoredEvent;
    expect(decode(encode([wrong]))).toEqual({ reason: 'it does not hold events within the limits', foreign: false });
  });

  test.each([
    ['undefined', undefined, 'does not begin as a record does'],
    ['an object', { v: 1 }, 'does not begin as a record does'],
    ['other text', 'hello', 'does not begin as a record does'],
    ['nothing', '', 'does not begin as a record does'],
  ])('is not %s', (_, value, reason) => {
    expect(decode(value)).toEqual({ reason: expect.stringContaining(reason), foreign: false });
  });

  test.each([['3 x []'], [{ version: 3 }]])('of another version is foreign: %j', (next) => {
    expect(decode(next)).toEqual({ reason: 'it is of version 3, this release reads 2', foreign: true });
  });
});

describe('where there is too much', () => {
  const entries = [
    { key: 'b', size: 10, time: 5000 },
    { key: 'a', size: 10, time: 0 },
    { key: 'c', size: 10, time: 5100 },
    { key: 'd', size: 10, time: 9000 },
    { key: 'e', size: 10, time: 9100 },
  ];

  test.each([
    [50, []],
    [49, ['a']],
    [40, ['a']],
    [39, ['a', 'b', 'c']],
    [20, ['a', 'b', 'c']],
    [19, ['a', 'b', 'c', 'd']],
    [0, ['a', 'b', 'c', 'd', 'e']],
  ])(
    'for %i characters, whole sessions go, the oldest first, and of the last one its oldest records',
    (target, gone) => {
      expect(surplus(entries, target, 1800)).toEqual(gone);
    },
  );
});

describe('candidates are', () => {
  const one = { id: 'a', kind: 'sku', source: 'json-ld' };
  test.each([
    ['one', [one], true],
    ['eight', Array(8).fill(one), true],
    ['not nine', Array(9).fill(one), false],
    ['not none', [], false],
    ['no object like an array', { 0: one, length: 1 }, false],
    ['not of a kind that is the name of a property', [{ ...one, kind: 'constructor' }], false],
    ['not of a kind that nobody knows', [{ ...one, kind: 'ean' }], false],
    ['not without an id', [{ ...one, id: '' }], false],
    ['not from a place that is no text', [{ ...one, source: 5 }], false],
  ])('%s', (_, value, expected) => {
    expect(isCandidates(value)).toBe(expected);
  });
});
