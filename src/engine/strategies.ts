/** Answers by what training has counted: `bought-together` and `trending`. Loaded when a slot asks for one of them. */
import type { OpenedArtifact, Strategies } from '../checkpoint/artifact';
import { STRATEGIES } from '../checkpoint/manifest';
import { checkStrategies } from '../checkpoint/strategies';
import type { RecommenderError } from '../errors';
import type { ItemIndex } from '../types';
import type { ModelItems } from './model-items';
import type { CountedStrategy, RankedItem, RecommendRequest } from './types';

/** By what the file holds: it is checked once. */
const checked = new WeakMap<object, Strategies>();

async function strategiesOf({ further, info }: OpenedArtifact): Promise<Strategies> {
  const value = await further(STRATEGIES);
  if (value === undefined) return {};
  const strategies = checked.get(Object(value)) ?? checkStrategies(value, info.items);
  checked.set(Object(value), strategies);
  return strategies;
}

/**
 * The k best items. `bought-together` adds up the scores of what goes with each item of the session; `trending` does not read it.
 *
 * @returns `missing`: why there is nothing by this strategy: the artifact has none, or its file cannot be used.
 */
export async function counted(
  { artifact, items }: { readonly artifact: OpenedArtifact; readonly items: ModelItems },
  strategy: CountedStrategy,
  { session, k, exclude }: Pick<RecommendRequest, 'session' | 'k' | 'exclude'>,
): Promise<{ readonly found: readonly RankedItem[]; readonly missing?: string }> {
  let found: Strategies;
  try {
    found = await strategiesOf(artifact);
  } catch (error) {
    const { code, message } = error as RecommenderError;
    if (code !== 'bad-artifact') throw error;
    return { found: [], missing: `The model "${artifact.info.name}" has no "${strategy}" here: ${message}` };
  }
  const { boughtTogether, trending } = found;
  const scores = new Map<ItemIndex, number>();
  const add = (list: readonly number[]): void => {
    for (let at = 0; at < list.length; at += 2) scores.set(list[at]!, (scores.get(list[at]!) ?? 0) + list[at + 1]!);
  };
  const own = new Set(session.map(({ itemId }) => items.named(itemId)));
  if (strategy === 'trending') {
    if (!trending) return { found: [], missing: without(artifact, strategy, 'its log has no times') };
    add(trending.items);
  } else {
    if (!boughtTogether)
      return { found: [], missing: without(artifact, strategy, 'its log has too few purchases and carts') };
    for (const id of own) add(boughtTogether.pairs[items.indexOf(id) ?? 0] ?? []);
  }
  const hidden = items.hidden([...exclude, ...(strategy === 'trending' ? [] : own)]);
  const best = [...scores]
    .filter(([index]) => !hidden.has(index))
    .sort(([a, high], [b, higher]) => higher - high || a - b)
    .slice(0, k)
    .map(([index, score]) => ({ itemId: artifact.itemIds[index - 1]!, score, reason: strategy }));
  return { found: best };
}

const without = ({ info }: OpenedArtifact, strategy: CountedStrategy, why: string): string =>
  `The model "${info.name}" has no "${strategy}": ${why}, or an older release has trained it. Slots show their fallback.`;
