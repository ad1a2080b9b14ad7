/** Sessions of different lengths as one rectangle of item indices. */
import type { BatchArray } from '../objectives/batch';
import type { SessionInput } from '../types';
import type { Prepared } from './model';

/** The largest of any number of lengths, at least `least`: a call has room for some tens of thousands of arguments only. */
export function longest(lengths: Iterable<number>, least = 1): number {
  let most = least;
  for (const length of lengths) if (length > most) most = length;
  return most;
}

/**
 * Item indices `[B, W]`, 0 where a session has no click; W is the longest session's length, at least 1 or `minWidth`.
 *
 * @param side Where the padding is: `left` puts the newest click in the last column, `right` the oldest in the first.
 * @param maxLength Sessions longer than this keep their most recent clicks. Default: no limit.
 */
export function padItems(
  sessions: readonly SessionInput[],
  side: 'left' | 'right',
  maxLength = Number.POSITIVE_INFINITY,
  minWidth = 1,
): BatchArray {
  const lengths = sessions.map(({ items }) => Math.min(items.length, maxLength));
  const width = longest(lengths, minWidth);
  const data = new Int32Array(sessions.length * width);
  sessions.forEach(({ items }, row) => {
    const length = lengths[row]!;
    const start = row * width + (side === 'left' ? width - length : 0);
    for (let t = 0; t < length; t++) data[start + t] = items[items.length - length + t]!;
  });
  return { data, shape: [sessions.length, width], items: 'input' };
}

/** The widest rectangle that options may ask for. */
const MOST_COLUMNS = 4096;

/** @throws RangeError for a width that no option gives: a compiled plan may come from anywhere. */
export function checkedWidth(width: number): number {
  if (Number.isInteger(width) && width >= 1 && width <= MOST_COLUMNS + 1) return width;
  throw new RangeError(`Sessions of ${width} columns cannot be read; expected 1 to ${MOST_COLUMNS}.`);
}

/** Item indices alone, the newest click in the last column. */
export const padLeft = (sessions: readonly SessionInput[]): Prepared => ({ items: padItems(sessions, 'left') });

/** How `padClicks` pads. */
export interface Padding {
  readonly side: 'left' | 'right';
  /** Sessions longer than this keep their most recent clicks. */
  readonly maxLength: number;
  /** Whether W is the longest session's length, at least 1, rather than `maxLength`. */
  readonly trims: boolean;
}

/**
 * Sessions for attention:
 *
 * - `items` `[B, W]`: item indices, 0 at padding.
 * - `mask` `[B · W, 1]`: 1 at clicks, 0 at padding; left out of a batch that has no padding.
 * - `last` `[B]`: the row of `[B · W]` that holds the session's last click.
 */
export function padClicks(sessions: readonly SessionInput[], { side, maxLength, trims }: Padding): Prepared {
  const items = padItems(sessions, side, maxLength, trims ? 1 : checkedWidth(maxLength));
  const width = items.shape[1]!;
  const mask = new Float32Array(items.data.length);
  const last = new Int32Array(sessions.length);
  sessions.forEach((session, row) => {
    const n = Math.min(session.items.length, maxLength);
    const first = row * width + (side === 'left' ? width - n : 0);
    mask.fill(1, first, first + n);
    last[row] = side === 'left' ? (row + 1) * width - 1 : first + Math.max(n, 1) - 1;
  });
  const prepared = { items, last: { data: last, shape: [sessions.length] } };
  return mask.every((real) => real === 1) ? prepared : { ...prepared, mask: { data: mask, shape: [mask.length, 1] } };
}
