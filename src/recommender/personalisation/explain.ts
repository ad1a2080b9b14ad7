/** Explains items by the clicks that moved them. Calls of one task are answered by one inference. */
import type { Engine, Explanation } from '../../engine/types';
import type { FineTuningParts } from '../parts';
import { engineEvent } from './fresh-events';

export type ExplainingParts = Pick<FineTuningParts, 'history' | 'options' | 'ready'> & {
  readonly engine: Pick<Engine, 'explain'>;
};

/** @returns As `Recommender.explain`. */
export function createExplaining({ engine, history, options, ready }: ExplainingParts) {
  const { now, user } = options;
  /** Items of the calls that wait. */
  let asking: { readonly itemIds: Set<string>; readonly answer: Promise<readonly Explanation[]> } | undefined;

  function explained(itemId: string): Promise<readonly Explanation[]> {
    asking ??= { itemIds: new Set(), answer: Promise.resolve().then(explainAll) };
    asking.itemIds.add(itemId);
    return asking.answer;
  }
  function explainAll(): Promise<readonly Explanation[]> {
    const itemIds = [...asking!.itemIds];
    asking = undefined;
    const session = history.at(now() / 1000).map(engineEvent);
    return engine.explain({ session, itemIds, ...(user !== undefined && { user }) });
  }

  return async (itemId: string): Promise<Explanation | null> => {
    if (typeof itemId !== 'string' || itemId === '') throw new RangeError('explain: expected an item id.');
    await ready();
    const explanations = await explained(itemId);
    return explanations.find((one) => one.itemId === itemId) ?? null;
  };
}
