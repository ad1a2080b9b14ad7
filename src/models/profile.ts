/** The clicks that a visitor's profile is a mean of. Plain numbers, no tensors. */
import type { SessionInput } from '../types';
import type { Prepared } from './model';

export interface ProfileOptions {
  /** Whether earlier sessions count too. */
  readonly profile: string;
  /** Most recent clicks that count. */
  readonly profileLength: number;
  /** Weight of a click in the session before, its square in the one before that, and so on. */
  readonly profileDecay: number;
}

/**
 * - `clicks` `[B, S]`: items of the profile, oldest first, padded on the right;
 * - `weights` `[B, 1, S]`: their shares, which sum to 1; all 0 for a visitor without a click.
 */
export function profileClicks(
  sessions: readonly SessionInput[],
  { profile, profileLength, profileDecay }: ProfileOptions,
): Prepared {
  const found = sessions.map((session) => {
    const earlier = profile === 'device' ? (session.earlier ?? []) : [];
    const all = [...earlier, session].flatMap(({ items }, i) => {
      const weight = profileDecay ** (earlier.length - i);
      const newest: number[] = Array.prototype.slice.call(items, -profileLength);
      return newest.map((item) => ({ item, weight }));
    });
    return all.slice(-profileLength);
  });
  const B = sessions.length;
  const S = Math.max(1, ...found.map(({ length }) => length));
  const clicks = new Int32Array(B * S);
  const weights = new Float32Array(B * S);
  found.forEach((list, b) => {
    const total = list.reduce((sum, { weight }) => sum + weight, 0);
    list.forEach(({ item, weight }, i) => {
      clicks[b * S + i] = item;
      weights[b * S + i] = total > 0 ? weight / total : 0;
    });
  });
  return {
    clicks: { data: clicks, shape: [B, S], items: true },
    weights: { data: weights, shape: [B, 1, S] },
  };
}
