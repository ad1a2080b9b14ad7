/** Texts of a catalogue of any length: no more of them comes to a slot than it shows. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { isSuggestion } from '../../src/ui/previous-list';
import { suggestionsOf } from '../../src/ui/suggestions';

beforeEach(() => {
  vi.stubGlobal('location', new URL('https://shop.example/'));
  vi.stubGlobal('document', { baseURI: 'https://shop.example/' });
});
afterEach(() => vi.unstubAllGlobals());

const LONG = 'x'.repeat(100_000);
const options = { allowHosts: [], recommender: {}, product: (product: object) => product } as never;

test('a suggestion has of a title and a brand what is shown, and such a one of the page before is shown again', async () => {
  const product = { id: 'a', title: LONG, brand: LONG, url: '/a' };
  const [suggestion] = await suggestionsOf(
    [{ itemId: 'a', score: 1, reason: 'neural' }],
    { slot: { texts: {}, language: 'en' } } as never,
    { recommender: { products: async () => [product] }, options } as never,
  );
  const cut = LONG.slice(0, 300);
  expect(suggestion).toMatchObject({ title: cut, brand: cut });
  expect(isSuggestion(suggestion, options)).toBe(true);
  expect(isSuggestion({ ...suggestion!, title: `${cut}x` }, options)).toBe(false);
  expect(isSuggestion({ ...suggestion!, brand: `${cut}x` }, options)).toBe(false);
});
