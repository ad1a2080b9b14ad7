/** The items of a loaded artifact: ids and indices, what may be shown, and what is popular. No tensors. */
import { type Artifact, type CatalogueItem, isAvailable, SUPPORT_TENSOR } from '../checkpoint/artifact';
import type { ItemIndex, SessionInput } from '../types';
import type { EngineEvent } from './engine';

export interface ModelItems {
  /** The clicks that the model knows, oldest first. */
  known(session: readonly EngineEvent[]): SessionInput;
  /** Indices never to answer with: what may not be shown, and these ids. */
  hidden(exclude: readonly string[]): ReadonlySet<ItemIndex>;
  idOf(index: ItemIndex): string;
  /** By id: the catalogue, or where there is none, bare ids. */
  readonly products: ReadonlyMap<string, CatalogueItem>;
  /** Events of each item in the training log, `[n]`: the scores of popularity. */
  readonly popularity: Float32Array;
}

export function modelItems({ itemIds, tensors, catalogue }: Artifact): ModelItems {
  // A map, not an object: an item may be called `__proto__`.
  const indices = new Map(itemIds.map((id, k) => [id, k + 1]));
  const neverShown = new Set<ItemIndex>();
  if (catalogue) {
    const shown = new Set(catalogue.filter(isAvailable).map(({ id }) => id));
    itemIds.forEach((id, k) => {
      if (!shown.has(id)) neverShown.add(k + 1);
    });
  }
  return {
    known(session) {
      const clicks = session.filter(({ itemId }) => indices.has(itemId));
      return { items: clicks.map(({ itemId }) => indices.get(itemId)!), times: clicks.map(({ time }) => time) };
    },
    hidden(exclude) {
      const excluded = exclude.flatMap((id) => indices.get(id) ?? []);
      return excluded.length === 0 ? neverShown : new Set([...neverShown, ...excluded]);
    },
    idOf: (index) => itemIds[index - 1]!,
    products: new Map((catalogue ?? itemIds.map((id) => ({ id }))).map((product) => [product.id, product])),
    popularity: Float32Array.from(tensors[SUPPORT_TENSOR]!.data).subarray(1),
  };
}
