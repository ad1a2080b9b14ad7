/** The adapter in a readable form: in the words of the catalogue, never as weights. */
import type { CatalogueItem } from '../../checkpoint/artifact';
import type { Delta } from '../../checkpoint/delta';
import { isoTime } from '../export';
import type { Favourite, LearningStatus, Learnt } from '../learning-types';

/** Entries of each list. */
const LONGEST = 8;

export async function readableLearnt(
  { base, itemIds, arrays, learnt, guard }: Delta,
  { method, events, steps, bytes, storage, gate, refused }: Omit<LearningStatus, 'state' | 'latest'>,
  productsOf: (ids: readonly string[]) => Promise<readonly (CatalogueItem | null)[]>,
): Promise<Learnt> {
  const products = await productsOf(itemIds).catch(() => itemIds.map(() => null)); // without a model only the ids are known
  const counts = arrays['rows.count']?.data;
  const biases = arrays['rows.bias']?.data;
  const items = itemIds.map((itemId, i) => {
    return { itemId, product: products[i], events: counts?.[i] ?? 0, learnt: biases?.[i] ?? 0 };
  });
  const favourites = (nameOf: (product: CatalogueItem) => string | undefined): Favourite[] => {
    const sums = new Map<string, number>();
    let total = 0;
    for (const { product, events } of items) {
      const name = product ? nameOf(product) : undefined;
      if (!name) continue;
      sums.set(name, (sums.get(name) ?? 0) + events);
      total += events;
    }
    return [...sums]
      .filter(([, sum]) => sum > 0)
      .sort(([, a], [, b]) => b - a)
      .slice(0, LONGEST)
      .map(([name, sum]) => ({ name, events: sum, share: sum / total }));
  };
  const pulls = items
    .filter(({ events, learnt }) => events > 0 || learnt > 0)
    .sort((a, b) => b.learnt + Math.log1p(b.events) - a.learnt - Math.log1p(a.events))
    .slice(0, LONGEST)
    .map(({ itemId, product, events, learnt }) => ({
      itemId,
      ...(product?.title !== undefined && { title: product.title }),
      events,
      learnt,
    }));
  return {
    format: 1,
    method,
    model: { name: base.name, version: base.version, hash: base.hash },
    events,
    steps,
    ...(learnt.through !== null && { through: isoTime(learnt.through) }),
    bytes,
    storage,
    gate,
    refused,
    recent: guard.recent.map(({ itemId, time }) => ({ itemId, time: isoTime(time) })),
    items: items.map(({ itemId, events }) => ({ itemId, events })),
    favourites: {
      categories: favourites(({ category }) => category?.join(' > ')),
      brands: favourites(({ brand }) => brand),
    },
    pulls,
  };
}
