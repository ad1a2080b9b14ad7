/** Sessions as Caser reads them: windows of clicks, and whom they belong to. */
import type { SessionInput } from '../types';
import type { Prepared } from './model';
import { checkedWidth, padItems } from './padding';
import { profileClicks } from './profile';

export const PROFILES = ['session', 'device', 'shared', 'none', 'user'] as const;

export interface CaserReading {
  /** Clicks of a window. */
  readonly L: number;
  readonly profile: (typeof PROFILES)[number];
  /** How many users are known. */
  readonly users: number;
}

/** Whether P is a mean over clicks. */
export const readsClicks = ({ profile }: Pick<CaserReading, 'profile'>) =>
  profile === 'session' || profile === 'device';

/**
 * - `items` `[B, L]`: the last L clicks, padded on the left;
 * - `clicks` `[B, S]`, `weights` `[B, 1, S]`: for `session` and `device`, the items of the profile and their shares;
 * - `user` `[B]`, `known` `[B, 1]`: for `user`, their numbers, and 0 for those who are not known.
 */
export function readWindows(sessions: readonly SessionInput[], reading: CaserReading): Prepared {
  const { L, profile, users } = reading;
  const items = padItems(sessions, 'left', L, checkedWidth(L));
  if (readsClicks(reading)) return { items, ...profileClicks(sessions, profile === 'device') };
  if (profile !== 'user') return { items };
  const known = sessions.map(({ user }) => user !== undefined && user < users);
  const user = Int32Array.from(sessions, (session, b) => (known[b] ? session.user! : 0));
  return {
    items,
    user: { data: user, shape: [user.length] },
    known: { data: Float32Array.from(known, Number), shape: [user.length, 1] },
  };
}
