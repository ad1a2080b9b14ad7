/** A log cut into windows of time, for training on each and testing on the next. */
import { RecommenderError } from '../errors';
import type { EventLog } from './event-log';
import { random } from './random';
import { isoTime } from './split';

export interface Window {
  /** Where the window begins, in seconds since 1970. */
  readonly from: number;
  /** Sessions of the log that start in it, in the log's order. */
  readonly sessions: Int32Array;
}

/**
 * Windows of equal length, by the start of a session; they begin at multiples of their length since 1970, so that days are
 * those of UTC. Windows without a session are left out.
 *
 * @param seconds Length of a window.
 * @throws RecommenderError `bad-input` if the log has no times, or holds fewer than two windows.
 */
export function windowsOf({ sessions: { offsets, times }, report }: EventLog, seconds: number): Window[] {
  if (report.timeUnit === undefined) {
    throw new RecommenderError('bad-input', 'Windows of time need times, and this log has none.');
  }
  const byNumber = new Map<number, number[]>();
  for (let s = 0; s + 1 < offsets.length; s++) {
    const number = Math.floor(times[offsets[s]!]! / seconds);
    const window = byNumber.get(number);
    if (window) window.push(s);
    else byNumber.set(number, [s]);
  }
  const windows = [...byNumber]
    .sort(([a], [b]) => a - b)
    .map(([number, sessions]) => ({ from: number * seconds, sessions: Int32Array.from(sessions) }));
  if (windows.length >= 2) return windows;
  const only = windows[0] ? `, all after ${isoTime(windows[0].from)}` : '';
  throw new RecommenderError(
    'bad-input',
    `Training on a window and testing on the next needs two, and this log has sessions in ${windows.length}${only}. ` +
      'Take shorter windows, or a longer log.',
  );
}

/** The sessions of a window in two halves, drawn by chance: one to tune on, one to report. Always the same two. */
export function halves({ from, sessions }: Window): { readonly valid: Int32Array; readonly test: Int32Array } {
  const drawn = random(0, 'halves', from).shuffle(sessions.slice());
  const middle = drawn.length >> 1;
  return { valid: drawn.slice(0, middle).sort(), test: drawn.slice(middle).sort() };
}
