/** The clicks that a visitor's profile is a mean of. Plain numbers, no tensors. */
import type { SessionInput } from '../types';
import type { Prepared } from './model';
import { longest } from './padding';

export interface ProfileOptions {
  /** `device`: clicks of earlier sessions count, and count less. */
  readonly profile: string;
  /** Most recent clicks that count. */
  readonly profileLength: number;
  /** Weight of a click in the session before, its square in the one before that, and so on. */
  readonly profileDecay: number;
  /** Minutes without a click between two sessions. */
  readonly profileGap: number;
}

/**
 * - `clicks` `[B, S]`: items of the profile, oldest first, padded on the right;
 * - `weights` `[B, 1, S]`: their shares, which sum to 1; all 0 for a visitor without a click.
 */
export function profileClicks(sessions: readonly SessionInput[], options: ProfileOptions): Prepared {
  const found = sessions.map((session) => weighted(session, options));
  const B = sessions.length;
  const S = longest(found.map(({ items }) => items.length));
  const clicks = new Int32Array(B * S);
  const weights = new Float32Array(B * S);
  found.forEach(({ items, weights: raw }, b) => {
    clicks.set(items, b * S);
    const total = raw.reduce((sum, weight) => sum + weight, 0);
    if (total > 0) for (let i = 0; i < raw.length; i++) weights[b * S + i] = raw[i]! / total;
  });
  return {
    clicks: { data: clicks, shape: [B, S], items: 'input' },
    weights: { data: weights, shape: [B, 1, S] },
  };
}

/** Walks back from the newest click; whatever has the visitor's earlier clicks in one list is told apart by their times. */
function weighted(
  session: SessionInput,
  { profile, profileLength, profileDecay, profileGap }: ProfileOptions,
): { items: number[]; weights: number[] } {
  const items: number[] = [];
  const weights: number[] = [];
  const lists = profile === 'device' ? [...(session.earlier ?? []), session] : [session];
  const fades = profile === 'device' ? profileDecay : 1;
  let weight = 1;
  for (let list = lists.length - 1; list >= 0; list--) {
    const { items: clicked, times } = lists[list]!;
    if (list < lists.length - 1) weight *= fades;
    for (let t = clicked.length - 1; t >= 0 && items.length < profileLength; t--) {
      if (times && t + 1 < clicked.length && times[t + 1]! - times[t]! > 60 * profileGap) weight *= fades;
      items.push(clicked[t]!);
      weights.push(weight);
    }
  }
  return { items: items.reverse(), weights: weights.reverse() };
}
