import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decode, encode, type StoredEvent, surplus } from '../../src/store/records';

const rounds = Number(process.env['SOAK'] ?? 200);
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
    for (const bad of [[], [['a', 'colour', 's']], [['', 'sku', 's']], [['x'.repeat(2000), 'sku', 's']], 'a']) {
      const text = encode([{ ...view, number: 0, candidates: [] }]).replace('[],null', `${JSON.stringify(bad)},null`);
      expect(decode(text), JSON.stringify(bad)).toHaveProperty('reason');
    }
  });

  test('that was cut off anywhere, or changed in one place, is told from a whole one', () => {
    fc.assert(
      fc.property(events, fc.nat(), fc.integer({ min: 1, max: 0xffff }), (some, place, change) => {
        const whole = encode(some);
        const at = place % whole.length;
        expect(decode(whole.slice(0, at))).toHaveProperty('reason');
        const changed = whole.slice(0, at) + String.fromCharCode(whole.charCodeAt(at) ^ change) + whole.slice(at + 1);
        expect(decode(changed)).toHaveProperty('reason');
      }),
      { numRuns: rounds, seed: 2 },
    );
  }, 600_000);

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
    expect(decode(encode([wrong]))).toEqual({ reason: 'it does not hold events', foreign: false });
  });

  test.each([
    ['undefined', undefined, 'does not begin as a record does'],
    ['an object', { v: 1 }, 'does not begin as a record does'],
    ['other text', 'hello', 'does not begin as a record does'],
    ['nothing', '', 'does not begin as a record does'],
  ])('is not %s', (_, value, reason) => {
    expect(decode(value)).toEqual({ reason: expect.stringContaining(reason), foreign: false });
  });

  test('of another version is foreign', () => {
    const next = `2 ${encode([{ tab: 'a', number: 0, time: 1, itemId: 'x', event: 'view' }]).slice(2)}`;
    expect(decode(next)).toEqual({ reason: 'it is of version 2, this release reads 1', foreign: true });
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
