/** Finds events that no person makes. They are neither trained on nor counted by the gate. */
import type { GuardState } from '../../checkpoint/delta';

export type RefusalReason = keyof GuardState['refused'];

/** Events that are remembered. */
const WINDOW = 32;
/** Seconds that so many events take at least: two a second for a while are a machine's. */
const FASTEST = 16;
/** Events of one item among them. */
const MOST_OF_ONE = 24;
/** Nats by which the base does worse than chance, as a mean over about `MEMORY` events. */
const MOST_SURPRISE = 0.7;
const MEMORY = 48;
/** A single event says only so much, in nats either way. */
export const MOST_SURPRISE_OF_ONE = 4;

export const INITIAL_GUARD: GuardState = { refused: { rate: 0, repetition: 0, entropy: 0 }, recent: [], surprise: 0 };

/**
 * The guard after one more event, and what is wrong with it.
 *
 * - `rate`: the newest 32 events took less than 16 seconds; not checked where the clock was set back.
 * - `repetition`: 24 of them or more are of this one item.
 * - `entropy`: over the last events the base does worse than a guess among all items, as it does with clicks that follow no
 *   taste: −log of its probability averages at least log n for items drawn by chance (Gibbs' inequality).
 *
 * @param surprise How much larger the base's loss is than log n, in nats; absent where the event was not predicted.
 */
export function watch(
  { refused, recent, surprise: before }: GuardState,
  event: { readonly itemId: string; readonly time: number },
  surprise?: number,
): { readonly state: GuardState; readonly nonsense?: RefusalReason } {
  const newest = [...recent, { itemId: event.itemId, time: event.time }].slice(-WINDOW);
  const mean = surprise === undefined ? before : before + (clip(surprise) - before) / MEMORY;
  const isFull = newest.length === WINDOW;
  const same = newest.reduce((count, { itemId }) => count + (itemId === event.itemId ? 1 : 0), 0);
  const took = event.time - newest[0]!.time;
  const nonsense: RefusalReason | undefined =
    isFull && took >= 0 && took < FASTEST
      ? 'rate'
      : same >= MOST_OF_ONE
        ? 'repetition'
        : mean > MOST_SURPRISE
          ? 'entropy'
          : undefined;
  const counted = nonsense ? { ...refused, [nonsense]: refused[nonsense] + 1 } : refused;
  return { state: { refused: counted, recent: newest, surprise: mean }, ...(nonsense && { nonsense }) };
}

/** A guard that runs before the predictions: it finds the events that are refused whatever the prediction. */
export function guardAhead(
  state = INITIAL_GUARD,
): (event: { readonly itemId: string; readonly time: number }) => boolean {
  let ahead: GuardState = { ...state, surprise: 0 };
  return (event) => {
    const { state: next, nonsense } = watch(ahead, event);
    ahead = next;
    return nonsense !== undefined;
  };
}

const clip = (surprise: number): number => Math.min(Math.max(surprise, -MOST_SURPRISE_OF_ONE), MOST_SURPRISE_OF_ONE);
