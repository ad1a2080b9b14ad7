/** Views of sessions for contrastive losses: cropped, masked, reordered. Plain arrays, no tensors. */
import type { Random } from '../session/random';
import type { ItemIndex, SessionInput } from '../types';

/** What makes a view of a session of n clicks; `ratio` is a share of n. */
export interface Augmentation {
  /** Keep that many clicks in a row; hide that many behind the mask token; shuffle that many in a row. */
  readonly kind: 'crop' | 'mask' | 'reorder';
  readonly ratio: number;
}

/** A session as places in another one, oldest first, and which of its clicks are hidden. */
interface View {
  readonly places: readonly number[];
  readonly hidden?: ReadonlySet<number>;
}

/**
 * One view of a session of n clicks; a session of one click is its own view.
 *
 * - `crop`: ⌊ratio n⌋ clicks in a row, at least 1, from a start in 0…n − length, both included.
 * - `mask`: ⌊ratio n⌋ clicks anywhere become the mask token.
 * - `reorder`: ⌊ratio n⌋ clicks in a row, from such a start, are shuffled.
 *
 * @param maskId Index of the mask token: its own row of the item table, a click like any other for attention.
 * @see Xie et al., "Contrastive Learning for Sequential Recommendation", ICDE 2022, https://arxiv.org/abs/2010.14395
 */
export function augment(
  session: SessionInput,
  { kind, ratio }: Augmentation,
  maskId: ItemIndex,
  random: Random,
): SessionInput {
  const n = session.items.length;
  if (n <= 1) return session;
  const all = Array.from({ length: n }, (_, t) => t);
  const count = Math.floor(ratio * n);
  const start = (length: number) => random.integer(n - length + 1);
  switch (kind) {
    case 'crop': {
      const length = Math.max(1, count);
      const first = start(length);
      return seen(session, { places: all.slice(first, first + length) }, maskId);
    }
    case 'mask': {
      const hidden = new Set(random.shuffle(Int32Array.from(all)).subarray(0, count));
      return seen(session, { places: all, hidden }, maskId);
    }
    case 'reorder': {
      const first = start(count);
      const block = random.shuffle(Int32Array.from(all.slice(first, first + count)));
      return seen(session, { places: [...all.slice(0, first), ...block, ...all.slice(first + count)] }, maskId);
    }
  }
}

/** The clicks at those places, with their times and features. */
function seen(session: SessionInput, { places, hidden }: View, maskId: ItemIndex): SessionInput {
  const pick = (values: ArrayLike<number>) => places.map((t) => values[t]!);
  const { items, times, features } = session;
  return {
    ...session,
    items: Int32Array.from(places, (t) => (hidden?.has(t) ? maskId : items[t]!)),
    ...(times && { times: pick(times) }),
    ...(features && {
      features: Object.fromEntries(Object.entries(features).map(([name, values]) => [name, pick(values)])),
    }),
  };
}

/**
 * Two views of each session: B first views, then the B second ones in the same order.
 *
 * Each draws its operator on its own, so that both may be the same one with other randomness.
 */
export function drawViews(
  sessions: readonly SessionInput[],
  augmentations: readonly Augmentation[],
  maskId: ItemIndex,
  random: Random,
): SessionInput[] {
  const first: SessionInput[] = [];
  const second: SessionInput[] = [];
  for (const session of sessions) {
    const a = random.integer(augmentations.length);
    const b = augmentations[random.integer(augmentations.length)]!;
    first.push(augment(session, augmentations[a]!, maskId, random));
    second.push(augment(session, b, maskId, random));
  }
  return [...first, ...second];
}

/** Numbers of the 2B views, `[2B]`: those of one session have the same, and are not each other's negatives. */
export const viewGroups = (count: number): Int32Array =>
  Int32Array.from({ length: 2 * count }, (_, view) => view % count);
