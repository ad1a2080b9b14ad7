import { describe, expect, test } from 'vitest';
import { withoutUnread } from '../../src/recommender/personalisation/fresh-events';
import { random } from '../../src/session/random';
import { type HistoryChoice, readOf, type VisitorEvent } from '../../src/session/visitor-history';

const DAY = 86_400;
const KINDS = ['view', 'view', 'cart', 'purchase'];

/** So many sessions, one after the other, some days apart. */
function visits(seed: number, count: number): VisitorEvent[][] {
  const { integer } = random(seed, 'visits');
  let time = 0;
  return Array.from({ length: count }, () => {
    time += DAY * integer(6);
    return Array.from({ length: 1 + integer(7) }, () => {
      time += 1 + integer(60);
      return { itemId: `${integer(5)}`, event: KINDS[integer(4)]!, time };
    });
  });
}

describe.each(['session', 'recent', 'all'] as const)('of earlier sessions, by "%s",', (history: HistoryChoice) => {
  test('what is left out changes nothing that is read of those to come', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const sessions = visits(seed, 40);
      const maxLength = 8 + 2 * (seed % 20);
      const now = 30; // sessions before it are earlier, from it on to be learnt
      const kept = withoutUnread(sessions.slice(0, now), sessions[now]![0]!.time, { history, maxLength });
      const toCome = sessions.slice(now);
      for (const [s, session] of toCome.entries()) {
        for (const [position, { time }] of session.entries()) {
          const running = session.slice(0, position);
          const read = (earlier: readonly (readonly VisitorEvent[])[], leftOut: number) =>
            readOf([...earlier, ...toCome.slice(0, s)], running, time, { history, maxLength }, leftOut);
          expect(read(kept.sessions, kept.leftOut), `seed ${seed}`).toEqual(read(sessions.slice(0, now), 0));
        }
      }
    }
  });

  test('no more is kept than the model may read', () => {
    const sessions = visits(7, 3000);
    const { time } = sessions.at(-1)!.at(-1)!;
    const { sessions: kept } = withoutUnread(sessions, time, { history });
    const oldest = time - (kept[0] ?? sessions.at(-1)!).at(-1)!.time;
    if (history === 'recent') expect(oldest).toBeLessThanOrEqual(28 * DAY);
    else expect(kept.flat().length).toBeLessThanOrEqual(512 + 7);
    expect(kept.length > 0).toBe(history !== 'session');
  });
});
