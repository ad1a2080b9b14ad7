/** Products as a page may see them: its filter, and pictures. */
import { abortable } from '../abort';
import type { CatalogueItem } from '../checkpoint/artifact';
import type { RankedItem } from '../engine/types';
import { RecommenderError, reasonOf } from '../errors';
import type { Answerer } from './parts';
import type { ImagesChoice, ProductFilter } from './types';

export function known(engine: Answerer, items: readonly RankedItem[], signal: AbortSignal | undefined) {
  return abortable(engine.products(items.map(({ itemId }) => itemId)), signal);
}

export function passes(filter: ProductFilter, product: CatalogueItem): boolean {
  try {
    const answer: unknown = filter(product);
    if (Object(answer).then) throw new Error('it returns a promise; it must answer at once');
    return Boolean(answer);
  } catch (cause) {
    const message = `The filter threw for the product "${product.id}": ${reasonOf(cause)}`;
    throw new RecommenderError('bad-input', message, { cause });
  }
}

/** The product, without a picture that may not be shown: a request for a picture reveals what was recommended. */
export function pictured<T extends CatalogueItem | null>(product: T, images: ImagesChoice): T {
  const image = product?.image;
  if (image === undefined || images === 'page') return product;
  if (images === 'artifact' && /^data:image\//i.test(image)) return product;
  const { image: _, ...rest } = product!;
  return rest as T;
}
