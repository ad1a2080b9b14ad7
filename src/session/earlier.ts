/** A visitor's earlier sessions in a log, as a page that keeps them would know them. */
import type { SessionInput, Sessions } from '../types';
import { sessionInput } from './event-log';

/**
 * What each session of a log can know of its visitor's past: sessions that had ended when it began.
 *
 * @param most The newest so many, sessions of one event and more.
 * @param past Sessions of before the log, with the same numbers for the same visitors.
 * @param heldOut Last events of every session of the log that are not known yet.
 * @returns By number of a session, its visitor's earlier ones, oldest first; undefined where the log names no visitor.
 */
export function earlierSessions(
  sessions: Sessions,
  most: number,
  past?: Sessions,
  heldOut = 0,
): ((session: number) => readonly SessionInput[]) | undefined {
  const { visitors, offsets, times } = sessions;
  if (!visitors || most === 0) return undefined;
  const byVisitor = new Map<number, { readonly log: Sessions; readonly session: number }[]>();
  for (const log of past ? [past, sessions] : [sessions]) {
    log.visitors?.forEach((visitor, session) => {
      if (visitor < 0 || log.offsets[session] === log.offsets[session + 1]) return; // nobody who is known again; nothing to know
      const known = byVisitor.get(visitor);
      if (known) known.push({ log, session });
      else byVisitor.set(visitor, [{ log, session }]);
    });
  }
  const startOf = ({ log, session }: { log: Sessions; session: number }) => log.times[log.offsets[session]!]!;
  const places = new Int32Array(visitors.length);
  for (const known of byVisitor.values()) {
    known.sort((a, b) => startOf(a) - startOf(b));
    known.forEach(({ log, session }, place) => {
      if (log === sessions) places[session] = place;
    });
  }
  return (session) => {
    const known = byVisitor.get(visitors[session]!) ?? [];
    const found: SessionInput[] = [];
    for (let place = places[session]! - 1; place >= 0 && found.length < most; place--) {
      const { log, session: other } = known[place]!;
      const [from, end] = [log.offsets[other]!, log.offsets[other + 1]! - (log === sessions ? heldOut : 0)];
      const isOver = end > from && log.times[end - 1]! <= times[offsets[session]!]!;
      if (isOver) found.unshift(sessionInput(log, other, from, end));
    }
    return found;
  };
}
