/**
 * Session-parallel batches: Hidasi et al., "Session-based Recommendations with Recurrent Neural Networks", ICLR 2016, Figure 2.
 * `batchSize` sessions run side by side, one click a step. A finished session's row is taken over by the next session; once
 * none is left, the row goes and the others close up.
 */
import { cast, gather, greaterEqual, maximum, mul, reshape, scalar, type Tensor, tensor1d } from '@tensorflow/tfjs';
import type { Sessions } from '../types';

/** A row: its session's first event, the event under its cursor, the last event. */
export interface RunningSession {
  readonly start: number;
  readonly at: number;
  readonly last: number;
  /** The row of the step before whose state it carries on; −1 where the session starts. */
  readonly carriedFrom: number;
}

/**
 * The rows of each step of an epoch. As in the official code a session of one event takes a row too, and hands it on before
 * the next step.
 *
 * @param fewest The epoch ends when fewer rows are left.
 * @param first The first session.
 */
export function* sessionParallel(
  { offsets }: Sessions,
  batchSize: number,
  fewest: number,
  first: number,
): Generator<readonly RunningSession[]> {
  const count = offsets.length - 1;
  let next = first;
  const start = (): RunningSession => {
    const s = next++;
    return { start: offsets[s]!, at: offsets[s]!, last: offsets[s + 1]! - 1, carriedFrom: -1 };
  };
  const isFinished = ({ at, last }: RunningSession): boolean => at >= last;
  const refill = (rows: RunningSession[]): RunningSession[] => {
    let running = rows;
    while (running.some(isFinished)) {
      running = running.flatMap((row) => (isFinished(row) ? (next < count ? [start()] : []) : [row]));
    }
    return running;
  };
  let rows = refill(Array.from({ length: Math.min(batchSize, count - first) }, start));
  while (rows.length >= fewest) {
    yield rows;
    rows = refill(rows.map(({ start, at, last }, carriedFrom) => ({ start, at: at + 1, last, carriedFrom })));
  }
}

/** States `[B, …]` in the order of the next step's rows; sessions that start have zeros. */
export function carriedOn<T extends Tensor>(state: readonly T[], from: Int32Array): readonly T[] {
  if (state[0]!.shape[0] === from.length && from.every((row, b) => row === b)) return state;
  const carriedFrom = tensor1d(from, 'int32');
  const goesOn = cast(greaterEqual(carriedFrom, 0), 'float32');
  const source = maximum(carriedFrom, scalar(0, 'int32'));
  return state.map((value) => {
    const factor = reshape(goesOn, [from.length, ...value.shape.slice(1).map(() => 1)]);
    return mul(gather(value, source), factor);
  });
}
