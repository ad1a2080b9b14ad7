import { describe, expect, test } from 'vitest';
import { basketOf } from '../../src/session/basket';
import { random } from '../../src/session/random';
import { VisitorHistory, type VisitorHistoryOptions } from '../../src/session/visitor-history';

const MINUTE = 60;
const DAY = 24 * 60 * MINUTE;
const view = (itemId: string, time: number, event = 'view') => ({ itemId, time, event });
const ids = (history: VisitorHistory, now: number) => history.at(now).map(({ itemId }) => itemId);
const started = (options: Partial<VisitorHistoryOptions> = {}) => new VisitorHistory({ gap: 30 * MINUTE, ...options });

describe('the running session', () => {
  test('holds events in the order of their times', () => {
    const history = started();
    history.add([view('a', 0), view('c', 200)]);
    history.add([view('b', 100), view('d', 200)]);
    expect(ids(history, 200)).toEqual(['a', 'b', 'c', 'd']);
  });

  test('ends after the gap, and not before', () => {
    const history = started();
    history.add([view('a', 0)]);
    expect(ids(history, 30 * MINUTE)).toEqual(['a']);
    expect(ids(history, 30 * MINUTE + 1)).toEqual([]);
    history.add([view('b', 30 * MINUTE)]);
    expect(ids(history, 30 * MINUTE)).toEqual(['a', 'b']);
    history.add([view('c', 60 * MINUTE + 1)]);
    expect(ids(history, 60 * MINUTE + 1)).toEqual(['c']);
  });

  test('leaves a late event of an earlier session to that session', () => {
    const history = started();
    history.add([view('a', 100 * MINUTE), view('b', 69 * MINUTE)]);
    expect(ids(history, 100 * MINUTE)).toEqual(['a']);
    history.add([view('c', 71 * MINUTE)]);
    expect(ids(history, 100 * MINUTE)).toEqual(['b', 'c', 'a']); // c joins them
    history.add([view('d', 30 * MINUTE)]);
    const sessions = history.sessions().map((session) => session.map(({ itemId }) => itemId));
    expect(sessions).toEqual([['d'], ['b', 'c', 'a']]);
  });

  test('survives a clock that was set back, by a little or by a year', () => {
    const history = started();
    history.add([view('a', 1000)]);
    expect(ids(history, 10)).toEqual(['a']);
    history.add([view('wrong', 365 * DAY)]);
    history.add([view('b', 1100)]);
    expect(ids(history, 1100)).toEqual(['a', 'b']);
  });

  test('keeps the newest events where there are too many, and is cut rarely', () => {
    const history = started({ maxLength: 10 });
    let cuts = 0;
    let first = '0';
    for (let t = 0; t < 300; t++) {
      history.add([view(`${t}`, t)]);
      const held = ids(history, t);
      expect(held.length).toBeLessThanOrEqual(10);
      expect(held.length).toBeGreaterThanOrEqual(Math.min(t + 1, 5));
      expect(held).toEqual(held.map((_, i) => `${t - held.length + 1 + i}`));
      if (held[0] !== first) cuts++;
      first = held[0]!;
    }
    expect(cuts).toBe(58);
  });

  test('does not grow for ever, and knows no more after it was cleared', () => {
    const history = started();
    for (let t = 0; t < 30_000; t++) history.add([view(`${t}`, t)]);
    const known = history.sessions().flat();
    expect(known.length).toBeLessThanOrEqual(10_000);
    expect(known.at(-1)!.itemId).toBe('29999');
    // Another tab may hand over what it has kept for weeks, at once.
    history.add(Array.from({ length: 200_000 }, (_, t) => view(`late ${t}`, 30_000 + t)));
    expect(history.sessions().flat().at(-1)!.itemId).toBe('late 199999');
    history.clear();
    expect(history.sessions()).toEqual([]);
    expect(ids(history, 30_000)).toEqual([]);
  });

  test('is a copy: what was asked for does not change', () => {
    const history = started();
    history.add([view('a', 0)]);
    const before = history.at(0);
    history.add([view('b', 1)]);
    expect(before).toHaveLength(1);
  });
});

