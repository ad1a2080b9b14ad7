/**
 * Past sessions that resemble the running one, and what they say of every item: the part that SKNN, V-SkNN, STAN and
 * VSTAN share. From session-rec: Ludewig and Jannach, UMUAI 2018, https://arxiv.org/abs/1803.09587; Garg et al., "Sequence
 * and Time Aware Neighborhood for Session-based Recommendations", SIGIR 2019, https://arxiv.org/abs/1905.03514.
 *
 *     candidates   the `sampleSize` most recent sessions that hold an item of s
 *     sim(s, v)    vec     Σ_{i ∈ s ∩ v} wᵢ / |s|
 *                  cosine  Σ_{i ∈ s ∩ v} wᵢ / ( √Σ_{i ∈ s} wᵢ² · √|v| ),   times recency(v) / recency(newest candidate)
 *     score(j)     Σ over the k most similar v that hold j:  sim(s, v) · nearness(v) · closeness(j in v) · (1 + idf_j · λ)
 *
 * s and v are sets of items; wᵢ weighs the position p of i's last click among the n clicks of s. All sums are float64.
 *
 * Differs from session-rec: there recency is not divided by that of the newest candidate. The factor is the same for all scores of
 * a session, so no rank moves by it; without it they all underflow to 0 some time after the log's end.
 */
import type { ItemIndex } from '../types';
import type { SessionIndex } from './session-index';

/** What sets the four apart. Positions run from 1 (oldest) to n (newest); ages are in seconds. */
export interface NeighbourRules {
  readonly k: number;
  readonly sampleSize: number;
  readonly similarity: 'vec' | 'cosine';
  /** Clicks of the running session that count, the last so many; 0: all. Sessions that share an older click stay candidates. */
  readonly lastNClicks: number;
  /** w of an item whose last click is at position p of n. */
  readonly weight: (p: number, n: number) => number;
  /** Factor of a neighbour's similarity by its age, as a share of that of the newest candidate. */
  readonly recency: (age: number, newest: number) => number;
  /** Whether neighbours of similarity 0 or less are left out before the k best are taken. */
  readonly positiveOnly: boolean;
  /** Factor of a neighbour by the position p, among n, of the latest click whose item it holds. */
  readonly nearness: (p: number, n: number) => number;
  /** Factor of a neighbour's item by its distance in clicks to the neighbour's last item that the session shares. */
  readonly closeness?: (distance: number) => number;
  /** λ of the inverse frequency; 0: none. */
  readonly idf: number;
  /** Whether items of the session itself get a score. */
  readonly remind: boolean;
  /** Whether the scores of the session's own items are multiplied by how often they were clicked, plus one. */
  readonly pushReminders: boolean;
  /** Whether scores are divided by the largest. */
  readonly normalize: boolean;
}

export interface NeighbourScores {
  /** `[n]`, column i belongs to item index i + 1; valid until the next query. */
  readonly scores: Float64Array;
  /** The items that a neighbour has spoken for, each once; all others score 0. Valid until the next query. */
  readonly scored: Int32Array;
  /** How many sessions resembled the query, before the k most similar were taken. */
  readonly candidates: number;
  /** Seconds since the newest candidate ended; 0 where there is none, or where it ends after now. */
  readonly age: number;
}

/**
 * A query: the session's clicks `items[from]` … `items[to - 1]`, oldest first, and the time now in seconds since 1970.
 * Items that the index does not know keep their places among the positions. Allocates nothing per candidate.
 */
export type NeighbourQuery = (items: ArrayLike<ItemIndex>, from: number, to: number, now: number) => NeighbourScores;

