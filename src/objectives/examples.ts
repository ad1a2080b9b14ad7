/** Which parts of a log's sessions are examples, and what a step reads of them. Plain arrays, no tensors. */
import type { Tensor1D } from '@tensorflow/tfjs';
import { sessionInput } from '../session/event-log';
import type { SessionInput, Sessions } from '../types';
import { type BatchArray, outputItems, type Prepared, type TrainingLog, vector } from './batch';
import { lengthBuckets } from './bucketing';

/** Part of session `source`: the clicks `from` … `firstTarget` − 1 are read, `firstTarget` … `end` − 1 predicted. */
export interface Example {
  readonly source: number;
  readonly from: number;
  readonly firstTarget: number;
  readonly end: number;
}

/** Sessions from `first` on with at least one (click, next click) pair: number, start, end. */
export function* trainable(
  { offsets }: Sessions,
  first: number,
): Generator<[source: number, start: number, end: number]> {
  for (let source = first; source + 1 < offsets.length; source++) {
    const [start, end] = [offsets[source]!, offsets[source + 1]!];
    if (end - start >= 2) yield [source, start, end];
  }
}

/** One example a session: every click but the last is read, and predicts the one after it; the latest of long sessions. */
export function sequences({ sessions, first }: TrainingLog, maxLength: number): Example[] {
  return Array.from(trainable(sessions, first), ([source, start, end]) => {
    const from = Math.max(start, end - 1 - maxLength);
    return { source, from, firstTarget: from + 1, end };
  });
}

/** Every prefix of every session with the click after it. */
export function prefixes({ sessions, first }: TrainingLog, maxLength: number): Example[] {
  const examples: Example[] = [];
  for (const [source, start, end] of trainable(sessions, first)) {
    for (let target = start + 1; target < end; target++) {
      examples.push({ source, from: Math.max(start, target - maxLength), firstTarget: target, end: target + 1 });
    }
  }
  return examples;
}

/** The items of an example's targets, in order. */
export const targetsOf = (examples: readonly Example[], { items }: Sessions): Int32Array =>
  Int32Array.from(examples.flatMap(({ firstTarget, end }) => Array.from(items.subarray(firstTarget, end))));

type Prepare = (sessions: readonly SessionInput[]) => Prepared;

/** The place of a session: its number among the rows of all buckets, and its first cell and width among their cells. */
export interface Cells {
  readonly place: number;
  readonly first: number;
  readonly width: number;
}

/**
 * What the network reads of sessions.
 *
 * @param prepare Gives arrays of which `items` is `[B, W]`.
 * @param longest Clicks that the network sees; undefined where all sessions must share one rectangle.
 */
export function inBuckets(
  prepare: Prepare,
  sessions: readonly SessionInput[],
  longest: number | undefined,
): { readonly inputs: readonly Prepared[]; readonly cells: readonly Cells[] } {
  const buckets = longest
    ? lengthBuckets(sessions.map(({ items }) => Math.min(items.length, longest)))
    : [Int32Array.from(sessions.keys())];
  const cells: Cells[] = [];
  let [first, place] = [0, 0];
  const inputs = buckets.map((bucket) => {
    const prepared = prepare(Array.from(bucket, (b) => sessions[b]!));
    const width = prepared.items!.shape[1]!;
    for (const b of bucket) {
      cells[b] = { first, width, place: place++ };
      first += width;
    }
    return prepared;
  });
  return { inputs, cells };
}

/** What a step reads of sessions in which each click predicts the next one. */
export interface SequenceBatch {
  readonly inputs: readonly Prepared[];
  /** Which of the network's vectors, of all buckets in a row, predicts each target, `[M]`. */
  readonly positions: BatchArray<Tensor1D>;
  readonly targets: BatchArray<Tensor1D>;
}

/** The same as plain numbers. */
export interface SequenceTargets {
  readonly sessions: readonly SessionInput[];
  readonly items: Int32Array;
  /** Session of each target, and how many of its clicks come before the target, `[M]`. */
  readonly row: Int32Array;
  readonly before: Int32Array;
}

/** @param column The column of click t (0-based) of a session of n clicks in a rectangle of that width. */
export function sequenceBatch(
  examples: readonly Example[],
  log: Sessions,
  prepare: Prepare,
  column: (t: number, n: number, width: number) => number,
  longest: number | undefined,
): { readonly batch: SequenceBatch; readonly targets: SequenceTargets } {
  const sessions = examples.map(({ source, from, end }) => sessionInput(log, source, from, end - 1));
  const { inputs, cells } = inBuckets(prepare, sessions, longest);
  const items = targetsOf(examples, log);
  const row = new Int32Array(items.length);
  const before = new Int32Array(items.length);
  const positions = new Int32Array(items.length);
  let m = 0;
  examples.forEach(({ from, end }, b) => {
    const { first, width } = cells[b]!;
    const n = end - 1 - from;
    for (let t = 0; t < n; t++, m++) {
      row[m] = b;
      before[m] = t + 1;
      positions[m] = first + column(t, n, width);
    }
  });
  return {
    batch: { inputs, positions: vector(positions), targets: outputItems(items) },
    targets: { sessions, items, row, before },
  };
}