describe('in what the model reads of a session', () => {
  test.each<[string, [itemId: string, event: string][], string[]]>([
    [
      'a view counts once',
      [
        ['a', 'view'],
        ['b', 'view'],
      ],
      ['a', 'b'],
    ],
    [
      'a cart after its view counts once more',
      [
        ['a', 'view'],
        ['b', 'view'],
        ['a', 'cart'],
      ],
      ['a', 'b', 'a'],
    ],
    [
      'a cart without its view counts for both',
      [
        ['a', 'cart'],
        ['b', 'view'],
      ],
      ['a', 'a', 'b'],
    ],
    [
      'a purchase counts for the view and the cart before it',
      [
        ['a', 'purchase'],
        ['b', 'view'],
      ],
      ['a', 'a', 'a', 'b'],
    ],
    [
      'a purchase after a view counts for the cart',
      [
        ['a', 'view'],
        ['b', 'view'],
        ['a', 'purchase'],
      ],
      ['a', 'b', 'a', 'a'],
    ],
    [
      'every step that was reported counts once, as in a log of all events',
      [
        ['a', 'view'],
        ['a', 'cart'],
        ['b', 'view'],
        ['a', 'purchase'],
        ['a', 'purchase'],
        ['a', 'view'],
      ],
      ['a', 'a', 'b', 'a', 'a', 'a'],
    ],
    [
      'any other kind counts as a view',
      [
        ['a', 'wish'],
        ['a', 'view'],
      ],
      ['a', 'a'],
    ],
  ])('%s', (_, events, read) => {
    const history = started();
    for (const [time, [itemId, event]] of events.entries()) history.add([view(itemId, time, event)]);
    expect(ids(history, events.length)).toEqual(read);
    expect(history.sessions()).toEqual([events.map(([itemId, event], time) => view(itemId, time, event))]);
  });

  test('an earlier session implies nothing', () => {
    const history = started({ history: 'all' });
    history.add([view('a', 0, 'view'), view('a', 0, 'cart'), view('a', DAY, 'purchase')]);
    expect(ids(history, DAY)).toEqual(['a', 'a', 'a', 'a', 'a']);
  });

  test('one more click only adds to its end', () => {
    const { integer } = random(3, 'clicks');
    const history = started();
    let before: string[] = [];
    for (let time = 0; time < 200; time++) {
      history.add([view(`${integer(6)}`, time, ['view', 'cart', 'purchase'][integer(3)]!)]);
      const read = ids(history, time);
      expect(read.slice(0, before.length)).toEqual(before);
      expect(read.length).toBeGreaterThan(before.length);
      before = read;
    }
  });
});

describe('a report', () => {
  test('that is repeated within a page view counts once; a return to the page counts again', () => {
    const history = started();
    const reports = [
      [view('a', 0), false],
      [view('a', 0.4), true],
      [view('a', 5), true],
      [view('a', 6, 'cart'), false],
      [view('a', 7), true],
      [view('a', 7, 'cart'), true],
      [view('a', 9, 'purchase'), false],
      [view('b', 10), false],
      [view('a', 11), false],
      [view('a', 12), true],
      [view('a', 80), false],
      [view('c', 81, 'cart'), false], // from a list, with a on show
      [view('a', 82), true],
      [view('c', 83, 'cart'), true],
      [view('c', 84), false],
      [view('c', 85, 'cart'), false],
      [view('c', 86, 'remove'), false],
      [view('c', 87, 'remove'), true],
      [view('c', 88, 'cart'), false],
      [view('c', 89, 'cart'), true],
    ] as const;
    expect(reports.map(([event]) => history.isRepeated(event))).toEqual(reports.map(([, repeated]) => repeated));
  });

  test('is remembered within a limit, however many others come', () => {
    const history = started();
    for (let n = 0; n < 3000; n++) history.isRepeated(view(`${n}`, 0, 'cart'), 'page');
    expect(history.isRepeated(view('2999', 1, 'cart'), 'page')).toBe(true);
    expect(history.isRepeated(view('0', 1, 'cart'), 'page')).toBe(false);
  });

  test('of a page view that has a name counts once for as long as that lasts', () => {
    const history = started();
    const reports = [
      [view('a', 0), '0', false],
      [view('a', 3000), '0', true],
      [view('a', 3001), '1', false],
      [view('a', 3002, 'cart'), '1', false],
      [view('a', 9000, 'cart'), '1', true],
      [view('b', 9001), '1', false],
      [view('a', 9002), '1', false],
    ] as const;
    expect(reports.map(([event, name]) => history.isRepeated(event, name))).toEqual(
      reports.map(([, , known]) => known),
    );
  });
});

