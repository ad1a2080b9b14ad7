import { countSupport, type EventLog, selectEvents } from './event-log';

/**
 * The log without the last events of every session, for leave-one-out. Sessions, items and their numbers stay: an item
 * whose every event was held out is still a candidate.
 *
 * @param count Events to take off each session; what is left may be empty.
 */
export function holdOut(log: EventLog, count: number): EventLog {
  const { offsets } = log.sessions;
  const lengths = Array.from(log.sessionIds, (_, s) => Math.max(0, offsets[s + 1]! - offsets[s]! - count));
  const kept = lengths.flatMap((length, s) => Array.from({ length }, (_, k) => offsets[s]! + k));
  const left = selectEvents(log, Int32Array.from(kept), Int32Array.from(lengths.keys()), lengths);
  return { ...left, support: countSupport(left.sessions.items, log.itemIds.length) };
}
