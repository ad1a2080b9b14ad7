/** The ring of `ring-log.ts`, walked over several days. */
import { RING } from '../engine/fixture';

const DAY = 86_400;
const FIRST_DAY = Date.parse('2024-03-01') / 1000;

/**
 * Sessions in turn on each of some days from 1 March 2024; on the last day items 0 to 2 bear new names in every fourth
 * session, so that some of its events are of items that nobody has seen.
 */
export function ringDays(days: number): string {
  const lines = RING.flatMap((session, s) =>
    session.map(({ itemId }, i) => {
      const day = s % days;
      const [number] = itemId.match(/\d+/)!;
      const isLate = day === days - 1 && Number(number) < 3 && Math.floor(s / days) % 4 === 3;
      const id = `${isLate ? 'late' : 'p'}${number}`;
      return `s${s},${id},${FIRST_DAY + day * DAY + s * 100 + i}\n`;
    }),
  );
  return `session_id,item_id,timestamp\n${lines.join('')}`;
}
