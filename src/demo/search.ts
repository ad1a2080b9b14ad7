/** Finds products by words: title, brand, category, features and id. */
import type { Product } from './shop';

/** Where a word may be found, and what it is worth there. The start of a word is worth more than its middle. */
const PLACES: readonly (readonly [(product: Product) => string, number])[] = [
  [({ title }) => title, 8],
  [({ brand }) => brand ?? '', 6],
  [({ category }) => category.join(' '), 4],
  [({ features }) => features.map(([, value]) => value).join(' '), 2],
  [({ id }) => id, 1],
];

/**
 * The products that have every word of `query`, the best match first; equal ones in the order of the catalogue. Case and
 * accents do not count.
 */
export function search(products: Iterable<Product>, query: string): Product[] {
  const words = plain(query).split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const found: { product: Product; score: number }[] = [];
  for (const product of products) {
    const texts = PLACES.map(([read, worth]) => [plain(read(product)), worth] as const);
    const scores = words.map((word) => Math.max(...texts.map(([text, worth]) => worth * match(text, word))));
    if (!scores.includes(0)) found.push({ product, score: scores.reduce((sum, score) => sum + score, 0) });
  }
  return found.sort((a, b) => b.score - a.score).map(({ product }) => product);
}

/** 2 where a word of the text begins with `word`, 1 where it is somewhere inside, else 0. */
function match(text: string, word: string): number {
  for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + 1)) {
    if (at === 0 || !/[\p{L}\p{N}]/u.test(text[at - 1]!)) return 2;
  }
  return text.includes(word) ? 1 : 0;
}

/** Without case and accents: `Café` is found by `cafe`. */
function plain(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}
