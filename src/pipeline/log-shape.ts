/** What a log is like over its time and over its items, as plots show it. */
import type { EventLog } from '../session/event-log';

/** Lengths of time that events are counted by, in seconds. */
const PERIODS = { hour: 3600, day: 86_400, week: 7 * 86_400, month: 30 * 86_400 } as const;
/** Periods of a plot at most, where the longest is not too short. */
const MOST_PERIODS = 100;
/** Most sessions of an item in each bar. */
const SESSIONS = [1, 2, 4, 9, 19, 49, 99, 999, Number.POSITIVE_INFINITY];

export interface LogShape {
  /** Events of each period from the first event on; absent for a log without times. */
  readonly time?: { readonly period: keyof typeof PERIODS; readonly events: readonly number[] };
  /** Items that are in `from` to `to` sessions; `to` is absent in the last bar. */
  readonly itemSessions: readonly { readonly from: number; readonly to?: number; readonly items: number }[];
}

export function logShape({ sessions: { items, times, offsets }, itemIds, report }: EventLog): LogShape {
  const lastSession = new Int32Array(itemIds.length + 1).fill(-1);
  const counts = new Int32Array(itemIds.length + 1);
  for (let s = 0; s + 1 < offsets.length; s++) {
    for (let e = offsets[s]!; e < offsets[s + 1]!; e++) {
      const item = items[e]!;
      if (lastSession[item] !== s) counts[item]!++;
      lastSession[item] = s;
    }
  }
  const bars = SESSIONS.map((to, k) => {
    const from = (SESSIONS[k - 1] ?? 0) + 1;
    const within = counts.subarray(1).filter((count) => count >= from && count <= to).length;
    return { from, ...(Number.isFinite(to) && { to }), items: within };
  });
  while (bars.at(-1)!.items === 0) bars.pop();
  return { ...(report.timeUnit !== undefined && { time: overTime(times) }), itemSessions: bars };
}

function overTime(times: ArrayLike<number>): NonNullable<LogShape['time']> {
  let [first, last] = [Number.POSITIVE_INFINITY, 0];
  for (let e = 0; e < times.length; e++) {
    first = Math.min(first, times[e]!);
    last = Math.max(last, times[e]!);
  }
  const names = Object.keys(PERIODS) as (keyof typeof PERIODS)[];
  const period = names.find((name) => (last - first) / PERIODS[name] < MOST_PERIODS) ?? 'month';
  const events = new Array<number>(Math.floor((last - first) / PERIODS[period]) + 1).fill(0);
  for (let e = 0; e < times.length; e++) events[Math.floor((times[e]! - first) / PERIODS[period])]!++;
  return { period, events };
}
