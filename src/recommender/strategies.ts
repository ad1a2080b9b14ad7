/** Maps each strategy to a request of the engine and its answer. */

import { min } from '../captured';
import type { EngineEvent, RankedItem, RecommendRequest } from '../engine/types';
import { loaded } from '../loaded';
import type { Answer, Answerer, Question } from './parts';
import { known, passes } from './products';

/** Answers by the model or from the clicks. */
export async function answer(engine: Answerer, question: Question): Promise<Answer> {
  const { strategy, clicks, item = clicks.at(-1)?.itemId, now } = question;
  switch (strategy) {
    case 'for-you':
      return ranked(engine, question, clicks);
    case 'popular':
      return ranked(engine, question, []);
    case 'trending':
    case 'bought-together': {
      const cart = question.item === undefined ? await question.cart() : [];
      const of = question.item ?? (cart.length > 0 ? cart : (item ?? []));
      return ranked(
        engine,
        question,
        [of].flat().map((itemId) => ({ itemId, time: now })),
        strategy,
      );
    }
    case 'recent':
      return (await loaded(import('./recent'))).recent(engine, question);
    case 'related': {
      if (item === undefined) return ranked(engine, question, []);
      const others = { ...question, exclude: [...question.exclude, item] }; // an item is not related to itself
      const { items, milliseconds } = await ranked(engine, others, [{ itemId: item, time: now }], 'related');
      // For an item that neither the model nor a catalogue's neighbours know, the answer is by popularity, and says so.
      return {
        items: items.map((entry) => (entry.reason === 'neural' ? { ...entry, reason: 'related' } : entry)),
        milliseconds,
      };
    }
  }
}

/** The model's best items that pass the page's filter: asks for more until there are k, or `within` is reached. */
async function ranked(
  engine: Answerer,
  { k, exclude, filter, within = Number.POSITIVE_INFINITY, signal, user }: Question,
  clicks: readonly EngineEvent[],
  strategy?: RecommendRequest['strategy'],
): Promise<Answer> {
  const session = clicks.map(({ itemId, time, features }) => ({ itemId, time, ...(features && { features }) }));
  const control = signal ? { signal } : {};
  const ask = (count: number) =>
    engine.recommend(
      { session, k: count, exclude, ...(user !== undefined && { user }), ...(strategy && { strategy }) },
      control,
    );
  if (!filter) return ask(k);
  const kept: RankedItem[] = [];
  let checked = 0;
  for (let count = 2 * k + 8; ; count *= 4) {
    const { items, milliseconds } = await ask(min(count, within));
    const fresh = items.slice(checked); // the ranking is the same, only longer
    checked = items.length;
    const products = await known(engine, fresh, signal);
    for (const [i, item] of fresh.entries()) if (passes(filter, products[i] ?? { id: item.itemId })) kept.push(item);
    if (kept.length >= k || items.length < count || count >= within) return { items: kept.slice(0, k), milliseconds };
  }
}
