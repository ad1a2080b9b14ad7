/** Which question a strategy puts to the model, and what of the answer is given. */

import { abortable } from '../abort';
import type { CatalogueItem } from '../checkpoint/artifact';
import type { Engine, EngineEvent, RankedItem, Recommendations } from '../engine/types';
import { RecommenderError, reasonOf } from '../errors';
import { loaded } from './loaded';

/**
 * `for-you`: by the clicks that `history` lets count. `related`: by one item alone, as if it were the only click; every
 * architecture answers that. `popular`: by the training log. `recent`: what the visitor looked at last, newest first.
 */
export type Strategy = 'for-you' | 'related' | 'popular' | 'recent';

/** Whether a product may be recommended. It runs in the page; where there is no catalogue, it sees the id alone. */
export type ProductFilter = (product: CatalogueItem) => boolean;

/** A checked call of `recommend`. */
export interface Question {
  readonly strategy: Strategy;
  readonly k: number;
  readonly exclude: readonly string[];
  /** What `related` items are related to. Default: the newest click. `exclude` holds it already. */
  readonly item?: string | undefined;
  readonly filter?: ProductFilter | undefined;
  /** How many of the best the filter looks at. Default: all. */
  readonly within?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Who asks, for models that know users. */
  readonly user?: string | undefined;
  /** Seconds since 1970. */
  readonly now: number;
  /** The clicks that count, oldest first. */
  readonly clicks: readonly EngineEvent[];
}

/** What a question needs of the engine. */
export type Answerer = Pick<Engine, 'recommend' | 'products'>;
export type Answer = Pick<Recommendations, 'items' | 'milliseconds'>;

/** Answers a question, by the model or from the clicks. */
export async function answer(engine: Answerer, question: Question): Promise<Answer> {
  const { strategy, clicks, item = clicks.at(-1)?.itemId, now } = question;
  switch (strategy) {
    case 'for-you':
      return ranked(engine, question, clicks);
    case 'popular':
      return ranked(engine, question, []);
    case 'recent':
      return (await loaded(import('./recent'))).recent(engine, question);
    case 'related': {
      if (item === undefined) return ranked(engine, question, []);
      const others = { ...question, exclude: [...question.exclude, item] }; // the newest click is no relation of its own
      const { items, milliseconds } = await ranked(engine, others, [{ itemId: item, time: now }]);
      // An item that the model does not know has no relations: the answer is by popularity, and says so.
      return {
        items: items.map((entry) => (entry.reason === 'neural' ? { ...entry, reason: 'related' } : entry)),
        milliseconds,
      };
    }
  }
}

/** The model's best that the page's filter lets pass: asked for more until there are k, or no more `within`. */
async function ranked(
  engine: Answerer,
  { k, exclude, filter, within = Number.POSITIVE_INFINITY, signal, user, now }: Question,
  clicks: readonly EngineEvent[],
): Promise<Answer> {
  const session = clicks.map(({ itemId, time, features }) => ({ itemId, time, ...(features && { features }) }));
  const control = signal ? { signal } : {};
  const ask = (count: number) =>
    engine.recommend({ session, k: count, exclude, now, ...(user !== undefined && { user }) }, control);
  if (!filter) return ask(k);
  const kept: RankedItem[] = [];
  let checked = 0;
  for (let asked = 2 * k + 8; ; asked *= 4) {
    const { items, milliseconds } = await ask(Math.min(asked, within));
    const fresh = items.slice(checked); // the ranking is the same, only longer
    checked = items.length;
    const products = await known(engine, fresh, signal);
    for (const [i, item] of fresh.entries()) if (passes(filter, products[i] ?? { id: item.itemId })) kept.push(item);
    if (kept.length >= k || items.length < asked || asked >= within) return { items: kept.slice(0, k), milliseconds };
  }
}

export function known(engine: Answerer, items: readonly RankedItem[], signal: AbortSignal | undefined) {
  return abortable(engine.products(items.map(({ itemId }) => itemId)), signal);
}

export function passes(filter: ProductFilter, product: CatalogueItem): boolean {
  try {
    return Boolean(filter(product));
  } catch (cause) {
    const message = `The filter threw for the product "${product.id}": ${reasonOf(cause)}`;
    throw new RecommenderError('bad-input', message, { cause });
  }
}