describe('earlier sessions', () => {
  const session = [view('v1', 0), view('bought', 10), view('bought', 20, 'purchase'), view('carted', 30, 'cart')];
  const longSession = [...session, view('v2', 40), view('v3', 50), view('v4', 60), view('v5', 70)];

  test('are left out of the running session', () => {
    const history = started();
    history.add([...longSession, view('now', DAY)]);
    expect(ids(history, DAY)).toEqual(['now']);
  });

  test('stand before it, all of them, where all are wanted', () => {
    const history = started({ history: 'all' });
    history.add([...session, view('x', 9 * DAY)]);
    history.add([view('now', 100 * DAY)]);
    expect(ids(history, 100 * DAY)).toEqual(['v1', 'bought', 'bought', 'bought', 'carted', 'carted', 'x', 'now']);
    expect(ids(history, 200 * DAY)).toEqual(['v1', 'bought', 'bought', 'bought', 'carted', 'carted', 'x', 'now']);
  });

  test.each([
    [1 / 24, ['v1', 'bought', 'bought', 'bought', 'carted', 'carted', 'v2', 'v3', 'v4', 'v5']],
    [7, ['bought', 'bought', 'carted', 'carted', 'v5']],
    [14, ['bought', 'bought', 'carted']],
    [21, ['bought', 'bought']],
    [27, ['bought']],
    [29, []],
  ])('fade: after %f days, what is left is %j', (days, left) => {
    const history = started({ history: 'recent' });
    history.add(longSession);
    expect(ids(history, 70 + days * DAY)).toEqual(left);
    history.add([view('now', 70 + days * DAY)]);
    expect(ids(history, 70 + days * DAY)).toEqual([...left, 'now']);
  });

  test('lose views first, then carts, then purchases; a kind without a weight is a view', () => {
    const history = started({ history: 'recent' });
    history.add([view('p', 0, 'purchase'), view('c', 1, 'cart'), view('w', 2, 'wish'), view('v', 3)]);
    expect(ids(history, 3 + 2 * DAY)).toEqual(['p', 'p', 'p', 'c', 'c', 'v']);
    expect(ids(history, 3 + 4 * DAY)).toEqual(['p', 'p', 'p', 'c', 'c']);
    expect(ids(history, 3 + 8 * DAY)).toEqual(['p', 'p', 'p', 'c']);
    expect(ids(history, 3 + 9 * DAY)).toEqual(['p', 'p', 'p']);
    expect(ids(history, 3 + 27 * DAY)).toEqual(['p']);
  });
});

describe('a purchase', () => {
  const bought = (itemId: string, time: number, transaction?: string) => ({
    ...view(itemId, time, 'purchase'),
    ...(transaction !== undefined && { transaction }),
  });
  const read = (history: VisitorHistory) => history.sessions().map((session) => session.map(({ itemId }) => itemId));

  test('counts once in its order, however often and in whatever order its reports arrive', () => {
    const history = started();
    history.add([bought('a', 90 * MINUTE, 'T1'), bought('b', 90 * MINUTE, 'T1')]); // the reload, before what is stored is read
    history.add([view('a', 0), bought('a', 100, 'T1'), bought('b', 100, 'T1'), bought('a', 200, 'T2')]);
    expect(read(history)).toEqual([['a', 'a', 'b', 'a']]);
    expect(history.at(90 * MINUTE)).toEqual([]); // a reload opens no session
  });

  test('counts each time where no order is named', () => {
    const history = started();
    history.add([bought('a', 0), bought('a', 100)]);
    expect(read(history)).toEqual([['a', 'a']]);
  });

  test('of two orders in one page view is no repeat, of one order is', () => {
    const history = started();
    expect(history.isRepeated(bought('a', 0, 'T1'), 'page')).toBe(false);
    expect(history.isRepeated(bought('a', 0, 'T1'), 'page')).toBe(true);
    expect(history.isRepeated(bought('a', 0, 'T2'), 'page')).toBe(false);
  });
});

test('the basket holds what was put in and neither taken out nor bought, and what was bought within a day', () => {
  const events = [
    view('kept', 0, 'cart'),
    view('returned', 1, 'cart'),
    view('returned', 2, 'remove'),
    view('sold', 3, 'cart'),
    view('sold', 4, 'purchase'),
    view('again', 5, 'purchase'),
    view('again', 6, 'cart'),
    view('seen', 7),
  ];
  expect(basketOf(events, 10)).toEqual({ cart: ['kept', 'again'], bought: ['sold', 'again'] });
  for (const days of [2, -2]) {
    expect(basketOf(events, days * DAY), 'also by a clock that is behind').toEqual({
      cart: ['kept', 'again'],
      bought: [],
    });
  }
});

test('the basket goes by the order in which a page reported, though its clock was put back meanwhile', () => {
  const of = (tab: string, number: number, event: ReturnType<typeof view>) => ({ ...event, tab, number });
  const history = started();
  history.add([of('a', 0, view('removed', 100, 'cart')), of('a', 1, view('sold', 110, 'cart'))]);
  history.add([of('a', 2, view('removed', 50, 'remove')), of('a', 3, view('sold', 60, 'purchase'))]);
  history.add([of('b', 0, view('other page', 70, 'cart')), of('b', 1, view('back', 80, 'remove'))]);
  history.add([of('b', 2, view('back', 75, 'cart'))]);
  expect(basketOf(history.events(), 120)).toEqual({ cart: ['other page', 'back'], bought: ['sold'] });
});
