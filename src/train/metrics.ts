/**
 * Ranking metrics with one relevant item per prediction, each truncated at k and averaged over predictions.
 *
 *     recall@k (= hit rate)  1[rank ≤ k]
 *     mrr@k                  1 / rank           if rank ≤ k, else 0
 *     ndcg@k                 1 / log₂(rank + 1) if rank ≤ k, else 0
 */

/** `recall@20`, `mrr@20`, `ndcg@20` and so on, for every k. */
export type Metrics = Record<string, number>;

/** Default cut-offs. */
export const CUTS: readonly number[] = [1, 5, 10, 20];

/** 1 where the target is among the first k, else 0. */
export const recallAt = (rank: number, k: number): number => (rank <= k ? 1 : 0);

/** Reciprocal rank, 0 beyond k. */
export const mrrAt = (rank: number, k: number): number => (rank <= k ? 1 / rank : 0);

/** Discounted gain; the ideal is 1, so nothing is left to normalise. */
export const ndcgAt = (rank: number, k: number): number => (rank <= k ? 1 / Math.log2(rank + 1) : 0);

/**
 * Means of all three metrics at every k.
 *
 * @param ranks 1-based rank of every prediction's target.
 * @returns 0 everywhere for no predictions.
 */
export function metricsOf(ranks: ArrayLike<number>, ks = CUTS): Metrics {
  const metrics: Metrics = {};
  const mean = (total: number) => (ranks.length === 0 ? 0 : total / ranks.length);
  for (const k of ks) {
    let recall = 0;
    let mrr = 0;
    let ndcg = 0;
    for (let i = 0; i < ranks.length; i++) {
      const rank = ranks[i]!;
      if (rank > k) continue;
      recall += recallAt(rank, k);
      mrr += mrrAt(rank, k);
      ndcg += ndcgAt(rank, k);
    }
    metrics[`recall@${k}`] = mean(recall);
    metrics[`mrr@${k}`] = mean(mrr);
    metrics[`ndcg@${k}`] = mean(ndcg);
  }
  return metrics;
}
