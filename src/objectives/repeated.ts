/** The items that a session holds already, as the loss of a model with `outputs.repeats` sees them. Plain arrays. */
import { MASKED } from '../nn/masked';
import { lagsOf } from '../session/lags';
import type { SessionInput } from '../types';

/** For M targets: what the session of each holds before it, at most P items. */
export interface Repeated {
  /** P. */
  readonly width: number;
  /** Item indices, `[M, P]`; 0 where a session holds fewer. */
  readonly ids: Int32Array;
  /** How many clicks ago, `[M, P]`; L where there is none. */
  readonly lags: Int32Array;
  /** The same of the target itself, `[M]`; L where the session does not hold it. */
  readonly targetLags: Int32Array;
  /** Added to the scores of `ids`, `[M, P]`: `MASKED` where there is none, or where it is the target, else 0. */
  readonly mask: Float32Array;
  /**
   * The same of the other columns that targets share, `[M, K]`: `MASKED` where the session holds the item, unless it is the
   * target's own column. Absent where there is none.
   */
  readonly shared?: Float32Array;
}

/** Where targets stand. */
export interface TargetPlaces {
  /** Session of each, `[M]`. */
  readonly row: Int32Array;
  /** How many clicks its session has before it, `[M]`. */
  readonly before: Int32Array;
  /** For sessions some of whose clicks are hidden, which those are. */
  readonly hidden?: readonly { readonly targets: Uint8Array }[];
}

/**
 * @param most L, clicks that are looked back at.
 * @param columns Items that all targets are compared with, `[K]`: negatives, with `inBatch` the targets before them; empty
 *   where the catalogue is.
 */
export function repeatedItems(
  sessions: readonly SessionInput[],
  { row, before, hidden }: TargetPlaces,
  most: number,
  targets: Int32Array,
  columns: Int32Array,
  inBatch = false,
): Repeated {
  const found = Array.from(row, (r, m) => lagsOf(sessions[r]!.items, most, before[m]!, hidden?.[r]?.targets));
  const width = found.reduce((longest, { size }) => Math.max(longest, size), 0);
  const cells = targets.length * width;
  const ids = new Int32Array(cells);
  const lags = new Int32Array(cells).fill(most);
  const mask = new Float32Array(cells).fill(MASKED);
  const targetLags = Int32Array.from(found, (own, m) => own.get(targets[m]!) ?? most);
  const places = placesOf(columns);
  let shared: Float32Array | undefined;
  found.forEach((own, m) => {
    let cell = m * width;
    for (const [item, lag] of own) {
      ids[cell] = item;
      lags[cell] = lag;
      if (item !== targets[m]) mask[cell] = 0;
      cell++;
      for (const k of places.get(item) ?? []) {
        if (inBatch && k === m) continue;
        shared ??= new Float32Array(targets.length * columns.length);
        shared[m * columns.length + k] = MASKED;
      }
    }
  });
  return { width, ids, lags, targetLags, mask, ...(shared && { shared }) };
}

/** One target for each session, after all of its clicks. */
export const afterAll = (sessions: readonly SessionInput[]): TargetPlaces => ({
  row: Int32Array.from(sessions.keys()),
  before: Int32Array.from(sessions, ({ items }) => items.length),
});

/** Where each item stands; it may be drawn several times. */
function placesOf(ids: Int32Array): Map<number, number[]> {
  const places = new Map<number, number[]>();
  ids.forEach((id, k) => {
    const known = places.get(id);
    if (known) known.push(k);
    else places.set(id, [k]);
  });
  return places;
}

/** The cells of a matrix of scores `[M, K]`, one row after the other, that get a score on top, each its r[l]. */
export interface ExtraCells {
  /** Ascending. */
  readonly rows: Int32Array;
  readonly columns: Int32Array;
  readonly kinds: Int32Array;
}

/** Where the items stand among all of the catalogue's, the first in column 0 being item `first`. */
export function cellsOf({ width, ids, lags }: Repeated, first: 0 | 1): ExtraCells {
  const held = Int32Array.from(ids.keys()).filter((cell) => ids[cell] !== 0);
  return {
    rows: held.map((cell) => Math.floor(cell / width)),
    columns: held.map((cell) => ids[cell]! - first),
    kinds: held.map((cell) => lags[cell]!),
  };
}
