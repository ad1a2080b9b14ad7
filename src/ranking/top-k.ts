/** The best items of one row of scores. Column i of a row belongs to item index i + 1. */
import { RecommenderError } from '../errors';
import type { ItemIndex } from '../types';

/** An item and its score. */
export interface ScoredItem {
  readonly index: ItemIndex;
  readonly score: number;
}

/** Whether an item is no candidate; called only for items that would be among the best. */
export type Excluded = Pick<ReadonlySet<ItemIndex>, 'has'>;
/** The same, to be gone through where they are few. */
export interface ExcludedItems extends Excluded, Iterable<ItemIndex> {
  readonly size: number;
}

/**
 * The k best items, best first; equal scores by ascending item index, so that the answer is the same on every backend.
 *
 * @param scores One row of scores, `[n]`.
 * @param k How many, at least 0; fewer come back where there are fewer candidates.
 * @param exclude Item indices never to answer with.
 * @throws RecommenderError `not-finite` if a score, of an excluded item too, is NaN or infinite.
 */
export function topK(scores: Float32Array, k: number, exclude?: Excluded): ScoredItem[] {
  const columns = new Int32Array(Math.min(checkedK(k), scores.length));
  const found = topColumns(scores, columns, exclude);
  return Array.from(columns.subarray(0, found), (column) => ({ index: column + 1, score: scores[column]! }));
}

/**
 * `topK` without allocation: writes the columns (item index - 1) of the best items into `columns`, best first.
 *
 * A heap holds the best so far with the worst of them at its root. Columns are read in ascending order, so a candidate
 * that only equals the root loses to it: most columns cost one comparison.
 *
 * @param columns Its length is k.
 * @returns How many were found.
 * @throws RecommenderError `not-finite` if a score is NaN or infinite.
 */
export function topColumns(scores: Float32Array, columns: Int32Array, exclude?: Excluded): number {
  const k = columns.length;
  let size = 0;
  let worst = Number.NEGATIVE_INFINITY; // score at the root once the heap is full
  for (let column = 0; column < scores.length; column++) {
    const score = scores[column]!;
    if (score - score !== 0) throw notFinite(score, column + 1);
    if (size === k && score <= worst) continue;
    if (k === 0 || exclude?.has(column + 1)) continue;
    if (size < k) {
      columns[size++] = column;
      if (size === k) for (let at = (k >> 1) - 1; at >= 0; at--) siftDown(scores, columns, at, k);
    } else {
      columns[0] = column;
      siftDown(scores, columns, 0, k);
    }
    if (size === k) worst = scores[columns[0]!]!;
  }
  columns.subarray(0, size).sort((a, b) => scores[b]! - scores[a]! || a - b);
  return size;
}

/** The error that every consumer of scores throws instead of ranking garbage. */
export function notFinite(score: number, item: ItemIndex): RecommenderError {
  return new RecommenderError(
    'not-finite',
    `The score of item index ${item} is ${score}, expected a finite number: damaged weights, or a training that diverged.`,
  );
}

/** Whether the item in column a ranks below the one in column b. */
function ranksBelow(scores: Float32Array, a: number, b: number): boolean {
  const difference = scores[a]! - scores[b]!;
  return difference < 0 || (difference === 0 && a > b);
}

function siftDown(scores: Float32Array, heap: Int32Array, from: number, size: number): void {
  const moved = heap[from]!;
  let at = from;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= size) break;
    if (child + 1 < size && ranksBelow(scores, heap[child + 1]!, heap[child]!)) child++;
    if (!ranksBelow(scores, heap[child]!, moved)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = moved;
}

function checkedK(k: number): number {
  if (!Number.isInteger(k) || k < 0) throw new RangeError(`topK: k must be a whole number of at least 0, got ${k}.`);
  return k;
}
