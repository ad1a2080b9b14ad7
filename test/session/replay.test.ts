import { describe, expect, test } from 'vitest';
import { countSupport } from '../../src/session/event-log';
import { drawReplay } from '../../src/session/replay';
import { listsOf, logOf } from '../train/helpers';

/** Sessions of items 1…5, and one of 30 clicks; item 9 is rare. */
const lists = [
  ...Array.from({ length: 20 }, (_, s) => [1 + (s % 5), 1 + ((s + 1) % 5), ...(s % 2 ? [9 - (s === 1 ? 0 : 8)] : [])]),
  Array.from({ length: 30 }, (_, t) => 1 + (t % 5)),
  [3],
  [9, 2],
];
const log = logOf(lists);
const support = countSupport(log.items, 9);

const drawn = (count: number, seed = 1): number[][] => listsOf(drawReplay(log, support, count, seed));

describe('sessions drawn for replay', () => {
  test('are as many as asked for, of two clicks to twenty, and none with an item that few have clicked', () => {
    expect(drawn(7)).toHaveLength(7);
    const all = drawn(1000);
    expect(all).toHaveLength(21); // neither the one of one click, nor the one that has one left
    for (const session of all) {
      expect(session.length).toBeGreaterThanOrEqual(2);
      expect(session.length).toBeLessThanOrEqual(20);
      expect(session).not.toContain(9);
    }
    expect(all).toContainEqual(lists[20]!.slice(-20));
  });

  test('are the same for a seed, others for another, and in no order of the log', () => {
    expect(drawn(7)).toEqual(drawn(7));
    expect(drawn(7, 2)).not.toEqual(drawn(7));
    expect(drawn(21)).not.toEqual(lists.slice(0, 21));
    expect(drawn(0)).toEqual([]);
  });
});
