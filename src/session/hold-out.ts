import { countSupport, type EventLog } from './event-log';

/**
 * The log without the last events of every session, for leave-one-out. Sessions, items and their numbers stay: an item
 * whose every event was held out is still a candidate.
 *
 * @param count Events to take off each session; what is left may be empty.
 */
export function holdOut(log: EventLog, count: number): EventLog {
  const { items, times, offsets } = log.sessions;
  const kept: number[] = [];
  const newOffsets = new Int32Array(offsets.length);
  for (let s = 0; s + 1 < offsets.length; s++) {
    for (let e = offsets[s]!; e < offsets[s + 1]! - count; e++) kept.push(e);
    newOffsets[s + 1] = kept.length;
  }
  const order = Int32Array.from(kept);
  const left = order.map((e) => items[e]!);
  const { events, features, ...rest } = log;
  return {
    ...rest,
    sessions: { items: left, times: Float64Array.from(order, (e) => times[e]!), offsets: newOffsets },
    ...(events && { events: Uint8Array.from(order, (e) => events[e]!) }),
    ...(features && {
      features: new Map(
        [...features].map(([name, { codes, names }]) => [name, { codes: order.map((e) => codes[e]!), names }]),
      ),
    }),
    support: countSupport(left, log.itemIds.length),
  };
}
