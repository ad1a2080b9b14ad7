/** How events are spread over items. */

/** The Gini coefficient of counts: 0 where all are equal, near 1 where few hold nearly everything. NaN where there is nothing to count. */
export function gini(counts: Iterable<number>): number {
  const sorted = Float64Array.from(counts).sort();
  const n = sorted.length;
  let total = 0;
  let weighted = 0;
  sorted.forEach((count, k) => {
    total += count;
    weighted += (k + 1) * count;
  });
  return (2 * weighted) / (n * total) - (n + 1) / n;
}

/** The four counts that divide all events into fifths: an item's fifth is how many of them it exceeds. */
export function fifths(supports: Iterable<number>): number[] {
  const counts = [...supports].sort((a, b) => a - b);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const bounds: number[] = [];
  let sum = 0;
  for (const count of counts) {
    sum += count;
    while (bounds.length < 4 && sum >= ((bounds.length + 1) * total) / 5) bounds.push(count);
  }
  return bounds;
}

/** The fifth of an item with so many events, 0…4, the rarest first. */
export const fifthOf = (bounds: readonly number[], support: number): number =>
  bounds.filter((bound) => support > bound).length;
