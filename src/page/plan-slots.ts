/** Fills the slots of a page together. It knows no page: what it needs of one, it is given. */
import type { RankedItem } from '../engine/types';
import type { Strategy } from '../recommender/types';

/** What a slot asks for. */
export interface SlotRequest {
  /** What is asked. None: the slot stays empty. */
  readonly strategies: readonly Strategy[];
  /** Whether it also shows what is in the visitor's basket. Default false. */
  readonly showsBasket?: boolean;
  /** Chooses from the answers of several strategies, or of more items than the slot shows. Default: the first answer. */
  readonly choose?: Choose;
}

/** The answer of a strategy, best first. */
export interface SlotAnswer {
  readonly strategy: Strategy;
  readonly items: readonly RankedItem[];
}

/** @returns Different items, none of `exclude`: at most as many as the slot shows. */
export type Choose = (
  answers: readonly SlotAnswer[],
  exclude: ReadonlySet<string>,
) => readonly RankedItem[] | Promise<readonly RankedItem[]>;

/** Item ids that slots do not show. */
export interface PageFacts {
  /** In the visitor's cart, or just bought. */
  readonly basket: readonly string[];
  /** On show elsewhere: the product of the page, and what stays in slots that are not filled now. */
  readonly onShow: readonly string[];
}

/** Filled before the others, which have more to choose from: what the visitor looked at, then what suits the visit. */
const FIRST: readonly (Strategy | undefined)[] = ['for-you', 'recent'];
const turn = ({ strategies: [strategy] }: SlotRequest): number => -FIRST.indexOf(strategy);

/**
 * Fills the slots, no item in two of them: those of `recent`, of `for-you`, then the others, each in their order. Every strategy of a
 * slot is asked, whether or not its answer is needed:
 * what a page requests must not depend on what the visitor has looked at.
 *
 * @param ask The best items of a strategy, without those excluded: as many as the slot shows, or more if it has a `choose`.
 * @param show Called for each slot with what it shows; the next slot waits for it.
 */
export async function planSlots<R extends SlotRequest>(
  slots: readonly R[],
  { basket, onShow }: PageFacts,
  ask: (slot: R, strategy: Strategy, exclude: readonly string[]) => Promise<readonly RankedItem[]>,
  show: (slot: R, items: Promise<readonly RankedItem[]>) => unknown,
): Promise<void> {
  const taken = new Set(onShow);
  const fill = async (slot: R): Promise<readonly RankedItem[]> => {
    const { strategies, showsBasket, choose = ([first]) => first?.items ?? [] } = slot;
    const exclude = new Set([...taken, ...(showsBasket ? [] : basket)]);
    const answers = await Promise.all(
      strategies.map(async (strategy) => ({ strategy, items: await ask(slot, strategy, [...exclude]) })),
    );
    const chosen = await choose(answers, exclude);
    for (const { itemId } of chosen) taken.add(itemId);
    return chosen;
  };
  for (const slot of [...slots].sort((a, b) => turn(a) - turn(b))) await show(slot, fill(slot));
}
