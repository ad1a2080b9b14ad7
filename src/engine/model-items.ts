/** The items of a loaded artifact: ids and indices, what may be shown, and what is popular. No tensors. */

import {
  type AliasNames,
  type Artifact,
  type CatalogueItem,
  isAvailable,
  type OpenedArtifact,
  SUPPORT_TENSOR,
  USERS_TENSOR,
} from '../checkpoint/artifact';
import { loaded } from '../loaded';
import type { ShownItem } from '../ranking/shown-items';
import type { ExcludedItems } from '../ranking/top-k';
import type { Candidate, ItemIndex, SessionInput } from '../types';
import type { EngineEvent, RankedItem } from './types';

/** What shows, and names, in place of what the artifact's own files say. */
export interface ShopProducts {
  readonly products: ReadonlyMap<string, CatalogueItem>;
  /** What `catalogue` gives of them. */
  readonly listed: readonly CatalogueItem[];
  /** Further aliases, which count before the artifact's. */
  readonly namesOf?: ((known: ReadonlyMap<string, unknown>) => AliasNames) | undefined;
}

export interface ModelItems {
  /** The clicks that the model knows, oldest first, with what it reads of them, and who clicked. */
  known(session: readonly EngineEvent[], user: string | undefined): Promise<SessionInput>;
  /** Indices never to answer with: what may not be shown, and these ids. */
  hidden(exclude: readonly string[]): ExcludedItems;
  /** The items of a list, with the reason that the engine gives. */
  ranked(best: readonly ShownItem[]): RankedItem[];
  /** Undefined for an item that the model does not know. */
  indexOf(id: string): ItemIndex | undefined;
  /** The item that the page calls so by an alias; what is a product or an item of its own stays itself. */
  named(id: string): string;
  /** The item that the candidates of one product name; undefined for none. */
  resolve(candidates: readonly Candidate[]): string | undefined;
  /** Shows other products from now on. */
  use(shop: ShopProducts): void;
  /** Undefined for one that the catalogue does not have; without a catalogue, items of the model are bare ids. */
  product(id: string): CatalogueItem | undefined;
  /** The catalogue, and the products that the page has added. */
  listed(): readonly CatalogueItem[];
  /** Events of each item in the training log, `[n]`: the scores of popularity. */
  readonly popularity: Float32Array;
}

/** Fetches what reads the features of clicks, and users; the second time it is there at once. */
export const loadClickReaders = () => loaded(import('./click-readers'), 'features');

/** @throws RecommenderError `weights-mismatch`; `io` where code cannot be fetched. */
export async function modelItems(artifact: Artifact & Pick<OpenedArtifact, 'namesOf'>): Promise<ModelItems> {
  const { info, itemIds, tensors, catalogue, namesOf } = artifact;
  // A map, not an object: an item may be called `__proto__`.
  const indices = new Map<string, ItemIndex>();
  itemIds.forEach((id, k) => {
    indices.set(id, k + 1);
  });
  const readers =
    info.features || tensors[USERS_TENSOR] ? (await loadClickReaders()).clickReaders(artifact) : undefined;
  /** Undefined: items are bare ids. A million of them are not made before somebody asks. */
  let products: ReadonlyMap<string, CatalogueItem> | undefined;
  let listed: readonly CatalogueItem[] = [];
  let neverShown: ReadonlySet<ItemIndex> = new Set();
  let sources = namesOf ? [namesOf] : [];
  /** Of each source, the newest word first. */
  let names: readonly AliasNames[] | undefined;
  const itemOf = ({ id, kind }: { readonly id: string; readonly kind?: string }): string | undefined => {
    if (indices.has(id)) return id;
    names ??= sources.map((namesOf) => namesOf(indices));
    // An older source counts only for what a newer one does not name; null: it names several.
    const named = (of: keyof AliasNames) => names!.find((source) => source[of].has(id))?.[of].get(id);
    return named('also') ?? (kind === 'group' ? named('groups') : undefined) ?? undefined;
  };
  function use(shop: ShopProducts): void {
    ({ products, listed } = shop);
    const isShown = (product: CatalogueItem | undefined) => product !== undefined && isAvailable(product);
    const hidden = [...indices].filter(([id]) => !isShown(shop.products.get(id)));
    neverShown = new Set(hidden.map(([, index]) => index));
    sources = [shop.namesOf, namesOf].filter((source) => source !== undefined);
    names = undefined;
  }
  const named = (id: string) => (products?.has(id) ? undefined : itemOf({ id })) ?? id;
  if (catalogue) use({ products: new Map(catalogue.map((product) => [product.id, product])), listed: catalogue });
  return {
    async known(session, user) {
      const known = session.filter(({ itemId }) => indices.has(itemId));
      const clicks = known.map(({ itemId, time, features }) => ({ item: indices.get(itemId)!, time, features }));
      const features = readers?.readFeatures(clicks);
      const number = user === undefined ? undefined : await readers?.findUser(user);
      return {
        items: clicks.map(({ item }) => item),
        times: clicks.map(({ time }) => time),
        ...(features && { features }),
        ...(number !== undefined && { user: number }),
      };
    },
    hidden(exclude) {
      const never = neverShown; // may be most of a large catalogue: it is not copied
      const excluded = new Set(
        exclude.flatMap((id) => indices.get(named(id)) ?? []).filter((index) => !never.has(index)),
      );
      return {
        size: never.size + excluded.size,
        has: (index) => never.has(index) || excluded.has(index),
        *[Symbol.iterator]() {
          yield* never;
          yield* excluded;
        },
      };
    },
    indexOf: (id) => indices.get(id),
    named,
    resolve(candidates) {
      for (const candidate of candidates) {
        const item = candidate.kind === 'variant' ? undefined : itemOf(candidate);
        if (item !== undefined) return item;
      }
      const variants = new Set(candidates.flatMap((candidate) => itemOf(candidate) ?? []));
      return variants.size === 1 ? [...variants][0] : undefined;
    },
    ranked: (best) =>
      best.map(({ index, score, isPopular }) => ({
        itemId: itemIds[index - 1]!,
        score,
        reason: isPopular ? 'popular' : 'neural',
      })),
    use,
    product: (id) => (products ? products.get(id) : indices.has(id) ? { id } : undefined),
    listed: () => listed,
    popularity: new Float32Array(tensors[SUPPORT_TENSOR]!.data).subarray(1),
  };
}
