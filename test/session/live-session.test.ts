import { describe, expect, test } from 'vitest';
import { LiveSession } from '../../src/session/live-session';

const MINUTE = 60;
const view = (itemId: string, time: number, event = 'view') => ({ itemId, time, event });
const ids = (session: LiveSession, now: number) => session.at(now).map(({ itemId }) => itemId);

describe('a live session', () => {
  test('holds clicks in the order of their times', () => {
    const session = new LiveSession({ gap: 30 * MINUTE });
    for (const [id, time] of [
      ['a', 0],
      ['c', 200],
      ['b', 100],
      ['d', 200],
    ] as const)
      session.add(view(id, time));
    expect(ids(session, 200)).toEqual(['a', 'b', 'c', 'd']);
  });

  test('ends after the gap, and not before', () => {
    const session = new LiveSession({ gap: 30 * MINUTE });
    session.add(view('a', 0));
    expect(ids(session, 30 * MINUTE)).toEqual(['a']);
    expect(ids(session, 30 * MINUTE + 1)).toEqual([]);
    session.add(view('b', 30 * MINUTE));
    expect(ids(session, 30 * MINUTE)).toEqual(['a', 'b']);
    session.add(view('c', 60 * MINUTE + 1));
    expect(ids(session, 60 * MINUTE + 1)).toEqual(['c']);
  });

  test('passes over a late click of an earlier session', () => {
    const session = new LiveSession({ gap: 30 * MINUTE });
    session.add(view('a', 100 * MINUTE));
    expect(session.add(view('b', 69 * MINUTE))).toBe(false);
    expect(session.add(view('c', 71 * MINUTE))).toBe(true);
    expect(ids(session, 100 * MINUTE)).toEqual(['c', 'a']);
  });

  test('survives a clock that was set back', () => {
    const session = new LiveSession({ gap: 30 * MINUTE });
    session.add(view('a', 1000));
    expect(ids(session, 10)).toEqual(['a']);
  });

  test('counts a click that is reported twice once, and a repeat twice', () => {
    const session = new LiveSession({ gap: 30 * MINUTE });
    expect(session.add(view('a', 0))).toBe(true);
    expect(session.add(view('a', 0.4))).toBe(false);
    expect(session.add(view('a', 5))).toBe(true);
    expect(session.add(view('a', 5.1, 'cart'))).toBe(true);
    expect(session.add(view('b', 5.2))).toBe(true);
    expect(session.add(view('a', 5.3))).toBe(true);
    expect(ids(session, 6)).toEqual(['a', 'a', 'a', 'b', 'a']);
  });

  test('keeps the newest clicks where there are too many', () => {
    const session = new LiveSession({ gap: 30 * MINUTE, maxLength: 10 });
    for (let t = 0; t < 1000; t++) {
      session.add(view(`${t}`, t));
      const held = ids(session, t);
      expect(held.length).toBeLessThanOrEqual(10);
      expect(held.length).toBeGreaterThanOrEqual(Math.min(t + 1, 5));
      expect(held).toEqual(held.map((_, i) => `${t - held.length + 1 + i}`));
    }
  });

  test('gives copies: what was asked for does not change', () => {
    const session = new LiveSession({ gap: 30 * MINUTE });
    session.add(view('a', 0));
    const before = session.at(0);
    session.add(view('b', 1));
    expect(before).toHaveLength(1);
  });
});
