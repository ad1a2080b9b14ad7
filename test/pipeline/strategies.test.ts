import { describe, expect, test } from 'vitest';
import type { Message } from '../../src/pipeline/observer';
import { countStrategies } from '../../src/pipeline/strategies';
import type { EventLog } from '../../src/session/event-log';

const DAY = 86_400;
const NAMES = ['view', 'cart', 'purchase'];
type Event = readonly [item: string, kind: string, day?: number];

/** A log of these sessions; items are numbered a, b, c, …, times are days before the newest event. */
function logOf(sessions: readonly (readonly Event[])[], isTimed = true) {
  const all = sessions.flat();
  const itemIds = [...new Set(all.map(([item]) => item))].sort();
  return {
    sessions: {
      items: Int32Array.from(all, ([item]) => itemIds.indexOf(item) + 1),
      times: Float64Array.from(all, ([, , day = 0]) => (isTimed ? 1e9 - day * DAY : 0)),
      offsets: Int32Array.from([0, ...sessions.map((_, s) => sessions.slice(0, s + 1).flat().length)]),
    },
    itemIds,
    events: Uint8Array.from(all, ([, kind]) => NAMES.indexOf(kind)),
    eventNames: NAMES,
  } satisfies Partial<EventLog>;
}

function counted(log: ReturnType<typeof logOf>, itemIds: readonly string[] = log.itemIds) {
  const messages: string[] = [];
  const strategies = countStrategies(log, itemIds, { onMessage: ({ text }: Message) => void messages.push(text) });
  return { ...strategies, messages };
}

const times = (count: number, session: readonly Event[]) => Array.from({ length: count }, () => session);
const bought = (...items: readonly string[]): Event[] => items.map((item) => [item, 'purchase']);

describe('bought-together', () => {
  // 10 baskets. s(a) = 6, s(b) = 4, s(c) = 5, s(d) = 2, s(a, b) = 4, s(a, c) = 3, s(c, d) = 2.
  const baskets = [
    ...times(2, bought('a', 'b')),
    ...times(2, bought('a', 'b', 'c')),
    bought('a', 'c'),
    bought('a'),
    ...times(2, bought('c', 'd')),
    ...times(2, bought('e')),
  ];

  test('are those of the same baskets, by confidence, with lift above 1 and three baskets at least', () => {
    const { boughtTogether } = counted(logOf(baskets));
    // confidence(a → b) = 4 / 6, (b → a) = 4 / 4. lift(a, b) = 10 · 4 / (6 · 4) = 1.67; lift(a, c) = 10 · 3 / (6 · 5) = 1: by chance.
    // c and d are together in 2 baskets: too few.
    expect(boughtTogether).toEqual({ of: 'purchase', baskets: 10, pairs: { 1: [2, 0.667], 2: [1, 1] } });
  });

  test('are ordered by confidence, of equal ones as the log shows them first', () => {
    const { boughtTogether } = counted(
      logOf([...times(3, bought('a', 'c', 'b')), bought('a', 'b'), ...times(9, bought('e'))]),
    );
    // s(a) = 4, s(b) = 4, s(c) = 3: b comes with all of a, c with 3 of 4.
    expect(boughtTogether!.pairs[1]).toEqual([2, 1, 3, 0.75]);
    expect(boughtTogether!.pairs[3]).toEqual([1, 1, 2, 1]);
  });

  test('count an item once in a basket, and views not at all', () => {
    const views: Event[] = [
      ['a', 'view'],
      ['d', 'view'],
    ];
    const sessions = [...times(3, [...bought('a', 'a', 'b'), ...views]), ...times(3, bought('e'))];
    expect(counted(logOf(sessions)).boughtTogether).toEqual({
      of: 'purchase',
      baskets: 6,
      pairs: { 1: [2, 1], 2: [1, 1] },
    });
  });

  test('are counted from carts where purchases say nothing, and so it is written', () => {
    const cart: Event[] = [
      ['a', 'cart'],
      ['b', 'cart'],
    ];
    const { boughtTogether, messages } = counted(logOf([...times(3, cart), [['e', 'cart']], bought('a', 'b')]));
    expect(boughtTogether).toEqual({ of: 'cart', baskets: 4, pairs: { 1: [2, 1], 2: [1, 1] } });
    expect(messages).toContain('bought-together: 2 items, by 4 baskets of the event "cart"');
  });

  test('are absent where neither do, with a message', () => {
    const { boughtTogether, messages } = counted(
      logOf([
        [
          ['a', 'view'],
          ['b', 'view'],
        ],
      ]),
    );
    expect(boughtTogether).toBeUndefined();
    expect(messages[0]).toContain('bought-together: none, since no two items are together in 3 baskets');
  });

  test('are of the model’s own items, by its indices', () => {
    const { boughtTogether } = counted(logOf([...baskets, ...times(3, bought('a', 'new'))]), ['x', 'b', 'a']);
    expect(boughtTogether!.pairs).toEqual({ 2: [3, 1], 3: [2, 0.444] });
  });
});

describe('trending', () => {
  test('is what grew beyond what the days before let expect, newer events counting more', () => {
    // The newest 7 days: a 4 × today and 1 × 2 days ago, b 5 × 4 days ago, c 4 × today. Before: a 3 ×, b 12 ×.
    const events: Event[] = [
      ...times(4, [['a', 'view', 0]]).flat(),
      ['a', 'view', 2],
      ...times(5, [['b', 'view', 4]]).flat(),
      ...times(4, [['c', 'view', 0]]).flat(),
      ...times(3, [['a', 'view', 10]]).flat(),
      ...times(12, [['b', 'view', 20]]).flat(),
      ...times(50, [['b', 'view', 36]]).flat(), // too old to count
    ] as Event[];
    const { trending } = counted(logOf(events.map((event) => [event])));
    // Σ a = 4 + 1/2 + 5/4 + 4 = 9.75, Σ n = 15, scale .65. a: (4.5 − 1.95) / √2.95 = 1.485. b: 1.25 − 7.8 < 0. c: 4 events, too few.
    expect(trending).toEqual({ until: 1e9, items: [1, 1.485] });
  });

  test('is what is looked at most where there are no days before', () => {
    const events = [...times(5, [['b', 'view', 0]]), ...times(5, [['a', 'view', 2]])] as Event[][];
    expect(counted(logOf(events)).trending).toEqual({ until: 1e9, items: [2, 5, 1, 2.5] });
  });

  test('is absent in a log without times, and all in one without baskets', () => {
    const log = logOf(
      [
        [
          ['a', 'view'],
          ['b', 'view'],
        ],
      ],
      false,
    );
    const { messages, ...rest } = counted(log);
    expect([messages.length, rest]).toEqual([1, {}]);
    const { events: _, eventNames: __, ...plain } = log; // that names no kinds of events
    expect(counted(plain as typeof log)).toEqual({ messages: [] });
  });
});
