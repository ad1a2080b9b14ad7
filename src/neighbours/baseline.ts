/** What a counting baseline is: the counterpart of `models/model.ts` for models that count instead of learning. */
import { RecommenderError } from '../errors';
import type { OptionSpecs } from '../models/model';
import { boolean } from '../models/options';
import type { Catalogue, ItemIndex, NdArray, NdArrays, Scorer, SequenceRow, Sessions } from '../types';

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
  scorer(arrays: NdArrays, catalogue: Catalogue, config: C): Scorer;
}

/**
 * Rows of scores, `[rows, n]`: each a copy of one base row, except for the columns that a model changes. Those are known, so
 * that a row of a large catalogue is ranked, and made again, without reading all of it. Column i belongs to item index i + 1.
 */
export class ScoreRows {
  readonly scores: Float32Array;
  /** The changed columns of row r are the first `#counts[r]` from r · n on. */
  readonly #columns: Int32Array;
  readonly #isChanged: Uint8Array;
  readonly #counts: Int32Array;
  readonly #base: Float32Array;
  #row = 0;
  #start = 0;

  constructor(rows: number, base: Float32Array) {
    this.#base = base;
    this.scores = new Float32Array(rows * base.length);
    for (let row = 0; row < rows; row++) this.scores.set(base, row * base.length);
    this.#columns = new Int32Array(this.scores.length);
    this.#isChanged = new Uint8Array(this.scores.length);
    this.#counts = new Int32Array(rows);
  }

  /** Makes a row the one that is written, and the base row again. */
  begin(row: number): void {
    this.#row = row;
    this.#start = row * this.#base.length;
    for (const column of this.changed(row)) {
      this.scores[this.#start + column] = this.#base[column]!;
      this.#isChanged[this.#start + column] = 0;
    }
    this.#counts[row] = 0;
  }

  /** @param item An index of 1…n; another one would be written into the row beside. */
  add(item: ItemIndex, weight: number): void {
    this.scores[this.#change(item)]! += weight;
  }

  /** @param item As for `add`. */
  set(item: ItemIndex, score: number): void {
    this.scores[this.#change(item)] = score;
  }

  /** Divides the row by its largest score, unless that is 0; for rows whose base is 0. */
  divideByLargest(): void {
    const changed = this.changed(this.#row);
    let largest = 0;
    for (const column of changed) largest = Math.max(largest, this.scores[this.#start + column]!);
    if (largest > 0) for (const column of changed) this.scores[this.#start + column]! /= largest;
  }

  /** The columns of a row that were written, each once. */
  changed(row: number): Int32Array {
    const start = row * this.#base.length;
    return this.#columns.subarray(start, start + this.#counts[row]!);
  }

  #change(item: ItemIndex): number {
    const cell = this.#start + item - 1;
    if (this.#isChanged[cell] === 0) {
      this.#isChanged[cell] = 1;
      this.#columns[this.#start + this.#counts[this.#row]!++] = item - 1;
    }
    return cell;
  }
}

/**
 * Writes the scores of one session into the row that has begun.
 *
 * @param items The session's clicks are `items[from]` … `items[to - 1]`, oldest first, at least one.
 * @param now Time of the last click in seconds since 1970, where it is known.
 */
export type FillRow = (
  items: ArrayLike<ItemIndex>,
  from: number,
  to: number,
  rows: ScoreRows,
  now: number | undefined,
) => void;

/** Cells of a block of `scoreSequences`, of 9 bytes each: few enough that a row is still in the cache when it is ranked. */
const BLOCK_CELLS = 1024 * 1024;

/**
 * A scorer from a function that fills one row. Nothing is allocated per candidate.
 *
 * @param base `[n]`, the scores of what the function does not write.
 * @param isEvidence As `Scorer` has it. Default: of every score but 0.
 */
export function rowScorer(
  base: Float32Array,
  fill: FillRow,
  isEvidence: NonNullable<Scorer['isEvidence']> = (score) => score !== 0,
): Scorer {
  const items = base.length;
  return {
    items,
    isEvidence,
    base,
    async score(sessions) {
      const scores = new Float32Array(sessions.length * items);
      const row = new ScoreRows(1, base);
      sessions.forEach((session, i) => {
        if (session.items.length === 0) throw new RangeError('score: a session has no click; pass at least one.');
        const to = session.items.length;
        row.begin(0);
        fill(session.items, 0, to, row, session.times?.[to - 1]);
        scores.set(row.scores, i * items);
      });
      return scores;
    },
    async scoreSequences({ items: clicks, times, offsets }, visit) {
      const capacity = Math.max(1, Math.floor(BLOCK_CELLS / items));
      const block = new ScoreRows(capacity, base);
      let rows: SequenceRow[] = [];
      const flush = async () => {
        await visit(block.scores.subarray(0, rows.length * items), rows);
        rows = [];
      };
      for (let session = 0; session + 1 < offsets.length; session++) {
        const from = offsets[session]!;
        const last = offsets[session + 1]! - 1;
        for (let at = from; at < last; at++) {
          const row = rows.length;
          block.begin(row);
          fill(clicks, from, at + 1, block, times[at]);
          rows.push({ session, position: at - from, changed: block.changed(row) });
          if (row + 1 === capacity) await flush();
        }
      }
      if (rows.length > 0) await flush();
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
export function forgetSession(items: ArrayLike<ItemIndex>, from: number, to: number, rows: ScoreRows): void {
  for (let at = from; at < to; at++) rows.set(items[at]!, 0);
}

/**
 * An array of an artifact, checked.
 *
 * @param length Number of values, where it is known.
 * @throws RecommenderError `weights-mismatch`
 */
export function float32(arrays: NdArrays, name: string, length?: number): Float32Array {
  const data = arrays[name]?.data;
  if (!(data instanceof Float32Array)) throw mismatch(name, 'float32 values', data ? 'int32 values' : 'nothing');
  if (length !== undefined && data.length !== length) throw mismatch(name, `${length} values`, `${data.length}`);
  for (let i = 0; i < data.length; i++) {
    if (!Number.isFinite(data[i]!)) throw mismatch(name, 'finite values', `${data[i]} at ${i}`);
  }
  return data;
}

/** The same for int32. */
export function int32(arrays: NdArrays, name: string, length?: number): Int32Array {
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
