/** The visitor's events that are not learnt yet, and their portions. */
import type { Delta } from '../../checkpoint/delta';
import type { EngineEvent, LearnableEvent } from '../../engine/types';
import {
  type HistoryChoice,
  isRead,
  type ReadEvent,
  type Reading,
  readOf,
  type VisitorEvent,
} from '../../session/visitor-history';

/** Most events in one call, unless one session has more: the transfer to the worker takes the page's time. */
const BATCH = 256;

/** The period in which events count, in seconds since 1970. */
export interface Span {
  /** Events up to then are not learnt. */
  readonly since: number;
  /** Later events were tracked by a wrong clock, and must not stop learning for years. */
  readonly latest: number;
}

/** Sessions that may hold events that the delta has not learnt, oldest first. */
export function freshSessions(
  sessions: readonly (readonly VisitorEvent[])[],
  { since, latest }: Span,
  delta: Delta | undefined,
): LearnableEvent[][] {
  const through = delta?.learnt.through ?? Number.NEGATIVE_INFINITY;
  return sessions
    .map((session) => session.filter((event) => event.time <= latest && isRead(event)).map(learnable))
    .filter((session) => session.length > 0 && session.at(-1)!.time > since && session.at(-1)!.time >= through);
}

/** The earlier sessions that a recommendation reads as well. */
export function earlierThan(
  portion: readonly (readonly LearnableEvent[])[],
  sessions: readonly (readonly VisitorEvent[])[],
  history: HistoryChoice,
): ReadSessions<LearnableEvent> {
  const first = portion[0]![0]!;
  const earlier = sessions.filter((session) => session.at(-1)!.time < first.time);
  const read = withoutUnread(earlier, first.time, { history });
  return { ...read, sessions: read.sessions.map((session) => session.map(learnable)) };
}

/** The sessions that are read, without the oldest that are not, and how many readable clicks were left out. */
interface ReadSessions<E> {
  readonly sessions: readonly (readonly E[])[];
  /** Pass it to `readOf` with the sessions, so that it limits them as it would limit all sessions. */
  readonly leftOut: number;
}

/**
 * Leaves out earlier sessions of which nothing is read at `from` (seconds since 1970) or later, whatever sessions come after
 * them.
 */
export function withoutUnread<E extends ReadEvent>(
  earlier: readonly (readonly E[])[],
  from: number,
  reading: Reading,
): ReadSessions<E> {
  const clicksOf = (sessions: readonly (readonly E[])[]): number =>
    readOf(sessions, [], from, { ...reading, maxLength: Number.MAX_SAFE_INTEGER }).length;
  if (reading.history !== 'all') {
    // A faded session stays faded. How many of the others are read depends on how many have faded, so all those stay.
    return { sessions: earlier.filter((session) => clicksOf([session]) > 0), leftOut: 0 };
  }
  const unread = clicksOf(earlier) - readOf(earlier, [], from, reading).length;
  let leftOut = 0;
  let first = 0;
  for (; first < earlier.length; first++) {
    const clicks = clicksOf([earlier[first]!]);
    if (leftOut + clicks > unread) break;
    leftOut += clicks;
  }
  return { sessions: earlier.slice(first), leftOut };
}

export const engineEvent = ({ itemId, time, features }: VisitorEvent): EngineEvent =>
  features ? { itemId, time, features } : { itemId, time };
const learnable = (event: VisitorEvent): LearnableEvent => ({ ...engineEvent(event), event: event.event });

/** Identifies the newest event; '' if there is none. */
export function newest(sessions: readonly LearnableEvent[][]): string {
  const last = sessions.at(-1) ?? [];
  return last.length > 0 ? `${last.length} ${last.at(-1)!.time} ${last.at(-1)!.itemId}` : '';
}

/** The oldest sessions: as many as fit into one call, and at least one. */
export function portionOf(sessions: readonly LearnableEvent[][]): LearnableEvent[][] {
  let events = 0;
  let end = 0;
  do events += sessions[end++]?.length ?? 0;
  while (end < sessions.length && events + sessions[end]!.length <= BATCH);
  return sessions.slice(0, end);
}

/** The delta with its newest event limited to `latest`, because another device's clock may be ahead. */
export function notAfter(delta: Delta, latest: number): Delta {
  const { learnt } = delta;
  if (learnt.through === null || learnt.through <= latest) return delta;
  return { ...delta, learnt: { ...learnt, through: latest, atThrough: 0 } };
}
