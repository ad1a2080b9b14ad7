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
import { userFinder } from '../checkpoint/users';
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
  /** The longest id that is a part of this one, or that this one is a part of; else the first. */
  nearest(id: string): string;
  /** By id: the catalogue, or where there is none, bare ids. */
  readonly products: ReadonlyMap<string, CatalogueItem>;
  /** Events of each item in the training log, `[n]`: the scores of popularity. */
  readonly popularity: Float32Array;
}

export function modelItems(artifact: Artifact & Pick<OpenedArtifact, 'namesOf'>): ModelItems {
  const { info, itemIds, tensors, catalogue, namesOf } = artifact;
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
  let names: AliasNames | undefined;
  const itemOf = ({ id, kind }: Candidate): string | undefined => {
    if (indices.has(id)) return id;
    names ??= namesOf?.(indices);
    return names?.also.get(id) ?? (kind === 'group' ? names?.groups.get(id) : undefined) ?? undefined;
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
    nearest(id) {
      const alike = itemIds.filter((own) => id.includes(own) || own.includes(id));
      return alike.sort((a, b) => b.length - a.length)[0] ?? itemIds[0]!;
    },
    idOf: (index) => itemIds[index - 1]!,
    products: new Map((catalogue ?? itemIds.map((id) => ({ id }))).map((product) => [product.id, product])),
    popularity: Float32Array.from(tensors[SUPPORT_TENSOR]!.data).subarray(1),
  };
}
