/** The items of a loaded artifact: ids and indices, what may be shown, and what is popular. No tensors. */

import {
  type Aliases,
  type Artifact,
  type CatalogueItem,
  isAvailable,
  SUPPORT_TENSOR,
  USERS_TENSOR,
} from '../checkpoint/artifact';
import { userFinder } from '../checkpoint/users';
import { nearestName } from '../errors';
import { birthsOf } from '../ranking/load-scorer';
import { clickReader } from '../session/click-features';
import type { Candidate, ItemIndex, SessionInput } from '../types';
import type { EngineEvent } from './types';

export interface ModelItems {
  /** The clicks that the model knows, oldest first, with what it reads of them, and who clicked. */
  known(session: readonly EngineEvent[], user: string | undefined): Promise<SessionInput>;
  /** Indices never to answer with: what may not be shown, and these ids. */
  hidden(exclude: readonly string[]): ReadonlySet<ItemIndex>;
  idOf(index: ItemIndex): string;
  /** Undefined for an item that the model does not know. */
  indexOf(id: string): ItemIndex | undefined;
  /** The item that the candidates of one product name; undefined for none. */
  resolve(candidates: readonly Candidate[]): string | undefined;
  /** The id that is spelt most like this one, of the first `COMPARED`; else the first. */
  nearest(id: string): string;
  /** By id: the catalogue, or where there is none, bare ids. */
  readonly products: ReadonlyMap<string, CatalogueItem>;
  /** Events of each item in the training log, `[n]`: the scores of popularity. */
  readonly popularity: Float32Array;
}

/** Ids that an unknown one is compared with: a tenth of a second of the worker's time. */
const COMPARED = 20_000;

export function modelItems(artifact: Artifact): ModelItems {
  const { info, itemIds, tensors, catalogue, aliases } = artifact;
  // A map, not an object: an item may be called `__proto__`.
  const indices = new Map(itemIds.map((id, k) => [id, k + 1]));
  const readFeatures = clickReader(info.features ?? {}, birthsOf(artifact));
  const findUser = userFinder(tensors[USERS_TENSOR]);
  const neverShown = new Set<ItemIndex>();
  if (catalogue) {
    const shown = new Set(catalogue.filter(isAvailable).map(({ id }) => id));
    itemIds.forEach((id, k) => {
      if (!shown.has(id)) neverShown.add(k + 1);
    });
  }
  let names: ReturnType<typeof namesOf> | undefined;
  const itemOf = ({ id, kind }: Candidate): string | undefined => {
    if (indices.has(id)) return id;
    names ??= namesOf(aliases, indices);
    return names.also.get(id) ?? (kind === 'group' ? names.groups.get(id) : undefined) ?? undefined;
  };
  return {
    async known(session, user) {
      const known = session.filter(({ itemId }) => indices.has(itemId));
      const clicks = known.map(({ itemId, time, features }) => ({ item: indices.get(itemId)!, time, features }));
      const features = readFeatures(clicks);
      const number = user === undefined ? undefined : await findUser(user);
      return {
        items: clicks.map(({ item }) => item),
        times: clicks.map(({ time }) => time),
        ...(features && { features }),
        ...(number !== undefined && { user: number }),
      };
    },
    hidden(exclude) {
      const excluded = exclude.flatMap((id) => indices.get(id) ?? []);
      return excluded.length === 0 ? neverShown : new Set([...neverShown, ...excluded]);
    },
    indexOf: (id) => indices.get(id),
    resolve(candidates) {
      for (const candidate of candidates) {
        const item = candidate.kind === 'variant' ? undefined : itemOf(candidate);
        if (item !== undefined) return item;
      }
      const variants = new Set(candidates.flatMap((candidate) => itemOf(candidate) ?? []));
      return variants.size === 1 ? [...variants][0] : undefined;
    },
    nearest: (id) => nearestName(id, itemIds.slice(0, COMPARED)) ?? itemIds[0]!,
    idOf: (index) => itemIds[index - 1]!,
    products: new Map((catalogue ?? itemIds.map((id) => ({ id }))).map((product) => [product.id, product])),
    popularity: Float32Array.from(tensors[SUPPORT_TENSOR]!.data).subarray(1),
  };
}

/** The one item of each alias, and the one of each group; null if there are several. */
function namesOf(aliases: Aliases | undefined, known: ReadonlyMap<string, ItemIndex>) {
  const also = new Map<string, string | null>();
  const groups = new Map<string, string | null>();
  const add = (names: typeof also, name: string, id: string) =>
    names.set(name, names.has(name) && names.get(name) !== id ? null : id);
  for (const [id, item] of aliases ?? []) {
    if (!known.has(id)) continue;
    for (const alias of item.also ?? []) add(also, alias, id);
    if (item.group !== undefined) add(groups, item.group, id);
  }
  return { also, groups };
}
