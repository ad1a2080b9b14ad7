/** Answers by what training has counted: `bought-together` and `trending`. Loaded when a slot asks for one of them. */
import type { OpenedArtifact, Strategies } from '../checkpoint/artifact';
import { STRATEGIES } from '../checkpoint/manifest';
import { checkStrategies } from '../checkpoint/strategies';
import type { ItemIndex } from '../types';
import type { ModelItems } from './model-items';
import type { CountedStrategy, RankedItem, RecommendRequest } from './types';

/** Read once; a read that fails is tried again. */
const read = new WeakMap<OpenedArtifact, Promise<Strategies>>();

function strategiesOf(artifact: OpenedArtifact): Promise<Strategies> {
  const known = read.get(artifact);
  if (known) return known;
  const file = artifact
    .further(STRATEGIES)
    .then((value) => (value === undefined ? {} : checkStrategies(value, artifact.info.items)));
  read.set(artifact, file);
  file.catch(() => read.delete(artifact));
  return file;
}

/**
 * The k best items. `bought-together` adds up the scores of what goes with each item of the session; `trending` does not read it.
 *
 * @returns `missing`: why the artifact has nothing by this strategy.
 */
export async function counted(
  { artifact, items }: { readonly artifact: OpenedArtifact; readonly items: ModelItems },
  strategy: CountedStrategy,
  { session, k, exclude }: Pick<RecommendRequest, 'session' | 'k' | 'exclude'>,
): Promise<{ readonly found: readonly RankedItem[]; readonly missing?: string }> {
  const { boughtTogether, trending } = await strategiesOf(artifact);
  const scores = new Map<ItemIndex, number>();
  const add = (list: readonly number[]): void => {
    for (let at = 0; at < list.length; at += 2) scores.set(list[at]!, (scores.get(list[at]!) ?? 0) + list[at + 1]!);
  };
  const own = new Set(session.map(({ itemId }) => itemId));
  if (strategy === 'trending') {
    if (!trending) return { found: [], missing: without(artifact, strategy, 'its log has no times') };
    add(trending.items);
  } else {
    if (!boughtTogether)
      return { found: [], missing: without(artifact, strategy, 'its log has too few purchases and carts') };
    for (const id of own) add(boughtTogether.pairs[items.indexOf(id) ?? 0] ?? []);
  }
  const hidden = items.hidden([...exclude, ...(strategy === 'trending' ? [] : own)]);
  const found = [...scores]
    .filter(([index]) => !hidden.has(index))
    .sort(([a, high], [b, higher]) => higher - high || a - b)
    .slice(0, k)
    .map(([index, score]) => ({ itemId: artifact.itemIds[index - 1]!, score, reason: strategy }));
  return { found };
}

const without = ({ info }: OpenedArtifact, strategy: CountedStrategy, why: string): string =>
  `The model "${info.name}" has no "${strategy}": ${why}, or an older release has trained it. Slots show their fallback.`;
