/** Which of the visitor's events are still to be learnt, and in which portions. */
import type { Delta } from '../checkpoint/delta';
import type { EngineEvent, LearnableEvent } from '../engine/types';
import { type Kept, withoutUnread } from '../session/left-out';
import type { HistoryChoice, VisitorEvent } from '../session/visitor-history';

/** Events of one call's sessions at most, or one session: what crosses to the worker costs the page time. */
const BATCH = 256;

/** From when to when events count, in seconds since 1970. */
export interface Span {
  /** Nothing up to then is to be learnt. */
  readonly since: number;
  /** What is later was tracked by a clock that was wrong, and must not end learning for years. */
  readonly latest: number;
}

/** Sessions that may hold something that the delta has not learnt, oldest first. */
export function freshSessions(
  sessions: readonly (readonly VisitorEvent[])[],
  { since, latest }: Span,
  delta: Delta | undefined,
): LearnableEvent[][] {
  const through = delta?.learnt.through ?? Number.NEGATIVE_INFINITY;
  return sessions
    .map((session) => session.filter(({ time }) => time <= latest).map(learnable))
    .filter((session) => session.length > 0 && session.at(-1)!.time > since && session.at(-1)!.time >= through);
}

/** The sessions before these, as far as a recommendation reads them, too. */
export function earlierThan(
  portion: readonly (readonly LearnableEvent[])[],
  sessions: readonly (readonly VisitorEvent[])[],
  history: HistoryChoice,
): Kept<LearnableEvent> {
  const first = portion[0]![0]!;
  const earlier = sessions.filter((session) => session.at(-1)!.time < first.time);
  const kept = withoutUnread(earlier, first.time, { history });
  return { ...kept, sessions: kept.sessions.map((session) => session.map(learnable)) };
}

export const engineEvent = ({ itemId, time, features }: VisitorEvent): EngineEvent => ({
  ...{ itemId, time },
  ...(features && { features }),
});
const learnable = (event: VisitorEvent): LearnableEvent => ({ ...engineEvent(event), event: event.event });

/** The newest event, in words; none where there is none. */
export function newest(sessions: readonly LearnableEvent[][]): string {
  const last = sessions.at(-1) ?? [];
  return last.length > 0 ? `${last.length} ${last.at(-1)!.time} ${last.at(-1)!.itemId}` : '';
}

/** The oldest sessions: as many as one call takes, and at least one. */
export function portionOf(sessions: readonly LearnableEvent[][]): LearnableEvent[][] {
  let events = 0;
  let end = 0;
  do events += sessions[end++]?.length ?? 0;
  while (end < sessions.length && events + sessions[end]!.length <= BATCH);
  return sessions.slice(0, end);
}

/** A delta that has learnt nothing of the future, as one of another clock may have. */
export function notAfter(delta: Delta, latest: number): Delta {
  const { learnt } = delta;
  if (learnt.through === null || learnt.through <= latest) return delta;
  return { ...delta, learnt: { ...learnt, through: latest, atThrough: 0 } };
}
