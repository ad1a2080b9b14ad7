/** Sessions of different lengths as one rectangle of item indices. */
import type { SessionInput } from '../types';
import type { PreparedArray } from './model';

/**
 * Item indices `[B, W]`, 0 where a session has no click; W is the longest session's length, at least 1 or `minWidth`.
 *
 * @param side Where the padding stands: `left` puts the newest click in the last column, `right` the oldest in the first.
 * @param maxLength Sessions longer than this keep their most recent clicks. Default: no limit.
 */
export function padItems(
  sessions: readonly SessionInput[],
  side: 'left' | 'right',
  maxLength = Number.POSITIVE_INFINITY,
  minWidth = 1,
): PreparedArray {
  const lengths = sessions.map(({ items }) => Math.min(items.length, maxLength));
  const width = Math.max(minWidth, ...lengths);
  const data = new Int32Array(sessions.length * width);
  sessions.forEach(({ items }, row) => {
    const length = lengths[row]!;
    const start = row * width + (side === 'left' ? width - length : 0);
    for (let t = 0; t < length; t++) data[start + t] = items[items.length - length + t]!;
  });
  return { data, shape: [sessions.length, width], items: true };
}
