/** What a counting baseline is: the counterpart of `models/model.ts` for models that count instead of learning. */
import { RecommenderError } from '../errors';
import type { OptionSpecs } from '../models/model';
import { boolean } from '../models/options';
import type { Catalogue, ItemIndex, NdArray, Scorer, SequenceRow, Sessions } from '../types';

/** A baseline. `C` is its configuration, checked by `models/configuration.ts` like a network's. */
export interface Baseline<C> {
  readonly name: string;
  /** One line: what it counts, and where it is from. */
  readonly paper: string;
  readonly options: OptionSpecs<C>;
  /** Counts a log. The arrays are what the artifact holds, by their names there. */
  fit(sessions: Sessions, catalogue: Catalogue, config: C): Record<string, NdArray>;
  /** Names of the arrays of `fit`. */
  readonly arrays: readonly string[];
  /**
   * Scores from the arrays of `fit`.
   *
   * @throws RecommenderError `weights-mismatch` if an array is missing or does not fit the catalogue.
   */
  scorer(arrays: Readonly<Record<string, NdArray>>, catalogue: Catalogue, config: C): Scorer;
}

/**
 * Writes the scores of one session into a row that is all 0 on entry; column i belongs to item index i + 1.
 *
 * @param items The session's clicks are `items[from]` … `items[to - 1]`, oldest first, at least one.
 * @param now Time of the last click in seconds since 1970, where it is known.
 */
export type FillRow = (
  items: ArrayLike<ItemIndex>,
  from: number,
  to: number,
  row: Float32Array,
  now: number | undefined,
) => void;

/** Cells of a block of `scoreSequences`: 4 MB, so that a row is still in the cache when it is ranked. */
const BLOCK_CELLS = 1024 * 1024;

/**
 * A scorer of `items` items from a function that fills one row. Nothing is allocated per row or candidate.
 *
 * @param isEvidence As `Scorer` has it. Default: of every score but 0.
 */
export function rowScorer(
  items: number,
  fill: FillRow,
  isEvidence: NonNullable<Scorer['isEvidence']> = (score) => score !== 0,
): Scorer {
  return {
    items,
    isEvidence,
    async score(sessions) {
      const scores = new Float32Array(sessions.length * items);
      sessions.forEach((session, i) => {
        if (session.items.length === 0) throw new RangeError('score: a session has no click; pass at least one.');
        const to = session.items.length;
        fill(session.items, 0, to, scores.subarray(i * items, (i + 1) * items), session.times?.[to - 1]);
      });
      return scores;
    },
    async scoreSequences({ items: clicks, times, offsets }, visit) {
      const capacity = Math.max(1, Math.floor(BLOCK_CELLS / items));
      const block = new Float32Array(capacity * items);
      let rows: SequenceRow[] = [];
      const flush = () => {
        visit(block.subarray(0, rows.length * items), rows);
        block.fill(0);
        rows = [];
      };
      for (let session = 0; session + 1 < offsets.length; session++) {
        const from = offsets[session]!;
        const last = offsets[session + 1]! - 1;
        for (let at = from; at < last; at++) {
          const row = rows.length;
          fill(clicks, from, at + 1, block.subarray(row * items, (row + 1) * items), times[at]);
          rows.push({ session, position: at - from });
          if (rows.length === capacity) flush();
        }
      }
      if (rows.length > 0) flush();
    },
    dispose() {},
  };
}

/** Events of each item, `[n + 1]`, entry 0 unused; from the sessions where the catalogue does not say. */
export function supportOf(sessions: Sessions, catalogue: Catalogue): ArrayLike<number> {
  if (catalogue.support) return catalogue.support;
  const support = new Int32Array(catalogue.items + 1);
  for (const item of sessions.items) support[item]!++;
  return support;
}

/** Some shops see an item again in the session, others never: a basket holds it once. */
export const REMIND = boolean(true, 'whether items of the running session may be recommended', 'session-rec');

/** The items of a session score nothing. */
export function forgetSession(items: ArrayLike<ItemIndex>, from: number, to: number, row: Float32Array): void {
  for (let at = from; at < to; at++) row[items[at]! - 1] = 0;
}

/** Divides a row of scores by the largest, unless that is 0. */
export function divideByLargest(row: Float32Array | Float64Array): void {
  let largest = 0;
  for (const score of row) if (score > largest) largest = score;
  if (largest > 0) for (let i = 0; i < row.length; i++) row[i]! /= largest;
}

/**
 * An array of an artifact, checked.
 *
 * @param length Number of values, where it is known.
 * @throws RecommenderError `weights-mismatch`
 */
export function float32(arrays: Readonly<Record<string, NdArray>>, name: string, length?: number): Float32Array {
  const data = arrays[name]?.data;
  if (!(data instanceof Float32Array)) throw mismatch(name, 'float32 values', data ? 'int32 values' : 'nothing');
  if (length !== undefined && data.length !== length) throw mismatch(name, `${length} values`, `${data.length}`);
  for (let i = 0; i < data.length; i++) {
    if (!Number.isFinite(data[i]!)) throw mismatch(name, 'finite values', `${data[i]} at ${i}`);
  }
  return data;
}

/** The same for int32. */
export function int32(arrays: Readonly<Record<string, NdArray>>, name: string, length?: number): Int32Array {
  const data = arrays[name]?.data;
  if (!(data instanceof Int32Array)) throw mismatch(name, 'int32 values', data ? 'float32 values' : 'nothing');
  if (length !== undefined && data.length !== length) throw mismatch(name, `${length} values`, `${data.length}`);
  return data;
}

export function mismatch(name: string, expected: string, got: string): RecommenderError {
  return new RecommenderError(
    'weights-mismatch',
    `The array "${name}" of the artifact: expected ${expected}, got ${got}. Train the model again, or export it whole.`,
  );
}
