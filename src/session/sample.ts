import { type EventLog, selectSessions, sessionCount } from './event-log';
import { random } from './random';

/**
 * A share of a log's sessions, in the log's order: the same ones for the same seed.
 *
 * @param share Above 0, at most 1; at least one session is drawn.
 */
export function sampleSessions(log: EventLog, share: number, seed: number): EventLog {
  const all = Int32Array.from({ length: sessionCount(log) }, (_, s) => s);
  const count = Math.max(1, Math.round(share * all.length));
  return selectSessions(log, random(seed, 'sessions').shuffle(all).subarray(0, count).sort());
}
