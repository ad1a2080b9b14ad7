import type { SessionInput, Sessions } from '../types';
import type { TimeUnit } from './time';

/** One further column of a log. Values are numbered; `names[codes[e]]` is the text of event e, byte for byte. */
export interface FeatureColumn {
  /** Code of each event, in the order of `Sessions.items`. */
  readonly codes: Int32Array;
  readonly names: readonly string[];
}

/** A click log in memory: flat arrays, no object per event. */
export interface EventLog {
  /** Sessions in the order of their first event (ties: first appearance in the file); events by time, then file order. */
  readonly sessions: Sessions;
  /** `itemIds[k]` is the id of item index k + 1; numbered by first appearance in `sessions`. */
  readonly itemIds: readonly string[];
  /** Id of each session; of sessions cut by `gap`, the user's id, `:` and a running number. */
  readonly sessionIds: readonly string[];
  /** User of each session, where the log names users. */
  readonly userIds?: readonly string[];
  /** Kind of each event as an index into `eventNames`, where the log names kinds. */
  readonly events?: Uint8Array;
  /** The kinds of events; absent where the log names none. */
  readonly eventNames?: readonly string[];
  /** Further requested columns, by name. */
  readonly features?: ReadonlyMap<string, FeatureColumn>;
  /** Events of each item, `[n + 1]`; entry 0 unused. */
  readonly support: Int32Array;
  /** What reading and filtering did. */
  readonly report: ReadReport;
}

/** The part of a log that a model learns from and is queried with. */
export type ClickLog = Pick<EventLog, 'sessions' | 'userIds' | 'features'>;

/** What reading and filtering did: every event that is in the file but not in the log is counted in `dropped`. */
export interface ReadReport {
  /** Rows read, bad ones included, the header not. */
  readonly rows: number;
  /** Bad rows that `skipBadRows` tolerated, and the messages of the first few. */
  readonly badRows: number;
  readonly badRowExamples: readonly string[];
  /** How the file writes its times; absent for sequences, which have none. */
  readonly timeUnit?: TimeUnit;
  /** Rows of each kind of event, all kinds of the file; empty where the log names no kinds. */
  readonly eventKinds: readonly { readonly name: string; readonly events: number }[];
  /** Columns that are none of the five known ones. */
  readonly otherColumns: readonly string[];
  /** What was left out, by the reason. */
  readonly dropped: Dropped;
  /** Sentences that a person should read, such as a log of a single session. */
  readonly warnings: readonly string[];
}

/** Events left out by each rule, in the order in which the rules apply. */
export interface Dropped {
  readonly badRows: number;
  /** Events of kinds that were not requested. */
  readonly otherKinds: number;
  /** Immediate repeats of an item. */
  readonly repeats: number;
  /** Items below the minimum support, and their events. */
  readonly rareItems: { readonly items: number; readonly events: number };
  /** Sessions below the minimum length, and their events. */
  readonly shortSessions: { readonly sessions: number; readonly events: number };
}

/** The users of a log, each once, in the order of first appearance; none where it names none. An empty id is nobody. */
export const usersOf = ({ userIds = [] }: ClickLog): readonly string[] =>
  [...new Set(userIds)].filter((id) => id !== '');

/**
 * The sessions of a log with the numbers of their users, where it names them.
 *
 * @param numberOf A user's number from 0, undefined for one who is not known.
 * @param visitors Numbers of the visitors of other logs, so that both have the same; new ones are added.
 */
export function sessionsWithUsers(
  log: ClickLog,
  numberOf: (id: string) => number | undefined,
  visitors = new Map<string, number>(),
): Sessions {
  const { sessions, userIds } = log;
  if (!userIds) return sessions;
  for (const id of usersOf(log)) if (!visitors.has(id)) visitors.set(id, visitors.size);
  return {
    ...sessions,
    users: Int32Array.from(userIds, (id) => numberOf(id) ?? -1),
    visitors: Int32Array.from(userIds, (id) => visitors.get(id) ?? -1),
  };
}

/** The events `from` … `end` − 1 of session `session` as a model sees them. */
export function sessionInput(sessions: Sessions, session: number, from: number, end: number): SessionInput {
  const { items, times, features, users } = sessions;
  const user = users?.[session] ?? -1;
  const slices = Object.entries(features ?? {}).map(([name, values]) => [name, values.subarray(from, end)] as const);
  return {
    items: items.subarray(from, end),
    times: times.subarray(from, end),
    ...(features && { features: Object.fromEntries(slices) }),
    ...(user >= 0 && { user }),
  };
}

/** Number of sessions of a log. */
export function sessionCount(log: { readonly sessions: Sessions }): number {
  return log.sessions.offsets.length - 1;
}

