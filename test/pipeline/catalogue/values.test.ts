import fc from 'fast-check';
import { expect, test } from 'vitest';
import { availabilityOf, categoryOf, moneyOf, periodOf } from '../../../src/pipeline/catalogue/values';

test.each<[text: string, price: number, currency?: string]>([
  ['15.00 USD', 15, 'USD'],
  ['USD 15.00', 15, 'USD'],
  ['15,00 EUR', 15, 'EUR'],
  ['15EUR', 15, 'EUR'],
  ['1.299,00', 1299],
  ['1,299.00', 1299],
  ['1.299.000', 1_299_000],
  ['1,299', 1299],
  ['1.299', 1.299],
  ['0,299', 0.299],
  ["1'299.50", 1299.5],
  ['1 299,5', 1299.5],
  ['1\u202f299 JPY', 1299, 'JPY'],
  ['45.000000', 45],
  ['1,00,000.5', 100_000.5],
  ['15, 00', 15],
  ['0', 0],
])('%j is a price', (text, price, currency) => {
  expect(moneyOf(text)).toEqual({ price, ...(currency && { currency }) });
});

test('in a language with a decimal comma, a point before three digits separates thousands', () => {
  expect(moneyOf('1.299', true)).toEqual({ price: 1299 });
  expect(moneyOf('1,299', true)).toEqual({ price: 1.299 });
  expect(moneyOf('12.50', true)).toEqual({ price: 12.5 });
});

test.each([
  ...['', '€5', '5 $', '-1', 'free', '1.2,3,4', '1..2 x', 'EUR', '5 EUR USD', 'USD 5 EUR', '5eur'],
  ...['1.299.00 USD', '1.2.3', '12 34', "12'34", '1.29.', '1299,000', '1,00,00', '1.2 3'],
])('%j is no price', (text) => expect(moneyOf(text)).toBeUndefined());

test('a price is read back from how each language writes it', () => {
  const cents = fc.integer({ min: 0, max: 1e11 });
  fc.assert(
    fc.property(cents, fc.constantFrom('en', 'de', 'fr', 'de-CH', 'en-IN'), (amount, language) => {
      const format = new Intl.NumberFormat(language, { minimumFractionDigits: 2 });
      expect(moneyOf(format.format(amount / 100))).toEqual({ price: amount / 100 });
    }),
    { seed: 1 },
  );
});

test('a stock is known in the spellings of feeds, schema.org and switches', () => {
  const words = ['in_stock', 'In Stock', 'https://schema.org/InStock', '1', 'available', 'PreOrder', 'lieferbar'];
  expect(words.map(availabilityOf)).toEqual([...Array(5).fill('in stock'), 'preorder', undefined]);
});

test('a category is the first of the longest paths', () => {
  const form = { between: /\s*\|\s*/, steps: /\s*>\s*/ };
  expect(categoryOf('Sale | Home > Tea | Home > Cups', form)).toEqual(['Home', 'Tea']);
  expect(categoryOf(' | ', form)).toBeUndefined();
});

test('a period is two instants, either of which may be open; a last day counts whole', () => {
  expect(periodOf('2026-01-01T00:00+0100/2026-01-02T00:00Z')).toEqual({ from: 1_767_222_000, until: 1_767_312_000 });
  expect(periodOf('2026-01-01/2026-01-01')).toEqual({ from: 1_767_225_600, until: 1_767_312_000 });
  expect(periodOf('/')).toEqual({});
  for (const text of ['2026-01-02/2026-01-01', 'soon', '2026-01-01/2026-01-02/2026-01-03', '2026-02-30/'])
    expect(periodOf(text)).toBeUndefined();
});
