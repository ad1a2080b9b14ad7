/**
 * Repeat bias in a loss (`models/repeat-bias.ts`): the items that a session holds before its target get r[l] on top of their score,
 * and are always compared with the target.
 */
import {
  add,
  concat,
  expandDims,
  gather,
  matMul,
  reshape,
  sub,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  zeros,
} from '@tensorflow/tfjs';
import { MASKED } from '../nn/masked';
import { type Outputs, outputsOf } from '../nn/scores';
import { lagsOf } from '../session/lags';
import type { SessionInput } from '../types';
import { type BatchArray, matrix, type Uploaded, vector } from './batch';

/** The cells of a matrix of scores `[M, K]`, one row after the other, that get a score on top, each its r[l]. */
export interface ExtraCells {
  /** Ascending. */
  readonly rows: Int32Array;
  readonly columns: Int32Array;
  readonly kinds: Int32Array;
}

/** What the sessions of M targets hold before them, at most P items each. */
export interface RepeatBatch {
  /** Item indices, `[M, P]`; 0 where a session holds fewer. */
  readonly held: BatchArray<Tensor2D>;
  /** How many clicks ago each was clicked last, `[M, P]`; L where there is none. */
  readonly lags: BatchArray<Tensor2D>;
  /** The same of the target itself, `[M]`; L where the session does not hold it. */
  readonly targetLags: BatchArray<Tensor1D>;
  /** Added to the scores of `held`, `[M, P]`: `MASKED` where there is none, or where it is the target, else 0. */
  readonly mask: BatchArray<Tensor2D>;
  /**
   * Added to the scores of the columns that targets share, `[M, K]`: `MASKED` where the session holds the item, unless it is the
   * target's own column. Absent where no session holds one.
   */
  readonly shared?: BatchArray<Tensor2D>;
  /** log q of `held`, `[M, P]`; absent without correction. */
  readonly logq?: BatchArray<Tensor2D>;
  /** For the full softmax: the cells of `held` among the catalogue's columns, column 0 being item `first`. */
  readonly cells: (first: 0 | 1) => ExtraCells;
}

/** Places of targets. */
export interface TargetPlaces {
  /** Session of each, `[M]`. */
  readonly row: Int32Array;
  /** How many clicks its session has before it, `[M]`. */
  readonly before: Int32Array;
  /** For sessions some of whose clicks are hidden, which those are. */
  readonly hidden?: readonly { readonly targets: Uint8Array }[];
}

/** One target for each session, after all of its clicks. */
export const afterAll = (sessions: readonly SessionInput[]): TargetPlaces => ({
  row: Int32Array.from(sessions.keys()),
  before: Int32Array.from(sessions, ({ items }) => items.length),
});

/**
 * @param most L, clicks that are looked back at.
 * @param columns Items that all targets are compared with, `[K]`; empty where the catalogue is.
 * @param inBatch Whether column m is the m-th target's own.
 * @param logq log q of items, where scores are corrected by it.
 */
export function repeatBatch(
  sessions: readonly SessionInput[],
  { row, before, hidden }: TargetPlaces,
  most: number,
  targets: Int32Array,
  columns: Int32Array,
  { inBatch = false, logq }: { inBatch?: boolean; logq?: ((items: Int32Array) => Float32Array) | undefined } = {},
): RepeatBatch {
  const M = targets.length;
  const found = Array.from(row, (r, m) => lagsOf(sessions[r]!.items, most, before[m]!, hidden?.[r]?.targets));
  const width = found.reduce((longest, { size }) => Math.max(longest, size), 1); // of 0 columns nothing can be computed
  const held = new Int32Array(M * width);
  const lags = new Int32Array(M * width).fill(most);
  const mask = new Float32Array(M * width).fill(MASKED);
  const targetLags = Int32Array.from(found, (own, m) => own.get(targets[m]!) ?? most);
  const places = placesOf(columns);
  let shared: Float32Array | undefined;
  found.forEach((own, m) => {
    let cell = m * width;
    for (const [item, lag] of own) {
      held[cell] = item;
      lags[cell] = lag;
      if (item !== targets[m]) mask[cell] = 0;
      cell++;
      for (const k of places.get(item) ?? []) {
        if (inBatch && k === m) continue;
        shared ??= new Float32Array(M * columns.length);
        shared[m * columns.length + k] = MASKED;
      }
    }
  });
  const array = (data: Int32Array | Float32Array): BatchArray<Tensor2D> => ({ data, shape: [M, width] });
  return {
    held: { ...array(held), items: 'output' },
    lags: array(lags),
    targetLags: vector(targetLags),
    mask: array(mask),
    ...(shared && { shared: matrix(shared, M) }),
    ...(logq && { logq: array(logq(held)) }),
    cells: (first) => cellsOf(held, lags, width, first),
  };
}

/** Places of each item, which may be drawn several times. */
function placesOf(items: Int32Array): Map<number, number[]> {
  const places = new Map<number, number[]>();
  items.forEach((item, k) => {
    const known = places.get(item);
    if (known) known.push(k);
    else places.set(item, [k]);
  });
  return places;
}

function cellsOf(held: Int32Array, lags: Int32Array, width: number, first: 0 | 1): ExtraCells {
  const filled = Int32Array.from(held.keys()).filter((cell) => held[cell] !== 0);
  return {
    rows: filled.map((cell) => Math.floor(cell / width)),
    columns: filled.map((cell) => held[cell]! - first),
    kinds: filled.map((cell) => lags[cell]!),
  };
}

type Held = Uploaded<RepeatBatch>;

/** r, and a 0 for items that no session holds. */
const biasAndNone = ({ repeats }: Outputs): Tensor1D => concat([repeats!, zeros([1])]);

/** What each target gets on top, `[M]`. */
export const targetBias = (outputs: Outputs, { targetLags }: Held): Tensor1D =>
  gather(biasAndNone(outputs), targetLags);

/** Scores of what each target's session holds beside it, `[M, P]`. */
export function heldScores(vectors: Tensor2D, outputs: Outputs, { held, lags, mask, logq }: Held): Tensor2D {
  const [M, width] = held.shape;
  const { table, bias } = outputsOf(outputs, reshape(held, [M * width]) as Tensor1D);
  const products = matMul(reshape(table, [M, width, -1]) as Tensor3D, expandDims(vectors, 2) as Tensor3D);
  const extra = add(reshape(gather(biasAndNone(outputs), reshape(lags, [M * width])), [M, width]), mask);
  const biased = bias ? add(extra, reshape(bias, [M, width])) : extra;
  return add(reshape(products, [M, width]), logq ? sub(biased, logq) : biased) as Tensor2D;
}

/** Scores of the shared columns, `[M, K]`, without the items that a session holds: they have columns of their own. */
export const withoutHeld = (scores: Tensor2D, { shared }: Held): Tensor2D => (shared ? add(scores, shared) : scores);
