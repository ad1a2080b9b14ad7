/**
 * Length bucketing: sessions of a batch in groups of like length, so that short ones are not padded to the longest. The network
 * reads each bucket as a rectangle of its own; the loss sees all clicks together, as without buckets.
 */

/** Cells that a further bucket must save: starting all kernels once more costs about as much. */
const BUCKET_OVERHEAD = 1024;

/**
 * The buckets with the fewest cells, Σ rows × longest row + BUCKET_OVERHEAD for each, by dynamic programming.
 *
 * @param lengths Clicks of each row, `[B]`.
 * @returns Numbers of rows, shorter buckets first; inside a bucket they ascend.
 */
export function lengthBuckets(lengths: ArrayLike<number>): Int32Array[] {
  const order = Int32Array.from({ length: lengths.length }, (_, row) => row).sort(
    (a, b) => lengths[a]! - lengths[b]! || a - b,
  );
  // Where a bucket may end: after the last row of each length.
  const ends = [...order.keys(), order.length].filter(
    (at) => at > 0 && (at === order.length || lengths[order[at]!] !== lengths[order[at - 1]!]),
  );
  // Of the rows up to each end: the fewest cells, and where their last bucket begins, as a number of `ends`; -1 is the start.
  const fewest: number[] = [];
  const from: number[] = [];
  ends.forEach((end, i) => {
    const width = lengths[order[end - 1]!]!;
    fewest[i] = Number.POSITIVE_INFINITY;
    for (let before = -1; before < i; before++) {
      const begin = before < 0 ? 0 : ends[before]!;
      const cells = (before < 0 ? 0 : fewest[before]!) + (end - begin) * width + BUCKET_OVERHEAD;
      if (cells < fewest[i]!) [fewest[i], from[i]] = [cells, before];
    }
  });
  const buckets: Int32Array[] = [];
  for (let i = ends.length - 1; i >= 0; i = from[i]!) {
    buckets.unshift(order.slice(from[i]! < 0 ? 0 : ends[from[i]!]!, ends[i]).sort());
  }
  return buckets;
}
