/** The page's filter of products. */
import { abortable } from '../abort';
import type { CatalogueItem } from '../checkpoint/artifact';
import type { RankedItem } from '../engine/types';
import { RecommenderError, reasonOf } from '../errors';
import type { Answerer, ProductFilter } from './types';

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
