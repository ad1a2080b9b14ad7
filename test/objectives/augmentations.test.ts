import { describe, expect, test } from 'vitest';
import { type Augmentation, augment, drawViews, viewGroups } from '../../src/objectives/augmentations';
import { random } from '../../src/session/random';
import type { SessionInput } from '../../src/types';

const MASK = 100;
const session = (n: number): SessionInput => ({ items: Int32Array.from({ length: n }, (_, t) => t + 1) });
const draws = (count: number, n: number, augmentation: Augmentation): number[][] =>
  Array.from({ length: count }, (_, i) => Array.from(augment(session(n), augmentation, MASK, random(i, 'draw')).items));

describe('a cropped view', () => {
  test.each([
    [10, 0.6, 6],
    [9, 0.6, 5], // ⌊5.4⌋
    [5, 0.3, 1], // ⌊1.5⌋
    [3, 0.1, 1], // never none
    [4, 1, 4],
  ])('of %d clicks at %d keeps %d in a row', (n, ratio, length) => {
    for (const items of draws(50, n, { kind: 'crop', ratio })) {
      expect(items).toEqual(Array.from({ length }, (_, t) => items[0]! + t));
    }
  });

  test('starts anywhere from the first click to the last one that leaves room, both included', () => {
    const starts = new Set(draws(200, 6, { kind: 'crop', ratio: 0.5 }).map(([first]) => first));
    expect([...starts].sort()).toEqual([1, 2, 3, 4]);
  });
});

describe('a masked view', () => {
  test.each([
    [10, 0.3, 3],
    [9, 0.3, 2], // ⌊2.7⌋
    [3, 0.3, 0],
    [4, 1, 4],
  ])('of %d clicks at %d hides %d of them', (n, ratio, count) => {
    for (const items of draws(50, n, { kind: 'mask', ratio })) {
      expect(items).toHaveLength(n);
      expect(items.filter((item) => item === MASK)).toHaveLength(count);
      items.forEach((item, t) => {
        expect([t + 1, MASK]).toContain(item);
      });
    }
  });

  test('may hide any click, the last one too, and never makes one padding', () => {
    const hidden = new Set(
      draws(200, 6, { kind: 'mask', ratio: 0.5 }).flatMap((items) =>
        items.flatMap((item, t) => (item === MASK ? [t] : [])),
      ),
    );
    expect([...hidden].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(draws(200, 6, { kind: 'mask', ratio: 0.5 }).flat()).not.toContain(0);
  });
});

describe('a reordered view', () => {
  const moved = (items: readonly number[]) => items.flatMap((item, t) => (item === t + 1 ? [] : [t]));

  test('holds the same clicks, and moves none outside one block of ⌊βn⌋', () => {
    for (const items of draws(100, 10, { kind: 'reorder', ratio: 0.45 })) {
      expect([...items].sort((a, b) => a - b)).toEqual(Array.from(session(10).items));
      const places = moved(items);
      if (places.length > 0) expect(places.at(-1)! - places[0]!).toBeLessThan(4);
    }
  });

  test('may reach the first click and the last one, and uses the whole block', () => {
    const all = draws(300, 6, { kind: 'reorder', ratio: 0.5 }).map(moved);
    expect(new Set(all.flat())).toEqual(new Set([0, 1, 2, 3, 4, 5]));
    expect(Math.max(...all.map((places) => places.length))).toBe(3);
  });
});

test.each(['crop', 'mask', 'reorder'] as const)('%s leaves a session of one click alone', (kind) => {
  for (const ratio of [0.1, 1]) expect(draws(10, 1, { kind, ratio }).flat()).toEqual(Array(10).fill(1));
});

test('times and features go with their clicks, and the session itself stays as it was', () => {
  const given: SessionInput = { items: [5, 6, 7, 8], times: [50, 60, 70, 80], features: { hour: [15, 16, 17, 18] } };
  for (const kind of ['crop', 'reorder'] as const) {
    for (let seed = 0; seed < 20; seed++) {
      const { items, times, features } = augment(given, { kind, ratio: 0.75 }, MASK, random(seed));
      expect(times).toEqual(Array.from(items, (item) => 10 * item));
      expect(features!.hour).toEqual(Array.from(items, (item) => 10 + item));
    }
  }
  const masked = augment(given, { kind: 'mask', ratio: 0.5 }, MASK, random(1));
  expect(masked.times).toEqual([50, 60, 70, 80]);
  expect(given.items).toEqual([5, 6, 7, 8]);
});

describe('the views of a batch', () => {
  const all: Augmentation[] = [
    { kind: 'crop', ratio: 0.5 },
    { kind: 'mask', ratio: 0.5 },
    { kind: 'reorder', ratio: 1 },
  ];
  const sessions = Array.from({ length: 60 }, () => session(8));
  const kindOf = ({ items }: SessionInput): string =>
    items.length === 4 ? 'crop' : Array.from(items).includes(MASK) ? 'mask' : 'reorder';
  const pairsOf = (augmentations: readonly Augmentation[]) => {
    const views = drawViews(sessions, augmentations, MASK, random(3));
    expect(views).toHaveLength(120);
    return sessions.map((_, b) => [views[b]!, views[b + 60]!] as const);
  };

  test('are two of each session, B apart, each by an operator of its own draw', () => {
    const kinds = pairsOf(all).map((pair) => pair.map(kindOf).join(' '));
    expect(new Set(kinds).size).toBe(9);
    // The same operator twice draws other randomness.
    const same = pairsOf([all[0]!]);
    expect(same.some(([a, b]) => a.items[0] !== b.items[0])).toBe(true);
  });

  test('belong to the session that they are of', () => {
    expect(Array.from(viewGroups(4))).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
  });
});
