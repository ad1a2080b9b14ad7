import { describe, expect, test } from 'vitest';
import { earlierSessions } from '../../src/session/earlier';
import { sessionsWithUsers } from '../../src/session/event-log';
import type { Sessions } from '../../src/types';
import { logOf } from '../train/helpers';

/** Sessions of items, each with the seconds at which it begins and its visitor; a click takes a second. */
function log(...sessions: readonly (readonly [items: number[], start: number, visitor: number])[]): Sessions {
  return {
    ...logOf(sessions.map(([items]) => items)),
    times: Float64Array.from(sessions.flatMap(([items, start]) => items.map((_, t) => start + t))),
    visitors: Int32Array.from(sessions, ([, , visitor]) => visitor),
  };
}

const itemsOf = (sessions: Sessions, most: number, past?: Sessions): number[][][] => {
  const earlierOf = earlierSessions(sessions, most, past)!;
  return Array.from(sessions.visitors!, (_, s) => earlierOf(s).map(({ items }) => Array.from(items)));
};

describe('earlier sessions', () => {
  const past = log([[1, 2], 0, 7], [[3], 10, 8], [[4, 5], 20, 7]);
  const now = log([[6, 7], 100, 7], [[8, 9], 110, 9], [[1, 1], 120, 7], [[2, 3], 130, 8]);

  test('are the same visitor’s, those of before the log too, oldest first', () => {
    expect(itemsOf(now, 9)).toEqual([[], [], [[6, 7]], []]);
    expect(itemsOf(now, 9, past)).toEqual([
      [
        [1, 2],
        [4, 5],
      ],
      [],
      [
        [1, 2],
        [4, 5],
        [6, 7],
      ],
      [[3]],
    ]);
  });

  test('are the newest so many', () => {
    expect(itemsOf(now, 2, past)[2]).toEqual([
      [4, 5],
      [6, 7],
    ]);
    expect(earlierSessions(now, 0)).toBeUndefined();
  });

  test('had ended when the session began: nothing tells of the future', () => {
    const open = log([[1, 2, 3, 4, 5], 98, 7], [[9], 101, 7], [[5], 50, 7]);
    expect(itemsOf(now, 9, open)[0]).toEqual([[5]]);
    expect(itemsOf(now, 9, open)[2]).toEqual([[5], [1, 2, 3, 4, 5], [6, 7], [9]]);
  });

  test('are none without an event, wherever they stand', () => {
    const emptied = log([[], 0, 7], [[1, 2], 5, 7], [[], 50, 7]);
    expect(itemsOf(now, 9, emptied)[0]).toEqual([[1, 2]]);
  });

  test('are none of somebody without a name', () => {
    const sessions = sessionsWithUsers({ ...now, userIds: ['', 'ann', '', ''] } as never, () => undefined);
    expect([...sessions.visitors!]).toEqual([-1, 0, -1, -1]);
    const nobody = log([[6, 7], 100, -1], [[1, 1], 120, -1]);
    expect(itemsOf(nobody, 9, log([[1, 2], 0, -1]))).toEqual([[], []]);
  });

  test('are found by visitors, which a model need not know', () => {
    const sessions = logOf([[1, 2], [3, 4], [5, 6]]); // biome-ignore format: one line
    const numbers = new Map<string, number>();
    const ofTraining = sessionsWithUsers({ sessions, userIds: ['ann', 'bob', 'ann'] }, () => undefined, numbers);
    const ofTest = sessionsWithUsers({ sessions, userIds: ['cem', 'bob', 'cem'] }, () => undefined, numbers);
    expect([...ofTest.users!]).toEqual([-1, -1, -1]);
    expect([...ofTraining.visitors!, ...ofTest.visitors!]).toEqual([0, 1, 0, 2, 1, 2]);
    expect(earlierSessions(sessions, 5)).toBeUndefined();
  });
});