export function neighbourQuery(index: SessionIndex, n: number, rules: NeighbourRules): NeighbourQuery {
  const { k, sampleSize, similarity, lastNClicks, weight, recency, positiveOnly, remind } = rules;
  const sessions = index.times.length;
  const scores = new Float64Array(n);
  const scored = new Int32Array(n);
  const isScored = new Uint8Array(n);
  let scoredCount = 0;
  const shared = new Float64Array(sessions); // Σ of w over shared items
  const latest = new Int32Array(sessions); // latest position in s of a shared item; 0: only clicks that do not count
  const seen = new Uint8Array(sessions);
  const found = new Int32Array(sessions);
  const similarities = new Float64Array(sessions);
  const lastClick = new Map<ItemIndex, number>();
  const clicks = new Map<ItemIndex, number>();

  /** Adds w to the most recent sessions that hold an item, and lists those that are new. */
  function collect(item: ItemIndex, w: number, p: number, count: number): number {
    if (!(item >= 1 && item <= n)) return count;
    const end = Math.min(index.starts[item + 1]!, index.starts[item]! + sampleSize);
    for (let e = index.starts[item]!; e < end; e++) {
      const session = index.of[e]!;
      if (seen[session] === 0) {
        seen[session] = 1;
        shared[session] = 0;
        latest[session] = 0;
        found[count++] = session;
      }
      shared[session]! += w;
      if (p > latest[session]!) latest[session] = p;
    }
    return count;
  }

  /** Adds what one neighbour says. */
  function vote(session: number, similar: number, length: number): void {
    const from = index.offsets[session]!;
    const to = index.offsets[session + 1]!;
    const factor = similar * rules.nearness(latest[session]!, length);
    let meeting = to - 1; // the neighbour's last item that the session shares
    if (rules.closeness) while (!lastClick.has(index.items[meeting]!)) meeting--;
    for (let e = from; e < to; e++) {
      const item = index.items[e]!;
      if (!remind && lastClick.has(item)) continue;
      const close = rules.closeness?.(Math.abs(index.positions[e]! - index.positions[meeting]!)) ?? 1;
      if (isScored[item - 1] === 0) {
        isScored[item - 1] = 1;
        scored[scoredCount++] = item;
      }
      scores[item - 1]! += factor * close * (1 + index.idf[item]! * rules.idf);
    }
  }

  return (items, from, to, now) => {
    for (const item of scored.subarray(0, scoredCount)) {
      scores[item - 1] = 0;
      isScored[item - 1] = 0;
    }
    scoredCount = 0;
    lastClick.clear();
    clicks.clear();
    const first = lastNClicks > 0 ? Math.max(from, to - lastNClicks) : from;
    const length = to - first;
    for (let at = from; at < to; at++) {
      const item = items[at]!;
      clicks.set(item, (clicks.get(item) ?? 0) + 1);
      if (at >= first) lastClick.set(item, at - first + 1);
    }

    let count = 0;
    let squares = 0;
    for (const [item, p] of lastClick) {
      const w = weight(p, length);
      squares += w * w;
      count = collect(item, w, p, count);
    }
    for (const item of clicks.keys()) if (!lastClick.has(item)) count = collect(item, 0, 0, count);

    let candidates = found.subarray(0, count);
    for (const session of candidates) seen[session] = 0;
    if (count > Math.min(sampleSize, k)) candidates.sort(); // by recency
    if (count > sampleSize) candidates = candidates.subarray(count - sampleSize);

    let newest = Number.NEGATIVE_INFINITY;
    for (const session of candidates) newest = Math.max(newest, index.times[session]!);
    // Where last events are held out, sessions end after now: ages count from the newest, or weights would grow without bound.
    const reference = Math.max(now, newest);
    const age = count > 0 ? reference - newest : 0;
    let compared = 0;
    for (const session of candidates) {
      const size = index.offsets[session + 1]! - index.offsets[session]!;
      const alike = shared[session]! / (similarity === 'vec' ? lastClick.size : Math.sqrt(squares) * Math.sqrt(size));
      const similar = alike * recency(reference - index.times[session]!, age);
      if (positiveOnly && !(similar > 0)) continue;
      candidates[compared] = session;
      similarities[compared++] = similar;
    }
    const nearest = largest(similarities.subarray(0, compared), k);
    for (let c = compared - 1, ties = nearest.ties; c >= 0; c--) {
      const isTied = similarities[c] === nearest.bound;
      if (similarities[c]! < nearest.bound || (isTied && ties-- <= 0)) continue;
      vote(candidates[c]!, similarities[c]!, length);
    }

    if (rules.pushReminders) {
      for (const [item, times] of clicks) if (item >= 1 && item <= n) scores[item - 1]! *= times + 1;
    }
    const answered = scored.subarray(0, scoredCount);
    if (rules.normalize) {
      let most = 0;
      for (const item of answered) most = Math.max(most, scores[item - 1]!);
      if (most > 0) for (const item of answered) scores[item - 1]! /= most;
    }
    return { scores, scored: answered, candidates: compared, age };
  };
}

/** The value that the k largest reach, and how many of them equal it. The more recent of equally similar sessions win. */
function largest(values: Float64Array, k: number): { readonly bound: number; readonly ties: number } {
  if (values.length <= k) return { bound: Number.NEGATIVE_INFINITY, ties: 0 };
  const sorted = values.slice().sort();
  const bound = sorted[sorted.length - k]!;
  let above = 0;
  while (sorted[sorted.length - 1 - above]! > bound) above++;
  return { bound, ties: k - above };
}