/** Events of each item, `[items + 1]`. */
export function countSupport(itemsOfEvents: Int32Array, items: number): Int32Array {
  const support = new Int32Array(items + 1);
  for (let e = 0; e < itemsOfEvents.length; e++) support[itemsOfEvents[e]!]!++;
  return support;
}

/** A log in another vocabulary, and what that cost. */
export interface Reindexed {
  readonly log: EventLog;
  /** Events of unknown items, then sessions that were too short without them. */
  readonly dropped: { readonly events: number; readonly sessions: number };
}

/**
 * The log in the vocabulary of an artifact: events of unknown items are left out, then sessions with fewer than
 * `minLength` events.
 *
 * @param itemIds `itemIds[k]` is the id of item index k + 1.
 * @param minLength Default 2: one event to see and one to predict.
 * @returns The log, whose `itemIds` are those given, and the events of unknown items and the sessions left out. Events
 *   of known items that leave with a session that is too short are counted in its session only.
 */
export function reindex(log: EventLog, itemIds: readonly string[], minLength = 2): Reindexed {
  const indexOf = new Map(itemIds.map((id, k) => [id, k + 1]));
  const index = Int32Array.from([0, ...log.itemIds.map((id) => indexOf.get(id) ?? 0)]);
  const { items, offsets } = log.sessions;
  const kept = new Int32Array(items.length);
  const lengths: number[] = [];
  const sessions: number[] = [];
  let count = 0;
  let unknown = 0;
  for (let s = 0; s + 1 < offsets.length; s++) {
    const start = count;
    for (let e = offsets[s]!; e < offsets[s + 1]!; e++) if (index[items[e]!]! > 0) kept[count++] = e;
    unknown += offsets[s + 1]! - offsets[s]! - (count - start);
    if (count - start < minLength) count = start;
    else {
      sessions.push(s);
      lengths.push(count - start);
    }
  }
  const selected = selectEvents(log, kept.subarray(0, count), sessions, lengths);
  const mapped = selected.sessions.items.map((item) => index[item]!);
  return {
    log: {
      ...selected,
      sessions: { ...selected.sessions, items: mapped },
      itemIds,
      support: countSupport(mapped, itemIds.length),
    },
    dropped: { events: unknown, sessions: offsets.length - 1 - sessions.length },
  };
}

/**
 * Some sessions of a log as a log of its own, with items renumbered by first appearance.
 *
 * @param sessions Indices of the sessions to keep, ascending.
 */
export function selectSessions(log: EventLog, sessions: ArrayLike<number>): EventLog {
  const { offsets, items } = log.sessions;
  const lengths = Array.from(sessions, (s) => offsets[s + 1]! - offsets[s]!);
  const events = new Int32Array(lengths.reduce((a, b) => a + b, 0));
  let count = 0;
  for (let k = 0; k < sessions.length; k++) {
    for (let e = offsets[sessions[k]!]!; e < offsets[sessions[k]! + 1]!; e++) events[count++] = e;
  }
  const index = new Int32Array(log.itemIds.length + 1);
  const itemIds: string[] = [];
  const selected = selectEvents(log, events, sessions, lengths);
  const mapped = new Int32Array(count);
  for (let k = 0; k < count; k++) {
    const item = items[events[k]!]!;
    if (index[item] === 0) index[item] = itemIds.push(log.itemIds[item - 1]!);
    mapped[k] = index[item]!;
  }
  return {
    ...selected,
    sessions: { ...selected.sessions, items: mapped },
    itemIds,
    support: countSupport(mapped, itemIds.length),
  };
}

/** Everything of a log but its vocabulary and support, for some of its events in order. */
export function selectEvents(
  log: EventLog,
  events: Int32Array,
  sessions: ArrayLike<number>,
  lengths: readonly number[],
): EventLog {
  const { items, times } = log.sessions;
  const offsets = new Int32Array(lengths.length + 1);
  lengths.forEach((length, s) => {
    offsets[s + 1] = offsets[s]! + length;
  });
  return {
    ...log,
    sessions: { items: take(items, events, Int32Array), times: take(times, events, Float64Array), offsets },
    sessionIds: Array.from(sessions, (s) => log.sessionIds[s]!),
    ...(log.userIds && { userIds: Array.from(sessions, (s) => log.userIds![s]!) }),
    ...(log.events && { events: take(log.events, events, Uint8Array) }),
    ...(log.features && {
      features: new Map(
        [...log.features].map(([name, { codes, names }]) => [name, { codes: take(codes, events, Int32Array), names }]),
      ),
    }),
  };
}

function take<T extends Int32Array | Float64Array | Uint8Array>(
  from: T,
  indices: Int32Array,
  Type: new (length: number) => T,
): T {
  const taken = new Type(indices.length);
  for (let k = 0; k < indices.length; k++) taken[k] = from[indices[k]!]!;
  return taken;
}
