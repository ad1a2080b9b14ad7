/** Which earlier sessions need not be told to somebody who asks what the model reads of them and of later ones. */
import { type ReadEvent, type Reading, readOf } from './visitor-history';

/** Sessions without the oldest, of which nothing is read, and how many clicks are read fewer by that. */
export interface Kept<E> {
  readonly sessions: readonly (readonly E[])[];
  /** To be handed to `readOf` with the sessions, so that it cuts where it would have cut all of them. */
  readonly leftOut: number;
}

/**
 * Leaves out earlier sessions of which nothing is read at `from` (seconds since 1970) or later, whatever sessions come after
 * them.
 */
export function withoutUnread<E extends ReadEvent>(
  earlier: readonly (readonly E[])[],
  from: number,
  reading: Reading,
): Kept<E> {
  const clicksOf = (sessions: readonly (readonly E[])[]): number =>
    readOf(sessions, [], from, { ...reading, maxLength: Number.MAX_SAFE_INTEGER }).length;
  if (reading.history !== 'all') {
    // What has faded stays so. How far the rest is cut depends on how much has, so all of that is told.
    return { sessions: earlier.filter((session) => clicksOf([session]) > 0), leftOut: 0 };
  }
  const unread = clicksOf(earlier) - readOf(earlier, [], from, reading).length;
  let leftOut = 0;
  let first = 0;
  for (; first < earlier.length; first++) {
    const clicks = clicksOf([earlier[first]!]);
    if (leftOut + clicks > unread) break;
    leftOut += clicks;
  }
  return { sessions: earlier.slice(first), leftOut };
}
