/** Weighted item pairs: what item-kNN, Markov, AR and SR count, keep and look up. */
import type { Catalogue, ItemIndex, NdArray, NdArrays, Sessions } from '../types';
import { float32, int32, mismatch, type ScoreRows } from './baseline';

/**
 * For each item i the strongest items j with their weights, strongest first, equal weights in the order in which the log
 * first shows the pair. Row i is `offsets[i]` … `offsets[i + 1] - 1`; `offsets` has n + 2 entries, row 0 (padding) is
 * empty.
 */
export interface Pairs {
  readonly offsets: Int32Array;
  readonly items: Int32Array;
  readonly weights: Float32Array;
}

/** Adds the weights of one event's pairs: `add(j, w)` for each item j that is paired with the event at `at`. */
export type PairsOfEvent = (at: number, session: number, add: (item: ItemIndex, weight: number) => void) => void;

export interface PairsOptions {
  /** Weight of a pair from its sum; default the sum itself. Pairs of weight 0 are dropped. */
  readonly weigh?: (from: ItemIndex, to: ItemIndex, sum: number) => number;
  /** How many pairs of an item are kept, given how many there are. */
  readonly keep: (found: number) => number;
  /**
   * Lower each weight that equals the one before it by a few millionths, so that scores tell the order of the list.
   * Default false.
   */
  readonly strict?: boolean;
}

/** Four times the resolution of float32: a step of this factor survives the division by the largest score. */
const STEP_DOWN = 1 - 2 ** -21;

/**
 * Counts pairs item by item: the sums of one item's pairs are in one dense row, however many pairs there are in all.
 * Sums are float64; what is kept is float32.
 */
export function countPairs({ items, offsets }: Sessions, n: number, pairs: PairsOfEvent, options: PairsOptions): Pairs {
  const { weigh = (_from, _to, sum) => sum, keep, strict = false } = options;
  const sessionOf = new Int32Array(items.length);
  for (let s = 0; s + 1 < offsets.length; s++) sessionOf.fill(s, offsets[s]!, offsets[s + 1]!);
  const events = eventsByItem(items, n);

  const sums = new Float64Array(n + 1);
  const seen = new Uint8Array(n + 1);
  const touched = new Int32Array(n + 1);
  let found = 0;
  const add = (item: ItemIndex, weight: number) => {
    if (seen[item] === 0) {
      seen[item] = 1;
      touched[found++] = item;
    }
    sums[item]! += weight;
  };

  const rows = new Int32Array(n + 2);
  let keptItems = new Int32Array(items.length + 16);
  let keptWeights = new Float32Array(keptItems.length);
  let kept = 0;
  for (let from = 1; from <= n; from++) {
    for (let e = events.offsets[from]!; e < events.offsets[from + 1]!; e++) {
      const at = events.positions[e]!;
      pairs(at, sessionOf[at]!, add);
    }
    const candidates = touched.subarray(0, found);
    for (const to of candidates) sums[to] = weigh(from, to, sums[to]!);
    candidates.sort((a, b) => sums[b]! - sums[a]!); // stable: candidates are in the order of their first event
    const limit = Math.min(found, keep(found));
    if (kept + limit > keptItems.length) {
      const length = Math.max(2 * keptItems.length, kept + limit);
      keptItems = enlarged(keptItems, new Int32Array(length));
      keptWeights = enlarged(keptWeights, new Float32Array(length));
    }
    for (let i = 0; i < limit; i++) {
      const to = candidates[i]!;
      if (sums[to] === 0) continue;
      keptItems[kept] = to;
      keptWeights[kept] = sums[to]!;
      if (strict && i > 0) {
        const bound = keptWeights[kept - 1]! * STEP_DOWN;
        if (keptWeights[kept]! > bound && bound > 0) keptWeights[kept] = bound;
      }
      kept++;
    }
    rows[from + 1] = kept;
    for (const to of candidates) {
      sums[to] = 0;
      seen[to] = 0;
    }
    found = 0;
  }
  return { offsets: rows, items: keptItems.slice(0, kept), weights: keptWeights.slice(0, kept) };
}

/** Positions of each item's events, in log order. */
function eventsByItem(items: Int32Array, n: number): { offsets: Int32Array; positions: Int32Array } {
  const offsets = new Int32Array(n + 2);
  for (const item of items) offsets[item + 1]!++;
  for (let i = 1; i < offsets.length; i++) offsets[i]! += offsets[i - 1]!;
  const next = offsets.slice();
  const positions = new Int32Array(items.length);
  items.forEach((item, at) => {
    positions[next[item]!++] = at;
  });
  return { offsets, positions };
}

function enlarged<A extends Int32Array | Float32Array>(from: A, to: A): A {
  to.set(from);
  return to;
}

/** Adds the weights of an item's pairs to the row of scores that has begun. */
export function addPairs({ offsets, items, weights }: Pairs, from: ItemIndex, factor: number, rows: ScoreRows): void {
  for (let i = offsets[from]!; i < offsets[from + 1]!; i++) rows.add(items[i]!, factor * weights[i]!);
}

/** Names of the pairs in an artifact. */
export const PAIRS = ['pairs.offsets', 'pairs.items', 'pairs.weights'];

/** The pairs as arrays of an artifact. */
export function writePairs({ offsets, items, weights }: Pairs): Record<string, NdArray> {
  return {
    'pairs.offsets': { data: offsets, shape: [offsets.length] },
    'pairs.items': { data: items, shape: [items.length] },
    'pairs.weights': { data: weights, shape: [weights.length] },
  };
}

/** The pairs of an artifact, checked against the catalogue so that scoring never reads or writes out of bounds. */
export function readPairs(arrays: NdArrays, { items: n }: Catalogue): Pairs {
  const offsets = int32(arrays, 'pairs.offsets', n + 2);
  const items = int32(arrays, 'pairs.items');
  const weights = float32(arrays, 'pairs.weights', items.length);
  for (let i = 0; i <= n; i++) {
    if (offsets[i]! > offsets[i + 1]!) throw mismatch('pairs.offsets', 'ascending offsets', `a step down at ${i + 1}`);
  }
  if (offsets[0] !== 0 || offsets[n + 1] !== items.length) {
    throw mismatch('pairs.offsets', `offsets from 0 to ${items.length}`, `${offsets[0]} to ${offsets[n + 1]}`);
  }
  for (let i = 0; i < items.length; i++) {
    const item = items[i]!;
    if (!(item >= 1 && item <= n)) throw mismatch('pairs.items', `item indices 1…${n}`, `${item} at ${i}`);
  }
  return { offsets, items, weights };
}
