import { type EventLog, sessionCount, usersOf } from './event-log';
import { gini } from './popularity';

/** Longest session of each bar of the length distribution. */
const LENGTHS = [1, 2, 3, 4, 5, 10, 20, 50, 100, 200, Number.POSITIVE_INFINITY];
/** Shares of the items, most clicked first, at which the popularity curve is read. */
const SHARES = [0.01, 0.05, 0.1, 0.2, 0.5];

/** What a log is like: the numbers that a person looks at before training on it. */
export interface LogSummary {
  /** Number of sessions. */
  readonly sessions: number;
  /** Sessions from which something can be learnt. */
  readonly sessionsOfTwoOrMore: number;
  /** Number of events. */
  readonly events: number;
  /** Number of items. */
  readonly items: number;
  /** Users, where the log names them. */
  readonly users?: number;
  /** First and last event in seconds since 1970; absent for logs without times. */
  readonly time?: { readonly first: number; readonly last: number };
  /** Events of a session. */
  readonly length: {
    /** Of all sessions. */
    readonly mean: number;
    /** Half of the sessions are not longer. */
    readonly median: number;
    /** Nine of ten sessions are not longer. */
    readonly p90: number;
    /** The longest session. */
    readonly max: number;
    /** Sessions of `from` to `to` events; `to` is absent in the last bar. */
    readonly distribution: readonly { readonly from: number; readonly to?: number; readonly sessions: number }[];
  };
  /** How the events are spread over the items. */
  readonly popularity: {
    /** 0 where all items are clicked equally often, near 1 where few get nearly all clicks. */
    readonly gini: number;
    /** Share of the events that the most clicked items get. */
    readonly top: readonly { readonly share: number; readonly items: number; readonly events: number }[];
    /** Items with fewer than five events. */
    readonly itemsBelowFiveEvents: number;
  };
  /** How often items come again. */
  readonly repeats: {
    /** Share of the steps from one event to the next that stay on the item. */
    readonly immediate: number;
    /** Share of the events after the first of a session whose item was in the session before. */
    readonly seen: number;
  };
  /** Rows of each kind of event; empty where the log names no kinds. */
  readonly eventKinds: readonly { readonly name: string; readonly events: number }[];
}

/** Counts what a log is like. */
export function summarise(log: EventLog): LogSummary {
  const { items, times, offsets } = log.sessions;
  const sessions = sessionCount(log);
  const lengths = Int32Array.from({ length: sessions }, (_, s) => offsets[s + 1]! - offsets[s]!).sort();
  const { immediate, seen } = countRepeats(log);
  const steps = Math.max(1, items.length - sessions);
  const hasTimes = log.report.timeUnit !== undefined;
  return {
    sessions,
    sessionsOfTwoOrMore: lengths.filter((length) => length > 1).length,
    events: items.length,
    items: log.itemIds.length,
    ...(log.userIds && { users: usersOf(log).length }),
    ...(hasTimes && {
      time: {
        first: times.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
        last: times.reduce((a, b) => Math.max(a, b), 0),
      },
    }),
    length: {
      mean: items.length / sessions,
      median: (lengths[(sessions - 1) >> 1]! + lengths[sessions >> 1]!) / 2,
      p90: lengths[Math.ceil(sessions * 0.9) - 1]!,
      max: lengths[sessions - 1]!,
      distribution: distribution(lengths),
    },
    popularity: popularity(log.support.slice(1)),
    repeats: { immediate: immediate / steps, seen: seen / steps },
    eventKinds: log.report.eventKinds,
  };
}

function distribution(lengths: Int32Array): LogSummary['length']['distribution'] {
  const bars = LENGTHS.map((to, k) => {
    const from = (LENGTHS[k - 1] ?? 0) + 1;
    const count = lengths.filter((length) => length >= from && length <= to).length;
    return { from, ...(Number.isFinite(to) && { to }), sessions: count };
  });
  while (bars.at(-1)!.sessions === 0) bars.pop();
  return bars;
}

function popularity(support: Int32Array): LogSummary['popularity'] {
  support.sort();
  const n = support.length;
  const total = support.reduce((a, b) => a + b, 0);
  const top = SHARES.map((share) => {
    const items = Math.max(1, Math.round(n * share));
    return { share, items, events: support.subarray(n - items).reduce((a, b) => a + b, 0) / total };
  });
  return {
    gini: gini(support),
    top,
    itemsBelowFiveEvents: support.filter((count) => count < 5).length,
  };
}

function countRepeats({ sessions: { items, offsets }, itemIds }: EventLog): { immediate: number; seen: number } {
  const lastSession = new Int32Array(itemIds.length + 1).fill(-1);
  let immediate = 0;
  let seen = 0;
  for (let s = 0; s + 1 < offsets.length; s++) {
    for (let e = offsets[s]!; e < offsets[s + 1]!; e++) {
      if (e > offsets[s]! && items[e] === items[e - 1]) immediate++;
      if (lastSession[items[e]!] === s) seen++;
      lastSession[items[e]!] = s;
    }
  }
  return { immediate, seen };
}
