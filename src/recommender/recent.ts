/** The strategy `recent`, loaded on demand. */
import { isAvailable } from '../checkpoint/artifact';
import type { RankedItem } from '../engine/types';
import type { Answer, Answerer, Question } from './parts';
import { known, passes } from './products';

/** The items of the newest events, each once. Its score is the time of the newest event, in seconds since 1970. */
export async function recent(
  engine: Answerer,
  { k, exclude, filter, within, clicks, signal }: Question,
): Promise<Answer> {
  const from = performance.now();
  const excluded = new Set(exclude);
  const newest = new Map<string, RankedItem>();
  for (const { itemId, time } of [...clicks].reverse()) {
    if (!newest.has(itemId) && !excluded.has(itemId)) newest.set(itemId, { itemId, score: time, reason: 'recent' });
  }
  const entries = [...newest.values()].slice(0, filter && within);
  const products = await known(engine, entries, signal);
  const items = entries.filter((_, i) => {
    const product = products[i];
    return product && isAvailable(product) && (!filter || passes(filter, product));
  });
  return { items: items.slice(0, k), milliseconds: performance.now() - from };
}
