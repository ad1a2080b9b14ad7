/**
 * How many clicks ago each item of a session was clicked last: 0 for the newest click.
 *
 * @param items Clicks of the session, oldest first.
 * @param most Clicks that are looked back at.
 * @param end Clicks that count; default: all.
 * @param hidden 1 for hidden clicks, `[items.length]`; default: none.
 */
export function lagsOf(
  items: ArrayLike<number>,
  most: number,
  end: number = items.length,
  hidden?: Uint8Array,
): Map<number, number> {
  const lags = new Map<number, number>();
  for (let lag = 0; lag < Math.min(most, end); lag++) {
    if (hidden?.[end - 1 - lag]) continue;
    const item = items[end - 1 - lag]!;
    if (!lags.has(item)) lags.set(item, lag);
  }
  return lags;
}
