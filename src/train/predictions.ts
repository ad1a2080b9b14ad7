/** What an evaluation asks for, and in which batches. */
import { BLOCK_NUMBERS } from '../nn/scores';
import type { earlierSessions } from '../session/earlier';
import { sessionInput } from '../session/event-log';
import type { SessionInput, Sessions } from '../types';
import type { Protocol } from './types';

const MAX_PREFIXES = 256;
/** Most clicks of a batch, padding included: a network keeps what it computes for each of them until the batch ends. */
const MAX_CLICKS = 51_200;

export interface Predictions {
  /** Session of each prediction; ascending. */
  readonly sessions: Int32Array;
  /** Last event seen of each prediction, from 0; ascending inside a session. */
  readonly positions: Int32Array;
  /** First prediction of each session of the log. */
  readonly starts: Int32Array;
  /** Sessions with a prediction. */
  readonly predicted: number;
}

/** What the protocol asks to predict. */
export function predictionsOf({ offsets }: Sessions, protocol: Protocol, target: 'valid' | 'test'): Predictions {
  const count = offsets.length - 1;
  const starts = new Int32Array(count + 1);
  const back = target === 'valid' ? 3 : 2; // the last event seen, counted from the end
  const firstPosition = (length: number) => (protocol === 'events' ? 0 : length - back);
  const targetsOf = (length: number) => (protocol === 'events' ? Math.max(0, length - 1) : Number(length >= back));
  let predicted = 0;
  for (let s = 0; s < count; s++) {
    const targets = targetsOf(offsets[s + 1]! - offsets[s]!);
    starts[s + 1] = starts[s]! + targets;
    if (targets > 0) predicted++;
  }
  const sessions = new Int32Array(starts[count]!);
  const positions = new Int32Array(starts[count]!);
  for (let s = 0; s < count; s++) {
    const first = firstPosition(offsets[s + 1]! - offsets[s]!);
    for (let p = starts[s]!; p < starts[s + 1]!; p++) {
      sessions[p] = s;
      positions[p] = first + p - starts[s]!;
    }
  }
  return { sessions, positions, starts, predicted };
}

/** Predictions in batches of similar prefix length, so that little padding is computed. */
export function* batchesByLength(positions: Int32Array, n: number): Generator<number[]> {
  const rows = Math.min(MAX_PREFIXES, Math.max(1, Math.floor(BLOCK_NUMBERS / n)));
  const order = Int32Array.from(positions.keys()).sort((a, b) => positions[a]! - positions[b]! || a - b);
  for (let start = 0, end = 0; start < order.length; start = end) {
    end = Math.min(start + rows, order.length);
    while (end - start > 1 && (end - start) * (positions[order[end - 1]!]! + 1) > MAX_CLICKS) end--;
    yield Array.from(order.subarray(start, end));
  }
}

export function prefixOf(
  sessions: Sessions,
  predictions: Predictions,
  p: number,
  earlierOf: ReturnType<typeof earlierSessions>,
): SessionInput {
  const session = predictions.sessions[p]!;
  const first = sessions.offsets[session]!;
  const prefix = sessionInput(sessions, session, first, first + predictions.positions[p]! + 1);
  return earlierOf ? { ...prefix, earlier: earlierOf(session) } : prefix;
}
