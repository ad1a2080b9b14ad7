import { RecommenderError } from '../errors';
import { type Dropped, type EventLog, selectSessions, sessionCount } from './event-log';
import { sortByTime } from './sort';

/**
 * The late part of a log. `from`: sessions at or after a time, in seconds since 1970. `seconds`: sessions at most so
 * long before the log's last event. `share`: the last so many of its sessions.
 */
export type LatePart = { readonly from: number } | { readonly seconds: number } | { readonly share: number };

export interface SplitOptions {
  /** Which time places a session: its first event's (GRU4Rec's comparison) or its last event's (RSC15). Default start. */
  readonly by?: 'start' | 'end';
  /** The latest sessions: their share, their length of time, or since when. */
  readonly test: LatePart;
  /** The same rule, applied to what the test part leaves. Default: no validation part. */
  readonly valid?: LatePart;
}

export interface Split {
  /** What is before the validation part, or before the test part where there is none. */
  readonly train: EventLog;
  readonly valid?: EventLog;
  /** May hold items that the training part does not; evaluation leaves them out and counts them. */
  readonly test: EventLog;
}

/**
 * Splits a log by time; sessions are never cut. Sessions without events, which a hold-out leaves, are in no part.
 *
 * @param name What messages call the test part.
 * @throws RecommenderError `bad-input` if a part would be empty, or the log has no times and the part needs them.
 * @see Hidasi & Czapp, "Widespread Flaws in Offline Evaluation of Recommender Systems", RecSys 2023,
 *   https://arxiv.org/abs/2307.14951, on why time splits
 */
export function splitLog(log: EventLog, { by = 'start', test, valid }: SplitOptions, name = 'test'): Split {
  const filled = filledSessions(log);
  const [known, tested] = cut(log, filled, by, test, name);
  if (!valid) return { train: selectSessions(log, known), test: selectSessions(log, tested) };
  const [trained, validated] = cut(log, known, by, valid, 'validation');
  return {
    train: selectSessions(log, trained),
    valid: selectSessions(log, validated),
    test: selectSessions(log, tested),
  };
}

/** The sessions that hold an event. */
function filledSessions(log: EventLog): Int32Array {
  const { offsets } = log.sessions;
  const all = Int32Array.from({ length: sessionCount(log) }, (_, s) => s);
  return all.filter((s) => offsets[s + 1]! > offsets[s]!);
}

/** Some sessions of a log in two parts, early and late, each in the log's order. */
function cut(
  log: EventLog,
  sessions: Int32Array,
  by: 'start' | 'end',
  part: LatePart,
  name: string,
): [Int32Array, Int32Array] {
  const { times, offsets } = log.sessions;
  const timeOf = (s: number): number => times[by === 'start' ? offsets[s]! : offsets[s + 1]! - 1]!;
  if (!('share' in part) && log.report.timeUnit === undefined) {
    throw new RecommenderError(
      'bad-input',
      `A ${name} part by date or days needs times, and this log has none; take a share of its sessions, such as last:10%.`,
    );
  }
  const late = new Uint8Array(sessionCount(log));
  if ('share' in part) {
    const order = sessions.slice();
    sortByTime(order, 0, order.length, timeOf);
    for (const s of order.subarray(order.length - Math.max(1, Math.round(order.length * part.share)))) late[s] = 1;
  } else {
    const last = sessions.reduce((latest, s) => Math.max(latest, times[offsets[s + 1]! - 1]!), 0);
    const from = 'from' in part ? part.from : last - part.seconds;
    for (const s of sessions) if (timeOf(s) >= from) late[s] = 1;
  }
  const parts: [Int32Array, Int32Array] = [sessions.filter((s) => !late[s]), sessions.filter((s) => late[s])];
  if (parts[0].length > 0 && parts[1].length > 0) return parts;
  const empty = parts[1].length === 0 ? `The ${name} part` : `The part before the ${name} part`;
  const span = log.report.timeUnit === undefined ? '' : `, which ${by} between ${spanOf(sessions, timeOf)}`;
  throw new RecommenderError(
    'bad-input',
    `${empty} would be empty, expected at least one session in it; there are ${sessions.length} sessions${span}.`,
  );
}

function spanOf(sessions: Int32Array, timeOf: (s: number) => number): string {
  const sorted = Float64Array.from(sessions, timeOf).sort();
  return `${isoTime(sorted[0] ?? Number.POSITIVE_INFINITY)} and ${isoTime(sorted.at(-1) ?? 0)}`;
}

/** Seconds since 1970 as ISO 8601, in UTC and whole seconds. */
export function isoTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? `${seconds} s` : date.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Counts of one part. */
export interface PartCounts {
  /** Number of sessions that hold an event: a hold-out may leave others empty. */
  readonly sessions: number;
  /** Number of events. */
  readonly events: number;
  /** Number of items. */
  readonly items: number;
}

/** What `aisle split --json` prints and `split.json` holds. */
export interface SplitCounts {
  readonly train: PartCounts;
  readonly valid?: PartCounts;
  readonly test: PartCounts;
  readonly dropped: Dropped;
}

/** The counts of a split, with what reading the log left out. */
export function splitCounts({ train, valid, test }: Split): SplitCounts {
  return {
    train: partCounts(train),
    ...(valid && { valid: partCounts(valid) }),
    test: partCounts(test),
    dropped: train.report.dropped,
  };
}

export const partCounts = (log: EventLog): PartCounts => ({
  sessions: filledSessions(log).length,
  events: log.sessions.items.length,
  items: log.itemIds.length,
});
